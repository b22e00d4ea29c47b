//! The connection to the server, plain or over TLS. Only this module decides which; it also watches the connection for
//! errors.

use std::{
    convert::Infallible,
    io::{self, ErrorKind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::sqlstate::{LastError, Watch};

/// Secures the sockets of new connections.
///
/// tokio-postgres hands over every socket untouched, because it is configured for direct TLS. So this module sends the
/// TLS request and reads the answer itself, and watches plain and encrypted connections alike.
#[derive(Clone)]
pub(super) struct Link {
    security: Arc<Security>,
    last_error: Arc<LastError>,
}

/// The security of sockets.
pub(super) enum Security {
    /// No TLS.
    Plain,
    /// TLS if the server offers it. A failed handshake is an error: only the server's plain "no" leads to a plain
    /// connection.
    Prefer {
        tls: MakeRustlsConnect,
        /// Whether to warn about a plain connection. Only the first one is warned about.
        warn: AtomicBool,
    },
    /// TLS is required.
    Tls { tls: MakeRustlsConnect, mode: &'static str },
}

/// A request for TLS (PostgreSQL, section 55.7, SSLRequest): its length, and a number that no protocol version has.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

impl Security {
    pub(super) fn prefer(client: ClientConfig, warn: bool) -> Self {
        Self::Prefer { tls: MakeRustlsConnect::new(client), warn: AtomicBool::new(warn) }
    }

    pub(super) fn tls(client: ClientConfig, mode: &'static str) -> Self {
        Self::Tls { tls: MakeRustlsConnect::new(client), mode }
    }
}

impl Link {
    pub(super) fn new(security: Security) -> Self {
        Self { security: Arc::new(security), last_error: Arc::default() }
    }

    /// A copy for one connection, which records its own last error.
    pub(super) fn for_one(&self) -> (Self, Arc<LastError>) {
        let last_error = Arc::<LastError>::default();
        (Self { security: self.security.clone(), last_error: last_error.clone() }, last_error)
    }

    /// A handshake for a host. The server's certificate must carry this name, if names are checked.
    pub(super) fn to(&self, host: &str) -> Handshake {
        Handshake { link: self.clone(), host: host.to_owned() }
    }

    /// The effective `sslmode`.
    #[cfg(test)]
    pub(super) fn describe(&self) -> &'static str {
        match self.security.as_ref() {
            Security::Plain => "disable",
            Security::Prefer { .. } => "prefer",
            Security::Tls { mode, .. } => mode,
        }
    }
}

impl<S: Socket> MakeTlsConnect<S> for Link {
    type Stream = Watched<S>;
    type TlsConnect = Handshake;
    type Error = Infallible;

    fn make_tls_connect(&mut self, host: &str) -> Result<Handshake, Infallible> {
        Ok(self.to(host))
    }
}

/// A transport of connections.
pub(super) trait Socket: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Socket for S {}

/// Secures one socket.
pub(super) struct Handshake {
    link: Link,
    host: String,
}

impl<S: Socket> TlsConnect<S> for Handshake {
    type Stream = Watched<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Watched<S>>> + Send>>;

    fn connect(self, socket: S) -> Self::Future {
        Box::pin(async move {
            let channel = self.secure(socket).await?;
            Ok(Watched { channel, watch: Watch::default(), last_error: self.link.last_error })
        })
    }
}

impl Handshake {
    async fn secure<S: Socket>(&self, mut socket: S) -> io::Result<Channel<S>> {
        match self.link.security.as_ref() {
            Security::Plain => Ok(Channel::Plain(socket)),
            Security::Prefer { tls, warn } => {
                if offers_tls(&mut socket).await? {
                    return self.encrypt(socket, tls, "prefer").await;
                }
                if warn.swap(false, Ordering::Relaxed) {
                    tracing::warn!(
                        host = self.host,
                        "the connection to PostgreSQL is not encrypted: the server offers no TLS, and sslmode=prefer \
                         allows that; enable TLS on the server, or set sslmode=disable if this is intended"
                    );
                }
                Ok(Channel::Plain(socket))
            }
            Security::Tls { tls, mode } => {
                if offers_tls(&mut socket).await? {
                    return self.encrypt(socket, tls, mode).await;
                }
                let reason =
                    format!("the server offers no TLS, which sslmode={mode} requires; enable TLS on the server");
                Err(io::Error::new(ErrorKind::ConnectionRefused, reason))
            }
        }
    }

    async fn encrypt<S: Socket>(&self, socket: S, tls: &MakeRustlsConnect, mode: &str) -> io::Result<Channel<S>> {
        let connect = MakeTlsConnect::<S>::make_tls_connect(&mut tls.clone(), &self.host);
        let connect = connect.unwrap_or_else(|never| match never {});
        match connect.connect(socket).await {
            Ok(stream) => Ok(Channel::Tls(Box::new(stream))),
            Err(error) => Err(io::Error::new(error.kind(), format!("{error} (sslmode={mode})"))),
        }
    }
}

/// Asks for TLS. Reads exactly one byte, so that bytes injected after it are not mistaken for the server's.
async fn offers_tls<S: Socket>(socket: &mut S) -> io::Result<bool> {
    socket.write_all(&SSL_REQUEST).await?;
    match socket.read_u8().await? {
        b'S' => Ok(true),
        b'N' => Ok(false),
        _ => Err(io::Error::new(ErrorKind::InvalidData, "this is not a PostgreSQL server, or it rejects connections")),
    }
}

type Encrypted<S> = <MakeRustlsConnect as MakeTlsConnect<S>>::Stream;

/// A socket, plain or over TLS.
enum Channel<S: Socket> {
    Plain(S),
    Tls(Box<Encrypted<S>>),
}

/// A connection whose errors are recorded.
pub(super) struct Watched<S: Socket> {
    channel: Channel<S>,
    watch: Watch,
    last_error: Arc<LastError>,
}

impl<S: Socket> Watched<S> {
    fn reader(&mut self) -> Pin<&mut (dyn AsyncRead + Unpin)> {
        Pin::new(match &mut self.channel {
            Channel::Plain(socket) => socket,
            Channel::Tls(stream) => stream.as_mut(),
        })
    }

    fn writer(&mut self) -> Pin<&mut (dyn AsyncWrite + Unpin)> {
        Pin::new(match &mut self.channel {
            Channel::Plain(socket) => socket,
            Channel::Tls(stream) => stream.as_mut(),
        })
    }
}

impl<S: Socket> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = self.reader().poll_read(cx, buf);
        let Self { watch, last_error, .. } = &mut *self;
        watch.feed(&buf.filled()[before..], last_error);
        polled
    }
}

impl<S: Socket> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.writer().poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer().poll_shutdown(cx)
    }
}

impl<S: Socket> TlsStream for Watched<S> {
    fn channel_binding(&self) -> ChannelBinding {
        match &self.channel {
            Channel::Plain(_) => ChannelBinding::none(),
            Channel::Tls(stream) => stream.channel_binding(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio_postgres::tls::TlsConnect;
    use tracing::{Event, Level, Metadata, Subscriber, span};

    use super::{Link, SSL_REQUEST, Security};
    use crate::persistence::postgres::tls::{Check, Files, client_config};

    /// Returns the bytes that the client sends after this answer to its TLS request, and its outcome.
    async fn answered(security: Security, answer: &[u8]) -> (Vec<u8>, Result<(), String>) {
        let (client, mut server) = duplex(10_000);
        let handshake = Link::new(security).to("db.example");
        let client = tokio::spawn(async move { handshake.connect(client).await.map(drop).map_err(|e| e.to_string()) });
        let mut request = [0; 8];
        server.read_exact(&mut request).await.unwrap();
        assert_eq!(request, SSL_REQUEST);
        server.write_all(answer).await.unwrap();
        let mut rest = Vec::new();
        // A client that continues speaks TLS, whose first byte announces a handshake.
        let mut first = [0; 1];
        if server.read(&mut first).await.unwrap() == 1 {
            rest.push(first[0]);
        }
        drop(server);
        (rest, client.await.unwrap())
    }

    fn client() -> rustls::ClientConfig {
        client_config(Check::Nothing, &Files::default()).unwrap()
    }

    #[tokio::test]
    async fn nothing_is_sent_in_plain_if_tls_is_required() {
        let (sent, ended) = answered(Security::tls(client(), "require"), b"N").await;
        assert!(sent.is_empty());
        assert!(ended.unwrap_err().contains("the server offers no TLS, which sslmode=require requires"));
        let (sent, ended) = answered(Security::tls(client(), "require"), b"S").await;
        assert_eq!(sent, [22], "TLS");
        assert!(ended.unwrap_err().contains("(sslmode=require)"));
    }

    #[tokio::test]
    async fn only_a_plain_no_leads_to_a_plain_connection() {
        assert_eq!(answered(Security::prefer(client(), true), b"N").await, (Vec::new(), Ok(())));
        // Bytes injected after the yes are taken neither for TLS nor for the server's.
        let (_, ended) = answered(Security::prefer(client(), true), b"SR\0\0\0\x08\0\0\0\0").await;
        assert!(ended.is_err());
        let (sent, ended) = answered(Security::prefer(client(), true), b"E").await;
        assert!(sent.is_empty() && ended.unwrap_err().contains("not a PostgreSQL server"));
    }

    /// Counts warnings.
    #[derive(Clone, Default)]
    struct Warnings(Arc<AtomicUsize>);

    impl Subscriber for Warnings {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            *metadata.level() == Level::WARN
        }

        fn event(&self, _: &Event<'_>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }

        fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
            span::Id::from_u64(1)
        }

        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
        fn enter(&self, _: &span::Id) {}
        fn exit(&self, _: &span::Id) {}
    }

    #[tokio::test]
    async fn an_unexpected_plain_connection_is_warned_about_once() {
        for (expected, warnings) in [(true, 1), (false, 0)] {
            let seen = Warnings::default();
            let _here = tracing::subscriber::set_default(seen.clone());
            let link = Link::new(Security::prefer(client(), expected));
            for _ in 0..3 {
                let (client, mut server) = duplex(100);
                server.write_all(b"N").await.unwrap();
                link.for_one().0.to("db.example").connect(client).await.unwrap();
            }
            assert_eq!(seen.0.load(Ordering::Relaxed), warnings);
        }
    }
}
