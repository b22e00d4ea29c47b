//! Errors of HTTP itself, about which the domain knows nothing: paths, methods, bodies and rates.

use rocket::http::Status;

use super::{ApiError, Detail};

impl ApiError {
    /// 429.
    pub(crate) fn too_many(seconds: u64) -> Self {
        let message = "there were too many requests; send this one again after the time that Retry-After gives";
        Self::new(Status::TooManyRequests, "too_many_requests", message).header("Retry-After", seconds.to_string())
    }

    /// 404: no route has this path. `docs` is the path of the documentation.
    pub(crate) fn no_such_path(method: &str, path: &str, docs: Option<&str>) -> Self {
        const MOST_CHARS: usize = 200;
        let (end, cut) = path.char_indices().nth(MOST_CHARS).map_or((path.len(), ""), |(end, _)| (end, "…"));
        let docs = docs.map(|docs| format!("; {docs} lists all paths")).unwrap_or_default();
        Self::not_found(format!("there is nothing at {method} {}{cut}{docs}", &path[..end]))
    }

    /// 405 with the allowed methods, separated by commas.
    pub(crate) fn method_not_allowed(allowed: &str) -> Self {
        let message = format!("this path does not support this method; it supports {allowed}");
        Self::new(Status::MethodNotAllowed, "method_not_allowed", message).header("Allow", allowed.to_owned())
    }

    /// 408.
    pub(crate) fn body_timeout(seconds: u64) -> Self {
        let message = format!("the body did not arrive within {seconds} seconds; send the request again");
        Self::new(Status::RequestTimeout, "request_timeout", message).header("Connection", "close".to_owned())
    }

    /// 413.
    pub(crate) fn too_large(limit: usize) -> Self {
        let message = format!("the body must have at most {limit} bytes");
        Self::new(Status::PayloadTooLarge, "payload_too_large", message)
    }

    /// 415.
    pub(crate) fn unsupported_media_type() -> Self {
        let message = "the body must be JSON; send it with the header Content-Type: application/json";
        Self::new(Status::UnsupportedMediaType, "unsupported_media_type", message)
    }

    /// 415: the body is compressed, or encoded in another way.
    pub(crate) fn unsupported_encoding() -> Self {
        let message = "the body must be sent unencoded: remove the header Content-Encoding";
        let mut error = Self::new(Status::UnsupportedMediaType, "unsupported_media_type", message);
        let detail = Detail::new("Content-Encoding", message);
        error.details.push(Detail { rule: Some("content_encoding"), ..detail });
        // RFC 9110, 15.5.16: the accepted codings.
        error.header("Accept-Encoding", "identity".to_owned())
    }

    /// The envelope for a status that Rocket itself sets.
    pub(crate) fn of_status(status: Status) -> Self {
        match status.code {
            401 => Self::unauthenticated(),
            404 => Self::not_found("there is nothing at this path"),
            500 => Self::system_error(),
            503 => Self::unavailable(),
            400..=499 => {
                let code = if status.code == 413 { "payload_too_large" } else { "validation_error" };
                Self::new(status, code, "the request is not valid HTTP; correct it and send it again")
            }
            _ => Self { status, ..Self::system_error() },
        }
    }
}
