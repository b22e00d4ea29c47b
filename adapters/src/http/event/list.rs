//! `GET /events`

use patron_domain::{
    event::{
        EventCursor, EventEntities, EventEntity, EventEntityType, EventLimit, EventLimitError, EventPage, EventQuery,
        EventType,
    },
    page::PageBytes,
    time::Timestamp,
    violation::{Rule, Violations},
};
use rocket::{get, routes};
use serde::Serialize;
use utoipa::ToSchema;

use super::response::EventResponse;
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanRead, Services},
    listing::cursor,
    openapi::{Endpoint, Refusal, exactly},
    query::Query,
};

/// A page of the log. It always has a cursor, from which a reader that follows the log continues.
#[derive(Serialize, ToSchema)]
struct Events<'a> {
    items: Vec<EventResponse<'a>>,
    #[schema(schema_with = exactly::<EventCursor>)]
    next_cursor: String,
    #[schema(schema_with = exactly::<bool>)]
    has_more: bool,
}

/// The error of an id whose entity cannot have events.
#[derive(Debug, Clone, Copy, thiserror::Error)]
enum EntityError {
    #[error("must be the id of a customer or of a tax rate")]
    Id,
    #[error("must be the id of an entity of the type that entity_type names")]
    Contradiction,
}

impl Rule for EntityError {
    fn rule(&self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Contradiction => "contradiction",
        }
    }
}

fn entities(query: &Query<'_>, broken: &mut Violations) -> EventEntities {
    let kind = query.checked("entity_type", broken, EventEntityType::parse);
    let entity = query.checked("entity_id", broken, |id| match (EventEntity::of_id(id), kind) {
        (None, _) => Err(EntityError::Id),
        (Some(entity), Some(kind)) if entity.kind() != kind => Err(EntityError::Contradiction),
        (Some(entity), _) => Ok(entity),
    });
    match (entity, kind) {
        (Some(entity), _) => EventEntities::One(entity),
        (None, Some(kind)) => EventEntities::Kind(kind),
        (None, None) => EventEntities::All,
    }
}

fn query(query: &Query<'_>, broken: &mut Violations) -> EventQuery {
    let types = query.joined("type").map(|words| {
        words.into_iter().filter_map(|word| broken.check(|| "type".to_owned(), EventType::parse(word))).collect()
    });
    let limit = |text: &str| text.parse().map_err(|_| EventLimitError).and_then(EventLimit::new);
    let (name, after) = cursor(query, broken);
    let after = after.and_then(|after| broken.check(|| name.to_owned(), EventCursor::parse(after)));
    EventQuery {
        after: after.unwrap_or_default(),
        types,
        entities: entities(query, broken),
        from: query.time("from", broken),
        until: query.time("to", broken),
        limit: query.checked("limit", broken, limit).unwrap_or_default(),
        bytes: PageBytes::default(),
    }
}

/// Lists the next events of the environment after a cursor, in the order of the log.
#[get("/events")]
pub(super) async fn list(caller: CanRead, services: Services<'_>, parameters: Query<'_>) -> Result<Answer, ApiError> {
    let mut broken = parameters.faults();
    let query = query(&parameters, &mut broken);
    broken.into_result()?;
    let EventPage { events, reached, has_more } = services.events()?.read(&caller, &query).await?;
    let items = events.iter().map(EventResponse::new).collect();
    Answer::page(&services, events.len(), &Events { items, next_cursor: reached.to_string(), has_more }).await
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "The next events after a cursor, in the order of the log. A reader that continues with the \
                `next_cursor` of each response misses no event.";
    Endpoint::new(routes![list], "listEvents", "Follow the log of events", says)
        .with_key()
        .query::<EventCursor>("cursor", "The `next_cursor` of an earlier response, by default the start of the log.")
        .query::<EventCursor>("after", "Alias of `cursor`.")
        .query::<EventLimit>("limit", "The most events.")
        .repeated::<EventType>("type", "Any of these. Repeat the parameter or separate types with commas.")
        .query::<EventEntityType>("entity_type", "Events of entities of this type.")
        .query::<EventEntity>("entity_id", "Events of this entity.")
        .query::<Timestamp>("from", "Events at this time or later.")
        .query::<Timestamp>("to", "Events at this time or earlier.")
        .answers::<Events<'_>>(200, "The next events.")
        .refuses([Refusal::LogTakenBack])
}
