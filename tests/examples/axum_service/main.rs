//! A foreign web framework, and a storage adapter of its own, over the rules: axum before them, a shelf in memory behind.
//!
//! The shelf keeps customers and nothing else. It passes the contract suite: see `tests/tests/commands/examples.rs`.
//!
//! ```sh
//! cargo run --example axum_service
//! curl http://127.0.0.1:3000/companies --json '{"number": "acme", "name": "Acme GmbH"}'
//! ```

mod shelf;

use std::{io, sync::Arc};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use patron_adapters::system::{SystemClock, SystemIds};
use patron_domain::{
    customer::{
        ChangeCustomerError, Customer, CustomerName, CustomerService, DEFAULT_IDEMPOTENCY_TTL, ExternalId, NewCustomer,
        ReadError,
    },
    ids::IdSequence,
    lifecycle::Owner,
    tenancy::{Actor, Caller, EnvironmentScope, Roles},
    time::Timestamp,
    violation::Violations,
};
use serde::{Deserialize, Serialize};
pub(crate) use shelf::Shelf;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> io::Result<()> {
    serve(TcpListener::bind("127.0.0.1:3000").await?).await
}

/// Serves companies until the process ends.
pub(crate) async fn serve(listener: TcpListener) -> io::Result<()> {
    let customers = CustomerService {
        customers: Arc::new(Shelf::default()),
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds),
        idempotency_ttl: DEFAULT_IDEMPOTENCY_TTL,
    };
    let routes =
        Router::new().route("/companies", post(create)).route("/companies/{number}", get(find)).with_state(customers);
    axum::serve(listener, routes).await
}

/// Whoever asks. A service of your own makes this of its sessions or tokens; this one knows a single tenant.
fn caller() -> Caller {
    let mut ids = IdSequence::start(Timestamp::UNIX_EPOCH, [0; 10]);
    let owner = Owner { tenant_id: ids.next_id(), environment_id: ids.next_id() };
    Caller::new(EnvironmentScope { owner, actor: Actor::system() }, Roles::super_admin(), None)
}

/// A company, in this service's own words.
#[derive(Deserialize, Serialize)]
struct Company {
    number: String,
    #[serde(default)]
    name: String,
}

impl From<Customer> for Company {
    fn from(customer: Customer) -> Self {
        let name = customer.profile.name.map(|name| name.as_str().to_owned()).unwrap_or_default();
        Self { number: customer.external_id.as_str().to_owned(), name }
    }
}

impl Company {
    fn into_new(self) -> Result<NewCustomer, Violations> {
        let mut broken = Violations::new();
        let number = broken.check(|| "number".into(), ExternalId::new(self.number));
        let name = broken.check(|| "name".into(), CustomerName::new(self.name));
        broken.into_result()?;
        // Without a violation there is a value.
        let mut new = NewCustomer::new(number.ok_or_else(Violations::new)?);
        new.profile.name = name;
        Ok(new)
    }
}

async fn create(State(customers): State<CustomerService>, Json(company): Json<Company>) -> Response {
    let new = match company.into_new() {
        Ok(new) => new,
        Err(broken) => return (StatusCode::UNPROCESSABLE_ENTITY, broken.to_string()).into_response(),
    };
    match customers.create(&caller(), new, None).await {
        Ok(created) => (StatusCode::CREATED, Json(Company::from(created.event.state.customer))).into_response(),
        Err(error @ ChangeCustomerError::ExternalIdTaken { .. }) => {
            (StatusCode::CONFLICT, error.to_string()).into_response()
        }
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

async fn find(State(customers): State<CustomerService>, Path(number): Path<String>) -> Response {
    let Ok(number) = ExternalId::new(number) else { return StatusCode::NOT_FOUND.into_response() };
    match customers.find_by_external_id(&caller(), &number).await {
        Ok(Some(found)) => Json(Company::from(found.customer)).into_response(),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(ReadError::Denied(_)) => StatusCode::FORBIDDEN.into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
