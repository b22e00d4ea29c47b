//! Requests as unchecked texts. A check reports all broken rules together, each with the name of its field.

mod check;
mod items;

use std::collections::BTreeMap;

pub use items::{ContactPersonParts, ElectronicAddressParts, ShippingAddressParts, TaxExemptionParts, TaxIdParts};

use crate::patch::Patch;

macro_rules! requests {
    ($($wire:ident: $type:ident, $variant:ident, [$($place:tt)+], $unset:ident, $says:literal;)+) => {
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
        /// assert_eq!(places, ["email", "address_country"]);
        /// ```
        #[derive(Clone, Default, PartialEq)]
        #[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(default))]
        pub struct NewCustomerParts {
            /// Its id in the client's own system. Needed.
            pub external_id: String,
            $(#[doc = $says] pub $wire: Option<String>,)+
            /// Metadata.
            pub metadata: Option<BTreeMap<String, String>>,
            /// The address for electronic invoices.
            pub electronic_address: Option<ElectronicAddressParts>,
            /// The address for goods.
            pub shipping_address: Option<ShippingAddressParts>,
            /// The preferred languages, the best first.
            pub preferred_locales: Option<Vec<String>>,
            /// Tags.
            pub tags: Option<Vec<String>>,
            /// The contact persons.
            pub contact_persons: Option<Vec<ContactPersonParts>>,
            /// The tax ids.
            pub tax_ids: Option<Vec<TaxIdParts>>,
            /// The tax exemptions.
            pub tax_exemptions: Option<Vec<TaxExemptionParts>>,
            /// The custom fields.
            pub custom_fields: Option<serde_json::Map<String, serde_json::Value>>,
            /// Its tax rates; `None` for the environment's defaults.
            pub tax_rate_overrides: Option<Vec<TaxRateOverrideParts>>,
            /// Its links to other systems.
            pub integration_entity_mapping: Option<Vec<NewLinkParts>>,
            /// Whether no onboarding workflow is to run.
            pub skip_onboarding_workflow: Option<bool>,
            /// The workflow to run.
            pub onboarding_workflow_name: Option<String>,
            /// Whether this is another customer than the erased one with the same external id.
            pub confirm_new_subject: Option<bool>,
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
            $(#[doc = $says] pub $wire: Patch<String>,)+
            /// Metadata.
            pub metadata: Patch<BTreeMap<String, Option<String>>>,
            /// The address for electronic invoices.
            pub electronic_address: Patch<ElectronicAddressParts>,
            /// The address for goods.
            pub shipping_address: Patch<ShippingAddressParts>,
            /// The preferred languages; the list is replaced whole.
            pub preferred_locales: Patch<Vec<String>>,
            /// The tags; the list is replaced whole.
            pub tags: Patch<Vec<String>>,
            /// Its people; the list is replaced whole, and those with an id are kept.
            pub contact_persons: Patch<Vec<ContactPersonParts>>,
            /// Its tax ids; the list is replaced whole, and those with an id are kept.
            pub tax_ids: Patch<Vec<TaxIdParts>>,
            /// Its tax exemptions; the list is replaced whole, and those with an id are kept.
            pub tax_exemptions: Patch<Vec<TaxExemptionParts>>,
            /// The custom fields, checked when the update is decided.
            pub custom_fields: Patch<serde_json::Map<String, serde_json::Value>>,
            /// Links to make or change; other links stay.
            pub integration_entity_mapping: Option<Vec<NewLinkParts>>,
            /// Whether this is another customer than the erased one with the new external id.
            pub confirm_new_subject: Option<bool>,
        }
    };
}

crate::customer_texts!(requests);

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
    /// Whether prices contain the tax: `inclusive` or `exclusive`.
    pub tax_behavior: Option<String>,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        customer::{ElectronicAddressUpdate, MetadataUpdate, Tags, TagsChange},
        integration::NewLinks,
    };

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

    #[test]
    fn objects_lists_and_items_are_checked_at_their_places() {
        let text = |text: &str| Patch::Set(text.to_owned());
        let parts = NewCustomerParts {
            external_id: "acme".to_owned(),
            tax_treatment: Some("reverse_charge".to_owned()),
            tags: Some(vec!["vip".to_owned(), "eu".to_owned()]),
            shipping_address: Some(ShippingAddressParts { city: text("Bonn"), ..Default::default() }),
            electronic_address: Some(ElectronicAddressParts { scheme: text("0204"), value: text("991-1") }),
            contact_persons: Some(vec![ContactPersonParts {
                first_name: "Ada".to_owned(),
                roles: Some(vec!["billing".to_owned()]),
                ..Default::default()
            }]),
            tax_ids: Some(vec![TaxIdParts {
                r#type: "eu_vat".to_owned(),
                value: "DE136695976".to_owned(),
                ..Default::default()
            }]),
            tax_exemptions: Some(vec![TaxExemptionParts { reason: "resale".to_owned(), ..Default::default() }]),
            ..NewCustomerParts::default()
        };
        let new = parts.clone().check().unwrap();
        assert_eq!(new.profile.tax_treatment.as_str(), "reverse_charge");
        assert_eq!((new.profile.tags.len(), new.contact_persons.len(), new.tax_ids.len()), (2, 1, 1));
        assert_eq!(new.profile.shipping_address.city.as_ref().map(|city| city.as_str()), Some("Bonn"));
        assert!(new.profile.electronic_address.is_some() && new.tax_exemptions.len() == 1);

        let mut wrong = parts;
        wrong.billing_currency = Some("euro".to_owned());
        wrong.tags = Some(vec!["vip".to_owned(), "vip".to_owned(), String::new()]);
        wrong.electronic_address = Some(ElectronicAddressParts { scheme: text("0204"), value: Patch::Keep });
        wrong.contact_persons.as_mut().unwrap()[0].id = Some("x".to_owned());
        wrong.tax_exemptions.as_mut().unwrap()[0].starts_at = Some("yesterday".to_owned());
        let broken = wrong.check().unwrap_err();
        let mut paths: Vec<_> = broken.iter().map(|one| one.path.as_str()).collect();
        paths.sort_unstable();
        let wanted = [
            "billing_currency",
            "contact_persons[0].id",
            "electronic_address.value",
            "tags[1]",
            "tags[2]",
            "tax_exemptions[0].starts_at",
        ];
        assert_eq!(paths, wanted);
    }

    #[test]
    fn objects_and_lists_are_merged_or_replaced() {
        let city = ShippingAddressParts {
            city: Patch::Set("Bonn".to_owned()),
            state: Patch::Clear,
            ..ShippingAddressParts::default()
        };
        let parts = CustomerUpdateParts {
            shipping_address: Patch::Set(city),
            electronic_address: Patch::Clear,
            tags: Patch::Clear,
            ..CustomerUpdateParts::default()
        };
        let merged = parts.clone().merge().unwrap();
        let shipping = &merged.shipping_address;
        assert_eq!((&shipping.state, &shipping.line1), (&Patch::Clear, &Patch::Keep));
        assert_eq!(merged.electronic_address, ElectronicAddressUpdate::clear());
        assert_eq!(merged.tags, TagsChange::Replace(Tags::default()));
        let replaced = parts.replace().unwrap();
        let shipping = &replaced.shipping_address;
        assert_eq!((&shipping.state, &shipping.line1), (&Patch::Clear, &Patch::Clear));
        assert_eq!(replaced.electronic_address, ElectronicAddressUpdate::default());
        assert_eq!(replaced.tags, TagsChange::Keep);
    }
}
