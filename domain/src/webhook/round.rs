//! One round at an endpoint: the deliveries to attempt, their order, and the results to record at the end. Pure: the
//! relay makes the attempts and works through the lanes one by one.
//!
//! A lane has the deliveries of one subject (a customer or tax rate) in log order. Lanes run in parallel. Within a
//! lane, the next attempt begins when the delivery before it was accepted or has failed for good. So first deliveries
//! keep their order, and a delivery that waits for a retry only blocks its own subject.

use std::collections::{BTreeMap, VecDeque};

use super::{
    delivery::{Attempt, Delivery, DeliveryKind, DeliveryState},
    retry::Retries,
};
use crate::{event::EventCursor, time::Timestamp};

/// A delivery of a round.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Item {
    delivery: Delivery,
    /// Whether the delivery is already stored.
    stored: bool,
    /// Whether it was attempted, or otherwise changed, in this round.
    changed: bool,
    attempted: bool,
}

/// The deliveries of one subject, in order; empty by default.
///
/// ```
/// use patron_domain::{testkit::{a_delivery, a_time}, webhook::plan};
///
/// // Two events of one customer: the second one waits for the first.
/// let lanes = plan(vec![], vec![a_delivery(1), a_delivery(2)], a_time());
/// assert_eq!(lanes.len(), 1);
/// assert_eq!(lanes[0].next().unwrap().position.stored(), 1);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lane {
    done: Vec<Item>,
    waiting: VecDeque<Item>,
    ready: bool,
}

impl Lane {
    /// The delivery to attempt next; `None` when there is none or it must wait.
    #[must_use]
    pub fn next(&self) -> Option<&Delivery> {
        if self.ready { self.waiting.front().map(|item| &item.delivery) } else { None }
    }

    /// Records the result of the attempt, by [`Delivery::after`].
    pub fn note(&mut self, attempt: Attempt, retries: &Retries, jitter: u16) {
        let Some(Item { delivery, stored, .. }) = self.waiting.pop_front() else { return };
        let delivery = delivery.after(attempt, retries, jitter);
        self.ready = !matches!(delivery.state, DeliveryState::Waiting { .. });
        let item = Item { delivery, stored, changed: true, attempted: true };
        if self.ready {
            self.done.push(item);
        } else {
            self.waiting.push_front(item);
        }
    }
}

/// The result of a round.
///
/// ```
/// use std::time::Duration;
/// use patron_domain::{event::{EventCursor, EventPosition}, testkit::{a_delivery, a_time}, webhook::{Attempt, Retries, end, plan}};
///
/// let mut lanes = plan(vec![], vec![a_delivery(1), a_delivery(2)], a_time());
/// while lanes[0].next().is_some() {
///     let attempt = Attempt { at: a_time(), took: Duration::ZERO, outcome: Ok(204), answer: String::new(), retry_after: None };
///     lanes[0].note(attempt, &Retries::default(), 0);
/// }
/// let read_to = EventCursor::unmarked(EventPosition::from_stored(2).unwrap());
/// let round = end(lanes, true, EventCursor::START, read_to, a_time());
/// assert_eq!((round.fresh.len(), round.position, round.next_at), (2, read_to, None));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoundEnd {
    /// The deliveries to store for the first time.
    pub fresh: Vec<Delivery>,
    /// The stored deliveries that have changed.
    pub changed: Vec<Delivery>,
    /// All waiting deliveries, changed or not. With these the next round can begin before the results are written.
    pub waiting: Vec<Delivery>,
    /// The place in the log up to which every event is delivered or recorded as waiting.
    pub position: EventCursor,
    /// The time at which the first waiting delivery is due.
    pub next_at: Option<Timestamp>,
}

/// Makes lanes from the waiting deliveries and the new ones from the log, each in log order. Lanes that are ready come
/// first, in the order of their first delivery.
#[must_use]
pub fn plan(waiting: Vec<Delivery>, fresh: Vec<Delivery>, now: Timestamp) -> Vec<Lane> {
    let mut by_thing: BTreeMap<(DeliveryKind, String), VecDeque<Item>> = BTreeMap::new();
    let stored = waiting.into_iter().map(|delivery| (delivery, true));
    for (delivery, stored) in stored.chain(fresh.into_iter().map(|delivery| (delivery, false))) {
        let lane = by_thing.entry((delivery.kind, delivery.entity_id.clone())).or_default();
        lane.push_back(Item { delivery, stored, changed: false, attempted: false });
    }
    let mut lanes: Vec<_> = by_thing.into_values().map(|items| lane(items, now)).collect();
    lanes.sort_by_key(|lane| lane.waiting.front().map(|item| item.delivery.position));
    lanes
}

fn lane(mut items: VecDeque<Item>, now: Timestamp) -> Lane {
    items.make_contiguous().sort_by_key(|item| (item.delivery.position, item.delivery.id));
    let ready = items.front().is_some_and(|first| !first.stored || first.delivery.is_due(now));
    Lane { done: Vec::new(), waiting: items, ready }
}

/// The result of a round: when all lanes were completed, or when the round was stopped early. `read_to` is the end of
/// the part of the log that was read. In a stopped round, new deliveries before any attempted one are recorded as
/// waiting, and those after all attempted ones are left to the next round.
#[must_use]
pub fn end(lanes: Vec<Lane>, complete: bool, from: EventCursor, read_to: EventCursor, now: Timestamp) -> RoundEnd {
    let fresh = |item: &&Item| !item.stored && item.attempted;
    let attempted = lanes.iter().flat_map(|lane| lane.done.iter().chain(&lane.waiting)).filter(fresh);
    let last = attempted.map(|item| &item.delivery).max_by_key(|delivery| delivery.position);
    let reached = last.map_or(from, |delivery| EventCursor::behind(delivery.position, delivery.event_id));
    let reached = if complete { read_to } else { reached };
    let reached = if reached.position() > from.position() { reached } else { from };
    let (position, mut end) = (reached.position(), RoundEnd { position: reached, ..RoundEnd::default() });
    for mut lane in lanes {
        let kept = |item: &Item| item.stored || item.delivery.position <= position;
        // Only the first waiting delivery has a time; the others wait for it.
        if let Some(first) = lane.waiting.front_mut().filter(|first| kept(first))
            && let DeliveryState::Waiting { next_attempt_at } = &mut first.delivery.state
        {
            first.changed |= next_attempt_at.is_none();
            let at = *next_attempt_at.get_or_insert(now);
            end.next_at = Some(end.next_at.map_or(at, |known| known.min(at)));
        }
        end.waiting.extend(lane.waiting.iter().filter(|item| kept(item)).map(|item| item.delivery.clone()));
        for item in lane.done.into_iter().chain(lane.waiting).filter(kept) {
            match item {
                Item { stored: false, delivery, .. } => end.fresh.push(delivery),
                Item { changed: true, delivery, .. } => end.changed.push(delivery),
                Item { .. } => {}
            }
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Lane, end, plan};
    use crate::{
        event::{EventCursor, EventPosition},
        testkit::{a_delivery, a_time},
        time::Timestamp,
        webhook::{Attempt, Delivery, DeliveryState, Retries},
    };

    fn at(position: i64) -> EventCursor {
        EventPosition::from_stored(position).unwrap().into()
    }

    fn of(position: i64, entity: &str) -> Delivery {
        Delivery { entity_id: entity.to_owned(), ..a_delivery(position) }
    }

    fn waits(delivery: Delivery, next_attempt_at: Option<Timestamp>) -> Delivery {
        Delivery { state: DeliveryState::Waiting { next_attempt_at }, ..delivery }
    }

    fn step(lane: &mut Lane, status: u16) {
        let attempt = Attempt {
            at: a_time(),
            took: Duration::ZERO,
            outcome: Ok(status),
            answer: String::new(),
            retry_after: None,
        };
        assert!(lane.next().is_some(), "a next one");
        lane.note(attempt, &Retries::default(), 0);
    }

    fn seen(deliveries: &[Delivery]) -> Vec<(i64, &'static str, bool)> {
        let mut all: Vec<_> = deliveries.iter().map(|one| (one.position.stored(), one.state)).collect();
        all.sort_by_key(|one| one.0);
        all.into_iter()
            .map(|(position, state)| {
                let timed = matches!(state, DeliveryState::Waiting { next_attempt_at: Some(_) });
                (position, state.status().as_str(), timed)
            })
            .collect()
    }

    #[test]
    fn a_lane_keeps_the_order_and_lanes_do_not_wait_for_each_other() {
        let mut lanes = plan(vec![], vec![of(1, "a"), of(2, "b"), of(3, "a")], a_time());
        let next =
            |lanes: &[Lane]| lanes.iter().map(|lane| lane.next().map(|one| one.position.stored())).collect::<Vec<_>>();
        assert_eq!(next(&lanes), [Some(1), Some(2)]);
        step(&mut lanes[0], 200);
        assert_eq!(next(&lanes), [Some(3), Some(2)]);
        step(&mut lanes[0], 500);
        assert_eq!(next(&lanes), [None, Some(2)]);
        step(&mut lanes[1], 204);
        let ended = end(lanes, true, at(0), at(9), a_time());
        assert_eq!(ended.position, at(9));
        assert_eq!(seen(&ended.fresh), [(1, "delivered", false), (2, "delivered", false), (3, "waiting", true)]);
        assert_eq!(seen(&ended.changed), []);
        assert!(ended.next_at.is_some());
        assert_eq!(seen(&ended.waiting), [(3, "waiting", true)]);
    }

    #[test]
    fn deliveries_after_a_failure_of_the_same_subject_wait_for_it() {
        let later = a_time().later(Duration::from_secs(9));
        let lanes = plan(vec![waits(of(1, "a"), Some(later))], vec![of(5, "a"), of(6, "b")], a_time());
        assert_eq!(lanes.iter().filter_map(Lane::next).count(), 1);
        let mut lanes = lanes;
        step(&mut lanes[1], 200);
        let ended = end(lanes, true, at(4), at(6), a_time());
        assert_eq!(seen(&ended.fresh), [(5, "waiting", false), (6, "delivered", false)]);
        assert_eq!(seen(&ended.changed), [], "unchanged deliveries are not written again");
        assert_eq!(
            seen(&ended.waiting),
            [(1, "waiting", true), (5, "waiting", false)],
            "unchanged deliveries are included"
        );
        assert_eq!(ended.next_at, Some(later));
        // When it is due, the lane's first delivery runs, and the others follow at once.
        let mut lanes = plan(vec![waits(of(1, "a"), Some(later)), waits(of(5, "a"), None)], vec![], later);
        step(&mut lanes[0], 200);
        assert_eq!(lanes[0].next().map(|one| one.position.stored()), Some(5));
        // If the round stops before that, the next delivery is due now.
        let ended = end(lanes, false, at(6), at(6), later);
        assert_eq!(seen(&ended.changed), [(1, "delivered", false), (5, "waiting", true)]);
        assert_eq!(seen(&ended.fresh), []);
        assert_eq!(ended.position.position(), at(6).position());
    }

    #[test]
    fn a_stopped_round_loses_nothing_and_leaves_the_rest_to_the_next() {
        let mut lanes = plan(vec![], vec![of(1, "a"), of(2, "b"), of(3, "c"), of(4, "b"), of(5, "d")], a_time());
        step(&mut lanes[0], 200);
        step(&mut lanes[2], 200);
        let ended = end(lanes, false, at(0), at(5), a_time());
        assert_eq!(ended.position.position(), at(3).position());
        assert_eq!(seen(&ended.fresh), [(1, "delivered", false), (2, "waiting", true), (3, "delivered", false)]);
        assert_eq!(seen(&ended.waiting), [(2, "waiting", true)], "deliveries left to the next round do not wait");
    }

    #[test]
    fn without_attempts_the_position_does_not_move() {
        let lanes = plan(vec![], vec![of(8, "a")], a_time());
        let ended = end(lanes, false, at(7), at(8), a_time());
        assert_eq!((ended.position, ended.fresh.len(), ended.next_at), (at(7), 0, None));
    }
}
