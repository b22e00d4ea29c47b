//! The origin of an action.

use std::{fmt, net::IpAddr, sync::Arc};

use super::RequestId;
use crate::{
    ids::{EnvironmentId, IdGenerator, IdSequence},
    report::WriteReport,
    time::Timestamp,
};

/// The origin of an action: its request, its network address, and the actor's own environment in the tenant. The audit
/// log records it. Actions of the command line and of Patron itself have no origin.
///
/// Copies share their data. `Debug` does not show the address, because it is personal data.
///
/// ```
/// use patron_domain::tenancy::{Origin, RequestId};
///
/// let address = "192.0.2.7".parse().ok();
/// let origin = Origin::new(RequestId::new("request-1").ok(), address);
/// assert_eq!(origin.address(), address);
/// assert!(!format!("{origin:?}").contains("192.0.2.7"));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Origin(Option<Arc<Parts>>);

#[derive(Clone, Default, PartialEq, Eq)]
struct Parts {
    request_id: Option<RequestId>,
    address: Option<IpAddr>,
    home: Option<EnvironmentId>,
    report: Option<WriteReport>,
}

impl Origin {
    /// A request, and the address it came from.
    #[must_use]
    pub fn new(request_id: Option<RequestId>, address: Option<IpAddr>) -> Self {
        Self(Some(Arc::new(Parts { request_id, address, home: None, report: None })))
    }

    /// The same origin, with a request.
    #[must_use]
    pub fn in_request(self, request_id: RequestId) -> Self {
        self.with(|parts| parts.request_id = Some(request_id))
    }

    /// The same origin, with a network address.
    #[must_use]
    pub fn at_address(self, address: IpAddr) -> Self {
        self.with(|parts| parts.address = Some(address))
    }

    /// The same origin, with the actor's own environment. The action can affect another environment of its tenant.
    #[must_use]
    pub fn at_home_in(self, environment_id: EnvironmentId) -> Self {
        self.with(|parts| parts.home = Some(environment_id))
    }

    /// The same origin, with a report of what its write does. One report is for one write.
    ///
    /// If the report is that of a dry run, stores write nothing: see [`WriteReport`]. An idempotency key has no meaning in
    /// a dry run, so callers leave it out.
    #[must_use]
    pub fn reporting(self, report: WriteReport) -> Self {
        self.with(|parts| parts.report = Some(report))
    }

    /// The report of what the write does, if the caller wants one.
    #[must_use]
    pub fn report(&self) -> Option<&WriteReport> {
        self.0.as_ref()?.report.as_ref()
    }

    /// Whether a write must leave nothing behind.
    #[must_use]
    pub fn is_dry_run(&self) -> bool {
        self.report().is_some_and(WriteReport::is_dry_run)
    }

    /// Starts the ids of a write, so that its report knows them.
    #[must_use]
    pub fn ids(&self, ids: &dyn IdGenerator, at: Timestamp) -> IdSequence {
        match self.report() {
            Some(report) => report.ids(ids, at),
            None => ids.start(at),
        }
    }

    /// The request.
    #[must_use]
    pub fn request_id(&self) -> Option<&RequestId> {
        self.0.as_ref()?.request_id.as_ref()
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.0.as_ref()?.address
    }

    /// The actor's own environment; `None` when it is the one that the action affects.
    #[must_use]
    pub fn home(&self) -> Option<EnvironmentId> {
        self.0.as_ref()?.home
    }

    /// The environments whose audit logs record an action in an environment: that environment, and the actor's own.
    pub fn places(&self, environment_id: EnvironmentId) -> impl Iterator<Item = EnvironmentId> {
        let home = self.home().filter(|home| *home != environment_id);
        [environment_id].into_iter().chain(home)
    }

    fn with(self, change: impl FnOnce(&mut Parts)) -> Self {
        let mut parts = self.0.map(Arc::unwrap_or_clone).unwrap_or_default();
        change(&mut parts);
        Self(Some(Arc::new(parts)))
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Origin")
            .field("request_id", &self.request_id())
            .field("home", &self.home())
            .finish_non_exhaustive()
    }
}
