//! A proxy between a store and its PostgreSQL server that cuts connections in the middle of a commit.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// The point at which a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The commit does not reach the server.
    BeforeCommit,
    /// The commit reaches the server, but its answer is lost.
    AfterCommit,
    /// Like [`Self::AfterCommit`], but the commit arrives this long after the connection was cut.
    LateCommit(Duration),
}

/// Forwards connections to a server, and cuts the first one that commits after a cut was requested.
pub struct Proxy {
    port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    cut: Option<Cut>,
    done: usize,
    /// Whether new connections are refused after the next cut.
    shuts: bool,
    is_shut: bool,
}

impl Proxy {
    /// A proxy in front of the server on this port of 127.0.0.1.
    pub async fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if shared.lock().unwrap_or_else(PoisonError::into_inner).is_shut {
                    continue;
                }
                // Without a server the client is disconnected, as by the server itself.
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else { continue };
                tokio::spawn(carry(client, server, shared.clone()));
            }
        });
        Self { port, state }
    }

    /// The URL of a database through the proxy.
    #[must_use]
    pub fn url(&self, direct: &str, server: u16) -> String {
        direct.replace(&format!(":{server}/"), &format!(":{}/", self.port))
    }

    /// Cuts the next connection that commits.
    pub fn cut(&self, cut: Cut) {
        self.lock().cut = Some(cut);
    }

    /// Cuts the next connection that commits, then refuses new ones until [`Self::admit`].
    pub fn cut_off(&self, cut: Cut) {
        let mut state = self.lock();
        (state.cut, state.shuts) = (Some(cut), true);
    }

    /// Accepts connections again.
    pub fn admit(&self) {
        let mut state = self.lock();
        (state.shuts, state.is_shut) = (false, false);
    }

    /// Whether every cut has been made.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.lock().cut.is_none()
    }

    /// The number of cut connections.
    #[must_use]
    pub fn cuts(&self) -> usize {
        self.lock().done
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bytes of a commit, which every transaction sends as a simple query.
const COMMIT: &[u8] = b"COMMIT\0";

async fn carry(mut client: TcpStream, mut server: TcpStream, state: Arc<Mutex<State>>) {
    let (mut asked, mut answered) = ([0; 65_536], [0; 65_536]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(count @ 1..) = read else { return };
                let bytes = &asked[..count];
                // A client sends nothing after a commit until it is answered, so a commit is always at the end of the buffer.
                let due = if bytes.ends_with(COMMIT) { take(&state) } else { None };
                match due {
                    Some(Cut::BeforeCommit) => return,
                    Some(Cut::AfterCommit) => {
                        let _ = server.write_all(bytes).await;
                        let _ = server.read(&mut answered).await;
                        return;
                    }
                    Some(Cut::LateCommit(late)) => {
                        drop(client);
                        tokio::time::sleep(late).await;
                        let _ = server.write_all(bytes).await;
                        let _ = server.read(&mut answered).await;
                        return;
                    }
                    None => {}
                }
                if server.write_all(bytes).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let Ok(count @ 1..) = read else { return };
                if client.write_all(&answered[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}

fn take(state: &Mutex<State>) -> Option<Cut> {
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    let cut = state.cut.take();
    state.done += usize::from(cut.is_some());
    state.is_shut |= cut.is_some() && state.shuts;
    cut
}
