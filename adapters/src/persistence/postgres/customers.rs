//! The port for customers over PostgreSQL: reading. See `create` for creating one.

use async_trait::async_trait;
use diesel::QueryDsl;
use diesel_async::RunQueryDsl;
use futures_util::future::try_join;
use patron_domain::{
    customer::{CreateCustomer, CreateCustomerError, CustomerRecord, CustomerRepository, ExternalId, MappingFilter},
    event::CustomerEvent,
    ids::CustomerId,
    integration::IntegrationMapping,
    store::{Page, PageRequest, StoreError},
    tenancy::EnvironmentScope,
};

use super::{PostgresStore, create::Create, names};
use crate::persistence::{
    customer::{queries, row::record},
    event::{self, row::StoredEvent},
    integration::{self, row::MappingRow},
    page::{Window, page},
};

#[async_trait]
impl CustomerRepository for PostgresStore {
    async fn create(
        &self,
        scope: &EnvironmentScope,
        command: CreateCustomer,
    ) -> Result<CustomerEvent, CreateCustomerError> {
        self.write(Create { scope: scope.clone(), command }).await
    }

    async fn find(&self, scope: &EnvironmentScope, id: CustomerId) -> Result<Option<CustomerRecord>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let session = self.pool.session().await?;
        let id = id.to_string();
        record(session.answer(queries::by_id(&tenant, &environment, &id).load(&mut session.pg())).await?)
    }

    async fn find_by_external_id(
        &self,
        scope: &EnvironmentScope,
        external_id: &ExternalId,
    ) -> Result<Option<CustomerRecord>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let session = self.pool.session().await?;
        let query = queries::by_external_id(&tenant, &environment, external_id.as_str());
        record(session.answer(query.load(&mut session.pg())).await?)
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
}
