//! The meaning of a query in plain Rust: the reference for every store.

use std::{borrow::Cow, cmp::Ordering};

use super::{
    Comparison, Condition, CustomComparison, CustomerCursor, CustomerOrder, CustomerQuery, Direction, Folded,
    ListField, SortField, TextField, TimeField,
};
use crate::{
    custom_field::{CustomValue, SortKey},
    customer::{Customer, TaxId, table::shown_text},
    time::Timestamp,
};

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

    /// Whether a customer matches, apart from the order and the page.
    #[must_use]
    pub fn finds(&self, customer: &Customer) -> bool {
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
            Self::Same(field, sought) => folded(customer, *field) == *sought,
            Self::Has { field, texts, all } => {
                let known = field.keys(customer);
                let mut sought = texts.as_slice().iter();
                if *all { sought.all(|text| known.contains(text)) } else { sought.any(|text| known.contains(text)) }
            }
            Self::Contains(field, sought) => folded(customer, *field).as_str().contains(sought.as_str()),
            Self::StartsWith(field, sought) => folded(customer, *field).as_str().starts_with(sought.as_str()),
            Self::Lacks(field, sought) => !folded(customer, *field).as_str().contains(sought.as_str()),
            Self::Time(field, comparison, at) => comparison.holds(time(customer, *field), *at),
            Self::CustomHas { key, look_ups, all } => {
                let known = customer.profile.custom_fields.get(*key).map(CustomValue::look_ups).unwrap_or_default();
                let mut sought = look_ups.as_slice().iter();
                if *all { sought.all(|text| known.contains(text)) } else { sought.any(|text| known.contains(text)) }
            }
            Self::Custom(key, comparison) => comparison.holds(&customer.profile.custom_fields.sort_key(*key)),
            Self::Pair { key, value } => customer.profile.metadata.get(key) == Some(value),
        }
    }
}

impl CustomComparison {
    fn holds(&self, sort_key: &str) -> bool {
        match self {
            Self::Unset => sort_key.is_empty(),
            Self::Ordered { comparison, sort_key: other } => {
                sort_key.chars().next() == other.chars().next() && comparison.holds(sort_key, other.as_str())
            }
            Self::Contains(text) => {
                sort_key.strip_prefix(SortKey::TEXT).is_some_and(|folded| folded.contains(text.as_str()))
            }
        }
    }
}

impl Comparison {
    fn holds<T: Ord>(self, one: T, other: T) -> bool {
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
                (SortField::Time(field), Some(at)) => time(customer, field).cmp(&at),
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
    match field {
        SortField::Time(field) => time(one, field).cmp(&time(other, field)),
        SortField::Text(field @ (TextField::Id | TextField::ExternalId)) => text(one, field).cmp(&text(other, field)),
        SortField::Text(field) => folded(one, field).cmp(&folded(other, field)),
        SortField::Custom(key) => {
            let sort_key = |customer: &Customer| customer.profile.custom_fields.sort_key(key);
            sort_key(one).cmp(&sort_key(other))
        }
    }
}

fn folded(customer: &Customer, field: TextField) -> Folded {
    Folded::new(&text(customer, field))
}

fn time(customer: &Customer, field: TimeField) -> Timestamp {
    match field {
        TimeField::CreatedAt => customer.audit.created_at,
        TimeField::UpdatedAt => customer.audit.updated_at,
    }
}

macro_rules! texts {
    ($($wire:ident: $type:ident, $variant:ident, [$($place:tt)+], $unset:ident, $says:literal;)+) => {
        pub(in crate::customer) fn text(customer: &Customer, field: TextField) -> Cow<'_, str> {
            Cow::Borrowed(match field {
                TextField::Id => return Cow::Owned(customer.id.to_string()),
                TextField::ExternalId => customer.external_id.as_str(),
                $(TextField::$variant => shown_text!($unset, customer.profile.$($place)+),)+
            })
        }
    };
}

crate::customer_texts!(texts);

impl ListField {
    /// The texts of a customer in the form in which they are compared.
    #[must_use]
    pub fn keys(self, customer: &Customer) -> Vec<String> {
        match self {
            Self::ContactEmail => {
                let emails = customer.contact_persons.iter().filter_map(|person| person.value.email.as_ref());
                emails.map(|email| self.key(email.as_str())).collect()
            }
            Self::Tags => customer.profile.tags.iter().map(|tag| self.key(tag.as_str())).collect(),
            Self::TaxIdValue => customer.tax_ids.iter().map(|tax_id| self.key(tax_id.value.value())).collect(),
        }
    }

    /// The form in which a text of this list is compared.
    #[must_use]
    pub fn key(self, text: &str) -> String {
        match self {
            Self::ContactEmail => Folded::new(text).into_string(),
            Self::Tags => text.to_owned(),
            Self::TaxIdValue => TaxId::sought(text),
        }
    }
}
