//! Selecting activity.

use super::{Activity, ActivityCursor};
use crate::{event::EventEntity, tenancy::RequestId, time::Timestamp};

/// How many items of each log are read at once with conditions.
const SEARCHED: u16 = 500;
/// How far the times of a log may fall: an hour.
const TOLERANCE_MICROS: i64 = 3_600_000_000;

/// Selects activity. Conditions that are `None` hold for everything.
///
/// ```
/// use patron_domain::activity::ActivityQuery;
///
/// let of_customers = ActivityQuery { entity_type: Some("customer".to_owned()), ..ActivityQuery::default() };
/// assert_eq!(of_customers.limit, 50);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityQuery {
    /// The actions: types of events, and actions of the audit log.
    pub actions: Option<Vec<String>>,
    /// The actor.
    pub actor_id: Option<String>,
    /// The id of the entity.
    pub entity_id: Option<String>,
    /// The type of the entity.
    pub entity_type: Option<String>,
    /// The customer.
    pub customer_id: Option<String>,
    /// The request.
    pub request_id: Option<String>,
    /// The earliest time.
    pub from: Option<Timestamp>,
    /// The latest time.
    pub until: Option<Timestamp>,
    /// Where the reader continues.
    pub after: ActivityCursor,
    /// The maximum number of items.
    pub limit: u16,
}

impl Default for ActivityQuery {
    fn default() -> Self {
        Self {
            actions: None,
            actor_id: None,
            entity_id: None,
            entity_type: None,
            customer_id: None,
            request_id: None,
            from: None,
            until: None,
            after: ActivityCursor::default(),
            limit: 50,
        }
    }
}

impl ActivityQuery {
    /// Whether an item matches.
    pub(super) fn admits(&self, one: &Activity) -> bool {
        let is = |wanted: &Option<String>, value: Option<&str>| wanted.as_deref().is_none_or(|it| Some(it) == value);
        let (entity_type, entity_id) = one.entity();
        self.actions.as_ref().is_none_or(|actions| actions.iter().any(|action| action == one.action()))
            && is(&self.actor_id, Some(one.actor().as_str()))
            && is(&self.entity_type, Some(entity_type))
            && is(&self.entity_id, Some(&entity_id))
            && is(&self.customer_id, one.customer_id().as_deref())
            && is(&self.request_id, one.request_id().map(RequestId::as_str))
            && self.from.is_none_or(|from| one.at() >= from)
            && self.until.is_none_or(|until| one.at() <= until)
    }

    /// The only entity whose events can match.
    pub(super) fn entity(&self) -> Option<EventEntity> {
        self.named().and_then(EventEntity::of_id)
    }

    /// Whether events can match. None do if the query names something else than an entity of events.
    pub(super) fn admits_events(&self) -> bool {
        self.named().is_none() || self.entity().is_some()
    }

    /// Whether entries of the audit log can match. It has none about customers and tax rates, but some about imports.
    pub(super) fn admits_entries(&self) -> bool {
        self.customer_id.is_none() && matches!(self.entity(), None | Some(EventEntity::Import(_)))
    }

    /// Whether an item is so old that no older one can match. The times of a log rise, except for the duration of
    /// requests and the differences between clocks.
    pub(super) fn ends_at(&self, item: &Activity) -> bool {
        self.from.is_some_and(|from| item.at().micros().saturating_add(TOLERANCE_MICROS) < from.micros())
    }

    /// How many items of each log are read at once: with conditions many, because few may match.
    pub(super) fn portion(&self) -> u16 {
        let all = Self { after: self.after, limit: self.limit, ..Self::default() };
        if *self == all { self.limit.saturating_add(1) } else { SEARCHED }
    }

    fn named(&self) -> Option<&str> {
        self.customer_id.as_deref().or(self.entity_id.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ids::{CustomerKind, ImportKind},
        testkit::an_id,
    };

    #[test]
    fn a_named_entity_chooses_the_log() {
        let customer = an_id::<CustomerKind>(1).to_string();
        let of = |customer_id: Option<&str>, entity_id: Option<&str>| {
            let query = ActivityQuery {
                customer_id: customer_id.map(str::to_owned),
                entity_id: entity_id.map(str::to_owned),
                ..ActivityQuery::default()
            };
            (query.admits_events(), query.admits_entries(), query.entity().is_some())
        };
        assert_eq!(of(None, None), (true, true, false));
        assert_eq!(of(Some(&customer), None), (true, false, true));
        assert_eq!(of(None, Some(&customer)), (true, false, true));
        let import = an_id::<ImportKind>(1).to_string();
        assert_eq!(of(None, Some(&import)), (true, true, true));
        assert_eq!(of(None, Some("secret_1")), (false, true, false));
        assert_eq!(of(Some("nobody"), None), (false, false, false));
    }

    #[test]
    fn few_items_are_read_without_conditions() {
        let all = ActivityQuery { limit: 3, ..ActivityQuery::default() };
        assert_eq!(all.portion(), 4);
        assert_eq!(ActivityQuery { actor_id: Some("a".to_owned()), ..all }.portion(), SEARCHED);
    }
}
