//! Fields whose values become unique: which values clash, and their entries in the unique index.

use diesel::{
    QueryResult,
    backend::Backend,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    serialize::ToSql,
    sql_types::{BigInt, Binary, HasSqlType, Integer},
};

use super::FieldRange;
use crate::persistence::value::KeySql;

/// A query for published customers whose value another one has too.
#[derive(Debug, Clone)]
pub(crate) struct Clashing {
    pub(super) environment: i32,
    pub(super) range: FieldRange,
    pub(super) limit: i64,
}

impl Query for Clashing {
    type SqlType = KeySql;
}

impl QueryId for Clashing {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<C> diesel::RunQueryDsl<C> for Clashing {}

impl<DB> QueryFragment<DB> for Clashing
where
    DB: Backend + HasSqlType<Integer> + HasSqlType<BigInt> + HasSqlType<Binary>,
    i32: ToSql<Integer, DB>,
    i64: ToSql<BigInt, DB>,
    Vec<u8>: ToSql<Binary, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql(
            "SELECT DISTINCT i.customer FROM customer_index i \
             JOIN customers c ON c.environment = i.environment AND c.id = i.customer AND c.status = 0 \
             JOIN customer_index o ON o.environment = i.environment AND o.kind = i.kind AND o.key = i.key \
             AND o.customer <> i.customer \
             JOIN customers d ON d.environment = o.environment AND d.id = o.customer AND d.status = 0 \
             WHERE i.environment = ",
        );
        out.push_bind_param::<Integer, _>(&self.environment)?;
        // Kind 10: values of custom fields.
        out.push_sql(" AND i.kind = 10 AND i.key >= ");
        out.push_bind_param::<Binary, _>(&self.range.from)?;
        out.push_sql(" AND i.key < ");
        out.push_bind_param::<Binary, _>(&self.range.end)?;
        out.push_sql(" ORDER BY i.customer LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.limit)
    }
}

/// A field whose values become unique, or are no longer.
#[derive(Debug, Clone)]
pub(crate) struct UniquenessRow {
    pub(crate) environment: i32,
    pub(crate) range: FieldRange,
    pub(crate) unique: bool,
}

impl QueryId for UniquenessRow {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C> diesel::RunQueryDsl<C> for UniquenessRow {}

impl<DB> QueryFragment<DB> for UniquenessRow
where
    DB: Backend + HasSqlType<Integer> + HasSqlType<Binary>,
    i32: ToSql<Integer, DB>,
    Vec<u8>: ToSql<Binary, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        // Kind 10: values of custom fields; 11: those that must be unique.
        if self.unique {
            out.push_sql(
                "INSERT INTO customer_index (environment, kind, key, customer) \
                 SELECT i.environment, 11, i.key, i.customer FROM customer_index i \
                 JOIN customers c ON c.environment = i.environment AND c.id = i.customer AND c.status = 0 \
                 WHERE i.kind = 10 AND i.environment = ",
            );
            out.push_bind_param::<Integer, _>(&self.environment)?;
            out.push_sql(" AND i.key >= ");
            out.push_bind_param::<Binary, _>(&self.range.from)?;
            out.push_sql(" AND i.key < ");
        } else {
            out.push_sql("DELETE FROM customer_index WHERE kind = 11 AND environment = ");
            out.push_bind_param::<Integer, _>(&self.environment)?;
            out.push_sql(" AND key >= ");
            out.push_bind_param::<Binary, _>(&self.range.from)?;
            out.push_sql(" AND key < ");
        }
        out.push_bind_param::<Binary, _>(&self.range.end)
    }
}

impl UniquenessRow {
    /// Adds the entries of the field's values to the unique index, or removes them.
    #[cfg(feature = "sqlite")]
    pub(crate) fn apply(&self, connection: &mut diesel::SqliteConnection) -> QueryResult<usize> {
        diesel::RunQueryDsl::execute(self.clone(), connection)
    }

    /// The same for several fields.
    #[cfg(feature = "postgres")]
    pub(crate) async fn apply_all(
        rows: &[Self],
        unit: &crate::persistence::postgres::unit::PostgresUnit<'_>,
    ) -> QueryResult<usize> {
        let pg = unit.pg();
        let mut count = 0;
        for row in rows {
            count += diesel_async::RunQueryDsl::execute(row.clone(), &mut &*pg).await?;
        }
        Ok(count)
    }
}
