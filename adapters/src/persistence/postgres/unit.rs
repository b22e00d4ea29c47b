//! Statements on a connection to PostgreSQL. Statements that are polled together are pipelined.

use diesel::{
    OptionalExtension, QueryResult,
    pg::Pg,
    query_builder::{AsQuery, AstPass, Query, QueryFragment, QueryId},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl, methods::LoadQuery};
use futures_util::future::{BoxFuture, FutureExt, ready};
use patron_domain::page::PageBytes;

use crate::persistence::page::{Shape, Weighed};

/// A connection, for the statements of a read or of a transaction.
pub(crate) struct PostgresUnit<'c> {
    pg: &'c AsyncPgConnection,
    /// Whether the tables are spread over several servers.
    distributed: bool,
}

impl<'c> PostgresUnit<'c> {
    pub(super) fn new(pg: &'c AsyncPgConnection, distributed: bool) -> Self {
        Self { pg, distributed }
    }

    /// The connection itself.
    pub(crate) fn pg(&self) -> &'c AsyncPgConnection {
        self.pg
    }

    /// Whether the tables are spread over several servers.
    pub(crate) fn is_distributed(&self) -> bool {
        self.distributed
    }

    pub(crate) fn db(&self) -> Db<'c> {
        Db(self.pg)
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

/// The rows of a query that fit on a page by their bytes, and one more if there is a next page. The server counts the
/// bytes, so it sends no other rows.
#[derive(QueryId)]
pub(crate) struct Within<Q>(Q, PageBytes, Shape);

impl<Q: Query> Query for Within<Q> {
    type SqlType = Q::SqlType;
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Within<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        // A row is on the page, or is the first after it, if the previous row begins within the page's bytes.
        let Shape { columns, weighed } = self.2;
        out.push_sql("SELECT * FROM (SELECT page.*, sum(0");
        for column in weighed {
            out.push_sql(&format!(" + coalesce(octet_length(c{column}::text), 0)"));
        }
        out.push_sql(") OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND 2 PRECEDING) AS before FROM (");
        self.0.walk_ast(out.reborrow())?;
        // Own names, because several columns of a join may have the same name.
        let names: Vec<_> = (0..columns).map(|column| format!("c{column}")).collect();
        out.push_sql(&format!(") AS page ({})) AS page WHERE coalesce(before, 0) < ", names.join(", ")));
        out.push_sql(&self.1.get().to_string());
        Ok(())
    }
}

impl<Q, C> diesel::RunQueryDsl<C> for Within<Q> {}

/// The result of a query.
type Found<'q, T> = BoxFuture<'q, QueryResult<T>>;

impl<'c> Db<'c> {
    pub(crate) fn rows<'q, Q, R>(self, query: Q) -> Found<'q, Vec<R>>
    where
        'c: 'q,
        Q: LoadQuery<'q, &'c AsyncPgConnection, R> + Send + 'q,
        R: Send + 'q,
    {
        let mut pg = self.0;
        async move { query.load(&mut pg).await }.boxed()
    }

    /// The rows that fit on a page by their bytes, and one more if there is a next page.
    pub(crate) fn rows_within<'q, Q, R>(self, query: Q, bytes: PageBytes) -> Found<'q, Vec<R>>
    where
        'c: 'q,
        Q: AsQuery,
        Within<Q::Query>: LoadQuery<'q, &'c AsyncPgConnection, R> + Send + 'q,
        R: Weighed + Send + 'q,
    {
        self.rows(Within(query.as_query(), bytes, R::SHAPE))
    }

    pub(crate) fn one<'q, Q, R>(self, query: Q) -> Found<'q, Option<R>>
    where
        'c: 'q,
        Q: LoadQuery<'q, &'c AsyncPgConnection, R> + Send + 'q,
        R: Send + 'q,
    {
        let mut pg = self.0;
        async move { query.get_result(&mut pg).await.optional() }.boxed()
    }

    /// Reads a row and locks it until the transaction ends.
    pub(crate) fn locked<'q, Q, R>(self, query: Q) -> Found<'q, Option<R>>
    where
        'c: 'q,
        Q: AsQuery,
        Locked<Q::Query, false>: LoadQuery<'q, &'c AsyncPgConnection, R> + Send + 'q,
        R: Send + 'q,
    {
        self.one(Locked::<_, false>(query.as_query()))
    }

    /// Reads rows and locks them until the transaction ends.
    pub(crate) fn locked_rows<'q, Q, R>(self, query: Q) -> Found<'q, Vec<R>>
    where
        'c: 'q,
        Q: AsQuery,
        Locked<Q::Query, false>: LoadQuery<'q, &'c AsyncPgConnection, R> + Send + 'q,
        R: Send + 'q,
    {
        self.rows(Locked::<_, false>(query.as_query()))
    }

    /// Reads rows and locks them against changes, with a lock that others may share.
    pub(crate) fn shared_rows<'q, Q, R>(self, query: Q) -> Found<'q, Vec<R>>
    where
        'c: 'q,
        Q: AsQuery,
        Locked<Q::Query, true>: LoadQuery<'q, &'c AsyncPgConnection, R> + Send + 'q,
        R: Send + 'q,
    {
        self.rows(Locked::<_, true>(query.as_query()))
    }

    /// Reads the rows of many keys, which are one parameter.
    pub(crate) fn each<'q, K, Q, A, R>(
        self,
        keys: &'q [K],
        _one: impl Fn(&'q K) -> Q,
        any: impl FnOnce(&'q [K]) -> A,
    ) -> Found<'q, Vec<R>>
    where
        'c: 'q,
        A: LoadQuery<'q, &'c AsyncPgConnection, R> + Send + 'q,
        R: Send + 'q,
    {
        if keys.is_empty() { nothing() } else { self.rows(any(keys)) }
    }

    /// The same with a shared lock.
    pub(crate) fn each_shared<'q, K, Q, A, R>(
        self,
        keys: &'q [K],
        _one: impl Fn(&'q K) -> Q,
        any: impl FnOnce(&'q [K]) -> A,
    ) -> Found<'q, Vec<R>>
    where
        'c: 'q,
        A: AsQuery,
        Locked<A::Query, true>: LoadQuery<'q, &'c AsyncPgConnection, R> + Send + 'q,
        R: Send + 'q,
    {
        if keys.is_empty() { nothing() } else { self.shared_rows(any(keys)) }
    }

    /// The same with an exclusive lock.
    pub(crate) fn each_locked<'q, K, Q, A, R>(
        self,
        keys: &'q [K],
        _one: impl Fn(&'q K) -> Q,
        any: impl FnOnce(&'q [K]) -> A,
    ) -> Found<'q, Vec<R>>
    where
        'c: 'q,
        A: AsQuery,
        Locked<A::Query, false>: LoadQuery<'q, &'c AsyncPgConnection, R> + Send + 'q,
        R: Send + 'q,
    {
        if keys.is_empty() { nothing() } else { self.locked_rows(any(keys)) }
    }
}

/// Returns no rows, without a query.
fn nothing<'q, R: Send + 'q>() -> Found<'q, Vec<R>> {
    ready(Ok(Vec::new())).boxed()
}
