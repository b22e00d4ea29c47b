//! One change of a customer aggregate: the command, and the decision about it.

use super::{
    ChangeCustomerError, CustomerAggregate, CustomerFacts, CustomerUpdate, ExternalId, InvalidOperation, NewCustomer,
    Subject, TaxFactsNeeded, WorkflowNeeded, amend, create,
};
use crate::{
    event::CustomerEvent,
    idempotency::IdempotencyClaim,
    ids::{CustomerId, IdSequence, TaxAssociationId, WorkflowId},
    integration::{NewLink, ProviderEntityId, ProviderType},
    lifecycle::{Status, Version},
    tax::{NewTaxAssociation, TaxAssociationUpdate},
    tenancy::{EnvironmentScope, RequestId},
    time::Timestamp,
};

/// The command for one change of a customer aggregate. It owns all it needs, because it may outlive its caller.
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
    /// What is asked.
    pub change: CustomerChange,
    /// At which version the customer has to be.
    pub only_if: Precondition,
    /// The ids, the time and the request it is done with.
    pub stamp: Stamp,
    /// The client's key, if it sent one.
    pub claim: Option<IdempotencyClaim>,
}

/// What is asked of a customer aggregate.
///
/// ```
/// use patron_domain::{customer::CustomerChange, testkit::a_customer};
///
/// let new = a_customer("acme").build();
/// assert_eq!(CustomerChange::Create(new.clone()), CustomerChange::Create(new));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "most changes are creates, and none of them is to cost a box")]
pub enum CustomerChange {
    /// Make one.
    Create(NewCustomer),
    /// Change the published one with the external id, or make it if there is none.
    CreateOrUpdate {
        /// What it is made of.
        new: Box<NewCustomer>,
        /// How it is changed.
        update: Box<CustomerUpdate>,
    },
    /// Change one that exists.
    Amend(CustomerId, Amendment),
}

/// What is asked of a customer that exists.
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
    /// Change what is known of it.
    Update(Box<CustomerUpdate>),
    /// Archive it, with its mappings and tax associations.
    Archive,
    /// Bring it back, with the mappings and tax associations that were archived with it.
    Restore,
    /// Link it to another system; an existing link to that system is changed.
    Link(NewLink),
    /// Take a link away.
    Unlink {
        /// The other system.
        provider_type: ProviderType,
        /// The id there, if it has to be this one.
        provider_entity_id: Option<ProviderEntityId>,
    },
    /// Associate a tax rate.
    Associate(Box<NewTaxAssociation>),
    /// Change the terms of a tax association.
    UpdateAssociation(TaxAssociationId, TaxAssociationUpdate),
    /// Take a tax association away.
    Dissociate(TaxAssociationId),
    /// Write down that its onboarding has ended; for the engine alone.
    EndOnboarding {
        /// Whether every step was taken.
        succeeded: bool,
    },
}

/// At which version a customer has to be for a change. Over HTTP this is RFC 9110, section 13.1.1.
///
/// ```
/// use patron_domain::{
///     customer::{Amendment, ChangeCustomer, CustomerChange, Precondition, Stamp},
///     ids::IdSequence,
///     lifecycle::Version,
///     testkit::{a_time, an_id},
/// };
///
/// let stamp = Stamp { ids: IdSequence::start(a_time(), [0; 10]), at: a_time(), request_id: None };
/// let archive = ChangeCustomer::new(CustomerChange::Amend(an_id(1), Amendment::Archive), stamp);
/// let only_first = ChangeCustomer { only_if: Precondition::OneOf(vec![Version::FIRST]), ..archive };
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Precondition {
    /// Any, or none at all: the last writer wins.
    #[default]
    None,
    /// Any version, but the customer has to exist (`*`).
    Exists,
    /// One of these.
    OneOf(Vec<Version>),
}

impl Precondition {
    fn check(&self, current: Option<Version>) -> Result<(), ChangeCustomerError> {
        let holds = match self {
            Self::None => true,
            Self::Exists => current.is_some(),
            Self::OneOf(versions) => current.is_some_and(|current| versions.contains(&current)),
        };
        if holds { Ok(()) } else { Err(ChangeCustomerError::VersionConflict { current }) }
    }
}

/// With what a change is done.
///
/// ```
/// use patron_domain::{customer::Stamp, ids::IdGenerator, testkit::{CountingIds, a_time}};
///
/// let stamp = Stamp { ids: CountingIds::default().start(a_time()), at: a_time(), request_id: None };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// The ids to use.
    pub ids: IdSequence,
    /// The time.
    pub at: Timestamp,
    /// The request.
    pub request_id: Option<RequestId>,
}

/// What a decision stands on.
pub(super) struct DecisionContext<'a> {
    pub(super) scope: &'a EnvironmentScope,
    pub(super) at: Timestamp,
    pub(super) ids: IdSequence,
    pub(super) request_id: Option<RequestId>,
    pub(super) facts: &'a CustomerFacts,
}

/// What was decided about a change: what to write.
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
    /// The event, with the whole new state of the aggregate.
    pub event: CustomerEvent,
    /// The version of the workflow whose run begins with a new customer.
    pub onboarding: Option<WorkflowId>,
}

/// What became of a change.
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
pub struct CustomerChanged {
    /// The event, with the whole new state of the aggregate.
    pub event: CustomerEvent,
    /// Whether nothing was done now, because it had been done before under the same idempotency key.
    pub replayed: bool,
}

impl ChangeCustomer {
    /// A change without a precondition and without an idempotency key.
    #[must_use]
    pub fn new(change: CustomerChange, stamp: Stamp) -> Self {
        Self { change, only_if: Precondition::None, stamp, claim: None }
    }

    /// The customer that has to be looked up, and locked, before [`Self::decide`].
    #[must_use]
    pub fn subject(&self) -> Subject<'_> {
        match &self.change {
            CustomerChange::Create(_) => Subject::New,
            CustomerChange::CreateOrUpdate { new, .. } => Subject::ExternalId(&new.external_id),
            CustomerChange::Amend(id, _) => Subject::Id(*id),
        }
    }

    /// What has to be looked up about taxes.
    #[must_use]
    pub fn tax_facts_needed(&self) -> TaxFactsNeeded<'_> {
        match &self.change {
            CustomerChange::Create(new) => new.taxes.facts_needed(),
            CustomerChange::CreateOrUpdate { new, .. } => new.taxes.facts_needed(),
            CustomerChange::Amend(_, Amendment::Associate(new)) => TaxFactsNeeded::Rates(vec![&new.code]),
            CustomerChange::Amend(..) => TaxFactsNeeded::Nothing,
        }
    }

    /// Which onboarding workflow has to be looked up.
    #[must_use]
    pub fn workflow_needed(&self) -> WorkflowNeeded<'_> {
        match &self.change {
            CustomerChange::Create(new) => WorkflowNeeded::of(&new.onboarding),
            CustomerChange::CreateOrUpdate { new, .. } => WorkflowNeeded::of(&new.onboarding),
            CustomerChange::Amend(..) => WorkflowNeeded::None,
        }
    }

    /// Whether an existing customer with the external id of a new one is a refusal, rather than the customer to change.
    #[must_use]
    pub fn refuses_existing(&self) -> bool {
        !matches!(self.change, CustomerChange::CreateOrUpdate { .. })
    }

    /// The external id that the customer would newly have among the published ones: of one that is created, renamed or
    /// restored. Another customer that has it has to be looked up too, and becomes [`CustomerFacts::holder`].
    #[must_use]
    pub fn wanted_external_id<'a>(&'a self, current: Option<&'a CustomerAggregate>) -> Option<&'a ExternalId> {
        let current = current.map(|current| &current.customer);
        match (&self.change, current) {
            (CustomerChange::Create(new), _) => Some(&new.external_id),
            (CustomerChange::CreateOrUpdate { new, .. }, None) => Some(&new.external_id),
            (CustomerChange::CreateOrUpdate { update, .. }, Some(current))
            | (CustomerChange::Amend(_, Amendment::Update(update)), Some(current)) => {
                update.external_id.as_ref().filter(|wanted| **wanted != current.external_id)
            }
            (CustomerChange::Amend(_, Amendment::Restore), Some(current)) if current.status == Status::Archived => {
                Some(&current.external_id)
            }
            (CustomerChange::Amend(..), _) => None,
        }
    }

    /// Decides about the change: facts in, event with the whole new state or refusal out. Pure.
    ///
    /// Whether an external id is free is decided by the store's unique index in the end: [`CustomerFacts::holder`] tells
    /// who has it as far as could be seen, and the index decides between changes at the same time.
    ///
    /// # Errors
    /// [`ChangeCustomerError`], in the order in which its variants stand.
    pub fn decide(
        self,
        scope: &EnvironmentScope,
        facts: &CustomerFacts,
    ) -> Result<CustomerDecision, ChangeCustomerError> {
        let Stamp { ids, at, request_id } = self.stamp;
        let context = DecisionContext { scope, at, ids, request_id, facts };
        match self.change {
            CustomerChange::Create(new) => {
                let decision = create::create(context, new)?;
                self.only_if.check(None)?;
                Ok(decision)
            }
            CustomerChange::CreateOrUpdate { new, update } => match &facts.current {
                Some(current) => amend::amend(context, current, Amendment::Update(update), &self.only_if),
                None => {
                    let decision = create::create(context, *new)?;
                    self.only_if.check(None)?;
                    Ok(decision)
                }
            },
            CustomerChange::Amend(_, amendment) => {
                let current = facts.current.as_ref().ok_or(ChangeCustomerError::UnknownCustomer)?;
                amend::amend(context, current, amendment, &self.only_if)
            }
        }
    }
}

impl Amendment {
    /// Whether a customer with this status can be changed so.
    pub(super) fn permitted(&self, status: Status) -> Result<(), ChangeCustomerError> {
        match (self, status == Status::Published) {
            // Whatever became of the customer meanwhile, this happened.
            (Self::EndOnboarding { .. }, _) => Ok(()),
            // Archiving twice is asking for what is not there any more.
            (Self::Archive, false) => Err(ChangeCustomerError::UnknownCustomer),
            (Self::Restore, true) => Err(InvalidOperation::NotArchived.into()),
            (Self::Restore, false) | (_, true) => Ok(()),
            (_, false) => Err(InvalidOperation::Archived.into()),
        }
    }
}

impl DecisionContext<'_> {
    /// Refuses the external id that a customer would newly have, if somebody else has it.
    pub(super) fn external_id_is_free_for(&self, id: CustomerId) -> Result<(), ChangeCustomerError> {
        match self.facts.holder {
            Some(holder) if holder != id => Err(ChangeCustomerError::ExternalIdTaken { existing: holder }),
            _ => Ok(()),
        }
    }
}

impl Precondition {
    /// The check, for [`amend`].
    pub(super) fn met(&self, current: Version) -> Result<(), ChangeCustomerError> {
        self.check(Some(current))
    }
}
