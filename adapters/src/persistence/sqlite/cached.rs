//! Statements that SQLite compiles once, although Diesel would compile them at each use.

use diesel::{
    QueryResult, RunQueryDsl, SqliteConnection,
    query_builder::{AstPass, QueryFragment, QueryId},
    sqlite::Sqlite,
};

/// A statement that is kept compiled under its text.
///
/// Diesel keeps no `UPDATE` and no `DO UPDATE`, because the columns they set may differ from use to use. Ours always set
/// the same columns; and were it otherwise, the text would be another one. So there are as many as are written in the code.
pub(crate) struct Cached<Q>(pub(crate) Q);

impl<Q: QueryFragment<Sqlite>> QueryFragment<Sqlite> for Cached<Q> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, _: &Sqlite) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Q> QueryId for Cached<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q> RunQueryDsl<SqliteConnection> for Cached<Q> {}
