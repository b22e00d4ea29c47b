//! What a request refers to and is not there: told with its path, beside everything else that is wrong with the request.
//!
//! That a reference leads nowhere is found out where the request is decided, and only when nothing else is wrong with it. So
//! what was refused is looked through once more, for the references alone.

use patron_domain::{
    ids::CustomerId,
    page::PageRequest,
    tax::{NamedCustomer, TaxRateCode, TaxRateFilter, TaxesOfError},
    tenancy::Caller,
    violation::{Violation, Violations},
};

use super::{
    Api,
    error::{ApiError, EXISTS, NO_SUCH_RATE},
};

/// What is said of an id that no customer has.
const NO_SUCH_ID: &str = "there is no such customer, or it is archived";

/// What is said of an id that no customer can have.
const NO_ID_AT_ALL: &str = "there is no such customer: its id here begins with cust_; GET /customers/external/{external_id} \
                            shows it for an id of your own";

/// What is said of an external id that no customer has.
const NO_SUCH_EXTERNAL_ID: &str = "there is no published customer with this external id";

/// A refusal together with the references that lead nowhere.
pub(crate) fn told(refusal: ApiError, unknown: Violations) -> ApiError {
    match refusal.status().code {
        400 => refusal.beside(unknown),
        404 if !unknown.is_empty() => ApiError::unknown(unknown),
        _ => refusal,
    }
}

/// Those of these codes, each with its path, that no tax rate has. What no rate can have is told as such already.
pub(crate) async fn unknown_rates(api: &Api, caller: &Caller, named: Vec<(String, String)>) -> Violations {
    let named = named.into_iter().filter_map(|(path, code)| Some((path, TaxRateCode::new(code).ok()?)));
    let named: Vec<_> = named.collect();
    let mut unknown = Violations::new();
    if named.is_empty() {
        return unknown;
    }
    let codes = named.iter().map(|(_, code)| code.clone()).collect();
    let filter = TaxRateFilter { codes: Some(codes), ..TaxRateFilter::default() };
    // Where they cannot be looked up, the refusal is told without them.
    let Ok(found) = api.taxes.rates(caller, &filter, PageRequest::whole()).await else { return unknown };
    for (path, code) in named {
        if found.items.iter().all(|rate| rate.code != code) {
            unknown.push(Violation { path, rule: EXISTS, message: NO_SUCH_RATE.to_owned() });
        }
    }
    unknown
}

/// Whether a customer is unknown that is named by one field or another.
pub(crate) async fn unknown_customer(api: &Api, caller: &Caller, named: &NamedCustomer) -> Violations {
    match api.taxes.customer(caller, named).await {
        Err(TaxesOfError::UnknownCustomer) => no_customer(named),
        _ => Violations::new(),
    }
}

/// Whether there is no customer with an id, whatever its status.
pub(crate) async fn unknown_id(api: &Api, caller: &Caller, id: Option<CustomerId>) -> Violations {
    let found = match id {
        Some(id) => api.customers.find(caller, id).await,
        None => Ok(None),
    };
    match found {
        Ok(None) => no_customer(&NamedCustomer::Id(id)),
        _ => Violations::new(),
    }
}

/// That there is no customer of this name, at the field that names it.
pub(crate) fn no_customer(named: &NamedCustomer) -> Violations {
    let (path, message) = match named {
        NamedCustomer::Id(Some(_)) => ("entity_id", NO_SUCH_ID),
        NamedCustomer::Id(None) => ("entity_id", NO_ID_AT_ALL),
        NamedCustomer::ExternalId { .. } => ("external_customer_id", NO_SUCH_EXTERNAL_ID),
    };
    let mut unknown = Violations::new();
    unknown.push(Violation { path: path.to_owned(), rule: EXISTS, message: message.to_owned() });
    unknown
}
