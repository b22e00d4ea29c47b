//! JSON bodies: read leniently, so that wrong types are told together with broken rules.

mod field;
mod kinds;
mod nul;
mod parse;
mod reader;
mod stated;

pub(crate) use field::{Field, FromJson};
pub(crate) use kinds::{Decimal, List, Number, Object, Strings, Text, found_map};
pub(crate) use parse::parse;
pub(crate) use reader::{Elements, Reader};
pub(crate) use stated::{Null, Stated, Statement};
