//! Lists: items, and where in the whole list they stand.

use patron_domain::{
    customer::{CustomerRecord, query::CustomerPage},
    store::{Page, PageRequest},
};
use serde::Serialize;

/// `{"items": […], "pagination": {…}}`.
#[derive(Serialize)]
pub(crate) struct List<T> {
    items: Vec<T>,
    pagination: Pagination,
}

#[derive(Serialize)]
struct Pagination {
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    limit: u16,
    offset: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl<T> List<T> {
    /// A page, each item turned into its answer.
    pub(crate) fn new<'a, V>(page: &'a Page<V>, request: PageRequest, item: impl FnMut(&'a V) -> T) -> Self {
        let (limit, offset) = (request.limit(), request.offset());
        let pagination = Pagination { total: Some(page.total), limit, offset, next_cursor: None };
        Self { items: page.items.iter().map(item).collect(), pagination }
    }

    /// A page of customers, each turned into its answer.
    pub(crate) fn of_customers<'a>(
        page: &'a CustomerPage,
        request: PageRequest,
        item: impl FnMut(&'a CustomerRecord) -> T,
    ) -> Self {
        let next_cursor = page.next.as_ref().map(ToString::to_string);
        let pagination =
            Pagination { total: page.total, limit: request.limit(), offset: request.offset(), next_cursor };
        Self { items: page.items.iter().map(item).collect(), pagination }
    }
}
