//! What happened to a tax rate.

use super::EventType;
use crate::{
    ids::EventId,
    lifecycle::Version,
    tax::TaxRate,
    tenancy::{Actor, RequestId},
    time::Timestamp,
    words::words,
};

/// One change of a tax rate, with the rate as of that change.
///
/// It is part of the commit that makes the change, and never altered afterwards.
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
    /// Its id.
    pub id: EventId,
    /// What happened.
    pub kind: TaxRateEventKind,
    /// The rate's version after the change. Without gaps: the first is 1.
    pub sequence: Version,
    /// When it happened.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// The request it was done in.
    pub request_id: Option<RequestId>,
    /// The rate after the change, frozen.
    pub state: TaxRate,
}

/// What happened to a tax rate.
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
        /// The fields that have another value than before, in the order of [`TaxRateField::ALL`].
        changed: Vec<TaxRateField>,
    },
    /// It was archived.
    Deleted,
}

impl TaxRateEventKind {
    /// `tax_rate.created` and so on.
    #[must_use]
    pub fn event_type(&self) -> EventType {
        match self {
            Self::Created => EventType::TaxRateCreated,
            Self::Updated { .. } => EventType::TaxRateUpdated,
            Self::Deleted => EventType::TaxRateDeleted,
        }
    }
}

/// A part of a tax rate that an update can change, by its name on the wire.
///
/// ```
/// use patron_domain::event::TaxRateField;
///
/// assert_eq!(TaxRateField::Code.as_str(), "code");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is named as the field it stands for")]
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
);

impl TaxRateEvent {
    /// The event of a rate that was just created.
    #[must_use]
    pub fn created(id: EventId, request_id: Option<RequestId>, rate: TaxRate) -> Self {
        Self::of(id, request_id, TaxRateEventKind::Created, rate)
    }

    /// The event of a rate as its change left it.
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
        };
        Self::ALL.iter().copied().filter(differs).collect()
    }
}
