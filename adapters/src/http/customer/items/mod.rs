//! The items of a customer over HTTP: as lists within a customer, and one by one.

mod recipients;
pub(super) mod request;
pub(super) mod response;
mod routes;

pub(super) use self::routes::{documents, routes};
