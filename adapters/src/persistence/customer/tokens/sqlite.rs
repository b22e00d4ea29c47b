//! Tokens in SQLite: words of a full-text index (FTS5) without content. A row is the number of a customer.

use diesel::{
    QueryResult, RunQueryDsl, SqliteConnection,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{BigInt, Integer, Text},
    sqlite::Sqlite,
};
use patron_domain::customer::find::{Token, Tokens};

use super::{ByTokens, CustomerTokensChange, CustomerTokensRow, Lane, WithTokens};
use crate::persistence::value::{Key, KeySql};

// `VALUES` instead of `SELECT`: SQLite runs an `INSERT … SELECT` in a savepoint of its own, and with each savepoint the
// index writes a segment instead of one for the whole transaction.
const INSERT: &str = "INSERT INTO customer_tokens (tokens, rowid) VALUES (";
/// The index removes a row if it is given the words that the row was added with.
const DELETE: &str = "INSERT INTO customer_tokens (customer_tokens, tokens, rowid) VALUES ('delete', ";

/// A statement with the words and the customer of a row.
struct Statement {
    beginning: &'static str,
    words: String,
    environment: i32,
    customer: Key,
}

impl QueryFragment<Sqlite> for Statement {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(self.beginning);
        out.push_bind_param::<Text, _>(&self.words)?;
        out.push_sql(", (SELECT number FROM customers WHERE environment = ");
        out.push_bind_param::<Integer, _>(&self.environment)?;
        out.push_sql(" AND id = ");
        out.push_bind_param::<KeySql, _>(&self.customer)?;
        out.push_sql("))");
        Ok(())
    }
}

impl QueryId for Statement {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl RunQueryDsl<SqliteConnection> for Statement {}

impl CustomerTokensRow {
    /// Adds the row. The customer's row exists.
    pub(crate) fn insert(&self, connection: &mut SqliteConnection) -> QueryResult<usize> {
        self.run(INSERT, connection)
    }

    /// Removes the row.
    pub(crate) fn delete(&self, connection: &mut SqliteConnection) -> QueryResult<usize> {
        self.run(DELETE, connection)
    }

    fn run(&self, beginning: &'static str, connection: &mut SqliteConnection) -> QueryResult<usize> {
        let words = joined(self.lane(), self.tokens.as_slice(), " ");
        Statement { beginning, words, environment: self.environment, customer: self.customer }.execute(connection)
    }
}

impl CustomerTokensChange {
    /// Replaces the row.
    pub(crate) fn change(&self, connection: &mut SqliteConnection) -> QueryResult<usize> {
        self.before.delete(connection)?;
        self.now.insert(connection)
    }
}

fn joined(lane: Lane, tokens: &[Token], separator: &str) -> String {
    let mut words = String::with_capacity(tokens.len() * (8 + separator.len()));
    for token in tokens {
        if !words.is_empty() {
            words.push_str(separator);
        }
        lane.write(*token, &mut words);
    }
    words
}

/// The condition in the language of the index, whose operators are in upper case. The words are in lower case.
pub(super) fn condition(lane: Lane, all: &Tokens, any: &Tokens) -> String {
    let all = joined(lane, all.as_slice(), " AND ");
    match (all.is_empty(), any.is_empty()) {
        (_, true) => all,
        (true, false) => joined(lane, any.as_slice(), " OR "),
        (false, false) => format!("{all} AND ({})", joined(lane, any.as_slice(), " OR ")),
    }
}

impl QueryFragment<Sqlite> for ByTokens<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        // The index is read backwards from the newest customer, until there are enough.
        out.push_sql(
            "SELECT customers.id FROM (SELECT rowid AS number FROM customer_tokens WHERE customer_tokens MATCH ",
        );
        out.push_bind_param::<Text, _>(&self.words)?;
        out.push_sql(" ORDER BY rowid DESC LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.most)?;
        out.push_sql(") AS named CROSS JOIN customers ON customers.number = named.number");
        Ok(())
    }
}

impl QueryFragment<Sqlite> for WithTokens<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("SELECT x'' WHERE 0");
        Ok(())
    }
}
