//! Statements about kept answers.

use diesel::{ExpressionMethods, QueryDsl};

use super::row::KeptAnswerRow;
use crate::persistence::{schema::kept_answers::dsl::*, statements::statements};

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

        /// The oldest answers of these environments from before a time.
        fn kept_before(db, all: &[i32], before: i64, limit: i64) -> Vec<(i32, String)> {
            let old = kept_answers.filter(environment.eq_any(all)).filter(at.lt(before));
            db.rows(old.select((environment, key)).limit(limit)).await
        }
    }
}
