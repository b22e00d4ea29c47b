//! A foreign web framework, and a storage adapter of its own, over the rules: axum before them, a shelf in memory behind.
//!
//! The shelf keeps customers and nothing else. It passes the contract suite: see `tests/tests/commands/examples.rs`.
//!
//! ```sh
//! cargo run --example axum_service
//! curl http://127.0.0.1:3000/customers --json '{"external_id": "acme", "name": "Acme GmbH"}' --header 'idempotency-key: 1'
//! ```

mod shelf;

use std::{io, sync::Arc};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use patron_adapters::system::{SystemClock, SystemIds};
use patron_domain::{
    ErrorKind, OperationError,
    customer::{
        Amendment, CustomerAggregate, CustomerChange, CustomerService, CustomerUpdateParts, DEFAULT_IDEMPOTENCY_TTL,
        ExternalId, NewCustomerParts,
    },
    http_semantics::{etag, idempotent_request, if_match, is_known},
    lifecycle::Owner,
    tenancy::{Actor, Caller, EnvironmentScope, Roles},
    violation::Violations,
};
use serde_json::{Value, json};
pub(crate) use shelf::Shelf;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> io::Result<()> {
    serve(TcpListener::bind("127.0.0.1:3000").await?).await
}

/// Serves customers until the process ends.
pub(crate) async fn serve(listener: TcpListener) -> io::Result<()> {
    let customers = CustomerService {
        customers: Arc::new(Shelf::default()),
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds),
        idempotency_ttl: DEFAULT_IDEMPOTENCY_TTL,
        quotas: patron_domain::tenancy::Quotas::default(),
    };
    let one = axum::routing::get(find).patch(update);
    let routes = Router::new().route("/customers", post(create)).route("/customers/{external_id}", one);
    axum::serve(listener, routes.with_state(customers)).await
}

/// The caller. A real service gets it from its sessions or tokens; this one has a single tenant, number 7.
fn caller() -> Caller {
    Caller::new(EnvironmentScope::new(Owner::numbered(7, 1), Actor::system()), Roles::default(), None)
}

/// The answer to an error of any operation.
struct Refused(StatusCode, Value);

impl<E: OperationError> From<E> for Refused {
    fn from(error: E) -> Self {
        let status = StatusCode::from_u16(error.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // Internal errors are for the log.
        let says = if error.kind() == ErrorKind::Internal { "something went wrong".into() } else { error.to_string() };
        let fields = error.violations().into_iter().flatten().map(|one| (one.path.clone(), json!(one.message)));
        Self(status, json!({ "code": error.code(), "message": says, "fields": Value::Object(fields.collect()) }))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(self.1)).into_response()
    }
}

fn shown(status: StatusCode, state: &CustomerAggregate) -> Response {
    (status, [(header::ETAG, etag(state.customer.version))], Json(json!(state))).into_response()
}

fn fields<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect()
}

async fn create(
    State(customers): State<CustomerService>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refused> {
    let parts: NewCustomerParts = read(&body)?;
    let key = fields(&headers, "idempotency-key").first().copied();
    let once = idempotent_request(key, Method::POST.as_str(), "/customers", "", &body);
    let mut broken = Violations::new();
    let once = broken.check(|| "Idempotency-Key".into(), once).flatten();
    broken.into_result()?;
    let created = customers.create(&caller(), parts.check()?, once).await?;
    Ok(shown(StatusCode::CREATED, &created.event.state))
}

async fn update(
    State(customers): State<CustomerService>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refused> {
    let parts: CustomerUpdateParts = read(&body)?;
    let external_id = ExternalId::new(id).map_err(|_| not_found())?;
    let id = customers.identify(&caller(), None, Some(&external_id)).await?;
    let change = CustomerChange::Amend(id, Amendment::Update(Box::new(parts.merge()?)));
    let changed = customers.change(&caller(), change, if_match(fields(&headers, "if-match")), None).await?;
    Ok(shown(StatusCode::OK, &changed.event.state))
}

async fn find(
    State(customers): State<CustomerService>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let external_id = ExternalId::new(id).map_err(|_| not_found())?;
    let found = customers.find_by_external_id(&caller(), &external_id).await?.ok_or_else(not_found)?;
    if is_known(fields(&headers, "if-none-match"), found.customer.version) {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    Ok(([(header::ETAG, etag(found.customer.version))], Json(found)).into_response())
}

fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Refused> {
    let refused = |error: serde_json::Error| Refused(StatusCode::BAD_REQUEST, json!({ "message": error.to_string() }));
    serde_json::from_slice(body).map_err(refused)
}

fn not_found() -> Refused {
    patron_domain::customer::ChangeCustomerError::UnknownCustomer.into()
}
