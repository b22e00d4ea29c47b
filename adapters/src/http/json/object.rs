//! A JSON object of any content, read only up to its maximum size.

use std::fmt;

use patron_domain::metadata::{JsonObject, JsonObjectError};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::field::FromJson;

/// Any object. Nothing is kept of one that is larger than metadata may be: a tree of values takes up to a hundred times
/// the memory of its text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Object(Option<Map<String, Value>>);

impl Object {
    /// Checks the object as the metadata of a link.
    pub(crate) fn into_metadata(self) -> Result<JsonObject, JsonObjectError> {
        self.0.ok_or(JsonObjectError::TooLarge).and_then(JsonObject::new)
    }
}

impl<'de> FromJson<'de> for Object {
    const EXPECTED: &'static str = "an object";

    fn from_map<A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
        let mut room = Room(JsonObject::MAX_BYTES);
        let members = members(map, &mut room)?;
        Ok(Some(Self((!room.is_over()).then_some(members))))
    }
}

/// The bytes of compact JSON that are left.
struct Room(usize);

impl Room {
    /// Takes the least number of bytes that a value needs. Escapes and the digits of numbers may need more.
    fn take(&mut self, bytes: usize) {
        // The remainder is never exactly zero, because the outermost braces are not counted.
        self.0 = self.0.saturating_sub(bytes);
    }

    fn is_over(&self) -> bool {
        self.0 == 0
    }
}

fn members<'de, A: MapAccess<'de>>(mut map: A, room: &mut Room) -> Result<Map<String, Value>, A::Error> {
    let mut members = Map::new();
    while !room.is_over()
        && let Some(key) = map.next_key::<String>()?
    {
        room.take("\"\":".len() + key.len());
        let value = map.next_value_seed(AnyValue(room))?;
        members.insert(key, value);
    }
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(members)
}

struct AnyValue<'r>(&'r mut Room);

impl AnyValue<'_> {
    fn scalar(self, value: Value, bytes: usize) -> Value {
        self.0.take(bytes);
        value
    }
}

impl<'de> DeserializeSeed<'de> for AnyValue<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnyValue<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(self.scalar(Value::Null, "null".len()))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(self.scalar(Value::Bool(value), "true".len()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(self.scalar(value.into(), 1))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(self.scalar(value.into(), 1))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(self.scalar(Number::from_f64(value).map_or(Value::Null, Value::Number), 1))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(self.scalar(text.into(), "\"\"".len() + text.len()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        self.0.take("[]".len());
        while !self.0.is_over()
            && let Some(item) = list.next_element_seed(AnyValue(self.0))?
        {
            items.push(item);
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        self.0.take("{}".len());
        members(map, self.0).map(Value::Object)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::Field, *};

    fn read(json: &str) -> Object {
        match serde_json::from_str(json) {
            Ok(Field::Value(object)) => object,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_object_is_kept_unchanged_up_to_its_limit() {
        let of_bytes = |bytes: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(bytes - r#"{"a":""}"#.len()));
        let fits = of_bytes(JsonObject::MAX_BYTES);
        assert_eq!(read(&fits).into_metadata().unwrap().to_json(), fits);
        assert_eq!(read(&of_bytes(JsonObject::MAX_BYTES + 1)).into_metadata(), Err(JsonObjectError::TooLarge));
    }

    #[test]
    fn a_larger_object_is_not_kept_and_its_rest_is_skipped() {
        for small in ["[]", "{}", "[[]]", r#"{"":{"":0}}"#, "null", "-1.5e300", r#""\u0041""#] {
            let json = format!(r#"{{"a":[{small}{}],"b":{{}}}}"#, format!(",{small}").repeat(70_000));
            assert_eq!(read(&json), Object(None), "{small}");
        }
    }

    proptest! {
        #[test]
        fn a_small_object_is_read_like_any_value(
            text in r#"\{"[a-c]":(\[((null|true|-?[1-9][0-9]{0,18}|[0-9]\.[0-9]{1,3}e[0-9]|"[a-z\u{e4}\u{1f980}]{0,3}"|\{"k":\[\]\}),){0,5}0\])\}"#
        ) {
            prop_assert_eq!(read(&text).0.map(Value::Object), serde_json::from_str::<Value>(&text).ok(), "{}", text);
        }
    }
}
