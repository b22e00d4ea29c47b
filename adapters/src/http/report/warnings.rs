//! Warnings about the write of a request.

use patron_domain::{advice, report::ObjectState};
use rocket::Request;

use super::ReportingWrite;
use crate::http::{Api, json::Unknown, noted::Noted, warning::Warning};

/// The rule of a member that the request's route does not know.
const UNKNOWN_FIELD: &str = "unknown_field";

/// All warnings: about the body, and about what was written.
pub(super) async fn warnings(request: &Request<'_>, api: &Api, write: &ReportingWrite) -> Vec<Warning> {
    let mut found: Vec<_> = Noted::of(request).unknown_members().iter().map(unknown).collect();
    let Some(caller) = write.caller.get() else { return found };
    let written = write.report.written();
    let of_customers = written.objects.iter().any(|change| matches!(change.after, Some(ObjectState::Customer(_))));
    if !of_customers {
        return found;
    }
    match api.customers.warnings(caller, &written).await {
        Ok(warnings) => found.extend(warnings.into_iter().map(Warning::from)),
        // The write is done. Its response must not fail because of advice.
        Err(error) => tracing::warn!(%error, "the look-up of possible duplicates failed"),
    }
    found
}

fn unknown(Unknown { path, nearest }: &Unknown) -> Warning {
    let message = match nearest {
        Some(name) => format!("the field is unknown and was ignored; did you mean {name}?"),
        None => "the field is unknown and was ignored".to_owned(),
    };
    advice::Warning::new(path.clone(), UNKNOWN_FIELD, message).into()
}
