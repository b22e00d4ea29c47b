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
        row::CustomerRow,
        search::{Search, count, counts, rows},
    },
    integration::queries::of_customers,
};

impl PostgresStore {
    /// The customers and their number are asked for together, and in no transaction: two trips less. What is written
    /// between the two is in the number alone.
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
            let customers = customers.load::<CustomerRow>(&mut &*pg);
            let (customers, counts) = try_join(customers, total(pg, &search)).await?;
            let mappings = match customers_to_expand(&search, &customers) {
                Some(ids) => of_customers(&search.tenant_id, &search.environment_id, ids).load(&mut &*pg).await?,
                None => Vec::new(),
            };
            Ok(Found { customers, counts, mappings })
        };
        page(query, session.answer(read).await?)
    }
}

/// The parts of the number of customers that a search finds, if it is asked. For a status alone they were counted when
/// they were written.
async fn total(mut pg: &AsyncPgConnection, search: &Search) -> QueryResult<Option<Vec<i64>>> {
    if !search.with_total {
        return Ok(None);
    }
    if search.counts_all() {
        let status = search.status.as_str();
        return counts(&search.tenant_id, &search.environment_id, status).load(&mut pg).await.map(Some);
    }
    count(search).load(&mut pg).await.map(Some)
}
