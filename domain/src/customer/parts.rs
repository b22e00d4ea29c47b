//! Requests as unchecked texts. A check reports all broken rules together, each with the name of its field.

mod check;

use std::collections::BTreeMap;

use crate::patch::Patch;

/// A request for a new customer, before its check. With the feature `serde` it deserialises the body of `POST /customers` of
/// our API. Violations have the names of its members.
///
/// An empty optional text counts as absent.
///
/// ```
/// use patron_domain::customer::NewCustomerParts;
///
/// let parts = NewCustomerParts {
///     external_id: "acme".to_owned(),
///     email: Some("not an address".to_owned()),
///     address_country: Some("Germany".to_owned()),
///     ..NewCustomerParts::default()
/// };
/// let broken = parts.check().unwrap_err();
/// let places: Vec<_> = broken.iter().map(|one| one.path.as_str()).collect();
/// assert_eq!(places, ["address_country", "email"]);
/// ```
#[derive(Clone, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(default))]
pub struct NewCustomerParts {
    /// Its id in the client's own system. Needed.
    pub external_id: String,
    /// The name.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The contact number.
    pub contact: Option<String>,
    /// The address's first line.
    pub address_line1: Option<String>,
    /// The address's second line.
    pub address_line2: Option<String>,
    /// The city.
    pub address_city: Option<String>,
    /// The state, province or region.
    pub address_state: Option<String>,
    /// The postal code.
    pub address_postal_code: Option<String>,
    /// The country, in two letters.
    pub address_country: Option<String>,
    /// The time zone.
    pub timezone: Option<String>,
    /// Metadata.
    pub metadata: Option<BTreeMap<String, String>>,
    /// Its tax rates; `None` for the environment's defaults.
    pub tax_rate_overrides: Option<Vec<TaxRateOverrideParts>>,
    /// Its links to other systems.
    pub integration_entity_mapping: Option<Vec<NewLinkParts>>,
    /// Whether no onboarding workflow is to run.
    pub skip_onboarding_workflow: Option<bool>,
    /// The workflow to run.
    pub onboarding_workflow_name: Option<String>,
}

/// A tax rate override of a new customer, before its check.
///
/// ```
/// use patron_domain::customer::{NewCustomerParts, TaxRateOverrideParts};
///
/// let vat = TaxRateOverrideParts { tax_rate_code: "VAT".to_owned(), ..TaxRateOverrideParts::default() };
/// let parts = NewCustomerParts { tax_rate_overrides: Some(vec![vat]), ..NewCustomerParts::default() };
/// let broken = parts.check().unwrap_err();
/// assert!(broken.iter().any(|one| one.path == "tax_rate_overrides[0].currency"));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(default))]
pub struct TaxRateOverrideParts {
    /// The rate's code. Needed.
    pub tax_rate_code: String,
    /// The currency. Needed.
    pub currency: String,
    /// The rank.
    pub priority: Option<i64>,
    /// Whether it applies by itself; it does unless this says otherwise.
    pub auto_apply: Option<bool>,
    /// Metadata.
    pub metadata: Option<BTreeMap<String, String>>,
}

/// A link of a customer to another system, before its check.
///
/// ```
/// use patron_domain::customer::{CustomerUpdateParts, NewLinkParts};
///
/// let link = NewLinkParts { provider_type: "stripe".to_owned(), ..NewLinkParts::default() };
/// let update = CustomerUpdateParts { integration_entity_mapping: Some(vec![link]), ..Default::default() };
/// assert!(update.merge().is_err(), "the id at Stripe is missing");
/// ```
#[derive(Clone, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(default))]
pub struct NewLinkParts {
    /// The other system. Needed.
    pub provider_type: String,
    /// The customer's id there. Needed.
    pub provider_entity_id: String,
    /// Metadata: any JSON object.
    pub metadata: Option<serde_json::Map<String, serde_json::Value>>,
}

/// A request to update a customer, before its check. Each field is kept, cleared or set.
///
/// With the feature `serde` it deserialises the bodies of `PATCH` and `PUT` of our API: an absent member keeps a field, and
/// `null` clears it.
///
/// ```
/// use patron_domain::{customer::{CustomerName, CustomerUpdateParts}, patch::Patch};
///
/// let parts = CustomerUpdateParts { name: Patch::Set("Acme Ltd".to_owned()), ..CustomerUpdateParts::default() };
/// assert_eq!(parts.merge().unwrap().name, Patch::Set(CustomerName::new("Acme Ltd").unwrap()));
/// ```
#[derive(Clone, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(default))]
pub struct CustomerUpdateParts {
    /// Another external id, which cannot be cleared.
    pub external_id: Patch<String>,
    /// The name.
    pub name: Patch<String>,
    /// The e-mail address.
    pub email: Patch<String>,
    /// The contact number.
    pub contact: Patch<String>,
    /// The address's first line.
    pub address_line1: Patch<String>,
    /// The address's second line.
    pub address_line2: Patch<String>,
    /// The city.
    pub address_city: Patch<String>,
    /// The state, province or region.
    pub address_state: Patch<String>,
    /// The postal code.
    pub address_postal_code: Patch<String>,
    /// The country, in two letters.
    pub address_country: Patch<String>,
    /// The time zone.
    pub timezone: Patch<String>,
    /// Metadata.
    pub metadata: Patch<BTreeMap<String, Option<String>>>,
    /// Links to make or change; other links stay.
    pub integration_entity_mapping: Option<Vec<NewLinkParts>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{customer::MetadataUpdate, integration::NewLinks};

    #[test]
    fn the_elements_of_a_list_that_is_too_long_are_not_checked() {
        let link = || NewLinkParts::default();
        let parts = NewCustomerParts {
            external_id: "acme".to_owned(),
            integration_entity_mapping: Some((0..=NewLinks::MAX).map(|_| link()).collect()),
            ..NewCustomerParts::default()
        };
        let broken = parts.check().unwrap_err();
        let found: Vec<_> = broken.iter().map(|one| (one.path.as_str(), one.rule)).collect();
        assert_eq!(found, [("integration_entity_mapping", "max_items")]);
    }

    #[test]
    fn an_update_merges_or_replaces() {
        let parts = || CustomerUpdateParts {
            name: Patch::Clear,
            email: Patch::Set(String::new()),
            metadata: Patch::Set([("plan".to_owned(), Some("gold".to_owned())), ("old".to_owned(), None)].into()),
            ..CustomerUpdateParts::default()
        };
        let merged = parts().merge().unwrap();
        assert_eq!((&merged.name, &merged.email), (&Patch::Clear, &Patch::Clear));
        assert!(matches!(&merged.metadata, MetadataUpdate::Merge(pairs) if pairs.len() == 2));
        let replaced = parts().replace().unwrap();
        assert_eq!((&replaced.name, &replaced.email), (&Patch::Keep, &Patch::Clear));
        assert!(matches!(&replaced.metadata, MetadataUpdate::Replace(metadata) if metadata.len() == 1));
        let nameless = CustomerUpdateParts { external_id: Patch::Clear, ..CustomerUpdateParts::default() };
        assert_eq!(nameless.clone().merge().unwrap_err().iter().next().unwrap().rule, "required");
        assert_eq!(nameless.replace().unwrap().external_id, None);
    }
}
