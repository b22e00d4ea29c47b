//! The meaning of a query in plain Rust: the reference for every store.

use std::{borrow::Cow, cmp::Ordering};

use super::{
    Comparison, Condition, CustomerCursor, CustomerOrder, CustomerQuery, Direction, Folded, FoldedField, SortField,
    TextField, TimeField,
};
use crate::{customer::Customer, time::Timestamp};

/// The result of a query.
///
/// ```
/// use patron_domain::{customer::query::{CustomerQuery, CustomerQueryParts, Evaluated}, testkit::a_customer};
///
/// let acme = a_customer("acme").existing().customer;
/// let query = CustomerQuery::new(CustomerQueryParts::default()).unwrap();
/// let found: Evaluated<'_> = query.evaluate([&acme]);
/// assert_eq!((found.items, found.total), (vec![&acme], 1));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluated<'a> {
    /// The requested customers in order, and one more if there is one.
    pub items: Vec<&'a Customer>,
    /// The number of customers that match in all.
    pub total: usize,
}

impl CustomerQuery {
    /// Finds the requested customers among all customers of a scope.
    #[must_use]
    pub fn evaluate<'a>(&self, all: impl IntoIterator<Item = &'a Customer>) -> Evaluated<'a> {
        let all: Vec<&Customer> = all.into_iter().collect();
        let mut found: Vec<&Customer> = all.iter().copied().filter(|customer| self.finds(customer)).collect();
        found.sort_by(|one, other| self.order.compare(one, other));
        let total = found.len();
        if let Some(cursor) = &self.after {
            let place = all.iter().copied().find(|customer| customer.id == cursor.id());
            found.retain(|customer| place.is_some_and(|place| cursor.is_before(customer, place)));
        }
        let skipped = usize::try_from(self.page.offset()).unwrap_or(usize::MAX);
        let wanted = usize::from(self.page.limit()) + 1;
        Evaluated { items: found.into_iter().skip(skipped).take(wanted).collect(), total }
    }

    fn finds(&self, customer: &Customer) -> bool {
        customer.status == self.status && self.conditions.iter().all(|condition| condition.holds(customer))
    }
}

impl Condition {
    /// Whether the condition holds for a customer.
    #[must_use]
    pub fn holds(&self, customer: &Customer) -> bool {
        match self {
            Self::OneOf(field, texts) => texts.contain(&text(customer, *field)),
            Self::NoneOf(field, texts) => !texts.contain(&text(customer, *field)),
            Self::Contains(field, sought) => folded(customer, *field).as_str().contains(sought.as_str()),
            Self::Lacks(field, sought) => !folded(customer, *field).as_str().contains(sought.as_str()),
            Self::Time(field, comparison, at) => comparison.holds(time(customer, *field), *at),
            Self::Pair { key, value } => customer.profile.metadata.get(key) == Some(value),
        }
    }
}

impl Comparison {
    fn holds(self, one: Timestamp, other: Timestamp) -> bool {
        match self {
            Self::Before => one < other,
            Self::UpTo => one <= other,
            Self::At => one == other,
            Self::From => one >= other,
            Self::After => one > other,
        }
    }
}

impl CustomerOrder {
    fn compare(&self, one: &Customer, other: &Customer) -> Ordering {
        let by_key = |(field, direction): &(SortField, Direction)| direction.turn(compare(*field, one, other));
        let ties = || self.ties().turn(one.id.cmp(&other.id));
        self.keys().iter().map(by_key).find(|ordering| ordering.is_ne()).unwrap_or_else(ties)
    }
}

impl CustomerCursor {
    /// Whether a customer comes after this place, given the current state of the customer at that place.
    fn is_before(&self, customer: &Customer, place: &Customer) -> bool {
        for key in self.keys() {
            let ordering = match (key.field, key.time) {
                (SortField::CreatedAt, Some(at)) => customer.audit.created_at.cmp(&at),
                (SortField::UpdatedAt, Some(at)) => customer.audit.updated_at.cmp(&at),
                (field, _) => compare(field, customer, place),
            };
            match key.direction.turn(ordering) {
                Ordering::Equal => {}
                ordering => return ordering.is_gt(),
            }
        }
        let ties = self.keys().last().map(|key| key.direction).unwrap_or_default();
        ties.turn(customer.id.cmp(&self.id())).is_gt()
    }
}

impl Direction {
    fn turn(self, ordering: Ordering) -> Ordering {
        match self {
            Self::Asc => ordering,
            Self::Desc => ordering.reverse(),
        }
    }
}

fn compare(field: SortField, one: &Customer, other: &Customer) -> Ordering {
    let by_folded = |field| folded(one, field).cmp(&folded(other, field));
    match field {
        SortField::CreatedAt => one.audit.created_at.cmp(&other.audit.created_at),
        SortField::UpdatedAt => one.audit.updated_at.cmp(&other.audit.updated_at),
        SortField::ExternalId => one.external_id.as_str().cmp(other.external_id.as_str()),
        SortField::Name => by_folded(FoldedField::Name),
        SortField::Email => by_folded(FoldedField::Email),
    }
}

fn folded(customer: &Customer, field: FoldedField) -> Folded {
    let field = match field {
        FoldedField::ExternalId => TextField::ExternalId,
        FoldedField::Name => TextField::Name,
        FoldedField::Email => TextField::Email,
    };
    Folded::new(&text(customer, field))
}

fn time(customer: &Customer, field: TimeField) -> Timestamp {
    match field {
        TimeField::CreatedAt => customer.audit.created_at,
        TimeField::UpdatedAt => customer.audit.updated_at,
    }
}

fn text(customer: &Customer, field: TextField) -> Cow<'_, str> {
    let profile = &customer.profile;
    let address = &profile.address;
    let text = match field {
        TextField::Id => return Cow::Owned(customer.id.to_string()),
        TextField::ExternalId => Some(customer.external_id.as_str()),
        TextField::Name => profile.name.as_ref().map(|name| name.as_str()),
        TextField::Email => profile.email.as_ref().map(|email| email.as_str()),
        TextField::Contact => profile.contact.as_ref().map(|contact| contact.as_str()),
        TextField::AddressLine1 => address.line1.as_ref().map(|line| line.as_str()),
        TextField::AddressLine2 => address.line2.as_ref().map(|line| line.as_str()),
        TextField::AddressCity => address.city.as_ref().map(|city| city.as_str()),
        TextField::AddressState => address.state.as_ref().map(|state| state.as_str()),
        TextField::AddressPostalCode => address.postal_code.as_ref().map(|code| code.as_str()),
        TextField::AddressCountry => address.country.as_ref().map(|country| country.as_str()),
        TextField::Timezone => Some(profile.timezone.as_str()),
    };
    Cow::Borrowed(text.unwrap_or_default())
}
