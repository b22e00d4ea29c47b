//! Reports scheduled changes of tax rates when they begin, as the event `tax_rate.value_changed`.

use std::{sync::Arc, time::Duration};

use patron_domain::{Clock, ids::IdGenerator, store::StoreError, tax::TaxRepository, tenancy::SystemScope};

/// The time between two checks.
const TICK: Duration = Duration::from_secs(1);
/// The most rates that one step changes.
const STEP: u32 = 100;

/// Writes the events. Any number of servers may run it: each change is decided under a lock on its rate, so it is reported
/// once, also if it began while no server ran.
pub struct RateChanges {
    /// The store.
    pub taxes: Arc<dyn TaxRepository>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of new ids.
    pub ids: Arc<dyn IdGenerator>,
}

impl RateChanges {
    /// Runs as long as the process. Run it in its own task.
    pub async fn run(self) {
        loop {
            tokio::time::sleep(TICK).await;
            // A failure affects no request. The next check tries again.
            if let Err(error) = self.begin().await {
                tracing::warn!(%error, "reporting changes of tax rates failed and will be retried");
            }
        }
    }

    async fn begin(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        while self.taxes.begin_changes(&SystemScope::patron(), now, self.ids.start(now), STEP).await? == u64::from(STEP)
        {
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use patron_domain::{MockClock, ids::MockIdGenerator, tax::MockTaxRepository, testkit::a_time};

    use super::*;

    #[tokio::test]
    async fn it_continues_until_no_change_is_left() {
        let mut taxes = MockTaxRepository::new();
        let mut left = vec![7, 100, 100];
        taxes.expect_begin_changes().times(3).returning(move |_, at, _, limit| {
            assert_eq!((at, limit), (a_time(), STEP));
            Ok(left.pop().unwrap())
        });
        let (clock, ids) = (Arc::new(MockClock::at(a_time())), Arc::new(MockIdGenerator::from_time()));
        RateChanges { taxes: Arc::new(taxes), clock, ids }.begin().await.unwrap();
    }
}
