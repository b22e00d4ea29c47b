//! Customers with everything that belongs to them.

use serde::{Deserialize, Serialize};

use super::{
    Stored, StoredError,
    association::{AssociationForm, Whole},
    custom_fields::{CustomFieldsForm, SortKeysForm, custom_fields},
    fits,
    items::{ExemptionForm, PersonForm, TaxIdForm},
    parts::{ElectronicForm, Folds, ShippingForm},
    read,
    values::{AuditParts, Int, Object, Pairs, Text, V1, audit_of, int_unless, list_from, list_of, text_unless},
    write,
};
use crate::{
    customer::{
        AddressLine, ArchivedTerm, BillingCurrency, BuyerReference, City, Contact, CountryCode, Customer,
        CustomerAggregate, CustomerName, CustomerType, Email, ExternalId, FormerExternalId, HoldReason, LegalHold,
        LegalName, Locale, PostalCode, Profile, RegistrationNumber, State, Tag, TaxTreatment, TimeZone,
        table::{or_unset, set_value, shown_text},
    },
    ids::{CustomerId, MappingId},
    integration::{IntegrationMapping, ProviderEntityId, ProviderType},
    lifecycle::{Audit, Owner, Status, Version},
    tax::TaxAssociation,
    tenancy::Actor,
    time::Timestamp,
};

/// The form of a customer, and how it comes from one and becomes one again: the members of the table of texts, and the rest.
macro_rules! customer_form {
    ($($wire:ident: $type:ident, $variant:ident, [$($place:tt)+], $unset:ident, $says:literal;)+) => {
        #[derive(Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct CustomerForm<'a> {
            #[serde(default, skip_serializing_if = "V1::goes_unsaid")]
            v: V1,
            id: Text<'a, CustomerId>,
            external_id: Text<'a, ExternalId>,
            $(
                #[serde(skip_serializing_if = "Option::is_none")]
                $wire: Option<Text<'a, $type>>,
            )+
            #[serde(skip_serializing_if = "Option::is_none")]
            electronic_address: Option<ElectronicForm<'a>>,
            #[serde(skip_serializing_if = "Option::is_none")]
            shipping_address: Option<ShippingForm<'a>>,
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            preferred_locales: Vec<Text<'a, Locale>>,
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            tags: Vec<Text<'a, Tag>>,
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            contact_persons: Vec<PersonForm<'a>>,
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            tax_ids: Vec<TaxIdForm<'a>>,
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            tax_exemptions: Vec<ExemptionForm<'a>>,
            #[serde(skip_serializing_if = "Option::is_none")]
            custom_fields: Option<CustomFieldsForm<'a>>,
            #[serde(skip_serializing_if = "Option::is_none")]
            sort_keys: Option<SortKeysForm>,
            #[serde(skip_serializing_if = "Option::is_none")]
            legal_hold: Option<HoldForm<'a>>,
            #[serde(skip_serializing_if = "Option::is_none")]
            metadata: Option<Pairs<'a>>,
            #[serde(skip_serializing_if = "Option::is_none")]
            status: Option<Text<'a, Status>>,
            #[serde(skip_serializing_if = "Option::is_none")]
            version: Option<Int<Version>>,
            created_at: Int<Timestamp>,
            created_by: Text<'a, Actor>,
            #[serde(skip_serializing_if = "Option::is_none")]
            updated_at: Option<Int<Timestamp>>,
            #[serde(skip_serializing_if = "Option::is_none")]
            updated_by: Option<Text<'a, Actor>>,
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            integrations: Vec<MappingForm<'a>>,
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            tax_associations: Vec<AssociationForm<'a>>,
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            removed_tax_associations: Vec<AssociationForm<'a>>,
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            former_external_ids: Vec<FormerForm<'a>>,
            /// Left out where it is the time at which the customer was made.
            #[serde(skip_serializing_if = "Option::is_none")]
            external_id_since: Option<Int<Timestamp>>,
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            archived_terms: Vec<ArchivedForm>,
            #[serde(default, skip_serializing_if = "Folds::goes_unsaid")]
            folded: Folds,
        }

        impl<'a> CustomerForm<'a> {
            pub(super) fn of(aggregate: &'a CustomerAggregate) -> Self {
                let CustomerAggregate {
                    customer,
                    mappings,
                    associations,
                    removed_associations,
                    former_external_ids,
                    external_id_since,
                    archived_terms,
                } = aggregate;
                let profile = &customer.profile;
                let associations_as = |status: Status, all: &'a [TaxAssociation]| {
                    let whole = Whole { customer: Some(customer.id), audit: Some(&customer.audit), status };
                    all.iter().map(|one| AssociationForm::of(one, whole)).collect()
                };
                let mapping_as = |mapping| MappingForm::of(mapping, customer.status, Some(&customer.audit));
                let mut folded = Folds::default();
                $(folded.note(stringify!($wire), shown_text!($unset, profile.$($place)+));)+
                Self {
                    v: V1,
                    id: Text::of(&customer.id),
                    external_id: Text::of(&customer.external_id),
                    $($wire: Text::of_any(set_value!($unset, &profile.$($place)+)),)+
                    electronic_address: profile.electronic_address.as_ref().map(ElectronicForm::of),
                    shipping_address: ShippingForm::of_any(&profile.shipping_address),
                    preferred_locales: list_of(&profile.preferred_locales),
                    tags: list_of(&profile.tags),
                    contact_persons: customer.contact_persons.iter().map(PersonForm::of).collect(),
                    tax_ids: customer.tax_ids.iter().map(TaxIdForm::of).collect(),
                    tax_exemptions: customer.tax_exemptions.iter().map(ExemptionForm::of).collect(),
                    custom_fields: CustomFieldsForm::of(&profile.custom_fields),
                    sort_keys: SortKeysForm::of(&profile.custom_fields),
                    legal_hold: customer.legal_hold.as_ref().map(HoldForm::of),
                    metadata: Pairs::of(&profile.metadata),
                    status: text_unless(&Status::Published, &customer.status),
                    version: int_unless(Version::FIRST, customer.version),
                    created_at: Int(customer.audit.created_at),
                    created_by: Text::of(&customer.audit.created_by),
                    updated_at: int_unless(customer.audit.created_at, customer.audit.updated_at),
                    updated_by: text_unless(&customer.audit.created_by, &customer.audit.updated_by),
                    integrations: mappings.iter().map(mapping_as).collect(),
                    tax_associations: associations_as(customer.status, associations),
                    removed_tax_associations: associations_as(Status::Deleted, removed_associations),
                    former_external_ids: former_external_ids.iter().map(FormerForm::of).collect(),
                    external_id_since: int_unless(customer.audit.created_at, *external_id_since),
                    archived_terms: archived_terms.iter().map(ArchivedForm::of).collect(),
                    folded,
                }
            }

            pub(super) fn take(self, owner: Owner) -> Result<CustomerAggregate, &'static str> {
                let mut profile = Profile {
                    electronic_address: self.electronic_address.map(ElectronicForm::take),
                    shipping_address: self.shipping_address.map(ShippingForm::take).unwrap_or_default(),
                    preferred_locales: list_from(self.preferred_locales),
                    tags: list_from(self.tags),
                    custom_fields: custom_fields(self.custom_fields, self.sort_keys)?,
                    metadata: Pairs::take(self.metadata),
                    ..Profile::default()
                };
                $(profile.$($place)+ = or_unset!($unset, Text::take_any(self.$wire));)+
                let customer = Customer {
                    id: self.id.take(),
                    owner,
                    external_id: self.external_id.take(),
                    profile,
                    contact_persons: self.contact_persons.into_iter().map(PersonForm::take).collect(),
                    tax_ids: self.tax_ids.into_iter().map(TaxIdForm::take).collect::<Result<_, _>>()?,
                    tax_exemptions: self.tax_exemptions.into_iter().map(ExemptionForm::take).collect(),
                    legal_hold: self.legal_hold.map(HoldForm::take),
                    status: Text::take_any(self.status).unwrap_or(Status::Published),
                    version: self.version.map_or(Version::FIRST, |version| version.0),
                    audit: audit_of(self.created_at, self.created_by, self.updated_at, self.updated_by),
                };
                let associations_as = |status: Status, all: Vec<AssociationForm<'_>>| {
                    let whole = Whole { customer: Some(customer.id), audit: Some(&customer.audit), status };
                    all.into_iter().map(|one| one.take(owner, whole)).collect::<Result<Vec<_>, _>>()
                };
                let take = |mapping: MappingForm<'_>| {
                    mapping.take(owner, customer.id, customer.status, Some(&customer.audit))
                };
                let mappings = self.integrations.into_iter().map(take);
                Ok(CustomerAggregate {
                    mappings: mappings.collect::<Result<_, _>>()?,
                    associations: associations_as(customer.status, self.tax_associations)?,
                    removed_associations: associations_as(Status::Deleted, self.removed_tax_associations)?,
                    former_external_ids: self.former_external_ids.into_iter().map(FormerForm::take).collect(),
                    external_id_since: self.external_id_since.map_or(customer.audit.created_at, |since| since.0),
                    archived_terms: self.archived_terms.into_iter().map(ArchivedForm::take).collect(),
                    customer,
                })
            }
        }
    };
}

crate::customer_texts!(customer_form);

/// A mapping. Its status is the customer's, if nothing is said, and it was made with the customer.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MappingForm<'a> {
    id: Text<'a, MappingId>,
    provider_type: Text<'a, ProviderType>,
    provider_entity_id: Text<'a, ProviderEntityId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Object<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Text<'a, Status>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<Int<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by: Option<Text<'a, Actor>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<Int<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_by: Option<Text<'a, Actor>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FormerForm<'a> {
    external_id: Text<'a, ExternalId>,
    from: Int<Timestamp>,
    until: Int<Timestamp>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HoldForm<'a> {
    reason: Text<'a, HoldReason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Int<Timestamp>>,
    since: Int<Timestamp>,
    by: Text<'a, Actor>,
}

impl<'a> HoldForm<'a> {
    fn of(hold: &'a LegalHold) -> Self {
        let LegalHold { reason, until, since, by } = hold;
        Self { reason: Text::of(reason), until: until.map(Int), since: Int(*since), by: Text::of(by) }
    }

    fn take(self) -> LegalHold {
        let until = self.until.map(|until| until.0);
        LegalHold { reason: self.reason.take(), until, since: self.since.0, by: self.by.take() }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ArchivedForm {
    from: Int<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Int<Timestamp>>,
}

impl ArchivedForm {
    fn of(term: &ArchivedTerm) -> Self {
        Self { from: Int(term.from), until: term.until.map(Int) }
    }

    fn take(self) -> ArchivedTerm {
        ArchivedTerm { from: self.from.0, until: self.until.map(|until| until.0) }
    }
}

impl<'a> MappingForm<'a> {
    /// The form of a single mapping, or of one within a customer with this status and audit.
    pub(super) fn of(mapping: &'a IntegrationMapping, status: Status, of_whole: Option<&Audit>) -> Self {
        let audit = AuditParts::of(&mapping.audit, of_whole);
        Self {
            id: Text::of(&mapping.id),
            provider_type: Text::of(&mapping.provider_type),
            provider_entity_id: Text::of(&mapping.provider_entity_id),
            metadata: Object::of(&mapping.metadata),
            status: text_unless(&status, &mapping.status),
            created_at: audit.created_at,
            created_by: audit.created_by,
            updated_at: audit.updated_at,
            updated_by: audit.updated_by,
        }
    }

    pub(super) fn take(
        self,
        owner: Owner,
        customer_id: CustomerId,
        status: Status,
        of_whole: Option<&Audit>,
    ) -> Result<IntegrationMapping, &'static str> {
        let Self { created_at, created_by, updated_at, updated_by, .. } = self;
        let audit = AuditParts { created_at, created_by, updated_at, updated_by };
        Ok(IntegrationMapping {
            id: self.id.take(),
            owner,
            customer_id,
            provider_type: self.provider_type.take(),
            provider_entity_id: self.provider_entity_id.take(),
            metadata: Object::take(self.metadata),
            status: Text::take_any(self.status).unwrap_or(status),
            audit: audit.take(of_whole)?,
        })
    }
}

impl<'a> FormerForm<'a> {
    fn of(former: &'a FormerExternalId) -> Self {
        Self { external_id: Text::of(&former.external_id), from: Int(former.from), until: Int(former.until) }
    }

    fn take(self) -> FormerExternalId {
        FormerExternalId { external_id: self.external_id.take(), from: self.from.0, until: self.until.0 }
    }
}

impl Stored for CustomerAggregate {
    const NAME: &'static str = "customer";

    fn to_document(&self) -> String {
        write(&CustomerForm::of(self))
    }

    fn from_document(owner: Owner, document: &str) -> Result<Self, StoredError> {
        let form: CustomerForm<'_> = read(Self::NAME, document)?;
        fits(Self::NAME, form.take(owner))
    }
}
