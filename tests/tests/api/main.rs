//! What the server answers over HTTP.

mod create_customer;
mod errors;
mod events;
mod idempotency;
mod isolation;
mod lifecycle;
mod list_customers;
mod metrics;
mod onboarding;
mod once;
mod openapi;
mod same_answers;
mod search_customers;
mod taxes;
mod tenancy;
mod webhooks;
