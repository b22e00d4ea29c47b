//! A receiver of webhooks that costs little: it counts what arrives, answers 204 at once, and keeps one request in a thousand.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const TAKEN: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";

/// A request as it arrived.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arrived {
    /// Names, in lower case, and values of the headers.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

/// A receiver on its own thread, until this process ends.
#[derive(Debug, Clone)]
pub(crate) struct Sink {
    address: SocketAddr,
    count: Arc<AtomicU64>,
    kept: Arc<Mutex<Arrived>>,
}

impl Sink {
    /// Starts one.
    pub(crate) fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a socket");
        let address = listener.local_addr().expect("an address");
        let sink = Self { address, count: Arc::default(), kept: Arc::default() };
        let this = sink.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).expect("a listener");
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(this.clone().take(stream));
                }
            });
        });
        sink
    }

    /// Where deliveries go.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// How many requests have arrived.
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// One of the last thousand requests.
    pub(crate) fn sample(&self) -> Arrived {
        self.kept.lock().expect("no panic").clone()
    }

    async fn take(self, mut stream: TcpStream) {
        let mut buffer = Vec::with_capacity(8192);
        while let Ok(1..) = stream.read_buf(&mut buffer).await {
            while let Some((begin, end)) = whole(&buffer) {
                if self.count.fetch_add(1, Ordering::Relaxed).is_multiple_of(1000) {
                    *self.kept.lock().expect("no panic") = arrived(&buffer[..end], begin);
                }
                buffer.drain(..end);
                if stream.write_all(TAKEN).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Where the body of the first request begins and ends, once all of it is there.
pub(crate) fn whole(buffer: &[u8]) -> Option<(usize, usize)> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut request = httparse::Request::new(&mut headers);
    let Ok(httparse::Status::Complete(begin)) = request.parse(buffer) else { return None };
    let length = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|header| std::str::from_utf8(header.value).ok()?.parse().ok()).unwrap_or(0);
    let end: usize = begin + length;
    (buffer.len() >= end).then_some((begin, end))
}

fn arrived(bytes: &[u8], begin: usize) -> Arrived {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut request = httparse::Request::new(&mut headers);
    // It was parsed before.
    let _ = request.parse(bytes);
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let headers = request.headers.iter().map(|header| (header.name.to_lowercase(), text(header.value))).collect();
    Arrived { headers, body: bytes[begin..].to_vec() }
}
