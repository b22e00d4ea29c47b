//! The port for imports.

use std::fmt;

use async_trait::async_trait;

use super::{ImportAmendment, ImportJob, ImportPhase, ImportProblem, service::ImportError};
use crate::{
    OperationError,
    customer::{ChangeCustomer, ChangeCustomerError},
    ids::{EventId, ImportId},
    lifecycle::Owner,
    store::StoreError,
    tenancy::{EnvironmentScope, Quota, SystemScope},
    time::Timestamp,
    violation::Violation,
};

/// What is wrong with a row.
///
/// ```
/// use patron_domain::{import::RowFault, violation::Violation};
///
/// let broken = Violation { path: "email".to_owned(), rule: "email", message: "correct it".to_owned() };
/// assert_eq!(RowFault::from(broken).rule, "email");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    /// The place in the body of a create; empty if the row as a whole is wrong.
    pub path: String,
    /// The broken rule, or the code of an error.
    pub rule: String,
    /// The fault and its correction, for people.
    pub message: String,
}

impl From<Violation> for RowFault {
    fn from(Violation { path, rule, message }: Violation) -> Self {
        Self { path, rule: rule.to_owned(), message }
    }
}

impl RowFault {
    /// Why a change was refused.
    #[must_use]
    pub fn of_refusal(error: ChangeCustomerError) -> Vec<Self> {
        let (code, message) = (error.code(), error.to_string());
        match error {
            ChangeCustomerError::Invalid(broken) => broken.into_iter().map(Self::from).collect(),
            ChangeCustomerError::UnknownTaxRates(codes) => codes
                .into_iter()
                .map(|(path, _)| Self { path, rule: code.to_owned(), message: message.clone() })
                .collect(),
            ChangeCustomerError::ExternalIdTaken { .. } => {
                vec![Self { path: "external_id".to_owned(), rule: "unique".to_owned(), message }]
            }
            _ => vec![Self { path: String::new(), rule: code.to_owned(), message }],
        }
    }
}

/// A row that failed.
///
/// ```
/// use patron_domain::import::FailedRow;
///
/// let row = FailedRow { row: 3, line: 4, external_id: "acme".to_owned(), faults: Vec::new(), original: "[]".to_owned() };
/// assert!(!format!("{row:?}").contains("acme"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct FailedRow {
    /// The number of the row, from 1.
    pub row: u64,
    /// The line in the file, from 1.
    pub line: u64,
    /// Its external id, if it could be read.
    pub external_id: String,
    /// What is wrong.
    pub faults: Vec<RowFault>,
    /// The row as it is in the file: a JSON array of cells, or the line itself.
    pub original: String,
}

/// It has personal data.
impl fmt::Debug for FailedRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FailedRow").field("row", &self.row).field("line", &self.line).finish_non_exhaustive()
    }
}

/// A row of a chunk.
///
/// ```
/// use patron_domain::import::{FailedRow, ImportRow};
///
/// let row = FailedRow { row: 3, line: 4, external_id: "acme".to_owned(), faults: Vec::new(), original: "[]".to_owned() };
/// let row = ImportRow { row, command: None };
/// ```
#[derive(Debug, Clone)]
pub struct ImportRow {
    /// The row, with its faults.
    pub row: FailedRow,
    /// The change, if the row is valid.
    pub command: Option<Box<ChangeCustomer>>,
}

/// The next rows of an import, and the progress after them.
///
/// ```
/// use patron_domain::{import::{ImportChunk, ImportPhase}, testkit::{a_time, an_id, an_import}};
///
/// let import = an_import();
/// let chunk = ImportChunk {
///     id: import.id, owner: import.owner, holder: "server 1".to_owned(), keep_until: None, phase: ImportPhase::Check,
///     rows: Vec::new(), after: 0, rows_done: 0, bytes_done: 0, end: true, ignored: Vec::new(), event_id: an_id(2), at: a_time(),
/// };
/// ```
#[derive(Debug, Clone)]
pub struct ImportChunk {
    /// The import.
    pub id: ImportId,
    /// Its environment.
    pub owner: Owner,
    /// The holder of the lease.
    pub holder: String,
    /// The new end of the lease; `None` releases it.
    pub keep_until: Option<Timestamp>,
    /// The phase that the rows were read for.
    pub phase: ImportPhase,
    /// The rows.
    pub rows: Vec<ImportRow>,
    /// The number of rows before them.
    pub after: u64,
    /// The number of rows that are done after them.
    pub rows_done: u64,
    /// The bytes that are done after them.
    pub bytes_done: u64,
    /// Whether the file ends after them.
    pub end: bool,
    /// The members of objects that were ignored so far.
    pub ignored: Vec<String>,
    /// The id of the event, if the import ends.
    pub event_id: EventId,
    /// The time.
    pub at: Timestamp,
}

/// The holder of the lease of an import.
///
/// ```
/// use patron_domain::{import::ImportHolder, testkit::an_import};
///
/// let import = an_import();
/// let holder = ImportHolder { id: import.id, owner: import.owner, holder: "server 1".to_owned() };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportHolder {
    /// The import.
    pub id: ImportId,
    /// Its environment.
    pub owner: Owner,
    /// The holder.
    pub holder: String,
}

/// A request for the lease of an import that has work.
///
/// ```
/// use std::time::Duration;
/// use patron_domain::{import::ImportClaim, testkit::a_time};
///
/// let now = a_time();
/// let claim = ImportClaim { holder: "server 1".to_owned(), now, until: now.later(Duration::from_secs(30)), without: Vec::new() };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportClaim {
    /// A name that no other claim has.
    pub holder: String,
    /// The current time.
    pub now: Timestamp,
    /// The end of the lease.
    pub until: Timestamp,
    /// The environments whose imports this server already works on.
    pub without: Vec<Owner>,
}

/// The load of all imports of a store.
///
/// ```
/// use patron_domain::import::ImportLoad;
///
/// assert_eq!(ImportLoad::default().rows_to_write, 0);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportLoad {
    /// The rows that must still be checked.
    pub rows_to_check: u64,
    /// The rows that must still be written.
    pub rows_to_write: u64,
    /// The bytes of the files, each piece as [`ImportJob::PIECE_BYTES`].
    pub file_bytes: u64,
}

impl ImportLoad {
    /// Adds an import.
    pub fn add(&mut self, import: &ImportJob) {
        let rows = match import.work() {
            Some(ImportPhase::Check | ImportPhase::Decide) => &mut self.rows_to_check,
            Some(ImportPhase::Write) => &mut self.rows_to_write,
            None => return,
        };
        *rows += import.rows.saturating_sub(import.rows_done);
    }
}

/// Stores imports, the pieces of their files, and the rows that failed.
///
/// Every method MUST be atomic, durable when it returns, and see only data in its scope.
///
/// ```
/// use patron_domain::{import::{ImportRepository, MockImportRepository}, testkit::{a_scope, an_id}};
///
/// # futures::executor::block_on(async {
/// let mut imports = MockImportRepository::new();
/// imports.expect_import().returning(|_, _| Ok(None));
/// assert_eq!(imports.import(&a_scope(), an_id(1)).await, Ok(None));
/// # });
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait ImportRepository: Send + Sync {
    /// Stores a new import.
    async fn begin(&self, scope: &EnvironmentScope, import: ImportJob) -> Result<(), StoreError>;

    /// Stores a piece of its file, if it is still uploading. Pieces are numbered from 0. If there is a quota, this MUST pass the
    /// bytes of the environment's files to it, each piece as [`ImportJob::PIECE_BYTES`]; concurrent calls MAY exceed it together.
    async fn add_piece(
        &self,
        scope: &EnvironmentScope,
        id: ImportId,
        number: u32,
        bytes: Vec<u8>,
        quota: Quota,
    ) -> Result<(), ImportError>;

    /// Stores the import after its upload, if it is still uploading. Unless `again`, when another import of the
    /// same digest is completed, or has work, this MUST store nothing and return its id.
    async fn finish_upload(
        &self,
        scope: &EnvironmentScope,
        import: ImportJob,
        again: bool,
    ) -> Result<Option<ImportId>, StoreError>;

    /// Removes an import whose upload failed, with the pieces of its file.
    async fn abandon(&self, scope: &EnvironmentScope, id: ImportId) -> Result<(), StoreError>;

    /// An import; `None` when the scope has none with this id.
    async fn import(&self, scope: &EnvironmentScope, id: ImportId) -> Result<Option<ImportJob>, StoreError>;

    /// Imports before an id, the newest first.
    async fn imports(
        &self,
        scope: &EnvironmentScope,
        before: Option<ImportId>,
        limit: u16,
    ) -> Result<Vec<ImportJob>, StoreError>;

    /// Changes an import: calls [`ImportJob::amended`] with the locked row, ends any lease, and returns the new state. When
    /// it has ended, the pieces of its file are removed, and its [event](crate::event::ImportEvent::of) is written.
    async fn amend(
        &self,
        scope: &EnvironmentScope,
        id: ImportId,
        amendment: ImportAmendment,
        event_id: EventId,
        at: Timestamp,
    ) -> Result<ImportJob, ImportError>;

    /// The rows that failed, after a row, in their order.
    async fn failed_rows(
        &self,
        scope: &EnvironmentScope,
        id: ImportId,
        after: u64,
        limit: u16,
    ) -> Result<Vec<FailedRow>, StoreError>;

    /// A piece of the file of an import; `None` after the last one.
    async fn piece(
        &self,
        scope: &SystemScope,
        owner: Owner,
        id: ImportId,
        number: u32,
    ) -> Result<Option<Vec<u8>>, StoreError>;

    /// The load of the imports of all environments.
    async fn import_load(&self, scope: &SystemScope) -> Result<ImportLoad, StoreError>;

    /// Leases the import of any environment that has been due longest, except those of suspended tenants. Its
    /// [`ImportJob::due_work`] says what to do.
    async fn claim_import(&self, scope: &SystemScope, claim: ImportClaim) -> Result<Option<ImportJob>, StoreError>;

    /// Does the work on rows, and records the progress in the same transaction. Depending on the phase the rows are written,
    /// decided without being written, or neither. Each row that fails is stored with its faults. The new state is
    /// [`ImportJob::after_rows`].
    ///
    /// When the holder no longer has the lease, the import is in another phase, or `after` is not the number of rows that are
    /// done, this MUST write nothing and return `None`. When the import has ended, the pieces of its file are removed, and its
    /// [event](crate::event::ImportEvent::of) is written after those of the rows.
    async fn record_rows(&self, scope: &SystemScope, chunk: ImportChunk) -> Result<Option<ImportJob>, StoreError>;

    /// Ends an import as [`ImportJob::stopped`] says, if the holder has the lease. The pieces of its file are removed, and its
    /// [event](crate::event::ImportEvent::of) is written.
    async fn stop_import(
        &self,
        scope: &SystemScope,
        holder: ImportHolder,
        problem: ImportProblem,
        event_id: EventId,
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Removes rows that failed of an import that has ended, if the holder has the lease: at most `limit`. When fewer are
    /// left, the import becomes [`ImportJob::forgotten`] and its lease ends. Returns the number of removed rows.
    async fn forget_rows(&self, scope: &SystemScope, holder: ImportHolder, limit: u32) -> Result<u64, StoreError>;
}
