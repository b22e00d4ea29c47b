//! The texts of a customer that are found, each with its place.

use std::{borrow::Cow, fmt};

use crate::{
    custom_field::CustomValue,
    customer::{CustomerAggregate, table::set_value},
};

/// The place of a text in a customer, as a JSON path: `contact_persons[0].email`.
///
/// ```
/// use patron_domain::customer::find::TextPath;
///
/// assert_eq!(TextPath::At("tax_ids", 1, ".value").to_string(), "tax_ids[1].value");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextPath {
    /// A member.
    Member(&'static str),
    /// A part of an item of a list: the list, the item's place, and the member within it, if it has any.
    At(&'static str, usize, &'static str),
    /// A value under a key: of the metadata, or of a custom field.
    Under(&'static str, String),
}

impl TextPath {
    /// Whether the text is in a list.
    #[must_use]
    pub fn is_in(&self, list: &str) -> bool {
        matches!(self, Self::At(name, ..) if *name == list)
    }
}

impl fmt::Display for TextPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member(name) => f.write_str(name),
            Self::At(list, place, member) => write!(f, "{list}[{place}]{member}"),
            Self::Under(object, key) => write!(f, "{object}.{key}"),
        }
    }
}

/// How a text is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Exactly, or in part.
    Identifier,
    /// The same, and without its separators.
    TaxId,
    /// Exactly, from its beginning, in part, and with a typing error.
    Email,
    /// From its beginning, in part, and with a typing error.
    Name,
    /// In part, and with a typing error.
    Place,
    /// In part.
    Other,
}

impl Role {
    /// Whether the whole text identifies a customer.
    pub(super) fn is_exact(self) -> bool {
        matches!(self, Self::Identifier | Self::TaxId | Self::Email)
    }

    /// Whether its beginning ranks higher than the rest.
    pub(super) fn is_prefix(self) -> bool {
        matches!(self, Self::Name | Self::Email)
    }

    /// Whether it is found with a typing error.
    pub(super) fn is_similar(self) -> bool {
        matches!(self, Self::Name | Self::Email | Self::Place)
    }
}

/// Longer values of metadata and custom fields are not searched.
const MAX_METADATA_BYTES: usize = 100;

/// Passes each text of a customer to `take`.
pub(super) fn each_text<'a>(
    aggregate: &'a CustomerAggregate,
    mut take: impl FnMut(Role, Cow<'a, str>, &dyn Fn() -> TextPath),
) {
    let (customer, profile) = (&aggregate.customer, &aggregate.customer.profile);
    let mut member = |role, name: &'static str, text: Option<&'a str>| {
        if let Some(text) = text {
            take(role, text.into(), &|| TextPath::Member(name));
        }
    };
    member(Role::Identifier, "external_id", Some(customer.external_id.as_str()));
    member(Role::Name, "name", set_value!(empty, profile.name).map(|name| name.as_str()));
    member(Role::Email, "email", set_value!(empty, profile.email).map(|email| email.as_str()));
    member(Role::Name, "legal_name", set_value!(empty, profile.legal_name).map(|name| name.as_str()));
    member(Role::Place, "address_city", set_value!(empty, profile.address.city).map(|city| city.as_str()));
    for (place, person) in customer.contact_persons.iter().enumerate() {
        let person = &person.value;
        let at = |member| move || TextPath::At("contact_persons", place, member);
        take(Role::Name, person.first_name.as_str().into(), &at(".first_name"));
        if let Some(name) = &person.last_name {
            take(Role::Name, name.as_str().into(), &at(".last_name"));
        }
        if let Some(email) = &person.email {
            take(Role::Email, email.as_str().into(), &at(".email"));
        }
    }
    for (place, tax_id) in customer.tax_ids.iter().enumerate() {
        take(Role::TaxId, tax_id.value.value().into(), &|| TextPath::At("tax_ids", place, ".value"));
    }
    for (place, mapping) in aggregate.links().enumerate() {
        let path = || TextPath::At("integrations", place, ".provider_entity_id");
        take(Role::Identifier, mapping.provider_entity_id.as_str().into(), &path);
    }
    for (place, former) in aggregate.former_external_ids.iter().enumerate() {
        take(Role::Identifier, former.external_id.as_str().into(), &|| TextPath::At("former_external_ids", place, ""));
    }
    for (place, tag) in profile.tags.iter().enumerate() {
        take(Role::Other, tag.as_str().into(), &|| TextPath::At("tags", place, ""));
    }
    for (key, value) in profile.metadata.iter().filter(|(_, value)| value.len() <= MAX_METADATA_BYTES) {
        take(Role::Other, value.into(), &|| TextPath::Under("metadata", key.to_owned()));
    }
    for (key, value) in profile.custom_fields.iter() {
        for text in custom_texts(value).into_iter().filter(|text| text.len() <= MAX_METADATA_BYTES) {
            take(Role::Other, text, &|| TextPath::Under("custom_fields", key.as_str().to_owned()));
        }
    }
}

/// The texts of a custom field, as responses show them. Booleans are not searched.
fn custom_texts(value: &CustomValue) -> Vec<Cow<'_, str>> {
    match value {
        CustomValue::Text(text) => vec![text.as_str().into()],
        CustomValue::Texts(texts) => texts.iter().map(|text| text.as_str().into()).collect(),
        CustomValue::Integer(number) => vec![number.get().to_string().into()],
        CustomValue::Decimal(number) => vec![number.to_string().into()],
        CustomValue::Date(date) => vec![date.to_string().into()],
        CustomValue::Boolean(_) => Vec::new(),
    }
}
