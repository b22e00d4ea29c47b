//! Finding a server: the first usable host of the URL.
//!
//! libpq tries one host after the other (PostgreSQL, section 34.1.1.3), so a host that accepts a connection and then
//! hangs would hide the hosts behind it. Here each host has a time limit for its whole handshake, and the next one is
//! tried as soon as the previous one fails or is slow. The slow one is still used if it answers first.
//!
//! While no host is usable, one connection at a time tries all of them repeatedly, and the others wait for its result.
//! So a fail-over is noticed soon, and the remaining servers are not flooded.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{hosts::Place, session::Session, settings::Settings};

/// How long to wait for a host before the next one is tried too.
const HEAD_START: Duration = Duration::from_millis(200);
/// The pause between two rounds over all hosts.
const PAUSE: Duration = Duration::from_millis(100);

/// The reason why connecting failed.
#[derive(Debug, Clone)]
pub(super) struct NotConnected {
    /// The message of the server or the operating system. It may name user and database, but no data.
    pub(super) reason: String,
    /// Whether another try would fail too, as with a wrong password or a missing database.
    pub(super) lasting: bool,
}

impl From<String> for NotConnected {
    fn from(reason: String) -> Self {
        Self { reason, lasting: false }
    }
}

/// The state that connections share while they look for a server.
#[derive(Default)]
pub(super) struct Door {
    /// Whether the last try found no server.
    is_shut: AtomicBool,
    /// The reason.
    reason: Mutex<Option<String>>,
    turn: tokio::sync::Mutex<()>,
    age: AtomicU64,
    losses: AtomicU64,
    rounds: AtomicUsize,
}

impl Door {
    /// The generation of new connections. A new one begins when a server hangs or becomes a standby.
    pub(super) fn age(&self) -> u64 {
        self.age.load(Ordering::Relaxed)
    }

    /// The number of lost connections.
    pub(super) fn losses(&self) -> u64 {
        self.losses.load(Ordering::Acquire)
    }

    /// Counts a lost connection.
    pub(super) fn lost(&self) {
        self.losses.fetch_add(1, Ordering::AcqRel);
    }

    /// Begins a new generation: connections made before are not used again.
    pub(super) fn doubt(&self) {
        self.age.fetch_add(1, Ordering::Relaxed);
    }

    fn shut(&self, reason: &str) {
        self.is_shut.store(true, Ordering::Relaxed);
        *self.reason.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.to_owned());
    }

    fn open(&self) {
        self.is_shut.store(false, Ordering::Relaxed);
    }

    fn reason(&self) -> Option<String> {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Connects, and tries again until the time is up.
///
/// # Errors
/// The result of the last try.
#[expect(clippy::disallowed_methods, reason = "the duration of connecting is not part of the domain")]
pub(super) async fn with_retries(settings: &Settings) -> Result<Session, String> {
    let door = settings.door.as_ref();
    let until = Instant::now() + settings.timeouts.connect;
    let late = || door.reason().unwrap_or_else(|| format!("no answer within {:?}", settings.timeouts.connect));
    loop {
        let turn = match door.is_shut.load(Ordering::Relaxed) {
            true => Some(timeout_at(until, door.turn.lock()).await.map_err(|_| late())?),
            false => None,
        };
        let found = timeout_at(until, once(settings)).await;
        match found {
            Ok(Ok(session)) => {
                door.open();
                return Ok(session);
            }
            Ok(Err(NotConnected { reason, lasting: true })) => return Err(reason),
            Ok(Err(NotConnected { reason, .. })) => door.shut(&reason),
            Err(_) => {
                door.is_shut.store(true, Ordering::Relaxed);
                return Err(late());
            }
        }
        if Instant::now() + PAUSE >= until {
            return Err(late());
        }
        sleep(PAUSE).await;
        drop(turn);
    }
}

/// Connects to the first usable host, with one try for each.
///
/// # Errors
/// The errors of all hosts.
pub(super) async fn once(settings: &Settings) -> Result<Session, NotConnected> {
    let mut places: Vec<_> = settings.places.iter().collect();
    if settings.spread && !places.is_empty() {
        let first = settings.door.rounds.fetch_add(1, Ordering::Relaxed) % places.len();
        places.rotate_left(first);
    }
    let several = places.len() > 1;
    let tries = places.into_iter().map(|place| async move {
        let found = at_place(settings, place).await;
        found.map_err(|error| match several {
            true => NotConnected { reason: format!("{place}: {}", error.reason), ..error },
            false => error,
        })
    });
    first(tries).await
}

/// Connects to the first usable address of a host.
async fn at_place(settings: &Settings, place: &Place) -> Result<Session, NotConnected> {
    let limit = settings.timeouts.handshake;
    let late = || NotConnected::from(format!("no answer within {limit:?}"));
    let addresses = timeout(limit, place.addresses()).await.map_err(|_| late())??;
    let tries = addresses.into_iter().map(|place| async move {
        timeout(limit, Session::establish(settings, &place.config)).await.unwrap_or_else(|_| Err(late()))
    });
    first(tries).await
}

/// The first success among tries that begin one after the other, each when the previous one has failed or had its head
/// start.
async fn first<T>(
    tries: impl Iterator<Item = impl Future<Output = Result<T, NotConnected>>>,
) -> Result<T, NotConnected> {
    let mut waiting = tries.fuse();
    let mut running = FuturesUnordered::new();
    let mut failed: Vec<NotConnected> = Vec::new();
    let mut more = true;
    loop {
        match waiting.next() {
            Some(next) => running.push(next),
            None => more = false,
        }
        let done = match more {
            // A slow one continues, and the next one begins beside it.
            true => timeout(HEAD_START, running.next()).await.ok().flatten(),
            false => running.next().await,
        };
        match done {
            Some(Ok(found)) => return Ok(found),
            Some(Err(error)) => failed.push(error),
            None if more => {}
            None => break,
        }
    }
    let lasting = failed.iter().any(|error| error.lasting);
    let reasons: Vec<_> = failed.into_iter().map(|error| error.reason).collect();
    let reason = if reasons.is_empty() { "the host has no address".to_owned() } else { reasons.join("; ") };
    Err(NotConnected { reason, lasting })
}

#[cfg(test)]
mod tests {
    use std::{
        future::{pending, ready},
        time::Duration,
    };

    use futures_util::future::{BoxFuture, FutureExt};
    use tokio::time::{Instant, sleep};

    use super::{HEAD_START, NotConnected, first};

    type Try = BoxFuture<'static, Result<u8, NotConnected>>;

    fn fails(reason: &str) -> Try {
        ready(Err(NotConnected::from(reason.to_owned()))).boxed()
    }

    fn answers(value: u8, after: Duration) -> Try {
        sleep(after).map(move |()| Ok(value)).boxed()
    }

    #[tokio::test(start_paused = true)]
    #[expect(clippy::disallowed_methods, reason = "the clock of the test is paused")]
    async fn a_host_that_hangs_does_not_hide_the_next_one() {
        let begun = Instant::now();
        let tries = [pending().boxed(), pending().boxed(), answers(3, Duration::ZERO)];
        assert_eq!(first(tries.into_iter()).await.unwrap(), 3);
        assert!(begun.elapsed() < 3 * HEAD_START);
    }

    #[tokio::test(start_paused = true)]
    #[expect(clippy::disallowed_methods, reason = "the clock of the test is paused")]
    async fn a_failure_starts_the_next_try_and_the_first_success_wins() {
        let begun = Instant::now();
        let tries = [fails("a"), answers(2, HEAD_START / 2), answers(3, HEAD_START)];
        assert_eq!(first(tries.into_iter()).await.unwrap(), 2);
        assert_eq!(begun.elapsed(), HEAD_START / 2);
        let tries = [answers(1, HEAD_START * 2), answers(2, HEAD_START * 3)];
        assert_eq!(first(tries.into_iter()).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn the_error_has_the_reasons_of_all_tries() {
        let error = first([fails("a"), fails("b")].into_iter()).await.unwrap_err();
        assert_eq!((error.reason.as_str(), error.lasting), ("a; b", false));
        let lasting = NotConnected { reason: "c".to_owned(), lasting: true };
        let error = first([fails("a"), ready(Err(lasting)).boxed()].into_iter()).await.unwrap_err();
        assert!(error.lasting);
        let none: [Try; 0] = [];
        assert!(first(none.into_iter()).await.is_err());
    }
}
