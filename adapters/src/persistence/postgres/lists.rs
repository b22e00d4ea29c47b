//! Listing and searching customers over PostgreSQL.

use diesel::QueryResult;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::future::try_join;
use patron_domain::{
    customer::query::{CustomerPage, CustomerQuery},
    store::StoreError,
    tenancy::EnvironmentScope,
};

use super::{PostgresStore, names};
use crate::persistence::{
    customer::{
        page::{Found, customers_to_expand, page},
        row::StoredCustomer,
        search::{Search, count, counts, rows},
    },
    integration::queries::of_customers,
};

impl PostgresStore {
    /// In no transaction, which spares two trips: what is written between the customers and their number is in the number
    /// alone. A number that was counted beforehand is asked for together with the customers; of what they have in common
    /// with few others they mostly are the number themselves.
    pub(super) async fn list_customers(
        &self,
        scope: &EnvironmentScope,
        query: &CustomerQuery,
    ) -> Result<CustomerPage, StoreError> {
        let search = Search::new(names(scope.owner), query);
        let session = self.pool.session().await?;
        let pg = session.pg();
        let read = async {
            let customers = rows(&search);
            let customers = customers.load::<StoredCustomer>(&mut &*pg);
            let (customers, counts) = try_join(customers, counted(pg, &search)).await?;
            let counts = match counts {
                None if search.with_total => Some(found(pg, &search, customers.len()).await?),
                counts => counts,
            };
            let mappings = match customers_to_expand(&search, &customers) {
                Some(ids) => of_customers(&search.tenant_id, &search.environment_id, ids).load(&mut &*pg).await?,
                None => Vec::new(),
            };
            Ok(Found { customers, counts, mappings })
        };
        page(scope.owner, query, session.answer(read).await?)
    }
}

/// The parts of the number of customers, if it is asked and was counted when these were written: that of a status alone.
async fn counted(mut pg: &AsyncPgConnection, search: &Search) -> QueryResult<Option<Vec<i64>>> {
    if !search.with_total || !search.counts_all() {
        return Ok(None);
    }
    let status = search.status.as_str();
    counts(&search.tenant_id, &search.environment_id, status).load(&mut pg).await.map(Some)
}

/// The number of customers that a search finds, of which the page has so many rows.
async fn found(mut pg: &AsyncPgConnection, search: &Search, on_page: usize) -> QueryResult<Vec<i64>> {
    match search.total_seen(on_page) {
        Some(seen) => Ok(vec![seen]),
        None => count(search).load(&mut pg).await,
    }
}
