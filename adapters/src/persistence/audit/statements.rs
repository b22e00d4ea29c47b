//! Statements about the audit log.

use diesel::{ExpressionMethods, QueryDsl};

use super::row::AuditRow;
use crate::persistence::{schema::audit::dsl::*, statements::statements, value::Key};

statements! {
    /// Statements about the audit log.
    AuditStatements {
        /// Entries before a number, newest first.
        fn audit_before(db, of: i32, before: i64, limit: i64) -> Vec<AuditRow> {
            let older = audit.filter(environment.eq(of)).filter(number.lt(before));
            db.rows(older.order(number.desc()).limit(limit)).await
        }

        /// The entry that counts uses of a kind and a key in an hour, locked.
        fn lock_counted(db, of: i32, kind: i16, key: Key, hour: i64) -> Option<AuditRow> {
            let counted = audit.filter(environment.eq(of)).filter(object.eq(key)).filter(at.eq(hour));
            db.locked(counted.filter(action.eq(kind)).filter(count.is_not_null())).await
        }

        /// Entries of an environment that have an address and are older than a time, locked.
        fn lock_with_address(db, of: i32, before: i64, limit: i64) -> Vec<AuditRow> {
            let old = audit.filter(environment.eq(of)).filter(at.lt(before)).filter(address.is_not_null());
            db.locked_rows(old.order(at.asc()).limit(limit)).await
        }
    }
}
