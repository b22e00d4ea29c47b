//! Webhook endpoints and deliveries: rows and queries.

pub(crate) mod delivery_row;
pub(crate) mod endpoint_row;
pub(crate) mod queries;
