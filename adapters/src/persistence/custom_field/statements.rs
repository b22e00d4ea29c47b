//! Statements about custom fields.

use diesel::{ExpressionMethods, QueryDsl};
use patron_domain::customer::IndexKind;

use super::{FieldRange, row::CustomFieldRow, uniqueness::Clashing};
use crate::persistence::{
    schema::{custom_fields, customer_index},
    statements::statements,
    value::Key,
};

/// The definitions of an environment in the order of their keys. All transactions lock them in this order.
macro_rules! all_of {
    ($environment:expr) => {
        custom_fields::table.filter(custom_fields::environment.eq($environment)).order(custom_fields::key.asc())
    };
}

statements! {
    /// Statements about custom fields.
    CustomFieldStatements {
        /// A definition.
        fn custom_field(db, environment: i32, key: &str) -> Option<CustomFieldRow> {
            let one = custom_fields::table.filter(custom_fields::environment.eq(environment));
            db.one(one.filter(custom_fields::key.eq(key))).await
        }

        /// The same, locked. Changes of customers that need its values locked share a lock on it.
        fn lock_custom_field(db, environment: i32, key: &str) -> Option<CustomFieldRow> {
            let one = custom_fields::table.filter(custom_fields::environment.eq(environment));
            db.locked(one.filter(custom_fields::key.eq(key))).await
        }

        /// All definitions.
        fn custom_fields_of(db, environment: i32) -> Vec<CustomFieldRow> {
            db.rows(all_of!(environment)).await
        }

        /// The same, locked against changes.
        fn share_custom_fields_of(db, environment: i32) -> Vec<CustomFieldRow> {
            db.shared_rows(all_of!(environment)).await
        }

        /// The number of definitions.
        fn count_custom_fields(db, environment: i32) -> i64 {
            let all = custom_fields::table.filter(custom_fields::environment.eq(environment));
            Ok(db.one::<_, i64>(all.count()).await?.unwrap_or_default())
        }

        /// Customers of any status with a value. A customer with several values may be returned more than once.
        fn customers_with_field(db, environment: i32, range: &FieldRange, limit: i64) -> Vec<Key> {
            let found = customer_index::table
                .filter(customer_index::environment.eq(environment))
                .filter(customer_index::kind.eq(IndexKind::CustomField.code()))
                .filter(customer_index::key.ge(&range.from))
                .filter(customer_index::key.lt(&range.end));
            db.rows(found.select(customer_index::customer).limit(limit)).await
        }

        /// The first published customers whose value another one has too, in the order of their ids.
        fn clashing_customers(db, environment: i32, range: &FieldRange, limit: i64) -> Vec<Key> {
            db.rows(Clashing { environment, range: range.clone(), limit }).await
        }

        /// The published customers that have unique values, by the keys of these values.
        fn unique_holders(db, environment: i32, keys: &[Vec<u8>]) -> Vec<(Vec<u8>, Key)> {
            let columns = (customer_index::key, customer_index::customer);
            let all = || customer_index::table
                .filter(customer_index::environment.eq(environment))
                .filter(customer_index::kind.eq(IndexKind::UniqueCustomField.code()))
                .select(columns);
            db.each(
                keys,
                |key| all().filter(customer_index::key.eq(key)),
                |keys| all().filter(customer_index::key.eq_any(keys)),
            ).await
        }
    }
}
