//! Copies a whole database into another one of any kind.
//!
//! Rows are streamed table by table in the order of their keys, from one state of the source into one transaction of
//! the target. Then the target is read in the same order. It is committed only if the count and hash of each table are
//! those of the source. Ids, versions, positions and keys do not change, so cursors, webhook endpoints and idempotency
//! keys continue to work.

mod digest;
mod side;
mod table;

pub(crate) use digest::Digested;
pub(crate) use table::{Copied, gather};

use super::{
    audit::row::AuditRow,
    custom_field::row::CustomFieldRow,
    customer::{
        row::{CustomerIndexRow, CustomerRow},
        tokens::CustomerTokensRow,
    },
    event::{log_row::LogRow, row::EventRow},
    idempotency::row::KeptAnswerRow,
    import::row::{FailedRowRow, ImportRow, PieceRow},
    onboarding::row::{RunRow, WorkflowRow},
    open::OpenError,
    owners::OwnerRow,
    privacy::row::{DeletionRow, InstallationKeyRow, RetentionRow, SubjectRow, SuppressedRow},
    tax::row::{DefaultRow, RateRow},
    tenancy::row::{ApiKeyRow, EnvironmentRow, TenantRow},
    url::DatabaseUrl,
    webhook::row::{DeliveryRow, EndpointRow},
};
use side::Side;
use table::{Sum, tables};

/// A database was not copied. The target is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The source cannot be used.
    #[error("the source cannot be used: {0}")]
    From(#[source] OpenError),
    /// The target cannot be used.
    #[error("the target cannot be used: {0}")]
    To(#[source] OpenError),
    /// The target is not empty.
    #[error("the target is not empty: its table {table} has rows; copy into an empty database")]
    NotEmpty {
        /// The first table with rows.
        table: &'static str,
    },
    /// The rows of the target differ from those of the source.
    #[error(
        "the table {table} differs after the copy: {read} rows were read and {written} written; nothing was committed"
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
    // Tables with references come after the tables that they refer to.
    copied {
        OwnerRow: owners (environment);
        TenantRow: tenants (id);
        EnvironmentRow: environments (id);
        ApiKeyRow: api_keys (id);
        LogRow: logs (environment);
        AuditRow: audit (environment, number);
        RateRow: tax_rates (environment, id);
        DefaultRow: tax_defaults (environment, id);
        CustomFieldRow: custom_fields (environment, key);
        CustomerRow: customers (environment, id);
        CustomerIndexRow: customer_index (environment, kind, key, customer);
        EventRow: events (environment, position);
        KeptAnswerRow: kept_answers (environment, key);
        EndpointRow: webhook_endpoints (environment, id);
        DeliveryRow: webhook_deliveries (environment, endpoint, id);
        WorkflowRow: onboarding_workflows (environment, id);
        RunRow: onboarding_runs (environment, customer);
        ImportRow: imports (environment, id);
        PieceRow: import_pieces (environment, import, number);
        FailedRowRow: import_rows (environment, import, number);
        DeletionRow: deletion_requests (environment, id);
        SuppressedRow: suppressed_customers (environment, id);
        RetentionRow: retention_settings (environment);
        SubjectRow: erased_subjects (environment, tag, request);
        InstallationKeyRow: installation_keys (id);
    }
    // Made again from the documents.
    made {
        CustomerTokensRow: customer_tokens;
    }
}

/// Copies a database into another one, which must be empty; missing tables are created. Calls `copied` with the name of
/// each table and its number of rows.
///
/// Stop all servers of the source first, because later writes are not copied. For a SQLite file no server may be
/// running.
///
/// # Errors
/// [`CopyError`]. Then the target is unchanged.
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
