//! The store of webhooks before which faults can stand.

use async_trait::async_trait;

use super::Faulty;
use crate::{
    ids::WebhookEndpointId,
    store::{Page, PageRequest, StoreError},
    tenancy::{EnvironmentScope, SystemScope},
    time::Timestamp,
    webhook::{
        ChangeEndpoint, Delivery, DeliveryQuery, LeaseClaim, RoundRecord, WebhookEndpoint, WebhookError,
        WebhookRepository,
    },
};

#[async_trait]
impl<P: WebhookRepository + ?Sized> WebhookRepository for Faulty<P> {
    async fn create_endpoint(&self, scope: &EnvironmentScope, endpoint: WebhookEndpoint) -> Result<(), WebhookError> {
        self.call(self.port.create_endpoint(scope, endpoint)).await
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
    ) -> Result<WebhookEndpoint, WebhookError> {
        self.call(self.port.change_endpoint(scope, change)).await
    }

    async fn delete_endpoint(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.call(self.port.delete_endpoint(scope, id, at)).await
    }

    async fn deliveries(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
        query: DeliveryQuery,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.call(self.port.deliveries(scope, id, query)).await
    }

    async fn add_deliveries(&self, scope: &EnvironmentScope, deliveries: Vec<Delivery>) -> Result<(), StoreError> {
        self.call(self.port.add_deliveries(scope, deliveries)).await
    }

    async fn retry_failed(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
        at: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.call(self.port.retry_failed(scope, id, at, limit)).await
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
