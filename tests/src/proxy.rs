//! A proxy of ours between a store and its PostgreSQL server, which cuts connections in the middle of a commit.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Where a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The commit does not reach the server.
    BeforeCommit,
    /// The commit reaches the server, its answer does not come back.
    AfterCommit,
    /// As [`Self::AfterCommit`], but the commit is on its way for this long after the connection was cut.
    LateCommit(Duration),
}

/// Carries connections to a server, and cuts the first one that commits after it was told to.
pub struct Proxy {
    port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    cut: Option<Cut>,
    done: usize,
    /// Whether the next cut is the end of all connections, for a while.
    shuts: bool,
    is_shut: bool,
}

impl Proxy {
    /// A proxy before the server on a port of 127.0.0.1.
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
                // Without a server the client is cut off, as it would be there.
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

    /// Cuts the next connection that commits, and refuses new ones from then on, until [`Self::admit`].
    pub fn cut_off(&self, cut: Cut) {
        let mut state = self.lock();
        (state.cut, state.shuts) = (Some(cut), true);
    }

    /// Takes connections again.
    pub fn admit(&self) {
        let mut state = self.lock();
        (state.shuts, state.is_shut) = (false, false);
    }

    /// Whether every cut has been made.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.lock().cut.is_none()
    }

    /// How many connections were cut.
    #[must_use]
    pub fn cuts(&self) -> usize {
        self.lock().done
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bytes of a commit, as every transaction of ours ends: a simple query.
const COMMIT: &[u8] = b"COMMIT\0";

async fn carry(mut client: TcpStream, mut server: TcpStream, state: Arc<Mutex<State>>) {
    let (mut asked, mut answered) = ([0; 65_536], [0; 65_536]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(count @ 1..) = read else { return };
                let bytes = &asked[..count];
                // Nothing is sent behind a commit before it was answered, so the word ends what was read.
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
