//! The webhook port with faults.

use async_trait::async_trait;

use super::Faulty;
use crate::{
    idempotency::{CallersClaim, Done, OnceError},
    ids::WebhookEndpointId,
    lifecycle::Precondition,
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::{EnvironmentScope, Quota, SystemScope},
    time::Timestamp,
    webhook::{
        ChangeEndpoint, Delivery, DeliveryQuery, LeaseClaim, RoundRecord, WebhookEndpoint, WebhookError,
        WebhookRepository,
    },
};

#[async_trait]
impl<P: WebhookRepository + ?Sized> WebhookRepository for Faulty<P> {
    async fn create_endpoint(
        &self,
        scope: &EnvironmentScope,
        endpoint: WebhookEndpoint,
        quota: Quota,
        claim: Option<CallersClaim>,
    ) -> Result<Done<WebhookEndpoint>, WebhookError> {
        self.call(self.port.create_endpoint(scope, endpoint, quota, claim)).await
    }

    async fn endpoints(
        &self,
        scope: &EnvironmentScope,
        page: PageRequest,
    ) -> Result<Page<WebhookEndpoint>, StoreError> {
        self.call(self.port.endpoints(scope, page)).await
    }

    async fn find_endpoint(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
    ) -> Result<Option<WebhookEndpoint>, StoreError> {
        self.call(self.port.find_endpoint(scope, id)).await
    }

    async fn find_any_endpoint(
        &self,
        scope: &SystemScope,
        id: WebhookEndpointId,
    ) -> Result<Option<WebhookEndpoint>, StoreError> {
        self.call(self.port.find_any_endpoint(scope, id)).await
    }

    async fn change_endpoint(
        &self,
        scope: &EnvironmentScope,
        change: ChangeEndpoint,
        claim: Option<CallersClaim>,
    ) -> Result<Done<WebhookEndpoint>, WebhookError> {
        self.call(self.port.change_endpoint(scope, change, claim)).await
    }

    async fn delete_endpoint(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
        at: Timestamp,
        only_if: Precondition,
        claim: Option<CallersClaim>,
    ) -> Result<Option<Done<()>>, WebhookError> {
        self.call(self.port.delete_endpoint(scope, id, at, only_if, claim)).await
    }

    async fn deliveries(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
        query: DeliveryQuery,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.call(self.port.deliveries(scope, id, query)).await
    }

    async fn add_deliveries(
        &self,
        scope: &EnvironmentScope,
        deliveries: Vec<Delivery>,
        at: Timestamp,
        claim: Option<CallersClaim>,
    ) -> Result<Done<u64>, OnceError> {
        self.call(self.port.add_deliveries(scope, deliveries, at, claim)).await
    }

    async fn add_test(
        &self,
        scope: &EnvironmentScope,
        test: Delivery,
        claim: Option<CallersClaim>,
    ) -> Result<Done<Delivery>, OnceError> {
        self.call(self.port.add_test(scope, test, claim)).await
    }

    async fn retry_failed(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
        at: Timestamp,
        limit: u32,
        claim: Option<CallersClaim>,
    ) -> Result<Done<u64>, OnceError> {
        self.call(self.port.retry_failed(scope, id, at, limit, claim)).await
    }

    async fn claim(&self, scope: &SystemScope, claim: LeaseClaim) -> Result<Vec<WebhookEndpoint>, StoreError> {
        self.call(self.port.claim(scope, claim)).await
    }

    async fn renew(
        &self,
        scope: &SystemScope,
        id: WebhookEndpointId,
        holder: &str,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        self.call(self.port.renew(scope, id, holder, until)).await
    }

    async fn waiting(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
        now: Timestamp,
        first: u32,
        replays: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.call(self.port.waiting(scope, id, now, first, replays)).await
    }

    async fn record(&self, scope: &SystemScope, record: RoundRecord) -> Result<bool, StoreError> {
        self.call(self.port.record(scope, record)).await
    }

    async fn remove_deliveries(
        &self,
        scope: &SystemScope,
        changed_before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.call(self.port.remove_deliveries(scope, changed_before, limit)).await
    }
}
