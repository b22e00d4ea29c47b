//! A customer's latest event has no document of its own: the customer's row holds it. A change that adds a later event
//! copies the document to the previous one.

use diesel::{
    QueryResult,
    backend::Backend,
    query_builder::{AstPass, QueryFragment, QueryId},
    serialize::ToSql,
    sql_types::{HasSqlType, Integer},
};

use crate::persistence::value::{Key, KeySql};

/// A customer that is about to change.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SupersededRow {
    pub(crate) environment: i32,
    pub(crate) customer: Key,
}

impl QueryId for SupersededRow {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<DB> QueryFragment<DB> for SupersededRow
where
    DB: Backend + HasSqlType<Integer> + HasSqlType<KeySql>,
    i32: ToSql<Integer, DB>,
    Key: ToSql<KeySql, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("UPDATE events SET document = c.document FROM customers c WHERE c.environment = ");
        out.push_bind_param::<Integer, _>(&self.environment)?;
        out.push_sql(" AND c.id = ");
        out.push_bind_param::<KeySql, _>(&self.customer)?;
        out.push_sql(" AND events.environment = ");
        out.push_bind_param::<Integer, _>(&self.environment)?;
        out.push_sql(" AND events.entity = ");
        out.push_bind_param::<KeySql, _>(&self.customer)?;
        out.push_sql(" AND events.sequence = c.version");
        Ok(())
    }
}

impl<C> diesel::RunQueryDsl<C> for SupersededRow {}

impl SupersededRow {
    /// Copies the customer's document to its latest event.
    #[cfg(feature = "sqlite")]
    pub(crate) fn keep(&self, connection: &mut diesel::SqliteConnection) -> QueryResult<usize> {
        diesel::RunQueryDsl::execute(*self, connection)
    }

    /// The same for several customers. The statements are sent together.
    #[cfg(feature = "postgres")]
    pub(crate) async fn keep_all(
        rows: &[Self],
        unit: &crate::persistence::postgres::unit::PostgresUnit<'_>,
    ) -> QueryResult<usize> {
        let pg = unit.pg();
        let keep = |row: &Self| {
            let row = *row;
            async move { diesel_async::RunQueryDsl::execute(row, &mut &*pg).await }
        };
        Ok(futures_util::future::try_join_all(rows.iter().map(keep)).await?.into_iter().sum())
    }
}
