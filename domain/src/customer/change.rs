//! One change of a customer aggregate: the command and its decision.

mod context;
mod needs;

pub(super) use context::DecisionContext;

use super::{
    ChangeCustomerError, CustomerFacts, CustomerUpdate, ExternalId, InvalidOperation, NewCustomer, NewLegalHold, amend,
    create,
};
use crate::{
    custom_field::CustomFieldKey,
    event::CustomerEvent,
    idempotency::IdempotencyClaim,
    ids::{CustomerId, IdSequence, TaxAssociationId, WorkflowId},
    integration::{NewLink, ProviderEntityId, ProviderType},
    lifecycle::{Precondition, Status, Version},
    tax::{NewTaxAssociation, TaxAssociationUpdate},
    tenancy::{EnvironmentScope, Quota, Quoted, RequestId},
    time::Timestamp,
};

/// The command for one change of a customer aggregate. It owns its data, because it may outlive the caller.
///
/// ```
/// use patron_domain::{
///     customer::{ChangeCustomer, CustomerChange, CustomerFacts, Stamp},
///     ids::IdSequence,
///     testkit::{a_customer, a_scope, a_time},
/// };
///
/// let ids = IdSequence::start(a_time(), [0; 10]);
/// let stamp = Stamp { ids, at: a_time(), request_id: None };
/// let create = ChangeCustomer::new(CustomerChange::Create(a_customer("acme").build()), stamp);
/// let decision = create.decide(&a_scope(), &CustomerFacts::default()).unwrap();
/// assert_eq!(decision.event.state.customer.external_id.as_str(), "acme");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeCustomer {
    /// The requested change.
    pub change: CustomerChange,
    /// The version that the customer must have.
    pub only_if: Precondition,
    /// The version that the tax association must have, in a change of one: see [`Audit::version`](crate::lifecycle::Audit::version).
    pub only_if_association: Precondition,
    /// The ids, time and request of the change.
    pub stamp: Stamp,
    /// The most published customers of the environment.
    pub quota: Quota,
    /// The client's idempotency key, if it sent one.
    pub claim: Option<IdempotencyClaim>,
}

/// A requested change of a customer aggregate.
///
/// ```
/// use patron_domain::{customer::CustomerChange, testkit::a_customer};
///
/// let new = a_customer("acme").build();
/// assert_eq!(CustomerChange::Create(new.clone()), CustomerChange::Create(new));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "most changes are creates, which should not need a box")]
pub enum CustomerChange {
    /// Create a customer.
    Create(NewCustomer),
    /// Update the published customer with the external id, or create it.
    CreateOrUpdate {
        /// The customer to create.
        new: Box<NewCustomer>,
        /// The update of an existing one.
        update: Box<CustomerUpdate>,
    },
    /// Change an existing customer.
    Amend(CustomerId, Amendment),
    /// Change the published customer with the external id.
    AmendNamed(ExternalId, Amendment),
}

/// A requested change of an existing customer.
///
/// ```
/// use patron_domain::{customer::{Amendment, CustomerChange}, integration::ProviderType, testkit::an_id};
///
/// let archive = CustomerChange::Amend(an_id(1), Amendment::Archive);
/// let unlink = Amendment::Unlink { provider_type: ProviderType::new("stripe").unwrap(), provider_entity_id: None };
/// assert_ne!(archive, CustomerChange::Amend(an_id(1), unlink));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Amendment {
    /// Update its fields.
    Update(Box<CustomerUpdate>),
    /// Archive it, with its mappings and tax associations.
    Archive,
    /// Restore it, with the mappings and tax associations that were archived with it.
    Restore,
    /// Link it to another system. An existing link to that system is updated.
    Link(NewLink),
    /// Remove a link.
    Unlink {
        /// The other system.
        provider_type: ProviderType,
        /// The id in the other system; the link is removed only if this matches.
        provider_entity_id: Option<ProviderEntityId>,
    },
    /// Associate a tax rate.
    Associate(Box<NewTaxAssociation>),
    /// Update a tax association's terms.
    UpdateAssociation(TaxAssociationId, TaxAssociationUpdate),
    /// Remove a tax association.
    Dissociate(TaxAssociationId),
    /// Remove the value of a custom field that is being deleted. Only its deletion does this.
    RemoveCustomField(CustomFieldKey),
    /// Place a legal hold on it, or change the hold's terms.
    PlaceHold(NewLegalHold),
    /// Remove the legal hold.
    RemoveHold,
    /// Record that its onboarding has ended. Only the onboarding engine does this.
    EndOnboarding {
        /// Whether every step succeeded.
        succeeded: bool,
    },
}

/// A name of a customer: its id, or its external id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Name<'a> {
    Id(CustomerId),
    ExternalId(&'a ExternalId),
}

/// The ids, time and request of a change.
///
/// ```
/// use patron_domain::{customer::Stamp, ids::IdGenerator, testkit::{CountingIds, a_time}};
///
/// let stamp = Stamp { ids: CountingIds::default().start(a_time()), at: a_time(), request_id: None };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// The ids for new objects.
    pub ids: IdSequence,
    /// The time.
    pub at: Timestamp,
    /// The request.
    pub request_id: Option<RequestId>,
}

/// The result of a decision: what the store writes.
///
/// ```
/// use patron_domain::{
///     customer::{CustomerDecision, CustomerFacts},
///     ids::IdSequence,
///     testkit::{a_customer, a_scope, a_time},
/// };
///
/// let command = a_customer("acme").command(IdSequence::start(a_time(), [0; 10]), a_time());
/// let decision: CustomerDecision = command.decide(&a_scope(), &CustomerFacts::default()).unwrap();
/// assert_eq!(decision.onboarding, None);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CustomerDecision {
    /// The event, with the aggregate's whole new state.
    pub event: CustomerEvent,
    /// The workflow version that a new customer's run starts with.
    pub onboarding: Option<WorkflowId>,
}

impl CustomerDecision {
    /// Whether the customer changes. If not, the event is not written: its state is the current one, and its version too.
    #[must_use]
    pub fn is_change(&self, facts: &CustomerFacts) -> bool {
        facts.current.as_ref().is_none_or(|current| current.customer.version < self.event.sequence)
    }
}

/// The result of a change.
///
/// ```
/// use patron_domain::{
///     customer::{CustomerChanged, CustomerRepository},
///     ids::IdSequence,
///     testkit::{MemoryStore, a_customer, a_scope, a_time},
/// };
///
/// let store = MemoryStore::default();
/// let command = a_customer("acme").command(IdSequence::start(a_time(), [0; 10]), a_time());
/// let changed: CustomerChanged = futures::executor::block_on(store.change(&a_scope(), command)).unwrap();
/// assert!(!changed.replayed);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CustomerChanged {
    /// The event, with the aggregate's whole new state. If nothing changed, no event was written, and only the state counts.
    pub event: CustomerEvent,
    /// Whether this is the stored result of an earlier request with the same idempotency key, so nothing was changed
    /// now.
    pub replayed: bool,
}

impl CustomerChange {
    /// The names of the customer before and after the change. Changes that share one may concern the same customer.
    pub(super) fn names(&self) -> Vec<Name<'_>> {
        fn renamed(amendment: &Amendment) -> Option<Name<'_>> {
            let Amendment::Update(update) = amendment else { return None };
            update.external_id.as_ref().map(Name::ExternalId)
        }
        match self {
            Self::Create(new) => vec![Name::ExternalId(&new.external_id)],
            Self::CreateOrUpdate { new, .. } => vec![Name::ExternalId(&new.external_id)],
            Self::Amend(id, amendment) => [Some(Name::Id(*id)), renamed(amendment)].into_iter().flatten().collect(),
            Self::AmendNamed(external_id, amendment) => {
                [Some(Name::ExternalId(external_id)), renamed(amendment)].into_iter().flatten().collect()
            }
        }
    }
}

impl ChangeCustomer {
    /// A change without a precondition, a quota or an idempotency key.
    #[must_use]
    pub fn new(change: CustomerChange, stamp: Stamp) -> Self {
        let (only_if, only_if_association) = (Precondition::None, Precondition::None);
        Self { change, only_if, only_if_association, stamp, quota: Quota::UNLIMITED, claim: None }
    }

    /// Decides the change. A pure function: it takes facts, and returns the event with the whole new state or a
    /// refusal.
    ///
    /// [`CustomerFacts::holder`] is the other customer with the external id that the look-up found. Between concurrent
    /// changes the store's unique index decides whether the external id is free.
    ///
    /// # Errors
    /// [`ChangeCustomerError`]. If several apply, the variant that is listed first.
    pub fn decide(
        self,
        scope: &EnvironmentScope,
        facts: &CustomerFacts,
    ) -> Result<CustomerDecision, ChangeCustomerError> {
        let publishes = match (&self.change, &facts.current) {
            (CustomerChange::Create(_), _) | (CustomerChange::CreateOrUpdate { .. }, None) => true,
            (CustomerChange::Amend(_, Amendment::Restore), Some(current)) => {
                current.customer.status == Status::Archived
            }
            _ => false,
        };
        if publishes {
            self.quota.admit(Quoted::Customers, facts.published)?;
        }
        let Stamp { ids, at, request_id } = self.stamp;
        let context =
            DecisionContext { scope, at, ids, request_id, facts, only_if_association: self.only_if_association };
        match self.change {
            CustomerChange::Create(new) => {
                let decision = create::create(context, new)?;
                only_if(&self.only_if, None)?;
                Ok(decision)
            }
            CustomerChange::CreateOrUpdate { new, update } => match &facts.current {
                Some(current) => amend::amend(context, current, Amendment::Update(update), &self.only_if),
                None => {
                    let decision = create::create(context, *new)?;
                    only_if(&self.only_if, None)?;
                    Ok(decision)
                }
            },
            CustomerChange::Amend(_, amendment) | CustomerChange::AmendNamed(_, amendment) => {
                let current = facts.current.as_ref().ok_or(ChangeCustomerError::UnknownCustomer)?;
                amend::amend(context, current, amendment, &self.only_if)
            }
        }
    }
}

/// Checks the precondition of a change.
pub(super) fn only_if(only_if: &Precondition, current: Option<Version>) -> Result<(), ChangeCustomerError> {
    if only_if.holds(current) { Ok(()) } else { Err(ChangeCustomerError::VersionConflict { current }) }
}

impl Amendment {
    /// Whether the change may add to the customer. A customer beyond its limits can still be archived, or become smaller.
    pub(super) fn may_grow(&self) -> bool {
        match self {
            Self::Update(_) | Self::Link(_) | Self::Associate(_) | Self::UpdateAssociation(..) => true,
            Self::Archive
            | Self::Restore
            | Self::Unlink { .. }
            | Self::Dissociate(_)
            | Self::RemoveCustomField(_)
            | Self::PlaceHold(_)
            | Self::RemoveHold
            | Self::EndOnboarding { .. } => false,
        }
    }

    /// Whether a customer with this status may be changed like this.
    pub(super) fn permitted(&self, status: Status) -> Result<(), ChangeCustomerError> {
        match (self, status == Status::Published) {
            // The end of the onboarding, holds, and the deletion of a field also concern customers that are not published.
            (Self::EndOnboarding { .. } | Self::PlaceHold(_) | Self::RemoveHold | Self::RemoveCustomField(_), _) => {
                Ok(())
            }
            // An archived customer cannot be archived again: for the client it no longer exists.
            (Self::Archive, false) => Err(ChangeCustomerError::UnknownCustomer),
            // Its links were archived with it, so none can be removed.
            (Self::Unlink { .. }, false) => Err(ChangeCustomerError::UnknownMapping),
            (Self::Restore, true) => Err(InvalidOperation::NotArchived.into()),
            (Self::Restore, false) | (_, true) => Ok(()),
            (_, false) => Err(InvalidOperation::Archived.into()),
        }
    }
}
