//! Events of customers.

use super::{EventEntity, EventKind, EventPosition, EventRecord, EventType};
use crate::{
    customer::CustomerAggregate,
    ids::{CustomerId, EventId, MappingId, TaxAssociationId},
    lifecycle::{Owner, Version},
    onboarding::Onboarding,
    tenancy::{Actor, EnvironmentScope, RequestId},
    time::Timestamp,
    words::words,
};

/// One change of a customer aggregate, with the state after the change.
///
/// It is committed together with the change and is never altered.
///
/// ```
/// use patron_domain::{
///     customer::CustomerFacts,
///     event::CustomerEvent,
///     ids::IdSequence,
///     lifecycle::Version,
///     testkit::{a_customer, a_scope, a_time},
/// };
///
/// let command = a_customer("acme").command(IdSequence::start(a_time(), [0; 10]), a_time());
/// let event: CustomerEvent = command.decide(&a_scope(), &CustomerFacts::default()).unwrap().event;
/// assert_eq!((event.kind.event_type().as_str(), event.sequence), ("customer.created", Version::FIRST));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CustomerEvent {
    /// The id.
    pub id: EventId,
    /// The kind of change.
    pub kind: CustomerEventKind,
    /// The aggregate's version after the change. Versions have no gaps and begin with 1.
    pub sequence: Version,
    /// The time of the change.
    pub at: Timestamp,
    /// The actor.
    pub actor: Actor,
    /// The request.
    pub request_id: Option<RequestId>,
    /// The aggregate's state after the change.
    pub state: CustomerAggregate,
}

impl CustomerEvent {
    /// The event of a change that led to this state; the state's version numbers the event.
    ///
    /// ```
    /// use patron_domain::{event::{CustomerEvent, CustomerEventKind}, testkit::{a_customer, a_scope, a_time, an_id}};
    ///
    /// let (state, by) = (a_customer("acme").existing(), a_scope().actor);
    /// let event = CustomerEvent::new(an_id(1), CustomerEventKind::Deleted, state, a_time(), by, None);
    /// assert_eq!(event.sequence, event.state.customer.version);
    /// ```
    #[must_use]
    pub fn new(
        id: EventId,
        kind: CustomerEventKind,
        state: CustomerAggregate,
        at: Timestamp,
        actor: Actor,
        request_id: Option<RequestId>,
    ) -> Self {
        Self { id, kind, sequence: state.customer.version, at, actor, request_id, state }
    }
}

/// An event of a customer without its state: it was suppressed, unsuppressed or erased.
///
/// ```
/// use patron_domain::{
///     event::{CustomerEventKind, CustomerMark, EventPosition},
///     lifecycle::Version,
///     testkit::{a_scope, a_time, an_id},
/// };
///
/// let kind = CustomerEventKind::Erased;
/// let mark = CustomerMark::new(an_id(1), kind, (an_id(2), Version::FIRST.next()), a_time(), &a_scope());
/// assert_eq!(mark.record(EventPosition::START).state, None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CustomerMark {
    /// The id.
    pub id: EventId,
    /// The kind of event.
    pub kind: CustomerEventKind,
    /// The tenant and environment.
    pub owner: Owner,
    /// The customer.
    pub customer_id: CustomerId,
    /// The customer's version.
    pub sequence: Version,
    /// The time.
    pub at: Timestamp,
    /// The actor.
    pub actor: Actor,
    /// The request.
    pub request_id: Option<RequestId>,
}

impl CustomerMark {
    /// An event of a customer at a version.
    #[must_use]
    pub fn new(
        id: EventId,
        kind: CustomerEventKind,
        (customer_id, sequence): (CustomerId, Version),
        at: Timestamp,
        scope: &EnvironmentScope,
    ) -> Self {
        let (owner, actor) = (scope.owner, scope.actor.clone());
        Self { id, kind, owner, customer_id, sequence, at, actor, request_id: scope.origin.request_id().cloned() }
    }

    /// The event at a position of the log.
    #[must_use]
    pub fn record(self, position: EventPosition) -> EventRecord {
        let Self { id, kind, owner, customer_id, sequence, at, actor, request_id } = self;
        EventRecord {
            position,
            id,
            owner,
            entity: EventEntity::Customer(customer_id),
            kind: EventKind::Customer(kind),
            sequence,
            at,
            actor,
            request_id,
            state: None,
            withheld: false,
        }
    }
}

/// The kind of change of a customer.
///
/// ```
/// use patron_domain::event::CustomerEventKind;
///
/// assert_eq!(CustomerEventKind::Deleted.event_type().as_str(), "customer.deleted");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CustomerEventKind {
    /// It was created, with everything in its request.
    Created {
        /// The onboarding part of the request.
        onboarding: Onboarding,
    },
    /// Its fields were updated.
    Updated {
        /// The fields whose values changed, in the order of [`CustomerField::ALL`].
        changed: Vec<CustomerField>,
    },
    /// It was archived, with its mappings and tax associations.
    Deleted,
    /// It was restored, with the mappings and tax associations that were archived with it.
    Restored,
    /// It was linked to another system, or the link was updated.
    IntegrationLinked {
        /// The mapping.
        mapping_id: MappingId,
    },
    /// A link to another system was removed.
    IntegrationUnlinked {
        /// The mapping, which the state no longer contains.
        mapping_id: MappingId,
    },
    /// A tax rate was associated with it.
    TaxAssociated {
        /// The association.
        association_id: TaxAssociationId,
    },
    /// The terms of a tax association were updated.
    TaxAssociationUpdated {
        /// The association.
        association_id: TaxAssociationId,
    },
    /// A tax association was removed.
    TaxDissociated {
        /// The association, which the state no longer contains.
        association_id: TaxAssociationId,
    },
    /// Every step of its onboarding succeeded.
    OnboardingCompleted,
    /// A step of its onboarding failed for good; a person must decide.
    OnboardingFailed,
    /// It was suppressed, because its erasure was requested: see [`crate::privacy`]. Without a state.
    Suppressed,
    /// The request for its erasure was cancelled. Without a state.
    Unsuppressed,
    /// Its personal data was erased. The last event; without a state.
    Erased,
    /// A legal hold was placed on it, or its terms were changed.
    LegalHoldPlaced,
    /// The legal hold was removed.
    LegalHoldRemoved,
}

impl CustomerEventKind {
    /// The type on the wire and in stores, such as `customer.created`.
    #[must_use]
    pub fn event_type(&self) -> EventType {
        match self {
            Self::Created { .. } => EventType::CustomerCreated,
            Self::Updated { .. } => EventType::CustomerUpdated,
            Self::Deleted => EventType::CustomerDeleted,
            Self::Restored => EventType::CustomerRestored,
            Self::IntegrationLinked { .. } => EventType::CustomerIntegrationLinked,
            Self::IntegrationUnlinked { .. } => EventType::CustomerIntegrationUnlinked,
            Self::TaxAssociated { .. } => EventType::CustomerTaxAssociated,
            Self::TaxAssociationUpdated { .. } => EventType::CustomerTaxAssociationUpdated,
            Self::TaxDissociated { .. } => EventType::CustomerTaxDissociated,
            Self::OnboardingCompleted => EventType::CustomerOnboardingCompleted,
            Self::OnboardingFailed => EventType::CustomerOnboardingFailed,
            Self::Suppressed => EventType::CustomerSuppressed,
            Self::Unsuppressed => EventType::CustomerUnsuppressed,
            Self::Erased => EventType::CustomerErased,
            Self::LegalHoldPlaced => EventType::CustomerLegalHoldPlaced,
            Self::LegalHoldRemoved => EventType::CustomerLegalHoldRemoved,
        }
    }
}

macro_rules! fields {
    ($($wire:ident: $type:ident, $variant:ident, [$($place:tt)+], $unset:ident, $says:literal;)+) => {
        /// A part of a customer that an update can change, by its name on the wire.
        ///
        /// ```
        /// use patron_domain::event::CustomerField;
        ///
        /// assert_eq!(CustomerField::AddressCity.as_str(), "address_city");
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "each has the name of its field")]
        #[non_exhaustive]
        pub enum CustomerField {
            ExternalId,
            $($variant,)+
            Metadata,
            ElectronicAddress,
            ShippingAddress,
            PreferredLocales,
            Tags,
            ContactPersons,
            TaxIds,
            TaxExemptions,
            CustomFields,
            Integrations,
        }

        words!(
            CustomerField,
            "the fields of a customer",
            ExternalId => "external_id",
            $($variant => stringify!($wire),)+
            Metadata => "metadata",
            ElectronicAddress => "electronic_address",
            ShippingAddress => "shipping_address",
            PreferredLocales => "preferred_locales",
            Tags => "tags",
            ContactPersons => "contact_persons",
            TaxIds => "tax_ids",
            TaxExemptions => "tax_exemptions",
            CustomFields => "custom_fields",
            Integrations => "integrations",
        );
    };
}

crate::customer_texts!(fields);
