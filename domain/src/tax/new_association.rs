//! Requests for new tax associations and for changes of existing ones.

use super::{CurrencyCode, Priority, TaxAssociation, TaxBehavior, TaxRateCode};
use crate::{
    metadata::Metadata,
    patch::Patch,
    time::Timestamp,
    violation::{Rule, Violations},
};

/// A request for a new tax association: valid in itself, not yet decided.
///
/// ```
/// use patron_domain::{metadata::Metadata, tax::{NewTaxAssociation, Priority, TaxRateCode}, testkit::a_time};
///
/// let new = NewTaxAssociation {
///     code: TaxRateCode::new("VAT").unwrap(),
///     currency: None,
///     priority: Priority::default(),
///     auto_apply: true,
///     behavior: None,
///     metadata: Metadata::default(),
///     start: None,
///     end: None,
/// };
/// assert_eq!(new.term(a_time()).unwrap().start, a_time());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTaxAssociation {
    /// The code of the rate, which must exist and be active.
    pub code: TaxRateCode,
    /// The currency that it applies to; `None` for any.
    pub currency: Option<CurrencyCode>,
    /// Its priority among the entity's rates.
    pub priority: Priority,
    /// Whether it applies automatically. For a default: whether new customers inherit it.
    pub auto_apply: bool,
    /// Whether prices contain the tax; `None` for what is usual in the currency.
    pub behavior: Option<TaxBehavior>,
    /// The client's metadata.
    pub metadata: Metadata,
    /// The time from which it applies; now when absent.
    pub start: Option<Timestamp>,
    /// The time until which it applies; no end when absent.
    pub end: Option<Timestamp>,
}

/// The period in which an association applies.
///
/// ```
/// use patron_domain::{tax::Term, testkit::a_time};
///
/// let term = Term { start: a_time(), end: None };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// The start.
    pub start: Timestamp,
    /// The end, after the start; `None` for no end.
    pub end: Option<Timestamp>,
}

/// The end is not after the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("end_date must be after start_date (by default, the current time)")]
struct EndsBeforeStart;

impl Rule for EndsBeforeStart {
    fn rule(&self) -> &'static str {
        "after_start_date"
    }
}

impl NewTaxAssociation {
    /// Checks the dates when both are given, so the result does not depend on the time of the create.
    ///
    /// # Errors
    /// When the term would end before or at its start.
    pub fn check_dates(&self) -> Result<(), Violations> {
        self.start.map_or(Ok(()), |start| self.term(start).map(drop))
    }

    /// The term of an association that is created now.
    ///
    /// # Errors
    /// When the term would end before or at its start.
    pub fn term(&self, now: Timestamp) -> Result<Term, Violations> {
        Term { start: self.start.unwrap_or(now), end: self.end }.checked()
    }
}

impl Term {
    /// The term, if it ends after it starts.
    fn checked(self) -> Result<Self, Violations> {
        let mut broken = Violations::new();
        if self.end.is_some_and(|end| end <= self.start) {
            broken.add("end_date", &EndsBeforeStart);
        }
        broken.into_result().map(|()| self)
    }

    /// Whether there is a time within both terms.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.end.is_none_or(|end| other.start < end) && other.end.is_none_or(|end| self.start < end)
    }
}

/// A change of a tax association. Absent fields keep their values.
///
/// ```
/// use patron_domain::{tax::TaxAssociationUpdate, testkit::{a_tax_default, a_tax_rate}};
///
/// let mut association = a_tax_default(&a_tax_rate("VAT"));
/// TaxAssociationUpdate { auto_apply: Some(false), ..Default::default() }.apply(&mut association).unwrap();
/// assert!(!association.auto_apply);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaxAssociationUpdate {
    /// The new priority.
    pub priority: Option<Priority>,
    /// Whether it applies automatically.
    pub auto_apply: Option<bool>,
    /// Whether prices contain the tax.
    pub behavior: Patch<TaxBehavior>,
    /// The new start.
    pub start: Option<Timestamp>,
    /// The new end; cleared, it has none.
    pub end: Patch<Timestamp>,
    /// The metadata that replaces the present one.
    pub metadata: Option<Metadata>,
}

impl TaxAssociationUpdate {
    /// Whether it changes the term.
    #[must_use]
    pub fn moves_term(&self) -> bool {
        self.start.is_some() || self.end != Patch::Keep
    }

    /// Applies the change.
    ///
    /// # Errors
    /// When the term would end before or at its start. The association is then in no defined state.
    pub fn apply(self, association: &mut TaxAssociation) -> Result<(), Violations> {
        association.start = self.start.unwrap_or(association.start);
        self.end.apply(&mut association.end);
        self.behavior.apply(&mut association.behavior);
        association.term().checked()?;
        let TaxAssociation { priority, auto_apply, metadata, .. } = association;
        *priority = self.priority.unwrap_or(*priority);
        *auto_apply = self.auto_apply.unwrap_or(*auto_apply);
        if let Some(new) = self.metadata {
            *metadata = new;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_association_ends_after_it_starts() {
        let time = |micros| Timestamp::from_micros(micros).unwrap();
        let new = |start: Option<i64>, end: Option<i64>| NewTaxAssociation {
            code: TaxRateCode::new("VAT").unwrap(),
            currency: None,
            priority: Priority::default(),
            auto_apply: true,
            behavior: None,
            metadata: Metadata::default(),
            start: start.map(time),
            end: end.map(time),
        };
        assert_eq!(new(None, None).term(time(5)), Ok(Term { start: time(5), end: None }));
        assert_eq!(new(None, Some(6)).term(time(5)), Ok(Term { start: time(5), end: Some(time(6)) }));
        let term = |start, end: Option<i64>| Term { start: time(start), end: end.map(time) };
        for (one, other, overlap) in [
            (term(1, Some(3)), term(3, None), false),
            (term(1, Some(4)), term(3, None), true),
            (term(1, None), term(9, Some(10)), true),
            (term(1, None), term(0, Some(1)), false),
            (term(1, Some(9)), term(3, Some(4)), true),
        ] {
            assert_eq!((one.overlaps(other), other.overlaps(one)), (overlap, overlap), "{one:?} {other:?}");
        }
        for (start, end) in [(None, 5), (Some(7), 7), (Some(7), 6)] {
            let broken = new(start, Some(end)).term(time(5)).unwrap_err();
            assert_eq!(broken.iter().next().unwrap().path, "end_date");
        }
    }
}
