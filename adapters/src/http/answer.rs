//! Answers: a status and a JSON body.

use std::io::Cursor;

use rocket::{
    Request, Response,
    http::{ContentType, Status},
    response::{self, Responder},
};
use serde::Serialize;

use super::{apart::apart, error::ApiError, indent, version};

/// A JSON answer, rendered.
pub(crate) struct Answer {
    status: Status,
    body: Vec<u8>,
    headers: Vec<(&'static str, String)>,
    /// Where what was made is, below the base of the API.
    location: Option<String>,
}

impl Answer {
    /// 200 with a body.
    pub(crate) fn ok(body: &impl Serialize) -> Result<Self, ApiError> {
        Self::json(Status::Ok, body)
    }

    /// 201 with a body, and where what was made is from now on: a path below the base of the API.
    pub(crate) fn created(location: String, body: &impl Serialize) -> Result<Self, ApiError> {
        Ok(Self::json(Status::Created, body)?.at(location))
    }

    /// 200 with a page of a list.
    pub(crate) async fn page(items: usize, page: &(impl Serialize + Sync)) -> Result<Self, ApiError> {
        // A few hundred bytes each at the least.
        apart(items.saturating_mul(500), || Self::ok(page)).await
    }

    /// 204 without a body.
    pub(crate) fn no_content() -> Self {
        Self::empty(Status::NoContent)
    }

    pub(crate) fn json(status: Status, body: &impl Serialize) -> Result<Self, ApiError> {
        // Room for a customer with all its fields; grown from nothing, the buffer would be copied again and again.
        let mut bytes = Vec::with_capacity(2_048);
        serde_json::to_writer(&mut bytes, body).map_err(|_| {
            tracing::error!("an answer has no JSON form");
            ApiError::system_error()
        })?;
        Ok(Self { body: bytes, ..Self::empty(status) })
    }

    /// A status alone.
    pub(crate) fn empty(status: Status) -> Self {
        Self { status, body: Vec::new(), headers: Vec::new(), location: None }
    }

    /// The same with one more header.
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same, saying where what was made is.
    pub(crate) fn at(self, location: String) -> Self {
        Self { location: Some(location), ..self }
    }

    /// The same, marked when it repeats what was answered before under the request's idempotency key.
    pub(crate) fn replayed(self, replayed: bool) -> Self {
        if replayed { self.header("Idempotency-Replayed", "true") } else { self }
    }

    /// The same, never to be kept anywhere, when it shows a secret.
    pub(crate) fn secret(self, shown: bool) -> Self {
        if shown { self.header("Cache-Control", "no-store") } else { self }
    }

    fn into_response(self, request: &Request<'_>) -> Response<'static> {
        let mut response = Response::new();
        response.set_status(self.status);
        if !self.body.is_empty() {
            let mut body = if indent::is_wanted(request) { indent::indent(&self.body) } else { self.body };
            // So that a prompt after it begins on a line of its own.
            body.push(b'\n');
            response.set_header(ContentType::JSON);
            let length = body.len();
            response.set_sized_body(length, Cursor::new(body));
            // In one piece: in Rocket's pieces of 4 KiB, a page of customers is copied eight times and written twice. It is a
            // property of the body, so it comes after it.
            response.set_max_chunk_size(length);
        }
        for (name, value) in self.headers {
            response.set_raw_header(name, value);
        }
        if let Some(location) = self.location {
            let base = request.route().map_or("", |route| route.uri.base()).trim_end_matches('/');
            response.set_raw_header("Location", format!("{base}{location}"));
        }
        response
    }
}

impl<'r> Responder<'r, 'static> for Answer {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        Ok(self.into_response(request))
    }
}

impl<'r> Responder<'r, 'static> for ApiError {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let error = version::explained(request, self);
        // An error's own JSON form cannot fail; an empty body stands in where serde_json would disagree.
        let body = serde_json::to_vec(&error).unwrap_or_default();
        let mut response = Answer { body, ..Answer::empty(error.status()) }.into_response(request);
        if let Some((name, value)) = error.extra_header() {
            response.set_raw_header(*name, value.clone());
        }
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use rocket::{http::Header, local::blocking::Client};

    use super::Answer;

    #[test]
    fn a_long_body_is_handed_to_the_server_in_one_piece_and_ends_with_its_line() {
        let client = Client::untracked(rocket::build()).unwrap();
        let answer = |uri: &'static str, accept: &'static str| {
            let Ok(answer) = Answer::ok(&["x".repeat(10_000)]) else { panic!("a text has a JSON form") };
            let request = client.get(uri).header(Header::new("accept", accept));
            answer.into_response(request.inner()).body().max_chunk_size()
        };
        assert_eq!(answer("/", "*/*"), 10_005);
        // With a line and two spaces for the text, and a line for the bracket.
        assert_eq!(answer("/?pretty=true", "*/*"), 10_009);
        assert_eq!(answer("/?a=1&pretty", "*/*"), 10_009);
        assert_eq!(answer("/", "application/json; pretty"), 10_009);
        assert_eq!(answer("/?pretty=false", "application/json"), 10_005);
    }
}
