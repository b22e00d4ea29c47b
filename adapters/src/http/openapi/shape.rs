//! JSON Schemas of values: the only place that converts the rules of the domain's types.
//!
//! Limits come from the constants that the domain checks, and words from the lists that it parses. Nothing is repeated
//! here, so the document always matches the code.

use patron_domain::metadata::Metadata;
use serde_json::{Value, json};
use utoipa::{
    PartialSchema,
    openapi::{
        ArrayBuilder, ObjectBuilder, OneOfBuilder, RefOr, Schema, SchemaFormat,
        schema::{AdditionalProperties, SchemaType, Type},
    },
};

/// The schema of a value. Everything except the types and the example is optional.
#[derive(Default)]
pub(crate) struct Look {
    /// The accepted JSON types.
    pub(crate) kinds: Vec<Type>,
    pub(crate) format: Option<&'static str>,
    /// A regular expression for the whole value, without `^` and `$`.
    pub(crate) pattern: Option<String>,
    /// The smallest and the largest number of characters.
    pub(crate) chars: Option<(usize, usize)>,
    /// The smallest and the largest number.
    pub(crate) range: Option<(i64, i64)>,
    /// The only values.
    pub(crate) words: Option<Vec<&'static str>>,
    pub(crate) says: String,
    pub(crate) example: Value,
}

/// A type of the domain in requests or responses.
pub(crate) trait Shape {
    /// The schema of its values.
    fn look() -> Look;
}

/// Declares the schemas of texts with a bounded length, each with a description and an example.
macro_rules! texts {
    ($($name:ident: $says:literal, $example:literal;)*) => {$(
        impl $crate::http::openapi::Shape for $name {
            fn look() -> $crate::http::openapi::Look {
                $crate::http::openapi::Look::text($name::MAX_CHARS, $says, $example)
            }
        }
    )*};
}

/// Declares the schemas of types with a fixed set of words, each with a description.
macro_rules! words {
    ($($name:ident: $says:literal;)*) => {$(
        impl $crate::http::openapi::Shape for $name {
            fn look() -> $crate::http::openapi::Look {
                $crate::http::openapi::Look::words($name::ALL.iter().map(|one| one.as_str()), $says)
            }
        }
    )*};
}

pub(crate) use {texts, words};

/// Exactly a value of the type.
pub(crate) fn exactly<T: Shape + ?Sized>() -> RefOr<Schema> {
    T::look().schema(false, false)
}

/// In a request: a value or `null`, or an empty text if the value is text. The latter two count as absent.
pub(crate) fn optional<T: Shape + ?Sized>() -> RefOr<Schema> {
    T::look().schema(true, true)
}

/// In a response: a value, or an empty text if it is absent.
pub(crate) fn or_empty<T: Shape>() -> RefOr<Schema> {
    T::look().schema(true, false)
}

/// In an update: a value or `null`, but no empty text.
pub(crate) fn or_null<T: Shape>() -> RefOr<Schema> {
    T::look().schema(false, true)
}

/// An array of at most so many values, or `null`.
pub(crate) fn values<T: Shape + ?Sized, const MAX: usize>() -> RefOr<Schema> {
    array(exactly::<T>(), MAX)
}

/// An array of at most `MAX` objects, or `null`.
pub(crate) fn objects<T: PartialSchema, const MAX: usize>() -> RefOr<Schema> {
    array(T::schema(), MAX)
}

/// An object, or `null`.
pub(crate) fn object_or_null<T: PartialSchema>() -> RefOr<Schema> {
    match T::schema() {
        RefOr::T(Schema::Object(mut object)) => {
            object.schema_type = SchemaType::from_iter([Type::Object, Type::Null]);
            object.into()
        }
        other => other,
    }
}

/// An array of values.
pub(crate) fn all<T: Shape>() -> RefOr<Schema> {
    ArrayBuilder::new().items(exactly::<T>()).into()
}

/// An array of values, or `null`.
pub(crate) fn given_all<T: Shape>() -> RefOr<Schema> {
    ArrayBuilder::new().schema_type(SchemaType::from_iter([Type::Array, Type::Null])).items(exactly::<T>()).into()
}

/// An object with exactly one of these members.
pub(crate) fn one_of<const N: usize>(members: [(&'static str, RefOr<Schema>); N]) -> RefOr<Schema> {
    let object = |(name, schema)| ObjectBuilder::new().schema_type(Type::Object).property(name, schema).required(name);
    let says = "Exactly one of the members.";
    members.into_iter().map(object).fold(OneOfBuilder::new().description(Some(says)), OneOfBuilder::item).into()
}

fn array(items: RefOr<Schema>, max: usize) -> RefOr<Schema> {
    let kinds = SchemaType::from_iter([Type::Array, Type::Null]);
    ArrayBuilder::new().schema_type(kinds).items(items).max_items(Some(max)).into()
}

impl Look {
    /// A text of 1 to `max_chars` characters.
    pub(crate) fn text(max_chars: usize, says: &str, example: &str) -> Self {
        let (chars, says) = (Some((1, max_chars)), says.to_owned());
        Self { kinds: vec![Type::String], chars, says, example: json!(example), ..Self::default() }
    }

    /// A text that matches a regular expression as a whole.
    pub(crate) fn matching(pattern: impl Into<String>, says: &str, example: impl Into<Value>) -> Self {
        let (pattern, says, example) = (Some(pattern.into()), says.to_owned(), example.into());
        Self { kinds: vec![Type::String], pattern, says, example, ..Self::default() }
    }

    /// An integer from the smallest to the largest number.
    pub(crate) fn integer(range: (i64, i64), says: impl Into<String>, example: impl Into<Value>) -> Self {
        let (range, says, example) = (Some(range), says.into(), example.into());
        Self { kinds: vec![Type::Integer], range, says, example, ..Self::default() }
    }

    /// One of some words.
    pub(crate) fn words(words: impl IntoIterator<Item = &'static str>, says: &str) -> Self {
        let words: Vec<_> = words.into_iter().collect();
        let example = words.first().map_or(Value::Null, |word| json!(word));
        Self { kinds: vec![Type::String], words: Some(words), says: says.to_owned(), example, ..Self::default() }
    }

    fn schema(self, empty_too: bool, null_too: bool) -> RefOr<Schema> {
        let empty_too = empty_too && self.kinds.contains(&Type::String);
        let mut kinds = self.kinds;
        let mut words = self.words.map(|words| words.into_iter().map(Value::from).collect::<Vec<_>>());
        if let Some(words) = &mut words {
            words.extend(empty_too.then(|| json!("")));
            words.extend(null_too.then_some(Value::Null));
        }
        if null_too {
            kinds.push(Type::Null);
        }
        let pattern = self.pattern.map(|all| if empty_too { format!("^({all})?$") } else { format!("^{all}$") });
        ObjectBuilder::new()
            .schema_type(match kinds.as_slice() {
                [one] => SchemaType::Type(one.clone()),
                _ => SchemaType::from_iter(kinds),
            })
            .format(self.format.map(|format| SchemaFormat::Custom(format.to_owned())))
            .pattern(pattern)
            .min_length(self.chars.map(|(min, _)| min).filter(|min| *min > 0 && !empty_too))
            .max_length(self.chars.map(|(_, max)| max))
            .minimum(self.range.map(|(min, _)| min as f64))
            .maximum(self.range.map(|(_, max)| max as f64))
            .enum_values(words)
            .description((!self.says.is_empty()).then_some(self.says))
            .examples([self.example])
            .into()
    }
}

/// An object whose members are strings within the limits of metadata.
pub(crate) fn strings(max_keys: usize, max_key_chars: usize, max_chars: usize, null_too: bool) -> RefOr<Schema> {
    let kinds = |kind| if null_too { SchemaType::from_iter([kind, Type::Null]) } else { SchemaType::Type(kind) };
    let value = ObjectBuilder::new().schema_type(kinds(Type::String)).max_length(Some(max_chars)).build();
    let key = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(max_key_chars));
    ObjectBuilder::new()
        .schema_type(kinds(Type::Object))
        .property_names(Some(Schema::Object(key.build())))
        .additional_properties(Some(AdditionalProperties::from(RefOr::T(Schema::Object(value)))))
        .max_properties(Some(max_keys))
        .description(Some(format!(
            "Pairs of keys and values with any meaning to the client, at most {} bytes as JSON.",
            Metadata::MAX_BYTES
        )))
        .examples([json!({ "plan": "gold" })])
        .into()
}
