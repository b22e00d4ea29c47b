//! External ids over time: a customer's former external ids, and which customer an external id finds.

use super::{CustomerAggregate, ExternalId};
use crate::{ids::CustomerId, lifecycle::Status, time::Timestamp};

/// An external id that a customer had before a rename.
///
/// ```
/// use patron_domain::{customer::{ExternalId, FormerExternalId}, testkit::a_time};
///
/// let former =
///     FormerExternalId { external_id: ExternalId::new("acme").unwrap(), from: a_time(), until: a_time() };
/// assert_eq!(former.external_id.as_str(), "acme");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerExternalId {
    /// The external id.
    pub external_id: ExternalId,
    /// When the customer got it.
    pub from: Timestamp,
    /// When the customer got its next one.
    pub until: Timestamp,
}

impl FormerExternalId {
    /// The maximum number of former external ids per customer. Beyond it, the oldest is dropped.
    pub const MAX_KEPT: usize = 100;
}

/// A period in which a customer was archived.
///
/// ```
/// use patron_domain::{customer::ArchivedTerm, testkit::a_time};
///
/// assert!(ArchivedTerm { from: a_time(), until: None }.contains(a_time()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ArchivedTerm {
    /// When it was archived.
    #[cfg_attr(feature = "serde", serde(with = "crate::stored::whole::micros"))]
    pub from: Timestamp,
    /// When it was restored; `None` while it is archived.
    #[cfg_attr(feature = "serde", serde(default, with = "crate::stored::whole::optional_micros"))]
    pub until: Option<Timestamp>,
}

impl ArchivedTerm {
    /// The maximum number of periods per customer. Beyond it, the earliest two become one.
    pub const MAX_KEPT: usize = 100;

    /// Whether the customer was archived at a time.
    #[must_use]
    pub fn contains(self, at: Timestamp) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }
}

/// The period in which a customer has or had an external id, without the external id itself.
///
/// ```
/// use patron_domain::testkit::a_customer;
///
/// let acme = a_customer("acme").existing();
/// let term = acme.terms_of(&acme.customer.external_id).next().unwrap();
/// assert_eq!((term.customer_id, term.until), (acme.customer.id, None));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExternalIdTerm {
    /// The customer.
    pub customer_id: CustomerId,
    /// The customer's status now.
    pub status: Status,
    /// When the customer got the external id.
    pub from: Timestamp,
    /// When the customer got its next one; `None` while it has this one.
    pub until: Option<Timestamp>,
}

/// The customer that an external id finds, given every term of this external id in an environment. That is the
/// published customer that has it now. Otherwise it is the customer of the latest term, if a rename ended that term and
/// the customer is published. Otherwise, for example when the last holder is archived, it is `None`.
///
/// The latest term is the one that began last. Ties go to the one that ended later, then to the larger customer id.
///
/// ```
/// use patron_domain::{customer::{ExternalId, found_by_external_id}, testkit::a_customer};
///
/// let acme = a_customer("acme").existing();
/// let terms = |external_id: &str| acme.terms_of(&ExternalId::new(external_id).unwrap()).collect::<Vec<_>>();
/// assert_eq!(found_by_external_id(terms("acme")), Some(acme.customer.id));
/// assert_eq!(found_by_external_id(terms("other")), None);
/// ```
#[must_use]
pub fn found_by_external_id(terms: impl IntoIterator<Item = ExternalIdTerm>) -> Option<CustomerId> {
    let mut last: Option<ExternalIdTerm> = None;
    for term in terms {
        if term.until.is_none() && term.status == Status::Published {
            return Some(term.customer_id);
        }
        let order = |term: &ExternalIdTerm| (term.from, term.until.is_none(), term.until, term.customer_id);
        if last.is_none_or(|last| order(&last) < order(&term)) {
            last = Some(term);
        }
    }
    last.filter(|last| last.until.is_some() && last.status == Status::Published).map(|last| last.customer_id)
}

/// The customers that may have had an external id at a time, given every term of this external id in an environment: the
/// one that got it last first. A customer may have been archived then.
///
/// ```
/// use patron_domain::{customer::held_at, testkit::{a_customer, a_time}};
///
/// let acme = a_customer("acme").existing();
/// assert_eq!(held_at(acme.terms_of(&acme.customer.external_id), a_time()), [acme.customer.id]);
/// ```
#[must_use]
pub fn held_at(terms: impl IntoIterator<Item = ExternalIdTerm>, at: Timestamp) -> Vec<CustomerId> {
    let held = |term: &ExternalIdTerm| term.from <= at && term.until.is_none_or(|until| at < until);
    let mut held: Vec<_> = terms.into_iter().filter(held).collect();
    held.sort_by_key(|term| std::cmp::Reverse((term.from, term.customer_id)));
    held.into_iter().map(|term| term.customer_id).collect()
}

impl CustomerAggregate {
    /// This customer's terms of an external id. [`found_by_external_id`] decides on the terms of all customers.
    pub fn terms_of<'a>(&'a self, external_id: &'a ExternalId) -> impl Iterator<Item = ExternalIdTerm> + 'a {
        let (customer_id, status) = (self.customer.id, self.customer.status);
        let former = self.former_external_ids.iter().filter(|former| former.external_id == *external_id);
        let former = former.map(|former| (former.from, Some(former.until)));
        let current = (self.customer.external_id == *external_id).then_some((self.external_id_since, None));
        former.chain(current).map(move |(from, until)| ExternalIdTerm { customer_id, status, from, until })
    }

    /// Records that the customer had this external id until the given time and has another one now.
    pub(super) fn renamed_from(&mut self, former: ExternalId, until: Timestamp) {
        // If the clock was set back, the term does not end before it began.
        let until = until.max(self.external_id_since);
        let from = std::mem::replace(&mut self.external_id_since, until);
        if self.former_external_ids.len() >= FormerExternalId::MAX_KEPT {
            let too_many = self.former_external_ids.len() + 1 - FormerExternalId::MAX_KEPT;
            self.former_external_ids.drain(..too_many);
        }
        self.former_external_ids.push(FormerExternalId { external_id: former, from, until });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::{a_customer, an_id};

    fn time(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros).unwrap()
    }

    fn term(customer: u32, status: Status, from: i64, until: Option<i64>) -> ExternalIdTerm {
        ExternalIdTerm { customer_id: an_id(customer), status, from: time(from), until: until.map(time) }
    }

    fn found(terms: &[ExternalIdTerm]) -> Option<CustomerId> {
        let forwards = found_by_external_id(terms.iter().copied());
        assert_eq!(
            forwards,
            found_by_external_id(terms.iter().rev().copied()),
            "the order of the terms does not matter"
        );
        forwards
    }

    #[test]
    fn a_published_holder_comes_before_former_holders() {
        let former = term(1, Status::Published, 5, Some(6));
        assert_eq!(found(&[term(2, Status::Published, 1, None), former]), Some(an_id(2)));
        assert_eq!(found(&[]), None);
    }

    #[test]
    fn without_a_holder_the_customer_of_the_latest_term_is_found() {
        let one = term(1, Status::Published, 1, Some(9));
        let two = term(2, Status::Published, 5, Some(6));
        assert_eq!(found(&[one, two]), Some(an_id(2)));
        assert_eq!(found(&[one]), Some(an_id(1)));
        // Both terms began at the same time: the later end wins, then the larger id.
        assert_eq!(found(&[term(3, Status::Published, 5, Some(5)), two]), Some(an_id(2)));
        assert_eq!(found(&[term(3, Status::Published, 5, Some(6)), two]), Some(an_id(3)));
    }

    #[test]
    fn it_finds_no_customer_when_the_last_holder_is_archived() {
        let one = term(1, Status::Published, 1, Some(2));
        assert_eq!(found(&[one, term(2, Status::Archived, 3, Some(4))]), None, "renamed, then archived");
        assert_eq!(found(&[one, term(2, Status::Archived, 3, None)]), None, "archived with it");
    }

    #[test]
    fn the_latest_hundred_former_ids_are_kept() {
        let mut acme = a_customer("acme").existing();
        let since = acme.external_id_since.micros();
        for n in 0..=100_i64 {
            acme.renamed_from(ExternalId::new(format!("acme {n}")).unwrap(), time(since + n + 1));
        }
        assert_eq!(acme.former_external_ids.len(), FormerExternalId::MAX_KEPT);
        let first = &acme.former_external_ids[0];
        assert_eq!((first.external_id.as_str(), first.from, first.until), ("acme 1", time(since + 1), time(since + 2)));
        assert_eq!(acme.external_id_since, time(since + 101));
    }

    #[test]
    fn a_term_never_ends_before_it_began_even_if_the_clock_was_set_back() {
        let mut acme = a_customer("acme").existing();
        let since = acme.external_id_since;
        acme.renamed_from(ExternalId::new("old").unwrap(), time(since.micros() - 5));
        assert_eq!((acme.former_external_ids[0].until, acme.external_id_since), (since, since));
    }
}
