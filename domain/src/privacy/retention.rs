//! Retention: how long an environment keeps archived customers and former external ids.

use super::PrivacyError;
use crate::{
    lifecycle::{Audit, Owner, Precondition},
    tenancy::EnvironmentScope,
    time::Timestamp,
    violation::Rule,
};

/// A number of days: 0 to 36,500.
///
/// ```
/// use patron_domain::privacy::RetentionDays;
///
/// assert!(RetentionDays::new(0).is_ok() && RetentionDays::new(-1).is_err() && RetentionDays::new(36_501).is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RetentionDays(u16);

/// Why a number is not a valid [`RetentionDays`].
///
/// ```
/// use patron_domain::privacy::{RetentionDays, RetentionDaysError};
///
/// assert_eq!(RetentionDays::new(-1), Err(RetentionDaysError));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 0 to {} days", RetentionDays::MAX)]
pub struct RetentionDaysError;

impl Rule for RetentionDaysError {
    fn rule(&self) -> &'static str {
        "range"
    }
}

impl RetentionDays {
    /// The most days.
    pub const MAX: u16 = 36_500;

    /// Checks a number of days.
    ///
    /// # Errors
    /// When it is negative or more than [`Self::MAX`].
    pub fn new(days: i64) -> Result<Self, RetentionDaysError> {
        u16::try_from(days).ok().filter(|days| *days <= Self::MAX).map(Self).ok_or(RetentionDaysError)
    }

    /// The days.
    #[must_use]
    pub const fn days(self) -> u16 {
        self.0
    }

    fn duration(self) -> std::time::Duration {
        std::time::Duration::from_secs(u64::from(self.0) * 86_400)
    }

    /// The time at which the retention of data from a time ends.
    #[must_use]
    pub fn end(self, from: Timestamp) -> Timestamp {
        from.later(self.duration())
    }

    /// The retention of data from this time or earlier has ended.
    #[must_use]
    pub fn before(self, now: Timestamp) -> Timestamp {
        now.earlier(self.duration())
    }
}

/// How long an environment keeps data. What has no number is kept for ever.
///
/// ```
/// use patron_domain::privacy::{Retention, RetentionDays};
///
/// let retention = Retention { archived_days: RetentionDays::new(365).ok(), former_ids_days: None };
/// assert!(!retention.is_empty() && Retention::default().is_empty());
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// For how many days customers are kept after they were archived. Then their deletion is requested.
    pub archived_days: Option<RetentionDays>,
    /// For how many days former external ids are kept after a rename. Then they find nothing.
    pub former_ids_days: Option<RetentionDays>,
}

impl Retention {
    /// Whether everything is kept for ever.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The retention of an environment, as its super admins set it.
///
/// ```
/// use patron_domain::{
///     lifecycle::Audit, privacy::{Retention, RetentionSetting}, tenancy::Actor, testkit::{a_time, an_owner},
/// };
///
/// let audit = Audit::created(a_time(), &Actor::system());
/// let setting = RetentionSetting { owner: an_owner(), retention: Retention::default(), audit };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionSetting {
    /// The environment.
    pub owner: Owner,
    /// What is kept, and how long.
    pub retention: Retention,
    /// When and by whom it was set.
    pub audit: Audit,
}

/// Setting the retention of an environment.
///
/// ```
/// use patron_domain::{lifecycle::Precondition, privacy::{PutRetention, Retention}, testkit::{a_scope, a_time}};
///
/// let put = PutRetention { retention: Retention::default(), at: a_time(), only_if: Precondition::None };
/// assert_eq!(put.decide(&a_scope(), None).unwrap().retention, Retention::default());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutRetention {
    /// What is kept, and how long. An empty one deletes the setting.
    pub retention: Retention,
    /// The time.
    pub at: Timestamp,
    /// The version that the setting must have.
    pub only_if: Precondition,
}

impl PutRetention {
    /// Decides the new setting; the same as the current one if nothing changes. A pure function.
    ///
    /// # Errors
    /// [`PrivacyError::VersionConflict`].
    pub fn decide(
        &self,
        scope: &EnvironmentScope,
        current: Option<RetentionSetting>,
    ) -> Result<RetentionSetting, PrivacyError> {
        self.only_if.check(current.as_ref().map(|current| current.audit.version()))?;
        let Some(mut setting) = current else {
            let audit = Audit::created(self.at, &scope.actor);
            return Ok(RetentionSetting { owner: scope.owner, retention: self.retention, audit });
        };
        if setting.retention != self.retention {
            setting.retention = self.retention;
            setting.audit.advance(self.at, &scope.actor);
        }
        Ok(setting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        customer::{HoldReason, LegalHold},
        lifecycle::{Status, Version},
        tenancy::Actor,
        testkit::{a_customer, a_scope, a_time},
    };

    fn days(days: i64) -> Option<RetentionDays> {
        Some(RetentionDays::new(days).unwrap())
    }

    #[test]
    fn the_same_retention_again_changes_nothing() {
        let put = |archived, at, only_if| PutRetention {
            retention: Retention { archived_days: days(archived), former_ids_days: None },
            at,
            only_if,
        };
        let later = days(1).unwrap().end(a_time());
        let first = put(30, a_time(), Precondition::None).decide(&a_scope(), None).unwrap();
        let again = put(30, later, Precondition::None).decide(&a_scope(), Some(first.clone())).unwrap();
        assert_eq!(again, first);
        let changed = put(31, later, Precondition::None).decide(&a_scope(), Some(first.clone())).unwrap();
        assert_eq!((changed.audit.created_at, changed.audit.updated_at), (a_time(), later));
        let stale = put(32, later, Precondition::OneOf(vec![Version::FIRST])).decide(&a_scope(), Some(first));
        assert!(matches!(stale, Err(PrivacyError::VersionConflict(_))), "{stale:?}");
    }

    #[test]
    fn a_customer_counts_from_its_archiving_and_not_while_it_is_held() {
        let mut acme = a_customer("acme").existing();
        assert_eq!(acme.retained_from(), None, "it is published");
        acme.customer.status = Status::Archived;
        assert_eq!(acme.retained_from(), Some(acme.customer.audit.updated_at), "its term is not known");
        let archived_at = days(3).unwrap().end(a_time());
        acme.archived_terms = vec![crate::customer::ArchivedTerm { from: archived_at, until: None }];
        assert_eq!(acme.retained_from(), Some(archived_at));
        let until = days(9).unwrap().end(a_time());
        let hold = |until| LegalHold {
            reason: HoldReason::new("Lawsuit").unwrap(),
            until,
            since: a_time(),
            by: Actor::system(),
        };
        acme.customer.legal_hold = Some(hold(Some(until)));
        assert_eq!(acme.retained_from(), Some(until), "the hold ends later");
        acme.customer.legal_hold = Some(hold(None));
        assert_eq!(acme.retained_from(), None);
    }

    #[test]
    fn only_old_former_ids_are_removed() {
        let mut acme = a_customer("acme-3").existing();
        assert_eq!((acme.oldest_former_id(), acme.without_former_ids(a_time())), (None, None));
        let former = |external_id: &str, until| crate::customer::FormerExternalId {
            external_id: crate::customer::ExternalId::new(external_id).unwrap(),
            from: a_time(),
            until,
        };
        let (first, second) = (days(1).unwrap().end(a_time()), days(2).unwrap().end(a_time()));
        acme.former_external_ids = vec![former("acme-1", first), former("acme-2", second)];
        assert_eq!(acme.oldest_former_id(), Some(first));
        assert_eq!(acme.without_former_ids(a_time()), None, "none is that old");
        let left = acme.without_former_ids(first).unwrap();
        assert_eq!(left.former_external_ids, [former("acme-2", second)]);
        assert_eq!(left.customer, acme.customer);
    }
}
