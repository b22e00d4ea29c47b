//! References of a request to things that do not exist, reported with their paths beside all other faults.
//!
//! The service detects an unknown reference, but only if the request has no other fault. So a refused request is
//! examined again, only for its references.

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

/// The message about an id without a customer.
const NO_SUCH_ID: &str = "there is no such customer, or it is archived";

/// The message about an id that cannot be a customer's.
const NO_ID_AT_ALL: &str = "there is no such customer: customer ids begin with cust_; look up your own id with \
                            GET /customers/external/{external_id}";

/// The message about an external id without a customer.
const NO_SUCH_EXTERNAL_ID: &str = "there is no published customer with this external id";

/// Adds unknown references to a refusal.
pub(crate) fn told(refusal: ApiError, unknown: Violations) -> ApiError {
    match refusal.status().code {
        400 => refusal.beside(unknown),
        404 if !unknown.is_empty() => ApiError::unknown(unknown),
        _ => refusal,
    }
}

/// The codes without a tax rate, with their paths. Codes that are invalid are reported already.
pub(crate) async fn unknown_rates(api: &Api, caller: &Caller, named: Vec<(String, String)>) -> Violations {
    let named = named.into_iter().filter_map(|(path, code)| Some((path, TaxRateCode::new(code).ok()?)));
    let named: Vec<_> = named.collect();
    let mut unknown = Violations::new();
    if named.is_empty() {
        return unknown;
    }
    let codes = named.iter().map(|(_, code)| code.clone()).collect();
    let filter = TaxRateFilter { codes: Some(codes), ..TaxRateFilter::default() };
    // If the look-up fails, the refusal is returned without them.
    let Some(taxes) = &api.taxes else { return unknown };
    let Ok(found) = taxes.rates(caller, &filter, PageRequest::whole()).await else { return unknown };
    for (path, code) in named {
        if found.items.iter().all(|rate| rate.code != code) {
            unknown.push(Violation { path, rule: EXISTS, message: NO_SUCH_RATE.to_owned() });
        }
    }
    unknown
}

/// Returns a violation if the named customer does not exist.
pub(crate) async fn unknown_customer(api: &Api, caller: &Caller, named: &NamedCustomer) -> Violations {
    let Some(taxes) = &api.taxes else { return Violations::new() };
    match taxes.customer(caller, named).await {
        Err(TaxesOfError::UnknownCustomer) => no_customer(named),
        _ => Violations::new(),
    }
}

/// Returns a violation if no customer has an id, in any status.
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

/// The violation for an unknown customer, at the field that names it.
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
