//! Listing and searching customers: queries, the order of results, and cursors.
//!
//! A [`CustomerQuery`] is always valid. [`CustomerQuery::evaluate`] defines its meaning: every store must return the
//! same results.

mod condition;
mod evaluate;
mod field;
mod filter;
mod fold;
mod order;
mod parts;

pub use condition::{Comparison, Condition, CustomComparison, Texts};
pub use evaluate::Evaluated;
pub(in crate::customer) use evaluate::text;
pub use field::{DataType, Direction, Expansion, FilterField, ListField, Operator, SortField, TextField, TimeField};
pub use filter::{FilterError, Operand};
pub use fold::Folded;
pub use order::{CursorError, CursorKey, CustomerCursor, CustomerOrder};
pub use parts::CustomerQueryParts;

use super::CustomerRecord;
use crate::{custom_field::CustomFieldKey, lifecycle::Status, page::PageRequest};

/// A query: which customers to find, in which order, and which page.
///
/// It has at most [`CustomerQuery::MAX_FILTERS`] filters, [`CustomerQuery::MAX_IDS`] ids per list,
/// [`CustomerQuery::MAX_PAIRS`] metadata pairs, and [`CustomerQuery::MAX_VALUES`] values in total. It is made from
/// [`CustomerQueryParts`].
///
/// ```
/// use patron_domain::{customer::query::{CustomerQuery, CustomerQueryParts}, testkit::a_customer};
///
/// let parts = CustomerQueryParts { external_id: Some("acme".to_owned()), ..CustomerQueryParts::default() };
/// let query = CustomerQuery::new(parts).unwrap();
/// assert_eq!(query.evaluate([&a_customer("umbrella").existing().customer]).total, 0);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerQuery {
    status: Status,
    conditions: Vec<Condition>,
    order: CustomerOrder,
    page: PageRequest,
    after: Option<CustomerCursor>,
    with_mappings: bool,
    with_total: bool,
}

/// One page of a query's results.
///
/// ```
/// use patron_domain::{
///     customer::CustomerRepository,
///     customer::query::{CustomerPage, CustomerQuery, CustomerQueryParts},
///     testkit::{MemoryStore, a_scope},
/// };
///
/// let query = CustomerQuery::new(CustomerQueryParts::default()).unwrap();
/// let page: CustomerPage = futures::executor::block_on(MemoryStore::default().list(&a_scope(), &query)).unwrap();
/// assert_eq!((page.items.len(), page.total, page.next), (0, Some(0), None));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CustomerPage {
    /// The customers, at most as many as requested. Their mappings are empty unless requested.
    pub items: Vec<CustomerRecord>,
    /// The exact number of customers that match, the same on every page; `None` when not requested.
    pub total: Option<u64>,
    /// The cursor after the last item; `None` on the last page.
    pub next: Option<CustomerCursor>,
}

impl CustomerQuery {
    /// The maximum number of filters.
    pub const MAX_FILTERS: usize = 20;
    /// The maximum number of ids in one list.
    pub const MAX_IDS: usize = Condition::MAX_VALUES;
    /// The maximum number of metadata pairs.
    pub const MAX_PAIRS: usize = 20;
    /// The maximum number of values in all conditions together: each list element, each pair and each single value
    /// counts.
    pub const MAX_VALUES: usize = 1_000;

    /// The status of the customers to find.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// The other conditions.
    #[must_use]
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// The custom fields that it filters or sorts by.
    #[must_use]
    pub fn custom_fields(&self) -> Vec<CustomFieldKey> {
        let sorted = self.order.keys().iter().filter_map(|(field, _)| match field {
            SortField::Custom(key) => Some(*key),
            SortField::Time(_) | SortField::Text(_) => None,
        });
        self.conditions.iter().filter_map(Condition::custom_field).chain(sorted).collect()
    }

    /// The order of the results.
    #[must_use]
    pub fn order(&self) -> &CustomerOrder {
        &self.order
    }

    /// The page size and offset; the offset is 0 with a cursor.
    #[must_use]
    pub fn page(&self) -> PageRequest {
        self.page
    }

    /// The cursor after which the page begins.
    #[must_use]
    pub fn after(&self) -> Option<&CustomerCursor> {
        self.after.as_ref()
    }

    /// Whether to include the customers' published mappings.
    #[must_use]
    pub fn with_mappings(&self) -> bool {
        self.with_mappings
    }

    /// Whether to count all matches.
    #[must_use]
    pub fn with_total(&self) -> bool {
        self.with_total
    }

    /// Whether the page ended early because of its bytes.
    #[must_use]
    pub fn is_cut_short(&self, page: &CustomerPage) -> bool {
        page.next.is_some() && page.items.len() < usize::from(self.page.limit())
    }

    /// The page from the records that were found in order: the requested ones, and one more if there is one.
    #[must_use]
    pub fn page_of(&self, mut items: Vec<CustomerRecord>, total: Option<u64>) -> CustomerPage {
        let limit = usize::from(self.page.limit());
        let more = items.len() > limit;
        items.truncate(limit);
        self.page_that_ends(items, more, total)
    }

    /// The page from its records, in order, for a store that ends pages early. `more` says whether there are further ones.
    #[must_use]
    pub fn page_that_ends(&self, items: Vec<CustomerRecord>, more: bool, total: Option<u64>) -> CustomerPage {
        let last = items.last().filter(|_| more);
        // The total may be counted a moment later than the page, and then miss customers that are on the page.
        let proven = if self.after.is_none() && !items.is_empty() { self.page.offset() } else { 0 };
        let proven = proven.saturating_add(u64::try_from(items.len()).unwrap_or(u64::MAX));
        let total = total.map(|total| total.max(proven));
        CustomerPage { next: last.map(|record| self.order.place_of(&record.customer)), items, total }
    }
}
