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
        // A customer with all its fields; grown from nothing, the buffer would be copied again and again.
        let mut bytes = Vec::with_capacity(1_024);
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
}

impl<'r> Responder<'r, 'static> for Answer {
    fn respond_to(self, _request: &'r Request<'_>) -> response::Result<'static> {
        let mut response = Response::new();
        response.set_status(self.status);
        if !self.body.is_empty() {
            response.set_header(ContentType::JSON);
            // In one piece: in Rocket's pieces of 4 KiB, a page of customers would be written to the socket piece by piece.
            response.set_max_chunk_size(self.body.len());
            response.set_sized_body(self.body.len(), Cursor::new(self.body));
        }
        for (name, value) in self.headers {
            response.set_raw_header(name, value);
        }
        Ok(response)
    }
}

impl<'r> Responder<'r, 'static> for ApiError {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        // An error's own JSON form cannot fail; an empty body stands in where serde_json would disagree.
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = Answer { status: self.status(), body, headers: Vec::new() }.respond_to(request)?;
        if let Some((name, value)) = self.extra_header() {
            response.set_raw_header(*name, value.clone());
        }
        Ok(response)
    }
}
