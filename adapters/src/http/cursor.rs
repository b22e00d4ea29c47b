//! Cursors of lists that are read by offset, so that all lists are paged in the same way.

use std::fmt;

use patron_domain::{
    page::PageRequest,
    violation::{Rule, Violations},
};

/// The start of the next page, as an opaque text for clients.
pub(crate) struct OffsetCursor(u64);

/// The prefix of such a text. It distinguishes it from the cursors of other kinds of lists.
const MARK: &str = "p";

/// The error of an invalid cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a cursor must be the unchanged next_cursor of an earlier page of this list")]
pub(crate) struct OffsetCursorError;

impl Rule for OffsetCursorError {
    fn rule(&self) -> &'static str {
        "cursor"
    }
}

/// The error of a request with both a cursor and an offset.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("a cursor and an offset cannot be combined; send only one of them")]
struct Both;

impl Rule for Both {
    fn rule(&self) -> &'static str {
        "exclusive"
    }
}

impl OffsetCursor {
    /// The cursor after a page with `found` items of a list with `total` items. `None` after the last page.
    pub(crate) fn after(page: PageRequest, found: usize, total: u64) -> Option<Self> {
        let next = page.offset().saturating_add(u64::try_from(found).unwrap_or(u64::MAX));
        (found > 0 && next < total).then_some(Self(next))
    }

    fn parse(text: &str) -> Result<Self, OffsetCursorError> {
        let digits = text.strip_prefix(MARK).filter(|digits| digits.len() == 16).ok_or(OffsetCursorError)?;
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if !digits.bytes().all(is_digit) {
            return Err(OffsetCursorError);
        }
        u64::from_str_radix(digits, 16).map(Self).map_err(|_| OffsetCursorError)
    }

    /// The page at a cursor, instead of the one at an offset.
    pub(crate) fn page(name: &str, text: Option<&str>, page: PageRequest, broken: &mut Violations) -> PageRequest {
        let Some(text) = text else { return page };
        if page.offset() > 0 {
            broken.add(name, &Both);
        }
        let cursor = broken.check(|| name.to_owned(), Self::parse(text));
        let next = cursor.and_then(|Self(offset)| PageRequest::new(page.limit().into(), offset).ok());
        next.unwrap_or(page)
    }
}

impl fmt::Display for OffsetCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{MARK}{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: Option<&str>, offset: u64) -> Result<(u16, u64), String> {
        let mut broken = Violations::new();
        let page = OffsetCursor::page("cursor", text, PageRequest::new(7, offset).unwrap(), &mut broken);
        broken.into_result().map(|()| (page.limit(), page.offset())).map_err(|broken| broken.to_string())
    }

    #[test]
    fn a_cursor_leads_to_the_next_page_until_there_is_none() {
        let after = |offset, found, total| {
            OffsetCursor::after(PageRequest::new(7, offset).unwrap(), found, total).map(|cursor| cursor.to_string())
        };
        assert_eq!(page(after(14, 7, 30).as_deref(), 0), Ok((7, 21)));
        assert_eq!(after(14, 7, 21), None);
        assert_eq!(after(100, 0, 30), None);
        assert_eq!(page(None, 3), Ok((7, 3)));
    }

    #[test]
    fn invalid_cursors_are_rejected() {
        let long = "p0".repeat(20);
        for bad in ["", "p", "14", "p000000000000001", "p000000000000000G", "pffffffffffffffffff", "0110", &long] {
            assert!(page(Some(bad), 0).is_err(), "{bad}");
        }
        assert!(page(Some("p0000000000000001"), 1).unwrap_err().contains("cannot be combined"));
        // An offset beyond the range of databases has no items. The page stays unchanged.
        assert_eq!(page(Some("pffffffffffffffff"), 0), Ok((7, 0)));
    }
}
