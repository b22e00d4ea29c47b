//! Customers with everything that belongs to them.

use serde::{Deserialize, Serialize};

use super::{
    Stored, StoredError,
    association::{AssociationForm, Whole},
    fits, read,
    values::{AuditParts, Int, Object, Pairs, Text, V1, int_unless, text_unless},
    write,
};
use crate::{
    customer::{
        Address, AddressLine, City, Contact, CountryCode, Customer, CustomerAggregate, CustomerName, Email, ExternalId,
        FormerExternalId, PostalCode, Profile, State, TimeZone,
    },
    ids::{CustomerId, MappingId},
    integration::{IntegrationMapping, ProviderEntityId, ProviderType},
    lifecycle::{Audit, Owner, Status, Version},
    tax::TaxAssociation,
    tenancy::Actor,
    time::Timestamp,
};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CustomerForm<'a> {
    #[serde(default, skip_serializing_if = "V1::goes_unsaid")]
    v: V1,
    id: Text<'a, CustomerId>,
    external_id: Text<'a, ExternalId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Text<'a, CustomerName>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<Text<'a, Email>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<Text<'a, Contact>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address_line1: Option<Text<'a, AddressLine>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address_line2: Option<Text<'a, AddressLine>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address_city: Option<Text<'a, City>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address_state: Option<Text<'a, State>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address_postal_code: Option<Text<'a, PostalCode>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address_country: Option<Text<'a, CountryCode>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timezone: Option<Text<'a, TimeZone>>,
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
    /// Absent if it equals the customer's creation time.
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id_since: Option<Int<Timestamp>>,
}

/// A mapping. By default it has the customer's status and was created together with the customer.
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

impl<'a> CustomerForm<'a> {
    pub(super) fn of(aggregate: &'a CustomerAggregate) -> Self {
        let CustomerAggregate {
            customer,
            mappings,
            associations,
            removed_associations,
            former_external_ids,
            external_id_since,
        } = aggregate;
        let Profile { name, email, contact, address, timezone, metadata } = &customer.profile;
        let associations_as = |status: Status, all: &'a [TaxAssociation]| {
            let whole = Whole { customer: Some(customer.id), audit: Some(&customer.audit), status };
            all.iter().map(|one| AssociationForm::of(one, whole)).collect()
        };
        let mapping_as = |mapping| MappingForm::of(mapping, customer.status, Some(&customer.audit));
        let former = |one: &'a FormerExternalId| FormerForm {
            external_id: Text::of(&one.external_id),
            from: Int(one.from),
            until: Int(one.until),
        };
        Self {
            v: V1,
            id: Text::of(&customer.id),
            external_id: Text::of(&customer.external_id),
            name: Text::of_any(name.as_ref()),
            email: Text::of_any(email.as_ref()),
            contact: Text::of_any(contact.as_ref()),
            address_line1: Text::of_any(address.line1.as_ref()),
            address_line2: Text::of_any(address.line2.as_ref()),
            address_city: Text::of_any(address.city.as_ref()),
            address_state: Text::of_any(address.state.as_ref()),
            address_postal_code: Text::of_any(address.postal_code.as_ref()),
            address_country: Text::of_any(address.country.as_ref()),
            timezone: (timezone.as_str() != TimeZone::UTC).then_some(Text::of(timezone)),
            metadata: Pairs::of(metadata),
            status: text_unless(&Status::Published, &customer.status),
            version: int_unless(Version::FIRST, customer.version),
            created_at: Int(customer.audit.created_at),
            created_by: Text::of(&customer.audit.created_by),
            updated_at: int_unless(customer.audit.created_at, customer.audit.updated_at),
            updated_by: text_unless(&customer.audit.created_by, &customer.audit.updated_by),
            integrations: mappings.iter().map(mapping_as).collect(),
            tax_associations: associations_as(customer.status, associations),
            removed_tax_associations: associations_as(Status::Deleted, removed_associations),
            former_external_ids: former_external_ids.iter().map(former).collect(),
            external_id_since: int_unless(customer.audit.created_at, *external_id_since),
        }
    }

    pub(super) fn take(self, owner: Owner) -> Result<CustomerAggregate, &'static str> {
        let audit = AuditParts {
            created_at: Some(self.created_at),
            created_by: Some(self.created_by),
            updated_at: self.updated_at,
            updated_by: self.updated_by,
        };
        let address = Address {
            line1: Text::take_any(self.address_line1),
            line2: Text::take_any(self.address_line2),
            city: Text::take_any(self.address_city),
            state: Text::take_any(self.address_state),
            postal_code: Text::take_any(self.address_postal_code),
            country: Text::take_any(self.address_country),
        };
        let customer = Customer {
            id: self.id.take(),
            owner,
            external_id: self.external_id.take(),
            profile: Profile {
                name: Text::take_any(self.name),
                email: Text::take_any(self.email),
                contact: Text::take_any(self.contact),
                address,
                timezone: Text::take_any(self.timezone).unwrap_or_default(),
                metadata: Pairs::take(self.metadata),
            },
            status: Text::take_any(self.status).unwrap_or(Status::Published),
            version: self.version.map_or(Version::FIRST, |version| version.0),
            audit: audit.take(None)?,
        };
        let associations_as = |status: Status, all: Vec<AssociationForm<'_>>| {
            let whole = Whole { customer: Some(customer.id), audit: Some(&customer.audit), status };
            all.into_iter().map(|one| one.take(owner, whole)).collect::<Result<Vec<_>, _>>()
        };
        let former = |one: FormerForm<'_>| FormerExternalId {
            external_id: one.external_id.take(),
            from: one.from.0,
            until: one.until.0,
        };
        let take = |mapping: MappingForm<'_>| mapping.take(owner, customer.id, customer.status, Some(&customer.audit));
        let mappings = self.integrations.into_iter().map(take);
        Ok(CustomerAggregate {
            mappings: mappings.collect::<Result<_, _>>()?,
            associations: associations_as(customer.status, self.tax_associations)?,
            removed_associations: associations_as(Status::Deleted, self.removed_tax_associations)?,
            former_external_ids: self.former_external_ids.into_iter().map(former).collect(),
            external_id_since: self.external_id_since.map_or(customer.audit.created_at, |since| since.0),
            customer,
        })
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
