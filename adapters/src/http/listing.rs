//! What every list can be asked: read in one place, so that no list takes what another one refuses.

use patron_domain::{
    customer::query::Direction,
    page::PageRequest,
    time::Timestamp,
    violation::{Violation, Violations},
};

use super::{cursor::OffsetCursor, query::Query};

/// The parameters that all lists share. A list that has no use for one of them checks it all the same.
pub(crate) struct Listing {
    /// How many, and how many to skip.
    pub(crate) page: PageRequest,
    /// Which end comes first.
    pub(crate) order: Option<Direction>,
    /// Created then or later.
    pub(crate) start_time: Option<Timestamp>,
    /// Created then or earlier.
    pub(crate) end_time: Option<Timestamp>,
}

/// The names under which lists take the `next_cursor` of the page before: the one that all take, and those of old.
const CURSORS: [&str; 3] = ["cursor", "starting_after", "after"];

impl Listing {
    /// Those of a list that is read by offset: its cursors stand for offsets.
    pub(crate) fn read(query: &Query<'_>, broken: &mut Violations) -> Self {
        let mut listing = Self::without_cursor(query, broken);
        let (name, cursor) = cursor(query, broken);
        listing.page = OffsetCursor::page(name, cursor, listing.page, broken);
        listing
    }

    /// Those of a list whose cursors are places of its own.
    pub(crate) fn without_cursor(query: &Query<'_>, broken: &mut Violations) -> Self {
        let listing = Self {
            page: query.page(broken),
            order: query.checked("order", broken, Direction::parse),
            start_time: query.time("start_time", broken),
            end_time: query.time("end_time", broken),
        };
        if let (Some(start), Some(end)) = (listing.start_time, listing.end_time)
            && end < start
        {
            let message = "end_time must not be before start_time".to_owned();
            broken.push(Violation { path: "end_time".to_owned(), rule: "after_start", message });
        }
        listing
    }
}

/// The cursor of a query with the name under which it was sent. Sent under several names it has to be one.
pub(crate) fn cursor<'q>(query: &'q Query<'_>, broken: &mut Violations) -> (&'static str, Option<&'q str>) {
    let mut given = CURSORS.into_iter().filter_map(|name| Some((name, query.get(name)?)));
    let Some((name, cursor)) = given.next() else { return (CURSORS[0], None) };
    if let Some((other, _)) = given.find(|(_, other)| *other != cursor) {
        let message = format!("{name} and {other} are two names of one cursor; send one of them");
        broken.push(Violation { path: name.to_owned(), rule: "exclusive", message });
    }
    (name, Some(cursor))
}
