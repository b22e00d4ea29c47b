//! Places at which parties take turns, so that no party blocks another.
//!
//! A party is, for example, an environment. [`Shares`] decides who gets a place. Within a party, callers get places in the
//! order of their arrival.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use patron_domain::shares::Shares;
use tokio::sync::oneshot;

/// Places at which parties take turns.
pub(crate) struct Turns<P: Ord + Clone>(Arc<Shared<P>>);

/// A place, which is given back when this is dropped.
pub(crate) struct Turn<P: Ord + Clone> {
    shared: Arc<Shared<P>>,
    party: P,
}

struct Shared<P>(Mutex<Places<P>>);

/// The places in use, and the callers that wait.
struct Places<P> {
    shares: Shares<P>,
    waiting: BTreeMap<P, BTreeMap<u64, oneshot::Sender<()>>>,
    /// The number of the next caller that waits.
    next: u64,
}

/// A caller that waits. If it is dropped, it leaves the queue, or gives back the place that it got in the meantime.
struct Waiting<P: Ord + Clone> {
    shared: Arc<Shared<P>>,
    party: P,
    number: u64,
    granted: oneshot::Receiver<()>,
    done: bool,
}

impl<P: Ord + Clone> Clone for Turns<P> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<P: Ord + Clone> Turns<P> {
    /// Creates `count` places; at least one.
    pub(crate) fn new(count: usize) -> Self {
        let places = Places { shares: Shares::new(count), waiting: BTreeMap::new(), next: 0 };
        Self(Arc::new(Shared(Mutex::new(places))))
    }

    /// Waits for the party's turn, and takes a place. It is safe to stop waiting.
    pub(crate) async fn take(&self, party: P) -> Turn<P> {
        let Some(mut waiting) = self.0.enter(&party) else { return Turn { shared: self.0.clone(), party } };
        // Never an error: the sender is kept until it grants a place.
        let _ = (&mut waiting.granted).await;
        waiting.done = true;
        Turn { shared: self.0.clone(), party }
    }

    /// Takes a place if the party may have one at once.
    #[cfg(test)]
    pub(crate) fn try_take(&self, party: P) -> Option<Turn<P>> {
        let mut places = self.0.lock();
        places.admits(&party).then(|| {
            places.give(&party);
            Turn { shared: self.0.clone(), party }
        })
    }

    /// The number of places in use.
    #[cfg(any(test, feature = "sqlite"))]
    pub(crate) fn used(&self) -> usize {
        self.0.lock().shares.used()
    }
}

impl<P: Ord + Clone> Shared<P> {
    fn lock(&self) -> MutexGuard<'_, Places<P>> {
        // No code panics while the lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place at once, or queues.
    fn enter(self: &Arc<Self>, party: &P) -> Option<Waiting<P>> {
        let mut places = self.lock();
        if !places.waiting.contains_key(party) && places.admits(party) {
            places.give(party);
            return None;
        }
        let (sender, granted) = oneshot::channel();
        let number = places.next;
        places.next += 1;
        places.waiting.entry(party.clone()).or_default().insert(number, sender);
        // Others of its party may be entitled to places before this one.
        places.hand_out();
        Some(Waiting { shared: self.clone(), party: party.clone(), number, granted, done: false })
    }
}

impl<P: Ord + Clone> Places<P> {
    /// Whether a party may have a place now.
    fn admits(&self, party: &P) -> bool {
        self.shares.admits(party, self.waiting.keys().any(|other| other != party))
    }

    fn give(&mut self, party: &P) {
        self.shares.take(party.clone());
    }

    fn give_back(&mut self, party: &P) {
        self.shares.give_back(party);
        self.hand_out();
    }

    /// Removes a caller from the queue. Returns whether it was still there.
    fn leave(&mut self, party: &P, number: u64) -> bool {
        let Some(queue) = self.waiting.get_mut(party) else { return false };
        let waited = queue.remove(&number).is_some();
        if queue.is_empty() {
            self.waiting.remove(party);
        }
        waited
    }

    /// Gives the free places to waiting callers that may have one.
    fn hand_out(&mut self) {
        while let Some((party, number)) = self.first() {
            let sender = self.waiting.get_mut(&party).and_then(|queue| queue.remove(&number));
            self.give(&party);
            self.leave(&party, number);
            // If the caller is gone, its `Waiting` gives the place back when it is dropped.
            let _ = sender.map(|sender| sender.send(()));
        }
    }

    /// The next caller: the longest waiting one of the party that is next.
    fn first(&self) -> Option<(P, u64)> {
        let fronts = self.waiting.iter().filter_map(|(party, queue)| Some((party, *queue.keys().next()?)));
        let party = self.shares.next(fronts)?;
        let number = *self.waiting.get(party)?.keys().next()?;
        Some((party.clone(), number))
    }
}

impl<P: Ord + Clone> Drop for Waiting<P> {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let mut places = self.shared.lock();
        if places.leave(&self.party, self.number) {
            // Others may have waited only because this one did.
            places.hand_out();
        } else {
            places.give_back(&self.party);
        }
    }
}

impl<P: Ord + Clone> Drop for Turn<P> {
    fn drop(&mut self) {
        self.shared.lock().give_back(&self.party);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::{Turn, Turns};

    /// Takes as many places as a party gets at once.
    fn all(turns: &Turns<u8>, party: u8) -> Vec<Turn<u8>> {
        std::iter::from_fn(|| turns.try_take(party)).collect()
    }

    #[test]
    fn one_alone_has_most_and_leaves_room_for_who_comes_next() {
        for (count, most) in [(1, 1), (2, 1), (3, 2), (4, 3), (8, 6), (16, 12)] {
            let turns = Turns::new(count);
            let mine = all(&turns, 1);
            assert_eq!((mine.len(), turns.used()), (most, most), "of {count}");
            assert_eq!(turns.try_take(2).is_some(), count > 1, "of {count}");
        }
    }

    #[test]
    fn while_others_wait_a_party_has_half() {
        let turns = Turns::new(4);
        let mut mine = all(&turns, 1);
        let theirs = turns.try_take(2).unwrap();
        let mut waiting = Box::pin(turns.take(2));
        assert!(waiting.as_mut().now_or_never().is_none(), "all four are taken");
        let mut more = Box::pin(turns.take(1));
        assert!(more.as_mut().now_or_never().is_none());
        mine.pop();
        assert!(more.as_mut().now_or_never().is_none(), "it has half");
        let second = waiting.now_or_never().expect("the one with fewer is next");
        mine.pop();
        let third = more.now_or_never().expect("it has less than half");
        assert_eq!(turns.used(), 4);
        drop((mine, theirs, second, third));
        assert_eq!(turns.used(), 0);
    }

    #[test]
    fn within_a_party_the_first_is_first_and_who_leaves_loses_no_place() {
        let turns = Turns::new(1);
        let taken = turns.try_take(1).unwrap();
        let mut queue: Vec<_> = (0..3).map(|_| Box::pin(turns.take(1))).collect();
        assert!(queue.iter_mut().all(|one| one.as_mut().now_or_never().is_none()));
        drop(queue.remove(0));
        drop(taken);
        // The place was granted to the next caller, which is dropped before it notices.
        drop(queue.remove(0));
        let last = queue.remove(0).now_or_never().expect("the place goes on");
        drop(last);
        assert_eq!(turns.used(), 0);
    }

    #[test]
    fn of_many_parties_each_is_served() {
        let turns = Turns::new(2);
        let held = [turns.try_take(0).unwrap(), turns.try_take(9).unwrap()];
        let mut crowd: Vec<_> = (0..100).map(|_| Box::pin(turns.take(0))).collect();
        crowd.iter_mut().for_each(|one| assert!(one.as_mut().now_or_never().is_none()));
        let mut quiet: Vec<_> = (1..5).map(|party| Box::pin(turns.take(party))).collect();
        quiet.iter_mut().for_each(|one| assert!(one.as_mut().now_or_never().is_none()));
        drop(held);
        let mut served = 0;
        for one in &mut quiet {
            served += usize::from(one.as_mut().now_or_never().is_some());
        }
        // The places that are given back go to the quiet parties, one after another.
        assert_eq!(served, 4, "each place that is given back goes to one of them");
    }
}
