//! Onboarding: how a call is made, and what keeps taking steps.

mod caller;
mod driver;

pub use driver::{Stop, drive};
