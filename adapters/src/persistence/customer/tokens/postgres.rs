//! Tokens in PostgreSQL: an array of numbers for each customer, with an inverted index (GIN).
//!
//! Such an index returns all customers of a token, in no order. So customers are counted off into segments, and the numbers are
//! mixed with the segment. A search reads segment by segment, the newest first, and stops when it has enough.

use diesel::{
    QueryResult,
    pg::Pg,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{Array, Integer},
};
use diesel_async::RunQueryDsl as _;
use patron_domain::customer::find::Tokens;

use super::{ByTokens, CustomerTokensRow, Lane, WithTokens};
use crate::persistence::{
    customer::tokens::CustomerTokensChange,
    postgres::unit::PostgresUnit,
    value::{Key, KeySql},
};

/// The number of customers in a segment.
const SEGMENT: &str = "32768";

/// Adds rows.
const ADD: u8 = 0;
/// Changes the tokens of rows, which stay in their segments.
const CHANGE: u8 = 1;
/// Removes rows.
const REMOVE: u8 = 2;

impl CustomerTokensRow {
    /// Adds rows.
    pub(crate) async fn insert_all(rows: &[Self], unit: &PostgresUnit<'_>) -> QueryResult<usize> {
        run::<ADD>(rows.iter(), unit).await
    }

    /// Removes rows.
    pub(crate) async fn delete_all(rows: &[Self], unit: &PostgresUnit<'_>) -> QueryResult<usize> {
        run::<REMOVE>(rows.iter(), unit).await
    }
}

impl CustomerTokensChange {
    /// Changes rows.
    pub(crate) async fn change_all(rows: &[Self], unit: &PostgresUnit<'_>) -> QueryResult<usize> {
        run::<CHANGE>(rows.iter().map(|change| &change.now), unit).await
    }
}

/// Runs one statement, or on several servers one for each environment.
async fn run<'r, const KIND: u8>(
    rows: impl Iterator<Item = &'r CustomerTokensRow>,
    unit: &PostgresUnit<'_>,
) -> QueryResult<usize> {
    let mut rows: Vec<_> = rows.collect();
    if !unit.is_distributed() {
        return Many::<KIND>::new(&rows).execute(&mut unit.pg()).await;
    }
    rows.sort_by_key(|row| row.environment);
    let mut done = 0;
    for together in rows.chunk_by(|one, other| one.environment == other.environment) {
        done += OfOne(Many::<KIND>::new(together)).execute(&mut unit.pg()).await?;
    }
    Ok(done)
}

/// A statement for any number of rows. An array of arrays would need equal lengths, so all numbers are one array, of which each
/// row gets a part.
struct Many<const KIND: u8> {
    environments: Vec<i32>,
    customers: Vec<Key>,
    numbers: Vec<i32>,
    first: Vec<i32>,
    last: Vec<i32>,
}

impl<const KIND: u8> Many<KIND> {
    fn new(rows: &[&CustomerTokensRow]) -> Self {
        let (mut numbers, mut first, mut last) = (Vec::new(), Vec::new(), Vec::new());
        // A batch has far fewer than 2^31 numbers.
        let place = |numbers: &Vec<i32>| i32::try_from(numbers.len()).unwrap_or(i32::MAX);
        for row in rows.iter().filter(|_| KIND != REMOVE) {
            first.push(place(&numbers).saturating_add(1));
            let lane = row.lane();
            numbers.extend(row.tokens.as_slice().iter().map(|token| lane.number(*token)));
            last.push(place(&numbers));
        }
        let environments = rows.iter().map(|row| row.environment).collect();
        Self { environments, customers: rows.iter().map(|row| row.customer).collect(), numbers, first, last }
    }

    /// The rows as a table `new`, for statements about any environments, or about one.
    fn write_rows<'b>(&'b self, one: bool, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("(SELECT ");
        if !one {
            out.push_sql("unnest(");
            out.push_bind_param::<Array<Integer>, _>(&self.environments)?;
            out.push_sql(") AS environment, ");
        }
        out.push_sql("unnest(");
        out.push_bind_param::<Array<KeySql>, _>(&self.customers)?;
        out.push_sql(") AS customer");
        if KIND != REMOVE {
            out.push_sql(", unnest(");
            out.push_bind_param::<Array<Integer>, _>(&self.first)?;
            out.push_sql(") AS first, unnest(");
            out.push_bind_param::<Array<Integer>, _>(&self.last)?;
            out.push_sql(") AS last");
        }
        out.push_sql(") AS new");
        Ok(())
    }

    /// The numbers of a row, mixed with its segment.
    fn write_mixed<'b>(&'b self, segment: &str, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("ARRAY(SELECT number # hashint4(");
        out.push_sql(segment);
        out.push_sql(") FROM unnest((");
        out.push_bind_param::<Array<Integer>, _>(&self.numbers)?;
        out.push_sql("::int4[])[new.first:new.last]) AS number)");
        Ok(())
    }

    /// The statement. The environment is a single one if the tables are spread over several servers, because it determines the
    /// server.
    fn write<'b>(&'b self, one: Option<&'b i32>, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let is_of = |table: &str, out: &mut AstPass<'_, 'b, Pg>| {
            out.push_sql(table);
            out.push_sql(".environment = ");
            match one {
                Some(environment) => out.push_bind_param::<Integer, _>(environment),
                None => {
                    out.push_sql("new.environment");
                    Ok(())
                }
            }
        };
        match KIND {
            ADD => {
                out.push_sql(
                    "INSERT INTO customer_tokens (environment, customer, segment, tokens) \
                     SELECT logs.environment, new.customer, logs.segment, ",
                );
                self.write_mixed("logs.segment", out)?;
                out.push_sql(" FROM (SELECT environment, ((published + archived) / ");
                out.push_sql(SEGMENT);
                out.push_sql(")::int AS segment FROM logs) AS logs JOIN ");
                self.write_rows(one.is_some(), out)?;
                out.push_sql(" ON ");
                is_of("logs", out)
            }
            CHANGE => {
                out.push_sql("UPDATE customer_tokens SET tokens = ");
                self.write_mixed("customer_tokens.segment", out)?;
                out.push_sql(" FROM ");
                self.write_rows(one.is_some(), out)?;
                out.push_sql(" WHERE customer_tokens.customer = new.customer AND ");
                is_of("customer_tokens", out)
            }
            _ => {
                out.push_sql("DELETE FROM customer_tokens USING ");
                self.write_rows(one.is_some(), out)?;
                out.push_sql(" WHERE customer_tokens.customer = new.customer AND ");
                is_of("customer_tokens", out)
            }
        }
    }
}

/// The same, for one environment.
struct OfOne<const KIND: u8>(Many<KIND>);

impl<const KIND: u8> QueryFragment<Pg> for Many<KIND> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.write(None, &mut out)
    }
}

impl<const KIND: u8> QueryFragment<Pg> for OfOne<KIND> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.write(self.0.environments.as_slice().first(), &mut out)
    }
}

macro_rules! prepared_once {
    ($($statement:ident),+) => {
        $(
            impl<const KIND: u8> QueryId for $statement<KIND> {
                type QueryId = Self;
                const HAS_STATIC_QUERY_ID: bool = true;
            }

            impl<C, const KIND: u8> diesel::RunQueryDsl<C> for $statement<KIND> {}
        )+
    };
}

prepared_once!(Many, OfOne);

impl QueryFragment<Pg> for ByTokens<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let most = self.most.to_string();
        // Every number of tokens is another statement.
        out.unsafe_to_cache_prepared();
        out.push_sql(
            "SELECT named.customer FROM (SELECT generate_series(max(segment), 0, -1) AS segment FROM customer_tokens \
             WHERE environment = ",
        );
        out.push_bind_param::<Integer, _>(&self.environment)?;
        out.push_sql(") AS part CROSS JOIN LATERAL (SELECT customer FROM customer_tokens WHERE environment = ");
        out.push_bind_param::<Integer, _>(&self.environment)?;
        // Not by the index of segments: reading a whole segment from it takes longer than the customers that have the tokens.
        out.push_sql(" AND segment + 0 = part.segment");
        write(self.lane, " AND tokens @> ", self.all, &mut out);
        write(self.lane, " AND tokens && ", self.any, &mut out);
        // Not `ORDER BY customer`: the planner would read the customers by their ids, and compare each.
        out.push_sql(" ORDER BY uuid_send(customer) DESC LIMIT ");
        out.push_sql(&most);
        // The segments are read in their order, until there are enough.
        out.push_sql(") AS named LIMIT ");
        out.push_sql(&most);
        Ok(())
    }
}

impl QueryFragment<Pg> for WithTokens<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT customer FROM customer_tokens WHERE environment = ");
        out.push_bind_param::<Integer, _>(&self.environment)?;
        out.push_sql(" AND customer = ANY (");
        out.push_bind_param::<Array<KeySql>, _>(&self.customers)?;
        out.push_sql(")");
        Ok(())
    }
}

fn write(lane: Lane, operator: &str, tokens: &Tokens, out: &mut AstPass<'_, '_, Pg>) {
    if tokens.is_empty() {
        return;
    }
    let numbers: Vec<_> = tokens.as_slice().iter().map(|token| lane.number(*token).to_string()).collect();
    let mixed = "ARRAY(SELECT number # hashint4(part.segment) FROM unnest('{";
    for part in [operator, mixed, &numbers.join(","), "}'::int4[]) AS number)"] {
        out.push_sql(part);
    }
}
