//! Statements about customers.

use diesel::{BoolExpressionMethods, ExpressionMethods, JoinOnDsl, QueryDsl};
use patron_domain::page::PageBytes;

use super::{
    row::CustomerRow,
    search::{Search, count, rows},
};
use crate::persistence::{
    literal::PUBLISHED,
    schema::{customer_index, customers, logs},
    statements::statements,
    value::{Document, Key},
};

/// The published customers of an environment.
macro_rules! published {
    ($environment:expr) => {
        customers::table.filter(customers::environment.eq($environment)).filter(customers::status.eq(PUBLISHED))
    };
}

statements! {
    /// Statements about customers.
    CustomerStatements {
        /// Documents of customers of any status after an id, in the order of their ids.
        fn customers_after(db, environment: i32, after: Option<Key>, limit: i64) -> Vec<(Key, Document)> {
            let all = customers::table.filter(customers::environment.eq(environment)).order(customers::id.asc());
            let mut all = all.select((customers::id, customers::document)).limit(limit).into_boxed();
            if let Some(after) = after {
                all = all.filter(customers::id.gt(after));
            }
            db.rows(all).await
        }

        /// The document of a customer of any status.
        fn document(db, environment: i32, id: Key) -> Option<Document> {
            let one = customers::table.filter(customers::environment.eq(environment)).filter(customers::id.eq(id));
            db.one(one.select(customers::document)).await
        }

        /// The document of the published customer with an external id.
        fn document_of_external_id(db, environment: i32, external_id: &str) -> Option<Document> {
            let one = published!(environment).filter(customers::external_id.eq(external_id));
            db.one(one.select(customers::document)).await
        }

        /// The documents of customers of any status with these ids.
        fn documents_of(db, environment: i32, ids: &[Key]) -> Vec<(Key, Document)> {
            let columns = (customers::id, customers::document);
            let all = || customers::table.filter(customers::environment.eq(environment)).select(columns);
            db.each(ids, |id| all().filter(customers::id.eq(id)), |ids| all().filter(customers::id.eq_any(ids))).await
        }

        /// The customers among these that have a row.
        fn customers_among(db, environment: i32, ids: &[Key]) -> Vec<Key> {
            let all = || customers::table.filter(customers::environment.eq(environment)).select(customers::id);
            db.each(ids, |id| all().filter(customers::id.eq(id)), |ids| all().filter(customers::id.eq_any(ids))).await
        }

        /// The documents of published customers with these external ids.
        fn documents_of_external_ids(db, environment: i32, external_ids: &[String]) -> Vec<(String, Document)> {
            let columns = (customers::external_id, customers::document);
            db.each(
                external_ids,
                |id| published!(environment).filter(customers::external_id.eq(id)).select(columns),
                |ids| published!(environment).filter(customers::external_id.eq_any(ids)).select(columns),
            ).await
        }

        /// Customers of any status, locked in the order of their ids.
        fn lock_customers(db, environment: i32, ids: &[Key]) -> Vec<CustomerRow> {
            let all = || customers::table.filter(customers::environment.eq(environment));
            db.each_locked(
                ids,
                |id| all().filter(customers::id.eq(id)),
                |ids| all().filter(customers::id.eq_any(ids)).order(customers::id.asc()),
            ).await
        }

        /// Published customers with these external ids, locked in the order of their ids.
        fn lock_customers_of_external_ids(db, environment: i32, external_ids: &[String]) -> Vec<CustomerRow> {
            db.each_locked(
                external_ids,
                |id| published!(environment).filter(customers::external_id.eq(id)),
                |ids| published!(environment).filter(customers::external_id.eq_any(ids)).order(customers::id.asc()),
            ).await
        }

        /// The ids of the published customers with these external ids.
        fn holders(db, environment: i32, external_ids: &[String]) -> Vec<(String, Key)> {
            let columns = (customers::external_id, customers::id);
            db.each(
                external_ids,
                |id| published!(environment).filter(customers::external_id.eq(id)).select(columns),
                |ids| published!(environment).filter(customers::external_id.eq_any(ids)).select(columns),
            ).await
        }

        /// The documents of at most `most` customers with an index entry.
        fn customers_indexed(db, environment: i32, kind: i16, key: &[u8], most: i64) -> Vec<Document> {
            let same = customers::environment.eq(customer_index::environment).and(customers::id.eq(customer_index::customer));
            let found = customer_index::table
                .inner_join(customers::table.on(same))
                .filter(customer_index::environment.eq(environment))
                .filter(customer_index::kind.eq(kind))
                .filter(customer_index::key.eq(key));
            db.rows(found.select(customers::document).limit(most)).await
        }

        /// The ids of the customers with an index entry.
        fn ids_indexed(db, environment: i32, kind: i16, key: &[u8]) -> Vec<Key> {
            let found = customer_index::table
                .filter(customer_index::environment.eq(environment))
                .filter(customer_index::kind.eq(kind))
                .filter(customer_index::key.eq(key));
            db.rows(found.select(customer_index::customer)).await
        }

        /// The documents of a page of a search, and one more if there is a next page. The page ends early if they are large.
        fn found(db, search: &Search) -> Vec<Document> {
            db.rows_within(rows(search), PageBytes::default()).await
        }

        /// The number of customers that a search finds, by counting.
        fn count_found(db, search: &Search) -> i64 {
            Ok(db.one::<_, i64>(count(search)).await?.unwrap_or_default())
        }

        /// The numbers of published and of archived customers of an environment.
        fn customer_counts(db, environment: i32) -> Option<(i64, i64)> {
            let one = logs::table.filter(logs::environment.eq(environment));
            db.one(one.select((logs::published, logs::archived))).await
        }
    }
}
