//! The writes of a decision, as data. Decisions do not write, and writes cannot be refused by a rule.

use std::collections::{BTreeMap, BTreeSet};

use diesel::QueryResult;
use futures_util::future::{try_join, try_join_all, try_join3};
use patron_domain::lifecycle::Status;

use super::{
    audit::row::AuditRow,
    custom_field::{row::CustomFieldRow, uniqueness::UniquenessRow},
    customer::{
        row::{CustomerIndexRow, CustomerRow},
        tokens::{CustomerTokensChange, CustomerTokensRow},
    },
    event::{
        log_row::LogRow,
        redacted::RedactedEventRow,
        row::{EventPlaceRow, EventRow},
        superseded::SupersededRow,
    },
    idempotency::row::KeptAnswerRow,
    import::row::{FailedRowPlaceRow, FailedRowRow, ImportRow, PiecePlaceRow, PieceRow},
    onboarding::row::{RunRow, WorkflowRow},
    owners::NewOwnerRow,
    privacy::row::{
        CustomerPlaceRow, DeletionRow, InstallationKeyRow, RetentionRow, RunPlaceRow, SubjectRow, SuppressedPlaceRow,
        SuppressedRow,
    },
    tax::row::{DefaultRow, RateRow},
    tenancy::row::{ApiKeyRow, EnvironmentRow, TenantRow},
    unit::Unit,
    value::Key,
    webhook::row::{DeliveryPlaceRow, DeliveryRow, EndpointRow},
};

/// Declares the rows that decisions write, in writing order, with the methods that write them on SQLite and on
/// PostgreSQL.
macro_rules! writes {
    (
        in_order { $($(#[$first_doc:meta])* $first:ident: $first_row:ty => $first_one:ident, $first_all:ident;)+ }
        together { $($(#[$doc:meta])* $field:ident: $row:ty => $one:ident, $all:ident;)+ }
    ) => {
        writes! { @each $($(#[$first_doc])* $first: $first_row => $first_one, $first_all;)+ $($(#[$doc])* $field: $row => $one, $all;)+ }

        impl Writes {
            /// Writes rows in the order of the fields, and locks the logs of these environments last.
            async fn write_rows(&self, unit: &dyn Unit, logs: BTreeSet<i32>) -> QueryResult<Vec<LogRow>> {
                $(if !self.$first.is_empty() {
                    WriteStatements::$first(unit, &self.$first).await?;
                })+
                // Sent together if the database supports it.
                let mut all = Vec::new();
                $(if !self.$field.is_empty() {
                    all.push(WriteStatements::$field(unit, &self.$field));
                })+
                let logs = logs.into_iter().map(|environment| unit.lock_log(environment));
                let (_, logs) = try_join(try_join_all(all), try_join_all(logs)).await?;
                Ok(logs)
            }
        }
    };
    (@each $($(#[$doc:meta])* $field:ident: $row:ty => $one:ident, $all:ident;)+) => {
        /// Everything that a decision writes. Rows are written in the order of the fields; events come last, under the
        /// lock of their environment's log.
        #[derive(Debug, Default)]
        pub(crate) struct Writes {
            $($(#[$doc])* pub(crate) $field: Vec<$row>,)+
            /// Events in order. Their positions are assigned when they are written.
            pub(crate) events: Vec<EventRow>,
            /// New entries of audit logs, in order. Their numbers are assigned when they are written.
            pub(crate) audit: Vec<AuditRow>,
            /// The changes of the numbers of customers, by environment.
            pub(crate) counts: BTreeMap<i32, CountChange>,
            /// The positions and hashes of the last events that were removed, by environment.
            pub(crate) anchors: BTreeMap<i32, (i64, Vec<u8>)>,
            /// The environment whose log is locked although no event is written there, so that the outcome of the
            /// commit can be determined.
            pub(crate) marked: Option<i32>,
        }

        /// Writes rows.
        #[async_trait::async_trait]
        pub(crate) trait WriteStatements: Send + Sync {
            $(async fn $field(&self, rows: &[$row]) -> QueryResult<()>;)+
            async fn events(&self, rows: &[EventRow]) -> QueryResult<()>;
            async fn audit(&self, rows: &[AuditRow]) -> QueryResult<()>;
        }

        #[cfg(feature = "sqlite")]
        #[async_trait::async_trait]
        impl WriteStatements for super::sqlite::unit::SqliteUnit<'_> {
            $(async fn $field(&self, rows: &[$row]) -> QueryResult<()> {
                self.with(|connection| rows.iter().try_for_each(|row| row.$one(connection).map(drop)))
            })+

            async fn events(&self, rows: &[EventRow]) -> QueryResult<()> {
                self.with(|connection| rows.iter().try_for_each(|row| row.insert(connection).map(drop)))
            }

            async fn audit(&self, rows: &[AuditRow]) -> QueryResult<()> {
                self.with(|connection| rows.iter().try_for_each(|row| row.insert(connection).map(drop)))
            }
        }

        #[cfg(feature = "postgres")]
        #[async_trait::async_trait]
        impl WriteStatements for super::postgres::unit::PostgresUnit<'_> {
            $(async fn $field(&self, rows: &[$row]) -> QueryResult<()> {
                <$row>::$all(rows, self).await.map(drop)
            })+

            async fn events(&self, rows: &[EventRow]) -> QueryResult<()> {
                EventRow::insert_all(rows, self).await.map(drop)
            }

            async fn audit(&self, rows: &[AuditRow]) -> QueryResult<()> {
                AuditRow::insert_all(rows, self).await.map(drop)
            }
        }

        impl Writes {
            /// Whether there is nothing to write.
            pub(crate) fn is_empty(&self) -> bool {
                $(self.$field.is_empty() &&)+ self.events.is_empty() && self.audit.is_empty()
            }
        }
    };
}

writes! {
  in_order {
    new_owners: NewOwnerRow => insert, insert_all;
    new_logs: LogRow => insert, insert_all;
    new_tenants: TenantRow => insert, insert_all;
    tenants: TenantRow => update, upsert_all;
    new_environments: EnvironmentRow => insert, insert_all;
    environments: EnvironmentRow => update, upsert_all;
    new_keys: ApiKeyRow => insert, insert_all;
    keys: ApiKeyRow => update, upsert_all;
    /// Changed rates.
    rates: RateRow => update, upsert_all;
    new_rates: RateRow => insert, insert_all;
    defaults: DefaultRow => update, upsert_all;
    new_defaults: DefaultRow => insert, insert_all;
    custom_fields_gone: CustomFieldRow => delete, delete_all;
    custom_fields: CustomFieldRow => update, upsert_all;
    new_custom_fields: CustomFieldRow => insert, insert_all;
    /// Custom fields whose values become unique, or are no longer.
    uniqueness: UniquenessRow => apply, apply_all;
    /// Expired answers whose keys are used again.
    kept_gone: KeptAnswerRow => delete, delete_all;
    /// Expired events.
    events_gone: EventPlaceRow => delete, delete_all;
    deliveries_gone: DeliveryPlaceRow => delete, delete_all;
    /// Answers that are erased.
    kept_changed: KeptAnswerRow => update, upsert_all;
    /// Keys of the installation.
    installation_keys: InstallationKeyRow => update, upsert_all;
    new_installation_keys: InstallationKeyRow => insert, insert_all;
    /// Customers whose latest events get their documents, before they change.
    superseded: SupersededRow => keep, keep_all;
    /// Events whose states are erased.
    events_redacted: RedactedEventRow => redact, redact_all;
    /// Tokens by which customers are no longer found, exactly as they were added. They are removed before the rows of the
    /// customers, which contain their numbers.
    tokens_gone: CustomerTokensRow => delete, delete_all;
    /// Customers that are suppressed.
    customers_gone: CustomerPlaceRow => delete, delete_all;
    runs_gone: RunPlaceRow => delete, delete_all;
    suppressed: SuppressedRow => update, upsert_all;
    new_suppressed: SuppressedRow => insert, insert_all;
    suppressed_gone: SuppressedPlaceRow => delete, delete_all;
    deletions: DeletionRow => update, upsert_all;
    new_deletions: DeletionRow => insert, insert_all;
    retention: RetentionRow => replace, upsert_all;
    retention_gone: RetentionRow => delete, delete_all;
    new_subjects: SubjectRow => insert, insert_all;
    subjects_gone: SubjectRow => delete, delete_all;
    /// Changed customers. They come before new ones, which may take an external id that a changed one gives up.
    customers: CustomerRow => update, upsert_all;
  }
  together {
    new_customers: CustomerRow => insert, insert_all;
    index_gone: CustomerIndexRow => delete, delete_all;
    index_new: CustomerIndexRow => insert, insert_all;
    tokens_changed: CustomerTokensChange => change, change_all;
    tokens_new: CustomerTokensRow => insert, insert_all;
    workflows: WorkflowRow => update, upsert_all;
    new_workflows: WorkflowRow => insert, insert_all;
    runs: RunRow => update, upsert_all;
    imports: ImportRow => update, upsert_all;
    new_imports: ImportRow => insert, insert_all;
    imports_gone: ImportRow => delete, delete_all;
    new_pieces: PieceRow => insert, insert_all;
    pieces_gone: PiecePlaceRow => delete, delete_all;
    /// Rows that failed. A row that failed in the check may fail again when it is written.
    failed_rows: FailedRowRow => replace, upsert_all;
    failed_rows_gone: FailedRowPlaceRow => delete, delete_all;
    new_runs: RunRow => insert, insert_all;
    endpoints: EndpointRow => update, upsert_all;
    new_endpoints: EndpointRow => insert, insert_all;
    deliveries: DeliveryRow => replace, upsert_all;
    /// Entries of audit logs whose count grows, or whose address is removed.
    audit_changed: AuditRow => update, upsert_all;
    /// Answers under idempotency keys. A key that another transaction took in the meantime is an error of the database.
    kept: KeptAnswerRow => insert, insert_all;
  }
}

/// The change of the numbers of an environment's customers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CountChange {
    published: i64,
    archived: i64,
}

impl CountChange {
    /// The change for a customer's new status. `before` is its old status, if it is not new.
    pub(crate) fn of(before: Option<Status>, now: Status) -> Self {
        let mut change = Self::default();
        change.add(now, 1);
        if let Some(before) = before {
            change.add(before, -1);
        }
        change
    }

    /// The change for a customer that is suppressed.
    pub(crate) fn gone(status: Status) -> Self {
        let mut change = Self::default();
        change.add(status, -1);
        change
    }

    fn add(&mut self, status: Status, by: i64) {
        match status {
            Status::Published => self.published += by,
            Status::Archived => self.archived += by,
            Status::Deleted => {}
        }
    }
}

/// A trace by which to find out whether a transaction was committed.
#[derive(Debug, Clone)]
pub(crate) struct Sign {
    pub(crate) environment: i32,
    pub(crate) written: Written,
}

/// A row that only this transaction wrote.
#[derive(Debug, Clone)]
pub(crate) enum Written {
    Event(Key),
    Kept(String),
}

impl Writes {
    /// Adds a change of the numbers of customers.
    pub(crate) fn count(&mut self, environment: i32, change: CountChange) {
        let sum = self.counts.entry(environment).or_default();
        sum.published += change.published;
        sum.archived += change.archived;
    }

    /// The sign by which to find out whether this was committed. `None` if nothing it writes shows that.
    pub(crate) fn sign(&self) -> Option<Sign> {
        let event = self.events.first().map(|row| (row.environment, Written::Event(row.id)));
        let kept = || self.kept.first().map(|row| (row.environment, Written::Kept(row.key.clone())));
        event.or_else(kept).map(|(environment, written)| Sign { environment, written })
    }

    /// The environments whose logs are locked, in the order of their numbers, which is the locking order.
    fn environments(&self) -> BTreeSet<i32> {
        let of_events = self.events.iter().map(|row| row.environment);
        let of_kept = self.kept.iter().map(|row| row.environment);
        let of_audit = self.audit.iter().map(|row| row.environment);
        let of_numbers = self.counts.keys().chain(self.anchors.keys()).copied();
        of_events.chain(of_kept).chain(of_audit).chain(of_numbers).chain(self.marked).collect()
    }

    /// Writes everything, in a transaction that is then committed. From here on only the database can fail.
    pub(crate) async fn apply(self, unit: &dyn Unit) -> QueryResult<()> {
        self.apply_and(unit, || ()).await
    }

    /// Writes everything that the database can refuse, in a transaction that is then rolled back. Logs stay unlocked, so it
    /// waits for no commit and delays none.
    pub(crate) async fn try_out(self, unit: &dyn Unit) -> QueryResult<()> {
        self.write_rows(unit, BTreeSet::new()).await.map(drop)
    }

    /// As [`Self::apply`]; calls `locked` as soon as the logs are locked.
    pub(crate) async fn apply_and(mut self, unit: &dyn Unit, locked: impl FnOnce() + Send) -> QueryResult<()> {
        let mut logs = self.write_rows(unit, self.environments()).await?;
        locked();
        for log in &mut logs {
            let change = self.counts.get(&log.environment).copied().unwrap_or_default();
            log.published += change.published;
            log.archived += change.archived;
            if let Some((position, hash)) = self.anchors.remove(&log.environment) {
                (log.anchor_position, log.anchor_hash) = (position, hash);
            }
            let environment = log.environment;
            for event in self.events.iter_mut().filter(|event| event.environment == environment) {
                log.append(event);
            }
            for entry in self.audit.iter_mut().filter(|entry| entry.environment == log.environment) {
                log.audited += 1;
                entry.number = log.audited;
            }
        }
        let events = async { if self.events.is_empty() { Ok(()) } else { unit.events(&self.events).await } };
        let audit = async { if self.audit.is_empty() { Ok(()) } else { unit.audit(&self.audit).await } };
        let logs = async { if logs.is_empty() { Ok(()) } else { unit.save_logs(&logs).await } };
        try_join3(logs, events, audit).await.map(drop)
    }
}
