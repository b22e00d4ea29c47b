//! Statements about kept answers.

use diesel::{ExpressionMethods, NullableExpressionMethods, QueryDsl};

use super::row::KeptAnswerRow;
use crate::persistence::{schema::kept_answers::dsl::*, statements::statements, value::Key};

/// The answers about a customer.
macro_rules! about {
    ($of:expr, $whom:expr) => {
        kept_answers
            .filter(environment.eq($of))
            .filter(customer.is_not_null())
            .filter(customer.assume_not_null().eq($whom))
    };
}

/// The answers about some customers.
macro_rules! about_any {
    ($of:expr, $whom:expr) => {
        kept_answers
            .filter(environment.eq($of))
            .filter(customer.is_not_null())
            .filter(customer.assume_not_null().eq_any($whom))
    };
}

statements! {
    /// Statements about kept answers.
    IdempotencyStatements {
        /// The answer under a key.
        fn kept_answer(db, of: i32, wanted: &str) -> Option<KeptAnswerRow> {
            db.one(kept_answers.filter(environment.eq(of)).filter(key.eq(wanted))).await
        }

        /// The same, locked.
        fn lock_kept(db, of: i32, wanted: &str) -> Option<KeptAnswerRow> {
            db.locked(kept_answers.filter(environment.eq(of)).filter(key.eq(wanted))).await
        }

        /// The same for several keys, locked.
        fn lock_kept_keys(db, of: i32, wanted: &[String]) -> Vec<KeptAnswerRow> {
            db.each(
                wanted,
                |one| kept_answers.filter(environment.eq(of)).filter(key.eq(one)),
                |all| kept_answers.filter(environment.eq(of)).filter(key.eq_any(all)),
            ).await
        }

        /// Answers about customers, locked; at most `limit` of each.
        fn lock_kept_about(db, of: i32, whom: &[Key], limit: i64) -> Vec<KeptAnswerRow> {
            db.each_locked(whom, |one| about!(of, one).limit(limit), |all| about_any!(of, all).limit(limit)).await
        }

        /// The times of answers about a customer.
        fn kept_about(db, of: i32, whom: Key) -> Vec<i64> {
            db.rows(about!(of, whom).select(at)).await
        }

        /// For each answer about one of these customers, the customer.
        fn customers_kept(db, of: i32, whom: &[Key]) -> Vec<Option<Key>> {
            db.each(whom, |one| about!(of, one).select(customer), |all| about_any!(of, all).select(customer)).await
        }

        /// The oldest answers of these environments from before a time.
        fn kept_before(db, all: &[i32], before: i64, limit: i64) -> Vec<(i32, String)> {
            let old = kept_answers.filter(environment.eq_any(all)).filter(at.lt(before));
            db.rows(old.select((environment, key)).limit(limit)).await
        }
    }
}
