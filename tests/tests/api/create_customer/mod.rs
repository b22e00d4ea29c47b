//! `POST /v1/customers` and the look-ups of what it made, over both databases.

mod external_id;
mod fields;
mod refusals;
