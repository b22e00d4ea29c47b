//! Sharing of scarce places, so that no party blocks another.

use std::collections::{BTreeMap, VecDeque};

/// The places that parties have, such as the connections in use by environments.
///
/// While others wait, a party has at most half of the places. The last quarter stays free even if no other party waits, so
/// the next party need not wait for others to finish. A free place goes to the waiting party with the fewest places.
///
/// ```
/// use patron_domain::shares::Shares;
///
/// let mut shares = Shares::new(4);
/// // One of four places stays free for others.
/// assert_eq!(shares.hand_out(vec![("loud", 1), ("loud", 2), ("loud", 3), ("loud", 4)]).len(), 3);
/// assert_eq!(shares.hand_out(vec![("loud", 4), ("quiet", 5)]), [("quiet", 5)]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shares<P> {
    places: usize,
    used: BTreeMap<P, usize>,
}

impl<P: Ord + Clone> Shares<P> {
    /// Creates `places` places; at least one.
    #[must_use]
    pub fn new(places: usize) -> Self {
        Self { places: places.max(1), used: BTreeMap::new() }
    }

    /// The most places of a party while others wait.
    #[must_use]
    pub fn half(&self) -> usize {
        self.places.div_ceil(2)
    }

    /// The number of places that a party leaves free even if no other party waits.
    #[must_use]
    pub fn kept_free(&self) -> usize {
        if self.places > 1 { (self.places / 4).max(1) } else { 0 }
    }

    /// The number of places in use.
    #[must_use]
    pub fn used(&self) -> usize {
        self.used.values().sum()
    }

    /// The number of places of a party.
    #[must_use]
    pub fn used_by(&self, party: &P) -> usize {
        self.used.get(party).copied().unwrap_or_default()
    }

    /// Whether a party may take another place now. `others_wait` says whether another party waits for one.
    #[must_use]
    pub fn admits(&self, party: &P, others_wait: bool) -> bool {
        let free = self.places.saturating_sub(self.used());
        if self.used_by(party) < self.half() { free > 0 } else { !others_wait && free > self.kept_free() }
    }

    /// Takes a place for a party, whether it may have one or not.
    pub fn take(&mut self, party: P) {
        let used = self.used.entry(party).or_default();
        *used = used.saturating_add(1);
    }

    /// Gives back a place of a party.
    pub fn give_back(&mut self, party: &P) {
        if let Some(used) = self.used.get_mut(party) {
            *used = used.saturating_sub(1);
            if *used == 0 {
                self.used.remove(party);
            }
        }
    }

    /// The party that gets the next free place, of those that wait; `None` if none of them may have one. `since` orders
    /// parties with equally many places.
    pub fn next<'w, S: Ord>(&self, waiting: impl Iterator<Item = (&'w P, S)> + Clone) -> Option<&'w P>
    where
        P: 'w,
    {
        let others = waiting.clone().take(2).count() > 1;
        let admitted = waiting.filter(|(party, _)| self.admits(party, others));
        let ordered = admitted.map(|(party, since)| (self.used_by(party), since, party));
        ordered.min_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1))).map(|(_, _, party)| party)
    }

    /// Gives places to waiting work, the longest waiting first within a party. Returns the work that got one.
    #[must_use]
    pub fn hand_out<W>(&mut self, waiting: Vec<(P, W)>) -> Vec<(P, W)> {
        let mut queues: BTreeMap<P, VecDeque<(usize, W)>> = BTreeMap::new();
        for (number, (party, work)) in waiting.into_iter().enumerate() {
            queues.entry(party).or_default().push_back((number, work));
        }
        let mut given = Vec::new();
        loop {
            let fronts = queues.iter().filter_map(|(party, queue)| Some((party, queue.front()?.0)));
            let Some(party) = self.next(fronts).cloned() else { return given };
            let Some(queue) = queues.get_mut(&party) else { return given };
            if let Some((_, work)) = queue.pop_front() {
                self.take(party.clone());
                given.push((party.clone(), work));
            }
            if queue.is_empty() {
                queues.remove(&party);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Shares;

    #[test]
    fn a_party_alone_gets_most_places_and_leaves_some_for_the_next() {
        for (places, most) in [(0, 1), (1, 1), (2, 1), (3, 2), (4, 3), (8, 6), (16, 12)] {
            let mut shares = Shares::new(places);
            let waiting = (0..100).map(|work| ("loud", work)).collect();
            assert_eq!(shares.hand_out(waiting).len(), most, "of {places}");
            assert_eq!(shares.admits(&"quiet", false), places > 1, "of {places}");
        }
    }

    #[test]
    fn while_others_wait_a_party_gets_half() {
        let mut shares = Shares::new(8);
        let waiting = (0..100).map(|work| (if work < 50 { "loud" } else { "louder" }, work)).collect();
        assert_eq!(shares.hand_out(waiting).len(), 8);
        assert_eq!((shares.used_by(&"loud"), shares.used_by(&"louder")), (4, 4));
        assert!(shares.hand_out(vec![("quiet", 1)]).is_empty());
        shares.give_back(&"loud");
        assert_eq!(shares.hand_out(vec![("loud", 1), ("louder", 2), ("quiet", 3)]), [("quiet", 3)]);
        shares.give_back(&"quiet");
        assert_eq!((shares.used(), shares.used_by(&"quiet")), (7, 0));
    }

    #[test]
    fn the_party_with_the_fewest_places_is_next_and_then_the_longest_waiting() {
        let mut shares = Shares::new(9);
        shares.take("a");
        assert_eq!(shares.next([(&"a", 1), (&"b", 3), (&"c", 2)].into_iter()), Some(&"c"));
        let given = shares.hand_out(vec![("a", 1), ("b", 2), ("b", 3), ("c", 4)]);
        assert_eq!(given, [("b", 2), ("c", 4), ("a", 1), ("b", 3)]);
    }
}
