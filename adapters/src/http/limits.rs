//! Rate limits: how many requests per second each key and each tenant may send. Each process counts by itself.

use std::{
    collections::HashMap,
    fmt::Write,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use patron_domain::{
    ids::TenantId,
    tenancy::{Actor, Caller, Gcra, PerSecond, Permission, RateLimit},
};
use rocket::{Request, Response, http::Method};

use super::{Api, error::ApiError};

/// Counts requests against the limits of tenants and keys. Requests without a limit are not counted.
///
/// ```
/// use patron_adapters::http::RateLimits;
/// use patron_domain::tenancy::{PerSecond, RateLimit};
///
/// let limits = RateLimits::new(RateLimit { reads: PerSecond::new(500).ok(), writes: PerSecond::new(50).ok() });
/// ```
pub struct RateLimits {
    /// The limits of each tenant.
    tenant: RateLimit,
    buckets: Mutex<HashMap<Bucket, Gcra>>,
    begun: Instant,
}

/// The requests that share one count.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Bucket {
    holder: Holder,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Holder {
    Key(Actor),
    Tenant(TenantId),
}

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Reads,
    Writes,
}

impl Kind {
    /// The kind of a request. If the permission to read suffices, it is a read. This includes searches with a body.
    fn of(method: Method, permission: Option<Permission>) -> Self {
        let reads = matches!(method, Method::Get | Method::Head | Method::Options)
            || matches!(permission, Some(Permission::Read));
        if reads { Self::Reads } else { Self::Writes }
    }

    fn limit(self, limit: RateLimit) -> Option<PerSecond> {
        match self {
            Self::Reads => limit.reads,
            Self::Writes => limit.writes,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Writes => "writes",
        }
    }
}

impl Bucket {
    /// Its name in headers.
    fn name(&self) -> String {
        let holder = if matches!(self.holder, Holder::Key(_)) { "key" } else { "tenant" };
        format!("{holder}-{}", self.kind.name())
    }
}

/// The rate limit headers of a response.
#[derive(Debug, Default, PartialEq, Eq)]
struct LimitHeaders {
    policy: String,
    state: String,
}

impl LimitHeaders {
    fn add(&mut self, bucket: &Bucket, limit: PerSecond, left: u32, seconds: u64) {
        let separator = if self.policy.is_empty() { "" } else { ", " };
        let name = bucket.name();
        // Writing to a string cannot fail.
        let _ = write!(self.policy, "{separator}\"{name}\";q={limit};w=1");
        let _ = write!(self.state, "{separator}\"{name}\";r={left};t={seconds}");
    }
}

/// The rate limit headers for the response to a request.
#[derive(Default)]
struct KeptHeaders(OnceLock<LimitHeaders>);

impl RateLimits {
    /// Above this number of buckets, empty ones are removed.
    const MANY: usize = 10_000;

    /// Sets the limits of each tenant. Keys can have their own limits in addition.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the age of a request is not part of the domain")]
    pub fn new(tenant: RateLimit) -> Self {
        Self { tenant, buckets: Mutex::default(), begun: Instant::now() }
    }

    /// Counts a request of a caller, or returns the time after which it would be accepted. A rejected request counts
    /// neither for the key nor for the tenant.
    fn take(&self, caller: &Caller, kind: Kind, now: Duration) -> (LimitHeaders, Result<(), Duration>) {
        let (key, tenant) = (Holder::Key(caller.actor().clone()), Holder::Tenant(caller.owner().tenant_id));
        let limited = [(key, kind.limit(caller.rate_limit())), (tenant, kind.limit(self.tenant))];
        let limited = limited.into_iter().filter_map(|(holder, limit)| Some((Bucket { holder, kind }, limit?)));
        let limited: Vec<_> = limited.collect();
        let (mut headers, mut refused, mut passed) = (LimitHeaders::default(), None, Vec::new());
        if limited.is_empty() {
            return (headers, Ok(()));
        }
        let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        let mut buckets = self.lock();
        for (bucket, limit) in limited {
            match buckets.get(&bucket).copied().unwrap_or_default().ask(limit, now) {
                Ok(one) => {
                    headers.add(&bucket, limit, one.left, seconds(one.empty_in));
                    passed.push((bucket, one.after));
                }
                Err(wait) => {
                    headers.add(&bucket, limit, 0, seconds(wait));
                    refused = refused.max(Some(wait));
                }
            }
        }
        if let Some(wait) = refused {
            return (headers, Err(wait));
        }
        buckets.extend(passed);
        if buckets.len() > Self::MANY {
            buckets.retain(|_, bucket| !bucket.is_empty_at(now));
        }
        (headers, Ok(()))
    }

    /// The map stays consistent even if a thread panics.
    fn lock(&self) -> MutexGuard<'_, HashMap<Bucket, Gcra>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for RateLimits {
    fn default() -> Self {
        Self::new(RateLimit::default())
    }
}

/// Whole seconds, rounded up, at least one.
fn seconds(duration: Duration) -> u64 {
    duration.as_nanos().div_ceil(1_000_000_000).max(1).try_into().unwrap_or(u64::MAX)
}

/// Counts a request of a caller, and keeps the rate limit headers for its response.
///
/// # Errors
/// 429 if a limit is exceeded.
pub(super) fn take(request: &Request<'_>, caller: &Caller, permission: Option<Permission>) -> Result<(), ApiError> {
    let limits = &Api::of(request)?.limits;
    let kind = Kind::of(request.method(), permission);
    let (headers, taken) = limits.take(caller, kind, limits.begun.elapsed());
    if !headers.policy.is_empty() {
        // If a request is counted twice, its response has the headers of the first time.
        let _ = request.local_cache(KeptHeaders::default).0.set(headers);
    }
    taken.map_err(|wait| ApiError::too_many(seconds(wait)))
}

/// Adds the rate limit headers to a response (draft-ietf-httpapi-ratelimit-headers-10).
pub(super) fn add_headers(request: &Request<'_>, response: &mut Response<'_>) {
    if let Some(LimitHeaders { policy, state }) = request.local_cache(KeptHeaders::default).0.get() {
        response.set_raw_header("RateLimit-Policy", policy.clone());
        response.set_raw_header("RateLimit", state.clone());
    }
}

#[cfg(test)]
mod tests {
    use patron_domain::{
        lifecycle::Owner,
        tenancy::{EnvironmentScope, Roles},
        testkit::{a_scope, an_id},
    };

    use super::*;

    fn per_second(number: i64) -> Option<PerSecond> {
        PerSecond::new(number).ok()
    }

    fn caller(name: &str, rate_limit: RateLimit) -> Caller {
        let scope = EnvironmentScope { actor: Actor::new(name).unwrap(), ..a_scope() };
        Caller::new(scope, Roles::super_admin(), None).limited_to(rate_limit)
    }

    fn passes(limits: &RateLimits, caller: &Caller, kind: Kind, millis: u64) -> bool {
        limits.take(caller, kind, Duration::from_millis(millis)).1.is_ok()
    }

    #[test]
    fn without_limits_every_request_passes_uncounted() {
        let limits = RateLimits::default();
        let (headers, taken) = limits.take(&caller("a", RateLimit::default()), Kind::Writes, Duration::ZERO);
        assert_eq!((headers, taken), (LimitHeaders::default(), Ok(())));
        assert!(limits.lock().is_empty());
    }

    #[test]
    fn keys_share_the_limit_of_their_tenant_and_have_their_own() {
        let limits = RateLimits::new(RateLimit { reads: per_second(3), writes: None });
        let slow = caller("slow", RateLimit { reads: per_second(1), writes: None });
        let fast = caller("fast", RateLimit::default());
        assert!(passes(&limits, &slow, Kind::Reads, 0));
        // Requests that the key's own limit rejects do not count for the tenant.
        assert!(!passes(&limits, &slow, Kind::Reads, 0) && !passes(&limits, &slow, Kind::Reads, 0));
        assert!(passes(&limits, &fast, Kind::Reads, 0) && passes(&limits, &fast, Kind::Reads, 0));
        assert!(!passes(&limits, &fast, Kind::Reads, 0));
        assert!(passes(&limits, &fast, Kind::Writes, 0), "writes are not limited");
        let elsewhere = Owner { tenant_id: an_id(77), ..a_scope().owner };
        let scope = EnvironmentScope { owner: elsewhere, ..a_scope() };
        let other = Caller::new(scope, Roles::super_admin(), None);
        assert!(passes(&limits, &other, Kind::Reads, 0), "another tenant has its own limit");
        assert!(passes(&limits, &fast, Kind::Reads, 334));
    }

    #[test]
    fn the_headers_show_the_remainder_of_each_limit() {
        let limits = RateLimits::new(RateLimit { reads: per_second(3), writes: None });
        let slow = caller("slow", RateLimit { reads: per_second(1), writes: None });
        let (headers, _) = limits.take(&slow, Kind::Reads, Duration::ZERO);
        assert_eq!(headers.policy, r#""key-reads";q=1;w=1, "tenant-reads";q=3;w=1"#);
        assert_eq!(headers.state, r#""key-reads";r=0;t=1, "tenant-reads";r=2;t=1"#);
    }

    #[test]
    fn empty_buckets_are_removed_when_there_are_many() {
        let limits = RateLimits::new(RateLimit::default());
        let own = RateLimit { reads: per_second(1_000), writes: None };
        for number in 0..=RateLimits::MANY as u64 {
            assert!(passes(&limits, &caller(&number.to_string(), own), Kind::Reads, number * 2));
        }
        assert!(limits.lock().len() < 10);
    }

    #[test]
    fn a_search_with_a_body_is_a_read() {
        for (method, permission, wanted) in [
            (Method::Get, None, Kind::Reads),
            (Method::Get, Some(Permission::Administer), Kind::Reads),
            (Method::Post, Some(Permission::Read), Kind::Reads),
            (Method::Post, Some(Permission::Write), Kind::Writes),
            (Method::Delete, None, Kind::Writes),
        ] {
            assert_eq!(Kind::of(method, permission), wanted);
        }
    }
}
