//! Onboarding: the caller, and the driver that runs the steps.

mod caller;
mod driver;

pub use driver::{Stop, drive};
