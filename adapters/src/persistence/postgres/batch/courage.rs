//! Whether what belongs to new customers is written before it is known that their external ids are free.

use std::sync::atomic::{AtomicU8, Ordering};

/// How many batches are written with care after one in which an external id was taken.
const CAREFUL: u8 = 50;

/// Most creates find their external ids free, so everything is sent together: one wait less for the server. When one is
/// taken after all, the transaction is taken back and done again with care: first the customers, then what belongs to
/// those that were made. So that clients who keep on asking for what is taken do not make every batch run twice, the
/// next ones are written with care too.
#[derive(Debug, Default)]
pub(super) struct Courage(AtomicU8);

impl Courage {
    /// Whether to write the next batch with care.
    pub(super) fn is_careful(&self) -> bool {
        // Two that count at once lose one: it is a hint.
        let left = self.0.load(Ordering::Relaxed);
        self.0.store(left.saturating_sub(1), Ordering::Relaxed);
        left > 0
    }

    /// An external id was taken.
    pub(super) fn lose(&self) {
        self.0.store(CAREFUL, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::{CAREFUL, Courage};

    #[test]
    fn some_batches_after_a_loss_are_careful() {
        let courage = Courage::default();
        assert!(!courage.is_careful());
        courage.lose();
        assert!((0..CAREFUL).all(|_| courage.is_careful()));
        assert!(!courage.is_careful());
    }
}
