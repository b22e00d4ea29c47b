//! The port for customers.

use async_trait::async_trait;
use futures_util::FutureExt;
use patron_domain::{
    customer::{
        ChangeCustomer, ChangeCustomerError, CustomerAggregate, CustomerChanged, CustomerRecord, CustomerRepository,
        ExternalId, IndexEntry, MappingFilter, Subject,
        find::Tokens,
        found_by_external_id,
        query::{CustomerPage, CustomerQuery},
    },
    event::{CustomerEvent, EventEntity, EventLog, EventRecord},
    ids::CustomerId,
    integration::IntegrationMapping,
    lifecycle::{Owner, Status},
    page::{Page, PageBytes, PageRequest},
    store::StoreError,
    tenancy::EnvironmentScope,
};

use super::{
    change::{Job, one},
    row::index_key,
    search::Search,
    totals::{self, Totals},
};
use crate::persistence::{
    author::Author,
    engine::{CustomerKey, Pace},
    page::cut,
    store::Store,
    unit::Reads,
    value::Document,
};

/// Fewer customers than this are read as a look-up.
const FEW: i64 = 16;
/// The most customers with some tokens to which a search is limited.
const CANDIDATES: usize = 500;
/// The number of customers that are read at once.
const SOME: usize = 64;

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
            Subject::New | Subject::ExternalId(_) => self.environment_to_write(&scope.origin, scope.owner).await?,
            // An environment without a row has no customers to change.
            Subject::Id(_) => match self.environment(scope.owner).await? {
                Some(environment) => environment,
                None => return Err(ChangeCustomerError::UnknownCustomer),
            },
        };
        let job = Job::new(scope, environment, command, self.subject_key());
        if scope.origin.report().is_none() {
            return self.engine.change(job).await;
        }
        // In a transaction of its own, so that a dry run delays no shared commit.
        self.write(Author::from(scope), environment, move |unit| one(unit, job.clone()).boxed()).await
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
        let entry = IndexEntry::external_id(external_id.as_str());
        let terms = |customer: CustomerAggregate| customer.terms_of(external_id).collect::<Vec<_>>();
        let terms = self.indexed(scope.owner, environment, entry, terms).await?;
        match found_by_external_id(terms.into_iter().flatten()) {
            Some(id) => CustomerRepository::find(self, scope, id).await,
            None => Ok(None),
        }
    }

    async fn mappings(
        &self,
        scope: &EnvironmentScope,
        filter: &MappingFilter,
        page: PageRequest,
    ) -> Result<Page<IntegrationMapping>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(Page::empty()) };
        let admitted = |customer: CustomerAggregate| {
            customer.mappings.into_iter().filter(|mapping| filter.admits(mapping)).collect::<Vec<_>>()
        };
        let mappings: Vec<_> = match filter {
            MappingFilter::Customer(id) => {
                let document = self.engine.customer(environment, CustomerKey::Id((*id).into())).await?;
                let customer = document.map(|document| document.read(scope.owner, id)).transpose()?;
                customer.map(admitted).into_iter().collect()
            }
            MappingFilter::Provider { provider_type, provider_entity_id } => {
                let entry = IndexEntry::provider(provider_type, provider_entity_id);
                self.indexed(scope.owner, environment, entry, admitted).await?
            }
        };
        Ok(filter.page(mappings.into_iter().flatten(), page))
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
        let mut search = Search::new(environment, query);
        let tokens = [query.tokens(), query.any_of_tokens()];
        let (totals, asked, owner) = (self.totals.clone(), query.clone(), scope.owner);
        // Candidates, page and total are of one state. A transaction also ends a statement that takes too long.
        let is_quick = query.conditions().is_empty() && query.costly().is_none();
        let pace = if is_quick { Pace::list(environment) } else { Pace::Snapshot(environment.into()) };
        let read = self.read(pace, move |unit| {
            let read = async move {
                narrow(unit, &mut search, &tokens).await?;
                let mut documents = unit.found(&search).await?;
                let early = cut(&mut documents, PageBytes::default());
                let on_page = Some(documents.len()).filter(|_| !early);
                let total = match search.with_total {
                    true => Some(total(unit, &totals, (owner, &asked), &search, on_page).await?),
                    false => None,
                };
                Ok((documents, early, total))
            };
            read.boxed()
        });
        let (documents, early, total) = read.await?;
        let with_mappings = query.with_mappings();
        let record = |document: &Document| {
            let record = record(scope.owner, document, "in a list")?;
            Ok(if with_mappings { record } else { CustomerRecord { mappings: Vec::new(), ..record } })
        };
        let records: Vec<_> = documents.iter().map(record).collect::<Result<_, StoreError>>()?;
        // A count is never negative.
        let total = total.map(|total| u64::try_from(total).unwrap_or_default());
        Ok(if early { query.page_that_ends(records, true, total) } else { query.page_of(records, total) })
    }
}

/// Limits a search to the customers that have all of some tokens and one of others, if they are few. If they are many, a page is found faster without
/// the tokens.
async fn narrow(unit: &dyn Reads, search: &mut Search, [all, any]: &[Tokens; 2]) -> diesel::QueryResult<()> {
    if (all.is_empty() && any.is_empty()) || search.status == Status::Deleted {
        return Ok(());
    }
    let ids = unit.ids_by_tokens(search.environment, search.status, all, any, CANDIDATES + 1).await?;
    if ids.len() <= CANDIDATES {
        search.among(ids);
    }
    Ok(())
}

/// The number of customers that a query finds. It is only counted if the page does not show it, the status is not the only
/// condition, and this process does not know it.
async fn total(
    unit: &dyn Reads,
    totals: &Totals,
    (owner, query): (Owner, &CustomerQuery),
    search: &Search,
    on_page: Option<usize>,
) -> diesel::QueryResult<i64> {
    if let Some(seen) = on_page.and_then(|rows| search.total_seen(rows)) {
        return Ok(seen);
    }
    if query.conditions().is_empty() {
        let (published, archived) = unit.customer_counts(search.environment).await?.unwrap_or_default();
        return Ok(match search.status {
            Status::Published => published,
            Status::Archived => archived,
            Status::Deleted => 0,
        });
    }
    let count = async || unit.count_found(search).await;
    totals::total(unit, totals, (owner, search.environment), query, count).await
}

impl Store {
    /// Reads a part of each customer that has an index entry. Few customers are read as a look-up. Any number of customers
    /// may share an entry: many are read in portions, each in the environment's turn, and only the parts are kept.
    pub(crate) async fn indexed<T>(
        &self,
        owner: Owner,
        environment: i32,
        entry: IndexEntry,
        part: impl Fn(CustomerAggregate) -> T,
    ) -> Result<Vec<T>, StoreError> {
        let (kind, key) = (entry.kind.code(), index_key(&entry));
        let of = key.clone();
        let few = self.read(Pace::LookUp, move |unit| {
            async move { unit.customers_indexed(environment, kind, &of, FEW).await }.boxed()
        });
        let read = |document: &Document| document.read(owner, "by the index").map(&part);
        let few = few.await?;
        if i64::try_from(few.len()).is_ok_and(|found| found < FEW) {
            return few.iter().map(read).collect();
        }
        drop(few);
        let ids = self.read(Pace::list(environment), move |unit| {
            async move { unit.ids_indexed(environment, kind, &key).await }.boxed()
        });
        let mut parts = Vec::new();
        for some in ids.await?.chunks(SOME) {
            let some = some.to_vec();
            let read_some = self.read(Pace::list(environment), move |unit| {
                async move { unit.documents_of(environment, &some).await }.boxed()
            });
            for (_, document) in read_some.await? {
                parts.push(read(&document)?);
            }
        }
        Ok(parts)
    }
}
