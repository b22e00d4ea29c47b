//! Definitions of custom fields.

mod port;
pub(crate) mod row;
pub(crate) mod statements;
pub(crate) mod uniqueness;

use std::collections::BTreeMap;

use diesel::QueryResult;
use patron_domain::{
    custom_field::{CustomFieldKey, UniqueValue},
    customer::IndexEntry,
    ids::CustomerId,
};

use super::{customer::row::index_key, unit::Reads};

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

/// The published customers that have some unique values.
pub(crate) async fn holders_of_values(
    unit: &dyn Reads,
    environment: i32,
    values: impl IntoIterator<Item = UniqueValue>,
) -> QueryResult<BTreeMap<UniqueValue, CustomerId>> {
    let mut wanted: BTreeMap<Vec<u8>, UniqueValue> =
        values.into_iter().map(|value| (index_key(&value.entry()), value)).collect();
    if wanted.is_empty() {
        return Ok(BTreeMap::new());
    }
    let keys: Vec<_> = wanted.keys().cloned().collect();
    let holders = unit.unique_holders(environment, &keys).await?.into_iter();
    Ok(holders.filter_map(|(key, customer)| Some((wanted.remove(&key)?, customer.id()))).collect())
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
