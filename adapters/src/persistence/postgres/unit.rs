//! Statements on a connection to PostgreSQL. Those that are polled together are sent without waiting for each other.

use diesel::{
    OptionalExtension, QueryResult,
    pg::Pg,
    query_builder::{AsQuery, AstPass, Query, QueryFragment, QueryId},
};
use diesel_async::{
    AsyncPgConnection, RunQueryDsl,
    methods::LoadQuery,
};

/// A connection, for the statements of a read or of a transaction.
pub(crate) struct PostgresUnit<'c>(&'c AsyncPgConnection);

impl<'c> PostgresUnit<'c> {
    pub(super) fn new(pg: &'c AsyncPgConnection) -> Self {
        Self(pg)
    }

    /// The connection itself.
    pub(crate) fn pg(&self) -> &'c AsyncPgConnection {
        self.0
    }

    pub(crate) fn db(&self) -> Db<'c> {
        Db(self.0)
    }
}

/// Runs queries; see [`statements`](crate::persistence::statements::statements).
#[derive(Clone, Copy)]
pub(crate) struct Db<'c>(&'c AsyncPgConnection);

/// A query whose rows are locked until the transaction ends.
#[derive(QueryId)]
pub(crate) struct Locked<Q, const SHARED: bool>(Q);

impl<Q: Query, const SHARED: bool> Query for Locked<Q, SHARED> {
    type SqlType = Q::SqlType;
}

impl<Q: QueryFragment<Pg>, const SHARED: bool> QueryFragment<Pg> for Locked<Q, SHARED> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(if SHARED { " FOR SHARE" } else { " FOR UPDATE" });
        Ok(())
    }
}

impl<Q, C, const SHARED: bool> diesel::RunQueryDsl<C> for Locked<Q, SHARED> {}

impl<'c> Db<'c> {
    pub(crate) async fn rows<'q, Q, R>(self, query: Q) -> QueryResult<Vec<R>>
    where
        Q: LoadQuery<'q, &'c AsyncPgConnection, R> + 'q,
        R: Send,
    {
        let mut pg = self.0;
        query.load(&mut pg).await
    }

    pub(crate) async fn one<'q, Q, R>(self, query: Q) -> QueryResult<Option<R>>
    where
        Q: LoadQuery<'q, &'c AsyncPgConnection, R> + 'q,
        R: Send,
    {
        let mut pg = self.0;
        query.get_result(&mut pg).await.optional()
    }

    /// The row under lock until the transaction ends.
    pub(crate) async fn locked<'q, Q, R>(self, query: Q) -> QueryResult<Option<R>>
    where
        Q: AsQuery,
        Locked<Q::Query, false>: LoadQuery<'q, &'c AsyncPgConnection, R> + 'q,
        R: Send,
    {
        self.one(Locked::<_, false>(query.as_query())).await
    }

    /// The rows under lock until the transaction ends.
    pub(crate) async fn locked_rows<'q, Q, R>(self, query: Q) -> QueryResult<Vec<R>>
    where
        Q: AsQuery,
        Locked<Q::Query, false>: LoadQuery<'q, &'c AsyncPgConnection, R> + 'q,
        R: Send,
    {
        self.rows(Locked::<_, false>(query.as_query())).await
    }

    /// The rows under a lock that others may share, and that keeps them from being changed.
    pub(crate) async fn shared_rows<'q, Q, R>(self, query: Q) -> QueryResult<Vec<R>>
    where
        Q: AsQuery,
        Locked<Q::Query, true>: LoadQuery<'q, &'c AsyncPgConnection, R> + 'q,
        R: Send,
    {
        self.rows(Locked::<_, true>(query.as_query())).await
    }

    /// The rows of many keys, which are one parameter.
    pub(crate) async fn each<'q, K, Q, A, R>(
        self,
        keys: &'q [K],
        _one: impl Fn(&'q K) -> Q,
        any: impl FnOnce(&'q [K]) -> A,
    ) -> QueryResult<Vec<R>>
    where
        A: LoadQuery<'q, &'c AsyncPgConnection, R> + 'q,
        R: Send,
    {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        self.rows(any(keys)).await
    }

    /// The same under a lock that others may share.
    pub(crate) async fn each_shared<'q, K, Q, A, R>(
        self,
        keys: &'q [K],
        _one: impl Fn(&'q K) -> Q,
        any: impl FnOnce(&'q [K]) -> A,
    ) -> QueryResult<Vec<R>>
    where
        A: AsQuery,
        Locked<A::Query, true>: LoadQuery<'q, &'c AsyncPgConnection, R> + 'q,
        R: Send,
    {
        if keys.is_empty() { Ok(Vec::new()) } else { self.shared_rows(any(keys)).await }
    }

    /// The same under lock.
    pub(crate) async fn each_locked<'q, K, Q, A, R>(
        self,
        keys: &'q [K],
        _one: impl Fn(&'q K) -> Q,
        any: impl FnOnce(&'q [K]) -> A,
    ) -> QueryResult<Vec<R>>
    where
        A: AsQuery,
        Locked<A::Query, false>: LoadQuery<'q, &'c AsyncPgConnection, R> + 'q,
        R: Send,
    {
        if keys.is_empty() { Ok(Vec::new()) } else { self.locked_rows(any(keys)).await }
    }
}
