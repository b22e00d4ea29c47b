//! Schemas of the parameters that choose a part of a list: limits, offsets, cursors, and the text of a search.

use patron_domain::{
    audit::AuditNumber,
    customer::find::FindQuery,
    event::{EventCursor, EventLimit},
    page::PageRequest,
};

use super::shape::{Look, Shape};

impl Shape for EventCursor {
    fn look() -> Look {
        Look::matching("1[0-9A-HJKMNP-TV-Z]{32}", "A place in the log, opaque to clients.", Self::START.to_string())
    }
}

impl Shape for AuditNumber {
    fn look() -> Look {
        Look::matching("a[0-9a-f]{16}", "A place in the audit log, opaque to clients.", Self::FIRST.to_string())
    }
}

impl Shape for EventLimit {
    fn look() -> Look {
        let standard = Self::default().get();
        let says = format!("The most events in the response, by default {standard}.");
        Look::integer((1, Self::MAX.into()), says, standard)
    }
}

/// The limit of a page.
pub(crate) struct Limit;

impl Shape for Limit {
    fn look() -> Look {
        let says = format!("The most items on the page, by default {}.", PageRequest::DEFAULT_LIMIT);
        Look::integer((1, PageRequest::MAX_LIMIT.into()), says, PageRequest::DEFAULT_LIMIT)
    }
}

/// The offset of a page.
pub(crate) struct Offset;

impl Shape for Offset {
    fn look() -> Look {
        Look::integer((0, PageRequest::MAX_OFFSET as i64), "The number of items to skip, by default 0.", 0)
    }
}

/// A text to find customers by.
pub(crate) struct FindText;

impl Shape for FindText {
    fn look() -> Look {
        let says = format!("A piece of text of at least {} characters.", FindQuery::MIN_CHARS);
        Look::text(FindQuery::MAX_CHARS, &says, "muller berlin")
    }
}

/// The limit of a search by a piece of text.
pub(crate) struct FindLimit;

impl Shape for FindLimit {
    fn look() -> Look {
        let says = format!("The most customers, by default {}.", FindQuery::DEFAULT_LIMIT);
        Look::integer((1, FindQuery::MAX_LIMIT.into()), says, FindQuery::DEFAULT_LIMIT)
    }
}
