//! Onboarding workflows and runs.

mod port;
pub(crate) mod row;
pub(crate) mod statements;
