//! Warnings about the write of a request.

use patron_domain::{advice::Warning, report::ObjectState};
use rocket::Request;

use super::Asked;
use crate::http::{Api, json::Unknown, noted::Noted};

/// The rule of a member that the request's route does not know.
const UNKNOWN_FIELD: &str = "unknown_field";

/// All warnings: about the body, and about what was written.
pub(super) async fn warnings(request: &Request<'_>, api: &Api, asked: &Asked) -> Vec<Warning> {
    let mut found: Vec<_> = Noted::of(request).unknown_members().iter().map(unknown).collect();
    let Some(caller) = asked.caller.get() else { return found };
    let written = asked.report.written();
    let of_customers = written.objects.iter().any(|change| matches!(change.after, Some(ObjectState::Customer(_))));
    if !of_customers {
        return found;
    }
    match api.customers.warnings(caller, &written).await {
        Ok(warnings) => found.extend(warnings),
        // The write is done. Its response must not fail because of advice.
        Err(error) => tracing::warn!(%error, "the look-up of possible duplicates failed"),
    }
    found
}

fn unknown(Unknown { path, nearest }: &Unknown) -> Warning {
    let message = match nearest {
        Some(name) => format!("there is no such field here, so it was ignored; did you mean {name}?"),
        None => "there is no such field here, so it was ignored".to_owned(),
    };
    Warning::new(path.clone(), UNKNOWN_FIELD, message)
}
