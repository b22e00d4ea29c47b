//! Pages of rows, turned into pages of the domain's values.

use patron_domain::{
    page::{Page, PageRequest},
    store::StoreError,
};

/// A page as databases count it.
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

/// Reads rows back, in whatever collection.
pub(crate) fn decode<R, T, C>(rows: impl IntoIterator<Item = R>) -> Result<C, StoreError>
where
    T: TryFrom<R, Error = StoreError>,
    C: FromIterator<T>,
{
    rows.into_iter().map(T::try_from).collect()
}

/// A page of values from its rows and the number of rows in the whole list.
pub(crate) fn page<R, T>(found: (Vec<R>, i64)) -> Result<Page<T>, StoreError>
where
    T: TryFrom<R, Error = StoreError>,
{
    page_of(found, T::try_from)
}

/// The same where a row alone does not say it all.
pub(crate) fn page_of<R, T>(
    (rows, total): (Vec<R>, i64),
    read: impl FnMut(R) -> Result<T, StoreError>,
) -> Result<Page<T>, StoreError> {
    let items = rows.into_iter().map(read).collect::<Result<_, _>>()?;
    // A count is never negative.
    Ok(Page { items, total: u64::try_from(total).unwrap_or_default() })
}
