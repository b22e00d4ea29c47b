//! The body of a request that changes a customer.

use patron_domain::{
    customer::{
        AddressLine, City, Contact, CountryCode, CustomerName, CustomerUpdate, Email, ExternalId, MetadataUpdate,
        PostalCode, State, TimeZone,
    },
    integration::NewLinks,
    metadata::Metadata,
    violation::Violations,
};
use serde::{Deserialize, de::MapAccess};
use utoipa::ToSchema;

use super::request::{LinkRequest, links};
use crate::http::{
    json::{Field, FromJson, List, Null, Reader, Stated, Statement, Strings, Text, found_map},
    openapi::{given_metadata, objects, optional, or_null},
};

/// The body of `PUT` and `PATCH`. Unknown members are ignored.
#[derive(Deserialize, ToSchema)]
#[serde(default, bound(deserialize = "'de: 'a"))]
#[derive(Default)]
pub(super) struct UpdateCustomerRequest<'a> {
    #[schema(schema_with = or_null::<ExternalId>)]
    external_id: Stated<Text<'a>>,
    #[schema(schema_with = optional::<CustomerName>)]
    name: Stated<Text<'a>>,
    #[schema(schema_with = optional::<Email>)]
    email: Stated<Text<'a>>,
    #[schema(schema_with = optional::<Contact>)]
    contact: Stated<Text<'a>>,
    #[schema(schema_with = optional::<AddressLine>)]
    address_line1: Stated<Text<'a>>,
    #[schema(schema_with = optional::<AddressLine>)]
    address_line2: Stated<Text<'a>>,
    #[schema(schema_with = optional::<City>)]
    address_city: Stated<Text<'a>>,
    #[schema(schema_with = optional::<State>)]
    address_state: Stated<Text<'a>>,
    #[schema(schema_with = optional::<PostalCode>)]
    address_postal_code: Stated<Text<'a>>,
    #[schema(schema_with = optional::<CountryCode>)]
    address_country: Stated<Text<'a>>,
    #[schema(schema_with = optional::<TimeZone>)]
    timezone: Stated<Text<'a>>,
    #[schema(schema_with = given_metadata)]
    metadata: Stated<Strings>,
    #[schema(schema_with = objects::<LinkRequest<'_>, { NewLinks::MAX }>)]
    integration_entity_mapping: Field<List<LinkRequest<'a>>>,
}

impl<'de: 'a, 'a> FromJson<'de> for UpdateCustomerRequest<'a> {
    const EXPECTED: &'static str = "an object";

    fn from_map<A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
        found_map(map)
    }
}

impl UpdateCustomerRequest<'_> {
    /// Converts the body of a `PUT`: `null` leaves a field unchanged, and metadata is replaced completely.
    pub(super) fn into_replacement(self, broken: &mut Violations) -> Option<CustomerUpdate> {
        Some(self.read(Null::Keeps, broken))
    }

    /// Converts the body of a `PATCH`: `null` clears a field, and metadata is merged key by key.
    pub(super) fn into_merge(self, broken: &mut Violations) -> Option<CustomerUpdate> {
        Some(self.read(Null::Clears, broken))
    }

    fn read(self, null: Null, broken: &mut Violations) -> CustomerUpdate {
        let fields = &mut Reader::new(broken);
        CustomerUpdate {
            external_id: fields.replacement("external_id", self.external_id, null, ExternalId::new),
            name: fields.patch("name", self.name, null, CustomerName::new),
            email: fields.patch("email", self.email, null, Email::new),
            contact: fields.patch("contact", self.contact, null, Contact::new),
            address_line1: fields.patch("address_line1", self.address_line1, null, AddressLine::new),
            address_line2: fields.patch("address_line2", self.address_line2, null, AddressLine::new),
            address_city: fields.patch("address_city", self.address_city, null, City::new),
            address_state: fields.patch("address_state", self.address_state, null, State::new),
            address_postal_code: fields.patch("address_postal_code", self.address_postal_code, null, PostalCode::new),
            address_country: fields.patch("address_country", self.address_country, null, CountryCode::new),
            timezone: fields.patch("timezone", self.timezone, null, TimeZone::new),
            metadata: metadata(fields, self.metadata, null),
            links: links(fields, self.integration_entity_mapping),
        }
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
