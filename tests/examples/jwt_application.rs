//! A Rocket application with its own users: it signs tokens (JWT, RFC 7519), and mounts Patron's routes under `/crm` for
//! them. It has no API keys, and no rows for its tenants: their numbers are enough.
//!
//! ```sh
//! cargo run --example jwt_application
//! token=$(curl --silent --request POST http://127.0.0.1:8000/log-in/alice)
//! curl http://127.0.0.1:8000/crm/v1/customers --header "authorization: Bearer $token"
//! ```
//!
//! The documentation of its API is at <http://127.0.0.1:8000/crm/docs/>.

use std::{error::Error, path::PathBuf, sync::Arc};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use patron_adapters::{
    http::{self, Api, CallerError, Callers, Ports},
    persistence::{Database, DatabaseUrl, OpenOptions},
    system::SystemClock,
};
use patron_domain::{
    Clock,
    lifecycle::Owner,
    tenancy::{Actor, Caller, EnvironmentScope, RequestId, Role, Roles},
};
use ring::hmac;
use rocket::{Build, Config, Request, Rocket, async_trait, fairing::AdHoc, post, routes};
use serde::{Deserialize, Serialize};

/// The secret that signs the tokens. A real application stores its secret elsewhere.
const SECRET: &[u8] = b"an example's secret of thirty-two bytes";

#[rocket::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let rocket = application(PathBuf::from("jwt.db"), Config::default()).await?;
    rocket.launch().await?;
    Ok(())
}

/// The application over a SQLite file.
pub(crate) async fn application(file: PathBuf, config: Config) -> Result<Rocket<Build>, Box<dyn Error>> {
    let database = Database::open(&DatabaseUrl::Sqlite(file), OpenOptions::default()).await?;
    let ports = Ports { callers: Some(Arc::new(Users)), ..Ports::default() };
    let api = Arc::new(Api::over(&database, ports));
    let rocket = rocket::custom(config).mount("/", routes![log_in]);
    let rocket = http::mount(rocket, "/crm/v1", &api);
    let rocket = http::mount_docs(rocket, "/crm", "/crm/v1", &api);
    Ok(rocket.attach(AdHoc::on_shutdown("close", move |_| Box::pin(async move { database.close().await }))))
}

/// Identifies the application's users by their tokens. Patron needs nothing else.
struct Users;

#[async_trait]
impl Callers for Users {
    async fn recognise(&self, request: &Request<'_>, id: &RequestId) -> Result<Caller, CallerError> {
        let header = request.headers().get_one("authorization");
        let token = header.and_then(|header| header.strip_prefix("Bearer ")).ok_or(CallerError::Unauthenticated)?;
        let claims = verified(token).ok_or(CallerError::Unauthenticated)?;
        let actor = Actor::new(claims.sub).map_err(|_| CallerError::Unauthenticated)?;
        let role = if claims.may_write { Role::AllWriter } else { Role::AllReader };
        let roles = Roles::new([role]).map_err(|_| CallerError::Unauthenticated)?;
        // This application's tenants have numbers, and one environment each.
        let scope = EnvironmentScope::new(Owner::numbered(claims.tenant, 1), actor);
        Ok(Caller::new(scope, roles, Some(id.clone())))
    }
}

/// The claims of a token that matter here.
#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    tenant: u64,
    may_write: bool,
    exp: i64,
}

/// Returns a token for a known user. A real application checks a password.
#[post("/log-in/<user>")]
fn log_in(user: &str) -> Option<String> {
    let (tenant, may_write) = match user {
        "alice" => (7, true),
        "bob" => (7, false),
        "carol" => (8, true),
        _ => return None,
    };
    let exp = SystemClock.now().micros() / 1_000_000 + 3_600;
    Some(signed(&Claims { sub: user.to_owned(), tenant, may_write, exp }))
}

/// Creates a token with HS256. A real application uses a JWT library for this.
fn signed(claims: &Claims) -> String {
    let claims = serde_json::to_vec(claims).unwrap_or_default();
    let signed = format!("{}.{}", BASE64.encode(br#"{"alg":"HS256","typ":"JWT"}"#), BASE64.encode(claims));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), signed.as_bytes());
    format!("{signed}.{}", BASE64.encode(tag))
}

/// The claims of a token that we signed and that has not expired.
fn verified(token: &str) -> Option<Claims> {
    let (signed, tag) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let tag = BASE64.decode(tag).ok()?;
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), signed.as_bytes(), &tag).ok()?;
    let header: serde_json::Value = serde_json::from_slice(&BASE64.decode(header).ok()?).ok()?;
    let claims: Claims = serde_json::from_slice(&BASE64.decode(claims).ok()?).ok()?;
    (header["alg"] == "HS256" && claims.exp > SystemClock.now().micros() / 1_000_000).then_some(claims)
}
