//! The parameters of every list, read in one place, so that all lists accept and reject the same values.

use patron_domain::{
    customer::query::Direction,
    page::{Page, PageBytes, PageRequest},
    time::Timestamp,
    violation::{Violation, Violations},
};

use super::{cursor::OffsetCursor, error::ApiError, query::Query};

/// The parameters that all lists share. Lists check even those that they do not use.
pub(crate) struct Listing {
    /// The limit and the offset.
    pub(crate) page: PageRequest,
    /// The direction.
    pub(crate) order: Option<Direction>,
    /// The earliest time of creation.
    pub(crate) start_time: Option<Timestamp>,
    /// The latest time of creation.
    pub(crate) end_time: Option<Timestamp>,
    /// Whether the request has a cursor.
    pub(crate) by_cursor: bool,
}

/// Refuses a page that ended early, after `items` items, because of its size. A page by cursor is fine, because its
/// `next_cursor` continues after it. Without a cursor, clients add `limit` to `offset` and would skip items.
pub(crate) fn whole_page(items: usize, by_cursor: bool) -> Result<(), ApiError> {
    if by_cursor {
        return Ok(());
    }
    let message = format!(
        "the page would be larger than {} MiB; {items} items fit: send limit={items}, or a smaller one",
        PageBytes::default().get() >> 20
    );
    let mut broken = Violations::new();
    broken.push(Violation { path: "limit".to_owned(), rule: "page_too_large", message });
    Err(broken.into())
}

/// The same for a list that is read by offset. Its page ended early if it is shorter than requested and the list
/// continues.
pub(crate) fn whole_page_of<T>(page: &Page<T>, request: PageRequest, by_cursor: bool) -> Result<(), ApiError> {
    let items = page.items.len();
    let end = request.offset().saturating_add(items as u64);
    let is_cut = items > 0 && items < usize::from(request.limit()) && end < page.total;
    if is_cut { whole_page(items, by_cursor) } else { Ok(()) }
}

/// The names under which lists accept the `next_cursor` of the previous page: the common one, and two older ones.
const CURSORS: [&str; 3] = ["cursor", "starting_after", "after"];

impl Listing {
    /// Reads the parameters of a list that is read by offset. Its cursors stand for offsets.
    pub(crate) fn read(query: &Query<'_>, broken: &mut Violations) -> Self {
        let mut listing = Self::without_cursor(query, broken);
        let (name, cursor) = cursor(query, broken);
        listing.by_cursor = cursor.is_some();
        listing.page = OffsetCursor::page(name, cursor, listing.page, broken);
        listing
    }

    /// Reads the parameters of a list with its own kind of cursors.
    pub(crate) fn without_cursor(query: &Query<'_>, broken: &mut Violations) -> Self {
        let listing = Self {
            page: query.page(broken),
            order: query.checked("order", broken, Direction::parse),
            start_time: query.time("start_time", broken),
            end_time: query.time("end_time", broken),
            by_cursor: false,
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

/// The cursor of a query, with the name under which it was sent. If it has several names, they must have the same
/// value.
pub(crate) fn cursor<'q>(query: &'q Query<'_>, broken: &mut Violations) -> (&'static str, Option<&'q str>) {
    let mut given = CURSORS.into_iter().filter_map(|name| Some((name, query.get(name)?)));
    let Some((name, cursor)) = given.next() else { return (CURSORS[0], None) };
    if let Some((other, _)) = given.find(|(_, other)| *other != cursor) {
        let message = format!("{name} and {other} are two names of the same cursor; send one of them");
        broken.push(Violation { path: name.to_owned(), rule: "exclusive", message });
    }
    (name, Some(cursor))
}
