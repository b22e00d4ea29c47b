//! Clearing away, in the background, what has served its time: a little at a time, so that no request waits for it.

use std::{sync::Arc, time::Duration};

use patron_domain::{Clock, customer::Housekeeping, store::StoreError, tenancy::SystemScope};

/// The most records that are removed at once: few enough to hold up a writer for a moment only.
const STEP: u32 = 200;
/// How long it takes from one step to the next while there is more to remove.
const BREATH: Duration = Duration::from_millis(200);
/// How often is looked whether there is anything.
const PAUSE: Duration = Duration::from_secs(60);

/// Removes records of idempotency keys that are older than this, again and again, for as long as the process lives. To be
/// run in a task of its own.
pub async fn keep_house(store: Arc<dyn Housekeeping>, clock: Arc<dyn Clock>, idempotency_ttl: Duration) {
    loop {
        tokio::time::sleep(PAUSE).await;
        // What went wrong is no request's business; it is tried again.
        if let Err(error) = remove_old(store.as_ref(), clock.as_ref(), idempotency_ttl).await {
            tracing::warn!(%error, "old idempotency records are removed later");
        }
    }
}

async fn remove_old(store: &dyn Housekeeping, clock: &dyn Clock, ttl: Duration) -> Result<(), StoreError> {
    let scope = SystemScope::patron();
    let made_before = clock.now().earlier(ttl);
    while store.remove_idempotency_records(&scope, made_before, STEP).await? == u64::from(STEP) {
        tokio::time::sleep(BREATH).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use patron_domain::{MockClock, customer::MockHousekeeping, testkit::a_time};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_goes_on_in_steps_until_less_than_a_step_is_left() {
        let mut clock = MockClock::new();
        clock.expect_now().return_const(a_time());
        let mut store = MockHousekeeping::new();
        let mut left = vec![u64::from(STEP), u64::from(STEP), 7];
        left.reverse();
        let ttl = Duration::from_secs(3_600);
        store
            .expect_remove_idempotency_records()
            .times(3)
            .withf(move |_, before, limit| *before == a_time().earlier(ttl) && *limit == STEP)
            .returning(move |_, _, _| Ok(left.pop().unwrap_or_default()));
        remove_old(&store, &clock, ttl).await.unwrap();
    }
}
