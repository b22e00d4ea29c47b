//! Schemas of objects with any members: custom fields, metadata and other JSON.

use patron_domain::{
    custom_field::{CustomText, MAX_CUSTOM_FIELDS},
    metadata::{JsonObject, Metadata},
};
use serde_json::json;
use utoipa::openapi::{
    ObjectBuilder, RefOr, Schema,
    schema::{AdditionalProperties, SchemaType, Type},
};

use super::shape::strings;

/// The custom fields of a customer in a response.
pub(crate) fn custom_fields() -> RefOr<Schema> {
    custom_fields_of(false)
}

/// Custom fields in a request. `null` counts as absent; in a merge patch it removes the value.
pub(crate) fn given_custom_fields() -> RefOr<Schema> {
    custom_fields_of(true)
}

fn custom_fields_of(given: bool) -> RefOr<Schema> {
    let says = format!(
        "Values of the environment's custom fields by their keys, at most {MAX_CUSTOM_FIELDS}: texts of at most {} characters, \
         numbers, decimals as texts, booleans, dates as `YYYY-MM-DD`, and lists of options.",
        CustomText::MAX_CHARS
    );
    let mut kinds = vec![Type::String, Type::Integer, Type::Boolean, Type::Array];
    kinds.extend(given.then_some([Type::Number, Type::Null]).into_iter().flatten());
    let value = ObjectBuilder::new().schema_type(SchemaType::from_iter(kinds)).build();
    let of = if given { SchemaType::from_iter([Type::Object, Type::Null]) } else { SchemaType::Type(Type::Object) };
    ObjectBuilder::new()
        .schema_type(of)
        .additional_properties(Some(AdditionalProperties::from(RefOr::T(Schema::Object(value)))))
        .description(Some(says))
        .examples([json!({ "seats": 5 })])
        .into()
}

/// Metadata in a response.
pub(crate) fn metadata() -> RefOr<Schema> {
    strings(Metadata::MAX_KEYS, Metadata::MAX_KEY_CHARS, Metadata::MAX_VALUE_CHARS, false)
}

/// Metadata in a request. `null` counts as absent; in a merge patch it removes the key.
pub(crate) fn given_metadata() -> RefOr<Schema> {
    strings(Metadata::MAX_KEYS, Metadata::MAX_KEY_CHARS, Metadata::MAX_VALUE_CHARS, true)
}

/// Pairs of metadata in a search, which rejects `null`.
pub(crate) fn searched_metadata<const MAX: usize>() -> RefOr<Schema> {
    strings(MAX, Metadata::MAX_KEY_CHARS, Metadata::MAX_VALUE_CHARS, false)
}

/// Any JSON value.
pub(crate) fn any_value() -> RefOr<Schema> {
    let kinds = [Type::Null, Type::String, Type::Number, Type::Boolean, Type::Array, Type::Object];
    ObjectBuilder::new().schema_type(SchemaType::from_iter(kinds)).examples([json!("gold")]).into()
}

/// The metadata of a mapping in a response.
pub(crate) fn any_object() -> RefOr<Schema> {
    object_of(SchemaType::Type(Type::Object))
}

/// The metadata of a mapping in a request.
pub(crate) fn given_any_object() -> RefOr<Schema> {
    object_of(SchemaType::from_iter([Type::Object, Type::Null]))
}

fn object_of(kinds: SchemaType) -> RefOr<Schema> {
    let (bytes, keys, chars) = (JsonObject::MAX_BYTES, Metadata::MAX_KEYS, Metadata::MAX_KEY_CHARS);
    let says =
        format!("Any JSON object of at most {bytes} bytes, with at most {keys} keys of 1 to {chars} characters.");
    ObjectBuilder::new()
        .schema_type(kinds)
        .description(Some(says))
        .examples([json!({ "owner": { "name": "Ada" } })])
        .into()
}
