//! Warnings about requests that were accepted although something in them will probably not work.

use patron_domain::violation::Rule;
use serde::Serialize;
use utoipa::ToSchema;

/// One warning: its place in the request or response, its rule, and advice.
#[derive(Serialize, ToSchema)]
pub(crate) struct Warning {
    path: String,
    rule: &'static str,
    message: String,
}

impl From<patron_domain::advice::Warning> for Warning {
    fn from(warning: patron_domain::advice::Warning) -> Self {
        let patron_domain::advice::Warning { path, rule, message } = warning;
        Self { path, rule, message }
    }
}

impl Warning {
    /// A warning about the value at a path.
    pub(crate) fn new(path: impl Into<String>, found: &impl Rule, message: String) -> Self {
        Self { path: path.into(), rule: found.rule(), message }
    }
}
