//! Statements about imports.

use diesel::{
    ExpressionMethods, NullableExpressionMethods, QueryDsl,
    dsl::{exists, sql},
    sql_types::Bool,
};
use patron_domain::import::ImportState;

use super::row::{FailedRowRow, ImportRow};
use crate::persistence::{
    schema::{import_pieces, import_rows, imports},
    statements::statements,
    value::Key,
    word::Word,
};

/// The failed rows about some people.
macro_rules! failed_about {
    ($environment:expr, $about:expr) => {
        import_rows::table
            .filter(import_rows::environment.eq($environment))
            .filter(import_rows::person.is_not_null())
            .filter($about)
    };
}

statements! {
    /// Statements about imports.
    ImportStatements {
        /// An import.
        fn import(db, environment: i32, id: Key) -> Option<ImportRow> {
            db.one(imports::table.filter(imports::environment.eq(environment)).filter(imports::id.eq(id))).await
        }

        /// The same, locked.
        fn lock_import(db, environment: i32, id: Key) -> Option<ImportRow> {
            db.locked(imports::table.filter(imports::environment.eq(environment)).filter(imports::id.eq(id))).await
        }

        /// Imports, the newest first.
        fn imports(db, environment: i32, before: Option<Key>, limit: i64) -> Vec<ImportRow> {
            let all = imports::table.filter(imports::environment.eq(environment));
            let mut all = all.order(imports::id.desc()).limit(limit).into_boxed();
            if let Some(before) = before {
                all = all.filter(imports::id.lt(before));
            }
            db.rows(all).await
        }

        /// Other imports of the same file that are completed or not yet ended.
        fn imports_of_digest(db, environment: i32, digest: &str) -> Vec<ImportRow> {
            let counts = [ImportState::Checking, ImportState::Ready, ImportState::Running, ImportState::Completed];
            let found = imports::table
                .filter(imports::environment.eq(environment))
                .filter(imports::digest.eq(digest))
                .filter(imports::state.eq_any(counts.map(Word::code)));
            db.rows(found.order(imports::id.asc()).limit(1)).await
        }

        /// The environment and the id of each due import, those due longest first.
        fn due_imports(db, environments: &[i32], now: i64, limit: i64) -> Vec<(i32, Key)> {
            let due = imports::table
                .filter(imports::environment.eq_any(environments))
                .filter(imports::due_at.is_not_null())
                .filter(imports::due_at.assume_not_null().le(now))
                .order(imports::due_at.asc());
            db.rows(due.select((imports::environment, imports::id)).limit(limit)).await
        }

        /// Imports of all environments whose rows are being checked or written.
        fn imports_at_work(db) -> Vec<ImportRow> {
            let states = [ImportState::Checking, ImportState::Running];
            db.rows(imports::table.filter(imports::state.eq_any(states.map(Word::code))).filter(imports::due_at.is_not_null())).await
        }

        /// The number of pieces of all files.
        fn count_pieces(db) -> i64 {
            Ok(db.one::<_, i64>(import_pieces::table.count()).await?.unwrap_or_default())
        }

        /// Whether an import has work, or waits for a person with its file.
        fn has_unfinished_import(db, environment: i32) -> bool {
            let ended = [ImportState::Completed, ImportState::CompletedWithErrors, ImportState::Failed, ImportState::Cancelled];
            let pieces = import_pieces::table.filter(import_pieces::environment.eq(environment));
            let open = imports::table.filter(imports::environment.eq(environment));
            let open = open.filter(imports::state.ne_all(ended.map(Word::code)));
            let open = open.filter(exists(pieces.filter(import_pieces::import.eq(imports::id))));
            Ok(db.one::<_, Key>(open.select(imports::id).limit(1)).await?.is_some())
        }

        /// Imports whose results name customers.
        fn imports_with_diffs(db, environment: i32) -> Vec<ImportRow> {
            let all = imports::table.filter(imports::environment.eq(environment));
            db.rows(all.filter(sql::<Bool>("imports.document ->> 'diffs' IS NOT NULL"))).await
        }

        /// Rows about people that failed, by the hashes of external ids; at most `limit` of each hash.
        fn failed_rows_about(db, environment: i32, people: &[Vec<u8>], limit: i64) -> Vec<FailedRowRow> {
            let person = import_rows::person.assume_not_null();
            db.each(
                people,
                |one| failed_about!(environment, person.eq(one)).limit(limit),
                |all| failed_about!(environment, person.eq_any(all)).limit(limit),
            ).await
        }

        /// For each of these rows, the hash.
        fn people_failed(db, environment: i32, people: &[Vec<u8>]) -> Vec<Option<Vec<u8>>> {
            let person = import_rows::person.assume_not_null();
            db.each(
                people,
                |one| failed_about!(environment, person.eq(one)).select(import_rows::person),
                |all| failed_about!(environment, person.eq_any(all)).select(import_rows::person),
            ).await
        }

        /// A piece of a file.
        fn import_piece(db, environment: i32, import: Key, number: i32) -> Option<Vec<u8>> {
            let all = import_pieces::table.filter(import_pieces::environment.eq(environment));
            let piece = all.filter(import_pieces::import.eq(import)).filter(import_pieces::number.eq(number));
            db.one(piece.select(import_pieces::bytes)).await
        }

        /// The numbers of the pieces of a file.
        fn import_piece_numbers(db, environment: i32, import: Key) -> Vec<i32> {
            let all = import_pieces::table.filter(import_pieces::environment.eq(environment));
            let pieces = all.filter(import_pieces::import.eq(import)).order(import_pieces::number.asc());
            db.rows(pieces.select(import_pieces::number)).await
        }

        /// The number of pieces of all files of an environment.
        fn count_import_pieces(db, environment: i32) -> i64 {
            let all = import_pieces::table.filter(import_pieces::environment.eq(environment));
            Ok(db.one::<_, i64>(all.count()).await?.unwrap_or_default())
        }

        /// The numbers of the first rows of a file that failed.
        fn failed_row_numbers(db, environment: i32, import: Key, limit: i64) -> Vec<i64> {
            let all = import_rows::table.filter(import_rows::environment.eq(environment));
            let all = all.filter(import_rows::import.eq(import)).order(import_rows::number.asc());
            db.rows(all.select(import_rows::number).limit(limit)).await
        }

        /// Rows of a file that failed, after a number.
        fn failed_rows(db, environment: i32, import: Key, after: i64, limit: i64) -> Vec<FailedRowRow> {
            let all = import_rows::table.filter(import_rows::environment.eq(environment));
            let all = all.filter(import_rows::import.eq(import)).filter(import_rows::number.gt(after));
            db.rows(all.order(import_rows::number.asc()).limit(limit)).await
        }
    }
}
