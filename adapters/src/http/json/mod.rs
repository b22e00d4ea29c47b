//! JSON bodies: read leniently, so that wrong types are told together with broken rules.

mod field;
mod nul;
mod parse;

pub(crate) use field::{Decimal, Field, FromJson, List, Object, Reader, Strings, Text, found_map};
pub(crate) use parse::parse;
