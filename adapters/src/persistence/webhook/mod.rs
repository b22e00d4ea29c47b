//! Webhook endpoints and deliveries.

mod port;
mod relay;
pub(crate) mod row;
pub(crate) mod statements;
