//! The port for customers.

use async_trait::async_trait;
use futures_util::FutureExt;
use patron_domain::{
    customer::{
        ChangeCustomer, ChangeCustomerError, CustomerAggregate, CustomerChanged, CustomerRecord, CustomerRepository,
        ExternalId, IndexEntry, MappingFilter, Subject, found_by_external_id,
        query::{CustomerPage, CustomerQuery},
    },
    event::{CustomerEvent, EventEntity, EventLog, EventRecord},
    ids::CustomerId,
    integration::IntegrationMapping,
    lifecycle::{Owner, Status},
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::EnvironmentScope,
};

use super::{row::index_key, search::Search};
use crate::persistence::{
    engine::{CustomerKey, Pace},
    store::Store,
    unit::Reads,
    value::Document,
};

/// Reads a customer from its document, with its published mappings.
fn record(owner: Owner, document: &Document, key: impl std::fmt::Display) -> Result<CustomerRecord, StoreError> {
    document.read::<CustomerAggregate>(owner, key).map(CustomerAggregate::into_record)
}

#[async_trait]
impl CustomerRepository for Store {
    async fn change(
        &self,
        scope: &EnvironmentScope,
        command: ChangeCustomer,
    ) -> Result<CustomerChanged, ChangeCustomerError> {
        let environment = match command.subject() {
            Subject::New | Subject::ExternalId(_) => self.environment_to_write(scope.owner).await?,
            // An environment without a row has no customers to change.
            Subject::Id(_) => match self.environment(scope.owner).await? {
                Some(environment) => environment,
                None => return Err(ChangeCustomerError::UnknownCustomer),
            },
        };
        self.engine.change(scope, environment, command).await
    }

    async fn find(&self, scope: &EnvironmentScope, id: CustomerId) -> Result<Option<CustomerRecord>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(None) };
        let document = self.engine.customer(environment, CustomerKey::Id(id.into())).await?;
        document.map(|document| record(scope.owner, &document, id)).transpose()
    }

    async fn find_by_external_id(
        &self,
        scope: &EnvironmentScope,
        external_id: &ExternalId,
    ) -> Result<Option<CustomerRecord>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(None) };
        let key = CustomerKey::ExternalId(external_id.as_str().to_owned());
        if let Some(document) = self.engine.customer(environment, key).await? {
            return record(scope.owner, &document, "by external id").map(Some);
        }
        let candidates = self.indexed(scope.owner, environment, IndexEntry::external_id(external_id.as_str())).await?;
        let found = found_by_external_id(candidates.iter().flat_map(|candidate| candidate.terms_of(external_id)));
        let found = candidates.into_iter().find(|candidate| Some(candidate.customer.id) == found);
        Ok(found.map(CustomerAggregate::into_record))
    }

    async fn mappings(
        &self,
        scope: &EnvironmentScope,
        filter: &MappingFilter,
        page: PageRequest,
    ) -> Result<Page<IntegrationMapping>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(Page::empty()) };
        let customers: Vec<_> = match filter {
            MappingFilter::Customer(id) => {
                let document = self.engine.customer(environment, CustomerKey::Id((*id).into())).await?;
                let customer =
                    document.map(|document| document.read::<CustomerAggregate>(scope.owner, id)).transpose()?;
                customer.into_iter().collect()
            }
            MappingFilter::Provider { provider_type, provider_entity_id } => {
                self.indexed(scope.owner, environment, IndexEntry::provider(provider_type, provider_entity_id)).await?
            }
        };
        Ok(filter.page(customers.into_iter().flat_map(|customer| customer.mappings), page))
    }

    async fn history(
        &self,
        scope: &EnvironmentScope,
        id: CustomerId,
        page: PageRequest,
    ) -> Result<Page<CustomerEvent>, StoreError> {
        let Page { items, total } = EventLog::history(self, scope, EventEntity::Customer(id), page).await?;
        Ok(Page { items: items.into_iter().filter_map(EventRecord::into_customer_event).collect(), total })
    }

    async fn list(&self, scope: &EnvironmentScope, query: &CustomerQuery) -> Result<CustomerPage, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else {
            return Ok(query.page_of(Vec::new(), query.with_total().then_some(0)));
        };
        let search = Search::new(environment, query);
        let read = self.read(Pace::List, move |unit| {
            let read = async move {
                let documents = unit.found(&search).await?;
                let total = if search.with_total { Some(total(unit, &search, documents.len()).await?) } else { None };
                Ok((documents, total))
            };
            read.boxed()
        });
        let (documents, total) = read.await?;
        let with_mappings = query.with_mappings();
        let record = |document: &Document| {
            let record = record(scope.owner, document, "in a list")?;
            Ok(if with_mappings { record } else { CustomerRecord { mappings: Vec::new(), ..record } })
        };
        let records = documents.iter().map(record).collect::<Result<_, StoreError>>()?;
        // A count is never negative.
        Ok(query.page_of(records, total.map(|total| u64::try_from(total).unwrap_or_default())))
    }
}

/// The number of customers that a search finds, given the number of rows on its page. For a status alone, the count in
/// the environment's log is used.
async fn total(unit: &dyn Reads, search: &Search, on_page: usize) -> diesel::QueryResult<i64> {
    if let Some(seen) = search.total_seen(on_page) {
        return Ok(seen);
    }
    if search.counts_all() {
        let (published, archived) = unit.customer_counts(search.environment).await?.unwrap_or_default();
        return Ok(match search.status {
            Status::Published => published,
            Status::Archived => archived,
            Status::Deleted => 0,
        });
    }
    unit.count_found(search).await
}

impl Store {
    /// The customers of an index entry.
    async fn indexed(
        &self,
        owner: Owner,
        environment: i32,
        entry: IndexEntry,
    ) -> Result<Vec<CustomerAggregate>, StoreError> {
        let found = self.read(Pace::LookUp, move |unit| {
            async move { unit.customers_indexed(environment, entry.kind.code(), &index_key(&entry)).await }.boxed()
        });
        found.await?.iter().map(|document| document.read(owner, "by the index")).collect()
    }
}
