//! The port for retention.

use async_trait::async_trait;

use super::{KEY, MemoryStore};
use crate::{
    audit::Act,
    customer::CustomerAggregate,
    ids::CustomerId,
    lifecycle::Owner,
    privacy::{
        CustomerRetention, DeletionDecision, DeletionFacts, PrivacyError, PutRetention, Retention, RetentionSetting,
        RetentionStep,
    },
    store::StoreError,
    tenancy::{Actor, EnvironmentScope, SystemScope},
    testkit::memory::Registry,
    time::Timestamp,
};

impl Registry {
    /// Customers by the time that a rule returns, those first whose time is the earliest.
    fn customers_by(
        &self,
        time: impl Fn(&CustomerAggregate) -> Option<Timestamp>,
    ) -> Vec<(Timestamp, CustomerAggregate)> {
        let timed = self.customers.values().filter_map(|customer| Some((time(customer)?, customer.clone())));
        let mut timed: Vec<_> = timed.collect();
        timed.sort_by_key(|(at, customer)| (*at, customer.customer.id));
        timed
    }
}

#[async_trait]
impl CustomerRetention for MemoryStore {
    async fn setting(&self, scope: &EnvironmentScope) -> Result<Option<RetentionSetting>, StoreError> {
        Ok(self.lock().registry(scope.owner).retention.clone())
    }

    async fn put(&self, scope: &EnvironmentScope, put: PutRetention) -> Result<RetentionSetting, PrivacyError> {
        let mut state = self.write(scope);
        let registry = state.registry(scope.owner);
        let current = registry.retention.clone();
        let setting = put.decide(scope, current.clone())?;
        registry.retention = Some(setting.clone()).filter(|setting| !setting.retention.is_empty());
        state.audit(scope, Act::retention_put(current.as_ref(), &setting), put.at);
        Ok(setting)
    }

    async fn retained(&self, scope: &EnvironmentScope, limit: u16) -> Result<Vec<(CustomerId, Timestamp)>, StoreError> {
        let found = self.lock().registry(scope.owner).customers_by(CustomerAggregate::retained_from).into_iter();
        Ok(found.take(limit.into()).map(|(from, customer)| (customer.customer.id, from)).collect())
    }

    async fn settings(&self, _scope: &SystemScope) -> Result<Vec<(Owner, Retention)>, StoreError> {
        let mut state = self.lock();
        let settings = state.awake().filter_map(|registry| registry.retention.as_ref());
        Ok(settings.map(|setting| (setting.owner, setting.retention)).collect())
    }

    async fn request_old(&self, _scope: &SystemScope, mut step: RetentionStep) -> Result<u64, PrivacyError> {
        let scope = EnvironmentScope::new(step.owner, Actor::system());
        let mut state = self.lock();
        let found = state.registry(step.owner).customers_by(CustomerAggregate::retained_from).into_iter();
        let old = found.filter(|(from, _)| *from <= step.before).take(step.limit.into());
        let mut requested = 0;
        for (_, customer) in old.collect::<Vec<_>>() {
            let subject = KEY.tag(step.owner, customer.customer.external_id.as_str());
            let request = step.request(customer.customer.id);
            let facts = DeletionFacts { customer: Some(customer), earlier: None, subject, importing: false };
            if let Ok(DeletionDecision::New(suppression)) = request.decide(&scope, facts) {
                state.suppress(&scope, *suppression);
                requested += 1;
            }
        }
        Ok(requested)
    }

    async fn forget_former_ids(&self, _scope: &SystemScope, step: RetentionStep) -> Result<u64, StoreError> {
        let mut state = self.lock();
        let registry = state.registry(step.owner);
        let found = registry.customers_by(CustomerAggregate::oldest_former_id).into_iter().take(step.limit.into());
        let changed: Vec<_> = found.filter_map(|(_, customer)| customer.without_former_ids(step.before)).collect();
        let number = changed.len() as u64;
        registry.customers.extend(changed.into_iter().map(|customer| (customer.customer.id, customer)));
        Ok(number)
    }
}
