//! The events that an endpoint receives.

use crate::{
    event::EventType,
    violation::{Rule, Violation, Violations},
};

/// The types of events for an endpoint: `*` for all, `customer.*` for one kind, or a full name such as
/// `customer.created`. At least one, without repetitions.
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

/// Why a text is not a type of events.
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
    /// The text is not a pattern for event types.
    #[error("must be *, a kind (customer.*, tax_rate.* or import.*), or a type such as customer.created")]
    Pattern,
    /// There are too many types.
    #[error("event_types must have at most {} items; use * or customer.* to select many types", EventFilter::MAX)]
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

/// The kinds of things that events are about.
const ENTITIES: [&str; 3] = ["customer", "tax_rate", "import"];

impl EventFilter {
    /// The maximum number of types.
    pub const MAX: usize = 50;

    /// Every event.
    #[must_use]
    pub fn all() -> Self {
        Self(vec!["*".to_owned()])
    }

    /// Checks the types; an empty list means all.
    ///
    /// # Errors
    /// Each text that is not a type, under its position.
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

    /// Restores a stored filter. Types that this version does not know are kept.
    #[must_use]
    pub fn from_stored(mut types: Vec<String>) -> Self {
        types.sort_unstable();
        types.dedup();
        if types.is_empty() { Self::all() } else { Self(types) }
    }

    /// Whether the endpoint receives events of this type.
    #[must_use]
    pub fn wants(&self, event_type: &str) -> bool {
        self.0.iter().any(|wanted| match wanted.strip_suffix('*') {
            Some(beginning) => event_type.starts_with(beginning),
            None => wanted == event_type,
        })
    }

    /// The selected types of the log; `None` for all.
    #[must_use]
    pub fn types(&self) -> Option<Vec<EventType>> {
        let wanted: Vec<_> = EventType::ALL.iter().copied().filter(|one| self.wants(one.as_str())).collect();
        (wanted.len() < EventType::ALL.len()).then_some(wanted)
    }

    /// The patterns as given, in order.
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
    fn a_filter_selects_all_types_a_kind_or_one_type() {
        assert!(filter(&[]).unwrap().wants("customer.created"));
        let some = filter(&["tax_rate.*", "customer.created"]).unwrap();
        let wanted = ["customer.created", "customer.updated", "tax_rate.deleted", "customer.created_late"];
        assert_eq!(wanted.map(|event| some.wants(event)), [true, false, true, false]);
    }

    #[test]
    fn text_that_is_not_a_type_is_refused_at_its_position() {
        let bad = ["customer.created", "customer.creatd", "Customer.created", "invoice.*", "customer.*d", "a,b"];
        let places: Vec<_> = (1..6).map(|index| format!("event_types[{index}]")).collect();
        assert_eq!(filter(&bad), Err(places));
        assert_eq!(filter(&["*"; 51]), Err(vec!["event_types".to_owned()]));
    }
}
