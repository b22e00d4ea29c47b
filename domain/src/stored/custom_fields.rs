//! The custom fields of a customer: their values as in the API, and their sort keys, from which the types follow.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, SeqAccess},
};

use crate::{
    custom_field::{
        CustomDate, CustomDecimal, CustomFieldKey, CustomFields, CustomInteger, CustomText, CustomValue, SortKey,
    },
    customer::query::Folded,
};

/// The values by their keys.
pub(super) enum CustomFieldsForm<'a> {
    Written(&'a CustomFields),
    Read(BTreeMap<String, Value>),
}

/// A value by its JSON type.
pub(super) enum Value {
    Text(String),
    Number(i64),
    Boolean(bool),
    Texts(Vec<String>),
}

/// The sort keys by their keys.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct SortKeysForm(BTreeMap<String, String>);

impl<'a> CustomFieldsForm<'a> {
    pub(super) fn of(fields: &'a CustomFields) -> Option<Self> {
        (!fields.is_empty()).then_some(Self::Written(fields))
    }
}

impl SortKeysForm {
    pub(super) fn of(fields: &CustomFields) -> Option<Self> {
        let key = |(key, value): (CustomFieldKey, &CustomValue)| {
            let is_plain = match value {
                CustomValue::Text(text) => Folded::new(text.as_str()).as_str() == text.as_str().to_ascii_lowercase(),
                _ => false,
            };
            (!is_plain).then(|| (key.to_string(), value.sort_key()))
        };
        let keys: BTreeMap<_, _> = fields.iter().filter_map(key).collect();
        (!keys.is_empty()).then_some(Self(keys))
    }
}

/// The fields.
pub(super) fn custom_fields(
    form: Option<CustomFieldsForm<'_>>,
    sort_keys: Option<SortKeysForm>,
) -> Result<CustomFields, &'static str> {
    const MEMBER: &str = "custom_fields";
    let values = match form {
        None => return Ok(CustomFields::default()),
        Some(CustomFieldsForm::Written(fields)) => return Ok(fields.clone()),
        Some(CustomFieldsForm::Read(values)) => values,
    };
    let kinds = sort_keys.map(|keys| keys.0).unwrap_or_default();
    let text = |text: String| CustomText::from_stored(text).map_err(|_| MEMBER);
    let field = |(key, value): (String, Value)| {
        let kind = kinds.get(&key).and_then(|sort_key| sort_key.chars().next()).unwrap_or(SortKey::TEXT);
        let value = match (value, kind) {
            (Value::Text(number), SortKey::NUMBER) => {
                CustomDecimal::new(&number).map(CustomValue::Decimal).map_err(|_| MEMBER)?
            }
            (Value::Text(date), SortKey::DATE) => CustomDate::new(&date).map(CustomValue::Date).map_err(|_| MEMBER)?,
            (Value::Text(one), _) => CustomValue::Text(text(one)?),
            (Value::Number(number), _) => CustomInteger::new(number).map(CustomValue::Integer).map_err(|_| MEMBER)?,
            (Value::Boolean(value), _) => CustomValue::Boolean(value),
            (Value::Texts(all), _) => CustomValue::Texts(all.into_iter().map(text).collect::<Result<_, _>>()?),
        };
        Ok((CustomFieldKey::new(key).map_err(|_| MEMBER)?, value))
    };
    values.into_iter().map(field).collect()
}

impl Serialize for CustomFieldsForm<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        /// A value in its JSON form.
        struct Written<'a>(&'a CustomValue);

        impl Serialize for Written<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.write(serializer)
            }
        }

        match self {
            Self::Written(fields) => {
                let fields: BTreeMap<_, _> =
                    fields.iter().map(|(key, value)| (key.to_string(), Written(value))).collect();
                serializer.collect_map(fields)
            }
            // A form that was read is not written.
            Self::Read(_) => serializer.collect_map(BTreeMap::<&str, &str>::new()),
        }
    }
}

impl<'de> Deserialize<'de> for CustomFieldsForm<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(Self::Read)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyOf;

        impl<'de> de::Visitor<'de> for AnyOf {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a whole number, a boolean or a list of texts")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Text(text.to_owned()))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Value, E> {
                Ok(Value::Number(number))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Value, E> {
                i64::try_from(number).map(Value::Number).map_err(|_| E::custom("the number is too large"))
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
                Ok(Value::Boolean(value))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = list.next_element::<Cow<'_, str>>()? {
                    texts.push(text.into_owned());
                }
                Ok(Value::Texts(texts))
            }
        }

        deserializer.deserialize_any(AnyOf)
    }
}
