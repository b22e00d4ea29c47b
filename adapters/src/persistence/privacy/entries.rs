//! Looking up many entries of the index at once on PostgreSQL: each column is one array.

use diesel::{
    query_builder::{Query, QueryId},
    sql_types::{Binary, Integer, SmallInt},
};

use crate::persistence::{
    customer::row::CustomerIndexRow,
    value::{Key, KeySql},
};

/// The entries among some of one environment that exist.
#[cfg_attr(not(feature = "postgres"), allow(dead_code, reason = "SQLite looks up one entry after the other"))]
pub(crate) struct Entries<'a> {
    environment: i32,
    kinds: Vec<i16>,
    keys: Vec<&'a [u8]>,
    customers: Vec<Key>,
}

impl<'a> Entries<'a> {
    /// All of these.
    pub(crate) fn among(rows: &'a [CustomerIndexRow]) -> Self {
        Self {
            environment: rows.first().map_or(0, |row| row.environment),
            kinds: rows.iter().map(|row| row.kind).collect(),
            keys: rows.iter().map(|row| row.key.as_slice()).collect(),
            customers: rows.iter().map(|row| row.customer).collect(),
        }
    }
}

impl Query for Entries<'_> {
    type SqlType = (Integer, SmallInt, Binary, KeySql);
}

impl QueryId for Entries<'_> {
    type QueryId = Entries<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<C> diesel::RunQueryDsl<C> for Entries<'_> {}

#[cfg(feature = "postgres")]
impl diesel::query_builder::QueryFragment<diesel::pg::Pg> for Entries<'_> {
    fn walk_ast<'b>(
        &'b self,
        mut out: diesel::query_builder::AstPass<'_, 'b, diesel::pg::Pg>,
    ) -> diesel::QueryResult<()> {
        use diesel::sql_types::Array;

        out.push_sql("SELECT environment, kind, key, customer FROM customer_index WHERE environment = ");
        out.push_bind_param::<Integer, _>(&self.environment)?;
        out.push_sql(" AND (kind, key, customer) IN (SELECT unnest(");
        out.push_bind_param::<Array<SmallInt>, _>(&self.kinds)?;
        out.push_sql("), unnest(");
        out.push_bind_param::<Array<Binary>, _>(&self.keys)?;
        out.push_sql("), unnest(");
        out.push_bind_param::<Array<KeySql>, _>(&self.customers)?;
        out.push_sql("))");
        Ok(())
    }
}
