//! Listing and searching customers: what can be asked, the order of what is found, and places in it.
//!
//! [`CustomerQuery`] is the question, in which nothing invalid can exist. [`CustomerQuery::evaluate`] is what it means:
//! every store has to answer as that function does.

mod condition;
mod evaluate;
mod field;
mod filter;
mod fold;
mod order;
mod parts;

pub use condition::{Comparison, Condition, Texts};
pub use evaluate::Evaluated;
pub use field::{DataType, Direction, Expansion, FilterField, FoldedField, Operator, SortField, TextField, TimeField};
pub use filter::{FilterError, Operand};
pub use fold::Folded;
pub use order::{CursorError, CursorKey, CustomerCursor, CustomerOrder};
pub use parts::CustomerQueryParts;

use super::CustomerRecord;
use crate::{lifecycle::Status, page::PageRequest};

/// Which customers are asked for, in which order, and which of them this time.
///
/// At most [`CustomerQuery::MAX_FILTERS`] filters, [`CustomerQuery::MAX_IDS`] ids in a list,
/// [`CustomerQuery::MAX_PAIRS`] pairs of metadata, and [`CustomerQuery::MAX_VALUES`] values of all of them together. Made from
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

/// A part of the customers that a query finds.
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
pub struct CustomerPage {
    /// The customers, at most as many as asked for. Their mappings are empty unless they were asked for.
    pub items: Vec<CustomerRecord>,
    /// How many customers the query finds in all, on every page, exactly; `None` when that was not asked.
    pub total: Option<u64>,
    /// The place of the last of the items; `None` when nothing comes after it.
    pub next: Option<CustomerCursor>,
}

impl CustomerQuery {
    /// The most filters.
    pub const MAX_FILTERS: usize = 20;
    /// The most ids in one list.
    pub const MAX_IDS: usize = Condition::MAX_VALUES;
    /// The most pairs of metadata.
    pub const MAX_PAIRS: usize = 20;
    /// The most values of all conditions together: each element of a list, each pair and each single value is one.
    pub const MAX_VALUES: usize = 1_000;

    /// The status that every customer found has.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// What else holds of every customer found.
    #[must_use]
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// The order of what is found.
    #[must_use]
    pub fn order(&self) -> &CustomerOrder {
        &self.order
    }

    /// How many customers are wanted, and how many are skipped; none with a cursor.
    #[must_use]
    pub fn page(&self) -> PageRequest {
        self.page
    }

    /// The place after which the customers wanted begin.
    #[must_use]
    pub fn after(&self) -> Option<&CustomerCursor> {
        self.after.as_ref()
    }

    /// Whether the published mappings of the customers are wanted.
    #[must_use]
    pub fn with_mappings(&self) -> bool {
        self.with_mappings
    }

    /// Whether the number of all that is found is wanted.
    #[must_use]
    pub fn with_total(&self) -> bool {
        self.with_total
    }

    /// The page from the records of the wanted customers, and one more if there is one, in order.
    #[must_use]
    pub fn page_of(&self, mut items: Vec<CustomerRecord>, total: Option<u64>) -> CustomerPage {
        let limit = usize::from(self.page.limit());
        let more = items.len() > limit;
        items.truncate(limit);
        let last = items.last().filter(|_| more);
        // A total that was counted a moment later may have missed customers that are on the page.
        let proven = if self.after.is_none() && !items.is_empty() { self.page.offset() } else { 0 };
        let proven = proven.saturating_add(u64::try_from(items.len()).unwrap_or(u64::MAX));
        let total = total.map(|total| total.max(proven));
        CustomerPage { next: last.map(|record| self.order.place_of(&record.customer)), items, total }
    }
}
