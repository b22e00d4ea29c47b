//! Which events an endpoint is told of.

use crate::{
    event::EventType,
    violation::{Rule, Violation, Violations},
};

/// The types of events an endpoint wants: `*` for all, `customer.*` for all of one kind, or a whole name such as
/// `customer.created`. At least one, each once.
///
/// ```
/// use patron_domain::webhook::EventFilter;
///
/// let filter = EventFilter::new(vec!["tax_rate.*".to_owned()]).unwrap();
/// assert!(filter.wants("tax_rate.updated") && !filter.wants("customer.created"));
/// assert!(EventFilter::all().wants("customer.created"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFilter(Vec<String>);

/// Why a text names no type of events.
///
/// ```
/// use patron_domain::webhook::EventFilter;
///
/// let broken = EventFilter::new(vec!["*".to_owned(), "invoice.*".to_owned()]).unwrap_err();
/// assert_eq!(broken.iter().next().unwrap().path, "event_types[1]");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventFilterError {
    /// It is none.
    #[error("must be *, a kind such as customer.* or tax_rate.*, or a type such as customer.created")]
    Pattern,
    /// There are too many.
    #[error("event_types must name at most {} types; use * or customer.* for many", EventFilter::MAX)]
    TooMany,
}

impl Rule for EventFilterError {
    fn rule(&self) -> &'static str {
        match self {
            Self::Pattern => "event_type",
            Self::TooMany => "max_items",
        }
    }
}

/// The kinds of things events are about.
const ENTITIES: [&str; 2] = ["customer", "tax_rate"];

impl EventFilter {
    /// The most types that can be named.
    pub const MAX: usize = 50;

    /// Every event.
    #[must_use]
    pub fn all() -> Self {
        Self(vec!["*".to_owned()])
    }

    /// Checks the types that are named; none at all is as good as all.
    ///
    /// # Errors
    /// Each text that names no type, under its place.
    pub fn new(types: Vec<String>) -> Result<Self, Violations> {
        let mut broken = Violations::new();
        if types.len() > Self::MAX {
            broken.add("event_types", &EventFilterError::TooMany);
        }
        for (index, named) in types.iter().enumerate().take(Self::MAX) {
            if !is_pattern(named) {
                let path = format!("event_types[{index}]");
                let error = EventFilterError::Pattern;
                broken.push(Violation { message: format!("{path} {error}"), path, rule: error.rule() });
            }
        }
        broken.into_result()?;
        Ok(Self::from_stored(types))
    }

    /// Takes back what was stored; types that were known then stay.
    #[must_use]
    pub fn from_stored(mut types: Vec<String>) -> Self {
        types.sort_unstable();
        types.dedup();
        if types.is_empty() { Self::all() } else { Self(types) }
    }

    /// Whether an event of this type is wanted.
    #[must_use]
    pub fn wants(&self, event_type: &str) -> bool {
        self.0.iter().any(|wanted| match wanted.strip_suffix('*') {
            Some(beginning) => event_type.starts_with(beginning),
            None => wanted == event_type,
        })
    }

    /// The types of the log that are wanted; `None` for all.
    #[must_use]
    pub fn types(&self) -> Option<Vec<EventType>> {
        let wanted: Vec<_> = EventType::ALL.iter().copied().filter(|one| self.wants(one.as_str())).collect();
        (wanted.len() < EventType::ALL.len()).then_some(wanted)
    }

    /// The types as they were named, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

fn is_pattern(text: &str) -> bool {
    let a_kind = text.strip_suffix(".*").is_some_and(|kind| ENTITIES.contains(&kind));
    text == "*" || a_kind || EventType::parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::EventFilter;

    fn filter(types: &[&str]) -> Result<EventFilter, Vec<String>> {
        let made = EventFilter::new(types.iter().map(ToString::to_string).collect());
        made.map_err(|broken| broken.iter().map(|violation| violation.path.clone()).collect())
    }

    #[test]
    fn all_a_kind_or_one_type() {
        assert!(filter(&[]).unwrap().wants("customer.created"));
        let some = filter(&["tax_rate.*", "customer.created"]).unwrap();
        let wanted = ["customer.created", "customer.updated", "tax_rate.deleted", "customer.created_late"];
        assert_eq!(wanted.map(|event| some.wants(event)), [true, false, true, false]);
    }

    #[test]
    fn what_names_no_type_is_refused_at_its_place() {
        let bad = ["customer.created", "customer.creatd", "Customer.created", "invoice.*", "customer.*d", "a,b"];
        let places: Vec<_> = (1..6).map(|index| format!("event_types[{index}]")).collect();
        assert_eq!(filter(&bad), Err(places));
        assert_eq!(filter(&["*"; 51]), Err(vec!["event_types".to_owned()]));
    }
}
