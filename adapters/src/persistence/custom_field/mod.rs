//! Definitions of custom fields.

mod port;
pub(crate) mod row;
pub(crate) mod statements;
pub(crate) mod uniqueness;

use patron_domain::{custom_field::CustomFieldKey, customer::IndexEntry};

/// The range of the keys of all values of a field in `customer_index`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldRange {
    pub(crate) from: Vec<u8>,
    /// The first key after it.
    pub(crate) end: Vec<u8>,
}

impl FieldRange {
    pub(crate) fn of(key: CustomFieldKey) -> Self {
        let from = IndexEntry::custom_field_prefix(key);
        // The prefix ends with a zero.
        let end = from.iter().copied().take(from.len().saturating_sub(1)).chain([1]).collect();
        Self { from, end }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_the_values_of_one_field() {
        let key = |text| CustomFieldKey::new(text).unwrap();
        let range = FieldRange::of(key("ab"));
        for (other, is_within) in [("ab", true), ("a", false), ("abc", false), ("ac", false)] {
            let entry = IndexEntry::custom_field(key(other), "t\u{10ffff}").key;
            assert_eq!(range.from <= entry && entry < range.end, is_within, "{other}");
        }
    }
}
