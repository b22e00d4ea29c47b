//! Quotas: how many objects of a kind an environment may have.

/// The most objects of one kind in an environment; unlimited by default.
///
/// A count may be exceeded by writes in progress: stores count before they write, and do not lock the count.
///
/// ```
/// use patron_domain::tenancy::{Quota, QuotaReached, Quoted};
///
/// assert_eq!(Quota::of(2).admit(Quoted::Customers, 1), Ok(()));
/// assert_eq!(Quota::of(2).admit(Quoted::Customers, 2), Err(QuotaReached { what: Quoted::Customers, max: 2 }));
/// assert_eq!(Quota::UNLIMITED.admit(Quoted::Customers, 1_000_000), Ok(()));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quota(Option<u64>);

/// The quotas of every environment. Each is unlimited by default.
///
/// ```
/// use patron_domain::tenancy::{Quota, Quotas};
///
/// let quotas = Quotas { customers: Quota::of(10_000), ..Quotas::default() };
/// assert!(quotas.customers.is_limited() && !quotas.workflows.is_limited());
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quotas {
    /// The most published customers.
    pub customers: Quota,
    /// The most webhook endpoints.
    pub endpoints: Quota,
    /// The most onboarding workflows.
    pub workflows: Quota,
    /// The most custom fields.
    pub custom_fields: Quota,
    /// The most bytes of files of imports, each file rounded up to MiB.
    pub import_bytes: Quota,
}

/// A kind of object with a quota.
///
/// ```
/// assert_eq!(patron_domain::tenancy::Quoted::Endpoints.to_string(), "webhook endpoints");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Quoted {
    /// Published customers.
    Customers,
    /// Webhook endpoints.
    Endpoints,
    /// Onboarding workflows.
    Workflows,
    /// Custom fields.
    CustomFields,
    /// Bytes of files of imports.
    ImportBytes,
}

/// The environment already has as many objects as its quota allows.
///
/// ```
/// use patron_domain::tenancy::{QuotaReached, Quoted};
///
/// let reached = QuotaReached { what: Quoted::Workflows, max: 5 };
/// assert!(reached.to_string().starts_with("the quota of this environment is 5 onboarding workflows"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the quota of this environment is {max} {what}; {}, or ask the operator for a higher quota", what.remedy())]
pub struct QuotaReached {
    /// The kind of object.
    pub what: Quoted,
    /// The quota.
    pub max: u64,
}

impl std::fmt::Display for Quoted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Customers => "customers",
            Self::Endpoints => "webhook endpoints",
            Self::Workflows => "onboarding workflows",
            Self::CustomFields => "custom fields",
            Self::ImportBytes => "bytes in the files of imports",
        })
    }
}

impl Quoted {
    fn remedy(self) -> &'static str {
        match self {
            Self::Customers => "archive those that are no longer used",
            Self::Endpoints | Self::Workflows | Self::CustomFields => "delete those that are no longer used",
            Self::ImportBytes => {
                "start or cancel imports that are ready, wait for those that run, or compress the file with gzip"
            }
        }
    }
}

impl Quota {
    /// No limit.
    pub const UNLIMITED: Self = Self(None);

    /// A limit.
    #[must_use]
    pub fn of(max: u64) -> Self {
        Self(Some(max))
    }

    /// Whether there is a limit, so that the objects must be counted.
    #[must_use]
    pub fn is_limited(self) -> bool {
        self.0.is_some()
    }

    /// Checks whether one more object may be created, given the present number.
    ///
    /// # Errors
    /// When the quota is reached.
    pub fn admit(self, what: Quoted, count: u64) -> Result<(), QuotaReached> {
        match self.0 {
            Some(max) if count >= max => Err(QuotaReached { what, max }),
            _ => Ok(()),
        }
    }
}
