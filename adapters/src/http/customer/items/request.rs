//! The items of a customer, in requests. One struct serves create, `PUT`, and the routes of single items.

use patron_domain::{
    customer::{
        CertificateNumber, ContactDepartment, ContactDesignation, ContactMobile, ContactPerson, ContactPersonUpdate,
        ContactRole, CountryCode, DocumentUrl, Email, ExemptionNote, ExemptionReason, FirstName, ItemKind, ItemsChange,
        LastName, Limits, Listed, Locale, NewItem, NewItems, Salutation, State, TaxExemption, TaxExemptionUpdate,
        TaxId, TaxIdType, TaxIdUpdate, TextList,
    },
    ids::{ContactPersonId, Id, TaxExemptionId, TaxIdId},
    tax::TaxRateCode,
    time::Timestamp,
    violation::Rule,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::parts_request::most;
use crate::http::{
    json::{Elements, Field, List, Null, Object, Reader, Stated, Statement, Text, object_from_json},
    openapi::{given_any_object, optional, or_null, values},
};

/// An item of a request.
pub(in crate::http::customer) trait ItemRequest<T: ItemKind> {
    /// The id that it names, if any.
    fn id(&mut self, fields: &mut Reader<'_>) -> Option<Id<T::Id>>;

    /// A new item; `None` if it is invalid, which is noted.
    fn into_value(self, fields: &mut Reader<'_>) -> Option<T>;

    /// A change of an existing item.
    fn into_update(self, fields: &mut Reader<'_>) -> T::Update;
}

/// The list of a create; `null` counts as absent.
pub(in crate::http::customer) fn items<T: ItemKind, R: ItemRequest<T>>(
    fields: &mut Reader<'_>,
    given: Field<List<R>>,
) -> Option<NewItems<T>> {
    let list = fields.take(T::NAME, given)?;
    let read = |mut request: R, fields: &mut Reader<'_>| {
        let id = request.id(fields);
        Some(NewItem { id, value: request.into_value(fields)? })
    };
    let Elements { valid, .. } = fields.each(T::NAME, list, read, "an object");
    fields.group(NewItems::at_places(valid))
}

/// The list of an update, which replaces the present one.
pub(in crate::http::customer) fn items_change<T: ItemKind, R: ItemRequest<T>>(
    fields: &mut Reader<'_>,
    stated: Stated<List<R>>,
    null: Null,
) -> ItemsChange<T> {
    match fields.stated(T::NAME, stated, null) {
        Statement::Nothing => ItemsChange::Keep,
        Statement::Clear => ItemsChange::Replace(NewItems::default()),
        Statement::Value(list) => items(fields, Field::Value(list)).map_or(ItemsChange::Keep, ItemsChange::Replace),
    }
}

/// A required text. An update may leave it out, but not clear it.
fn needed<'t, T, E: Rule>(
    fields: &mut Reader<'_>,
    name: &str,
    stated: Stated<Text<'t>>,
    check: impl FnOnce(Text<'t>) -> Result<T, E>,
) -> Option<T> {
    fields.required(name, stated.into_field(), check)
}

/// A list of texts that is replaced whole; `null` empties it.
fn texts<'t, T: Listed, E: Rule>(
    fields: &mut Reader<'_>,
    stated: Stated<List<Text<'t>>>,
    check: impl Fn(Text<'t>) -> Result<T, E>,
) -> Option<TextList<T>> {
    match fields.stated(T::NAME, stated, Null::Clears) {
        Statement::Nothing => None,
        Statement::Clear => Some(TextList::default()),
        Statement::Value(list) => {
            let Elements { count, valid } = fields.checked_texts(T::NAME, list, check);
            fields.group_here(TextList::at_places(count, valid))
        }
    }
}

macro_rules! person_request {
    ($($field:ident: $type:ident, $says:literal;)+) => {
        /// A contact person of a customer.
        #[derive(Default, Deserialize, ToSchema)]
        #[serde(default, bound(deserialize = "'de: 'a"))]
        pub(in crate::http::customer) struct ContactPersonRequest<'a> {
            #[schema(schema_with = or_null::<ContactPersonId>)]
            id: Stated<Text<'a>>,
            #[schema(schema_with = or_null::<FirstName>)]
            first_name: Stated<Text<'a>>,
            $(
                #[schema(schema_with = optional::<$type>)]
                $field: Stated<Text<'a>>,
            )+
            #[schema(schema_with = optional::<bool>)]
            is_primary: Stated<bool>,
            #[schema(schema_with = values::<ContactRole, { MAX_ROLES }>)]
            roles: Stated<List<Text<'a>>>,
        }

        impl ItemRequest<ContactPerson> for ContactPersonRequest<'_> {
            fn id(&mut self, fields: &mut Reader<'_>) -> Option<ContactPersonId> {
                let id = std::mem::take(&mut self.id).into_field();
                fields.optional("id", id, |text| ContactPersonId::parse(&text))
            }

            fn into_value(mut self, fields: &mut Reader<'_>) -> Option<ContactPerson> {
                let first_name = needed(fields, "first_name", std::mem::take(&mut self.first_name), FirstName::new);
                let update = self.into_update(fields);
                let mut person = ContactPerson::new(first_name?);
                // A person has no rules beyond those of its members, and does not depend on the time.
                fields.group_here(person.update(update, Timestamp::UNIX_EPOCH))?;
                Some(person)
            }

            fn into_update(self, fields: &mut Reader<'_>) -> ContactPersonUpdate {
                ContactPersonUpdate {
                    first_name: fields.replacement("first_name", self.first_name, Null::Clears, FirstName::new),
                    $($field: fields.patch(stringify!($field), self.$field, Null::Clears, $type::new),)+
                    is_primary: flag(fields, "is_primary", self.is_primary),
                    roles: texts(fields, self.roles, ContactRole::new),
                }
            }
        }
    };
}

/// The maximum number of roles.
const MAX_ROLES: usize = most::<ContactRole>();

patron_domain::contact_person_texts!(person_request);

object_from_json!(ContactPersonRequest<'a>);

/// A tax id of a customer.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(in crate::http::customer) struct TaxIdRequest<'a> {
    #[schema(schema_with = or_null::<TaxIdId>)]
    id: Stated<Text<'a>>,
    #[schema(schema_with = or_null::<TaxIdType>)]
    r#type: Stated<Text<'a>>,
    #[schema(schema_with = or_null::<TaxId>)]
    value: Stated<Text<'a>>,
    /// Accepts the value even if its format or check digit is wrong.
    #[schema(schema_with = optional::<bool>)]
    unchecked: Stated<bool>,
    /// Ignored, so that a client can send back a response.
    #[schema(schema_with = or_null::<CountryCode>)]
    country: Field<Text<'a>>,
    /// Ignored, so that a client can send back a response.
    #[schema(schema_with = given_any_object)]
    verification: Field<Object>,
}

impl ItemRequest<TaxId> for TaxIdRequest<'_> {
    fn id(&mut self, fields: &mut Reader<'_>) -> Option<TaxIdId> {
        let id = std::mem::take(&mut self.id).into_field();
        fields.optional("id", id, |text| TaxIdId::parse(&text))
    }

    fn into_value(self, fields: &mut Reader<'_>) -> Option<TaxId> {
        let _ = (self.country, self.verification);
        let tax_id_type = needed(fields, "type", self.r#type, TaxIdType::new);
        let value = needed(fields, "value", self.value, any);
        let unchecked = flag(fields, "unchecked", self.unchecked).unwrap_or_default();
        fields.check("value", TaxId::new(tax_id_type?, value?, unchecked))
    }

    fn into_update(self, fields: &mut Reader<'_>) -> TaxIdUpdate {
        TaxIdUpdate {
            tax_id_type: fields.replacement("type", self.r#type, Null::Clears, TaxIdType::new),
            value: fields.replacement("value", self.value, Null::Clears, any),
            unchecked: flag(fields, "unchecked", self.unchecked),
        }
    }
}

object_from_json!(TaxIdRequest<'a>);

/// A text that is checked together with others.
fn any(text: Text<'_>) -> Result<String, patron_domain::UnknownWord> {
    Ok(text.into_owned())
}

macro_rules! exemption_request {
    ($($field:ident: $type:ident, $says:literal;)+) => {
        /// A tax exemption of a customer.
        #[derive(Default, Deserialize, ToSchema)]
        #[serde(default, bound(deserialize = "'de: 'a"))]
        pub(in crate::http::customer) struct TaxExemptionRequest<'a> {
            #[schema(schema_with = or_null::<TaxExemptionId>)]
            id: Stated<Text<'a>>,
            #[schema(schema_with = or_null::<ExemptionReason>)]
            reason: Stated<Text<'a>>,
            $(
                #[schema(schema_with = optional::<$type>)]
                $field: Stated<Text<'a>>,
            )+
            #[schema(schema_with = values::<TaxRateCode, { MAX_CODES }>)]
            tax_rate_codes: Stated<List<Text<'a>>>,
            #[schema(schema_with = optional::<Timestamp>)]
            starts_at: Stated<Text<'a>>,
            #[schema(schema_with = optional::<Timestamp>)]
            ends_at: Stated<Text<'a>>,
        }

        impl ItemRequest<TaxExemption> for TaxExemptionRequest<'_> {
            fn id(&mut self, fields: &mut Reader<'_>) -> Option<TaxExemptionId> {
                let id = std::mem::take(&mut self.id).into_field();
                fields.optional("id", id, |text| TaxExemptionId::parse(&text))
            }

            fn into_value(self, fields: &mut Reader<'_>) -> Option<TaxExemption> {
                let reason = needed(fields, "reason", self.reason, ExemptionReason::new);
                let exemption = TaxExemption {
                    $($field: fields.optional(stringify!($field), self.$field.into_field(), $type::new),)+
                    tax_rate_codes: texts(fields, self.tax_rate_codes, TaxRateCode::new).unwrap_or_default(),
                    starts_at: fields.optional("starts_at", self.starts_at.into_field(), |at| Timestamp::parse(&at)),
                    ends_at: fields.optional("ends_at", self.ends_at.into_field(), |at| Timestamp::parse(&at)),
                    ..TaxExemption::new(reason?)
                };
                fields.group_here(exemption.check_term())?;
                Some(exemption)
            }

            fn into_update(self, fields: &mut Reader<'_>) -> TaxExemptionUpdate {
                TaxExemptionUpdate {
                    reason: fields.replacement("reason", self.reason, Null::Clears, ExemptionReason::new),
                    $($field: fields.patch(stringify!($field), self.$field, Null::Clears, $type::new),)+
                    tax_rate_codes: texts(fields, self.tax_rate_codes, TaxRateCode::new),
                    starts_at: fields.patch("starts_at", self.starts_at, Null::Clears, |at| Timestamp::parse(&at)),
                    ends_at: fields.patch("ends_at", self.ends_at, Null::Clears, |at| Timestamp::parse(&at)),
                }
            }
        }
    };
}

/// The codes of the tax rates that exemptions name, each with its path.
pub(in crate::http::customer) fn exempt_rate_codes(
    given: &Field<List<TaxExemptionRequest<'_>>>,
) -> Vec<(String, String)> {
    let Field::Value(list) = given else { return Vec::new() };
    let mut codes = Vec::new();
    for (index, element) in list.elements.iter().enumerate().take(Limits::TAX_EXEMPTIONS) {
        let Field::Value(exemption) = element else { continue };
        let Some(Field::Value(named)) = exemption.tax_rate_codes.as_field() else { continue };
        for (place, code) in named.elements.iter().enumerate().take(MAX_CODES) {
            if let Field::Value(code) = code {
                codes.push((format!("tax_exemptions[{index}].tax_rate_codes[{place}]"), code.clone().into_owned()));
            }
        }
    }
    codes
}

/// The maximum number of codes of tax rates.
const MAX_CODES: usize = most::<TaxRateCode>();

patron_domain::tax_exemption_texts!(exemption_request);

object_from_json!(TaxExemptionRequest<'a>);

/// A flag; `null` turns it off.
fn flag(fields: &mut Reader<'_>, name: &str, stated: Stated<bool>) -> Option<bool> {
    match fields.stated(name, stated, Null::Clears) {
        Statement::Nothing => None,
        Statement::Clear => Some(false),
        Statement::Value(value) => Some(value),
    }
}
