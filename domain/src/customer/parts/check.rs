//! The checks of requests: every field through its newtype, with all violations collected.

use std::collections::BTreeMap;

use super::{CustomerUpdateParts, NewCustomerParts, NewLinkParts, TaxRateOverrideParts};
use crate::{
    customer::{
        Address, AddressLine, City, Contact, CountryCode, CustomerName, CustomerUpdate, Email, ExternalId,
        MetadataUpdate, NewCustomer, PostalCode, Profile, State, TaxChoice, TimeZone, WorkflowName,
    },
    integration::{NewLink, NewLinks, ProviderEntityId, ProviderType},
    metadata::{JsonObject, Metadata},
    onboarding::Onboarding,
    patch::Patch,
    tax::{CurrencyCode, Priority, TaxRateCode, TaxRateOverride, TaxRateOverrides},
    violation::{Rule, Violations},
};

/// A required member is absent.
#[derive(Debug, thiserror::Error)]
#[error("{0} is needed")]
struct Needed(&'static str);

impl Rule for Needed {
    fn rule(&self) -> &'static str {
        "required"
    }
}

/// Checks the fields of an object and collects the violations.
struct Fields<'a> {
    place: String,
    broken: &'a mut Violations,
}

impl Fields<'_> {
    fn check<T, E: Rule>(&mut self, name: &str, checked: Result<T, E>) -> Option<T> {
        let place = &self.place;
        self.broken.check(|| format!("{place}{name}"), checked)
    }

    /// An optional text. An empty one counts as absent.
    fn optional<T, E: Rule>(
        &mut self,
        name: &str,
        text: Option<String>,
        new: impl FnOnce(String) -> Result<T, E>,
    ) -> Option<T> {
        let text = text.filter(|text| !text.is_empty())?;
        self.check(name, new(text))
    }

    /// The update of an optional text. An empty one clears it.
    fn patch<T, E: Rule>(
        &mut self,
        name: &str,
        patch: Patch<String>,
        new: impl FnOnce(String) -> Result<T, E>,
    ) -> Patch<T> {
        match patch {
            Patch::Keep => Patch::Keep,
            Patch::Clear => Patch::Clear,
            Patch::Set(text) if text.is_empty() => Patch::Clear,
            Patch::Set(text) => self.check(name, new(text)).map_or(Patch::Keep, Patch::Set),
        }
    }

    fn take<T>(&mut self, checked: Result<T, Violations>) -> Option<T> {
        checked.map_err(|broken| broken.into_iter().for_each(|one| self.broken.push(one))).ok()
    }

    fn metadata(&mut self, pairs: Option<BTreeMap<String, String>>) -> Metadata {
        let path = format!("{}metadata", self.place);
        pairs.and_then(|pairs| self.take(Metadata::new(pairs, &path))).unwrap_or_default()
    }

    /// The length of a list, and its valid elements with their places.
    fn each<P, T>(
        &mut self,
        name: &str,
        max: usize,
        list: Vec<P>,
        check: impl Fn(P, &mut Fields<'_>) -> Option<T>,
    ) -> (usize, Vec<(usize, T)>) {
        let count = list.len();
        // The elements of a list that is too long are not checked.
        let looked_at = if count > max { 0 } else { count };
        let element = |(index, parts): (usize, P)| {
            let place = format!("{}{name}[{index}].", self.place);
            check(parts, &mut Fields { place, broken: &mut *self.broken }).map(|one| (index, one))
        };
        (count, list.into_iter().take(looked_at).enumerate().filter_map(element).collect())
    }

    fn links(&mut self, list: Option<Vec<NewLinkParts>>) -> NewLinks {
        let Some(list) = list else { return NewLinks::default() };
        let (count, valid) = self.each("integration_entity_mapping", NewLinks::MAX, list, NewLinkParts::check);
        self.take(NewLinks::at_places(count, valid)).unwrap_or_default()
    }
}

impl NewCustomerParts {
    /// Checks all fields.
    ///
    /// # Errors
    /// All broken rules, each with the name of its field.
    pub fn check(self) -> Result<NewCustomer, Violations> {
        let mut broken = Violations::new();
        let new = self.read(&mut Fields { place: String::new(), broken: &mut broken });
        broken.into_result()?;
        // Without a violation there is a customer.
        new.ok_or_else(Violations::new)
    }

    fn read(self, fields: &mut Fields<'_>) -> Option<NewCustomer> {
        let external_id = fields.check("external_id", ExternalId::new(self.external_id));
        let address = Address {
            line1: fields.optional("address_line1", self.address_line1, AddressLine::new),
            line2: fields.optional("address_line2", self.address_line2, AddressLine::new),
            city: fields.optional("address_city", self.address_city, City::new),
            state: fields.optional("address_state", self.address_state, State::new),
            postal_code: fields.optional("address_postal_code", self.address_postal_code, PostalCode::new),
            country: fields.optional("address_country", self.address_country, CountryCode::new),
        };
        let profile = Profile {
            name: fields.optional("name", self.name, CustomerName::new),
            email: fields.optional("email", self.email, Email::new),
            contact: fields.optional("contact", self.contact, Contact::new),
            address,
            timezone: fields.optional("timezone", self.timezone, TimeZone::new).unwrap_or_default(),
            metadata: fields.metadata(self.metadata),
        };
        let onboarding = Onboarding {
            skip: self.skip_onboarding_workflow.unwrap_or_default(),
            workflow: fields.optional("onboarding_workflow_name", self.onboarding_workflow_name, WorkflowName::new),
        };
        let taxes = match self.tax_rate_overrides {
            None => TaxChoice::Defaults,
            Some(list) => {
                let (count, valid) =
                    fields.each("tax_rate_overrides", TaxRateOverrides::MAX, list, TaxRateOverrideParts::check);
                TaxChoice::Overrides(fields.take(TaxRateOverrides::at_places(count, valid)).unwrap_or_default())
            }
        };
        let links = fields.links(self.integration_entity_mapping);
        Some(NewCustomer { external_id: external_id?, profile, taxes, links, onboarding })
    }
}

impl TaxRateOverrideParts {
    fn check(self, fields: &mut Fields<'_>) -> Option<TaxRateOverride> {
        let code = fields.check("tax_rate_code", TaxRateCode::new(self.tax_rate_code));
        let currency = fields.check("currency", CurrencyCode::new(self.currency));
        let priority = self.priority.and_then(|number| fields.check("priority", Priority::new(number)));
        let metadata = fields.metadata(self.metadata);
        Some(TaxRateOverride {
            code: code?,
            currency: currency?,
            priority: priority.unwrap_or_default(),
            auto_apply: self.auto_apply.unwrap_or(true),
            metadata,
        })
    }
}

impl NewLinkParts {
    fn check(self, fields: &mut Fields<'_>) -> Option<NewLink> {
        let provider_type = fields.check("provider_type", ProviderType::new(self.provider_type));
        let provider_entity_id = fields.check("provider_entity_id", ProviderEntityId::new(self.provider_entity_id));
        let metadata = self.metadata.map(JsonObject::new);
        let metadata = metadata.and_then(|checked| fields.check("metadata", checked)).unwrap_or_default();
        Some(NewLink { provider_type: provider_type?, provider_entity_id: provider_entity_id?, metadata })
    }
}

impl CustomerUpdateParts {
    /// Checks all fields, with the meaning of `PATCH` (JSON merge patch, RFC 7396): cleared fields are cleared, and metadata is
    /// merged key by key.
    ///
    /// # Errors
    /// All broken rules, each with the name of its field.
    pub fn merge(self) -> Result<CustomerUpdate, Violations> {
        self.read(true)
    }

    /// Checks all fields, with the meaning of `PUT`: a cleared field is kept, an empty text clears, and metadata is replaced
    /// as a whole.
    ///
    /// # Errors
    /// All broken rules, each with the name of its field.
    pub fn replace(self) -> Result<CustomerUpdate, Violations> {
        self.read(false)
    }

    fn read(self, merges: bool) -> Result<CustomerUpdate, Violations> {
        let mut broken = Violations::new();
        let fields = &mut Fields { place: String::new(), broken: &mut broken };
        let stated = |patch: Patch<String>| if merges || patch != Patch::Clear { patch } else { Patch::Keep };
        let external_id = match stated(self.external_id) {
            Patch::Keep => None,
            Patch::Clear => fields.check("external_id", Err(Needed("external_id"))),
            Patch::Set(text) => fields.check("external_id", ExternalId::new(text)),
        };
        let metadata = match self.metadata {
            Patch::Clear if merges => MetadataUpdate::Replace(Metadata::default()),
            Patch::Keep | Patch::Clear => MetadataUpdate::Keep,
            Patch::Set(pairs) => {
                let set = pairs.iter().filter_map(|(key, value)| Some((key.clone(), value.clone()?))).collect();
                let set = fields.metadata(Some(set));
                if merges { MetadataUpdate::Merge(pairs) } else { MetadataUpdate::Replace(set) }
            }
        };
        let update = CustomerUpdate {
            external_id,
            name: fields.patch("name", stated(self.name), CustomerName::new),
            email: fields.patch("email", stated(self.email), Email::new),
            contact: fields.patch("contact", stated(self.contact), Contact::new),
            address_line1: fields.patch("address_line1", stated(self.address_line1), AddressLine::new),
            address_line2: fields.patch("address_line2", stated(self.address_line2), AddressLine::new),
            address_city: fields.patch("address_city", stated(self.address_city), City::new),
            address_state: fields.patch("address_state", stated(self.address_state), State::new),
            address_postal_code: fields.patch("address_postal_code", stated(self.address_postal_code), PostalCode::new),
            address_country: fields.patch("address_country", stated(self.address_country), CountryCode::new),
            timezone: fields.patch("timezone", stated(self.timezone), TimeZone::new),
            metadata,
            links: fields.links(self.integration_entity_mapping),
        };
        broken.into_result()?;
        Ok(update)
    }
}
