//! JSON bodies: read leniently, so that wrong types are told together with broken rules.

mod field;
mod nul;
mod parse;
mod stated;

pub(crate) use field::{Decimal, Elements, Field, FromJson, List, Number, Object, Reader, Strings, Text, found_map};
pub(crate) use parse::parse;
pub(crate) use stated::{Null, Stated, Statement};
