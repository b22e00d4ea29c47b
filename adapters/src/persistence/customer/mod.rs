//! Customers: rows, statements, searching, and the transaction of every change.

mod batch;
pub(crate) mod change;
mod facts;
mod find;
mod port;
pub(crate) mod row;
pub(crate) mod search;
pub(crate) mod statements;
pub(crate) mod tokens;
pub(crate) mod totals;
pub(crate) mod within;
