//! Legal holds: customers that must not be erased, for example because of a lawsuit or a tax audit.

use crate::{tenancy::Actor, text::text_newtype, time::Timestamp};

text_newtype! {
    /// Why a customer must not be erased. Personal data: it is erased with the customer.
    personal HoldReason, HoldReasonError, "reason", max 500, not_blank true, lines true
}

/// A request to place a legal hold.
///
/// ```
/// use patron_domain::{customer::{HoldReason, NewLegalHold}, tenancy::Actor, testkit::a_time};
///
/// let new = NewLegalHold { reason: HoldReason::new("lawsuit 7 O 11/26").unwrap(), until: None };
/// let hold = new.clone().placed(a_time(), &Actor::system());
/// assert!(hold.is_in_force(a_time()) && hold.has_terms_of(&new));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLegalHold {
    /// The reason.
    pub reason: HoldReason,
    /// The end; `None` for a hold that lasts until it is removed.
    pub until: Option<Timestamp>,
}

/// A legal hold. While it is in force, its customer cannot be erased.
///
/// ```
/// use patron_domain::{customer::{HoldReason, NewLegalHold}, tenancy::Actor, testkit::a_time};
///
/// let new = NewLegalHold { reason: HoldReason::new("tax audit").unwrap(), until: Some(a_time()) };
/// assert!(!new.placed(a_time(), &Actor::system()).is_in_force(a_time()), "the end is exclusive");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegalHold {
    /// The reason.
    pub reason: HoldReason,
    /// The end; `None` for a hold that lasts until it is removed.
    pub until: Option<Timestamp>,
    /// When it was placed, or its terms were changed.
    pub since: Timestamp,
    /// Who placed it.
    pub by: Actor,
}

impl NewLegalHold {
    /// The hold.
    #[must_use]
    pub fn placed(self, since: Timestamp, by: &Actor) -> LegalHold {
        LegalHold { reason: self.reason, until: self.until, since, by: by.clone() }
    }
}

impl LegalHold {
    /// Whether it is in force at a time.
    #[must_use]
    pub fn is_in_force(&self, at: Timestamp) -> bool {
        self.until.is_none_or(|until| at < until)
    }

    /// Whether it has the terms of a request.
    #[must_use]
    pub fn has_terms_of(&self, new: &NewLegalHold) -> bool {
        (&self.reason, &self.until) == (&new.reason, &new.until)
    }
}
