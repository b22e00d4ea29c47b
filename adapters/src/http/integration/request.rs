//! The bodies of requests that link a customer to another system or remove the link.

use patron_domain::{
    ids::CustomerId,
    integration::{ClaimedEntityId, MappedEntityType, NewLink, ProviderEntityId, ProviderType},
    violation::Violations,
};
use serde::{Deserialize, de::MapAccess};
use utoipa::ToSchema;

use crate::http::{
    json::{Field, FromJson, Object, Reader, Text, found_map},
    openapi::{exactly, given_any_object, optional},
};

/// The body of both requests. Unknown members are ignored.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, bound(deserialize = "'de: 'a"))]
#[schema(as = LinkRequest)]
pub(super) struct LinkBody<'a> {
    #[schema(schema_with = optional::<MappedEntityType>)]
    entity_type: Field<Text<'a>>,
    #[schema(required = true, schema_with = exactly::<ClaimedEntityId>)]
    entity_id: Field<Text<'a>>,
    #[schema(required = true, schema_with = exactly::<ProviderType>)]
    provider_type: Field<Text<'a>>,
    #[schema(schema_with = optional::<ProviderEntityId>)]
    provider_entity_id: Field<Text<'a>>,
    #[schema(schema_with = given_any_object)]
    metadata: Field<Object>,
}

impl<'de: 'a, 'a> FromJson<'de> for LinkBody<'a> {
    const EXPECTED: &'static str = "an object";

    fn from_map<A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
        found_map(map)
    }
}

/// A link of one customer. The customer is `None` if the id cannot be a customer's.
pub(super) struct Link {
    pub(super) customer: Option<CustomerId>,
    pub(super) link: NewLink,
}

/// The link to remove.
pub(super) struct Unlink {
    pub(super) customer: Option<CustomerId>,
    pub(super) provider_type: ProviderType,
    pub(super) provider_entity_id: Option<ProviderEntityId>,
}

impl LinkBody<'_> {
    /// The customer that the body names, if it names one: `Some(None)` for an id that cannot be a customer's.
    pub(super) fn named_customer(&self) -> Option<Option<CustomerId>> {
        match &self.entity_id {
            Field::Value(id) if !id.is_empty() => Some(CustomerId::parse(id).ok()),
            _ => None,
        }
    }

    pub(super) fn into_link(self, broken: &mut Violations) -> Option<Link> {
        let fields = &mut Reader::new(broken);
        let customer = customer(fields, self.entity_type, self.entity_id);
        let provider_type = fields.required("provider_type", self.provider_type, ProviderType::new);
        let provider_entity_id = fields.required("provider_entity_id", self.provider_entity_id, ProviderEntityId::new);
        let metadata = fields.take("metadata", self.metadata).map(Object::into_metadata);
        let metadata = metadata.and_then(|checked| fields.check("metadata", checked)).unwrap_or_default();
        let link = NewLink { provider_type: provider_type?, provider_entity_id: provider_entity_id?, metadata };
        Some(Link { customer: customer?, link })
    }

    pub(super) fn into_unlink(self, broken: &mut Violations) -> Option<Unlink> {
        let fields = &mut Reader::new(broken);
        let customer = customer(fields, self.entity_type, self.entity_id);
        let provider_type = fields.required("provider_type", self.provider_type, ProviderType::new);
        let provider_entity_id = fields.optional("provider_entity_id", self.provider_entity_id, ProviderEntityId::new);
        Some(Unlink { customer: customer?, provider_type: provider_type?, provider_entity_id })
    }
}

/// The named customer: `Some(None)` for an id that cannot be a customer's.
fn customer(fields: &mut Reader<'_>, kind: Field<Text<'_>>, id: Field<Text<'_>>) -> Option<Option<CustomerId>> {
    fields.optional("entity_type", kind, |word| MappedEntityType::parse(&word));
    let id = fields.required("entity_id", id, ClaimedEntityId::new)?;
    Some(CustomerId::parse(id.as_str()).ok())
}
