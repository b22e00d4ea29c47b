//! Decisions about an existing tax rate.

use super::{
    NewTaxRateChange, ReplacedValue, StatusSwitch, TaxRate, TaxRateCode, TaxRateDescription, TaxRateHistory,
    TaxRateName, TaxRateScope, TaxRateStatus, TaxValue, TaxValueParts,
};
use crate::{
    event::{TaxRateEvent, TaxRateEventKind, TaxRateField},
    idempotency::{IdempotencyKeyReused, from_once_error},
    ids::{EventId, TaxRateChangeId, TaxRateId},
    lifecycle::{Precondition, Status, VersionConflict},
    metadata::Metadata,
    patch::Patch,
    store::StoreError,
    tenancy::{EnvironmentScope, PermissionDenied, RequestId},
    time::Timestamp,
    violation::Violations,
};

/// A change of a tax rate. Absent fields keep their values.
///
/// ```
/// use patron_domain::tax::{TaxRateStatus, TaxRateUpdate};
///
/// let update = TaxRateUpdate { rate_status: Some(TaxRateStatus::Inactive), ..TaxRateUpdate::default() };
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaxRateUpdate {
    /// The new code.
    pub code: Option<TaxRateCode>,
    /// The new name.
    pub name: Option<TaxRateName>,
    /// The new description.
    pub description: Patch<TaxRateDescription>,
    /// The new value. A kind without a value changes nothing if it is the rate's present kind.
    pub value: TaxValueParts,
    /// The new scope.
    pub scope: Option<TaxRateScope>,
    /// The new rate status.
    pub rate_status: Option<TaxRateStatus>,
    /// The metadata that replaces the present one.
    pub metadata: Option<Metadata>,
}

/// A requested change of an existing tax rate.
///
/// ```
/// use patron_domain::{
///     lifecycle::{Precondition, Status},
///     tax::{ChangeTaxRate, TaxRateAmendment, TaxRateFacts},
///     testkit::{a_scope, a_tax_rate, a_time, an_id},
/// };
///
/// let archive = ChangeTaxRate { id: an_id(1), amendment: TaxRateAmendment::Archive, at: a_time(), event_id: an_id(2), request_id: None, only_if: Precondition::None };
/// let facts = TaxRateFacts::new(Some(a_tax_rate("VAT")), false, None);
/// assert_eq!(archive.decide(&a_scope(), &facts).unwrap().state.status, Status::Archived);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaxRateAmendment {
    /// Change it.
    Update(Box<TaxRateUpdate>),
    /// Archive it: it can still be found by its id, and its code is free.
    Archive,
    /// Change its value from a date on.
    Schedule(NewTaxRateChange),
    /// Remove a change that has not begun.
    Unschedule(TaxRateChangeId),
}

/// The command for one change of a tax rate. It owns its data, because it may outlive the caller.
///
/// ```
/// use patron_domain::{
///     lifecycle::Precondition,
///     tax::{ChangeTaxRate, TaxRateAmendment, TaxRateCode, TaxRateFacts, TaxRateUpdate},
///     testkit::{a_scope, a_tax_rate, a_time, an_id},
/// };
///
/// let update = TaxRateUpdate { code: Some(TaxRateCode::new("MWST").unwrap()), ..TaxRateUpdate::default() };
/// let change = ChangeTaxRate { id: an_id(1), amendment: TaxRateAmendment::Update(Box::new(update)), at: a_time(), event_id: an_id(2), request_id: None, only_if: Precondition::None };
/// let facts = TaxRateFacts::new(Some(a_tax_rate("VAT")), false, None);
/// assert_eq!(change.decide(&a_scope(), &facts).unwrap().state.code.as_str(), "MWST");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeTaxRate {
    /// The rate.
    pub id: TaxRateId,
    /// The requested change.
    pub amendment: TaxRateAmendment,
    /// The time of the change.
    pub at: Timestamp,
    /// The id for the event of the change.
    pub event_id: EventId,
    /// The request.
    pub request_id: Option<RequestId>,
    /// The version that the rate must have.
    pub only_if: Precondition,
}

/// The facts for the decision about one change of a tax rate, looked up inside the transaction.
///
/// ```
/// use patron_domain::{
///     lifecycle::Precondition,
///     tax::{ChangeTaxRate, TaxRateAmendment, TaxRateFacts},
///     testkit::{a_scope, a_tax_rate, a_time, an_id},
/// };
///
/// let facts = TaxRateFacts::new(Some(a_tax_rate("VAT")), true, None);
/// let archive = ChangeTaxRate { id: an_id(1), amendment: TaxRateAmendment::Archive, at: a_time(), event_id: an_id(2), request_id: None, only_if: Precondition::None };
/// assert!(archive.decide(&a_scope(), &facts).is_err(), "it is in use");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaxRateFacts {
    /// The rate in any status, locked against changes and new uses until the end of the transaction.
    pub current: Option<TaxRate>,
    /// Whether an association that is not deleted uses it. Associations of archived customers and defaults count too.
    pub in_use: bool,
    /// The published rate that has the code of [`ChangeTaxRate::wanted_code`].
    pub holder: Option<TaxRateId>,
    /// Whether an association uses it or used it, including removed ones.
    pub was_used: bool,
}

impl TaxRateFacts {
    /// The rate, whether it is in use, and the holder of the wanted code.
    #[must_use]
    pub fn new(current: Option<TaxRate>, in_use: bool, holder: Option<TaxRateId>) -> Self {
        Self { current, in_use, holder, was_used: in_use }
    }

    /// The same of a rate that was used by associations that are removed.
    #[must_use]
    pub fn used_before(self) -> Self {
        Self { was_used: true, ..self }
    }
}

/// Why a tax rate was not changed.
///
/// ```
/// use patron_domain::{
///     lifecycle::Precondition,
///     tax::{ChangeTaxRate, ChangeTaxRateError, TaxRateAmendment, TaxRateFacts},
///     testkit::{a_scope, a_time, an_id},
/// };
///
/// let archive = ChangeTaxRate { id: an_id(1), amendment: TaxRateAmendment::Archive, at: a_time(), event_id: an_id(2), request_id: None, only_if: Precondition::None };
/// let facts = TaxRateFacts::default();
/// assert_eq!(archive.decide(&a_scope(), &facts), Err(ChangeTaxRateError::Unknown));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeTaxRateError {
    /// The caller may not write. Repositories never return this.
    #[error(transparent)]
    Denied(#[from] PermissionDenied),
    /// The idempotency key was used for a different request.
    #[error(transparent)]
    KeyReused(#[from] IdempotencyKeyReused),
    /// The rate does not exist, or is already archived and was to be archived.
    #[error("there is no tax rate with this id")]
    Unknown,
    /// Its value and its kind contradict each other.
    #[error(transparent)]
    Invalid(Violations),
    /// An archived rate cannot be changed.
    #[error("the tax rate is archived and cannot be changed; create a new one")]
    Archived,
    /// A rate in use cannot be archived, and cannot change its value or kind.
    #[error(
        "the tax rate is in use, so it cannot be deleted and its value and type cannot change; remove its tax \
         associations first, including those of archived customers, or set it INACTIVE and create another"
    )]
    InUse,
    /// Its value cannot be replaced, because changes of the value have dates.
    #[error(
        "the value of this tax rate changes at given dates, so it cannot be replaced; add a change with effective_from instead"
    )]
    HasChanges,
    /// It has no change with this id.
    #[error("the tax rate has no change with this id")]
    UnknownChange,
    /// The change has begun.
    #[error("the change has begun, so it cannot be removed; add another change")]
    HasBegun,
    /// It has as many changes, or was switched as often, as a rate may be.
    #[error("a tax rate has at most {max} {what}; create another tax rate")]
    TooMany {
        /// The changes, or the switches.
        what: &'static str,
        /// The maximum.
        max: usize,
    },
    /// Another change begins at the same time.
    #[error(
        "another change of the tax rate begins at this time; choose another effective_from, or remove that change first"
    )]
    SameTime {
        /// The other change's id.
        existing: TaxRateChangeId,
    },
    /// Another published rate has the code.
    #[error("a tax rate with this code already exists; choose another code, or update the existing tax rate")]
    CodeTaken {
        /// The other rate's id.
        existing: TaxRateId,
    },
    /// It is not at the version that the client expects.
    #[error(transparent)]
    VersionConflict(#[from] VersionConflict),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ChangeTaxRate {
    /// The code that the change sets, if any. Another published rate that has it must be looked up too.
    #[must_use]
    pub fn wanted_code(&self) -> Option<&TaxRateCode> {
        match &self.amendment {
            TaxRateAmendment::Update(update) => update.code.as_ref(),
            TaxRateAmendment::Archive | TaxRateAmendment::Schedule(_) | TaxRateAmendment::Unschedule(_) => None,
        }
    }

    /// Decides the change. A pure function: it takes facts, and returns the event with the new state of the rate, or a
    /// refusal.
    ///
    /// # Errors
    /// [`ChangeTaxRateError`]. If several apply, the variant that is listed first.
    pub fn decide(self, scope: &EnvironmentScope, facts: &TaxRateFacts) -> Result<TaxRateEvent, ChangeTaxRateError> {
        let before = facts.current.as_ref().ok_or(ChangeTaxRateError::Unknown)?;
        let mut rate = before.clone();
        let published = rate.status == Status::Published;
        match self.amendment {
            // An archived rate cannot be archived again: for the client it no longer exists.
            TaxRateAmendment::Archive if !published => return Err(ChangeTaxRateError::Unknown),
            _ if !published => return Err(ChangeTaxRateError::Archived),
            TaxRateAmendment::Archive if facts.in_use => return Err(ChangeTaxRateError::InUse),
            TaxRateAmendment::Archive => rate.status = Status::Archived,
            TaxRateAmendment::Update(update) => update.apply(&mut rate, facts, self.at)?,
            TaxRateAmendment::Schedule(new) => rate.schedule(new, scope, self.at)?,
            TaxRateAmendment::Unschedule(id) => rate.unschedule(id, self.at)?,
        }
        let kind = match rate.status {
            Status::Published => TaxRateEventKind::Updated { changed: TaxRateField::changed(before, &rate) },
            Status::Archived | Status::Deleted => TaxRateEventKind::Deleted,
        };
        self.only_if.check(Some(before.version))?;
        // Without a new value there is no new version.
        if rate != *before {
            rate.version = rate.version.next();
            rate.audit.touch(self.at, &scope.actor);
        }
        Ok(TaxRateEvent::of(self.event_id, self.request_id, kind, rate))
    }
}

impl TaxRate {
    /// Replaces the value, unless it is the present one.
    fn replace_value(
        &mut self,
        value: TaxValue,
        facts: &TaxRateFacts,
        at: Timestamp,
    ) -> Result<(), ChangeTaxRateError> {
        if value == self.value_at(at) {
            return Ok(());
        }
        if facts.in_use {
            return Err(ChangeTaxRateError::InUse);
        }
        if !self.history.changes.is_empty() {
            return Err(ChangeTaxRateError::HasChanges);
        }
        // Answers about the past keep the value that was charged then.
        if facts.was_used {
            TaxRateHistory::add(
                &mut self.history.replaced,
                "replaced values",
                ReplacedValue { value: self.value, until: at },
            )?;
        }
        self.value = value;
        Ok(())
    }
}

impl TaxValueParts {
    /// The new value of a rate; `None` if the parts name none.
    fn value_for(self, rate: &TaxRate) -> Result<Option<TaxValue>, ChangeTaxRateError> {
        let Self { kind, percentage, fixed } = &self;
        let names_none = percentage.is_none() && fixed.is_none() && kind.is_none_or(|kind| kind == rate.value.kind());
        if names_none { Ok(None) } else { self.resolve().map(Some).map_err(ChangeTaxRateError::Invalid) }
    }
}

impl TaxRateUpdate {
    fn apply(self, rate: &mut TaxRate, facts: &TaxRateFacts, at: Timestamp) -> Result<(), ChangeTaxRateError> {
        if let Some(value) = self.value.value_for(rate)? {
            rate.replace_value(value, facts, at)?;
        }
        if let Some(code) = self.code {
            match facts.holder {
                Some(existing) if existing != rate.id => return Err(ChangeTaxRateError::CodeTaken { existing }),
                _ => rate.code = code,
            }
        }
        match self.description {
            Patch::Keep => {}
            Patch::Clear => rate.description = None,
            Patch::Set(description) => rate.description = Some(description),
        }
        if let Some(to) = self.rate_status.filter(|to| *to != rate.rate_status) {
            TaxRateHistory::add(&mut rate.history.switches, "switches on and off", StatusSwitch { at, to })?;
        }
        let TaxRate { name, scope, rate_status, metadata, .. } = rate;
        if let Some(new) = self.name {
            *name = new;
        }
        if let Some(new) = self.metadata {
            *metadata = new;
        }
        *scope = self.scope.unwrap_or(*scope);
        *rate_status = self.rate_status.unwrap_or(*rate_status);
        Ok(())
    }
}

from_once_error!(ChangeTaxRateError);

#[cfg(test)]
mod tests;
