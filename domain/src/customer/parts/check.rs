//! The checks of requests: every field through its newtype, with all violations collected.

use std::collections::BTreeMap;

use super::{
    CustomerUpdateParts, NewCustomerParts, NewLinkParts, TaxRateOverrideParts,
    items::{ItemParts, id_of},
};
use crate::{
    custom_field::{CustomFieldsChange, GivenFields},
    customer::{
        AddressLine, BillingCurrency, BuyerReference, City, Contact, CountryCode, CustomerName, CustomerType,
        CustomerUpdate, ElectronicAddressUpdate, Email, ExternalId, ItemKind, ItemsChange, LegalName, Listed, Locale,
        MetadataUpdate, NewCustomer, NewItem, NewItems, PostalCode, Profile, RegistrationNumber, ShippingAddressUpdate,
        State, Tag, TagsChange, TaxChoice, TaxTreatment, TextList, TimeZone, WorkflowName, table::or_unset,
    },
    integration::{NewLink, NewLinks, ProviderEntityId, ProviderType},
    metadata::{JsonObject, Metadata},
    onboarding::Onboarding,
    patch::Patch,
    tax::{CurrencyCode, Priority, TaxBehavior, TaxRateCode, TaxRateOverride, TaxRateOverrides},
    violation::{Rule, Violation, Violations},
};

/// A required member is absent.
#[derive(Debug, thiserror::Error)]
#[error("{0} is required")]
struct Needed(&'static str);

impl Rule for Needed {
    fn rule(&self) -> &'static str {
        "required"
    }
}

/// Checks the fields of an object and collects the violations.
pub(super) struct Fields<'a> {
    place: String,
    broken: &'a mut Violations,
}

impl Fields<'_> {
    pub(super) fn check<T, E: Rule>(&mut self, name: &str, checked: Result<T, E>) -> Option<T> {
        let place = &self.place;
        self.broken.check(|| format!("{place}{name}"), checked)
    }

    /// An optional text. An empty one counts as absent.
    pub(super) fn optional<T, E: Rule>(
        &mut self,
        name: &str,
        text: Option<String>,
        new: impl FnOnce(String) -> Result<T, E>,
    ) -> Option<T> {
        let text = text.filter(|text| !text.is_empty())?;
        self.check(name, new(text))
    }

    /// The update of an optional text. An empty one clears it.
    pub(super) fn patch<T, E: Rule>(
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

    /// A value whose violations have paths relative to this object.
    pub(super) fn group_here<T>(&mut self, checked: Result<T, Violations>) -> Option<T> {
        let place = &self.place;
        let absorb = |violation: Violation| {
            let path = format!("{place}{}", violation.path);
            self.broken.push(Violation { path, ..violation });
        };
        checked.map_err(|broken| broken.into_iter().for_each(absorb)).ok()
    }

    /// A list of texts without duplicates.
    pub(super) fn texts<T: Listed, E: Rule>(
        &mut self,
        list: Option<Vec<String>>,
        new: impl Fn(String) -> Result<T, E>,
    ) -> Option<TextList<T>> {
        let list = list?;
        let count = list.len();
        let checked = list.into_iter().enumerate();
        let checked =
            checked.filter_map(|(at, text)| Some((at, self.check(&format!("{}[{at}]", T::NAME), new(text))?)));
        let checked = checked.collect();
        self.group_here(TextList::at_places(count, checked))
    }

    /// A list of items.
    fn items<T: ItemKind, P: ItemParts<T>>(&mut self, list: Option<Vec<P>>) -> Option<NewItems<T>> {
        let check = |parts: P, fields: &mut Fields<'_>| {
            let id = id_of(&parts, fields);
            Some(NewItem { id, value: parts.check(fields)? })
        };
        let (_, valid) = self.each(T::NAME, usize::MAX, list?, check);
        self.take(NewItems::at_places(valid))
    }

    /// A member that is an object.
    fn within<T>(&mut self, name: &str, read: impl FnOnce(&mut Fields<'_>) -> T) -> T {
        let place = format!("{}{name}.", self.place);
        read(&mut Fields { place, broken: &mut *self.broken })
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

    fn read(mut self, fields: &mut Fields<'_>) -> Option<NewCustomer> {
        let external_id = fields.check("external_id", ExternalId::new(std::mem::take(&mut self.external_id)));
        let mut profile = self.texts(fields);
        profile.metadata = fields.metadata(self.metadata);
        if let Some(parts) = self.electronic_address {
            let faults = fields.broken.iter().len();
            let update = fields.within("electronic_address", |fields| parts.update(fields, false));
            // A member that is invalid is not reported as missing too.
            if fields.broken.iter().len() == faults {
                fields.take(update.apply(&mut profile.electronic_address));
            }
        }
        if let Some(parts) = self.shipping_address {
            let update = fields.within("shipping_address", |fields| parts.update(fields, false));
            update.apply(&mut profile.shipping_address);
        }
        profile.preferred_locales = fields.texts(self.preferred_locales, Locale::new).unwrap_or_default();
        profile.tags = fields.texts(self.tags, Tag::new).unwrap_or_default();
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
        Some(NewCustomer {
            contact_persons: fields.items(self.contact_persons).unwrap_or_default(),
            tax_ids: fields.items(self.tax_ids).unwrap_or_default(),
            tax_exemptions: fields.items(self.tax_exemptions).unwrap_or_default(),
            custom_fields: self.custom_fields.map(GivenFields::from).unwrap_or_default(),
            external_id: external_id?,
            profile,
            taxes,
            links,
            onboarding,
            confirm_new_subject: self.confirm_new_subject.unwrap_or_default(),
        })
    }
}

macro_rules! checked_texts {
    ($($wire:ident: $type:ident, $variant:ident, [$($place:tt)+], $unset:ident, $says:literal;)+) => {
        impl NewCustomerParts {
            /// The single texts.
            fn texts(&mut self, fields: &mut Fields<'_>) -> Profile {
                let mut profile = Profile::default();
                $(
                    let value = fields.optional(stringify!($wire), self.$wire.take(), $type::new);
                    profile.$($place)+ = or_unset!($unset, value);
                )+
                profile
            }
        }

        impl CustomerUpdateParts {
            /// The single texts.
            fn texts(&mut self, fields: &mut Fields<'_>, merges: bool) -> CustomerUpdate {
                CustomerUpdate {
                    $($wire: fields.patch(stringify!($wire), stated(std::mem::take(&mut self.$wire), merges), $type::new),)+
                    ..CustomerUpdate::default()
                }
            }
        }
    };
}

crate::customer_texts!(checked_texts);

/// The meaning of a patch: without a merge, a cleared value counts as absent.
fn stated<T: PartialEq>(patch: Patch<T>, merges: bool) -> Patch<T> {
    if merges || patch != Patch::Clear { patch } else { Patch::Keep }
}

/// The list in a patch: a cleared list is empty.
fn list<T>(patch: Patch<Vec<T>>, merges: bool) -> Option<Vec<T>> {
    match patch {
        Patch::Clear if merges => Some(Vec::new()),
        Patch::Keep | Patch::Clear => None,
        Patch::Set(list) => Some(list),
    }
}

/// The update of an object: without a merge, it replaces the whole object.
macro_rules! object_update {
    ($fields:ident, $patch:expr, $name:literal, $merges:ident, $update:ident) => {
        match $patch {
            Patch::Clear if $merges => $update::clear(),
            Patch::Keep | Patch::Clear => $update::default(),
            Patch::Set(parts) => {
                let update = $fields.within($name, |fields| parts.update(fields, $merges));
                if $merges { update } else { update.whole() }
            }
        }
    };
}

impl TaxRateOverrideParts {
    fn check(self, fields: &mut Fields<'_>) -> Option<TaxRateOverride> {
        let code = fields.check("tax_rate_code", TaxRateCode::new(self.tax_rate_code));
        let currency = fields.check("currency", CurrencyCode::new(self.currency));
        let priority = self.priority.and_then(|number| fields.check("priority", Priority::new(number)));
        let metadata = fields.metadata(self.metadata);
        let behavior = fields.optional("tax_behavior", self.tax_behavior, TaxBehavior::new);
        Some(TaxRateOverride {
            behavior,
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

    fn read(mut self, merges: bool) -> Result<CustomerUpdate, Violations> {
        let mut broken = Violations::new();
        let fields = &mut Fields { place: String::new(), broken: &mut broken };
        let external_id = match stated(std::mem::take(&mut self.external_id), merges) {
            Patch::Keep => None,
            Patch::Clear => fields.check("external_id", Err(Needed("external_id"))),
            Patch::Set(text) => fields.check("external_id", ExternalId::new(text)),
        };
        let texts = self.texts(fields, merges);
        let metadata = match self.metadata {
            Patch::Clear if merges => MetadataUpdate::Replace(Metadata::default()),
            Patch::Keep | Patch::Clear => MetadataUpdate::Keep,
            Patch::Set(pairs) => {
                let set = pairs.iter().filter_map(|(key, value)| Some((key.clone(), value.clone()?))).collect();
                let set = fields.metadata(Some(set));
                if merges { MetadataUpdate::Merge(pairs) } else { MetadataUpdate::Replace(set) }
            }
        };
        let electronic = self.electronic_address;
        let shipping = self.shipping_address;
        let update = CustomerUpdate {
            external_id,
            metadata,
            electronic_address: object_update!(
                fields,
                electronic,
                "electronic_address",
                merges,
                ElectronicAddressUpdate
            ),
            shipping_address: object_update!(fields, shipping, "shipping_address", merges, ShippingAddressUpdate),
            preferred_locales: fields.texts(list(self.preferred_locales, merges), Locale::new),
            tags: fields.texts(list(self.tags, merges), Tag::new).map_or(TagsChange::Keep, TagsChange::Replace),
            contact_persons: replaced(fields.items(list(self.contact_persons, merges))),
            tax_ids: replaced(fields.items(list(self.tax_ids, merges))),
            tax_exemptions: replaced(fields.items(list(self.tax_exemptions, merges))),
            custom_fields: match self.custom_fields {
                Patch::Clear if merges => CustomFieldsChange::Replace(GivenFields::default()),
                Patch::Keep | Patch::Clear => CustomFieldsChange::Keep,
                Patch::Set(given) if merges => CustomFieldsChange::Merge(given.into()),
                Patch::Set(given) => CustomFieldsChange::Replace(given.into()),
            },
            links: fields.links(self.integration_entity_mapping),
            confirm_new_subject: self.confirm_new_subject.unwrap_or_default(),
            ..texts
        };
        broken.into_result()?;
        Ok(update)
    }
}

fn replaced<T: ItemKind>(items: Option<NewItems<T>>) -> ItemsChange<T> {
    items.map_or(ItemsChange::Keep, ItemsChange::Replace)
}
