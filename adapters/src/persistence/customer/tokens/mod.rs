//! The index by which customers are found: the table `customer_tokens`.
//!
//! A token belongs to an environment and to published or to archived customers, so a large environment does not slow a small
//! one down. SQLite stores it as a word of a full-text index, and PostgreSQL as a number in an array with an inverted index.

#[cfg(all(feature = "sqlite", feature = "postgres"))]
mod copy;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

use diesel::{
    QueryResult,
    query_builder::{Query, QueryId},
};
use patron_domain::{
    customer::{
        CustomerAggregate,
        find::{LookUp, Sought, Token, Tokens},
    },
    lifecycle::Status,
};

use crate::persistence::{
    statements::statements,
    value::{Key, KeySql},
    writes::Writes,
};

/// One row of `customer_tokens`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CustomerTokensRow {
    environment: i32,
    customer: Key,
    status: Status,
    tokens: Tokens,
}

impl CustomerTokensRow {
    /// The row of a customer. `None` if there is nothing to find it by.
    pub(crate) fn of(environment: i32, aggregate: &CustomerAggregate) -> Option<Self> {
        let (customer, status) = (aggregate.customer.id.into(), aggregate.customer.status);
        let tokens = aggregate.find_tokens();
        (!tokens.is_empty()).then_some(Self { environment, customer, status, tokens })
    }

    fn lane(&self) -> Lane {
        Lane::new(self.environment, self.status)
    }
}

/// New tokens of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CustomerTokensChange {
    #[cfg_attr(not(feature = "sqlite"), allow(dead_code, reason = "PostgreSQL needs only the new tokens"))]
    before: CustomerTokensRow,
    now: CustomerTokensRow,
}

impl Writes {
    /// Adds the change of the tokens by which a customer is found, if it has changed.
    pub(crate) fn tokens(
        &mut self,
        environment: i32,
        before: Option<&CustomerAggregate>,
        now: Option<&CustomerAggregate>,
    ) {
        let row = |aggregate| CustomerTokensRow::of(environment, aggregate);
        match (before.and_then(row), now.and_then(row)) {
            (Some(before), Some(now)) if before != now => {
                self.tokens_changed.push(CustomerTokensChange { before, now })
            }
            (Some(_), Some(_)) | (None, None) => {}
            (Some(before), None) => self.tokens_gone.push(before),
            (None, Some(now)) => self.tokens_new.push(now),
        }
    }
}

/// An environment's published customers, or its others.
#[derive(Debug, Clone, Copy)]
struct Lane(u32);

impl Lane {
    fn new(environment: i32, status: Status) -> Self {
        // Numbers of environments are positive, so twice the number fits.
        Self(environment.unsigned_abs() * 2 + u32::from(status != Status::Published))
    }

    /// A token as a number. Tokens of other environments and statuses rarely share it.
    #[cfg(feature = "postgres")]
    fn number(self, token: Token) -> i32 {
        let mixed = self.0.wrapping_mul(0x9e37_79b1) ^ token.get().wrapping_mul(0x85eb_ca6b);
        let mixed = (mixed ^ (mixed >> 16)).wrapping_mul(0xc2b2_ae35);
        (mixed ^ (mixed >> 13)).cast_signed()
    }

    /// Adds a token as a word of lower-case letters and digits: the lane, then five characters.
    #[cfg(feature = "sqlite")]
    fn write(self, token: Token, out: &mut String) {
        let digit = |number: u32| char::from_digit(number % 32, 32).unwrap_or_default();
        let digits = (32 - (self.0 | 1).leading_zeros()).div_ceil(5);
        out.extend((0..digits).rev().map(|place| digit(self.0 >> (5 * place))));
        out.extend((0..Token::BITS.div_ceil(5)).rev().map(|place| digit(token.get() >> (5 * place))));
    }
}

/// The ids of the customers that tokens name, the newest first.
#[cfg_attr(not(feature = "postgres"), allow(dead_code, reason = "SQLite needs only the words"))]
pub(crate) struct ByTokens<'a> {
    environment: i32,
    lane: Lane,
    all: &'a Tokens,
    any: &'a Tokens,
    most: i64,
    /// The condition as SQLite's full-text index takes it.
    #[cfg(feature = "sqlite")]
    words: String,
}

impl<'a> ByTokens<'a> {
    fn new(environment: i32, status: Status, all: &'a Tokens, any: &'a Tokens, most: usize) -> Self {
        let lane = Lane::new(environment, status);
        Self {
            environment,
            lane,
            all,
            any,
            most: i64::try_from(most).unwrap_or(i64::MAX),
            #[cfg(feature = "sqlite")]
            words: sqlite::condition(lane, all, any),
        }
    }
}

impl Query for ByTokens<'_> {
    type SqlType = KeySql;
}

impl QueryId for ByTokens<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C> diesel::RunQueryDsl<C> for ByTokens<'_> {}

/// The customers among some that have a row. SQLite finds rows only by their words, and by numbers that customers without
/// a row no longer have: it returns none.
#[cfg_attr(not(feature = "postgres"), allow(dead_code, reason = "SQLite cannot use them"))]
pub(crate) struct WithTokens<'a> {
    environment: i32,
    customers: &'a [Key],
}

impl Query for WithTokens<'_> {
    type SqlType = KeySql;
}

impl QueryId for WithTokens<'_> {
    type QueryId = WithTokens<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<C> diesel::RunQueryDsl<C> for WithTokens<'_> {}

statements! {
    /// Statements about tokens.
    TokenStatements {
        /// The customers among these that have a row, as far as the database can find it.
        fn customers_with_tokens(db, environment: i32, customers: &[Key]) -> Vec<Key> {
            db.rows(WithTokens { environment, customers }).await
        }

        /// The ids of the customers that have all of some tokens, and one of others if there are any: those with the greatest
        /// ids, at most so many.
        fn ids_by_tokens(db, environment: i32, status: Status, all: &Tokens, any: &Tokens, most: usize) -> Vec<Key> {
            db.rows(ByTokens::new(environment, status, all, any, most)).await
        }
    }
}

/// The ids of the customers that a look-up names.
pub(crate) async fn named<U: TokenStatements + ?Sized>(
    unit: &U,
    environment: i32,
    look_up: &LookUp,
) -> QueryResult<Vec<Key>> {
    match &look_up.sought {
        Sought::Id(id) => Ok(vec![(*id).into()]),
        Sought::Tokens { all, any } => unit.ids_by_tokens(environment, look_up.status, all, any, look_up.most).await,
    }
}

#[cfg(test)]
#[cfg(all(feature = "sqlite", feature = "postgres"))]
mod tests {
    use std::collections::BTreeSet;

    use patron_domain::{customer::find::Token, lifecycle::Status, testkit::a_customer};

    use super::Lane;

    fn tokens() -> Vec<Token> {
        a_customer("acme-1").named("Müller Maschinenbau").existing().find_tokens().as_slice().to_vec()
    }

    #[test]
    fn environments_and_statuses_share_no_token() {
        let lanes = [1, 2, 16, 17, 511, 512, 100_000, i32::MAX];
        let lanes: Vec<_> = lanes
            .into_iter()
            .flat_map(|one| [Status::Published, Status::Archived].map(|status| Lane::new(one, status)))
            .collect();
        let (mut words, mut numbers, mut count) = (BTreeSet::new(), BTreeSet::new(), 0);
        for lane in lanes {
            for token in tokens() {
                let mut word = String::new();
                lane.write(token, &mut word);
                assert!(word.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase()), "{word}");
                words.insert(word);
                numbers.insert(lane.number(token));
                count += 1;
            }
        }
        assert_eq!((words.len(), numbers.len()), (count, count));
    }
}
