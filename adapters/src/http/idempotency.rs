//! The header `Idempotency-Key`, and what tells the request it stands for from others.

use patron_domain::{
    idempotency::{Fingerprint, IdempotencyKey, IdempotencyKeyError, IdempotentRequest},
    violation::Violations,
};
use rocket::{
    Request,
    request::{FromRequest, Outcome},
};
use sha2::{Digest, Sha256};

use super::{error::ApiError, wrap::fail};

/// The key of a request, if it has one, and the request's method and path with its query.
pub(crate) struct Idempotency<'r> {
    key: Option<IdempotencyKey>,
    method: &'static str,
    target: &'r str,
    query: &'r str,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Idempotency<'r> {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        let key = request.headers().get_one("idempotency-key").map(IdempotencyKey::new).transpose();
        match key {
            Ok(key) => Outcome::Success(Self {
                key,
                method: request.method().as_str(),
                target: request.uri().path().raw().as_str(),
                query: request.uri().query().map_or("", |query| query.raw().as_str()),
            }),
            Err(error) => Outcome::Error((fail(request, refusal(error)), ())),
        }
    }
}

fn refusal(error: IdempotencyKeyError) -> ApiError {
    let mut broken = Violations::new();
    broken.add("Idempotency-Key", &error);
    broken.into()
}

impl Idempotency<'_> {
    /// The key with the fingerprint of the whole request.
    pub(crate) fn over(self, body: &[u8]) -> Option<IdempotentRequest> {
        let Self { key, method, target, query } = self;
        let key = key?;
        let mut hash = Sha256::new();
        // Lengths come first, so that no two requests run together to the same bytes.
        for part in [method.as_bytes(), target.as_bytes(), query.as_bytes(), body] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Some(IdempotentRequest { key, fingerprint: Fingerprint::from_bytes(hash.finalize().into()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_request_tells_it_from_others() {
        let fingerprint = |method, target, query, body: &[u8]| {
            let key = Some(IdempotencyKey::new("k").unwrap());
            Idempotency { key, method, target, query }.over(body).unwrap().fingerprint
        };
        let one = fingerprint("POST", "/v1/customers", "a=1", b"{}");
        assert_eq!(fingerprint("POST", "/v1/customers", "a=1", b"{}"), one);
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
