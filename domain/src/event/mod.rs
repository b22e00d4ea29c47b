//! Events: what happened to a customer, written with the change itself.

mod customer;

pub use customer::{CustomerEvent, CustomerEventKind, CustomerField, Onboarding};
