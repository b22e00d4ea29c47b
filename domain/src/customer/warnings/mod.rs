//! Warnings about customers: values that are accepted, but are probably mistakes.

mod postal_code;

use std::collections::BTreeSet;

use self::postal_code::is_of_country;
use super::{
    Customer, CustomerAggregate, CustomerRepository, Email, MappingFilter, TaxTreatment,
    query::{Condition, CustomerQuery, CustomerQueryParts, FilterField, ListField, Operand, Operator, TextField},
};
use crate::{
    advice::Warning,
    ids::CustomerId,
    integration::IntegrationMapping,
    lifecycle::Status,
    page::PageRequest,
    report::{ObjectState, Written},
    store::StoreError,
    tenancy::EnvironmentScope,
};

/// The most customers that one warning names.
const MOST: u16 = 3;

/// The warnings about a change of a customer: those that follow from the customer alone. Unchanged values cause no
/// warning.
///
/// ```
/// use patron_domain::{customer::warnings, testkit::a_customer};
///
/// assert_eq!(warnings(None, &a_customer("acme").existing().customer), []);
/// ```
#[must_use]
pub fn warnings(before: Option<&Customer>, after: &Customer) -> Vec<Warning> {
    let mut found = Vec::new();
    let (address, old) = (&after.profile.address, before.map(|before| &before.profile.address));
    if old.is_none_or(|old| (&old.postal_code, &old.country) != (&address.postal_code, &address.country))
        && let (Some(code), Some(country)) = (&address.postal_code, &address.country)
        && !is_of_country(code.as_str(), country.as_str())
    {
        let message = format!("no postal code of {} has this form; correct it, or the country", country.as_str());
        found.push(Warning::new("address_postal_code", "postal_code_country", message));
    }
    let same_tax_ids = before.is_some_and(|before| before.tax_ids == after.tax_ids);
    if let Some(country) = &address.country
        && !(same_tax_ids && old.is_some_and(|old| old.country == address.country))
    {
        for (index, tax_id) in after.tax_ids.iter().enumerate() {
            let other = tax_id.value.country().filter(|other| home(other.as_str()) != home(country.as_str()));
            if let Some(other) = other {
                let message = format!(
                    "the tax id is from {}, but the address is in {}; correct one of them if they do not belong together",
                    other.as_str(),
                    country.as_str()
                );
                found.push(Warning::new(format!("tax_ids[{index}]"), "tax_id_country", message));
            }
        }
    }
    let treatment = after.profile.tax_treatment;
    let is_new = before.is_none_or(|before| before.profile.tax_treatment != treatment) || !same_tax_ids;
    let lacks_proof = match treatment {
        TaxTreatment::Taxable => false,
        TaxTreatment::ReverseCharge => after.tax_ids.is_empty(),
        TaxTreatment::Exempt => after.tax_ids.is_empty() && after.tax_exemptions.is_empty(),
    };
    if is_new && lacks_proof {
        let message = "invoices without tax usually need the customer's tax id; add it to tax_ids";
        found.push(Warning::new("tax_treatment", "treatment_without_tax_id", message));
    }
    found
}

/// Northern Ireland has tax ids of its own.
fn home(country: &str) -> &str {
    if country == "XI" { "GB" } else { country }
}

/// What a change of a customer adds that another customer may have too.
struct Added<'a> {
    email: Option<&'a Email>,
    /// Tax ids by their places.
    tax_ids: Vec<(usize, &'a str)>,
    /// Links by their places.
    links: Vec<(usize, &'a IntegrationMapping)>,
}

impl<'a> Added<'a> {
    fn new(before: Option<&'a CustomerAggregate>, after: &'a CustomerAggregate) -> Self {
        let old = before.map(|before| &before.customer);
        let email = after.customer.profile.email.as_ref();
        let known: BTreeSet<&str> =
            old.iter().flat_map(|old| &old.tax_ids).map(|tax_id| tax_id.value.value()).collect();
        let tax_ids = after.customer.tax_ids.iter().map(|tax_id| tax_id.value.value()).enumerate();
        let is_old = |mapping: &IntegrationMapping| {
            let same = |old: &IntegrationMapping| {
                (&old.provider_type, &old.provider_entity_id) == (&mapping.provider_type, &mapping.provider_entity_id)
            };
            before.is_some_and(|before| before.links().any(same))
        };
        Self {
            email: email.filter(|_| old.is_none_or(|old| old.profile.email.as_ref() != email)),
            tax_ids: tax_ids.filter(|(_, value)| !known.contains(value)).collect(),
            links: after.links().enumerate().filter(|(_, one)| !is_old(one)).collect(),
        }
    }
}

/// All warnings about the customers of a write, also those that need a look-up.
pub(super) async fn of_write(
    customers: &dyn CustomerRepository,
    scope: &EnvironmentScope,
    written: &Written,
) -> Result<Vec<Warning>, StoreError> {
    let mut found = Vec::new();
    for change in &written.objects {
        let Some(ObjectState::Customer(after)) = &change.after else { continue };
        let before = match &change.before {
            Some(ObjectState::Customer(before)) => Some(&**before),
            _ => None,
        };
        if after.customer.status != Status::Published {
            continue;
        }
        found.extend(warnings(before.map(|before| &before.customer), &after.customer));
        let (own, added) = (after.customer.id, Added::new(before, after));
        if let Some(email) = added.email {
            let email = Operand::Text(email.as_str().to_owned());
            let others = others(customers, scope, own, (FilterField::Text(TextField::Email), Operator::Ieq, email));
            found.extend(duplicate("email".to_owned(), "e-mail address", &others.await?));
        }
        for (index, value) in added.tax_ids {
            let value = Operand::Text(value.to_owned());
            let others = others(customers, scope, own, (FilterField::List(ListField::TaxIdValue), Operator::Eq, value));
            found.extend(duplicate(format!("tax_ids[{index}].value"), "tax id", &others.await?));
        }
        for (index, mapping) in added.links {
            let filter = MappingFilter::Provider {
                provider_type: mapping.provider_type.clone(),
                provider_entity_id: mapping.provider_entity_id.clone(),
            };
            let linked = customers.mappings(scope, &filter, page()).await?.items;
            let others: Vec<_> =
                linked.into_iter().map(|mapping| mapping.customer_id).filter(|other| *other != own).collect();
            let path = format!("integrations[{index}].provider_entity_id");
            found.extend(duplicate(path, "link to another system", &others));
        }
    }
    Ok(found)
}

/// A page with the customer itself, and the others that a warning names.
fn page() -> PageRequest {
    PageRequest::new(u64::from(MOST) + 1, 0).unwrap_or_default()
}

/// Other published customers that match a filter.
async fn others(
    customers: &dyn CustomerRepository,
    scope: &EnvironmentScope,
    own: CustomerId,
    (field, operator, operand): (FilterField, Operator, Operand),
) -> Result<Vec<CustomerId>, StoreError> {
    let Ok(condition) = Condition::filter(field, operator, operand) else { return Ok(Vec::new()) };
    let (filters, page) = (vec![condition], page());
    let parts = CustomerQueryParts { filters, page, without_total: true, ..CustomerQueryParts::default() };
    let Ok(query) = CustomerQuery::new(parts) else { return Ok(Vec::new()) };
    let found = customers.list(scope, &query).await?.items;
    Ok(found.into_iter().map(|record| record.customer.id).filter(|other| *other != own).collect())
}

/// The warning about other customers with the same value, if there are any.
fn duplicate(path: String, what: &str, others: &[CustomerId]) -> Option<Warning> {
    let named: Vec<_> = others.iter().take(MOST.into()).map(CustomerId::to_string).collect();
    let message = format!("other customers have the same {what}: {}; this may be a duplicate", named.join(", "));
    (!named.is_empty()).then(|| Warning::new(path, "possible_duplicate", message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        customer::{CountryCode, PostalCode, TaxId, TaxIdType},
        testkit::a_customer,
    };

    fn customer(postal_code: &str, country: &str, tax_ids: &[(&str, &str)], treatment: TaxTreatment) -> Customer {
        let mut customer = a_customer("acme").existing().customer;
        customer.profile.address.postal_code = PostalCode::new(postal_code).ok();
        customer.profile.address.country = CountryCode::new(country).ok();
        customer.profile.tax_treatment = treatment;
        customer.tax_ids = tax_ids
            .iter()
            .map(|(kind, value)| super::super::Item {
                id: crate::testkit::an_id(1),
                value: TaxId::new(TaxIdType::new(kind).unwrap(), value, true).unwrap(),
            })
            .collect();
        customer
    }

    fn rules(before: Option<&Customer>, after: &Customer) -> Vec<(String, &'static str)> {
        warnings(before, after).into_iter().map(|warning| (warning.path, warning.rule)).collect()
    }

    #[test]
    fn each_rule_has_its_warning() {
        use TaxTreatment::{Exempt, ReverseCharge, Taxable};
        let found = |postal_code, country, tax_ids: &[(&str, &str)], treatment| {
            rules(None, &customer(postal_code, country, tax_ids, treatment))
        };
        let one = |path: &str, rule| vec![(path.to_owned(), rule)];
        assert_eq!(found("10115", "DE", &[], Taxable), []);
        assert_eq!(found("1011", "DE", &[], Taxable), one("address_postal_code", "postal_code_country"));
        assert_eq!(found("SW1A 1AA", "DE", &[], Taxable), one("address_postal_code", "postal_code_country"));
        assert_eq!(found("10115", "", &[], Taxable), []);
        assert_eq!(found("", "DE", &[("eu_vat", "DE136695976")], Taxable), []);
        assert_eq!(found("", "DE", &[("eu_vat", "FR40303265045")], Taxable), one("tax_ids[0]", "tax_id_country"));
        assert_eq!(found("", "GR", &[("eu_vat", "EL094014201")], Taxable), []);
        assert_eq!(found("", "GB", &[("eu_vat", "XI123456789")], Taxable), []);
        assert_eq!(found("", "", &[], ReverseCharge), one("tax_treatment", "treatment_without_tax_id"));
        assert_eq!(found("", "", &[("eu_vat", "DE136695976")], ReverseCharge), []);
        assert_eq!(found("", "", &[], Exempt), one("tax_treatment", "treatment_without_tax_id"));
    }

    #[test]
    fn what_stays_as_it_was_brings_no_warning() {
        let odd = customer("1", "DE", &[("eu_vat", "FR40303265045")], TaxTreatment::Taxable);
        assert_eq!(rules(None, &odd).len(), 2);
        assert_eq!(rules(Some(&odd), &odd), []);
        let moved = customer("1", "AT", &[("eu_vat", "FR40303265045")], TaxTreatment::Taxable);
        assert_eq!(rules(Some(&odd), &moved).len(), 2);
    }
}
