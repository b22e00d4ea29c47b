//! `POST /v1/customers` and look-ups of the new customers, over both databases.

mod external_id;
mod fields;
mod refusals;
