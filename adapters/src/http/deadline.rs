//! A time limit for a request, from the end of its body to the start of its answer.
//!
//! The time for receiving the body does not count. It has its own limit (`body`).

use std::{
    pin::pin,
    sync::OnceLock,
    time::{Duration, Instant},
};

use rocket::{Request, tokio::time::timeout};

/// The time spent waiting for the body of a request.
#[derive(Default)]
struct BodyTime {
    begun: OnceLock<Instant>,
    ended: OnceLock<Instant>,
}

/// Records that the request waits for its body, until the value is dropped.
#[expect(clippy::disallowed_methods, reason = "the duration of a transfer is not part of the domain")]
pub(super) fn body_begins<'r>(request: &'r Request<'_>) -> impl Sized + use<'r> {
    struct Ends<'r>(&'r BodyTime);

    impl Drop for Ends<'_> {
        #[expect(clippy::disallowed_methods, reason = "the duration of a transfer is not part of the domain")]
        fn drop(&mut self) {
            let _ = self.0.ended.set(Instant::now());
        }
    }

    let time = request.local_cache(BodyTime::default);
    let _ = time.begun.set(Instant::now());
    Ends(time)
}

impl BodyTime {
    /// The time spent waiting for the body.
    fn so_far(&self, now: Instant) -> Duration {
        let Some(begun) = self.begun.get() else { return Duration::ZERO };
        self.ended.get().copied().unwrap_or(now).saturating_duration_since(*begun)
    }
}

/// Waits for the answer. A twentieth of the limit is kept for sending it.
#[expect(clippy::disallowed_methods, reason = "the duration of a request is not part of the domain")]
pub(super) async fn within<T>(
    request: &Request<'_>,
    begun: Instant,
    limit: Duration,
    answer: impl Future<Output = T>,
) -> Option<T> {
    let mut answer = pin!(answer);
    let limit = limit * 19 / 20;
    let body = request.local_cache(BodyTime::default);
    loop {
        let now = Instant::now();
        let left = (begun + limit + body.so_far(now)).saturating_duration_since(now);
        if left.is_zero() {
            return None;
        }
        if let Ok(answer) = timeout(left, answer.as_mut()).await {
            return Some(answer);
        }
    }
}
