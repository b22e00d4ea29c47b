//! The header `Idempotency-Key`, and the fingerprint that identifies its request.

use patron_domain::{
    http_semantics::fingerprint,
    idempotency::{IdempotencyKey, IdempotencyKeyError, IdempotentRequest},
    violation::Violations,
};
use rocket::{
    Request,
    request::{FromRequest, Outcome},
};

use super::{
    Api, LongWork, error::ApiError, indent, noted::Noted, report::RequestedReport, version::Conditions, wrap::fail,
};

const HEADER: &str = "Idempotency-Key";

/// The key of a request, if it has one, with the request's method, path and query.
pub(crate) struct Idempotency<'r> {
    key: Result<Option<IdempotencyKey>, IdempotencyKeyError>,
    method: &'static str,
    target: &'r str,
    query: &'r str,
    conditions: Conditions<'r>,
    long_work: &'r LongWork,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Idempotency<'r> {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        // A dry run keeps no answer.
        let given = request.headers().get_one("idempotency-key").filter(|_| !RequestedReport::wants_dry_run(request));
        let key = given.map(IdempotencyKey::new).transpose();
        if let Err(error) = &key {
            // If there is a body, its faults are reported with this one. Otherwise `over` reports it.
            Noted::of(request).fault(HEADER, error);
        }
        let long_work = match Api::of(request) {
            Ok(api) => &api.long_work,
            Err(error) => return Outcome::Error((fail(request, error), ())),
        };
        Outcome::Success(Self {
            key,
            method: request.method().as_str(),
            target: request.uri().path().raw().as_str(),
            query: request.uri().query().map_or("", |query| query.raw().as_str()),
            conditions: Conditions::of(request),
            long_work,
        })
    }
}

impl Idempotency<'_> {
    /// The key with the fingerprint of the whole request.
    ///
    /// # Errors
    /// If the header contains an invalid key, or the request a condition that its route does not check.
    pub(crate) async fn over(self, body: &[u8]) -> Result<Option<IdempotentRequest>, ApiError> {
        let Self { key, method, target, query, conditions, long_work } = self;
        conditions.refuse_unminded()?;
        let key = key.map_err(|error| {
            let mut broken = Violations::new();
            broken.add(HEADER, &error);
            broken
        })?;
        let Some(key) = key else { return Ok(None) };
        let query = indent::without_wish(query);
        let fingerprint = long_work.apart(body.len(), || fingerprint(method, target, &query, body));
        Ok(Some(IdempotentRequest { key, fingerprint: fingerprint.await }))
    }
}

#[cfg(test)]
mod tests {
    use patron_domain::idempotency::Fingerprint;

    use super::*;

    fn over(
        key: Option<&str>,
        (method, target): (&'static str, &str),
        query: &str,
        body: &[u8],
    ) -> Option<Fingerprint> {
        let key = key.map(IdempotencyKey::new).transpose();
        let long_work = &LongWork::default();
        let request =
            Idempotency { key, method, target, query, conditions: Conditions::default(), long_work }.over(body);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let Ok(request) = runtime.block_on(request) else { panic!("a key") };
        request.map(|request| request.fingerprint)
    }

    #[test]
    fn every_part_of_a_request_changes_the_fingerprint() {
        let fingerprint = |method, target, query, body: &[u8]| over(Some("k"), (method, target), query, body).unwrap();
        let one = fingerprint("POST", "/v1/customers", "a=1", b"{}");
        assert_eq!(fingerprint("POST", "/v1/customers", "a=1", b"{}"), one);
        assert_eq!(fingerprint("POST", "/v1/customers", "a=1&pretty=true", b"{}"), one);
        assert_eq!(over(None, ("POST", "/v1/customers"), "a=1", b"{}"), None);
        for other in [
            fingerprint("PUT", "/v1/customers", "a=1", b"{}"),
            fingerprint("POST", "/v1/customersa", "=1", b"{}"),
            fingerprint("POST", "/v1/customers", "a=1{", b"}"),
            fingerprint("POST", "/v1/customers", "a=1", b"{ }"),
        ] {
            assert_ne!(other, one);
        }
    }
}
