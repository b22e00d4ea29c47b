//! The values and statuses of a tax rate over time.

use super::{ChangeTaxRateError, TaxRate, TaxRateStatus, TaxValue};
use crate::{
    event::{TaxRateEvent, TaxRateEventKind},
    ids::{EventId, TaxRateChangeId},
    lifecycle::Status,
    tenancy::Actor,
    time::Timestamp,
};

/// A change of a rate's value from a date on.
///
/// ```
/// use patron_domain::{
///     tax::{Percentage, TaxRateChange, TaxValue},
///     testkit::{a_scope, a_tax_rate, a_time, an_id},
///     time::Timestamp,
/// };
///
/// let from = Timestamp::parse("2020-07-01T00:00:00+02:00").unwrap();
/// let sixteen = TaxValue::Percentage(Percentage::new("16").unwrap());
/// let change = TaxRateChange {
///     id: an_id(1),
///     effective_from: from,
///     value: sixteen,
///     created_at: a_time(),
///     created_by: a_scope().actor,
/// };
/// let mut rate = a_tax_rate("VAT_DE");
/// rate.history.changes.push(change);
/// assert_eq!(rate.value_at(from), sixteen);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxRateChange {
    /// The id.
    pub id: TaxRateChangeId,
    /// The time from which the value applies.
    pub effective_from: Timestamp,
    /// The value.
    pub value: TaxValue,
    /// The time of the request.
    pub created_at: Timestamp,
    /// The actor of the request.
    pub created_by: Actor,
}

/// A value that an update of the rate replaced.
///
/// ```
/// use patron_domain::{tax::ReplacedValue, testkit::{a_tax_rate, a_time}};
///
/// let replaced = ReplacedValue { value: a_tax_rate("VAT").value, until: a_time() };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplacedValue {
    /// The value.
    pub value: TaxValue,
    /// The time of the update.
    pub until: Timestamp,
}

/// A switch of a rate on or off.
///
/// ```
/// use patron_domain::{tax::{StatusSwitch, TaxRateStatus}, testkit::a_time};
///
/// let off = StatusSwitch { at: a_time(), to: TaxRateStatus::Inactive };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusSwitch {
    /// The time of the switch.
    pub at: Timestamp,
    /// The status from then on.
    pub to: TaxRateStatus,
}

/// The values and statuses of a rate over time, apart from the value that it was created with and its status now.
///
/// ```
/// use patron_domain::tax::TaxRateHistory;
///
/// assert!(TaxRateHistory::default().changes.is_empty());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaxRateHistory {
    /// Changes of the value, ordered by the times from which they apply.
    pub changes: Vec<TaxRateChange>,
    /// Values that updates replaced after the rate had been used, the earliest first.
    pub replaced: Vec<ReplacedValue>,
    /// Switches on and off, the earliest first.
    pub switches: Vec<StatusSwitch>,
    /// The beginning of the last change that an event has reported: see [`TaxRate::begin`].
    pub reported: Option<Timestamp>,
}

impl TaxRateHistory {
    /// The maximum length of each list.
    pub const MAX: usize = 100;

    /// Adds an entry to one of the lists, within [`Self::MAX`].
    pub(super) fn add<T>(list: &mut Vec<T>, what: &'static str, entry: T) -> Result<(), ChangeTaxRateError> {
        if list.len() >= Self::MAX {
            return Err(ChangeTaxRateError::TooMany { what, max: Self::MAX });
        }
        list.push(entry);
        Ok(())
    }
}

impl TaxRate {
    /// The value at a time: that of the last change that applies by then, otherwise the rate's own.
    ///
    /// ```
    /// use patron_domain::testkit::{a_tax_rate, a_time};
    ///
    /// let rate = a_tax_rate("VAT");
    /// assert_eq!(rate.value_at(a_time()), rate.value);
    /// ```
    #[must_use]
    pub fn value_at(&self, at: Timestamp) -> TaxValue {
        let begun = self.history.changes.iter().rev().find(|change| change.effective_from <= at);
        let replaced = self.history.replaced.iter().find(|replaced| at < replaced.until);
        begun.map(|change| change.value).or(replaced.map(|replaced| replaced.value)).unwrap_or(self.value)
    }

    /// The next change that no event has reported. Changes that had begun when they were requested are left out, because the event
    /// of the request reports them.
    #[must_use]
    pub fn next_change(&self) -> Option<&TaxRateChange> {
        let is_ahead = |change: &&TaxRateChange| {
            change.effective_from > change.created_at
                && self.history.reported.is_none_or(|reported| change.effective_from > reported)
        };
        self.history.changes.iter().find(is_ahead).filter(|_| self.status == Status::Published)
    }

    /// The event of the next change, if it has begun by a time, with the new state of the rate. Pure.
    ///
    /// ```
    /// use patron_domain::testkit::{a_tax_rate, a_time, an_id};
    ///
    /// assert_eq!(a_tax_rate("VAT").begin(a_time(), an_id(1)), None);
    /// ```
    #[must_use]
    pub fn begin(&self, at: Timestamp, event_id: EventId) -> Option<TaxRateEvent> {
        let TaxRateChange { id, effective_from, .. } = self.next_change()?;
        if *effective_from > at {
            return None;
        }
        let mut rate = self.clone();
        rate.history.reported = Some(*effective_from);
        rate.version = rate.version.next();
        rate.audit.touch(at, &Actor::system());
        Some(TaxRateEvent::of(event_id, None, TaxRateEventKind::ValueChanged { change_id: *id }, rate))
    }

    /// The status at a time.
    #[must_use]
    pub fn status_at(&self, at: Timestamp) -> TaxRateStatus {
        let switches = &self.history.switches;
        match (switches.iter().rev().find(|switch| switch.at <= at), switches.first()) {
            (Some(switch), _) => switch.to,
            (None, Some(first)) => first.to.opposite(),
            (None, None) => self.rate_status,
        }
    }

    /// Whether the rate was charged at a time: it was active, and not archived yet.
    #[must_use]
    pub fn is_charged_at(&self, at: Timestamp) -> bool {
        // An archived rate does not change any more.
        let exists = self.status == Status::Published || at < self.audit.updated_at;
        exists && self.status_at(at) == TaxRateStatus::Active
    }

    /// The rate with the value and the status that it has at a time, for people to see.
    #[must_use]
    pub fn as_of(&self, at: Timestamp) -> Self {
        Self { value: self.value_at(at), rate_status: self.status_at(at), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        tax::Percentage,
        testkit::{a_scope, a_tax_rate, an_id},
    };

    fn time(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn percent(text: &str) -> TaxValue {
        TaxValue::Percentage(Percentage::new(text).unwrap())
    }

    #[test]
    fn germany_in_2020() {
        let mut vat = a_tax_rate("VAT_DE");
        let change = |number, from, value| TaxRateChange {
            id: an_id(number),
            effective_from: time(from),
            value: percent(value),
            created_at: time("2020-06-12T00:00:00Z"),
            created_by: a_scope().actor,
        };
        vat.history.changes =
            vec![change(1, "2020-07-01T00:00:00+02:00", "16"), change(2, "2021-01-01T00:00:00+01:00", "19")];
        for (at, value) in [
            ("2007-01-01T00:00:00+01:00", "19"),
            ("2020-06-30T23:59:59.999999+02:00", "19"),
            ("2020-07-01T00:00:00+02:00", "16"),
            ("2020-12-31T23:59:59.999999+01:00", "16"),
            ("2021-01-01T00:00:00+01:00", "19"),
            ("2030-01-01T00:00:00+01:00", "19"),
        ] {
            assert_eq!(vat.value_at(time(at)), percent(value), "{at}");
        }
    }

    #[test]
    fn switches_and_replaced_values_count_from_their_time_on() {
        let at = |seconds: i64| Timestamp::from_micros(seconds).unwrap();
        let mut rate = a_tax_rate("VAT");
        rate.history.switches = vec![
            StatusSwitch { at: at(5), to: TaxRateStatus::Inactive },
            StatusSwitch { at: at(7), to: TaxRateStatus::Active },
        ];
        assert_eq!([4, 5, 6, 7].map(|time| rate.is_charged_at(at(time))), [true, false, false, true]);
        rate.value = percent("20");
        rate.history.replaced = vec![
            ReplacedValue { value: percent("18"), until: at(3) },
            ReplacedValue { value: percent("19"), until: at(6) },
        ];
        let values = [2, 3, 5, 6].map(|time| rate.value_at(at(time)));
        assert_eq!(values, ["18", "19", "19", "20"].map(percent));
        rate.status = Status::Archived;
        rate.audit.updated_at = at(9);
        assert_eq!([8, 9].map(|time| rate.is_charged_at(at(time))), [true, false]);
    }

    #[test]
    fn each_change_that_begins_is_reported_once_in_order() {
        let at = |second: i64| Timestamp::from_micros(second * 1_000_000).unwrap();
        let change = |id: u32, from: i64, made: i64| TaxRateChange {
            id: an_id(id),
            effective_from: at(from),
            value: a_tax_rate("VAT").value,
            created_at: at(made),
            created_by: a_scope().actor,
        };
        let mut rate = a_tax_rate("VAT");
        // The first had begun when it was requested.
        rate.history.changes = vec![change(1, 3, 5), change(2, 8, 5), change(3, 9, 5)];
        assert_eq!(rate.begin(at(7), an_id(1)), None);
        let mut reported = Vec::new();
        while let Some(event) = rate.begin(at(10), an_id(1)) {
            assert_eq!((event.sequence, &event.actor), (rate.version.next(), &Actor::system()));
            reported.push(event.kind);
            rate = event.state;
        }
        let wanted = [2, 3].map(|id| TaxRateEventKind::ValueChanged { change_id: an_id(id) });
        assert_eq!(reported, wanted);
        assert_eq!(rate.next_change(), None);
        rate.history.reported = None;
        rate.status = Status::Archived;
        assert_eq!(rate.begin(at(10), an_id(1)), None);
    }
}
