//! Webhook endpoints and deliveries.

mod port;
mod relay;
mod reseal;
pub(crate) mod row;
pub(crate) mod statements;
