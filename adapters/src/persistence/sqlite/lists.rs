//! Listing and searching customers over SQLite.

use diesel::prelude::*;
use patron_domain::{
    customer::query::{CustomerPage, CustomerQuery},
    store::StoreError,
    tenancy::EnvironmentScope,
};

use super::{SqliteStore, customers::names};
use crate::persistence::{
    customer::{
        page::{Found, customers_to_expand, page},
        search::{Search, count, counts, rows},
    },
    integration::queries::of_customers,
};

impl SqliteStore {
    pub(super) async fn list_customers(
        &self,
        scope: &EnvironmentScope,
        query: &CustomerQuery,
    ) -> Result<CustomerPage, StoreError> {
        let search = Search::new(names(scope.owner), query);
        let read = move |connection: &mut SqliteConnection| {
            connection.transaction::<_, diesel::result::Error, _>(|connection| {
                let customers = rows(&search).load(connection)?;
                let counts = match search.with_total {
                    true => Some(total(connection, &search, customers.len())?),
                    false => None,
                };
                let mappings = match customers_to_expand(&search, &customers) {
                    Some(ids) => of_customers(&search.tenant_id, &search.environment_id, ids).load(connection)?,
                    None => Vec::new(),
                };
                Ok(Found { customers, counts, mappings })
            })
        };
        page(scope.owner, query, self.readers.read(read).await?)
    }
}

/// The parts of the number of customers that a search finds, of which the page has so many rows. For a status alone they
/// were counted when they were written.
fn total(connection: &mut SqliteConnection, search: &Search, on_page: usize) -> QueryResult<Vec<i64>> {
    if let Some(seen) = search.total_seen(on_page) {
        return Ok(vec![seen]);
    }
    if search.counts_all() {
        let status = search.status.as_str();
        return counts(&search.tenant_id, &search.environment_id, status).load(connection);
    }
    count(search).load(connection)
}

#[cfg(test)]
mod tests {
    use diesel::{QueryableByName, debug_query, prelude::*, sql_query, sql_types::Text, sqlite::Sqlite};
    use patron_domain::{
        customer::{
            CustomerFacts,
            query::{CustomerQuery, CustomerQueryParts, Direction, SortField},
        },
        ids::IdSequence,
        testkit::{a_customer, a_scope, a_time},
    };

    use super::{Search, count, names, rows};
    use crate::persistence::sqlite::connection::{self, Role};

    #[derive(QueryableByName)]
    struct Step {
        #[diesel(sql_type = Text)]
        detail: String,
    }

    /// How SQLite goes about a page and a count of what the parts ask for.
    fn plans(parts: CustomerQueryParts) -> [String; 2] {
        let folder = tempfile::tempdir().unwrap();
        connection::migrate(&mut connection::open(&folder.path().join("a.db"), Role::Writer).unwrap()).unwrap();
        let mut connection = connection::open(&folder.path().join("a.db"), Role::Reader).unwrap();
        let search = Search::new(names(a_scope().owner), &CustomerQuery::new(parts).unwrap());
        let statements = [
            debug_query::<Sqlite, _>(&rows(&search)).to_string(),
            debug_query::<Sqlite, _>(&count(&search)).to_string(),
        ];
        statements.map(|statement| {
            let steps = sql_query(format!("EXPLAIN QUERY PLAN {statement}")).load::<Step>(&mut connection).unwrap();
            steps.into_iter().map(|step| step.detail).collect::<Vec<_>>().join("; ")
        })
    }

    fn place_in(sort: Vec<(SortField, Option<Direction>)>) -> CustomerQueryParts {
        let order = CustomerQuery::new(CustomerQueryParts { sort: sort.clone(), ..Default::default() }).unwrap();
        let command = a_customer("acme").command(IdSequence::start(a_time(), [0; 10]), a_time());
        let event = command.decide(&a_scope(), &CustomerFacts::default()).unwrap().event;
        let place = order.order().place_of(&event.state.customer).to_string();
        CustomerQueryParts { sort, starting_after: Some(place), ..Default::default() }
    }

    #[test]
    fn pages_are_read_in_order_from_an_index_that_begins_at_the_place() {
        for (sort, index) in [
            (
                SortField::CreatedAt,
                "customers_created (tenant_id=? AND environment_id=? AND status=? AND (created_at,id)<(?,?))",
            ),
            (SortField::Email, "customers_email (tenant_id=? AND environment_id=? AND (email_folded,id)<(?,?))"),
            (
                SortField::ExternalId,
                "customers_published_external_id (tenant_id=? AND environment_id=? AND external_id<?)",
            ),
        ] {
            let [deep, _] = plans(place_in(vec![(sort, None)]));
            assert!(deep.contains(index) && !deep.contains("TEMP B-TREE"), "{sort}: {deep}");
            let [first, _] = plans(CustomerQueryParts { sort: vec![(sort, None)], ..Default::default() });
            let name = index.split(' ').next().unwrap();
            assert!(first.contains(name) && !first.contains("TEMP B-TREE"), "{sort}: {first}");
        }
    }

    #[test]
    fn what_few_customers_have_is_looked_up_by_its_index() {
        let text = || Some("a@example.com".to_owned());
        for (parts, index) in [
            (
                CustomerQueryParts { email: text(), ..Default::default() },
                "customers_email (tenant_id=? AND environment_id=? AND email_folded=?)",
            ),
            (
                CustomerQueryParts { external_id: text(), ..Default::default() },
                "customers_published_external_id (tenant_id=? AND environment_id=? AND external_id=?)",
            ),
            (
                CustomerQueryParts { external_ids: Some(vec!["a".to_owned(), "b".to_owned()]), ..Default::default() },
                "customers_published_external_id (tenant_id=? AND environment_id=? AND external_id=?)",
            ),
            (
                CustomerQueryParts { customer_ids: Some(vec!["a".to_owned(), "b".to_owned()]), ..Default::default() },
                "sqlite_autoindex_customers_1 (tenant_id=? AND environment_id=? AND id=?)",
            ),
            (
                CustomerQueryParts { metadata: [("a".to_owned(), "b".to_owned())].into(), ..Default::default() },
                "sqlite_autoindex_customers_1 (tenant_id=? AND environment_id=? AND id=?)",
            ),
        ] {
            for plan in plans(parts) {
                assert!(plan.contains(index), "{index}: {plan}");
            }
        }
    }
}
