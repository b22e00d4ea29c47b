//! The looks of the domain's types.

use std::collections::BTreeSet;

use patron_domain::{
    customer::{
        AddressLine, City, Contact, CountryCode, CustomerName, Email, ExternalId, PostalCode, State, TimeZone,
        query::{DataType, Direction, Expansion, FilterField, Operator, SortField, TextField, TimeField},
    },
    event::{CustomerField, EventEntity, EventEntityType, EventLimit, EventPosition, EventType, TaxRateField},
    ids::{CustomerKind, Id, Kind, TaxRateKind},
    integration::{ClaimedEntityId, MappedEntityType, ProviderEntityId, ProviderType},
    lifecycle::Status,
    metadata::{JsonObject, Metadata},
    onboarding::WorkflowName,
    page::PageRequest,
    tax::{
        CurrencyCode, FixedAmount, MAX_DIGITS, PassedOver, Percentage, Priority, TaxRateCode, TaxRateDescription,
        TaxRateName, TaxRateScope, TaxRateStatus, TaxRateType, TaxedEntityType,
    },
    tenancy::{Actor, ApiKeyName, ApiKeyType, EnvironmentName, EnvironmentType, RequestId, Role},
    time::Timestamp,
};
use serde_json::json;
use utoipa::openapi::{
    ObjectBuilder, RefOr, Schema,
    schema::{SchemaType, Type},
};

use super::shape::{Look, Shape, strings, texts, words};

/// The 26 characters after the prefix of an id, in every example: a test puts a real one in their place.
pub(crate) const EXAMPLE_ID: &str = "01JDG3W9Z5X0M8R2K7T4B6Q1NE";

texts! {
    ExternalId: "The id that your own system gave the customer: not blank, no control characters.", "acme-1";
    CustomerName: "The full name of a person or company: not blank.", "Acme GmbH";
    Contact: "A contact number, such as a telephone.", "+49 30 123456";
    WorkflowName: "The name of an onboarding workflow: not blank, nothing that turns the direction of text.", "welcome";
    AddressLine: "A line of the address; tabs and line breaks are taken.", "Unter den Linden 1";
    City: "The city.", "Berlin";
    State: "The state, province or region.", "Berlin";
    PostalCode: "The ZIP or postal code.", "10117";
    Email: "An e-mail address, in any script; its domain has a dot.", "billing@acme.example";
    ProviderType: "The name of another system: not blank, no control characters.", "stripe";
    ProviderEntityId: "The id by which the other system knows the customer.", "cus_1";
    ClaimedEntityId: "The id of the entity.", "cust_01JDG3W9Z5X0M8R2K7T4B6Q1NE";
    TaxRateCode: "The code of a tax rate, case-sensitive: not blank, no control characters.", "VAT_DE";
    TaxRateName: "The name of a tax rate, for people: nothing that turns the direction of text.", "Umsatzsteuer";
    TaxRateDescription: "What a tax rate is for; tabs and line breaks are taken.", "The regular rate in Germany";
    ApiKeyName: "What a key is for: nothing that turns the direction of text.", "Billing worker";
    RequestId: "The id of the request in which it was done.", "7f3a-1";
    EnvironmentName: "The name of an environment: nothing that turns the direction of text.", "Staging";
    Actor: "Who did it: the id of an API key, `system`, or a user's name.", "secret_01JDG3W9Z5X0M8R2K7T4B6Q1NE";
}

words! {
    Status: "Where in its life it is.";
    Direction: "Which end comes first.";
    Expansion: "What else is shown.";
    SortField: "The field to sort by.";
    Operator: "How the field is compared.";
    DataType: "Which member `value` has; may be left out.";
    MappedEntityType: "The kind of entity.";
    TaxRateType: "Which of the two values a rate has.";
    TaxRateScope: "For whom the rate is meant.";
    TaxRateStatus: "Whether the rate is applied.";
    TaxedEntityType: "Who is taxed: a customer, or (`tenant`) the environment's defaults.";
    PassedOver: "Why a rate does not apply.";
    EnvironmentType: "What an environment is for.";
    ApiKeyType: "The kind of a key.";
    Role: "What a key may do.";
    EventType: "What happened.";
    EventEntityType: "The kind of entity that it happened to.";
}

impl Shape for FilterField {
    fn look() -> Look {
        let words = TextField::ALL.iter().map(|one| one.as_str()).chain(TimeField::ALL.iter().map(|one| one.as_str()));
        Look::words(words, "The field to filter by.")
    }
}

impl<K: Kind> Shape for Id<K> {
    fn look() -> Look {
        let (prefix, says) = (K::PREFIX, "An id; opaque to clients.".to_owned());
        let pattern = Some(format!("{prefix}[0-7][0-9A-HJKMNP-TV-Z]{{25}}"));
        let example = json!(format!("{prefix}{EXAMPLE_ID}"));
        Look { kinds: vec![Type::String], pattern, says, example, ..Look::default() }
    }
}

/// An id, whose prefix says of which kind the entity is.
impl Shape for EventEntity {
    fn look() -> Look {
        let (customer, rate) = (CustomerKind::PREFIX, TaxRateKind::PREFIX);
        Look {
            pattern: Some(format!("({customer}|{rate})[0-7][0-9A-HJKMNP-TV-Z]{{25}}")),
            says: "The id of what it happened to.".to_owned(),
            ..Id::<CustomerKind>::look()
        }
    }
}

/// A field of anything that has events.
pub(crate) struct ChangedField;

impl Shape for ChangedField {
    fn look() -> Look {
        let customers = CustomerField::ALL.iter().map(|field| field.as_str());
        let all: BTreeSet<_> = customers.chain(TaxRateField::ALL.iter().map(|field| field.as_str())).collect();
        Look::words(all, "The name of a field.")
    }
}

impl Shape for EventPosition {
    fn look() -> Look {
        let says = "Where in the log a reader stands; opaque to clients.".to_owned();
        Look {
            kinds: vec![Type::String],
            pattern: Some("[0-9]+".to_owned()),
            says,
            example: json!(Self::START.to_string()),
            ..Look::default()
        }
    }
}

impl Shape for EventLimit {
    fn look() -> Look {
        let standard = Self::default().get();
        let says = format!("The most events of the answer; {standard} when absent.");
        let range = Some((1, Self::MAX.into()));
        Look { kinds: vec![Type::Integer], range, says, example: json!(standard), ..Look::default() }
    }
}

impl Shape for CountryCode {
    fn look() -> Look {
        let says = "An assigned country code of ISO 3166-1 alpha-2, upper case, or `XK` for Kosovo.".to_owned();
        let pattern = Some("[A-Z]{2}".to_owned());
        Look { kinds: vec![Type::String], pattern, says, example: json!("DE"), ..Look::default() }
    }
}

impl Shape for CurrencyCode {
    fn look() -> Look {
        let says = "A current currency code of ISO 4217, in either case.".to_owned();
        let pattern = Some("[A-Za-z]{3}".to_owned());
        Look { kinds: vec![Type::String], pattern, says, example: json!("eur"), ..Look::default() }
    }
}

impl Shape for TimeZone {
    fn look() -> Look {
        let says = "A time zone by its IANA name, with its case.".to_owned();
        Look { kinds: vec![Type::String], says, example: json!("Europe/Berlin"), ..Look::default() }
    }
}

impl Shape for Timestamp {
    fn look() -> Look {
        let (format, says) = (Some("date-time"), "RFC 3339; answers are in UTC, to the microsecond.".to_owned());
        Look {
            kinds: vec![Type::String],
            format,
            says,
            example: json!("2026-01-31T08:00:00.000000Z"),
            ..Look::default()
        }
    }
}

impl Shape for Priority {
    fn look() -> Look {
        let says = "Lower comes first.".to_owned();
        let range = Some((0, i32::MAX.into()));
        Look { kinds: vec![Type::Integer], range, says, example: json!(0), ..Look::default() }
    }
}

impl Shape for bool {
    fn look() -> Look {
        Look { kinds: vec![Type::Boolean], example: json!(true), ..Look::default() }
    }
}

/// A text that may be any.
impl Shape for str {
    fn look() -> Look {
        Look { kinds: vec![Type::String], example: json!("acme-1"), ..Look::default() }
    }
}

/// Any number.
impl Shape for f64 {
    fn look() -> Look {
        Look { kinds: vec![Type::Number], example: json!(1.5), ..Look::default() }
    }
}

/// A number of things.
impl Shape for u64 {
    fn look() -> Look {
        let range = Some((0, i64::MAX));
        Look { kinds: vec![Type::Integer], range, example: json!(1), ..Look::default() }
    }
}

/// How many items a page has.
pub(crate) struct Limit;

impl Shape for Limit {
    fn look() -> Look {
        let says = format!("The most items of the page; {} when absent.", PageRequest::DEFAULT_LIMIT);
        let range = Some((1, PageRequest::MAX_LIMIT.into()));
        Look { kinds: vec![Type::Integer], range, says, example: json!(PageRequest::DEFAULT_LIMIT), ..Look::default() }
    }
}

/// How many items come before a page.
pub(crate) struct Offset;

impl Shape for Offset {
    fn look() -> Look {
        let says = "How many items to skip; 0 when absent.".to_owned();
        let range = Some((0, PageRequest::MAX_OFFSET as i64));
        Look { kinds: vec![Type::Integer], range, says, example: json!(0), ..Look::default() }
    }
}

macro_rules! decimals {
    ($($name:ident: $says:literal, $example:literal;)*) => {$(
        impl Shape for $name {
            fn look() -> Look {
                Look {
                    kinds: vec![Type::String],
                    pattern: Some(r"[0-9]+(\.[0-9]+)?".to_owned()),
                    says: format!(concat!($says, ", exact to {} digits."), MAX_DIGITS),
                    example: json!($example),
                    ..Look::default()
                }
            }
        }
    )*};
}

decimals! {
    Percentage: "A percentage from 0 to 100", "19";
    FixedAmount: "An amount of 0 or more, in the currency of what it is charged on", "2.5";
}

/// A decimal in a request: text or number, in any of the forms that decimals have.
pub(crate) fn given_decimal<T: Shape>() -> RefOr<Schema> {
    let Look { says, example, .. } = T::look();
    let kinds = SchemaType::from_iter([Type::String, Type::Number, Type::Null]);
    ObjectBuilder::new().schema_type(kinds).description(Some(says)).examples([example]).into()
}

/// Metadata in an answer.
pub(crate) fn metadata() -> RefOr<Schema> {
    strings(Metadata::MAX_KEYS, Metadata::MAX_KEY_CHARS, Metadata::MAX_VALUE_CHARS, false)
}

/// Metadata in a request, where a `null` is as if absent, or in a merge patch takes the key away.
pub(crate) fn given_metadata() -> RefOr<Schema> {
    strings(Metadata::MAX_KEYS, Metadata::MAX_KEY_CHARS, Metadata::MAX_VALUE_CHARS, true)
}

/// Pairs of metadata to search by, where a `null` is refused.
pub(crate) fn searched_metadata<const MAX: usize>() -> RefOr<Schema> {
    strings(MAX, Metadata::MAX_KEY_CHARS, Metadata::MAX_VALUE_CHARS, false)
}

/// The metadata of a mapping in an answer.
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
