//! A tax association somebody asks for, and changes of one.

use super::{CurrencyCode, Priority, TaxAssociation, TaxRateCode};
use crate::{
    metadata::Metadata,
    time::Timestamp,
    violation::{Rule, Violations},
};

/// A tax association somebody asks for: valid in itself, not yet decided.
///
/// ```
/// use patron_domain::{metadata::Metadata, tax::{NewTaxAssociation, Priority, TaxRateCode}, testkit::a_time};
///
/// let new = NewTaxAssociation {
///     code: TaxRateCode::new("VAT").unwrap(),
///     currency: None,
///     priority: Priority::default(),
///     auto_apply: true,
///     metadata: Metadata::default(),
///     start: None,
///     end: None,
/// };
/// assert_eq!(new.term(a_time()).unwrap().start, a_time());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTaxAssociation {
    /// The code of the rate; it has to exist and be active.
    pub code: TaxRateCode,
    /// The currency it applies to; `None` for any.
    pub currency: Option<CurrencyCode>,
    /// Its rank among the entity's rates.
    pub priority: Priority,
    /// Whether it applies of itself; of an environment's defaults, whether new customers take it over.
    pub auto_apply: bool,
    /// What the client attached.
    pub metadata: Metadata,
    /// From when on it applies; from now on when absent.
    pub start: Option<Timestamp>,
    /// Until when it applies; for ever when absent.
    pub end: Option<Timestamp>,
}

/// From when until when an association applies.
///
/// ```
/// use patron_domain::{tax::Term, testkit::a_time};
///
/// let term = Term { start: a_time(), end: None };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// From when on.
    pub start: Timestamp,
    /// Until when, after the start; `None` for ever.
    pub end: Option<Timestamp>,
}

/// The end does not lie after the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("end_date must lie after start_date, which is now when it is left out")]
struct EndsBeforeStart;

impl Rule for EndsBeforeStart {
    fn rule(&self) -> &'static str {
        "after_start_date"
    }
}

impl NewTaxAssociation {
    /// Whether the term is right whenever the association is made: both ends named, and in the wrong order, it is not.
    ///
    /// # Errors
    /// When it would end before it starts.
    pub fn check_dates(&self) -> Result<(), Violations> {
        self.start.map_or(Ok(()), |start| self.term(start).map(drop))
    }

    /// The term, for an association made now.
    ///
    /// # Errors
    /// When it would end before it starts.
    pub fn term(&self, now: Timestamp) -> Result<Term, Violations> {
        let term = Term { start: self.start.unwrap_or(now), end: self.end };
        let mut broken = Violations::new();
        if term.end.is_some_and(|end| end <= term.start) {
            broken.add("end_date", &EndsBeforeStart);
        }
        broken.into_result().map(|()| term)
    }
}

/// What is to be changed of a tax association; what is absent stays.
///
/// ```
/// use patron_domain::{tax::TaxAssociationUpdate, testkit::{a_tax_default, a_tax_rate}};
///
/// let mut association = a_tax_default(&a_tax_rate("VAT"));
/// TaxAssociationUpdate { auto_apply: Some(false), ..Default::default() }.apply(&mut association);
/// assert!(!association.auto_apply);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaxAssociationUpdate {
    /// Its rank.
    pub priority: Option<Priority>,
    /// Whether it applies of itself.
    pub auto_apply: Option<bool>,
    /// The metadata that takes the place of the old.
    pub metadata: Option<Metadata>,
}

impl TaxAssociationUpdate {
    /// Applies it.
    pub fn apply(self, association: &mut TaxAssociation) {
        let TaxAssociation { priority, auto_apply, metadata, .. } = association;
        *priority = self.priority.unwrap_or(*priority);
        *auto_apply = self.auto_apply.unwrap_or(*auto_apply);
        if let Some(new) = self.metadata {
            *metadata = new;
        }
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
            metadata: Metadata::default(),
            start: start.map(time),
            end: end.map(time),
        };
        assert_eq!(new(None, None).term(time(5)), Ok(Term { start: time(5), end: None }));
        assert_eq!(new(None, Some(6)).term(time(5)), Ok(Term { start: time(5), end: Some(time(6)) }));
        for (start, end) in [(None, 5), (Some(7), 7), (Some(7), 6)] {
            let broken = new(start, Some(end)).term(time(5)).unwrap_err();
            assert_eq!(broken.iter().next().unwrap().path, "end_date");
        }
    }
}
