//! Lists: items, and their place in the whole list.

use patron_domain::{
    customer::{CustomerRecord, query::CustomerPage},
    page::{Page, PageRequest},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Api,
    answer::Answer,
    cursor::OffsetCursor,
    error::ApiError,
    openapi::{Limit, Offset, exactly},
};

/// `{"items": […], "pagination": {…}}`.
#[derive(Serialize, ToSchema)]
pub(crate) struct List<T> {
    items: Vec<T>,
    pagination: Pagination,
}

/// The place of a page in the whole list.
#[derive(Serialize, ToSchema)]
pub(crate) struct Pagination {
    /// The number of items in the whole list; absent with `include_total=false`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    total: Option<u64>,
    #[schema(schema_with = exactly::<Limit>)]
    limit: u16,
    #[schema(schema_with = exactly::<Offset>)]
    offset: u64,
    /// The `cursor` of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
}

impl<T> List<T> {
    /// A page, with each item converted for the response.
    pub(crate) fn new<'a, V>(page: &'a Page<V>, request: PageRequest, item: impl FnMut(&'a V) -> T) -> Self {
        Self { items: page.items.iter().map(item).collect(), pagination: Pagination::of(page, request) }
    }

    /// A list without items.
    pub(crate) fn empty(request: PageRequest) -> Self {
        let pagination = Pagination::of(&Page::<T> { items: Vec::new(), total: 0 }, request);
        Self { items: Vec::new(), pagination }
    }

    /// A page of customers, with each one converted for the response.
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

impl Pagination {
    /// The place of a page in a list that is read by offset.
    pub(crate) fn of<V>(page: &Page<V>, request: PageRequest) -> Self {
        let next = OffsetCursor::after(request, page.items.len(), page.total);
        let (limit, offset) = (request.limit(), request.offset());
        Self { total: Some(page.total), limit, offset, next_cursor: next.map(|cursor| cursor.to_string()) }
    }
}

/// The items of a page by cursor, and the last of them if the list continues. One more than the limit was requested.
pub(crate) fn page_of<T>(found: &[T], limit: u16) -> (&[T], Option<&T>) {
    let page = found.get(..usize::from(limit)).unwrap_or(found);
    (page, page.last().filter(|_| page.len() < found.len()))
}

impl<T: Serialize + Sync> List<T> {
    /// The page as a response.
    pub(crate) async fn answer(self, api: &Api) -> Result<Answer, ApiError> {
        Answer::page(api, self.items.len(), &self).await
    }
}
