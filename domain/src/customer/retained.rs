//! From when on a customer, and its former external ids, count for the retention of their environment.

use super::CustomerAggregate;
use crate::{lifecycle::Status, time::Timestamp};

impl CustomerAggregate {
    /// Since when retention counts: since the customer was archived, or since its legal hold ended, if that is later.
    /// `None` while it is published, or held without an end.
    ///
    /// ```
    /// assert_eq!(patron_domain::testkit::a_customer("acme").existing().retained_from(), None);
    /// ```
    #[must_use]
    pub fn retained_from(&self) -> Option<Timestamp> {
        let customer = &self.customer;
        if customer.status != Status::Archived {
            return None;
        }
        let term = self.archived_terms.last().filter(|term| term.until.is_none());
        let archived = term.map_or(customer.audit.updated_at, |term| term.from);
        match &customer.legal_hold {
            None => Some(archived),
            Some(hold) => hold.until.map(|until| until.max(archived)),
        }
    }

    /// The earliest end of a term of a former external id; `None` without one.
    ///
    /// ```
    /// assert_eq!(patron_domain::testkit::a_customer("acme").existing().oldest_former_id(), None);
    /// ```
    #[must_use]
    pub fn oldest_former_id(&self) -> Option<Timestamp> {
        self.former_external_ids.iter().map(|former| former.until).min()
    }

    /// The customer without the former external ids whose terms ended at a time or earlier; `None` if it has none. Its
    /// version stays, because the former ids are not part of what readers see.
    ///
    /// ```
    /// use patron_domain::testkit::{a_customer, a_time};
    ///
    /// assert_eq!(a_customer("acme").existing().without_former_ids(a_time()), None);
    /// ```
    #[must_use]
    pub fn without_former_ids(&self, ended: Timestamp) -> Option<Self> {
        self.oldest_former_id().filter(|oldest| *oldest <= ended)?;
        let mut customer = self.clone();
        customer.former_external_ids.retain(|former| former.until > ended);
        Some(customer)
    }
}
