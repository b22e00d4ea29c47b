//! Changes of a rate's value that apply from a date on.

use super::{ChangeTaxRateError, TaxRate, TaxRateChange, TaxRateHistory, TaxValueParts};
use crate::{
    ids::TaxRateChangeId,
    tenancy::EnvironmentScope,
    time::Timestamp,
    violation::{Rule, Violations},
};

/// A requested change of a rate's value from a date on.
///
/// ```
/// use patron_domain::{tax::{NewTaxRateChange, Percentage, TaxValueParts}, testkit::{a_time, an_id}};
///
/// let value = TaxValueParts { percentage: Percentage::new("16").ok(), ..TaxValueParts::default() };
/// let new = NewTaxRateChange { id: an_id(1), effective_from: a_time(), value, correction: false };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTaxRateChange {
    /// The id.
    pub id: TaxRateChangeId,
    /// The time from which the value applies.
    pub effective_from: Timestamp,
    /// The value, of the rate's kind.
    pub value: TaxValueParts,
    /// Whether the time may be in the past. Only administrators may correct the past.
    pub correction: bool,
}

/// The time of a change is in the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("effective_from is in the past; a super_admin may correct the past with \"correction\": true")]
struct InThePast;

impl Rule for InThePast {
    fn rule(&self) -> &'static str {
        "future"
    }
}

impl TaxRate {
    /// Adds a change.
    ///
    /// # Errors
    /// See [`ChangeTaxRateError`].
    pub(super) fn schedule(
        &mut self,
        new: NewTaxRateChange,
        scope: &EnvironmentScope,
        at: Timestamp,
    ) -> Result<(), ChangeTaxRateError> {
        let NewTaxRateChange { id, effective_from, value, correction } = new;
        let mut broken = Violations::new();
        if effective_from < at && !correction {
            broken.add("effective_from", &InThePast);
        }
        let value = match (TaxValueParts { kind: Some(self.value.kind()), ..value }).resolve() {
            Ok(value) if broken.is_empty() => value,
            faults => {
                faults.err().into_iter().flatten().for_each(|violation| broken.push(violation));
                return Err(ChangeTaxRateError::Invalid(broken));
            }
        };
        let changes = &mut self.history.changes;
        if let Some(same) = changes.iter().find(|change| change.effective_from == effective_from) {
            return Err(ChangeTaxRateError::SameTime { existing: same.id });
        }
        let created_by = scope.actor.clone();
        TaxRateHistory::add(
            changes,
            "changes",
            TaxRateChange { id, effective_from, value, created_at: at, created_by },
        )?;
        changes.sort_by_key(|change| change.effective_from);
        Ok(())
    }

    /// Removes a change that has not begun.
    ///
    /// # Errors
    /// See [`ChangeTaxRateError`].
    pub(super) fn unschedule(&mut self, id: TaxRateChangeId, at: Timestamp) -> Result<(), ChangeTaxRateError> {
        let changes = &mut self.history.changes;
        let place = changes.iter().position(|change| change.id == id).ok_or(ChangeTaxRateError::UnknownChange)?;
        if changes.get(place).is_some_and(|change| change.effective_from <= at) {
            return Err(ChangeTaxRateError::HasBegun);
        }
        changes.remove(place);
        Ok(())
    }
}
