//! What a decision writes, as data: whoever decides writes nothing, and whoever writes refuses nothing.

use std::collections::{BTreeMap, BTreeSet};

use diesel::QueryResult;
use futures_util::future::{try_join, try_join_all};
use patron_domain::lifecycle::Status;

use super::{
    customer::row::{CustomerIndexRow, CustomerRow},
    event::{
        log_row::LogRow,
        row::{EventPlaceRow, EventRow},
    },
    idempotency::row::KeptAnswerRow,
    onboarding::row::{RunRow, WorkflowRow},
    owners::NewOwnerRow,
    tax::row::{DefaultRow, RateRow},
    tenancy::row::{ApiKeyRow, EnvironmentRow, TenantRow},
    unit::Unit,
    value::Key,
    webhook::row::{DeliveryPlaceRow, DeliveryRow, EndpointRow},
};

/// Declares the rows that decisions write, in the order in which they are written, with what writes them on SQLite and on
/// PostgreSQL.
macro_rules! writes {
    (
        in_order { $($(#[$first_doc:meta])* $first:ident: $first_row:ty => $first_one:ident, $first_all:ident;)+ }
        together { $($(#[$doc:meta])* $field:ident: $row:ty => $one:ident, $all:ident;)+ }
    ) => {
        writes! { @each $($(#[$first_doc])* $first: $first_row => $first_one, $first_all;)+ $($(#[$doc])* $field: $row => $one, $all;)+ }

        impl Writes {
            /// Writes rows in the order of the fields, and locks the logs of the environments last.
            async fn write_rows(&self, unit: &dyn Unit) -> QueryResult<Vec<LogRow>> {
                $(if !self.$first.is_empty() {
                    WriteStatements::$first(unit, &self.$first).await?;
                })+
                // Sent together where the database can.
                let mut all = Vec::new();
                $(if !self.$field.is_empty() {
                    all.push(WriteStatements::$field(unit, &self.$field));
                })+
                let logs = self.environments().into_iter().map(|environment| unit.lock_log(environment));
                let (_, logs) = try_join(try_join_all(all), try_join_all(logs)).await?;
                Ok(logs)
            }
        }
    };
    (@each $($(#[$doc:meta])* $field:ident: $row:ty => $one:ident, $all:ident;)+) => {
        /// Everything that a decision writes. Rows are written in the order of the fields; events come last, under the lock of
        /// their environment's log.
        #[derive(Debug, Default)]
        pub(crate) struct Writes {
            $($(#[$doc])* pub(crate) $field: Vec<$row>,)+
            /// Events, in their order. Their positions are given when they are written.
            pub(crate) events: Vec<EventRow>,
            /// How the numbers of customers change, by environment.
            pub(crate) counts: BTreeMap<i32, CountChange>,
            /// The environment whose log a transaction locks although it writes no event there, so that one can find out
            /// whether it was committed.
            pub(crate) marked: Option<i32>,
        }

        /// Writes rows.
        #[async_trait::async_trait]
        pub(crate) trait WriteStatements: Send + Sync {
            $(async fn $field(&self, rows: &[$row]) -> QueryResult<()>;)+
            async fn events(&self, rows: &[EventRow]) -> QueryResult<()>;
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
        }

        #[cfg(feature = "postgres")]
        #[async_trait::async_trait]
        impl WriteStatements for super::postgres::unit::PostgresUnit<'_> {
            $(async fn $field(&self, rows: &[$row]) -> QueryResult<()> {
                <$row>::$all(rows, self.pg()).await.map(drop)
            })+

            async fn events(&self, rows: &[EventRow]) -> QueryResult<()> {
                EventRow::insert_all(rows, self.pg()).await.map(drop)
            }
        }

        impl Writes {
            /// Whether nothing is written.
            pub(crate) fn is_empty(&self) -> bool {
                $(self.$field.is_empty() &&)+ self.events.is_empty()
            }
        }
    };
}

writes! {
  in_order {
    new_owners: NewOwnerRow => insert, insert_all;
    new_logs: LogRow => insert, insert_all;
    new_tenants: TenantRow => insert, insert_all;
    new_environments: EnvironmentRow => insert, insert_all;
    environments: EnvironmentRow => update, upsert_all;
    new_keys: ApiKeyRow => insert, insert_all;
    keys: ApiKeyRow => update, upsert_all;
    /// Rates that exist, changed.
    rates: RateRow => update, upsert_all;
    new_rates: RateRow => insert, insert_all;
    defaults: DefaultRow => update, upsert_all;
    new_defaults: DefaultRow => insert, insert_all;
    /// Answers that are too old to count, whose keys are used again.
    kept_gone: KeptAnswerRow => delete, delete_all;
    /// Events whose time is over.
    events_gone: EventPlaceRow => delete, delete_all;
    deliveries_gone: DeliveryPlaceRow => delete, delete_all;
    /// Customers that exist, changed: before the new ones, which may take an external id that is given up.
    customers: CustomerRow => update, upsert_all;
  }
  together {
    new_customers: CustomerRow => insert, insert_all;
    index_gone: CustomerIndexRow => delete, delete_all;
    index_new: CustomerIndexRow => insert, insert_all;
    workflows: WorkflowRow => update, upsert_all;
    new_workflows: WorkflowRow => insert, insert_all;
    runs: RunRow => update, upsert_all;
    new_runs: RunRow => insert, insert_all;
    endpoints: EndpointRow => update, upsert_all;
    new_endpoints: EndpointRow => insert, insert_all;
    deliveries: DeliveryRow => replace, upsert_all;
    /// Answers under idempotency keys. That a key is taken by another transaction is an error of the database.
    kept: KeptAnswerRow => insert, insert_all;
  }
}

/// How the number of an environment's customers changes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CountChange {
    published: i64,
    archived: i64,
}

impl CountChange {
    /// A customer has a status now, and had another, or is new.
    pub(crate) fn of(before: Option<Status>, now: Status) -> Self {
        let mut change = Self::default();
        change.add(now, 1);
        if let Some(before) = before {
            change.add(before, -1);
        }
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

/// By what one finds out whether a transaction was committed.
#[derive(Debug, Clone)]
pub(crate) struct Sign {
    pub(crate) environment: i32,
    pub(crate) written: Written,
}

/// Something that a transaction wrote and no other one.
#[derive(Debug, Clone)]
pub(crate) enum Written {
    Event(Key),
    Kept(String),
}

impl Writes {
    /// Counts a change of a customer's status.
    pub(crate) fn count(&mut self, environment: i32, change: CountChange) {
        let sum = self.counts.entry(environment).or_default();
        sum.published += change.published;
        sum.archived += change.archived;
    }

    /// By what to find out whether this was committed; `None` where nothing tells.
    pub(crate) fn sign(&self) -> Option<Sign> {
        let event = self.events.first().map(|row| (row.environment, Written::Event(row.id)));
        let kept = || self.kept.first().map(|row| (row.environment, Written::Kept(row.key.clone())));
        event.or_else(kept).map(|(environment, written)| Sign { environment, written })
    }

    /// The environments whose logs are locked, in the order of their numbers: everybody locks so.
    fn environments(&self) -> BTreeSet<i32> {
        let of_events = self.events.iter().map(|row| row.environment);
        let of_kept = self.kept.iter().map(|row| row.environment);
        of_events.chain(of_kept).chain(self.counts.keys().copied()).chain(self.marked).collect()
    }

    /// Writes everything, in a transaction that is then committed. Nothing can be refused any more but by the database.
    pub(crate) async fn apply(mut self, unit: &dyn Unit) -> QueryResult<()> {
        let mut logs = self.write_rows(unit).await?;
        for log in &mut logs {
            let change = self.counts.get(&log.environment).copied().unwrap_or_default();
            log.published += change.published;
            log.archived += change.archived;
            for event in self.events.iter_mut().filter(|event| event.environment == log.environment) {
                log.position += 1;
                log.at = event.at.max(log.at + 1);
                (event.position, event.logged_at) = (log.position, log.at);
            }
        }
        let events = async { if self.events.is_empty() { Ok(()) } else { unit.events(&self.events).await } };
        let logs = async { if logs.is_empty() { Ok(()) } else { unit.save_logs(&logs).await } };
        try_join(logs, events).await.map(drop)
    }
}
