//! Responses: a status and a JSON body.

use std::io::Cursor;

use patron_domain::lifecycle::Version;
use rocket::{
    Request, Response,
    http::{ContentType, Status},
    response::{self, Responder},
};
use serde::Serialize;

use super::{
    Api,
    error::ApiError,
    indent, report,
    version::{self, IfNoneMatch},
};

/// A response with its rendered JSON body.
pub(crate) struct Answer {
    status: Status,
    body: Vec<u8>,
    headers: Vec<(&'static str, String)>,
    /// The path of the created resource, below the base of the API.
    location: Option<String>,
}

impl Answer {
    /// 200 with a body.
    pub(crate) fn ok(body: &impl Serialize) -> Result<Self, ApiError> {
        Self::json(Status::Ok, body)
    }

    /// 201 with a body and the location of the new resource: a path below the base of the API.
    pub(crate) fn created(location: String, body: &impl Serialize) -> Result<Self, ApiError> {
        Ok(Self::json(Status::Created, body)?.at(location))
    }

    /// 200 with one page of a list.
    pub(crate) async fn page(api: &Api, items: usize, page: &(impl Serialize + Sync)) -> Result<Self, ApiError> {
        // An item has a few hundred bytes or many.
        api.long_work.apart(items.saturating_mul(4_000), || Self::ok(page)).await
    }

    /// 204 without a body.
    pub(crate) fn no_content() -> Self {
        Self::empty(Status::NoContent)
    }

    pub(crate) fn json(status: Status, body: &impl Serialize) -> Result<Self, ApiError> {
        // Capacity for a customer with all fields. A growing buffer would be copied several times.
        let mut bytes = Vec::with_capacity(2_048);
        serde_json::to_writer(&mut bytes, body).map_err(|_| {
            tracing::error!("a response cannot be serialised");
            ApiError::system_error()
        })?;
        Ok(Self { body: bytes, ..Self::empty(status) })
    }

    /// A status without a body.
    pub(crate) fn empty(status: Status) -> Self {
        Self { status, body: Vec::new(), headers: Vec::new(), location: None }
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Adds the version as entity tag.
    pub(crate) fn tagged(self, version: Version) -> Self {
        self.header("ETag", version::etag(version))
    }

    /// The response to a read of a resource with this version: 304 if the client has it already.
    pub(crate) fn read(body: &impl Serialize, version: Version, known: &IfNoneMatch<'_>) -> Result<Self, ApiError> {
        let answer = if known.is_known(version) { Self::empty(Status::NotModified) } else { Self::ok(body)? };
        Ok(answer.tagged(version))
    }

    /// Adds the location of the new resource.
    pub(crate) fn at(self, location: String) -> Self {
        Self { location: Some(location), ..self }
    }

    /// Marks a response that repeats the answer to an earlier request with the same idempotency key.
    pub(crate) fn replayed(self, replayed: bool) -> Self {
        if replayed { self.header("Idempotency-Replayed", "true") } else { self }
    }

    /// Forbids caches to store a response that shows a secret.
    pub(crate) fn secret(self, shown: bool) -> Self {
        if shown { self.header("Cache-Control", "no-store") } else { self }
    }

    fn into_response(self, request: &Request<'_>) -> Response<'static> {
        let mut response = Response::new();
        response.set_status(self.status);
        if !self.body.is_empty() {
            response.set_header(ContentType::JSON);
            if report::body_is_kept(request) {
                response.set_sized_body(self.body.len(), Cursor::new(self.body));
            } else {
                set_body(request, &mut response, self.body);
            }
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

/// Sets the JSON body of a response, as the client gets it.
pub(super) fn set_body(request: &Request<'_>, response: &mut Response<'_>, body: Vec<u8>) {
    let mut body = if indent::is_wanted(request) { indent::indent(&body) } else { body };
    // Ends with a line break, so that a shell's prompt begins on its own line.
    body.push(b'\n');
    let length = body.len();
    response.set_sized_body(length, Cursor::new(body));
    // Sent in one piece. With Rocket's pieces of 4 KiB, a page of customers is copied eight times and written
    // twice. The size is a property of the body, so it is set after the body.
    response.set_max_chunk_size(length);
}

impl<'r> Responder<'r, 'static> for Answer {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        Ok(self.into_response(request))
    }
}

impl<'r> Responder<'r, 'static> for ApiError {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let error = version::explained(request, self);
        let error = match Api::of(request) {
            Ok(api) => error.in_words_of(&*api.callers),
            Err(_) => error,
        };
        // Serialising an error cannot fail. The empty body satisfies serde_json's signature.
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
    fn a_long_body_is_sent_in_one_piece_and_ends_with_a_line_break() {
        let client = Client::untracked(rocket::build()).unwrap();
        let answer = |uri: &'static str, accept: &'static str| {
            let Ok(answer) = Answer::ok(&["x".repeat(10_000)]) else { panic!("a text can be serialised") };
            let request = client.get(uri).header(Header::new("accept", accept));
            answer.into_response(request.inner()).body().max_chunk_size()
        };
        assert_eq!(answer("/", "*/*"), 10_005);
        // One line and two spaces for the text, and one line for the bracket.
        assert_eq!(answer("/?pretty=true", "*/*"), 10_009);
        assert_eq!(answer("/?a=1&pretty", "*/*"), 10_009);
        assert_eq!(answer("/", "application/json; pretty"), 10_009);
        assert_eq!(answer("/?pretty=false", "application/json"), 10_005);
    }
}
