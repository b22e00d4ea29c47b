//! The external ids of a file so far, as hashes in little memory.

use std::hash::{BuildHasher, RandomState};

/// The number of lists. Each is short enough that an insertion moves few kilobytes.
const LISTS: usize = 4_096;

/// Remembers texts: sorted lists of hashes, by their first bits. For two million texts it takes about 20 MB; a set of hashes
/// takes three times as much while it grows.
pub(super) struct Seen {
    hash: RandomState,
    lists: Vec<Vec<u64>>,
}

impl Seen {
    pub(super) fn new() -> Self {
        Self { hash: RandomState::new(), lists: vec![Vec::new(); LISTS] }
    }

    /// Adds a text. Returns whether it is new. Two texts of a file have equal hashes once in ten million files of the largest
    /// size.
    pub(super) fn is_new(&mut self, text: &str) -> bool {
        let hash = self.hash.hash_one(text);
        // 12 bits are less than 4,096.
        let Some(list) = usize::try_from(hash >> 52).ok().and_then(|number| self.lists.get_mut(number)) else {
            return true;
        };
        match list.binary_search(&hash) {
            Ok(_) => false,
            Err(place) => {
                if list.len() == list.capacity() {
                    list.reserve_exact(list.len() / 4 + 16);
                }
                list.insert(place, hash);
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Seen;

    #[test]
    fn each_text_is_new_once() {
        let mut seen = Seen::new();
        for round in 0..2 {
            for number in 0..50_000 {
                assert_eq!(seen.is_new(&number.to_string()), round == 0);
            }
        }
    }
}
