//! The author of a write, who determines whether it is reported and whether it is rolled back.

use patron_domain::{
    lifecycle::Owner,
    report::WriteReport,
    tenancy::{EnvironmentScope, Origin, TenantScope},
};

/// The author of a write.
#[derive(Debug, Clone, Default)]
pub(crate) struct Author {
    origin: Origin,
    owner: Option<Owner>,
}

/// How a transaction ends after its decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It is committed.
    Commit,
    /// It is rolled back.
    DryRun,
}

impl Author {
    /// Patron itself, and the command line. Their writes are always committed.
    pub(crate) fn system() -> Self {
        Self::default()
    }

    /// The report of the write, if one was requested.
    pub(crate) fn report(&self) -> Option<&WriteReport> {
        self.origin.report()
    }

    /// The owner of the objects that are written; `None` if they belong to a tenant, or to several environments.
    pub(crate) fn owner(&self) -> Option<Owner> {
        self.owner
    }

    /// The end of its transactions.
    pub(crate) fn ending(&self) -> Ending {
        if self.origin.is_dry_run() { Ending::DryRun } else { Ending::Commit }
    }
}

impl From<&EnvironmentScope> for Author {
    fn from(scope: &EnvironmentScope) -> Self {
        Self { origin: scope.origin.clone(), owner: Some(scope.owner) }
    }
}

impl From<&TenantScope> for Author {
    fn from(scope: &TenantScope) -> Self {
        Self { origin: scope.origin.clone(), owner: None }
    }
}
