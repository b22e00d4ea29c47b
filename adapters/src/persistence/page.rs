//! Pages of rows, turned into pages of the domain's values.

use patron_domain::{
    page::{Page, PageRequest},
    store::StoreError,
};

/// A page as offset and limit.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    pub(crate) limit: i64,
    pub(crate) offset: i64,
}

impl From<PageRequest> for Window {
    fn from(page: PageRequest) -> Self {
        // The offset fits by `PageRequest`'s invariant.
        Self { limit: page.limit().into(), offset: i64::try_from(page.offset()).unwrap_or(i64::MAX) }
    }
}

/// A page of values, from its rows and the length of the whole list.
pub(crate) fn page_of<R, T>(
    (rows, total): (Vec<R>, i64),
    read: impl FnMut(R) -> Result<T, StoreError>,
) -> Result<Page<T>, StoreError> {
    let items = rows.into_iter().map(read).collect::<Result<_, _>>()?;
    // A count is never negative.
    Ok(Page { items, total: u64::try_from(total).unwrap_or_default() })
}
