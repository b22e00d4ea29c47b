//! The retention job: removes old idempotency records, events and deliveries in the background, a few at a time, so no
//! request waits for it.

use std::{sync::Arc, time::Duration};

use patron_domain::{
    Clock,
    audit::AuditLog,
    event::{EventPosition, EventReaders},
    lifecycle::Owner,
    retention::{OldEvents, RetentionStore},
    store::StoreError,
    tenancy::{Owners, SystemScope},
    time::Timestamp,
    webhook::WebhookRepository,
};

/// The most records, events or deliveries that one step removes: few enough to delay a writer only briefly.
const STEP: u32 = 200;
/// The pause between two steps while there is more to remove.
const STEP_PAUSE: Duration = Duration::from_millis(200);
/// The pause between two checks for expired data.
const PAUSE: Duration = Duration::from_secs(60);

/// Removes data that is older than its retention time.
pub struct RetentionJob {
    /// Removes records and events.
    pub store: Arc<dyn RetentionStore>,
    /// Lists the environments. Each has its own log.
    pub owners: Arc<dyn Owners>,
    /// Readers of the log. Events that one of them still has to read are kept.
    pub readers: Vec<Arc<dyn EventReaders>>,
    /// Removes deliveries.
    pub webhooks: Arc<dyn WebhookRepository>,
    /// The audit log.
    pub audit: Arc<dyn AuditLog>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// How long records of idempotency keys are kept.
    pub idempotency_ttl: Duration,
    /// How long events are kept; `None` for ever. Must be longer than `idempotency_ttl`, because those records name
    /// events.
    pub events_ttl: Option<Duration>,
    /// How long deliveries are kept after they were accepted or failed permanently.
    pub deliveries_ttl: Duration,
    /// How long addresses are kept in the audit log.
    pub audit_addresses_ttl: Duration,
}

impl RetentionJob {
    /// Runs as long as the process. Run it in its own task.
    pub async fn run(self) {
        loop {
            tokio::time::sleep(PAUSE).await;
            // A failure affects no request. The next check tries again.
            if let Err(error) = self.remove_records().await {
                tracing::warn!(%error, "removing old idempotency records failed and will be retried");
            }
            if let Err(error) = self.remove_events().await {
                tracing::warn!(%error, "removing old events failed and will be retried");
            }
            if let Err(error) = self.remove_deliveries().await {
                tracing::warn!(%error, "removing old webhook deliveries failed and will be retried");
            }
            if let Err(error) = self.forget_addresses().await {
                tracing::warn!(%error, "removing old addresses from the audit log failed and will be retried");
            }
        }
    }

    async fn remove_records(&self) -> Result<(), StoreError> {
        let (scope, made_before) = (SystemScope::patron(), self.clock.now().earlier(self.idempotency_ttl));
        in_steps(|| self.store.remove_kept_answers(&scope, made_before, STEP)).await
    }

    async fn remove_deliveries(&self) -> Result<(), StoreError> {
        let (scope, changed_before) = (SystemScope::patron(), self.clock.now().earlier(self.deliveries_ttl));
        in_steps(|| self.webhooks.remove_deliveries(&scope, changed_before, STEP)).await
    }

    async fn forget_addresses(&self) -> Result<(), StoreError> {
        let (scope, made_before) = (SystemScope::patron(), self.clock.now().earlier(self.audit_addresses_ttl));
        in_steps(|| self.audit.forget_addresses(&scope, made_before, STEP)).await
    }

    async fn remove_events(&self) -> Result<(), StoreError> {
        let Some(ttl) = self.events_ttl else { return Ok(()) };
        let happened_before = self.clock.now().earlier(ttl);
        for owner in self.owners.owners(&SystemScope::patron()).await? {
            self.remove_of_environment(owner, happened_before).await?;
        }
        Ok(())
    }

    async fn remove_of_environment(&self, owner: Owner, happened_before: Timestamp) -> Result<(), StoreError> {
        let scope = SystemScope::patron();
        let mut up_to = EventPosition::MAX;
        for readers in &self.readers {
            up_to = up_to.min(readers.furthest_behind(&scope, owner).await?.unwrap_or(EventPosition::MAX));
        }
        let old = OldEvents { happened_before, up_to };
        in_steps(|| self.store.remove_events(&scope, owner, old, STEP)).await
    }
}

/// Repeats a step until it removes less than its limit.
async fn in_steps<F>(remove: impl Fn() -> F) -> Result<(), StoreError>
where
    F: Future<Output = Result<u64, StoreError>>,
{
    while remove().await? == u64::from(STEP) {
        tokio::time::sleep(STEP_PAUSE).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use patron_domain::{
        MockClock, audit::MockAuditLog, event::MockEventReaders, retention::MockRetentionStore, tenancy::MockOwners,
        testkit::a_time, webhook::MockWebhookRepository,
    };

    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn job(store: MockRetentionStore, owners: MockOwners) -> RetentionJob {
        let mut clock = MockClock::new();
        clock.expect_now().return_const(a_time());
        RetentionJob {
            store: Arc::new(store),
            owners: Arc::new(owners),
            readers: Vec::new(),
            webhooks: Arc::new(MockWebhookRepository::new()),
            audit: Arc::new(MockAuditLog::new()),
            clock: Arc::new(clock),
            idempotency_ttl: HOUR,
            events_ttl: None,
            deliveries_ttl: HOUR * 2,
            audit_addresses_ttl: HOUR * 3,
        }
    }

    /// The numbers of items that successive steps remove.
    fn steps(mut left: Vec<u64>) -> impl FnMut() -> u64 {
        left.reverse();
        move || left.pop().unwrap_or_default()
    }

    #[tokio::test(start_paused = true)]
    async fn steps_are_repeated_until_one_is_not_full() {
        let mut store = MockRetentionStore::new();
        let mut left = steps(vec![u64::from(STEP), u64::from(STEP), 7]);
        store
            .expect_remove_kept_answers()
            .times(3)
            .withf(move |_, before, limit| *before == a_time().earlier(HOUR) && *limit == STEP)
            .returning(move |_, _, _| Ok(left()));
        let job = job(store, MockOwners::new());
        job.remove_records().await.unwrap();
        // Events have no retention time.
        job.remove_events().await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn deliveries_are_removed_in_steps_too() {
        let mut webhooks = MockWebhookRepository::new();
        let mut left = steps(vec![u64::from(STEP), 0]);
        webhooks
            .expect_remove_deliveries()
            .times(2)
            .withf(move |_, before, limit| *before == a_time().earlier(HOUR * 2) && *limit == STEP)
            .returning(move |_, _, _| Ok(left()));
        let job = job(MockRetentionStore::new(), MockOwners::new());
        RetentionJob { webhooks: Arc::new(webhooks), ..job }.remove_deliveries().await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn addresses_are_removed_in_steps_too() {
        let mut audit = MockAuditLog::new();
        let mut left = steps(vec![u64::from(STEP), 1]);
        audit
            .expect_forget_addresses()
            .times(2)
            .withf(move |_, before, limit| *before == a_time().earlier(HOUR * 3) && *limit == STEP)
            .returning(move |_, _, _| Ok(left()));
        let job = job(MockRetentionStore::new(), MockOwners::new());
        RetentionJob { audit: Arc::new(audit), ..job }.forget_addresses().await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn old_events_of_every_environment_are_removed_up_to_the_reader_that_is_furthest_behind() {
        let (day, owner) = (HOUR * 24, Owner::numbered(7, 1));
        let owners = || {
            let mut owners = MockOwners::new();
            owners.expect_owners().return_once(move |_| Ok(vec![owner]));
            owners
        };
        let at = |number| EventPosition::from_stored(number).unwrap();
        let reader = |position: Option<EventPosition>| -> Arc<dyn EventReaders> {
            let mut readers = MockEventReaders::new();
            readers.expect_furthest_behind().returning(move |_, _| Ok(position));
            Arc::new(readers)
        };
        for (readers, up_to) in
            [(vec![], EventPosition::MAX), (vec![reader(None), reader(Some(at(9))), reader(Some(at(7)))], at(7))]
        {
            let mut store = MockRetentionStore::new();
            let mut left = steps(vec![u64::from(STEP), 3]);
            let old = OldEvents { happened_before: a_time().earlier(day), up_to };
            store
                .expect_remove_events()
                .times(2)
                .withf(move |_, of, what, limit| (*of, *what, *limit) == (owner, old, STEP))
                .returning(move |_, _, _, _| Ok(left()));
            let job = RetentionJob { readers, events_ttl: Some(day), ..job(store, owners()) };
            job.remove_events().await.unwrap();
        }
    }
}
