//! The body of `POST /activity`.

use patron_domain::{
    activity::{ActivityCursor, ActivityQuery},
    page::{PageError, PageRequest},
    time::Timestamp,
    violation::Violations,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::response::ACTOR_TYPE;
use crate::http::{
    json::{Field, List, Reader, Text, object_from_json},
    openapi::{Limit, optional, values},
};

/// The most elements of a list.
const MOST_WORDS: usize = 100;

/// The conditions. Unknown members are ignored.
#[derive(Deserialize, Default, ToSchema)]
#[serde(bound(deserialize = "'de: 'a"), default)]
pub(super) struct ListActivityRequest<'a> {
    /// Types of events, and actions of the audit log.
    #[schema(schema_with = values::<str, MOST_WORDS>)]
    actions: Field<List<Text<'a>>>,
    #[schema(schema_with = optional::<str>)]
    actor_id: Field<Text<'a>>,
    /// `api_key` is the only type.
    #[schema(schema_with = values::<str, MOST_WORDS>)]
    actor_types: Field<List<Text<'a>>>,
    #[schema(schema_with = optional::<str>)]
    cursor: Field<Text<'a>>,
    #[schema(schema_with = optional::<str>)]
    customer_id: Field<Text<'a>>,
    #[schema(schema_with = optional::<Timestamp>)]
    end_time: Field<Text<'a>>,
    #[schema(schema_with = optional::<str>)]
    entity_id: Field<Text<'a>>,
    #[schema(schema_with = optional::<str>)]
    entity_type: Field<Text<'a>>,
    /// Accepted, because SDKs send it.
    #[schema(schema_with = values::<str, MOST_WORDS>)]
    expand: Field<List<Text<'a>>>,
    #[schema(schema_with = optional::<Limit>)]
    limit: Field<i64>,
    #[schema(schema_with = optional::<str>)]
    request_id: Field<Text<'a>>,
    #[schema(schema_with = optional::<Timestamp>)]
    start_time: Field<Text<'a>>,
}

object_from_json!(ListActivityRequest<'a>);

impl ListActivityRequest<'_> {
    pub(super) fn into_domain(self, broken: &mut Violations) -> Option<ActivityQuery> {
        let fields = &mut Reader::new(broken);
        let actor_types = words(fields, "actor_types", self.actor_types);
        let is_api_key = actor_types.is_none_or(|types| types.iter().any(|one| one == ACTOR_TYPE));
        let actions = words(fields, "actions", self.actions);
        words(fields, "expand", self.expand);
        let limit = fields.take("limit", self.limit).unwrap_or(PageRequest::DEFAULT_LIMIT.into());
        let page = u64::try_from(limit).map_err(|_| PageError::Limit).and_then(|limit| PageRequest::new(limit, 0));
        let page = fields.check("limit", page);
        let query = ActivityQuery {
            // Every actor is an API key, so no other type has done anything.
            actions: if is_api_key { actions } else { Some(Vec::new()) },
            actor_id: text(fields.take("actor_id", self.actor_id)),
            entity_id: text(fields.take("entity_id", self.entity_id)),
            entity_type: text(fields.take("entity_type", self.entity_type)),
            customer_id: text(fields.take("customer_id", self.customer_id)),
            request_id: text(fields.take("request_id", self.request_id)),
            from: fields.optional("start_time", self.start_time, |text| Timestamp::parse(&text)),
            until: fields.optional("end_time", self.end_time, |text| Timestamp::parse(&text)),
            after: fields.optional("cursor", self.cursor, |text| ActivityCursor::parse(&text)).unwrap_or_default(),
            limit: page?.limit(),
        };
        if query.until < query.from && query.until.is_some() {
            fields.note("end_time", "after_start", "must not be before start_time");
        }
        Some(query)
    }
}

/// Any text but an empty one. A text that matches nothing finds nothing.
fn text(text: Option<Text<'_>>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(|text| text.into_owned())
}

/// A list of words.
fn words(fields: &mut Reader<'_>, name: &str, list: Field<List<Text<'_>>>) -> Option<Vec<String>> {
    let words = fields.texts(name, list)?;
    if words.len() > MOST_WORDS {
        fields.note(name, "max_items", &format!("must have at most {MOST_WORDS} elements"));
    }
    Some(words)
}
