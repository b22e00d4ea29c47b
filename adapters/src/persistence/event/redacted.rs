//! Events whose states are erased, with the salts of their commitments. Envelopes, positions, sequences and hashes stay.

use diesel::{
    QueryResult,
    backend::Backend,
    query_builder::{AstPass, QueryFragment, QueryId},
    serialize::ToSql,
    sql_types::{BigInt, HasSqlType, Integer},
};

/// An event whose state is erased.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RedactedEventRow {
    pub(crate) environment: i32,
    pub(crate) position: i64,
}

impl QueryId for RedactedEventRow {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<DB> QueryFragment<DB> for RedactedEventRow
where
    DB: Backend + HasSqlType<Integer> + HasSqlType<BigInt>,
    i32: ToSql<Integer, DB>,
    i64: ToSql<BigInt, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("UPDATE events SET document = NULL, salt = NULL WHERE environment = ");
        out.push_bind_param::<Integer, _>(&self.environment)?;
        out.push_sql(" AND position = ");
        out.push_bind_param::<BigInt, _>(&self.position)?;
        Ok(())
    }
}

impl<C> diesel::RunQueryDsl<C> for RedactedEventRow {}

impl RedactedEventRow {
    /// Erases the event's state.
    #[cfg(feature = "sqlite")]
    pub(crate) fn redact(&self, connection: &mut diesel::SqliteConnection) -> QueryResult<usize> {
        diesel::RunQueryDsl::execute(*self, connection)
    }

    /// The same for several events. The statements are sent together.
    #[cfg(feature = "postgres")]
    pub(crate) async fn redact_all(
        rows: &[Self],
        unit: &crate::persistence::postgres::unit::PostgresUnit<'_>,
    ) -> QueryResult<usize> {
        let pg = unit.pg();
        let redact = |row: &Self| {
            let row = *row;
            async move { diesel_async::RunQueryDsl::execute(row, &mut &*pg).await }
        };
        Ok(futures_util::future::try_join_all(rows.iter().map(redact)).await?.into_iter().sum())
    }
}
