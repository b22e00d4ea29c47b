//! Customers: rows, statements, searching, and the transaction of every change.

mod batch;
pub(crate) mod change;
mod facts;
mod port;
pub(crate) mod row;
pub(crate) mod search;
pub(crate) mod statements;
pub(crate) mod within;
