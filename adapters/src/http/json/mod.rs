//! JSON bodies: read leniently, so that wrong types and broken rules are reported together.

/// Reads requests from objects: structs that derive `Deserialize`, some with the lifetime of the body.
macro_rules! object_from_json {
    ($($request:ident $(<$life:lifetime>)?),+ $(,)?) => {$(
        impl<'de $(: $life, $life)?> $crate::http::json::FromJson<'de> for $request $(<$life>)? {
            const EXPECTED: &'static str = "an object";

            fn from_map<A: serde::de::MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
                $crate::http::json::found_map(map)
            }
        }
    )+};
}

pub(crate) use object_from_json;

mod field;
mod given;
mod kinds;
mod nul;
mod object;
mod parse;
mod reader;
mod reason;
mod stated;
mod unknown;

pub(crate) use field::{Field, FromJson};
pub(crate) use given::Given;
pub(crate) use kinds::{Decimal, List, Number, Strings, Text};
pub(crate) use object::Object;
pub(crate) use parse::{Examined, examine, examine_parts, parse};
pub(crate) use reader::{Elements, Reader};
pub(crate) use stated::{Null, Stated, Statement};
pub(crate) use unknown::{Unknown, found_map};
