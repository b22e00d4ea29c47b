//! The parts of a query, and the rules for combining them.

use std::{collections::BTreeMap, fmt};

use super::{
    Comparison, Condition, CustomerCursor, CustomerOrder, CustomerQuery, Direction, SortField, TextField, TimeField,
};
use crate::{
    lifecycle::Status,
    page::PageRequest,
    time::Timestamp,
    violation::{Violation, Violations},
};

/// The parts of a [`CustomerQuery`], named as on the wire. All are optional. Without any, the query finds the published
/// customers, the newest first. Search texts may be personal data, so `Debug` does not show them.
///
/// ```
/// use patron_domain::{customer::query::{CustomerQuery, CustomerQueryParts}, testkit::a_customer};
///
/// let parts = CustomerQueryParts { metadata: [("plan".to_owned(), "gold".to_owned())].into(), ..Default::default() };
/// let query = CustomerQuery::new(parts).unwrap();
/// assert_eq!(query.evaluate([&a_customer("acme").noted("plan", "gold").existing().customer]).total, 1);
/// ```
#[derive(Clone, Default)]
pub struct CustomerQueryParts {
    /// The status of the customers; published by default.
    pub status: Option<Status>,
    /// An external id, case-sensitive.
    pub external_id: Option<String>,
    /// An e-mail address, case-sensitive.
    pub email: Option<String>,
    /// Any of these ids; an empty list finds no customer.
    pub customer_ids: Option<Vec<String>>,
    /// Any of these external ids; an empty list finds no customer.
    pub external_ids: Option<Vec<String>>,
    /// All of these metadata pairs.
    pub metadata: BTreeMap<String, String>,
    /// Created at this time or later.
    pub start_time: Option<Timestamp>,
    /// Created at this time or earlier.
    pub end_time: Option<Timestamp>,
    /// Further conditions; all must hold.
    pub filters: Vec<Condition>,
    /// The sort fields. A field without a direction takes that of `order`.
    pub sort: Vec<(SortField, Option<Direction>)>,
    /// The direction of sort fields without their own; by default [`SortField::usual_direction`].
    pub order: Option<Direction>,
    /// The page size and offset.
    pub page: PageRequest,
    /// The `next_cursor` of an earlier response.
    pub starting_after: Option<String>,
    /// Whether to include the published mappings.
    pub with_mappings: bool,
    /// Whether to leave out the count of all matches.
    pub without_total: bool,
}

impl fmt::Debug for CustomerQueryParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomerQueryParts(redacted)")
    }
}

impl CustomerQuery {
    /// Combines the parts and checks them.
    ///
    /// # Errors
    /// Every broken rule under its wire name: too many values, an end before its start, a cursor of another order, or a
    /// cursor together with an offset.
    pub fn new(parts: CustomerQueryParts) -> Result<Self, Violations> {
        let mut broken = Violations::new();
        check_bounds(&parts, &mut broken);
        let direction = parts.order.unwrap_or_default();
        let of = |field: SortField, own: Option<Direction>| own.or(parts.order).unwrap_or(field.usual_direction());
        let keys = parts.sort.iter().map(|(field, own)| (*field, of(*field, *own))).collect::<Vec<_>>();
        let order = if keys.is_empty() { Ok(CustomerOrder::by_creation(direction)) } else { CustomerOrder::new(keys) };
        let order = order.map_err(|found| found.into_iter().for_each(|violation| broken.push(violation))).ok();
        let after = match (&order, &parts.starting_after) {
            (Some(order), Some(text)) => {
                broken.check(|| "starting_after".to_owned(), CustomerCursor::parse(text, order))
            }
            _ => None,
        };
        let (status, page) = (parts.status.unwrap_or(Status::Published), parts.page);
        let (with_mappings, with_total) = (parts.with_mappings, !parts.without_total);
        let conditions = conditions(parts);
        check_values(&conditions, &mut broken);
        broken.into_result()?;
        let conditions = conditions.into_iter().map(|(_, condition)| condition).collect();
        let order = order.unwrap_or_else(|| CustomerOrder::by_creation(direction));
        Ok(Self { status, conditions, order, page, after, with_mappings, with_total })
    }
}

/// Limits the total number of values: several lists within their own limits can still make one search too expensive.
fn check_values(conditions: &[(&'static str, Condition)], broken: &mut Violations) {
    let (most, mut count, mut path) = (CustomerQuery::MAX_VALUES, 0, None);
    for (place, condition) in conditions {
        count += condition.values();
        // The first part that exceeds the limit.
        path = path.or((count > most).then_some(*place));
    }
    if let Some(path) = path {
        let message =
            format!("{path} exceeds the limit: a search may have at most {most} values in total, this one has {count}");
        broken.push(Violation { path: path.to_owned(), rule: "max_values", message });
    }
}

/// All conditions, each with the name of the part it comes from.
fn conditions(parts: CustomerQueryParts) -> Vec<(&'static str, Condition)> {
    let one_of = |name, field, texts: Option<Vec<String>>| {
        texts.map(|texts| (name, Condition::OneOf(field, texts.into_iter().collect())))
    };
    let created = |name, comparison, at: Option<Timestamp>| {
        at.map(|at| (name, Condition::Time(TimeField::CreatedAt, comparison, at)))
    };
    let single = |text: Option<String>| text.map(|text| vec![text]);
    let mut all: Vec<_> = [
        one_of("external_id", TextField::ExternalId, single(parts.external_id)),
        one_of("external_ids", TextField::ExternalId, parts.external_ids),
        one_of("customer_ids", TextField::Id, parts.customer_ids),
        one_of("email", TextField::Email, single(parts.email)),
        created("start_time", Comparison::From, parts.start_time),
        created("end_time", Comparison::UpTo, parts.end_time),
    ]
    .into_iter()
    .flatten()
    .collect();
    all.extend(parts.metadata.into_iter().map(|(key, value)| ("metadata", Condition::Pair { key, value })));
    all.extend(parts.filters.into_iter().map(|filter| ("filters", filter)));
    all
}

fn check_bounds(parts: &CustomerQueryParts, broken: &mut Violations) {
    let ids = |ids: &Option<Vec<String>>| ids.as_ref().map_or(0, Vec::len);
    for (path, count, most, what) in [
        ("customer_ids", ids(&parts.customer_ids), CustomerQuery::MAX_IDS, "ids"),
        ("external_ids", ids(&parts.external_ids), CustomerQuery::MAX_IDS, "ids"),
        ("metadata", parts.metadata.len(), CustomerQuery::MAX_PAIRS, "keys"),
        ("filters", parts.filters.len(), CustomerQuery::MAX_FILTERS, "filters"),
    ] {
        if count > most {
            let message = format!("{path} must have at most {most} {what}, it has {count}");
            broken.push(Violation { path: path.to_owned(), rule: "max_items", message });
        }
    }
    if let (Some(start), Some(end)) = (parts.start_time, parts.end_time)
        && end < start
    {
        let message = "end_time must not be before start_time".to_owned();
        broken.push(Violation { path: "end_time".to_owned(), rule: "after_start", message });
    }
    if parts.starting_after.is_some() && parts.page.offset() > 0 {
        let message = "a cursor and an offset cannot be combined; send only one of them".to_owned();
        broken.push(Violation { path: "starting_after".to_owned(), rule: "exclusive", message });
    }
}

#[cfg(test)]
mod tests {
    use super::CustomerQueryParts;
    use crate::{
        customer::query::{
            Condition, CustomerOrder, CustomerQuery, Direction, Folded, SortField, TextField, TimeField,
        },
        lifecycle::Status,
        page::PageRequest,
        time::Timestamp,
    };

    const NAME: SortField = SortField::Text(TextField::Name);
    const CREATED: SortField = SortField::Time(TimeField::CreatedAt);

    fn paths(parts: CustomerQueryParts) -> Vec<(String, &'static str)> {
        let broken = CustomerQuery::new(parts).unwrap_err();
        broken.into_iter().map(|violation| (violation.path, violation.rule)).collect()
    }

    fn micros(micros: i64) -> Option<Timestamp> {
        Timestamp::from_micros(micros).ok()
    }

    #[test]
    fn without_any_part_it_finds_the_published_customers_the_newest_first() {
        let query = CustomerQuery::new(CustomerQueryParts::default()).unwrap();
        assert_eq!((query.status(), query.conditions()), (Status::Published, &[][..]));
        assert_eq!(query.order(), &CustomerOrder::by_creation(Direction::Desc));
        assert_eq!((query.page(), query.after()), (PageRequest::default(), None));
        assert_eq!((query.with_mappings(), query.with_total()), (false, true));
    }

    #[test]
    fn an_empty_list_of_ids_is_a_condition_that_never_holds() {
        let parts = CustomerQueryParts { customer_ids: Some(vec![]), external_ids: Some(vec![]), ..Default::default() };
        let none = || std::iter::empty::<String>().collect();
        let wanted = [TextField::ExternalId, TextField::Id].map(|field| Condition::OneOf(field, none()));
        assert_eq!(CustomerQuery::new(parts).unwrap().conditions(), wanted);
    }

    #[test]
    fn order_is_the_direction_of_every_field_without_its_own() {
        let parts = CustomerQueryParts {
            sort: vec![(NAME, None), (CREATED, Some(Direction::Desc))],
            order: Some(Direction::Asc),
            ..Default::default()
        };
        let keys = [(NAME, Direction::Asc), (CREATED, Direction::Desc)];
        assert_eq!(CustomerQuery::new(parts).unwrap().order().keys(), keys);
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let filter = || Condition::Lacks(TextField::Name, Folded::new("a"));
        let parts = CustomerQueryParts {
            customer_ids: Some(vec![String::new(); 1_001]),
            external_ids: Some(vec![String::new(); 1_001]),
            metadata: (0..21).map(|n| (n.to_string(), String::new())).collect(),
            filters: std::iter::repeat_with(filter).take(21).collect(),
            start_time: micros(2),
            end_time: micros(1),
            page: PageRequest::new(1, 1).unwrap(),
            starting_after: Some("x".to_owned()),
            ..Default::default()
        };
        let wanted = [
            ("customer_ids", "max_items"),
            ("external_ids", "max_items"),
            ("metadata", "max_items"),
            ("filters", "max_items"),
            ("end_time", "after_start"),
            ("starting_after", "exclusive"),
        ];
        assert_eq!(paths(parts), wanted.map(|(path, rule)| (path.to_owned(), rule)));
        let cursor = CustomerQueryParts { starting_after: Some("x".to_owned()), ..Default::default() };
        assert_eq!(paths(cursor), [("starting_after".to_owned(), "cursor")]);
    }

    #[test]
    fn values_at_the_limits_are_accepted() {
        let parts = CustomerQueryParts { customer_ids: Some(vec![String::new(); 1_000]), ..Default::default() };
        assert_eq!(CustomerQuery::new(parts).map(|query| query.conditions().len()), Ok(1));
        let parts = CustomerQueryParts {
            metadata: (0..20).map(|n| (n.to_string(), String::new())).collect(),
            start_time: micros(2),
            end_time: micros(2),
            ..Default::default()
        };
        assert_eq!(CustomerQuery::new(parts).map(|query| query.conditions().len()), Ok(22));
    }

    #[test]
    fn a_search_has_1000_values_in_all() {
        let ids = |from: usize, count: usize| Some((from..from + count).map(|n| n.to_string()).collect());
        let parts = |external: usize, name: usize, email: Option<&str>| CustomerQueryParts {
            customer_ids: ids(0, 500),
            external_ids: ids(0, external),
            filters: vec![Condition::NoneOf(TextField::Name, (0..name).map(|n| n.to_string()).collect())],
            email: email.map(str::to_owned),
            ..Default::default()
        };
        assert!(CustomerQuery::new(parts(250, 250, None)).is_ok());
        let refused = |path: &str| vec![(path.to_owned(), "max_values")];
        assert_eq!(paths(parts(250, 251, None)), refused("filters"));
        assert_eq!(paths(parts(250, 250, Some("a@b.co"))), refused("filters"));
        assert_eq!(paths(parts(501, 0, None)), refused("customer_ids"));
        let pairs = CustomerQueryParts { metadata: [("plan".into(), "gold".into())].into(), ..parts(500, 0, None) };
        assert_eq!(paths(pairs), refused("metadata"));
    }

    #[test]
    fn text_is_sorted_ascending_and_time_newest_first_by_default() {
        use Direction::{Asc, Desc};
        const UPDATED: SortField = SortField::Time(TimeField::UpdatedAt);
        let [email, external_id] = [TextField::Email, TextField::ExternalId].map(SortField::Text);
        let sorted = |fields: &[SortField]| {
            let sort = fields.iter().map(|field| (*field, None)).collect();
            let query = CustomerQuery::new(CustomerQueryParts { sort, ..Default::default() }).unwrap();
            query.order().keys().iter().map(|(_, direction)| *direction).collect::<Vec<_>>()
        };
        assert_eq!(sorted(&[NAME, email, external_id]), [Asc, Asc, Asc]);
        assert_eq!(sorted(&[CREATED, UPDATED, NAME]), [Desc, Desc, Asc]);
    }
}
