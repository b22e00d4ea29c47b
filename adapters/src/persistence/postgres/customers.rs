//! The ports for customers over PostgreSQL: reading. See `batch` for changing them.

use async_trait::async_trait;
use diesel::QueryDsl;
use diesel_async::RunQueryDsl;
use futures_util::future::try_join;
use patron_domain::{
    customer::{
        ChangeCustomer, ChangeCustomerError, CustomerChanged, CustomerRecord, CustomerRepository, ExternalId,
        MappingFilter,
        query::{CustomerPage, CustomerQuery},
    },
    event::{CustomerEvent, EventEntity, EventLog},
    ids::CustomerId,
    integration::IntegrationMapping,
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::EnvironmentScope,
};

use super::{
    PostgresStore,
    look_ups::{By, Rows},
    names,
    problem::{Kind, Problem},
};
use crate::persistence::{
    customer::{queries, row::record},
    event,
    integration::{self, row::MappingRow},
    page::{Window, page},
};

impl PostgresStore {
    /// The rows of one customer. When a connection broke, each that waited for it asks once more, by itself.
    async fn look_up(&self, scope: &(String, String), by: By, key: &str) -> Result<Rows, StoreError> {
        match self.look_ups.find(scope, by, key).await {
            Err(Problem { kind: Kind::Lost, .. }) => {}
            found => return Ok(found?),
        }
        let (session, (tenant, environment)) = (self.pool.session().await?, scope);
        let mut pg = session.pg();
        let rows = async {
            match by {
                By::Id => queries::by_ids(tenant, environment, vec![key]).load(&mut pg).await,
                By::ExternalId => queries::by_external_ids(tenant, environment, vec![key]).load(&mut pg).await,
            }
        };
        Ok(session.answer(rows).await?)
    }
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
        record(scope.owner, self.look_up(&names(scope.owner), By::Id, &id.to_string()).await?)
    }

    async fn find_by_external_id(
        &self,
        scope: &EnvironmentScope,
        external_id: &ExternalId,
    ) -> Result<Option<CustomerRecord>, StoreError> {
        let names = names(scope.owner);
        let rows = self.look_up(&names, By::ExternalId, external_id.as_str()).await?;
        if !rows.is_empty() {
            return record(scope.owner, rows);
        }
        let session = self.pool.session().await?;
        let former = queries::by_former_external_id(&names.0, &names.1, external_id.as_str());
        record(scope.owner, session.answer(former.load(&mut session.pg())).await?)
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
        let history = EventLog::history(self, scope, EventEntity::Customer(id), page_request);
        history.await.map(event::record::of_customer)
    }

    async fn list(&self, scope: &EnvironmentScope, query: &CustomerQuery) -> Result<CustomerPage, StoreError> {
        self.list_customers(scope, query).await
    }
}
