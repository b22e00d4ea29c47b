//! The port that identifies callers, and API keys as one implementation of it.

use std::fmt;

use async_trait::async_trait;
use patron_domain::{
    store::StoreError,
    tenancy::{AccessService, AuthenticateError, Caller, Origin, PermissionDenied, RequestId},
    violation::{Violation, Violations},
};
use rocket::{Request, http::HeaderMap};

use super::{messages, peer};

/// Identifies the caller of a request.
///
/// [`ApiKeys`] uses the keys in our own tables. An application with its own users implements this over their sessions
/// or tokens, and vouches for the result: the environment, the roles, and the name that `created_by` shows.
///
/// ```
/// use patron_adapters::http::{CallerError, Callers};
/// use patron_domain::{
///     lifecycle::Owner,
///     tenancy::{Actor, Caller, EnvironmentScope, RequestId, Roles},
/// };
/// use rocket::{Request, async_trait};
///
/// /// Trusts the user name that the proxy in front has checked.
/// struct Proxy(Owner);
///
/// #[async_trait]
/// impl Callers for Proxy {
///     async fn recognise(&self, request: &Request<'_>, id: &RequestId) -> Result<Caller, CallerError> {
///         let user = request.headers().get_one("x-user").ok_or(CallerError::Unauthenticated)?;
///         let actor = Actor::new(user).map_err(|_| CallerError::Unauthenticated)?;
///         let scope = EnvironmentScope::new(self.0, actor);
///         Ok(Caller::new(scope, Roles::default(), Some(id.clone())))
///     }
/// }
/// ```
#[async_trait]
pub trait Callers: Send + Sync {
    /// Identifies the caller, before the body is read. [`Request::guard`] runs a guard of the application.
    ///
    /// Pass the request's id on to the caller: events then contain it.
    ///
    /// # Errors
    /// [`CallerError`] is the reason.
    async fn recognise(&self, request: &Request<'_>, id: &RequestId) -> Result<Caller, CallerError>;

    /// Where requests carry credentials. Responses tell caches so (`Vary`), preflights allow these headers, and the
    /// OpenAPI document describes them.
    fn credentials(&self) -> Vec<Credential> {
        vec![Credential::Bearer]
    }

    /// Counts a dry run. By default dry runs are not counted.
    fn dry_run(&self, caller: &Caller) {
        let _ = caller;
    }

    /// The message of a 401.
    fn unauthenticated(&self) -> String {
        let places: Vec<_> = self.credentials().iter().map(Credential::to_string).collect();
        format!("the caller could not be identified; send valid credentials {}", places.join(" or "))
    }

    /// The message of a 403.
    fn denied(&self, error: &PermissionDenied) -> String {
        error.to_string()
    }
}

/// Where a request carries credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// A token in the header `Authorization: Bearer …` (RFC 6750, section 2.1).
    Bearer,
    /// The header of this name.
    Header(&'static str),
    /// The cookie of this name.
    Cookie(&'static str),
}

impl Credential {
    /// The header that holds it.
    pub(super) fn header(self) -> &'static str {
        match self {
            Self::Bearer => "authorization",
            Self::Header(name) => name,
            Self::Cookie(_) => "cookie",
        }
    }
}

impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bearer => f.write_str("in the header Authorization, as Bearer"),
            Self::Header(name) => write!(f, "in the header {name}"),
            Self::Cookie(name) => write!(f, "in the cookie {name}"),
        }
    }
}

/// Why the caller of a request is unknown or refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallerError {
    /// The credentials are missing, invalid, expired or revoked: 401. The response does not say which.
    Unauthenticated,
    /// The user is known, but has no access: 403.
    Denied(PermissionDenied),
    /// The credentials contradict each other: 400.
    Invalid(Violations),
    /// The credentials could not be checked: 503.
    Store(StoreError),
}

impl From<AuthenticateError> for CallerError {
    fn from(error: AuthenticateError) -> Self {
        match error {
            AuthenticateError::Unauthenticated => Self::Unauthenticated,
            AuthenticateError::Denied(error) => Self::Denied(error),
            AuthenticateError::Store(error) => Self::Store(error),
            other => Self::Store(StoreError::Failed { reason: other.to_string() }),
        }
    }
}

/// Identifies callers by API key, in `x-api-key` or `Authorization: Bearer …`.
#[derive(Clone)]
pub struct ApiKeys(pub AccessService);

#[async_trait]
impl Callers for ApiKeys {
    async fn recognise(&self, request: &Request<'_>, id: &RequestId) -> Result<Caller, CallerError> {
        let key = presented(request.headers())?.ok_or(CallerError::Unauthenticated)?;
        let origin = Origin::new(Some(id.clone()), peer::address(request));
        Ok(self.0.authenticate(key, origin).await?)
    }

    fn credentials(&self) -> Vec<Credential> {
        vec![Credential::Header("x-api-key"), Credential::Bearer]
    }

    fn dry_run(&self, caller: &Caller) {
        self.0.note_dry_run(caller);
    }

    fn unauthenticated(&self) -> String {
        messages::NO_KEY.to_owned()
    }

    fn denied(&self, error: &PermissionDenied) -> String {
        messages::key_denied(error)
    }
}

/// The API key of a request. An empty header counts as absent.
///
/// # Errors
/// If the request has several different keys. Using either one could act on the wrong environment.
fn presented<'r>(headers: &'r HeaderMap<'_>) -> Result<Option<&'r str>, CallerError> {
    let bearer = |field: &'r str| {
        let (scheme, key) = field.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
    };
    let keys = headers.get("x-api-key").chain(headers.get("authorization").filter_map(bearer));
    let mut keys = keys.filter(|key| !key.is_empty());
    let first = keys.next();
    if keys.any(|other| Some(other) != first) {
        let mut broken = Violations::new();
        let (path, rule, message) = ("x-api-key".to_owned(), "one_key", messages::TWO_KEYS.to_owned());
        broken.push(Violation { path, rule, message });
        return Err(CallerError::Invalid(broken));
    }
    Ok(first)
}

#[cfg(test)]
mod tests {
    use rocket::http::{Header, HeaderMap};

    use super::{Credential, presented};

    #[test]
    fn a_key_may_be_repeated_and_an_empty_header_counts_as_absent() {
        let read = |fields: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            fields.iter().for_each(|(name, value)| headers.add(Header::new(*name, *value)));
            presented(&headers).map(|key| key.map(str::to_owned)).map_err(|_| ())
        };
        let key = Ok(Some("k".to_owned()));
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[("x-api-key", "k")]), key);
        assert_eq!(read(&[("authorization", "bearer k")]), key);
        assert_eq!(read(&[("x-api-key", ""), ("authorization", "Bearer k")]), key);
        assert_eq!(read(&[("x-api-key", "k"), ("authorization", "Bearer k"), ("x-api-key", "k")]), key);
        assert_eq!(read(&[("x-api-key", "k"), ("authorization", "Basic other")]), key);
        assert_eq!(read(&[("x-api-key", "k"), ("authorization", "Bearer ")]), key);
        assert_eq!(read(&[("x-api-key", ""), ("authorization", "k")]), Ok(None));
        assert_eq!(read(&[("x-api-key", "k"), ("authorization", "Bearer other")]), Err(()));
        assert_eq!(read(&[("x-api-key", "k"), ("x-api-key", "other")]), Err(()));
    }

    #[test]
    fn each_kind_of_credential_is_in_a_header() {
        let headers = [Credential::Bearer, Credential::Header("x-user"), Credential::Cookie("session")];
        assert_eq!(headers.map(Credential::header), ["authorization", "x-user", "cookie"]);
        assert_eq!(headers[2].to_string(), "in the cookie session");
    }
}
