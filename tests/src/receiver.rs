//! A local webhook receiver that answers as a test requests and records the requests.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use reqwest::header::HeaderMap;
use serde_json::Value;
use standardwebhooks::Webhook;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::wait::TIMEOUT;

/// One received request.
#[derive(Debug, Clone)]
pub struct Received {
    /// The headers, with names in lower case.
    pub headers: HashMap<String, String>,
    /// The bytes of the body.
    pub body: Vec<u8>,
    /// The status it was answered with.
    pub status: u16,
}

impl Received {
    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// A header, which must be present.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name} in {:?}", self.headers))
    }

    /// Whether the public library of Standard Webhooks accepts its signature and timestamp.
    #[must_use]
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let mut headers = HeaderMap::new();
        for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
            headers.insert(name, self.header(name).parse().expect("a header"));
        }
        Webhook::new(secret).expect("a secret").verify(&self.body, &headers).is_ok()
    }
}

/// The answer to a request.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Additional headers, each with its line end.
    pub headers: String,
    /// The body.
    pub body: Vec<u8>,
    /// The delay before the answer.
    pub after: Duration,
}

impl Reply {
    /// An immediate answer with a status only.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self { status, headers: String::new(), body: Vec::new(), after: Duration::ZERO }
    }
}

type Behaviour = Arc<dyn Fn(usize, &Value) -> Reply + Send + Sync>;

/// A receiver, stopped on drop.
pub struct Receiver {
    port: u16,
    received: Arc<Mutex<Vec<Received>>>,
    task: JoinHandle<()>,
}

impl Receiver {
    /// A receiver that accepts everything.
    pub async fn start() -> Self {
        Self::answering(|_, _| Reply::status(204)).await
    }

    /// A receiver whose answer depends on the number of the request, from 0, and its body.
    pub async fn answering(behaviour: impl Fn(usize, &Value) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let received = Arc::new(Mutex::new(Vec::new()));
        let (kept, behaviour): (_, Behaviour) = (received.clone(), Arc::new(behaviour));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, kept.clone(), behaviour.clone()));
            }
        });
        Self { port, received, task }
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    /// The same, with a host name that resolves to this machine.
    #[must_use]
    pub fn named_url(&self) -> String {
        format!("http://localhost:{}/hook", self.port)
    }

    /// The requests received so far.
    #[must_use]
    pub fn all(&self) -> Vec<Received> {
        self.received.lock().expect("no panic").clone()
    }

    /// The number of requests received so far.
    #[must_use]
    pub fn count(&self) -> usize {
        self.received.lock().expect("no panic").len()
    }

    /// Waits until this many requests have arrived, as long as they keep arriving.
    ///
    /// # Panics
    /// When none arrives for [`TIMEOUT`].
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        let (mut last, mut moved) = (0, Instant::now());
        loop {
            let all = self.all();
            if all.len() >= count {
                return all;
            }
            if all.len() > last {
                (last, moved) = (all.len(), Instant::now());
            }
            assert!(moved.elapsed() < TIMEOUT, "{last} of {count} arrived, then none for {TIMEOUT:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, kept: Arc<Mutex<Vec<Received>>>, behaviour: Behaviour) {
    let mut buffer = Vec::new();
    while let Some((headers, body)) = read(&mut stream, &mut buffer).await {
        let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let reply = {
            let mut kept = kept.lock().expect("no panic");
            let reply = behaviour(kept.len(), &json);
            kept.push(Received { headers, body, status: reply.status });
            reply
        };
        tokio::time::sleep(reply.after).await;
        let length = reply.body.len();
        let head = format!("HTTP/1.1 {} X\r\ncontent-length: {length}\r\n{}\r\n", reply.status, reply.headers);
        let written = stream.write_all(&[head.as_bytes(), &reply.body].concat()).await;
        if written.is_err() {
            return;
        }
    }
}

/// Reads one request; `None` at the end of the connection.
async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<(HashMap<String, String>, Vec<u8>)> {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut request = httparse::Request::new(&mut headers);
        if let Ok(httparse::Status::Complete(begin)) = request.parse(buffer) {
            let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
            let headers: HashMap<_, _> =
                request.headers.iter().map(|one| (one.name.to_lowercase(), text(one.value))).collect();
            let length: usize = headers.get("content-length")?.parse().ok()?;
            if buffer.len() >= begin + length {
                let body = buffer[begin..begin + length].to_vec();
                buffer.drain(..begin + length);
                return Some((headers, body));
            }
        }
        let mut chunk = [0; 16_384];
        match stream.read(&mut chunk).await {
            Ok(read) if read > 0 => buffer.extend_from_slice(&chunk[..read]),
            _ => return None,
        }
    }
}
