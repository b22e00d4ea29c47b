//! Answers: a status and a JSON body.

use std::io::Cursor;

use rocket::{
    Request, Response,
    http::{ContentType, Status},
    response::{self, Responder},
};
use serde::Serialize;

use super::error::ApiError;

/// A JSON answer, rendered.
pub(crate) struct Answer {
    status: Status,
    body: Vec<u8>,
    headers: Vec<(&'static str, String)>,
}

impl Answer {
    /// 200 with a body.
    pub(crate) fn ok(body: &impl Serialize) -> Result<Self, ApiError> {
        Self::json(Status::Ok, body)
    }

    /// 201 with a body.
    pub(crate) fn created(body: &impl Serialize) -> Result<Self, ApiError> {
        Self::json(Status::Created, body)
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
        Ok(Self { status, body: bytes, headers: Vec::new() })
    }

    /// A status alone.
    pub(crate) fn empty(status: Status) -> Self {
        Self { status, body: Vec::new(), headers: Vec::new() }
    }

    /// The same with one more header.
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same, marked when it repeats what was answered before under the request's idempotency key.
    pub(crate) fn replayed(self, replayed: bool) -> Self {
        if replayed { self.header("Idempotency-Replayed", "true") } else { self }
    }

    fn into_response(self) -> Response<'static> {
        let mut response = Response::new();
        response.set_status(self.status);
        if !self.body.is_empty() {
            response.set_header(ContentType::JSON);
            let length = self.body.len();
            response.set_sized_body(length, Cursor::new(self.body));
            // In one piece: in Rocket's pieces of 4 KiB, a page of customers is copied eight times and written twice. It is a
            // property of the body, so it comes after it.
            response.set_max_chunk_size(length);
        }
        for (name, value) in self.headers {
            response.set_raw_header(name, value);
        }
        response
    }
}

impl<'r> Responder<'r, 'static> for Answer {
    fn respond_to(self, _request: &'r Request<'_>) -> response::Result<'static> {
        Ok(self.into_response())
    }
}

impl<'r> Responder<'r, 'static> for ApiError {
    fn respond_to(self, _request: &'r Request<'_>) -> response::Result<'static> {
        // An error's own JSON form cannot fail; an empty body stands in where serde_json would disagree.
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = Answer { status: self.status(), body, headers: Vec::new() }.into_response();
        if let Some((name, value)) = self.extra_header() {
            response.set_raw_header(*name, value.clone());
        }
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use super::Answer;

    #[test]
    fn a_long_body_is_handed_to_the_server_in_one_piece() {
        let Ok(answer) = Answer::ok(&"x".repeat(10_000)) else { panic!("a text has a JSON form") };
        assert_eq!(answer.into_response().body().max_chunk_size(), 10_002);
    }
}
