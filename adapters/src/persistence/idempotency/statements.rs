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

        /// Answers about a customer, locked.
        fn lock_kept_about(db, of: i32, whom: Key, limit: i64) -> Vec<KeptAnswerRow> {
            db.locked_rows(about!(of, whom).limit(limit)).await
        }

        /// The times of answers about a customer.
        fn kept_about(db, of: i32, whom: Key) -> Vec<i64> {
            db.rows(about!(of, whom).select(at)).await
        }

        /// The number of answers about a customer.
        fn count_kept_about(db, of: i32, whom: Key) -> i64 {
            Ok(db.one::<_, i64>(about!(of, whom).count()).await?.unwrap_or_default())
        }

        /// The oldest answers of these environments from before a time.
        fn kept_before(db, all: &[i32], before: i64, limit: i64) -> Vec<(i32, String)> {
            let old = kept_answers.filter(environment.eq_any(all)).filter(at.lt(before));
            db.rows(old.select((environment, key)).limit(limit)).await
        }
    }
}
