//! Customers and queries generated from a number; the same number gives the same ones.

use crate::{
    customer::{
        Customer,
        query::{
            Condition, CustomerCursor, CustomerQuery, CustomerQueryParts, DataType, Direction, FilterField, Operand,
            Operator, SortField, TextField, TimeField,
        },
    },
    lifecycle::Status,
    page::PageRequest,
    testkit::{CustomerBuilder, a_customer},
    time::Timestamp,
};

/// Texts that stores confuse: case beyond ASCII, characters with a meaning in `LIKE` and in JSON, and look-alikes.
const TEXTS: [&str; 24] = [
    "ada", "Ada", "ADA", "a_a", "aXa", "100%", "100", "%", "_", "\\", "it's", "\"", "Straße", "STRASSE", "ẞ", "İda",
    "ıda", "e\u{301}", "\u{e9}", "É", "ΌΣΟΣ", "όσος", "🦀", "a b",
];

/// A sequence of choices (Knuth's MMIX linear congruential generator).
pub(super) struct Choices(u64);

impl Choices {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1))
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let limit = u64::try_from(limit.max(1)).unwrap_or(1);
        usize::try_from((self.0 >> 33) % limit).unwrap_or(0)
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub(super) fn of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        all.get(self.below(all.len()))
    }

    fn text(&mut self) -> String {
        let text = self.of(&TEXTS).copied().unwrap_or_default();
        if self.one_in(3) { format!("{text}{}", self.of(&TEXTS).copied().unwrap_or_default()) } else { text.to_owned() }
    }

    /// A new customer. The number makes its external id unique.
    pub(super) fn customer(&mut self, number: usize) -> CustomerBuilder {
        let mut new = a_customer(&format!("{}{number}", self.text()));
        if !self.one_in(4) {
            new = new.named(&self.text());
        }
        if !self.one_in(3) {
            let local = self.of(&["ada", "ADA", "a_a", "ünï", "ÜNÏ", "a+b"]).copied().unwrap_or("ada");
            new = new.reached_at(&format!("{local}@example.com"));
        }
        if self.one_in(2) {
            new = new.in_berlin();
        }
        if self.one_in(2) {
            new = new.in_city(&self.text());
        }
        if self.one_in(2) {
            new = new.incorporated(&self.text());
        }
        for _ in 0..self.below(3) {
            new = new.tagged(&self.text());
        }
        if self.one_in(3) {
            let local = self.of(&["ada", "ADA", "ünï", "ÜNÏ"]).copied().unwrap_or("ada");
            new = new.with_person(&self.text(), &format!("{local}@example.com"));
        }
        if self.one_in(3) {
            new = new.with_tax_id("unknown", self.of(&["ab-1", "AB1", "ab2"]).copied().unwrap_or("ab"));
        }
        for _ in 0..self.below(4) {
            new = new.noted(&self.text(), &self.text());
        }
        if self.one_in(3) { new.linked("stripe", "cus_1") } else { new }
    }

    /// A query. Most queries find some of these customers.
    pub(super) fn query(&mut self, known: &[Customer]) -> CustomerQueryParts {
        let mut parts = CustomerQueryParts {
            status: self.one_in(10).then_some(Status::Archived),
            order: self.one_in(2).then(|| self.direction()),
            page: PageRequest::new(1 + self.below(7) as u64, self.below(5) as u64).unwrap_or_default(),
            with_mappings: self.one_in(3),
            without_total: self.one_in(5),
            ..CustomerQueryParts::default()
        };
        for _ in 0..self.below(3) {
            let all: Vec<_> = SortField::all().collect();
            let field = self.of(&all).copied().unwrap_or(SortField::Text(TextField::Name));
            if parts.sort.iter().all(|(known, _)| *known != field) {
                parts.sort.push((field, self.one_in(2).then(|| self.direction())));
            }
        }
        let somebody = |choices: &mut Self| choices.of(known).cloned();
        match self.below(9) {
            0 => parts.external_ids = Some(self.ids(known, |one| one.external_id.as_str().to_owned())),
            1 => parts.customer_ids = Some(self.ids(known, |one| one.id.to_string())),
            2 => parts.external_id = somebody(self).map(|one| one.external_id.into_string()),
            3 => parts.email = somebody(self).and_then(|one| one.profile.email).map(|email| email.into_string()),
            4 => {
                let pairs = somebody(self).map(|one| one.profile.metadata.as_map().clone()).unwrap_or_default();
                parts.metadata = pairs;
                if self.one_in(3) {
                    parts.metadata.insert(self.text(), self.text());
                }
            }
            5 => parts.start_time = self.time(known),
            6 => parts.end_time = self.time(known),
            _ => {}
        }
        for _ in 0..self.below(3) {
            parts.filters.extend(self.filter(known));
        }
        if self.one_in(3) {
            self.continue_somewhere(&mut parts, known);
        }
        parts
    }

    fn direction(&mut self) -> Direction {
        if self.one_in(2) { Direction::Asc } else { Direction::Desc }
    }

    fn ids(&mut self, known: &[Customer], id: impl Fn(&Customer) -> String) -> Vec<String> {
        let count = self.below(5);
        let mut ids: Vec<_> = (0..count).filter_map(|_| self.of(known).map(&id)).collect();
        ids.extend(self.one_in(3).then(|| self.text()));
        ids
    }

    fn time(&mut self, known: &[Customer]) -> Option<Timestamp> {
        let near = self.of(known)?.audit.created_at.micros();
        let offset = self.of(&[-1, 0, 0, 1]).copied().unwrap_or(0);
        Timestamp::from_micros(near.saturating_add(offset)).ok()
    }

    /// A filter, or `None`.
    fn filter(&mut self, known: &[Customer]) -> Option<Condition> {
        let text = self.of(TextField::ALL).map(|field| FilterField::Text(*field));
        let searched =
            self.of(&["name", "email", "address_city", "legal_name", "tags", "contact_persons.email", "tax_ids.value"]);
        let searched = searched.and_then(|name| FilterField::parse(name).ok());
        let time = self.of(TimeField::ALL).map(|field| FilterField::Time(*field));
        let field = [text, searched, searched, time].get(self.below(4)).copied().flatten()?;
        let operator = self.of(Operator::ALL).copied()?;
        let kind = match (operator, field) {
            (Operator::In | Operator::NotIn | Operator::ContainsAll | Operator::ContainsAny, _) => DataType::Array,
            (_, FilterField::Time(_)) => DataType::Date,
            _ => DataType::String,
        };
        let operand = match kind {
            DataType::Array => Operand::Array((0..self.below(4)).map(|_| self.some_text(known, field)).collect()),
            DataType::Date => Operand::Date(self.time(known)?),
            _ => Operand::Text(self.some_text(known, field)),
        };
        Condition::filter(field, operator, operand).ok()
    }

    /// A text that a field may have.
    fn some_text(&mut self, known: &[Customer], field: FilterField) -> String {
        let Some(one) = self.of(known) else { return self.text() };
        let own = match field {
            FilterField::Text(TextField::Id) => Some(one.id.to_string()),
            FilterField::Text(TextField::ExternalId) => Some(one.external_id.as_str().to_owned()),
            FilterField::Text(TextField::Name) => one.profile.name.as_ref().map(|name| name.as_str().to_owned()),
            FilterField::Text(TextField::Email) => one.profile.email.as_ref().map(|email| email.as_str().to_owned()),
            FilterField::Text(TextField::AddressCity) => {
                one.profile.address.city.as_ref().map(|city| city.as_str().to_owned())
            }
            FilterField::List(field) => field.keys(one).into_iter().next(),
            FilterField::Text(TextField::AddressCountry) => Some("DE".to_owned()),
            FilterField::Text(TextField::Timezone) => Some("UTC".to_owned()),
            _ => None,
        };
        match self.below(5) {
            0 => self.text(),
            1 => String::new(),
            2 => own.unwrap_or_default().to_lowercase().chars().take(3).collect(),
            _ => own.unwrap_or_else(|| self.text()),
        }
    }

    /// Continues the query after some customer, which may or may not match it.
    fn continue_somewhere(&mut self, parts: &mut CustomerQueryParts, known: &[Customer]) {
        let Ok(query) = CustomerQuery::new(CustomerQueryParts { starting_after: None, ..parts.clone() }) else {
            return;
        };
        parts.starting_after =
            self.of(known).map(|one| query.order().place_of(one)).map(|place: CustomerCursor| place.to_string());
        parts.page = PageRequest::new(parts.page.limit().into(), 0).unwrap_or_default();
    }
}
