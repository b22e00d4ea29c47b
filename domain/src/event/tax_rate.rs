//! Events of tax rates.

use super::EventType;
use crate::{
    ids::{EventId, TaxRateChangeId},
    lifecycle::Version,
    tax::TaxRate,
    tenancy::{Actor, RequestId},
    time::Timestamp,
    words::words,
};

/// One change of a tax rate, with the state after the change.
///
/// It is committed together with the change and is never altered.
///
/// ```
/// use patron_domain::{
///     event::{TaxRateEvent, TaxRateEventKind},
///     lifecycle::Version,
///     testkit::{a_tax_rate, an_id},
/// };
///
/// let created = TaxRateEvent::created(an_id(1), None, a_tax_rate("VAT"));
/// assert_eq!((created.kind, created.sequence), (TaxRateEventKind::Created, Version::FIRST));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TaxRateEvent {
    /// The id.
    pub id: EventId,
    /// The kind of change.
    pub kind: TaxRateEventKind,
    /// The rate's version after the change. Versions have no gaps and begin with 1.
    pub sequence: Version,
    /// The time of the change.
    pub at: Timestamp,
    /// The actor.
    pub actor: Actor,
    /// The request.
    pub request_id: Option<RequestId>,
    /// The rate's state after the change.
    pub state: TaxRate,
}

/// The kind of change of a tax rate.
///
/// ```
/// use patron_domain::event::TaxRateEventKind;
///
/// assert_eq!(TaxRateEventKind::Deleted.event_type().as_str(), "tax_rate.deleted");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaxRateEventKind {
    /// It was created.
    Created,
    /// It was changed.
    Updated {
        /// The fields whose values changed, in the order of [`TaxRateField::ALL`].
        changed: Vec<TaxRateField>,
    },
    /// It was archived.
    Deleted,
    /// A scheduled change of its value has begun. The actor is Patron, because no caller acted.
    ValueChanged {
        /// The change.
        change_id: TaxRateChangeId,
    },
}

impl TaxRateEventKind {
    /// The type on the wire and in stores, such as `tax_rate.created`.
    #[must_use]
    pub fn event_type(&self) -> EventType {
        match self {
            Self::Created => EventType::TaxRateCreated,
            Self::Updated { .. } => EventType::TaxRateUpdated,
            Self::Deleted => EventType::TaxRateDeleted,
            Self::ValueChanged { .. } => EventType::TaxRateValueChanged,
        }
    }
}

/// A field of a tax rate that an update can change, with its name on the wire.
///
/// ```
/// use patron_domain::event::TaxRateField;
///
/// assert_eq!(TaxRateField::Code.as_str(), "code");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each has the name of its field")]
#[non_exhaustive]
pub enum TaxRateField {
    Code,
    Name,
    Description,
    TaxRateType,
    PercentageValue,
    FixedValue,
    Scope,
    TaxRateStatus,
    Metadata,
    Changes,
}

words!(
    TaxRateField,
    "the fields of a tax rate",
    Code => "code",
    Name => "name",
    Description => "description",
    TaxRateType => "tax_rate_type",
    PercentageValue => "percentage_value",
    FixedValue => "fixed_value",
    Scope => "scope",
    TaxRateStatus => "tax_rate_status",
    Metadata => "metadata",
    Changes => "changes",
);

impl TaxRateEvent {
    /// The event of a new rate.
    #[must_use]
    pub fn created(id: EventId, request_id: Option<RequestId>, rate: TaxRate) -> Self {
        Self::of(id, request_id, TaxRateEventKind::Created, rate)
    }

    /// The event of a changed rate.
    pub(crate) fn of(id: EventId, request_id: Option<RequestId>, kind: TaxRateEventKind, rate: TaxRate) -> Self {
        let (at, actor) = (rate.audit.updated_at, rate.audit.updated_by.clone());
        Self { id, kind, sequence: rate.version, at, actor, request_id, state: rate }
    }
}

impl TaxRateField {
    /// The fields in which two states of a rate differ.
    pub(crate) fn changed(before: &TaxRate, after: &TaxRate) -> Vec<Self> {
        use crate::tax::TaxValue::{Fixed, Percentage};
        let percentage = |rate: &TaxRate| if let Percentage(value) = rate.value { Some(value) } else { None };
        let fixed = |rate: &TaxRate| if let Fixed(value) = rate.value { Some(value) } else { None };
        let differs = |field: &Self| match field {
            Self::Code => before.code != after.code,
            Self::Name => before.name != after.name,
            Self::Description => before.description != after.description,
            Self::TaxRateType => before.value.kind() != after.value.kind(),
            Self::PercentageValue => percentage(before) != percentage(after),
            Self::FixedValue => fixed(before) != fixed(after),
            Self::Scope => before.scope != after.scope,
            Self::TaxRateStatus => before.rate_status != after.rate_status,
            Self::Metadata => before.metadata != after.metadata,
            Self::Changes => before.history.changes != after.history.changes,
        };
        Self::ALL.iter().copied().filter(differs).collect()
    }
}
