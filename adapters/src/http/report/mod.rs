//! Dry runs (`?dry_run=true`) and warnings about writes (`Prefer: return=warnings`).
//!
//! Both need to know what a write does. The guard of a caller that may write notes the requested report, and puts it
//! into the caller's scope. The store fills the report, and rolls a dry run back. The wrapper around all routes then builds the
//! response. Routes contain no code for either.

mod answer;
mod made_up;
mod shown;
mod warnings;

use std::sync::OnceLock;

use patron_domain::{
    report::WriteReport,
    tenancy::{Caller, Permission},
    violation::{Rule, Violations},
};
use rocket::{Request, http::Method};

pub(super) use self::answer::{answer, body_is_kept, schemas};
use super::{error::ApiError, import, noted::Noted, openapi::DRY_RUN_PARAMETER, query};

/// The value of the parameter is not a boolean.
#[derive(Debug, thiserror::Error)]
#[error("must be true or false")]
struct NoFlag;

impl Rule for NoFlag {
    fn rule(&self) -> &'static str {
        "one_of"
    }
}

/// The report that a request wants about its write; `None` without one.
#[derive(Default)]
pub(crate) struct RequestedReport(OnceLock<Option<ReportingWrite>>);

/// A write that reports what it does.
pub(super) struct ReportingWrite {
    report: WriteReport,
    /// Whether `dry_run` has a valid value. If not, the write is not done either.
    is_valid: bool,
    caller: OnceLock<Caller>,
}

impl RequestedReport {
    /// Notes the report that a request wants, for a route that needs a permission.
    pub(super) fn note<'r>(request: &'r Request<'_>, permission: Permission) -> Option<&'r ReportingWrite> {
        let may_write = !matches!(request.method(), Method::Get | Method::Head)
            && permission.is_to_write()
            && !has_its_own_dry_run(request);
        let noted = request.local_cache(Self::default);
        noted.0.get_or_init(|| if may_write { requested(request) } else { None }).as_ref()
    }

    /// The noted report of a request.
    pub(super) fn of<'r>(request: &'r Request<'_>) -> Option<&'r ReportingWrite> {
        request.local_cache(Self::default).0.get()?.as_ref()
    }

    /// Whether a write asks for a dry run, also before its caller is known. An invalid value counts as `true`.
    pub(super) fn wants_dry_run(request: &Request<'_>) -> bool {
        dry_run(request).unwrap_or(true)
    }
}

/// The value of `dry_run`, by default `false`.
fn dry_run(request: &Request<'_>) -> Result<bool, NoFlag> {
    match query::first(request, DRY_RUN_PARAMETER).as_deref() {
        None | Some("false" | "0") => Ok(false),
        Some("true" | "1") => Ok(true),
        Some(_) => Err(NoFlag),
    }
}

/// The dry run of an import is a job that ends before it writes.
fn has_its_own_dry_run(request: &Request<'_>) -> bool {
    request.route().and_then(|route| route.name.as_deref()) == Some(import::UPLOAD)
}

fn requested(request: &Request<'_>) -> Option<ReportingWrite> {
    let dry_run = dry_run(request);
    if let Err(fault) = &dry_run {
        Noted::of(request).fault(DRY_RUN_PARAMETER, fault);
    }
    let is_valid = dry_run.is_ok();
    let report = match (dry_run.unwrap_or(true), wants_warnings(request)) {
        (true, _) => WriteReport::of_dry_run(),
        (false, true) => WriteReport::of_write(),
        (false, false) => return None,
    };
    Some(ReportingWrite { report, is_valid, caller: OnceLock::new() })
}

/// Whether a request has `Prefer: return=warnings` (RFC 7240).
fn wants_warnings(request: &Request<'_>) -> bool {
    let preferences = request.headers().get("prefer").flat_map(|header| header.split(','));
    let mut names = preferences.map(|one| one.split(';').next().unwrap_or_default());
    names.any(|one| {
        let (name, value) = one.split_once('=').unwrap_or((one, ""));
        name.trim().eq_ignore_ascii_case("return") && value.trim().trim_matches('"') == "warnings"
    })
}

impl ReportingWrite {
    /// The same caller, whose write reports.
    pub(super) fn by(&self, caller: Caller) -> Caller {
        // The guards of one request find the same caller.
        let _ = self.caller.set(caller.clone());
        caller.reporting(self.report.clone())
    }

    pub(super) fn is_dry_run(&self) -> bool {
        self.report.is_dry_run()
    }

    /// The error for a value that is not a boolean.
    fn fault() -> ApiError {
        let mut broken = Violations::new();
        broken.add(DRY_RUN_PARAMETER, &NoFlag);
        broken.into()
    }
}
