//! The responses to dry runs, and warnings in the responses to real writes.

use patron_domain::{
    privacy::{Category, CategoryCount},
    report::OutgoingRequest,
};
use rocket::{Request, Response, http::Status};
use serde::Serialize;
use serde_json::{Value, value::RawValue};
use utoipa::{PartialSchema, ToSchema};

use super::{
    ReportingWrite, RequestedReport,
    made_up::made_up,
    shown::{EventSummary, differences},
    warnings::warnings,
};
use crate::http::{
    Api,
    answer::set_body,
    customer::ChangeResponse,
    error::ApiError,
    metrics::dry_run,
    openapi::{DRY_RUN_HEADER, DRY_RUN_SCHEMA, Named, any_value, exactly},
    warning::Warning,
    wrap::render,
};

/// What a write would do.
#[derive(Serialize, ToSchema)]
#[schema(as = DryRun)]
struct DryRunResponse<'a> {
    would: WouldResponse<'a>,
    /// What would change, in the order of the paths. A create lists everything that is set.
    changes: Vec<ChangeResponse>,
    /// The events that would be added to the log.
    events: Vec<EventSummary>,
    /// How many records of each category an erasure would redact.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    counts: Vec<WouldBeRedacted>,
    /// Advice about the request.
    warnings: Vec<Warning>,
}

/// The schemas of the responses to dry runs.
pub(in crate::http) fn schemas() -> Vec<Named> {
    let mut schemas = Vec::new();
    DryRunResponse::schemas(&mut schemas);
    schemas.push((DRY_RUN_SCHEMA.to_owned(), DryRunResponse::schema()));
    schemas
}

/// The response that the request would get.
#[derive(Serialize, ToSchema)]
#[schema(as = WouldBeResponse)]
struct WouldResponse<'a> {
    status: u16,
    /// `null` without a body.
    #[schema(schema_with = any_value)]
    body: Option<&'a RawValue>,
    /// The version, in quotes; `null` without one.
    #[schema(required = true)]
    etag: Option<&'a str>,
    /// The paths in the body of ids that exist nowhere. A real write gets others.
    made_up: Vec<String>,
    /// The requests that would be sent to other systems.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    requests: Vec<RequestResponse>,
}

/// The records of a category that an erasure would redact.
#[derive(Serialize, ToSchema)]
#[schema(as = WouldBeRedacted)]
struct WouldBeRedacted {
    #[schema(schema_with = exactly::<Category>)]
    category: Category,
    records: u64,
}

impl From<CategoryCount> for WouldBeRedacted {
    fn from(CategoryCount { category, redacted, .. }: CategoryCount) -> Self {
        Self { category, records: redacted }
    }
}

/// A request to another system.
#[derive(Serialize, ToSchema)]
#[schema(as = WouldBeRequest)]
struct RequestResponse {
    url: String,
    #[schema(schema_with = any_value)]
    body: Value,
}

impl From<OutgoingRequest> for RequestResponse {
    fn from(OutgoingRequest { url, body }: OutgoingRequest) -> Self {
        // Bodies are JSON. Another one would be shown as text.
        Self { url, body: serde_json::from_str(&body).unwrap_or(Value::String(body)) }
    }
}

/// Whether the bytes of a route's body are still changed here, so that they must not be indented yet.
pub(in crate::http) fn body_is_kept(request: &Request<'_>) -> bool {
    RequestedReport::of(request).is_some()
}

/// The response of a route as the client gets it.
pub(in crate::http) async fn answer<'r>(request: &'r Request<'_>, api: &Api, response: Response<'r>) -> Response<'r> {
    let Some(write) = RequestedReport::of(request) else { return response };
    let mut response = response;
    let is_done = (200..300).contains(&response.status().code);
    if is_done && !write.is_valid {
        // Nothing was written.
        response = render(request, ReportingWrite::fault());
    } else if is_done && write.is_dry_run() {
        response = match dry_run_response(request, api, write, &mut response).await {
            Ok(response) => response,
            Err(error) => render(request, error),
        };
    } else if is_done {
        return with_warnings(request, api, write, response).await;
    }
    let body = bytes(&mut response).await;
    if !body.is_empty() {
        set_body(request, &mut response, body);
    }
    if write.is_dry_run() && write.is_valid && response.status() != Status::Unauthorized {
        response.set_raw_header(DRY_RUN_HEADER, "true");
        dry_run(response.status().code < 400);
    }
    response
}

/// The body, without the line break at its end.
async fn bytes(response: &mut Response<'_>) -> Vec<u8> {
    let mut body = response.body_mut().to_bytes().await.unwrap_or_default();
    while body.last() == Some(&b'\n') {
        body.pop();
    }
    body
}

/// The response to a dry run whose write would be done.
async fn dry_run_response<'r>(
    request: &'r Request<'_>,
    api: &Api,
    write: &ReportingWrite,
    real: &mut Response<'r>,
) -> Result<Response<'r>, ApiError> {
    let body = bytes(real).await;
    let broken = |_| ApiError::system_error();
    let raw: Option<&RawValue> = match body.as_slice() {
        [] => None,
        body => Some(serde_json::from_slice(body).map_err(broken)?),
    };
    let value: Value = raw.map(|raw| serde_json::from_str(raw.get())).transpose().map_err(broken)?.unwrap_or_default();
    let written = write.report.written();
    let etag = real.headers().get_one("etag");
    let shows_secret = real.headers().get_one("cache-control") == Some("no-store");
    let shown = DryRunResponse {
        would: WouldResponse {
            status: real.status().code,
            body: raw,
            etag,
            made_up: made_up(&value, &write.report, shows_secret),
            requests: write.report.requests().into_iter().map(RequestResponse::from).collect(),
        },
        changes: differences(&written),
        events: written.events.iter().map(EventSummary::new).collect(),
        counts: write.report.redacted().into_iter().map(WouldBeRedacted::from).collect(),
        warnings: warnings(request, api, write).await,
    };
    let mut response = Response::new();
    response.set_raw_header("Cache-Control", "no-store");
    response.set_header(rocket::http::ContentType::JSON);
    let body = serde_json::to_vec(&shown).map_err(broken)?;
    response.set_sized_body(body.len(), std::io::Cursor::new(body));
    Ok(response)
}

/// Adds warnings to the JSON object in the response to a real write.
async fn with_warnings<'r>(
    request: &'r Request<'_>,
    api: &Api,
    write: &ReportingWrite,
    response: Response<'r>,
) -> Response<'r> {
    let mut response = response;
    let mut body = bytes(&mut response).await;
    if body.first() == Some(&b'{') && body.last() == Some(&b'}') && !has_warnings(&body) {
        let found = warnings(request, api, write).await;
        // Serialising warnings cannot fail. Without them, the response is that of the route.
        if let Ok(found) = serde_json::to_vec(&found) {
            body.pop();
            body.extend(if body.len() > 1 { b",\"warnings\":".as_slice() } else { b"\"warnings\":".as_slice() });
            body.extend(found);
            body.push(b'}');
        }
    }
    if !body.is_empty() {
        set_body(request, &mut response, body);
    }
    response
}

/// Whether a body has warnings of its own: about addresses that this server would not call.
fn has_warnings(body: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Own<'a> {
        #[serde(borrow)]
        warnings: Option<&'a RawValue>,
    }
    serde_json::from_slice::<Own<'_>>(body).is_ok_and(|own| own.warnings.is_some())
}
