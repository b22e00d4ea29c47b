//! The body of a request that changes a customer.

use patron_domain::{
    custom_field::{CustomFieldsChange, GivenFields},
    customer::{
        AddressLine, BillingCurrency, BuyerReference, City, Contact, CountryCode, CustomerName, CustomerType,
        CustomerUpdate, Email, ExternalId, FixedField, LegalName, Limits, Locale, MetadataUpdate, PostalCode,
        RegistrationNumber, Repeated, State, Tag, TagsChange, TaxTreatment, TimeZone,
    },
    ids::{CustomerId, EnvironmentId, TenantId},
    integration::NewLinks,
    lifecycle::Status,
    metadata::Metadata,
    tenancy::Actor,
    time::Timestamp,
    violation::Violations,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    items::request::{ContactPersonRequest, TaxExemptionRequest, TaxIdRequest, items_change},
    parts_request::{
        ElectronicAddressRequest, MAX_LOCALES, MAX_TAGS, ShippingAddressRequest, electronic_address_update,
        list_update, shipping_address_update,
    },
    request::{LinkRequest, links},
};
use crate::http::{
    json::{Field, Given, List, Null, Reader, Stated, Statement, Strings, Text, object_from_json},
    openapi::{given_custom_fields, given_metadata, object_or_null, objects, optional, or_null, values},
};

macro_rules! update_request {
    ($($wire:ident: $type:ident, $variant:ident, [$($place:tt)+], $unset:ident, $says:literal;)+) => {
        /// The body of `PUT` and `PATCH`. Unknown members are ignored.
        #[derive(Default, Deserialize, ToSchema)]
        #[serde(default, bound(deserialize = "'de: 'a"))]
        pub(super) struct UpdateCustomerRequest<'a> {
            #[schema(schema_with = or_null::<ExternalId>)]
            external_id: Stated<Text<'a>>,
            $(
                #[schema(schema_with = optional::<$type>)]
                $wire: Stated<Text<'a>>,
            )+
            #[schema(schema_with = given_metadata)]
            metadata: Stated<Strings>,
            #[schema(schema_with = object_or_null::<ElectronicAddressRequest<'_>>)]
            electronic_address: Stated<ElectronicAddressRequest<'a>>,
            #[schema(schema_with = object_or_null::<ShippingAddressRequest<'_>>)]
            shipping_address: Stated<ShippingAddressRequest<'a>>,
            #[schema(schema_with = values::<Locale, { MAX_LOCALES }>)]
            preferred_locales: Stated<List<Text<'a>>>,
            #[schema(schema_with = values::<Tag, { MAX_TAGS }>)]
            tags: Stated<List<Text<'a>>>,
            #[schema(schema_with = objects::<ContactPersonRequest<'_>, { Limits::CONTACT_PERSONS }>)]
            contact_persons: Stated<List<ContactPersonRequest<'a>>>,
            #[schema(schema_with = objects::<TaxIdRequest<'_>, { Limits::TAX_IDS }>)]
            tax_ids: Stated<List<TaxIdRequest<'a>>>,
            #[schema(schema_with = objects::<TaxExemptionRequest<'_>, { Limits::TAX_EXEMPTIONS }>)]
            tax_exemptions: Stated<List<TaxExemptionRequest<'a>>>,
            #[schema(schema_with = given_custom_fields)]
            custom_fields: Stated<Given>,
            #[schema(schema_with = objects::<LinkRequest<'_>, { NewLinks::MAX }>)]
            integration_entity_mapping: Field<List<LinkRequest<'a>>>,
            /// Whether this is another customer than the one with the new external id whose deletion was requested.
            #[schema(schema_with = optional::<bool>)]
            confirm_new_subject: Field<bool>,
            /// Cannot be changed; may be repeated as it is.
            #[schema(schema_with = or_null::<CustomerId>)]
            id: Field<Text<'a>>,
            /// Cannot be changed; may be repeated as it is.
            #[schema(schema_with = or_null::<TenantId>)]
            tenant_id: Field<Text<'a>>,
            /// Cannot be changed; may be repeated as it is.
            #[schema(schema_with = or_null::<EnvironmentId>)]
            environment_id: Field<Text<'a>>,
            /// Cannot be changed; may be repeated as it is.
            #[schema(schema_with = or_null::<Status>)]
            status: Field<Text<'a>>,
            /// Cannot be changed; may be repeated as it is.
            #[schema(schema_with = or_null::<Timestamp>)]
            created_at: Field<Text<'a>>,
            /// Cannot be changed; may be repeated as it is.
            #[schema(schema_with = or_null::<Actor>)]
            created_by: Field<Text<'a>>,
            /// Ignored: what was read may be sent back.
            #[schema(schema_with = or_null::<Timestamp>)]
            updated_at: Field<Text<'a>>,
            /// Ignored: what was read may be sent back.
            #[schema(schema_with = or_null::<Actor>)]
            updated_by: Field<Text<'a>>,
        }

        impl UpdateCustomerRequest<'_> {
            fn read(self, null: Null, broken: &mut Violations) -> CustomerUpdate {
                let fields = &mut Reader::new(broken);
                let said = [
                    (FixedField::Id, self.id),
                    (FixedField::TenantId, self.tenant_id),
                    (FixedField::EnvironmentId, self.environment_id),
                    (FixedField::Status, self.status),
                    (FixedField::CreatedAt, self.created_at),
                    (FixedField::CreatedBy, self.created_by),
                ];
                let said = said.into_iter().filter_map(|(field, text)| {
                    Some((field, fields.take(field.as_str(), text)?.into_owned()))
                });
                let repeated = Repeated(said.collect());
                let _ = (self.updated_at, self.updated_by);
                CustomerUpdate {
                    repeated,
                    external_id: fields.replacement("external_id", self.external_id, null, ExternalId::new),
                    $($wire: fields.patch(stringify!($wire), self.$wire, null, $type::new),)+
                    metadata: metadata(fields, self.metadata, null),
                    electronic_address: electronic_address_update(fields, self.electronic_address, null),
                    shipping_address: shipping_address_update(fields, self.shipping_address, null),
                    preferred_locales: list_update(fields, self.preferred_locales, null, Locale::new),
                    tags: list_update(fields, self.tags, null, Tag::new).map_or(TagsChange::Keep, TagsChange::Replace),
                    contact_persons: items_change(fields, self.contact_persons, null),
                    tax_ids: items_change(fields, self.tax_ids, null),
                    tax_exemptions: items_change(fields, self.tax_exemptions, null),
                    custom_fields: custom_fields(fields, self.custom_fields, null),
                    links: links(fields, self.integration_entity_mapping),
                    confirm_new_subject: fields
                        .take("confirm_new_subject", self.confirm_new_subject)
                        .unwrap_or_default(),
                }
            }
        }
    };
}

patron_domain::customer_texts!(update_request);

object_from_json!(UpdateCustomerRequest<'a>);

impl UpdateCustomerRequest<'_> {
    /// As `PUT` means it: `null` leaves a field as it is, metadata and objects are replaced whole.
    pub(super) fn into_replacement(self, broken: &mut Violations) -> Option<CustomerUpdate> {
        Some(self.read(Null::Keeps, broken))
    }

    /// As `PATCH` means it: `null` clears a field, metadata and objects are merged member by member.
    pub(super) fn into_merge(self, broken: &mut Violations) -> Option<CustomerUpdate> {
        Some(self.read(Null::Clears, broken))
    }
}

fn custom_fields(fields: &mut Reader<'_>, stated: Stated<Given>, null: Null) -> CustomFieldsChange {
    match fields.stated("custom_fields", stated, null) {
        Statement::Nothing => CustomFieldsChange::Keep,
        Statement::Clear => CustomFieldsChange::Replace(GivenFields::default()),
        Statement::Value(Given(given)) if null == Null::Keeps => CustomFieldsChange::Replace(given),
        Statement::Value(Given(given)) => CustomFieldsChange::Merge(given),
    }
}

fn metadata(fields: &mut Reader<'_>, stated: Stated<Strings>, null: Null) -> MetadataUpdate {
    match fields.stated("metadata", stated, null) {
        Statement::Nothing => MetadataUpdate::Keep,
        Statement::Clear => MetadataUpdate::Replace(Metadata::default()),
        Statement::Value(strings) if null == Null::Keeps => {
            MetadataUpdate::Replace(fields.metadata(Field::Value(strings)))
        }
        Statement::Value(mut strings) => {
            let removed = std::mem::take(&mut strings.nulls).into_iter().map(|key| (key, None));
            let set = fields.metadata(Field::Value(strings));
            let set = set.iter().map(|(key, value)| (key.to_owned(), Some(value.to_owned())));
            MetadataUpdate::Merge(removed.chain(set).collect())
        }
    }
}
