//! Merging two logs into pages.

use super::{Activity, ActivityCursor};
use crate::{audit::AuditEntry, event::EventRecord};

/// A page of activity, the newest first.
///
/// ```
/// use patron_domain::activity::ActivityPage;
///
/// let empty = ActivityPage { items: vec![], next: None };
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ActivityPage {
    /// The items.
    pub items: Vec<Activity>,
    /// Where the next page begins; `None` on the last page. A page may have fewer items than asked for.
    pub next: Option<ActivityCursor>,
}

/// Merges a portion of each log by time, newest first, and says whether both logs end there. A portion that is full may be
/// followed by others. So the merge ends where such a portion ends, and the rest of the other one is read again.
pub(super) fn merged(events: Vec<EventRecord>, entries: Vec<AuditEntry>, full: usize) -> (Vec<Activity>, bool) {
    let (more_events, more_entries) = (events.len() >= full, entries.len() >= full);
    let (mut events, mut entries) = (events.into_iter().peekable(), entries.into_iter().peekable());
    let mut both = Vec::new();
    loop {
        let takes_event = match (events.peek(), entries.peek()) {
            (Some(event), Some(entry)) => event.at >= entry.at,
            (None, _) if more_events => return (both, false),
            (_, None) if more_entries => return (both, false),
            (event, _) => event.is_some(),
        };
        let item = match takes_event {
            true => events.next().map(|event| Activity::Event(Box::new(event))),
            false => entries.next().map(Activity::Entry),
        };
        let Some(item) = item else { return (both, true) };
        both.push(item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        audit::{Act, AuditNumber},
        event::{EventPosition, TaxRateEvent},
        tenancy::{Actor, Origin},
        testkit::{a_tax_rate, an_api_key, an_id, an_owner},
        time::Timestamp,
    };

    fn at(seconds: u32) -> Timestamp {
        Timestamp::from_micros(i64::from(seconds) * 1_000_000).unwrap()
    }

    /// An event at each time, newest first.
    fn events(times: &[u32]) -> Vec<EventRecord> {
        let event = |time: &u32| {
            let created = TaxRateEvent::created(an_id(1), None, a_tax_rate("VAT"));
            let position = EventPosition::from_stored(i64::from(*time)).unwrap();
            EventRecord { at: at(*time), ..EventRecord::of_tax_rate(position, created) }
        };
        times.iter().map(event).collect()
    }

    fn entries(times: &[u32]) -> Vec<AuditEntry> {
        let entry = |time: &u32| {
            let (number, act) = (AuditNumber::from_stored(i64::from(*time)).unwrap(), Act::key_created(&an_api_key()));
            AuditEntry::of(number, an_owner(), act, &Actor::system(), &Origin::default(), at(*time))
        };
        times.iter().map(entry).collect()
    }

    /// The times of the merge: those of entries negative.
    fn times(of_events: &[u32], of_entries: &[u32], full: usize) -> (Vec<i64>, bool) {
        let (both, is_end) = merged(events(of_events), entries(of_entries), full);
        let time = |item: &Activity| match item {
            Activity::Event(event) => event.position.stored(),
            Activity::Entry(entry) => -entry.number.stored(),
        };
        (both.iter().map(time).collect(), is_end)
    }

    #[test]
    fn both_logs_are_merged_by_time_up_to_where_a_full_portion_ends() {
        assert_eq!(times(&[], &[], 3), (vec![], true));
        assert_eq!(times(&[9, 5], &[7], 3), (vec![9, -7, 5], true));
        assert_eq!(times(&[9, 5], &[9, 5], 3), (vec![9, -9, 5, -5], true));
        assert_eq!(times(&[9, 8, 7], &[6, 5], 3), (vec![9, 8, 7], false));
        assert_eq!(times(&[9, 3], &[8, 6, 5], 3), (vec![9, -8, -6, -5], false));
        assert_eq!(times(&[9, 3, 2], &[8, 6, 5], 3), (vec![9, -8, -6, -5], false));
    }
}
