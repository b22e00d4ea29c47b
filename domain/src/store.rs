//! Errors that any store can have, whatever the operation.

/// A failure of the store itself, not of the request. The messages contain no personal data.
///
/// ```
/// use patron_domain::store::StoreError;
///
/// let error = StoreError::unavailable("the connection was closed");
/// assert_eq!(error.to_string(), "the database is not available: the connection was closed");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store cannot be reached or is too busy at the moment; the same call may succeed later. Nothing was written.
    #[error("the database is not available: {reason}")]
    Unavailable {
        /// The cause, without personal data.
        reason: String,
    },
    /// The call exceeded its time limit, and would again. Nothing was written.
    #[error("the database took too long")]
    TooSlow,
    /// Stored data cannot be read. A person must repair the row.
    #[error("the database contains a value that cannot be read: table {table}, column {column}, row {row}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The id of the row.
        row: String,
    },
    /// The store refused the call for a reason that no caller can correct: a bug or a broken installation.
    #[error("the database refused: {reason}")]
    Failed {
        /// The cause, without personal data.
        reason: String,
    },
}

impl StoreError {
    /// [`StoreError::Unavailable`] with this cause.
    #[must_use]
    pub fn unavailable(reason: impl Into<String>) -> Self {
        Self::Unavailable { reason: reason.into() }
    }
}
