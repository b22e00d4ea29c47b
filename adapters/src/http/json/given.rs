//! Custom fields in requests: an object whose values keep their JSON types until the definitions are known.

use std::borrow::Cow;

use patron_domain::custom_field::{GivenFields, GivenValue};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess},
};
use serde_json::value::RawValue;

use super::field::{Field, FromJson};

/// The custom fields of a request. The last value of a repeated key counts.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Given(pub(crate) GivenFields);

impl<'de> FromJson<'de> for Given {
    const EXPECTED: &'static str = "an object";

    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Option<Self>, A::Error> {
        let mut fields = Vec::new();
        while let Some((key, One(value))) = map.next_entry::<String, One>()? {
            fields.push((key, value));
        }
        Ok(Some(Self(fields.into_iter().collect())))
    }
}

/// A value. Numbers are kept exactly, without floating point.
struct One(GivenValue);

impl<'de> Deserialize<'de> for One {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?.get();
        Ok(Self(match raw.as_bytes().first() {
            Some(b'"') => GivenValue::Text(serde_json::from_str(raw).map_err(D::Error::custom)?),
            Some(b'-' | b'0'..=b'9') => GivenValue::Number(raw.to_owned()),
            Some(b't') => GivenValue::Boolean(true),
            Some(b'f') => GivenValue::Boolean(false),
            Some(b'[') => {
                let list: Vec<Field<Cow<'_, str>>> = serde_json::from_str(raw).map_err(D::Error::custom)?;
                let text = |element| match element {
                    Field::Value(text) => Some(Cow::into_owned(text)),
                    Field::Absent | Field::Wrong(_) => None,
                };
                GivenValue::List(list.into_iter().map(text).collect())
            }
            Some(b'{') => GivenValue::Object,
            _ => GivenValue::Null,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_types_and_digits() {
        let json =
            r#"{"a":"\u00e4","b":12345678901234567890.5,"c":true,"d":["x",1,null],"e":{"f":1},"g":null,"a":"b"}"#;
        let Ok(Field::Value(Given(fields))) = serde_json::from_str(json) else { panic!("no object") };
        let wanted = [
            ("a", GivenValue::Text("b".to_owned())),
            ("b", GivenValue::Number("12345678901234567890.5".to_owned())),
            ("c", GivenValue::Boolean(true)),
            ("d", GivenValue::List(vec![Some("x".to_owned()), None, None])),
            ("e", GivenValue::Object),
            ("g", GivenValue::Null),
        ];
        assert_eq!(fields, wanted.map(|(key, value)| (key.to_owned(), value)).into_iter().collect());
        assert!(matches!(serde_json::from_str::<Field<Given>>("[]"), Ok(Field::Wrong("an object"))));
    }
}
