//! Onboarding workflows and runs: rows and queries.

pub(crate) mod queries;
pub(crate) mod run_row;
pub(crate) mod step_json;
pub(crate) mod workflow_row;
