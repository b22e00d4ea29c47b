//! What happened to a customer aggregate.

use super::EventType;
use crate::{
    customer::CustomerAggregate,
    ids::{EventId, MappingId, TaxAssociationId},
    lifecycle::Version,
    onboarding::Onboarding,
    tenancy::{Actor, RequestId},
    time::Timestamp,
    words::words,
};

/// One change of a customer aggregate, with its state as of that change.
///
/// It is part of the commit that makes the change, and never altered afterwards.
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
    /// Its id.
    pub id: EventId,
    /// What happened.
    pub kind: CustomerEventKind,
    /// The aggregate's version after the change. Without gaps: the first is 1.
    pub sequence: Version,
    /// When it happened.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// The request it was done in.
    pub request_id: Option<RequestId>,
    /// The aggregate after the change, frozen.
    pub state: CustomerAggregate,
}

impl CustomerEvent {
    /// The event of a change that left the aggregate in this state: its version numbers the event.
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

/// What happened to a customer.
///
/// ```
/// use patron_domain::event::CustomerEventKind;
///
/// assert_eq!(CustomerEventKind::Deleted.event_type().as_str(), "customer.deleted");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CustomerEventKind {
    /// It was created, with everything its request named.
    Created {
        /// What the request said about onboarding.
        onboarding: Onboarding,
    },
    /// What is known of it was changed.
    Updated {
        /// The fields that have another value than before, in the order of [`CustomerField::ALL`].
        changed: Vec<CustomerField>,
    },
    /// It was archived, with its mappings and tax associations.
    Deleted,
    /// It was brought back, with the mappings and tax associations that were archived with it.
    Restored,
    /// It was linked to another system, or the link changed.
    IntegrationLinked {
        /// The mapping.
        mapping_id: MappingId,
    },
    /// A link to another system was taken away.
    IntegrationUnlinked {
        /// The mapping, which the frozen state does not hold any more.
        mapping_id: MappingId,
    },
    /// A tax rate was associated with it.
    TaxAssociated {
        /// The association.
        association_id: TaxAssociationId,
    },
    /// The terms of a tax association were changed.
    TaxAssociationUpdated {
        /// The association.
        association_id: TaxAssociationId,
    },
    /// A tax association was taken away.
    TaxDissociated {
        /// The association, which the frozen state does not hold any more.
        association_id: TaxAssociationId,
    },
    /// Every step of its onboarding was taken.
    OnboardingCompleted,
    /// A step of its onboarding failed to the end, and needs a person.
    OnboardingFailed,
}

impl CustomerEventKind {
    /// `customer.created` and so on: the type on the wire and in stores.
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
        }
    }
}

/// A part of a customer that an update can change, by its name on the wire.
///
/// ```
/// use patron_domain::event::CustomerField;
///
/// assert_eq!(CustomerField::AddressCity.as_str(), "address_city");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is named as the field it stands for")]
#[non_exhaustive]
pub enum CustomerField {
    ExternalId,
    Name,
    Email,
    Contact,
    AddressLine1,
    AddressLine2,
    AddressCity,
    AddressState,
    AddressPostalCode,
    AddressCountry,
    Timezone,
    Metadata,
    Integrations,
}

words!(
    CustomerField,
    "the fields of a customer",
    ExternalId => "external_id",
    Name => "name",
    Email => "email",
    Contact => "contact",
    AddressLine1 => "address_line1",
    AddressLine2 => "address_line2",
    AddressCity => "address_city",
    AddressState => "address_state",
    AddressPostalCode => "address_postal_code",
    AddressCountry => "address_country",
    Timezone => "timezone",
    Metadata => "metadata",
    Integrations => "integrations",
);
