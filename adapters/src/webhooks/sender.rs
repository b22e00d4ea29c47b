//! The sender of a single request to an endpoint.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use http_body_util::BodyExt;
use hyper::{
    HeaderMap, Method, Request, Uri,
    body::Incoming,
    header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT},
};
use patron_domain::{
    Clock,
    lifecycle::Owner,
    webhook::{Attempt, CallPolicy, EndpointUrl, NotCalled, SendFailure, SignedRequest, WebhookSender},
};
use tokio::time::{Instant, timeout_at};

use super::{
    client::{Client, client, failure},
    names::Names,
    retry_after,
};
use crate::metrics;

/// The longest time for an attempt, from connecting to the end of the response. The look-up of the name is not included.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The most bytes of a response that are kept.
const KEPT: usize = 1_024;
/// The most bytes of a response that are read, so that its connection can be reused. A longer response costs its
/// connection.
const READ: usize = 16_384;
/// The most URLs that are kept parsed.
const PARSED: usize = 256;
const AGENT: &str = concat!("Patron-Webhooks/", env!("CARGO_PKG_VERSION"));

/// Sends with clients of its own: no redirects, no proxy, no cookies, and only to addresses that its policy allows.
/// Clients are created at the first request, so a server without webhooks has none.
pub struct HttpSender {
    clock: Arc<dyn Clock>,
    calls: CallPolicy,
    names: Names,
    timeout: Duration,
    encrypted: OnceLock<Option<Client>>,
    plain: OnceLock<Option<Client>>,
    /// Parsed URLs. An endpoint's URL is the same for all its deliveries.
    parsed: Mutex<HashMap<String, Result<Uri, SendFailure>>>,
}

impl HttpSender {
    /// A sender that calls only the addresses that a policy allows.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, calls: CallPolicy) -> Self {
        let (encrypted, plain) = (OnceLock::new(), OnceLock::new());
        let names = Names::new(Vec::new());
        Self { clock, calls, names, timeout: TIMEOUT, encrypted, plain, parsed: Mutex::default() }
    }

    /// Uses these name servers instead of the system's.
    #[must_use]
    pub fn asking(self, servers: Vec<SocketAddr>) -> Self {
        Self { names: Names::new(servers), ..self }
    }

    /// Looks up the host of a URL, in the turn of an environment. This does not count towards the endpoint's time.
    pub(crate) async fn look_up(&self, owner: Owner, url: &EndpointUrl) {
        if url.address().is_none() {
            self.names.look_up(owner.environment_id, url.host()).await;
        }
    }

    /// The deadline of an attempt that begins now.
    #[expect(clippy::disallowed_methods, reason = "the time limit of an attempt is not part of the domain")]
    pub(crate) fn end_of_attempt(&self) -> Instant {
        Instant::now() + self.timeout
    }

    fn client(&self, encrypted: bool) -> Option<&Client> {
        let make = || {
            let made = client(self.names.clone(), self.calls.clone(), encrypted);
            made.map_err(|error| tracing::error!(%error, "the client for webhooks cannot be created")).ok()
        };
        let kept = if encrypted { &self.encrypted } else { &self.plain };
        kept.get_or_init(make).as_ref()
    }

    /// Parses a URL, and checks its address as far as the URL shows it.
    fn parsed(&self, url: &EndpointUrl) -> Result<Uri, SendFailure> {
        // A panic while it was locked leaves the cache consistent.
        let mut parsed = self.parsed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = parsed.get(url.as_str()) {
            return known.clone();
        }
        if parsed.len() == PARSED {
            parsed.clear();
        }
        let new = parse(url, &self.calls);
        parsed.insert(url.as_str().to_owned(), new.clone());
        new
    }

    async fn attempt(&self, request: SignedRequest, end: Instant) -> Result<Response, SendFailure> {
        let headers = signed(request.event_id.to_string(), request.timestamp, request.signature);
        self.post(&request.url, headers, request.body, KEPT, end).await
    }

    /// Sends a `POST` of JSON. Returns the response, with at most `keep` bytes of its body.
    pub(crate) async fn post(
        &self,
        url: &EndpointUrl,
        headers: impl IntoIterator<Item = (HeaderName, String)>,
        body: Vec<u8>,
        keep: usize,
        end: Instant,
    ) -> Result<Response, SendFailure> {
        let uri = self.parsed(url)?;
        let client = self.client(url.is_encrypted()).ok_or(SendFailure::Internal)?;
        // Capacity for all headers at once, including the host, the length and one more, which are added last.
        let mut all = HeaderMap::with_capacity(9);
        all.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        all.insert(ACCEPT, HeaderValue::from_static("*/*"));
        all.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in headers {
            all.insert(name, HeaderValue::try_from(value).map_err(|_| SendFailure::Internal)?);
        }
        let mut request = Request::new(body.into());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        *request.headers_mut() = all;
        let (mut head, mut kept) = (Err(SendFailure::Timeout), Vec::new());
        let exchange = async {
            match client.request(request).await {
                Ok(answer) => {
                    let retry_after = answer.headers().get(RETRY_AFTER).and_then(|wait| wait.to_str().ok());
                    let retry_after = retry_after.and_then(|wait| retry_after::parse(wait, self.clock.now()));
                    head = Ok((answer.status().as_u16(), retry_after));
                    keep_beginning(answer.into_body(), keep, &mut kept).await;
                }
                Err(error) => head = Err(failure(&error)),
            }
        };
        // A received status counts, even if the rest of the response does not arrive.
        let _ = timeout_at(end, exchange).await;
        let (status, retry_after) = head?;
        Ok(Response { status, kept, retry_after })
    }
}

#[async_trait]
impl WebhookSender for HttpSender {
    #[expect(clippy::disallowed_methods, reason = "the duration of an attempt is not part of the domain")]
    async fn send(&self, request: SignedRequest) -> Attempt {
        self.look_up(request.owner, &request.url).await;
        let (at, begun) = (self.clock.now(), Instant::now());
        let (outcome, answer, retry_after) = match self.attempt(request, begun + self.timeout).await {
            Ok(Response { status, kept, retry_after }) => (Ok(status), text(&kept), retry_after),
            Err(failure) => (Err(failure), String::new(), None),
        };
        let attempt = Attempt { at, took: begun.elapsed(), outcome, answer, retry_after };
        metrics::webhook_attempt(&attempt);
        attempt
    }

    fn not_called(&self, url: &EndpointUrl) -> Option<NotCalled> {
        self.calls.check(url).err()
    }
}

/// A response.
pub(crate) struct Response {
    pub(crate) status: u16,
    /// The beginning of the body.
    pub(crate) kept: Vec<u8>,
    /// How long the receiver asked to wait.
    pub(crate) retry_after: Option<Duration>,
}

/// The beginning of a response as text. No supported database can store U+0000.
fn text(kept: &[u8]) -> String {
    let kept = String::from_utf8_lossy(kept);
    if kept.contains('\0') { kept.replace('\0', "\u{FFFD}") } else { kept.into_owned() }
}

/// The headers of the Standard Webhooks scheme.
pub(crate) fn signed(id: String, timestamp: i64, signature: String) -> [(HeaderName, String); 3] {
    const ID: HeaderName = HeaderName::from_static("webhook-id");
    const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
    const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
    [(ID, id), (TIMESTAMP, timestamp.to_string()), (SIGNATURE, signature)]
}

/// Parses a URL. A host that is an address is never resolved, so it is checked here. A name is checked when it is
/// resolved.
fn parse(url: &EndpointUrl, calls: &CallPolicy) -> Result<Uri, SendFailure> {
    calls.check(url).map_err(|_| SendFailure::AddressRefused)?;
    Uri::try_from(url.as_str()).map_err(|_| SendFailure::UnknownHost)
}

/// Keeps the beginning of a response. If it is longer than is worth reading, the rest is dropped with its connection.
async fn keep_beginning(mut answer: Incoming, keep: usize, kept: &mut Vec<u8>) {
    let mut read = 0;
    while let Some(Ok(frame)) = answer.frame().await {
        let Some(chunk) = frame.data_ref() else { continue };
        read += chunk.len();
        let room = keep - kept.len();
        kept.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if read > READ.max(keep) {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use patron_domain::{
        ids::EventId,
        testkit::{an_id, an_owner},
        webhook::{Attempt, EndpointUrl, SendFailure, SignedRequest, WebhookSender},
    };
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;
    use crate::system::SystemClock;

    const DEVELOPMENT: CallPolicy = CallPolicy { allow_http: false, allow_private: true, never: Vec::new() };

    /// The outcome of a request to a server that sends this response and then nothing more.
    async fn attempt(answer: &'static str) -> Attempt {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let receiver = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4_096]).await;
            stream.write_all(answer.as_bytes()).await.unwrap();
            std::future::pending::<()>().await;
        });
        let timeout = Duration::from_millis(300);
        let sender = HttpSender { timeout, ..HttpSender::new(Arc::new(SystemClock), DEVELOPMENT) };
        let event_id: EventId = an_id(1);
        let (timestamp, signature) = (0, String::new());
        let url = EndpointUrl::new(url).unwrap();
        let attempt = sender
            .send(SignedRequest { owner: an_owner(), url, event_id, timestamp, signature, body: Vec::new() })
            .await;
        receiver.abort();
        attempt
    }

    #[tokio::test]
    async fn a_wish_to_wait_is_passed_on() {
        let attempt = attempt("HTTP/1.1 503 Busy\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n").await;
        assert_eq!((attempt.outcome, attempt.retry_after), (Ok(503), Some(Duration::from_secs(60))));
    }

    #[tokio::test]
    async fn a_status_counts_even_if_the_rest_of_the_response_does_not_arrive() {
        let attempt = attempt("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ntake").await;
        assert_eq!((attempt.outcome, attempt.answer.as_str()), (Ok(200), "take"));
    }

    /// The request that a server with this URL receives, without the headers whose values vary.
    async fn sent(scheme: &str, rest: &str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let url = EndpointUrl::new(format!("{scheme}://{address}{rest}")).unwrap();
        let receiver = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut request, mut piece) = (Vec::new(), [0; 4_096]);
            while !request.ends_with(b"{}") {
                let read = stream.read(&mut piece).await.unwrap();
                request.extend_from_slice(&piece[..read]);
            }
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
            String::from_utf8(request).unwrap().replace(&address.to_string(), "ADDRESS")
        });
        let (timestamp, signature, body) = (7, "v1,abc".to_owned(), b"{}".to_vec());
        let request = SignedRequest { owner: an_owner(), url, event_id: an_id(1), timestamp, signature, body };
        let attempt = HttpSender::new(Arc::new(SystemClock), DEVELOPMENT).send(request).await;
        assert_eq!(attempt.outcome, Ok(204));
        receiver.await.unwrap()
    }

    #[tokio::test]
    async fn a_request_contains_the_signed_body_and_the_whole_url() {
        let event: EventId = an_id(1);
        let version = env!("CARGO_PKG_VERSION");
        for (rest, target) in [("", "/"), ("/a%20b/?c=d", "/a%20b/?c=d"), ("?c=d", "/?c=d")] {
            let wanted = format!(
                "POST {target} HTTP/1.1\r\nuser-agent: Patron-Webhooks/{version}\r\naccept: */*\r\n\
                 content-type: application/json\r\nwebhook-id: {event}\r\nwebhook-timestamp: 7\r\n\
                 webhook-signature: v1,abc\r\nhost: ADDRESS\r\ncontent-length: 2\r\n\r\n{{}}"
            );
            assert_eq!(sent("http", rest).await, wanted);
            assert_eq!(sent("HTTP", rest).await, wanted);
        }
    }

    #[tokio::test]
    async fn without_a_status_the_attempt_times_out() {
        let attempt = attempt("HTTP/1.1 200 OK\r\n").await;
        assert_eq!((attempt.outcome, attempt.answer.as_str()), (Err(SendFailure::Timeout), ""));
    }
}
