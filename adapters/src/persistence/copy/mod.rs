//! A whole database copied into another one, of whatever kind: start embedded, outgrow it, and take everything along.
//!
//! Rows are streamed table by table in the order of their keys, from one state of the source into one transaction of the target.
//! Then the target is read again in the same order: count and hash of each table have to be those of the source, or nothing is
//! committed. Ids, versions, positions and keys stay what they are, so cursors, webhook endpoints and idempotency keys go on.

mod digest;
mod side;
mod table;

pub(crate) use digest::Digested;

use super::{
    customer::row::{CustomerIndexRow, CustomerRow},
    event::{log_row::LogRow, row::EventRow},
    idempotency::row::KeptAnswerRow,
    onboarding::row::{RunRow, WorkflowRow},
    open::OpenError,
    owners::OwnerRow,
    tax::row::{DefaultRow, RateRow},
    tenancy::row::{ApiKeyRow, EnvironmentRow, TenantRow},
    url::DatabaseUrl,
    webhook::row::{DeliveryRow, EndpointRow},
};
use side::Side;
use table::{Copied, Sum, tables};

/// Why a database was not copied. The target is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The source cannot be used.
    #[error("the source cannot be used: {0}")]
    From(#[source] OpenError),
    /// The target cannot be used.
    #[error("the target cannot be used: {0}")]
    To(#[source] OpenError),
    /// The target holds something.
    #[error(
        "the target is not empty: its table {table} has rows; copy into a database that nothing was ever written to"
    )]
    NotEmpty {
        /// The first table with rows.
        table: &'static str,
    },
    /// What was written is not what was read.
    #[error(
        "the table {table} differs after it was copied: {read} rows were read, {written} are there; nothing was kept"
    )]
    Differs {
        /// The table.
        table: &'static str,
        /// How many rows the source has.
        read: u64,
        /// How many rows the target has.
        written: u64,
    },
}

tables! {
    // Those first that others name.
    OwnerRow: owners (environment);
    TenantRow: tenants (id);
    EnvironmentRow: environments (id);
    ApiKeyRow: api_keys (id);
    LogRow: logs (environment);
    RateRow: tax_rates (environment, id);
    DefaultRow: tax_defaults (environment, id);
    CustomerRow: customers (environment, id);
    CustomerIndexRow: customer_index (environment, kind, key, customer);
    EventRow: events (environment, position);
    KeptAnswerRow: kept_answers (environment, key);
    EndpointRow: webhook_endpoints (environment, id);
    DeliveryRow: webhook_deliveries (environment, endpoint, id);
    WorkflowRow: onboarding_workflows (environment, id);
    RunRow: onboarding_runs (environment, customer);
}

/// Copies all of a database into another one, whose tables are made where they are missing, and which has to be empty. `copied` is
/// told of each table and its rows.
///
/// Stop all servers over the source: what is written there meanwhile is not copied. Over a SQLite file none may be running.
///
/// # Errors
/// [`CopyError`]; then the target is as it was.
pub async fn copy(
    from: &DatabaseUrl,
    to: &DatabaseUrl,
    copied: &mut (dyn FnMut(&'static str, u64) + Send),
) -> Result<(), CopyError> {
    let mut source = Side::source(from).await.map_err(CopyError::From)?;
    let mut target = Side::target(to).await.map_err(CopyError::To)?;
    if let Some(table) = first_with_rows(&mut target).await? {
        return Err(CopyError::NotEmpty { table });
    }
    let read = copy_tables(&mut source, &mut target, copied).await?;
    let written = sums(&mut target).await?;
    for ((table, read), (_, written)) in read.into_iter().zip(written) {
        if read != written {
            return Err(CopyError::Differs { table, read: read.rows, written: written.rows });
        }
    }
    target.commit().await.map_err(CopyError::To)
}
