//! Slices of processor time for long work. They leave processors to other requests, which would wait otherwise.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

/// Limits the number of long pieces of work that run at once. The others wait in the order of their arrival.
pub(crate) struct Slices {
    count: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    running: usize,
    waiting: VecDeque<u64>,
    next: u64,
}

/// Half of the processors; at least one.
pub(crate) fn half_the_processors() -> usize {
    (std::thread::available_parallelism().map_or(1, usize::from) / 2).max(1)
}

impl Slices {
    /// Allows at most `count` at once; at least one.
    pub(crate) fn new(count: usize) -> Self {
        Self { count: count.max(1), state: Mutex::default(), changed: Condvar::new() }
    }

    /// Allows one on every second processor.
    pub(crate) fn of_half_the_processors() -> Self {
        Self::new(half_the_processors())
    }

    /// Blocks this thread until it may run.
    pub(crate) fn enter(&self) {
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        state.waiting.push_back(number);
        while state.running >= self.count || state.waiting.front() != Some(&number) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.waiting.pop_front();
        state.running += 1;
        // There may be room for the next one too.
        self.changed.notify_all();
    }

    /// Ends the slice.
    pub(crate) fn leave(&self) {
        let mut state = self.lock();
        state.running = state.running.saturating_sub(1);
        drop(state);
        self.changed.notify_all();
    }

    /// Lets waiting work run first.
    #[cfg(feature = "sqlite")]
    pub(crate) fn let_others(&self) {
        if !self.lock().waiting.is_empty() {
            self.leave();
            self.enter();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while the lock is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use super::Slices;

    #[test]
    fn no_more_run_at_once_and_all_come_to_their_end() {
        let (slices, running, most) = (Arc::new(Slices::new(2)), AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        slices.enter();
                        most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        std::thread::yield_now();
                        running.fetch_sub(1, Ordering::SeqCst);
                        slices.let_others();
                        slices.leave();
                    }
                });
            }
        });
        let state = slices.lock();
        assert_eq!((state.running, state.waiting.len()), (0, 0));
        assert_eq!(most.load(Ordering::SeqCst), 2);
    }
}
