//! From where somebody acts.

use std::{fmt, net::IpAddr, sync::Arc};

use super::RequestId;
use crate::ids::EnvironmentId;

/// From where somebody acts: in which request, from which network address, and in which environment of the tenant they are
/// at home. The audit log tells it. Nothing of it is known of the command line and of what Patron does by itself.
///
/// Copies share what they hold. `Debug` leaves the address out, because it is personal data.
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
}

impl Origin {
    /// A request, and the address it came from.
    #[must_use]
    pub fn new(request_id: Option<RequestId>, address: Option<IpAddr>) -> Self {
        Self(Some(Arc::new(Parts { request_id, address, home: None })))
    }

    /// The same, of a request.
    #[must_use]
    pub fn in_request(self, request_id: RequestId) -> Self {
        self.with(|parts| parts.request_id = Some(request_id))
    }

    /// The same, from a network address.
    #[must_use]
    pub fn at_address(self, address: IpAddr) -> Self {
        self.with(|parts| parts.address = Some(address))
    }

    /// The same, of somebody who is at home in an environment, and may act elsewhere in its tenant.
    #[must_use]
    pub fn at_home_in(self, environment_id: EnvironmentId) -> Self {
        self.with(|parts| parts.home = Some(environment_id))
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

    /// The environment where whoever acts is at home; `None` where that is the one acted in.
    #[must_use]
    pub fn home(&self) -> Option<EnvironmentId> {
        self.0.as_ref()?.home
    }

    /// In which audit logs an act in an environment stands: in that one's, and at home.
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
