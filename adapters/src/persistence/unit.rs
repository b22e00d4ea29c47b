//! The gateway to a database: one connection, with one method for each statement.
//!
//! Transactions are written once, against this trait. Module `statements` shows how a statement is declared, and
//! `writes` how rows are written.

use diesel::{ExpressionMethods, QueryDsl, QueryResult};

use super::{
    audit::statements::AuditStatements,
    custom_field::statements::CustomFieldStatements,
    customer::{statements::CustomerStatements, tokens::TokenStatements},
    event::{log_row::LogRow, statements::EventStatements},
    idempotency::statements::IdempotencyStatements,
    onboarding::statements::OnboardingStatements,
    owners::OwnerStatements,
    privacy::statements::PrivacyStatements,
    schema::{events, kept_answers, logs},
    statements::statements,
    tax::statements::TaxStatements,
    tenancy::statements::TenancyStatements,
    value::Key,
    webhook::statements::WebhookStatements,
    writes::{Sign, WriteStatements, Written},
};

/// The reads of a connection, for a read or before a decision. Nothing here writes: decisions are data, see
/// [`Writes`](super::writes::Writes).
pub(crate) trait Reads:
    AuditStatements
    + CustomFieldStatements
    + CustomerStatements
    + EventStatements
    + IdempotencyStatements
    + OnboardingStatements
    + OwnerStatements
    + PrivacyStatements
    + SignStatements
    + TaxStatements
    + TenancyStatements
    + TokenStatements
    + WebhookStatements
{
}

impl<U> Reads for U where
    U: AuditStatements
        + CustomFieldStatements
        + CustomerStatements
        + EventStatements
        + IdempotencyStatements
        + OnboardingStatements
        + OwnerStatements
        + PrivacyStatements
        + SignStatements
        + TaxStatements
        + TenancyStatements
        + TokenStatements
        + WebhookStatements
{
}

/// A connection within a transaction that writes a decision.
pub(crate) trait Unit: Reads + LogStatements + WriteStatements {}

impl<U: Reads + LogStatements + WriteStatements> Unit for U {}

/// The rows that order events. They are locked last in a transaction, because waiting for one means waiting for a
/// commit.
#[async_trait::async_trait]
pub(crate) trait LogStatements: Send + Sync {
    /// The row of an environment's log, locked until the transaction ends.
    async fn lock_log(&self, environment: i32) -> QueryResult<LogRow>;
    /// Writes locked rows.
    async fn save_logs(&self, rows: &[LogRow]) -> QueryResult<()>;
}

#[cfg(feature = "sqlite")]
#[async_trait::async_trait]
impl LogStatements for super::sqlite::unit::SqliteUnit<'_> {
    /// Returns the row as the earlier jobs of this transaction left it. It is written once, at the end.
    async fn lock_log(&self, environment: i32) -> QueryResult<LogRow> {
        match self.changed_log(environment) {
            Some(row) => Ok(row),
            None => {
                let row = self.db().one(logs::table.filter(logs::environment.eq(environment))).await?;
                Ok(row.unwrap_or_else(|| LogRow::empty(environment)))
            }
        }
    }

    async fn save_logs(&self, rows: &[LogRow]) -> QueryResult<()> {
        rows.iter().for_each(|row| self.change_log(row.clone()));
        Ok(())
    }
}

#[cfg(feature = "postgres")]
#[async_trait::async_trait]
impl LogStatements for super::postgres::unit::PostgresUnit<'_> {
    async fn lock_log(&self, environment: i32) -> QueryResult<LogRow> {
        let row = self.db().locked(logs::table.filter(logs::environment.eq(environment))).await?;
        row.ok_or(diesel::result::Error::NotFound)
    }

    async fn save_logs(&self, rows: &[LogRow]) -> QueryResult<()> {
        LogRow::upsert_all(rows, self).await.map(drop)
    }
}

statements! {
    /// Statements for finding out whether a transaction was committed after its connection was lost.
    SignStatements {
        /// Whether an event exists.
        fn has_event(db, environment: i32, id: Key) -> bool {
            let found = events::table.filter(events::environment.eq(environment)).filter(events::id.eq(id));
            Ok(db.one::<_, i64>(found.select(events::position)).await?.is_some())
        }

        /// Whether an answer exists under a key.
        fn has_kept(db, environment: i32, key: &str) -> bool {
            let found = kept_answers::table.filter(kept_answers::environment.eq(environment));
            let found = found.filter(kept_answers::key.eq(key)).select(kept_answers::at);
            Ok(db.one::<_, i64>(found).await?.is_some())
        }
    }
}

/// Whether a transaction was committed, according to its sign. Waits for a commit in progress, which holds the lock of
/// its environment's log.
pub(crate) async fn is_committed(unit: &dyn Unit, sign: &Sign) -> QueryResult<bool> {
    unit.lock_log(sign.environment).await?;
    match &sign.written {
        Written::Event(id) => unit.has_event(sign.environment, *id).await,
        Written::Kept(key) => unit.has_kept(sign.environment, key).await,
    }
}
