//! Pages of lists.

/// The requested part of a list.
///
/// ```
/// use patron_domain::page::PageRequest;
///
/// let page = PageRequest::new(10, 20).unwrap();
/// assert_eq!((page.limit(), page.offset()), (10, 20));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    limit: u16,
    offset: u64,
}

/// Why numbers are not a valid page request.
///
/// ```
/// use patron_domain::page::{PageError, PageRequest};
///
/// assert_eq!(PageRequest::new(0, 0), Err(PageError::Limit));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PageError {
    /// The limit is out of range.
    #[error("limit must be a whole number from 1 to {max}", max = PageRequest::MAX_LIMIT)]
    Limit,
    /// The offset is out of range.
    #[error("offset must be a whole number from 0 to {max}", max = PageRequest::MAX_OFFSET)]
    Offset,
}

impl crate::violation::Rule for PageError {
    fn rule(&self) -> &'static str {
        "range"
    }
}

impl PageRequest {
    /// The maximum number of items in a page.
    pub const MAX_LIMIT: u16 = 1_000;
    /// The default number of items in a page.
    pub const DEFAULT_LIMIT: u16 = 50;
    /// The largest offset: the maximum of a 64-bit signed integer, as all supported databases have it.
    pub const MAX_OFFSET: u64 = i64::MAX as u64;

    /// A page of at most `limit` items (1–1000) after skipping `offset` items.
    ///
    /// # Errors
    /// [`PageError`] with the number that is out of range.
    pub fn new(limit: u64, offset: u64) -> Result<Self, PageError> {
        let limit = u16::try_from(limit).map_err(|_| PageError::Limit)?;
        if !(1..=Self::MAX_LIMIT).contains(&limit) {
            return Err(PageError::Limit);
        }
        if offset > Self::MAX_OFFSET {
            return Err(PageError::Offset);
        }
        Ok(Self { limit, offset })
    }

    /// The largest possible first page.
    #[must_use]
    pub fn whole() -> Self {
        Self { limit: Self::MAX_LIMIT, offset: 0 }
    }

    /// The request for the page after this one, given the number of items found; `None` when there are no more.
    #[must_use]
    pub fn next(self, found: usize) -> Option<Self> {
        let offset = self.offset.saturating_add(u64::from(self.limit));
        (found == usize::from(self.limit) && offset <= Self::MAX_OFFSET).then_some(Self { offset, ..self })
    }

    /// The maximum number of items, 1 to 1000.
    #[must_use]
    pub fn limit(&self) -> u16 {
        self.limit
    }

    /// The number of items to skip.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }
}

/// The approximate largest size of a page, as its items are stored. A page ends with the item that reaches it, so every
/// page has at least one item.
///
/// ```
/// use patron_domain::page::PageBytes;
///
/// assert_eq!(PageBytes::default().get(), 8 * 1_024 * 1_024);
/// // The first two of these items fit on the page.
/// assert_eq!(PageBytes::new(100).items_of([60, 60, 60]), 2);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageBytes(usize);

impl PageBytes {
    /// A number of bytes; at least one.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self(bytes.max(1))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> usize {
        self.0
    }

    /// The number of items on a page, from the sizes of the items in order: all that begin within its bytes.
    #[must_use]
    pub fn items_of(self, sizes: impl IntoIterator<Item = usize>) -> usize {
        let mut before = 0_usize;
        let fits = |size: &usize| {
            let fits = before < self.0;
            before = before.saturating_add(*size);
            fits
        };
        sizes.into_iter().take_while(fits).count()
    }
}

impl Default for PageBytes {
    /// 8 MiB.
    fn default() -> Self {
        Self(8 * 1_024 * 1_024)
    }
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { limit: Self::DEFAULT_LIMIT, offset: 0 }
    }
}

/// One page of a list.
///
/// ```
/// use patron_domain::page::{Page, PageRequest};
///
/// let page = Page::cut(vec!['a', 'b', 'c'], PageRequest::new(2, 1).unwrap());
/// assert_eq!(page, Page { items: vec!['b', 'c'], total: 3 });
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Page<T> {
    /// The items of this page, at most as many as requested.
    pub items: Vec<T>,
    /// The exact number of items in the whole list.
    pub total: u64,
}

impl<T> Page<T> {
    /// The page of an empty list.
    #[must_use]
    pub fn empty() -> Self {
        Self { items: Vec::new(), total: 0 }
    }

    /// Cuts the requested page out of a whole list, for stores that keep everything in memory.
    #[must_use]
    pub fn cut(whole: Vec<T>, request: PageRequest) -> Self {
        // A list in memory has at most 2^64 items.
        let total = u64::try_from(whole.len()).unwrap_or(u64::MAX);
        let skipped = usize::try_from(request.offset()).unwrap_or(usize::MAX);
        Self { items: whole.into_iter().skip(skipped).take(usize::from(request.limit())).collect(), total }
    }
}

#[cfg(test)]
mod tests {
    use super::{Page, PageBytes, PageError, PageRequest};

    #[test]
    fn a_page_has_between_1_and_1000_items() {
        assert_eq!(PageRequest::new(0, 0), Err(PageError::Limit));
        assert_eq!(PageRequest::new(1_001, 0), Err(PageError::Limit));
        assert_eq!(PageRequest::new(65_537, 0), Err(PageError::Limit));
        assert_eq!(PageRequest::new(1_000, 7).map(|page| (page.limit(), page.offset())), Ok((1_000, 7)));
        assert_eq!(PageRequest::new(1, u64::MAX), Err(PageError::Offset));
    }

    #[test]
    fn a_page_ends_with_the_item_that_reaches_its_bytes() {
        for (sizes, wanted) in [(&[][..], 0), (&[500], 1), (&[100, 1], 1), (&[99, 1, 1], 2), (&[0, 0, 0], 3)] {
            assert_eq!(PageBytes::new(100).items_of(sizes.iter().copied()), wanted, "{sizes:?}");
        }
        assert_eq!(PageBytes::new(0).items_of([7, 7]), 1, "never none");
    }

    #[test]
    fn the_requested_part_is_cut_out_of_a_list() {
        let cut = |limit, offset| Page::cut(vec!['a', 'b', 'c'], PageRequest::new(limit, offset).unwrap());
        assert_eq!(cut(2, 1), Page { items: vec!['b', 'c'], total: 3 });
        assert_eq!(cut(2, PageRequest::MAX_OFFSET), Page { items: vec![], total: 3 });
    }
}
