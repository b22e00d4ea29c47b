//! One change of a customer aggregate: the command and its decision.

use super::{
    ChangeCustomerError, CustomerAggregate, CustomerFacts, CustomerUpdate, ExternalId, InvalidOperation, NewCustomer,
    NewLegalHold, Subject, TaxFactsNeeded, WorkflowNeeded, amend, create,
};
use crate::{
    custom_field::{
        self, CustomFieldDefinition, CustomFieldKey, CustomFields, CustomFieldsChange, CustomFieldsNeeded, UniqueValue,
    },
    event::CustomerEvent,
    idempotency::IdempotencyClaim,
    ids::{CustomerId, IdSequence, TaxAssociationId, WorkflowId},
    integration::{NewLink, ProviderEntityId, ProviderType},
    lifecycle::{Precondition, Status, Version},
    tax::{NewTaxAssociation, TaxAssociationUpdate, TaxRateCode},
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

/// The input of a decision.
pub(super) struct DecisionContext<'a> {
    pub(super) scope: &'a EnvironmentScope,
    pub(super) at: Timestamp,
    pub(super) ids: IdSequence,
    pub(super) request_id: Option<RequestId>,
    pub(super) facts: &'a CustomerFacts,
    pub(super) only_if_association: Precondition,
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

impl ChangeCustomer {
    /// A change without a precondition, a quota or an idempotency key.
    #[must_use]
    pub fn new(change: CustomerChange, stamp: Stamp) -> Self {
        let (only_if, only_if_association) = (Precondition::None, Precondition::None);
        Self { change, only_if, only_if_association, stamp, quota: Quota::UNLIMITED, claim: None }
    }

    /// The customer that must be looked up and locked before [`Self::decide`].
    #[must_use]
    pub fn subject(&self) -> Subject<'_> {
        match &self.change {
            CustomerChange::Create(_) => Subject::New,
            CustomerChange::CreateOrUpdate { new, .. } => Subject::ExternalId(&new.external_id),
            CustomerChange::Amend(id, _) => Subject::Id(*id),
        }
    }

    /// The tax facts that must be looked up.
    #[must_use]
    pub fn tax_facts_needed(&self) -> TaxFactsNeeded<'_> {
        match &self.change {
            CustomerChange::Create(new) => new.tax_facts_needed(),
            CustomerChange::CreateOrUpdate { new, update } => {
                let mut needed = new.tax_facts_needed();
                needed.rates.extend(update.tax_exemptions.rate_codes().into_iter().map(|(_, code)| code));
                needed
            }
            CustomerChange::Amend(_, Amendment::Associate(new)) => TaxFactsNeeded::rates([&new.code]),
            CustomerChange::Amend(_, Amendment::Update(update)) => {
                TaxFactsNeeded::rates(update.tax_exemptions.rate_codes().into_iter().map(|(_, code)| code))
            }
            CustomerChange::Amend(..) => TaxFactsNeeded::default(),
        }
    }

    /// The onboarding workflow that must be looked up.
    #[must_use]
    pub fn workflow_needed(&self) -> WorkflowNeeded<'_> {
        match &self.change {
            CustomerChange::Create(new) => WorkflowNeeded::of(&new.onboarding),
            CustomerChange::CreateOrUpdate { new, .. } => WorkflowNeeded::of(&new.onboarding),
            CustomerChange::Amend(..) => WorkflowNeeded::None,
        }
    }

    /// The definitions of custom fields that must be looked up, as [`CustomFacts`](crate::custom_field::CustomFieldFacts).
    #[must_use]
    pub fn custom_fields_needed(&self) -> CustomFieldsNeeded {
        use CustomFieldsNeeded::{Locked, None, Read};
        let of_new = |new: &NewCustomer| if new.custom_fields.is_empty() { Read } else { Locked };
        let of_update = |update: &CustomerUpdate| {
            if update.custom_fields == CustomFieldsChange::Keep { None } else { Locked }
        };
        match &self.change {
            CustomerChange::Create(new) => of_new(new),
            CustomerChange::CreateOrUpdate { new, update } => of_new(new).max(of_update(update)),
            CustomerChange::Amend(_, Amendment::Update(update)) => of_update(update),
            // The values of archived customers are not unique.
            CustomerChange::Amend(_, Amendment::Archive | Amendment::Restore | Amendment::RemoveCustomField(_)) => {
                Locked
            }
            CustomerChange::Amend(..) => None,
        }
    }

    /// The unique values that this change would publish. The published customers that have them must be looked up too, as
    /// [`CustomFieldFacts::holders`](crate::custom_field::CustomFieldFacts::holders). Between concurrent changes the store's unique
    /// index decides whether a value is free.
    #[must_use]
    pub fn wanted_unique_values(
        &self,
        current: Option<&CustomerAggregate>,
        definitions: &[CustomFieldDefinition],
    ) -> Vec<UniqueValue> {
        let fields = current.map(|current| &current.customer.profile.custom_fields);
        let wanted = |fields: Option<&CustomFields>, change: &CustomFieldsChange| {
            custom_field::wanted(definitions, fields.unwrap_or(&CustomFields::default()), change)
        };
        let of_new = |new: &NewCustomer| wanted(None, &CustomFieldsChange::Replace(new.custom_fields.clone()));
        let all = match (&self.change, fields) {
            (CustomerChange::Create(new), _) => of_new(new),
            (CustomerChange::CreateOrUpdate { new, .. }, None) => of_new(new),
            (CustomerChange::CreateOrUpdate { update, .. }, Some(_))
            | (CustomerChange::Amend(_, Amendment::Update(update)), Some(_)) => wanted(fields, &update.custom_fields),
            (CustomerChange::Amend(_, Amendment::Restore), Some(fields)) => {
                UniqueValue::among(fields, definitions).collect()
            }
            (CustomerChange::Amend(..), _) => return Vec::new(),
        };
        all.into_iter().collect()
    }

    /// Whether the number of published customers must be looked up, as [`CustomerFacts::published`].
    #[must_use]
    pub fn count_needed(&self) -> bool {
        self.quota.is_limited()
            && matches!(
                self.change,
                CustomerChange::Create(_)
                    | CustomerChange::CreateOrUpdate { .. }
                    | CustomerChange::Amend(_, Amendment::Restore)
            )
    }

    /// Whether an existing customer with the new external id makes the change fail, instead of being updated.
    #[must_use]
    pub fn refuses_existing(&self) -> bool {
        !matches!(self.change, CustomerChange::CreateOrUpdate { .. })
    }

    /// The external id that this change would newly publish: that of a customer that is created, renamed or restored.
    /// Another customer with this external id must be looked up too, as [`CustomerFacts::holder`].
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

    /// The external ids that this change may claim, whatever the customer's state: see [`Self::claimed_external_id`].
    #[must_use]
    pub fn claimable_external_ids(&self) -> Vec<&ExternalId> {
        match &self.change {
            CustomerChange::Create(new) => vec![&new.external_id],
            CustomerChange::CreateOrUpdate { new, update } => {
                [Some(&new.external_id), update.external_id.as_ref()].into_iter().flatten().collect()
            }
            CustomerChange::Amend(_, Amendment::Update(update)) => update.external_id.iter().collect(),
            CustomerChange::Amend(..) => Vec::new(),
        }
    }

    /// The external id that this change would newly give to a customer. If it belonged to a customer that is suppressed or
    /// erased, [`CustomerFacts::erased`] says so. A restored customer had its external id before.
    #[must_use]
    pub fn claimed_external_id<'a>(&'a self, current: Option<&'a CustomerAggregate>) -> Option<&'a ExternalId> {
        match self.change {
            CustomerChange::Amend(_, Amendment::Restore) => None,
            _ => self.wanted_external_id(current),
        }
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
            CustomerChange::Amend(_, amendment) => {
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
            // The onboarding has ended, whatever happened to the customer in the meantime. A hold is about its data. Values
            // of a deleted field go from every customer.
            (Self::EndOnboarding { .. } | Self::PlaceHold(_) | Self::RemoveHold | Self::RemoveCustomField(_), _) => {
                Ok(())
            }
            // An archived customer cannot be archived again: for the client it no longer exists.
            (Self::Archive, false) => Err(ChangeCustomerError::UnknownCustomer),
            // Archiving has archived its links: there is none to take away.
            (Self::Unlink { .. }, false) => Err(ChangeCustomerError::UnknownMapping),
            (Self::Restore, true) => Err(InvalidOperation::NotArchived.into()),
            (Self::Restore, false) | (_, true) => Ok(()),
            (_, false) => Err(InvalidOperation::Archived.into()),
        }
    }
}

impl DecisionContext<'_> {
    /// Refuses codes that no published tax rate has, each with its path.
    pub(super) fn rates_are_known(&self, codes: Vec<(String, &TaxRateCode)>) -> Result<(), ChangeCustomerError> {
        let is_known = |code: &TaxRateCode| self.facts.taxes.rates.iter().any(|rate| rate.code == *code);
        let unknown: Vec<_> = codes.into_iter().filter(|(_, code)| !is_known(code)).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let unknown = unknown.into_iter().map(|(path, code)| (path, code.clone()));
        Err(ChangeCustomerError::UnknownTaxRates(unknown.collect()))
    }

    /// Refuses a unique value that another published customer has.
    pub(super) fn unique_values_are_free_for(
        &self,
        id: CustomerId,
        fields: &CustomFields,
    ) -> Result<(), ChangeCustomerError> {
        let facts = &self.facts.custom_fields;
        let taken = UniqueValue::among(fields, &facts.definitions).find_map(|value| {
            let holder = *facts.holders.get(&value)?;
            (holder != id).then_some(ChangeCustomerError::CustomFieldTaken { key: value.key, existing: holder })
        });
        taken.map_or(Ok(()), Err)
    }

    /// Refuses a new external id that another customer has.
    pub(super) fn external_id_is_free_for(&self, id: CustomerId) -> Result<(), ChangeCustomerError> {
        match self.facts.holder {
            Some(holder) if holder != id => Err(ChangeCustomerError::ExternalIdTaken { existing: holder }),
            _ => Ok(()),
        }
    }

    /// Refuses a new external id that belonged to a customer that is suppressed or erased, unless the client confirms
    /// that this is another one.
    pub(super) fn subject_is_new(&self, confirmed: bool) -> Result<(), ChangeCustomerError> {
        if self.facts.erased && !confirmed { Err(ChangeCustomerError::ErasedSubject) } else { Ok(()) }
    }
}
