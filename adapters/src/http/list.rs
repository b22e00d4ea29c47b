//! Lists: items, and where in the whole list they stand.

use patron_domain::store::{Page, PageRequest};
use serde::Serialize;

/// `{"items": […], "pagination": {…}}`.
#[derive(Serialize)]
pub(crate) struct List<T> {
    items: Vec<T>,
    pagination: Pagination,
}

#[derive(Serialize)]
struct Pagination {
    total: u64,
    limit: u16,
    offset: u64,
}

impl<T> List<T> {
    /// A page, each item turned into its answer.
    pub(crate) fn new<'a, V>(page: &'a Page<V>, request: PageRequest, item: impl FnMut(&'a V) -> T) -> Self {
        let pagination = Pagination { total: page.total, limit: request.limit(), offset: request.offset() };
        Self { items: page.items.iter().map(item).collect(), pagination }
    }
}
