//! An upper limit for the time that callers wait for a store.
//!
//! Each step has its own limit, and this one covers all of them. A write continues after its caller has given up.

use std::time::Duration;

use patron_domain::store::StoreError;

use super::metrics;

/// The default: less than clients wait.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// Waits for an answer for at most `limit`. The future must only wait: it is dropped when the time is up.
pub(crate) async fn within<T, E: From<StoreError>>(
    database: &'static str,
    limit: Duration,
    answer: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    match tokio::time::timeout(limit, answer).await {
        Ok(answer) => answer,
        Err(_) => {
            metrics::refused(database, "no_answer_in_time");
            let reason = "it did not answer in time, and it is not known whether a change was made; look for it \
                          before trying again, or repeat the request with its Idempotency-Key";
            Err(StoreError::Unavailable { reason: reason.to_owned() }.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{TIMEOUT, within};
    use patron_domain::store::StoreError;

    #[tokio::test(start_paused = true)]
    async fn no_caller_waits_for_ever() {
        let never = within("sqlite", TIMEOUT, std::future::pending::<Result<(), StoreError>>());
        let never = tokio::time::timeout(2 * TIMEOUT, never).await.expect("an answer");
        assert!(matches!(never, Err(StoreError::Unavailable { .. })));
        assert_eq!(within::<_, StoreError>("sqlite", TIMEOUT, async { Ok(7) }).await, Ok(7));
    }
}
