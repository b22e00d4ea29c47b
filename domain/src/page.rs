//! How lists are cut into pages.

/// Which part of a list is asked for.
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

/// Why numbers name no page.
///
/// ```
/// use patron_domain::page::{PageError, PageRequest};
///
/// assert_eq!(PageRequest::new(0, 0), Err(PageError::Limit));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PageError {
    /// The limit is out of its range.
    #[error("limit must be a whole number from 1 to {max}", max = PageRequest::MAX_LIMIT)]
    Limit,
    /// The offset is out of its range.
    #[error("offset must be a whole number from 0 to {max}", max = PageRequest::MAX_OFFSET)]
    Offset,
}

impl crate::violation::Rule for PageError {
    fn rule(&self) -> &'static str {
        "range"
    }
}

impl PageRequest {
    /// The most items a page can have.
    pub const MAX_LIMIT: u16 = 1_000;
    /// The items of a page when nothing else is asked for.
    pub const DEFAULT_LIMIT: u16 = 50;
    /// The largest offset: what fits the 64-bit signed integer of every database here.
    pub const MAX_OFFSET: u64 = i64::MAX as u64;

    /// A page of at most `limit` items (1–1000) after skipping `offset` items.
    ///
    /// # Errors
    /// [`PageError`] names the number that is out of range.
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

    /// As much as one page can hold, from the beginning.
    #[must_use]
    pub fn whole() -> Self {
        Self { limit: Self::MAX_LIMIT, offset: 0 }
    }

    /// The page after this one, on which so many items were found; `None` when they were all that is left.
    #[must_use]
    pub fn next(self, found: usize) -> Option<Self> {
        let offset = self.offset.saturating_add(u64::from(self.limit));
        (found == usize::from(self.limit) && offset <= Self::MAX_OFFSET).then_some(Self { offset, ..self })
    }

    /// The most items wanted, 1 to 1000.
    #[must_use]
    pub fn limit(&self) -> u16 {
        self.limit
    }

    /// How many items to skip.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
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
pub struct Page<T> {
    /// The items of this page, at most as many as asked for.
    pub items: Vec<T>,
    /// How many items the whole list has, exactly.
    pub total: u64,
}

impl<T> Page<T> {
    /// No items of an empty list.
    #[must_use]
    pub fn empty() -> Self {
        Self { items: Vec::new(), total: 0 }
    }

    /// The part of a whole list that is asked for; for stores that have all of it in memory.
    #[must_use]
    pub fn cut(whole: Vec<T>, request: PageRequest) -> Self {
        // A list in memory is never longer than 64 bits can count.
        let total = u64::try_from(whole.len()).unwrap_or(u64::MAX);
        let skipped = usize::try_from(request.offset()).unwrap_or(usize::MAX);
        Self { items: whole.into_iter().skip(skipped).take(usize::from(request.limit())).collect(), total }
    }
}

#[cfg(test)]
mod tests {
    use super::{Page, PageError, PageRequest};

    #[test]
    fn a_page_has_between_1_and_1000_items() {
        assert_eq!(PageRequest::new(0, 0), Err(PageError::Limit));
        assert_eq!(PageRequest::new(1_001, 0), Err(PageError::Limit));
        assert_eq!(PageRequest::new(65_537, 0), Err(PageError::Limit));
        assert_eq!(PageRequest::new(1_000, 7).map(|page| (page.limit(), page.offset())), Ok((1_000, 7)));
        assert_eq!(PageRequest::new(1, u64::MAX), Err(PageError::Offset));
    }

    #[test]
    fn a_whole_list_is_cut_as_asked() {
        let cut = |limit, offset| Page::cut(vec!['a', 'b', 'c'], PageRequest::new(limit, offset).unwrap());
        assert_eq!(cut(2, 1), Page { items: vec!['b', 'c'], total: 3 });
        assert_eq!(cut(2, PageRequest::MAX_OFFSET), Page { items: vec![], total: 3 });
    }
}
