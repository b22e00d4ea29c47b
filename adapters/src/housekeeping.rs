//! Clearing away, in the background, what has served its time: a little at a time, so that no request waits for it.

use std::{sync::Arc, time::Duration};

use patron_domain::{
    Clock,
    event::{EventPosition, EventReaders},
    lifecycle::Owner,
    retention::{Housekeeping, OldEvents},
    store::StoreError,
    tenancy::{SystemScope, TenancyRepository, owners},
    time::Timestamp,
    webhook::WebhookRepository,
};

/// The most records, events or deliveries that are removed at once: few enough to hold up a writer for a moment only.
const STEP: u32 = 200;
/// How long it takes from one step to the next while there is more to remove.
const BREATH: Duration = Duration::from_millis(200);
/// How often is looked whether there is anything.
const PAUSE: Duration = Duration::from_secs(60);

/// What keeps house, and for how long things stay.
pub struct House {
    /// Clears away.
    pub store: Arc<dyn Housekeeping>,
    /// Knows the environments, each of which has a log of its own.
    pub tenancy: Arc<dyn TenancyRepository>,
    /// Readers of the log that Patron keeps: nothing is removed that one of them has still to read.
    pub readers: Vec<Arc<dyn EventReaders>>,
    /// Keeps what became of deliveries.
    pub webhooks: Arc<dyn WebhookRepository>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// For how long records of idempotency keys stay.
    pub idempotency_ttl: Duration,
    /// For how long events stay; for ever when absent. To be longer than the records of idempotency keys, which name them.
    pub events_ttl: Option<Duration>,
    /// For how long deliveries of webhooks stay that are through or failed.
    pub deliveries_ttl: Duration,
}

impl House {
    /// Clears away what is old, again and again, for as long as the process lives. To be run in a task of its own.
    pub async fn keep(self) {
        loop {
            tokio::time::sleep(PAUSE).await;
            // What went wrong is no request's business; it is tried again.
            if let Err(error) = self.remove_records().await {
                tracing::warn!(%error, "old idempotency records are removed later");
            }
            if let Err(error) = self.remove_events().await {
                tracing::warn!(%error, "old events are removed later");
            }
            if let Err(error) = self.remove_deliveries().await {
                tracing::warn!(%error, "old webhook deliveries are removed later");
            }
        }
    }

    async fn remove_records(&self) -> Result<(), StoreError> {
        let (scope, made_before) = (SystemScope::patron(), self.clock.now().earlier(self.idempotency_ttl));
        in_steps(|| self.store.remove_idempotency_records(&scope, made_before, STEP)).await
    }

    async fn remove_deliveries(&self) -> Result<(), StoreError> {
        let (scope, changed_before) = (SystemScope::patron(), self.clock.now().earlier(self.deliveries_ttl));
        in_steps(|| self.webhooks.remove_deliveries(&scope, changed_before, STEP)).await
    }

    async fn remove_events(&self) -> Result<(), StoreError> {
        let Some(ttl) = self.events_ttl else { return Ok(()) };
        let happened_before = self.clock.now().earlier(ttl);
        for owner in owners(self.tenancy.as_ref(), &SystemScope::patron()).await? {
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

/// Takes step after step, until one removes less than it could.
async fn in_steps<F>(remove: impl Fn() -> F) -> Result<(), StoreError>
where
    F: Future<Output = Result<u64, StoreError>>,
{
    while remove().await? == u64::from(STEP) {
        tokio::time::sleep(BREATH).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use patron_domain::{
        MockClock,
        event::MockEventReaders,
        page::Page,
        retention::MockHousekeeping,
        tenancy::{Environment, MockTenancyRepository, Tenant},
        testkit::{a_tenant, a_time, an_environment, an_id},
        webhook::MockWebhookRepository,
    };

    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn house(store: MockHousekeeping, tenancy: MockTenancyRepository) -> House {
        let mut clock = MockClock::new();
        clock.expect_now().return_const(a_time());
        House {
            store: Arc::new(store),
            tenancy: Arc::new(tenancy),
            readers: Vec::new(),
            webhooks: Arc::new(MockWebhookRepository::new()),
            clock: Arc::new(clock),
            idempotency_ttl: HOUR,
            events_ttl: None,
            deliveries_ttl: HOUR * 2,
        }
    }

    /// How much is left, step by step.
    fn steps(mut left: Vec<u64>) -> impl FnMut() -> u64 {
        left.reverse();
        move || left.pop().unwrap_or_default()
    }

    #[tokio::test(start_paused = true)]
    async fn it_goes_on_in_steps_until_less_than_a_step_is_left() {
        let mut store = MockHousekeeping::new();
        let mut left = steps(vec![u64::from(STEP), u64::from(STEP), 7]);
        store
            .expect_remove_idempotency_records()
            .times(3)
            .withf(move |_, before, limit| *before == a_time().earlier(HOUR) && *limit == STEP)
            .returning(move |_, _, _| Ok(left()));
        let house = house(store, MockTenancyRepository::new());
        house.remove_records().await.unwrap();
        // Nobody has asked for events to be removed.
        house.remove_events().await.unwrap();
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
        let house = house(MockHousekeeping::new(), MockTenancyRepository::new());
        House { webhooks: Arc::new(webhooks), ..house }.remove_deliveries().await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn old_events_of_every_environment_are_removed_up_to_the_reader_that_is_furthest_behind() {
        let (day, tenant) = (HOUR * 24, Tenant { id: an_id(1), ..a_tenant() });
        let environment = Environment { id: an_id(2), tenant_id: tenant.id, ..an_environment() };
        let owner = Owner { tenant_id: tenant.id, environment_id: environment.id };
        let tenancy = || {
            let (tenant, environment) = (tenant.clone(), environment.clone());
            let mut tenancy = MockTenancyRepository::new();
            tenancy.expect_tenants().return_once(|_, _| Ok(Page { items: vec![tenant], total: 1 }));
            tenancy.expect_environments().return_once(|_, _| Ok(Page { items: vec![environment], total: 1 }));
            tenancy
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
            let mut store = MockHousekeeping::new();
            let mut left = steps(vec![u64::from(STEP), 3]);
            let old = OldEvents { happened_before: a_time().earlier(day), up_to };
            store
                .expect_remove_events()
                .times(2)
                .withf(move |_, of, what, limit| (*of, *what, *limit) == (owner, old, STEP))
                .returning(move |_, _, _, _| Ok(left()));
            let house = House { readers, events_ttl: Some(day), ..house(store, tenancy()) };
            house.remove_events().await.unwrap();
        }
    }
}
