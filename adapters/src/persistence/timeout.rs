//! How long callers wait for a store, whatever happens to it.
//!
//! Every step has a limit of its own; this one is over all of them. A write goes on when its caller has given up.

use std::time::Duration;

use patron_domain::store::StoreError;

use super::metrics;

/// The longest that a caller waits: two tries of a server that hangs, and less than what clients wait.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// The answer, if it comes in time. The future must be one that only waits: it is dropped when the time is up.
pub(crate) async fn within<T, E: From<StoreError>>(
    database: &'static str,
    answer: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    match tokio::time::timeout(TIMEOUT, answer).await {
        Ok(answer) => answer,
        Err(_) => {
            metrics::refused(database, "no_answer_in_time");
            let reason = "it did not answer in time, and whether a change was made is not known; look for it before trying \
                          again, or repeat the request with its Idempotency-Key";
            Err(StoreError::Unavailable { reason: reason.to_owned() }.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{TIMEOUT, within};
    use patron_domain::store::StoreError;

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever() {
        let never = within("sqlite", std::future::pending::<Result<(), StoreError>>());
        let never = tokio::time::timeout(2 * TIMEOUT, never).await.expect("an answer");
        assert!(matches!(never, Err(StoreError::Unavailable { .. })));
        assert_eq!(within::<_, StoreError>("sqlite", async { Ok(7) }).await, Ok(7));
    }
}
