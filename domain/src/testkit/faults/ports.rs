//! The repository ports with faults, except those of webhooks and onboarding.

use async_trait::async_trait;

use super::Faulty;
use crate::{
    audit::{AuditEntry, AuditLog, AuditQuery, CountedUses},
    customer::{ExternalId, ExternalIdTerm},
    event::{
        EventCursor, EventEntity, EventLog, EventLogError, EventPage, EventPosition, EventQuery, EventRecord,
        EventSink, Moment, Past, Reached, TaxRateEvent,
    },
    idempotency::{
        CallersClaim, Done, IdempotencyClaim, IdempotencyKey, IdempotencyRecord, IdempotencyRecords, OnceError,
    },
    ids::{ApiKeyId, CustomerId, EnvironmentId, EventId, IdSequence, TaxAssociationId, TaxRateId, TenantId},
    lifecycle::{Owner, Precondition},
    page::{Page, PageRequest},
    retention::{OldEvents, RetentionStore},
    store::StoreError,
    tax::{
        BasisError, ChangeTaxDefault, ChangeTaxDefaultError, ChangeTaxRate, ChangeTaxRateError, CreateTaxDefaultError,
        CreateTaxRateError, TaxAssociation, TaxAssociationFilter, TaxBasis, TaxRate, TaxRateFilter, TaxRepository,
    },
    tenancy::{
        ApiKey, ApiKeyRepository, ApiKeySecret, Bootstrap, CreateEnvironmentError, Environment, EnvironmentError,
        EnvironmentName, EnvironmentScope, KeyRotation, KeyUse, RotateKeyError, SystemScope, TenancyRepository, Tenant,
        TenantScope,
    },
    time::Timestamp,
};

#[async_trait]
impl<P: TaxRepository + ?Sized> TaxRepository for Faulty<P> {
    async fn create_rate(
        &self,
        scope: &EnvironmentScope,
        created: TaxRateEvent,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<TaxRate>, CreateTaxRateError> {
        self.call(self.port.create_rate(scope, created, claim)).await
    }

    async fn find_rate(&self, scope: &EnvironmentScope, id: TaxRateId) -> Result<Option<TaxRate>, StoreError> {
        self.call(self.port.find_rate(scope, id)).await
    }

    async fn rates(
        &self,
        scope: &EnvironmentScope,
        filter: &TaxRateFilter,
        page: PageRequest,
    ) -> Result<Page<TaxRate>, StoreError> {
        self.call(self.port.rates(scope, filter, page)).await
    }

    async fn change_rate(
        &self,
        scope: &EnvironmentScope,
        command: ChangeTaxRate,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<TaxRate>, ChangeTaxRateError> {
        self.call(self.port.change_rate(scope, command, claim)).await
    }

    async fn begin_changes(
        &self,
        scope: &SystemScope,
        at: Timestamp,
        ids: IdSequence,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.call(self.port.begin_changes(scope, at, ids, limit)).await
    }

    async fn create_default(
        &self,
        scope: &EnvironmentScope,
        association: TaxAssociation,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<TaxAssociation>, CreateTaxDefaultError> {
        self.call(self.port.create_default(scope, association, claim)).await
    }

    async fn change_default(
        &self,
        scope: &EnvironmentScope,
        command: ChangeTaxDefault,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<TaxAssociation>, ChangeTaxDefaultError> {
        self.call(self.port.change_default(scope, command, claim)).await
    }

    async fn find_association(
        &self,
        scope: &EnvironmentScope,
        id: TaxAssociationId,
    ) -> Result<Option<TaxAssociation>, StoreError> {
        self.call(self.port.find_association(scope, id)).await
    }

    async fn associations(
        &self,
        scope: &EnvironmentScope,
        filter: &TaxAssociationFilter,
        page: PageRequest,
    ) -> Result<Page<TaxAssociation>, StoreError> {
        self.call(self.port.associations(scope, filter, page)).await
    }

    async fn basis(
        &self,
        scope: &EnvironmentScope,
        customer_id: CustomerId,
        known_at: Option<Timestamp>,
    ) -> Result<Option<TaxBasis>, BasisError> {
        self.call(self.port.basis(scope, customer_id, known_at)).await
    }
}

#[async_trait]
impl<P: TenancyRepository + ?Sized> TenancyRepository for Faulty<P> {
    async fn bootstrap(&self, scope: &SystemScope, first: Bootstrap) -> Result<bool, StoreError> {
        self.call(self.port.bootstrap(scope, first)).await
    }

    async fn create_tenant(&self, scope: &SystemScope, tenant: Tenant) -> Result<(), StoreError> {
        self.call(self.port.create_tenant(scope, tenant)).await
    }

    async fn tenants(&self, scope: &SystemScope, page: PageRequest) -> Result<Page<Tenant>, StoreError> {
        self.call(self.port.tenants(scope, page)).await
    }

    async fn suspend_tenant(
        &self,
        scope: &SystemScope,
        id: TenantId,
        suspended: bool,
        at: Timestamp,
    ) -> Result<Option<Tenant>, StoreError> {
        self.call(self.port.suspend_tenant(scope, id, suspended, at)).await
    }

    async fn create_environment(
        &self,
        scope: &TenantScope,
        environment: Environment,
        claim: Option<CallersClaim>,
    ) -> Result<Done<Environment>, CreateEnvironmentError> {
        self.call(self.port.create_environment(scope, environment, claim)).await
    }

    async fn rename_environment(
        &self,
        scope: &TenantScope,
        id: EnvironmentId,
        name: Option<EnvironmentName>,
        at: Timestamp,
        only_if: Precondition,
        claim: Option<CallersClaim>,
    ) -> Result<Option<Done<Environment>>, EnvironmentError> {
        self.call(self.port.rename_environment(scope, id, name, at, only_if, claim)).await
    }

    async fn environments(&self, scope: &TenantScope, page: PageRequest) -> Result<Page<Environment>, StoreError> {
        self.call(self.port.environments(scope, page)).await
    }

    async fn find_environment(
        &self,
        scope: &SystemScope,
        id: EnvironmentId,
    ) -> Result<Option<Environment>, StoreError> {
        self.call(self.port.find_environment(scope, id)).await
    }
}

#[async_trait]
impl<P: ApiKeyRepository + ?Sized> ApiKeyRepository for Faulty<P> {
    async fn create(
        &self,
        scope: &EnvironmentScope,
        key: ApiKey,
        secret: ApiKeySecret,
        claim: Option<CallersClaim>,
    ) -> Result<Done<ApiKey>, OnceError> {
        self.call(self.port.create(scope, key, secret, claim)).await
    }

    async fn list(
        &self,
        scope: &EnvironmentScope,
        revoked: Option<bool>,
        page: PageRequest,
    ) -> Result<Page<ApiKey>, StoreError> {
        self.call(self.port.list(scope, revoked, page)).await
    }

    async fn revoke(
        &self,
        scope: &EnvironmentScope,
        id: ApiKeyId,
        at: Timestamp,
        claim: Option<CallersClaim>,
    ) -> Result<Option<Done<ApiKey>>, OnceError> {
        self.call(self.port.revoke(scope, id, at, claim)).await
    }

    async fn rotate(
        &self,
        scope: &EnvironmentScope,
        rotation: KeyRotation,
        claim: Option<CallersClaim>,
    ) -> Result<Done<ApiKey>, RotateKeyError> {
        self.call(self.port.rotate(scope, rotation, claim)).await
    }

    async fn find(&self, scope: &SystemScope, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        self.call(self.port.find(scope, id)).await
    }

    async fn find_by_secret(&self, scope: &SystemScope, secret: &ApiKeySecret) -> Result<Option<ApiKey>, StoreError> {
        self.call(self.port.find_by_secret(scope, secret)).await
    }

    async fn record_uses(&self, scope: &SystemScope, uses: Vec<KeyUse>) -> Result<(), StoreError> {
        self.call(self.port.record_uses(scope, uses)).await
    }
}

#[async_trait]
impl<P: IdempotencyRecords + ?Sized> IdempotencyRecords for Faulty<P> {
    async fn find(
        &self,
        scope: &EnvironmentScope,
        key: &IdempotencyKey,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        self.call(self.port.find(scope, key)).await
    }
}

#[async_trait]
impl<P: EventLog + ?Sized> EventLog for Faulty<P> {
    async fn read(&self, scope: &EnvironmentScope, query: &EventQuery) -> Result<EventPage, EventLogError> {
        self.call(self.port.read(scope, query)).await
    }

    async fn read_each<'a>(
        &self,
        scope: &SystemScope,
        owner: Owner,
        query: &EventQuery,
        sink: Box<dyn EventSink + 'a>,
    ) -> Result<Reached, EventLogError> {
        self.call(self.port.read_each(scope, owner, query, sink)).await
    }

    async fn end(&self, scope: &SystemScope, owner: Owner) -> Result<EventCursor, StoreError> {
        self.call(self.port.end(scope, owner)).await
    }

    async fn find(&self, scope: &EnvironmentScope, id: EventId) -> Result<Option<EventRecord>, StoreError> {
        self.call(self.port.find(scope, id)).await
    }

    async fn history(
        &self,
        scope: &EnvironmentScope,
        entity: EventEntity,
        page: PageRequest,
    ) -> Result<Page<EventRecord>, StoreError> {
        self.call(self.port.history(scope, entity, page)).await
    }

    async fn latest(
        &self,
        scope: &EnvironmentScope,
        entity: Option<EventEntity>,
        before: Option<EventPosition>,
        limit: u16,
    ) -> Result<Vec<EventRecord>, StoreError> {
        self.call(self.port.latest(scope, entity, before, limit)).await
    }

    async fn past(&self, scope: &EnvironmentScope, entity: EventEntity, moment: Moment) -> Result<Past, StoreError> {
        self.call(self.port.past(scope, entity, moment)).await
    }

    async fn external_id_terms(
        &self,
        scope: &EnvironmentScope,
        external_id: &ExternalId,
    ) -> Result<Vec<ExternalIdTerm>, StoreError> {
        self.call(self.port.external_id_terms(scope, external_id)).await
    }
}

#[async_trait]
impl<P: AuditLog + ?Sized> AuditLog for Faulty<P> {
    async fn entries(&self, scope: &EnvironmentScope, query: AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        self.call(self.port.entries(scope, query)).await
    }

    async fn count_uses(&self, scope: &SystemScope, uses: Vec<CountedUses>) -> Result<(), StoreError> {
        self.call(self.port.count_uses(scope, uses)).await
    }

    async fn forget_addresses(
        &self,
        scope: &SystemScope,
        made_before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.call(self.port.forget_addresses(scope, made_before, limit)).await
    }
}

#[async_trait]
impl<P: RetentionStore + ?Sized> RetentionStore for Faulty<P> {
    async fn remove_kept_answers(
        &self,
        scope: &SystemScope,
        made_before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.call(self.port.remove_kept_answers(scope, made_before, limit)).await
    }

    async fn remove_events(
        &self,
        scope: &SystemScope,
        owner: Owner,
        old: OldEvents,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.call(self.port.remove_events(scope, owner, old, limit)).await
    }
}
