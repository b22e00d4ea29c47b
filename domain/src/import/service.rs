//! The operations on imports, with permission checks.

use std::sync::Arc;

use super::{FailedRow, ImportAmendment, ImportJob, ImportOptions, ImportRefusal, ImportRepository};
use crate::{
    clock::Clock,
    ids::{IdGenerator, ImportId},
    lifecycle::Audit,
    store::StoreError,
    tenancy::{Caller, Permission, PermissionDenied, QuotaReached, Quotas},
};

/// Operations on imports, for callers with permissions. Writers may import.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{
///     import::{ImportError, ImportService, MockImportRepository},
///     testkit::{CountingIds, FixedClock, a_caller, an_id},
/// };
///
/// # futures::executor::block_on(async {
/// let mut imports = MockImportRepository::new();
/// imports.expect_import().returning(|_, _| Ok(None));
/// let service = ImportService {
///     imports: Arc::new(imports),
///     clock: Arc::new(FixedClock::default()),
///     ids: Arc::new(CountingIds::default()),
///     quotas: patron_domain::tenancy::Quotas::default(),
/// };
/// assert_eq!(service.import(&a_caller(), an_id(1)).await, Err(ImportError::Unknown));
/// # });
/// ```
#[derive(Clone)]
pub struct ImportService {
    /// The store.
    pub imports: Arc<dyn ImportRepository>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of new ids.
    pub ids: Arc<dyn IdGenerator>,
    /// The quotas of every environment.
    pub quotas: Quotas,
}

/// Why an operation on imports failed.
///
/// ```
/// use patron_domain::{import::ImportError, store::StoreError};
///
/// let unavailable = ImportError::from(StoreError::unavailable("too many writes are waiting"));
/// assert_eq!(unavailable.to_string(), "the database is not available: too many writes are waiting");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The caller lacks the permission.
    #[error(transparent)]
    Denied(#[from] PermissionDenied),
    /// The caller's environment has no such import.
    #[error("there is no import with this id")]
    Unknown,
    /// The import's state does not allow it.
    #[error(transparent)]
    Forbidden(#[from] ImportRefusal),
    /// The environment's files have as many bytes as its quota allows.
    #[error(transparent)]
    Quota(#[from] QuotaReached),
    /// The same file was imported before, with the same options.
    #[error("this file was imported before with the same options; send again=true to import it again")]
    AlreadyImported {
        /// The earlier import.
        existing: ImportId,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ImportService {
    /// Begins an upload.
    ///
    /// # Errors
    /// When the caller may not write, or the store fails.
    pub async fn begin(&self, caller: &Caller, options: ImportOptions) -> Result<ImportJob, ImportError> {
        let scope = caller.authorise(Permission::Write)?;
        let at = self.clock.now();
        let import =
            ImportJob::begin(self.ids.start(at).next_id(), scope.owner, options, Audit::created(at, &scope.actor));
        self.imports.begin(scope, import.clone()).await?;
        Ok(import)
    }

    /// Stores a piece of the file. Pieces are numbered from 0.
    ///
    /// # Errors
    /// When the caller may not write, the import is not uploading, the quota is reached, or the store fails.
    pub async fn add_piece(
        &self,
        caller: &Caller,
        id: ImportId,
        number: u32,
        bytes: Vec<u8>,
    ) -> Result<(), ImportError> {
        let scope = caller.authorise(Permission::Write)?;
        self.imports.add_piece(scope, id, number, bytes, self.quotas.import_bytes).await
    }

    /// Ends an upload. From now on the import is worked on. On an error nothing of it is left.
    ///
    /// # Errors
    /// When the caller may not write, the same file was imported before, or the store fails.
    pub async fn finish(&self, caller: &Caller, import: ImportJob, again: bool) -> Result<ImportJob, ImportError> {
        let scope = caller.authorise(Permission::Write)?;
        let import = import.uploaded(self.clock.now());
        match self.imports.finish_upload(scope, import.clone(), again).await? {
            None => Ok(import),
            Some(existing) => {
                self.imports.abandon(scope, import.id).await?;
                Err(ImportError::AlreadyImported { existing })
            }
        }
    }

    /// Removes an import whose upload failed.
    ///
    /// # Errors
    /// When the caller may not write, or the store fails.
    pub async fn abandon(&self, caller: &Caller, id: ImportId) -> Result<(), ImportError> {
        let scope = caller.authorise(Permission::Write)?;
        Ok(self.imports.abandon(scope, id).await?)
    }

    /// An import.
    ///
    /// # Errors
    /// When the caller may not read, there is none with this id, or the store fails.
    pub async fn import(&self, caller: &Caller, id: ImportId) -> Result<ImportJob, ImportError> {
        let scope = caller.authorise(Permission::Read)?;
        self.imports.import(scope, id).await?.ok_or(ImportError::Unknown)
    }

    /// Imports before an id, the newest first.
    ///
    /// # Errors
    /// When the caller may not read, or the store fails.
    pub async fn imports(
        &self,
        caller: &Caller,
        before: Option<ImportId>,
        limit: u16,
    ) -> Result<Vec<ImportJob>, ImportError> {
        let scope = caller.authorise(Permission::Read)?;
        Ok(self.imports.imports(scope, before, limit).await?)
    }

    /// Starts or cancels an import.
    ///
    /// # Errors
    /// When the caller may not write, there is none with this id, its state does not allow it, or the store fails.
    pub async fn amend(
        &self,
        caller: &Caller,
        id: ImportId,
        amendment: ImportAmendment,
    ) -> Result<ImportJob, ImportError> {
        let scope = caller.authorise(Permission::Write)?;
        let at = self.clock.now();
        self.imports.amend(scope, id, amendment, self.ids.start(at).next_id(), at).await
    }

    /// The rows that failed, after a row. They have personal data, so the caller needs the permission to read.
    ///
    /// # Errors
    /// When the caller may not read, there is no import with this id, or the store fails.
    pub async fn failed_rows(
        &self,
        caller: &Caller,
        id: ImportId,
        after: u64,
        limit: u16,
    ) -> Result<Vec<FailedRow>, ImportError> {
        let scope = caller.authorise(Permission::Read)?;
        self.imports.import(scope, id).await?.ok_or(ImportError::Unknown)?;
        Ok(self.imports.failed_rows(scope, id, after, limit).await?)
    }
}
