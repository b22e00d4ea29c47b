//! The body of a request: limited in size and time, and never logged.
//!
//! Rocket's own JSON guard logs a raw body that it cannot parse, and bodies contain personal data. Rocket reads the
//! first 14 bytes of every body before our code runs, without a timeout; the reverse proxy must cut off a client that
//! stalls before them.

use std::ops::Deref;

use patron_domain::violation::Violations;
use rocket::{
    Data, Request,
    data::{DataStream, FromData, Outcome, ToByteUnit},
    http::{ContentType, MediaType},
    tokio::{io::AsyncReadExt, time::timeout},
};

use super::{
    Api, HttpOptions, LongWork,
    deadline::body_begins,
    error::ApiError,
    json::{Examined, FromJson, Unknown, examine, examine_parts},
    noted::Noted,
    wrap::fail,
};

/// The bytes of a JSON body.
pub(crate) struct Body<'r> {
    bytes: Vec<u8>,
    noted: &'r Noted,
    long_work: &'r LongWork,
}

impl Body<'_> {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Runs work on the body, apart from the async workers if it is long.
    pub(crate) async fn apart<T>(&self, work: impl FnOnce() -> T) -> T {
        self.long_work.apart(self.bytes.len(), work).await
    }

    /// Reads the body as one JSON object and converts it to a command of the domain. Faults of headers and the query
    /// are reported together with those that `read` collects.
    ///
    /// # Errors
    /// If the body is not a JSON object, or the request has any fault.
    pub(crate) async fn read<'b, T, C>(
        &'b self,
        read: impl FnOnce(T, &mut Violations) -> Option<C> + Send,
    ) -> Result<C, ApiError>
    where
        T: FromJson<'b>,
    {
        let examined = self.apart(|| examine(&self.bytes, read)).await?;
        self.with_faults_of_request(examined)
    }

    /// The same for a body whose parts are examined by themselves.
    ///
    /// # Errors
    /// If the body is not a JSON object, or the request has any fault apart from those of the parts.
    pub(crate) async fn read_parts<'b, T, C>(
        &'b self,
        read: impl FnOnce(T, &mut Violations) -> Option<C> + Send,
    ) -> Result<C, ApiError>
    where
        T: FromJson<'b>,
    {
        let examined = self.apart(|| examine_parts(&self.bytes, read)).await?;
        self.with_faults_of_request(examined)
    }

    /// Names members of the body that are ignored.
    pub(crate) fn ignored(&self, members: Vec<Unknown>) {
        self.noted.unknown(members);
    }

    fn with_faults_of_request<C>(&self, examined: Examined<C>) -> Result<C, ApiError> {
        let Examined { command, broken, unknown } = examined;
        self.noted.unknown(unknown);
        let mut faults = self.noted.faults();
        broken.into_iter().for_each(|violation| faults.push(violation));
        Examined { command, broken: faults, unknown: Vec::new() }.into_command()
    }
}

/// A JSON body of many parts, which may be eight times as long as others.
pub(crate) struct LargeBody<'r>(Body<'r>);

impl<'r> Deref for LargeBody<'r> {
    type Target = Body<'r>;

    fn deref(&self) -> &Body<'r> {
        &self.0
    }
}

#[rocket::async_trait]
impl<'r> FromData<'r> for Body<'r> {
    type Error = ();

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r, Self> {
        Self::arriving(request, data, 1).await
    }
}

#[rocket::async_trait]
impl<'r> FromData<'r> for LargeBody<'r> {
    type Error = ();

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r, Self> {
        Body::arriving(request, data, 8).await.map(Self)
    }
}

impl<'r> Body<'r> {
    /// Reads the body, up to a multiple of the usual limit.
    async fn arriving(request: &'r Request<'_>, data: Data<'r>, times: usize) -> Outcome<'r, Self> {
        let read = async {
            let api = Api::of(request)?;
            let limit = api.options.body_limit.saturating_mul(times);
            let bytes = read(request, &api.options, limit, data).await?;
            Ok(Self { bytes, noted: Noted::of(request), long_work: &api.long_work })
        };
        match read.await {
            Ok(body) => Outcome::Success(body),
            Err(error) => Outcome::Error((fail(request, error), ())),
        }
    }
}

async fn read(request: &Request<'_>, options: &HttpOptions, limit: usize, data: Data<'_>) -> Result<Vec<u8>, ApiError> {
    // Reads and discards some bytes beyond the limit, because a client that is still sending could not read the
    // response.
    let stream = data.open((limit.saturating_mul(8)).bytes());
    let body_timeout = options.body_timeout;
    let arriving = body_begins(request);
    let bytes = timeout(body_timeout, read_limited(stream, limit)).await;
    drop(arriving);
    let bytes = bytes.map_err(|_| ApiError::body_timeout(body_timeout.as_secs()))??;
    if is_encoded(request) {
        return Err(ApiError::unsupported_encoding());
    }
    // If the header is invalid, Rocket reports no content type. Such a body must not pass as JSON.
    let named = request.headers().get_one("content-type").is_some_and(|kind| !kind.is_empty());
    match request.content_type() {
        Some(kind) if is_json(kind) => Ok(bytes),
        None if !named => Ok(bytes),
        _ => Err(ApiError::unsupported_media_type()),
    }
}

/// Whether the body has a content encoding, such as compression. No route decodes one.
fn is_encoded(request: &Request<'_>) -> bool {
    let codings = request.headers().get("content-encoding").flat_map(|codings| codings.split(','));
    codings.map(str::trim).any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity"))
}

async fn read_limited(mut stream: DataStream<'_>, limit: usize) -> Result<Vec<u8>, ApiError> {
    let cut_off = |_| ApiError::malformed("the body ended before it was complete; send the request again");
    let mut bytes = Vec::with_capacity(1_024);
    let mut kept = (&mut stream).take(limit as u64);
    kept.read_to_end(&mut bytes).await.map_err(cut_off)?;
    let mut rest = [0; 4_096];
    if bytes.len() < limit || stream.read(&mut rest).await.map_err(cut_off)? == 0 {
        return Ok(bytes);
    }
    drop(bytes);
    while stream.read(&mut rest).await.map_err(cut_off)? > 0 {}
    Err(ApiError::too_large(limit))
}

/// `application/json` and `application/…+json`, with any parameters.
fn is_json(kind: &ContentType) -> bool {
    let kind: &MediaType = kind.media_type();
    let sub = kind.sub().as_str();
    kind.top() == "application"
        && (kind.sub() == "json" || sub.len() > 5 && sub.to_ascii_lowercase().ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use rocket::http::ContentType;

    use super::is_json;

    #[test]
    fn json_has_several_content_types() {
        let check = |text: &str| is_json(&text.parse::<ContentType>().unwrap());
        for good in ["application/json", "application/json; charset=utf-8", "Application/JSON", "application/a.b+json"]
        {
            assert!(check(good), "{good}");
        }
        for bad in ["text/plain", "text/json", "application/x-www-form-urlencoded", "application/jsonl"] {
            assert!(!check(bad), "{bad}");
        }
    }
}
