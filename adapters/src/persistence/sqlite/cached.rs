//! Statements that SQLite compiles once, where Diesel would compile them for each use.

use diesel::{
    QueryResult, RunQueryDsl, SqliteConnection,
    query_builder::{AstPass, QueryFragment, QueryId},
    sqlite::Sqlite,
};

/// A statement that is cached by its text.
///
/// Diesel caches no `UPDATE` and no `DO UPDATE`, because the columns they set may differ between uses. Ours always set
/// the same columns, and other columns would be another text. So the number of cached statements is that of the
/// statements in the code.
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
