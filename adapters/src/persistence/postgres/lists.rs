//! Listing and searching customers over PostgreSQL.

use diesel::QueryResult;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
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
        search::{Search, count, counted_rows, counts, rows},
    },
    integration::queries::of_customers,
};

impl PostgresStore {
    /// In no transaction, which spares two trips: what is written between the customers and their number is in the number
    /// alone. A number that was counted beforehand comes with the customers; of what they have in common with few others
    /// they mostly are the number themselves.
    pub(super) async fn list_customers(
        &self,
        scope: &EnvironmentScope,
        query: &CustomerQuery,
    ) -> Result<CustomerPage, StoreError> {
        let search = Search::new(names(scope.owner), query);
        let session = self.pool.session().await?;
        let mut pg = session.pg();
        let read = async {
            let (customers, counts) = match (search.with_total, search.counts_all()) {
                (true, true) => counted(pg, &search).await.map(|(customers, counts)| (customers, Some(counts)))?,
                (true, false) => {
                    let customers: Vec<StoredCustomer> = rows(&search).load(&mut pg).await?;
                    let counts = found(pg, &search, customers.len()).await?;
                    (customers, Some(counts))
                }
                (false, _) => (rows(&search).load(&mut pg).await?, None),
            };
            let mappings = match customers_to_expand(&search, &customers) {
                Some(ids) => of_customers(&search.tenant_id, &search.environment_id, ids).load(&mut pg).await?,
                None => Vec::new(),
            };
            Ok(Found { customers, counts, mappings })
        };
        page(scope.owner, query, session.answer(read).await?)
    }
}

/// The customers of a page of all with a status, and the parts of their number.
async fn counted(mut pg: &AsyncPgConnection, search: &Search) -> QueryResult<(Vec<StoredCustomer>, Vec<i64>)> {
    let (customers, numbers): (Vec<StoredCustomer>, Vec<i64>) =
        counted_rows(search).load::<(StoredCustomer, i64)>(&mut pg).await?.into_iter().unzip();
    // The number comes with each customer, and with none there is none.
    let counts = match numbers.into_iter().next() {
        Some(number) => vec![number],
        None => counts(&search.tenant_id, &search.environment_id, search.status.as_str()).load(&mut pg).await?,
    };
    Ok((customers, counts))
}

/// The number of customers that a search finds, of which the page has so many rows.
async fn found(mut pg: &AsyncPgConnection, search: &Search, on_page: usize) -> QueryResult<Vec<i64>> {
    match search.total_seen(on_page) {
        Some(seen) => Ok(vec![seen]),
        None => count(search).load(&mut pg).await,
    }
}
