//! JSON bodies: read leniently, so that wrong types and broken rules are reported together.

mod field;
mod kinds;
mod nul;
mod object;
mod parse;
mod reader;
mod reason;
mod stated;
mod unknown;

pub(crate) use field::{Field, FromJson};
pub(crate) use kinds::{Decimal, List, Number, Strings, Text};
pub(crate) use object::Object;
pub(crate) use parse::{Examined, examine, parse};
pub(crate) use reader::{Elements, Reader};
pub(crate) use stated::{Null, Stated, Statement};
pub(crate) use unknown::found_map;
