//! Decisions: suppressing a customer, and making it visible again.

use super::{Blocking, DeletionRequest, DeletionState, NewDeletionRequest, PrivacyError, SubjectTag};
use crate::{
    custom_field::{CustomFieldFacts, CustomFieldKey, UniqueValue},
    customer::CustomerAggregate,
    event::{CustomerEventKind, CustomerMark},
    ids::{CustomerId, IdSequence},
    lifecycle::{Audit, Precondition, Status},
    tenancy::EnvironmentScope,
    time::Timestamp,
};

/// The facts for the decision about a request for deletion.
///
/// ```
/// use patron_domain::{privacy::{DeletionFacts, SubjectTag}, testkit::a_customer};
///
/// let facts = DeletionFacts {
///     customer: Some(a_customer("acme").existing()),
///     earlier: None,
///     subject: SubjectTag::from_bytes([0; 32]),
///     importing: false,
/// };
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct DeletionFacts {
    /// The customer, locked; `None` if there is none, or if it is suppressed.
    pub customer: Option<CustomerAggregate>,
    /// The latest request about the customer, or about the external id, that was not cancelled.
    pub earlier: Option<DeletionRequest>,
    /// The tag of the customer's external id.
    pub subject: SubjectTag,
    /// Whether an import of the environment still has its file.
    pub importing: bool,
}

/// What a request for deletion leads to.
///
/// ```
/// use patron_domain::{privacy::DeletionDecision, testkit::a_deletion_request};
///
/// let repeated = DeletionDecision::Repeated(Box::new(a_deletion_request()));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum DeletionDecision {
    /// It was requested before: this is the first request.
    Repeated(Box<DeletionRequest>),
    /// The customer is suppressed.
    New(Box<Suppression>),
}

/// What a store writes when a customer is suppressed.
///
/// ```
/// use patron_domain::{privacy::*, testkit::{a_customer, a_deletion_of, a_scope}};
///
/// let acme = a_customer("acme").existing();
/// let subject = SubjectTag::from_bytes([0; 32]);
/// let facts = DeletionFacts { customer: Some(acme.clone()), earlier: None, subject, importing: false };
/// let DeletionDecision::New(suppression) = a_deletion_of(acme.customer.id).decide(&a_scope(), facts).unwrap() else {
///     panic!("it is new");
/// };
/// let Suppression { request, customer, mark, .. } = *suppression;
/// assert_eq!((request.customer_version, mark.sequence), (customer.customer.version, customer.customer.version));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Suppression {
    /// The request.
    pub request: DeletionRequest,
    /// The customer as it is kept, out of sight.
    pub customer: CustomerAggregate,
    /// The event.
    pub mark: CustomerMark,
}

impl NewDeletionRequest {
    /// Decides the request. A pure function.
    ///
    /// # Errors
    /// [`PrivacyError::UnknownCustomer`], and [`PrivacyError::Blocked`] while a legal hold is in force or an import runs.
    pub fn decide(self, scope: &EnvironmentScope, facts: DeletionFacts) -> Result<DeletionDecision, PrivacyError> {
        let Self { subject: _, channel, cooldown, reason, mut ids, at } = self;
        let Some(mut customer) = facts.customer else {
            let earlier = facts.earlier.filter(|earlier| earlier.state != DeletionState::Cancelled);
            let repeated = |earlier| DeletionDecision::Repeated(Box::new(earlier));
            return earlier.map(repeated).ok_or(PrivacyError::UnknownCustomer);
        };
        let held = customer.customer.legal_hold.as_ref().is_some_and(|hold| hold.is_in_force(at));
        let blocking = [(held, Blocking::LegalHold), (facts.importing, Blocking::ImportRunning)];
        let blocking: Vec<_> = blocking.into_iter().filter(|(blocks, _)| *blocks).map(|(_, why)| why).collect();
        if !blocking.is_empty() {
            return Err(PrivacyError::Blocked(blocking));
        }
        // The audit data stays: once it is visible again, every response is as before.
        customer.customer.version = customer.customer.version.next();
        let place = (customer.customer.id, customer.customer.version);
        let mark = CustomerMark::new(ids.next_id(), CustomerEventKind::Suppressed, place, at, scope);
        let request = DeletionRequest {
            id: ids.next_id(),
            owner: scope.owner,
            customer_id: place.0,
            channel,
            cooldown,
            reason,
            state: DeletionState::Suppressed,
            subject: facts.subject,
            customer_version: place.1,
            due_at: cooldown.end(at),
            redacting_since: None,
            verified_at: None,
            ended_at: None,
            attempts: 0,
            counts: Vec::new(),
            audit: Audit::created(at, &scope.actor),
        };
        Ok(DeletionDecision::New(Box::new(Suppression { request, customer, mark })))
    }
}

/// The facts for cancelling a request.
///
/// ```
/// use patron_domain::{custom_field::CustomFieldFacts, privacy::CancelFacts};
///
/// let facts = CancelFacts { customer: None, holder: None, custom_fields: CustomFieldFacts::default() };
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct CancelFacts {
    /// The customer as it is kept; `None` if it is not suppressed.
    pub customer: Option<CustomerAggregate>,
    /// The published customer that has its external id now.
    pub holder: Option<CustomerId>,
    /// The definitions of custom fields, and the published customers that have its unique values now.
    pub custom_fields: CustomFieldFacts,
}

/// What a store writes when a request is cancelled.
///
/// ```
/// use patron_domain::{custom_field::CustomFieldFacts, ids::IdSequence, lifecycle::Precondition, privacy::*, testkit::*};
///
/// let (customer, custom_fields) = (Some(a_customer("acme").existing()), CustomFieldFacts::default());
/// let facts = CancelFacts { customer, holder: None, custom_fields };
/// let ids = IdSequence::start(a_time(), [0; 10]);
/// let cancelled = a_deletion_request().cancel(&a_scope(), facts, ids, a_time(), &Precondition::None).unwrap();
/// let Cancellation { request, customer, mark, .. } = *cancelled.expect("something to do");
/// assert_eq!(request.state, DeletionState::Cancelled);
/// assert_eq!(mark.sequence, customer.customer.version);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Cancellation {
    /// The request.
    pub request: DeletionRequest,
    /// The customer, visible again.
    pub customer: CustomerAggregate,
    /// The event.
    pub mark: CustomerMark,
}

impl DeletionRequest {
    /// Decides that the request is cancelled; `None` if it was cancelled before. A pure function.
    ///
    /// # Errors
    /// [`PrivacyError::Begun`] once the redaction has begun, [`PrivacyError::ExternalIdTaken`] and
    /// [`PrivacyError::ValueTaken`] when another published customer has the external id or a unique value,
    /// [`PrivacyError::VersionConflict`].
    pub fn cancel(
        self,
        scope: &EnvironmentScope,
        facts: CancelFacts,
        mut ids: IdSequence,
        at: Timestamp,
        only_if: &Precondition,
    ) -> Result<Option<Box<Cancellation>>, PrivacyError> {
        only_if.check(Some(self.audit.version()))?;
        if self.state == DeletionState::Cancelled {
            return Ok(None);
        }
        let customer = facts.customer.filter(|_| self.state.is_cancellable());
        let mut customer = customer.ok_or(PrivacyError::Begun)?;
        if customer.customer.status == Status::Published
            && let Some(existing) = facts.holder
        {
            return Err(PrivacyError::ExternalIdTaken { existing });
        }
        // Fields that were deleted meanwhile took their values from every visible customer.
        let definitions = &facts.custom_fields.definitions;
        let fields = &mut customer.customer.profile.custom_fields;
        let is_defined = |key: CustomFieldKey| definitions.iter().any(|definition| definition.key == key);
        let deleted: Vec<_> = fields.iter().map(|(key, _)| key).filter(|key| !is_defined(*key)).collect();
        for key in deleted {
            fields.remove(key);
        }
        let values = UniqueValue::all_of(&customer, definitions);
        let holders = &facts.custom_fields.holders;
        if let Some((key, existing)) = values.iter().find_map(|value| Some((value.key, *holders.get(value)?))) {
            return Err(PrivacyError::ValueTaken { key, existing });
        }
        customer.customer.version = customer.customer.version.next();
        let place = (customer.customer.id, customer.customer.version);
        let mark = CustomerMark::new(ids.next_id(), CustomerEventKind::Unsuppressed, place, at, scope);
        let mut request = Self { state: DeletionState::Cancelled, ended_at: Some(at), ..self };
        request.audit.advance(at, &scope.actor);
        Ok(Some(Box::new(Cancellation { request, customer, mark })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        customer::{HoldReason, NewLegalHold},
        privacy::Cooldown,
        tenancy::Actor,
        testkit::{a_customer, a_deletion_of, a_scope, a_time, an_id},
    };

    fn facts(customer: Option<CustomerAggregate>) -> DeletionFacts {
        DeletionFacts { customer, earlier: None, subject: SubjectTag::from_bytes([7; 32]), importing: false }
    }

    fn suppressed(customer: &CustomerAggregate) -> Suppression {
        let decided = a_deletion_of(customer.customer.id).decide(&a_scope(), facts(Some(customer.clone()))).unwrap();
        let DeletionDecision::New(suppression) = decided else { panic!("it is new") };
        *suppression
    }

    #[test]
    fn a_cancelled_customer_differs_in_its_version_only() {
        let acme = a_customer("acme").named("Ada").linked("stripe", "cus_1").existing();
        let Suppression { request, customer, mark, .. } = suppressed(&acme);
        assert_eq!(request.due_at, Cooldown::default().end(a_time()));
        assert_eq!(mark.kind, CustomerEventKind::Suppressed);
        let facts = CancelFacts { customer: Some(customer), holder: None, custom_fields: CustomFieldFacts::default() };
        let ids = IdSequence::start(a_time(), [1; 10]);
        let cancelled = request.cancel(&a_scope(), facts, ids, a_time(), &Precondition::None).unwrap().unwrap();
        let mut wanted = acme;
        wanted.customer.version = wanted.customer.version.next().next();
        assert_eq!(cancelled.customer, wanted);
        let again = cancelled.request.cancel(
            &a_scope(),
            CancelFacts { customer: None, holder: None, custom_fields: CustomFieldFacts::default() },
            IdSequence::start(a_time(), [2; 10]),
            a_time(),
            &Precondition::None,
        );
        assert_eq!(again, Ok(None), "a second cancel changes nothing");
    }

    #[test]
    fn a_hold_in_force_blocks_and_one_that_has_ended_does_not() {
        for (until, blocked) in [(None, true), (Some(a_time()), false)] {
            let mut acme = a_customer("acme").existing();
            let new = NewLegalHold { reason: HoldReason::new("lawsuit").unwrap(), until };
            acme.customer.legal_hold = Some(new.placed(a_time(), &Actor::system()));
            let decided = a_deletion_of(acme.customer.id).decide(&a_scope(), facts(Some(acme)));
            assert_eq!(decided.is_err(), blocked);
            assert_eq!(decided.err(), blocked.then(|| PrivacyError::Blocked(vec![Blocking::LegalHold])));
        }
    }

    #[test]
    fn a_request_that_begun_or_whose_external_id_is_taken_cannot_be_cancelled() {
        let acme = a_customer("acme").existing();
        let Suppression { request, customer, .. } = suppressed(&acme);
        let cancel = |request: DeletionRequest, holder| {
            let facts =
                CancelFacts { customer: Some(customer.clone()), holder, custom_fields: CustomFieldFacts::default() };
            request.cancel(&a_scope(), facts, IdSequence::start(a_time(), [1; 10]), a_time(), &Precondition::None)
        };
        let taken = cancel(request.clone(), Some(an_id(9)));
        assert_eq!(taken, Err(PrivacyError::ExternalIdTaken { existing: an_id(9) }));
        for state in [DeletionState::Redacting, DeletionState::Completed, DeletionState::Failed] {
            let request = DeletionRequest { state, ..request.clone() };
            assert_eq!(cancel(request, None), Err(PrivacyError::Begun));
        }
    }

    #[test]
    fn a_repeated_request_gets_the_first_and_a_cancelled_one_does_not_count() {
        let acme = a_customer("acme").existing();
        let first = suppressed(&acme).request;
        let ask = |earlier| {
            let facts =
                DeletionFacts { customer: None, earlier, subject: SubjectTag::from_bytes([7; 32]), importing: false };
            a_deletion_of(acme.customer.id).decide(&a_scope(), facts)
        };
        assert_eq!(ask(Some(first.clone())), Ok(DeletionDecision::Repeated(Box::new(first.clone()))));
        let cancelled = DeletionRequest { state: DeletionState::Cancelled, ..first };
        assert_eq!(ask(Some(cancelled)), Err(PrivacyError::UnknownCustomer));
        assert_eq!(ask(None), Err(PrivacyError::UnknownCustomer));
    }
}
