//! The ports for customers over SQLite. See `change` for what happens within a change.

use async_trait::async_trait;
use diesel::prelude::*;
use patron_domain::{
    customer::{
        ChangeCustomer, ChangeCustomerError, CustomerChanged, CustomerRecord, CustomerRepository, ExternalId,
        MappingFilter,
        query::{CustomerPage, CustomerQuery},
    },
    event::{CustomerEvent, EventEntity, EventLog},
    ids::CustomerId,
    integration::IntegrationMapping,
    lifecycle::Owner,
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::EnvironmentScope,
};

use super::{SqliteStore, change::change};
use crate::persistence::{
    customer::{self, row::record},
    event,
    integration::{self, row::MappingRow},
    page::{Window, page},
};

#[async_trait]
impl CustomerRepository for SqliteStore {
    async fn change(
        &self,
        scope: &EnvironmentScope,
        command: ChangeCustomer,
    ) -> Result<CustomerChanged, ChangeCustomerError> {
        let scope = scope.clone();
        self.writer.write_logged(move |connection, totals| change(connection, totals, &scope, &command)).await
    }

    async fn find(&self, scope: &EnvironmentScope, id: CustomerId) -> Result<Option<CustomerRecord>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let id = id.to_string();
        let rows = self
            .readers
            .look_up(move |connection| customer::queries::by_id(&tenant, &environment, &id).load(connection));
        record(scope.owner, rows.await?)
    }

    async fn find_by_external_id(
        &self,
        scope: &EnvironmentScope,
        external_id: &ExternalId,
    ) -> Result<Option<CustomerRecord>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let id = external_id.as_str().to_owned();
        let query = move |connection: &mut SqliteConnection| {
            let rows = customer::queries::by_external_id(&tenant, &environment, &id).load(connection)?;
            if rows.is_empty() {
                return customer::queries::by_former_external_id(&tenant, &environment, &id).load(connection);
            }
            Ok(rows)
        };
        record(scope.owner, self.readers.look_up(query).await?)
    }

    async fn mappings(
        &self,
        scope: &EnvironmentScope,
        filter: &MappingFilter,
        page_request: PageRequest,
    ) -> Result<Page<IntegrationMapping>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let filter = filter.clone();
        let window = Window::from(page_request);
        let query = move |connection: &mut SqliteConnection| {
            connection.transaction::<(Vec<MappingRow>, i64), diesel::result::Error, _>(|connection| match &filter {
                MappingFilter::Customer(id) => {
                    let id = id.to_string();
                    let all = || integration::queries::of_customer(&tenant, &environment, &id);
                    let ordered = all().order(integration::queries::newest_first());
                    let rows = ordered.limit(window.limit).offset(window.offset).load(connection)?;
                    Ok((rows, all().count().get_result(connection)?))
                }
                MappingFilter::Provider { provider_type, provider_entity_id } => {
                    let (kind, id) = (provider_type.as_str(), provider_entity_id.as_str());
                    let all = || integration::queries::to_provider(&tenant, &environment, kind, id);
                    let ordered = all().order(integration::queries::newest_first());
                    let rows = ordered.limit(window.limit).offset(window.offset).load(connection)?;
                    Ok((rows, all().count().get_result(connection)?))
                }
            })
        };
        page(self.readers.read(query).await?)
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

/// The columns every query starts with.
pub(super) fn names(owner: Owner) -> (String, String) {
    (owner.tenant_id.to_string(), owner.environment_id.to_string())
}
