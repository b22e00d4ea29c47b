//! What the server answers over HTTP.

mod audit;
mod bounds;
mod caches;
mod create_customer;
mod errors;
mod events;
mod headers;
mod idempotency;
mod isolation;
mod keys;
mod lifecycle;
mod list_customers;
mod lists;
mod metrics;
mod mistakes;
mod onboarding;
mod once;
mod openapi;
mod order;
mod preconditions;
mod restored;
mod same_answers;
mod search_customers;
mod taxes;
mod tenancy;
mod webhooks;
