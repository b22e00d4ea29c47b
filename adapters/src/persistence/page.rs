//! Pages of rows, turned into pages of the domain's values.

use patron_domain::{
    page::{Page, PageBytes, PageRequest},
    store::StoreError,
};

use super::value::Document;

/// A row with a size.
pub(crate) trait Weighed {
    /// The columns that determine its size.
    const SHAPE: Shape;

    /// Its size in bytes, without columns of fixed size.
    fn bytes(&self) -> usize;
}

/// The columns of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Their number.
    pub(crate) columns: usize,
    /// The positions of the documents, counted from 0.
    pub(crate) weighed: &'static [usize],
}

impl Weighed for Document {
    const SHAPE: Shape = Shape { columns: 1, weighed: &[0] };

    fn bytes(&self) -> usize {
        self.0.len()
    }
}

/// Drops the rows that do not belong to the page. Returns whether there were any.
pub(crate) fn cut<R: Weighed>(rows: &mut Vec<R>, bytes: PageBytes) -> bool {
    let fitting = bytes.items_of(rows.iter().map(Weighed::bytes));
    let more = fitting < rows.len();
    rows.truncate(fitting);
    more
}

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
