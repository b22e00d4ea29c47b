//! The ports for customers over PostgreSQL: reading. See `batch` for changing them.

use async_trait::async_trait;
use diesel::{ExpressionMethods, QueryDsl, delete};
use diesel_async::RunQueryDsl;
use futures_util::future::try_join;
use patron_domain::{
    customer::{
        ChangeCustomer, ChangeCustomerError, CustomerChanged, CustomerRecord, CustomerRepository, ExternalId,
        Housekeeping, MappingFilter,
        query::{CustomerPage, CustomerQuery},
    },
    event::CustomerEvent,
    ids::CustomerId,
    integration::IntegrationMapping,
    store::{Page, PageRequest, StoreError},
    tenancy::{EnvironmentScope, SystemScope},
    time::Timestamp,
};

use super::{
    PostgresStore, names,
    problem::{Kind, Problem},
    session::Session,
};
use crate::persistence::{
    customer::{
        queries,
        row::{CustomerRow, record},
    },
    event::{self, row::StoredEvent},
    idempotency,
    integration::{self, row::MappingRow},
    page::{Window, page},
    schema::idempotency_records,
};

type Rows = Vec<(CustomerRow, Option<MappingRow>)>;

async fn by_id(session: &Session, (tenant, environment): &(String, String), id: &str) -> Result<Rows, Problem> {
    session.answer(queries::by_id(tenant, environment, id).load(&mut session.pg())).await
}

async fn by_external_id(
    session: &Session,
    (tenant, environment): &(String, String),
    external_id: &str,
) -> Result<Rows, Problem> {
    let holder = queries::by_external_id(tenant, environment, external_id);
    let rows: Rows = session.answer(holder.load(&mut session.pg())).await?;
    if !rows.is_empty() {
        return Ok(rows);
    }
    let former = queries::by_former_external_id(tenant, environment, external_id);
    session.answer(former.load(&mut session.pg())).await
}

#[async_trait]
impl CustomerRepository for PostgresStore {
    async fn change(
        &self,
        scope: &EnvironmentScope,
        command: ChangeCustomer,
    ) -> Result<CustomerChanged, ChangeCustomerError> {
        self.customers.change(scope, command).await
    }

    async fn find(&self, scope: &EnvironmentScope, id: CustomerId) -> Result<Option<CustomerRecord>, StoreError> {
        let (scope, id) = (names(scope.owner), id.to_string());
        match by_id(&*self.look_ups.session().await?, &scope, &id).await {
            // The connection broke; the others that shared it are told so too, and each asks once more.
            Err(Problem { kind: Kind::Lost, .. }) => record(by_id(&*self.pool.session().await?, &scope, &id).await?),
            found => record(found?),
        }
    }

    async fn find_by_external_id(
        &self,
        scope: &EnvironmentScope,
        external_id: &ExternalId,
    ) -> Result<Option<CustomerRecord>, StoreError> {
        let (scope, id) = (names(scope.owner), external_id.as_str());
        match by_external_id(&*self.look_ups.session().await?, &scope, id).await {
            Err(Problem { kind: Kind::Lost, .. }) => {
                record(by_external_id(&*self.pool.session().await?, &scope, id).await?)
            }
            found => record(found?),
        }
    }

    async fn mappings(
        &self,
        scope: &EnvironmentScope,
        filter: &MappingFilter,
        page_request: PageRequest,
    ) -> Result<Page<IntegrationMapping>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let Window { limit, offset } = page_request.into();
        let session = self.pool.session().await?;
        let found = match filter {
            MappingFilter::Customer(id) => {
                let id = id.to_string();
                let all = || integration::queries::of_customer(&tenant, &environment, &id);
                let ordered = all().order(integration::queries::newest_first()).limit(limit).offset(offset);
                let (rows, total) = (&mut session.pg(), &mut session.pg());
                session.snapshot(try_join(ordered.load::<MappingRow>(rows), all().count().get_result(total))).await
            }
            MappingFilter::Provider { provider_type, provider_entity_id } => {
                let (kind, id) = (provider_type.as_str(), provider_entity_id.as_str());
                let all = || integration::queries::to_provider(&tenant, &environment, kind, id);
                let ordered = all().order(integration::queries::newest_first()).limit(limit).offset(offset);
                let (rows, total) = (&mut session.pg(), &mut session.pg());
                session.snapshot(try_join(ordered.load::<MappingRow>(rows), all().count().get_result(total))).await
            }
        };
        page(found?)
    }

    async fn history(
        &self,
        scope: &EnvironmentScope,
        id: CustomerId,
        page_request: PageRequest,
    ) -> Result<Page<CustomerEvent>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let id = id.to_string();
        let Window { limit, offset } = page_request.into();
        let session = self.pool.session().await?;
        let events = event::queries::history(&tenant, &environment, &id).limit(limit).offset(offset);
        let count = event::queries::of_customer(&tenant, &environment, &id).count();
        let (rows, total) = (&mut session.pg(), &mut session.pg());
        page(session.snapshot(try_join(events.load::<StoredEvent>(rows), count.get_result(total))).await?)
    }

    async fn list(&self, scope: &EnvironmentScope, query: &CustomerQuery) -> Result<CustomerPage, StoreError> {
        self.list_customers(scope, query).await
    }
}

#[async_trait]
impl Housekeeping for PostgresStore {
    async fn remove_idempotency_records(
        &self,
        _scope: &SystemScope,
        made_before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let session = self.pool.session().await?;
        let old = idempotency::queries::made_before(made_before.micros()).limit(limit.into());
        let old = session.answer(old.load::<(String, String, String)>(&mut session.pg())).await?;
        let mut removed = 0;
        for (tenant, environment, key) in &old {
            let record = idempotency::queries::by_key(tenant, environment, key);
            // It may have been made anew since it was found.
            let record = delete(record.filter(idempotency_records::at.lt(made_before.micros())));
            removed += session.answer(record.execute(&mut session.pg())).await?;
        }
        Ok(removed as u64)
    }
}
