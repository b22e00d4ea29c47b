//! Earlier states of a customer: `?at=`, `GET /customers/{id}/versions/{version}`, `GET /customers/{id}/diff`

use patron_domain::{
    customer::{CustomerAggregate, query::Expansion},
    diff::Change,
    event::PastError,
    ids::CustomerId,
    lifecycle::Version,
    time::Timestamp,
    violation::{Rule, Violations},
};
use rocket::{get, routes};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    missing,
    response::{CustomerResponse, found, weight},
};
use crate::{
    blocking::blocking,
    http::{
        Api,
        answer::Answer,
        error::ApiError,
        event::customer_value,
        guard::{CanRead, Services},
        openapi::{AS_OF_HEADER, Endpoint, Refusal, any_value},
        query::Query,
        version::IfNoneMatch,
    },
};

/// The API does not keep earlier states.
#[derive(Debug, thiserror::Error)]
#[error("is not supported here, because earlier states are not kept")]
struct NoPast;

impl Rule for NoPast {
    fn rule(&self) -> &'static str {
        "unsupported"
    }
}

/// A text that is not the number of a version.
#[derive(Debug, thiserror::Error)]
#[error("must be the number of a version: 1 or more")]
struct NoVersion;

impl Rule for NoVersion {
    fn rule(&self) -> &'static str {
        "range"
    }
}

fn number(text: &str) -> Result<Version, NoVersion> {
    text.parse().ok().and_then(Version::from_stored).ok_or(NoVersion)
}

/// Checks the query of a look-up, and returns the time in `at`. `expand` is accepted as in lists, because SDKs send it; a
/// single customer always has its links.
pub(super) fn time_of(api: &Api, query: &Query<'_>) -> Result<Option<Timestamp>, ApiError> {
    let mut broken = query.faults();
    query.checked("expand", &mut broken, Expansion::parse);
    let at = query.time("at", &mut broken);
    if at.is_some() && api.past.is_none() {
        broken.add("at", &NoPast);
    }
    broken.into_result()?;
    Ok(at)
}

/// The response with the state of a customer at a time.
pub(super) fn as_of(customer: CustomerAggregate, at: Timestamp, known: &IfNoneMatch<'_>) -> Result<Answer, ApiError> {
    Ok(found(&customer.into_record(), known)?.header(AS_OF_HEADER, at.to_string()))
}

/// Shows a version of a customer.
// The rank is after that of `/customers/external/<_..>`.
#[get("/customers/<id>/versions/<n>", rank = 1)]
pub(super) async fn version(
    caller: CanRead,
    services: Services<'_>,
    known: IfNoneMatch<'_>,
    query: Query<'_>,
    id: &str,
    n: &str,
) -> Result<Answer, ApiError> {
    query.faults().into_result()?;
    let id = CustomerId::parse(id).map_err(|_| missing())?;
    let version = number(n).map_err(|_| PastError::UnknownVersion)?;
    let customer = services.past()?.version(&caller, id, version).await?;
    found(&customer.into_record(), &known)
}

/// One difference.
#[derive(Serialize, ToSchema)]
#[schema(as = Change)]
pub(crate) struct ChangeResponse {
    /// The place, such as `name`, `metadata.plan` or `contact_persons[cper_…].email`.
    #[schema(example = "metadata.plan")]
    path: String,
    /// The old value; `null` if there was none.
    #[schema(schema_with = any_value)]
    from: Value,
    /// The new value; `null` if there is none.
    #[schema(schema_with = any_value)]
    to: Value,
}

impl From<Change> for ChangeResponse {
    fn from(Change { path, from, to }: Change) -> Self {
        Self { path, from, to }
    }
}

/// The differences between two versions.
#[derive(Serialize, ToSchema)]
#[schema(as = Changes)]
struct ChangesResponse {
    changes: Vec<ChangeResponse>,
}

/// Shows the differences between two versions of a customer.
#[get("/customers/<id>/diff", rank = 1)]
pub(super) async fn diff(
    caller: CanRead,
    services: Services<'_>,
    query: Query<'_>,
    id: &str,
) -> Result<Answer, ApiError> {
    let mut broken = query.faults();
    let version = |name: &str, broken: &mut Violations| {
        query.required(name, broken);
        query.checked(name, broken, number)
    };
    let (from, to) = (version("from", &mut broken), version("to", &mut broken));
    broken.into_result()?;
    let (Some(from), Some(to)) = (from, to) else { return Err(ApiError::system_error()) };
    let id = CustomerId::parse(id).map_err(|_| missing())?;
    let show = |customer: &CustomerAggregate| blocking(weight(&customer.mappings), || customer_value(customer));
    let changes = services.past()?.diff(&caller, id, (from, to), show).await?;
    Answer::ok(&ChangesResponse { changes: changes.into_iter().map(ChangeResponse::from).collect() })
}

impl From<PastError> for ApiError {
    fn from(error: PastError) -> Self {
        let message = error.to_string();
        match error {
            PastError::Denied(error) => error.into(),
            PastError::Invalid(violations) => violations.into(),
            PastError::Unknown | PastError::UnknownVersion => Self::not_found(message),
            PastError::Removed { oldest_at } => Self::gone(message, oldest_at),
            PastError::Store(error) => error.into(),
            other => Self::unforeseen(&other),
        }
    }
}

/// The documentation of these endpoints.
pub(super) fn documented() -> [Endpoint; 2] {
    let says = "As it was after that change. The number is the `ETag` without quotes, and the `sequence` of the event.";
    let version = Endpoint::new(routes![version], "getCustomerVersion", "Show a version of a customer", says)
        .with_key()
        .path::<CustomerId>("id", "The customer, in any status.")
        .path::<u64>("n", "The number of the version.")
        .answers::<CustomerResponse<'_>>(200, "The customer then.")
        .refuses([Refusal::Gone])
        .cacheable();
    let says = "The changes from one version to another. `from` may be the later one.";
    let diff = Endpoint::new(routes![diff], "getCustomerDiff", "Compare two versions of a customer", says)
        .with_key()
        .path::<CustomerId>("id", "The customer, in any status.")
        .required_query::<u64>("from", "The number of the first version.")
        .required_query::<u64>("to", "The number of the second version.")
        .answers::<ChangesResponse>(200, "The changes, in the order of their paths.")
        .refuses([Refusal::Gone]);
    [version, diff]
}
