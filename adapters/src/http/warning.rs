//! Warnings: the request was accepted, but something in it will probably not work.

use patron_domain::violation::Rule;
use serde::Serialize;
use utoipa::ToSchema;

/// One warning: where in the request or answer, by which rule, and what helps.
#[derive(Serialize, ToSchema)]
pub(crate) struct Warning {
    path: &'static str,
    rule: &'static str,
    message: String,
}

impl Warning {
    /// A warning of what a rule found at a path.
    pub(crate) fn new(path: &'static str, found: &impl Rule) -> Self {
        Self { path, rule: found.rule(), message: found.to_string() }
    }
}
