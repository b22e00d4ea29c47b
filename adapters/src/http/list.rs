//! Lists: items, and where in the whole list they stand.

use patron_domain::{
    customer::{CustomerRecord, query::CustomerPage},
    page::{Page, PageRequest},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::openapi::{Limit, Offset, exactly};

/// `{"items": […], "pagination": {…}}`.
#[derive(Serialize, ToSchema)]
pub(crate) struct List<T> {
    items: Vec<T>,
    pagination: Pagination,
}

/// Where in the whole list a page stands.
#[derive(Serialize, ToSchema)]
struct Pagination {
    /// How many items the whole list has; not there with `include_total=false`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    total: Option<u64>,
    #[schema(schema_with = exactly::<Limit>)]
    limit: u16,
    #[schema(schema_with = exactly::<Offset>)]
    offset: u64,
    /// Leads to the next page, as `starting_after`; not there on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
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
