//! Activity in responses, in Flexprice's shape.

use patron_domain::{
    activity::{Activity, ActivityPage},
    tenancy::{Actor, RequestId},
    time::Timestamp,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::openapi::{Limit, SomeActivity, exactly};

/// One item. Absent values are left out, because SDKs accept no `null`.
#[derive(Serialize, ToSchema)]
#[schema(as = Activity)]
pub(super) struct ActivityResponse<'a> {
    #[schema(schema_with = exactly::<SomeActivity>)]
    id: String,
    /// The type of an event, or the action of an entry of the audit log.
    #[schema(example = "customer.created")]
    action: &'static str,
    actor: ActorResponse<'a>,
    entity: EntityResponse,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "cust_01JDG3W9Z5X0M8R2K7T4B6Q1NE")]
    customer_id: Option<String>,
    /// The address that the request came from; only in entries of the audit log.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "192.0.2.7")]
    ip: Option<String>,
    #[schema(schema_with = exactly::<Timestamp>)]
    occurred_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<RequestId>)]
    request_id: Option<&'a str>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ActivityActor)]
struct ActorResponse<'a> {
    #[schema(schema_with = exactly::<Actor>)]
    id: &'a Actor,
    /// Always `api_key`.
    r#type: &'static str,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ActivityEntity)]
struct EntityResponse {
    #[schema(example = "cust_01JDG3W9Z5X0M8R2K7T4B6Q1NE")]
    id: String,
    #[schema(example = "customer")]
    r#type: &'static str,
}

/// A page of activity.
#[derive(Serialize, ToSchema)]
#[schema(as = ActivityItems)]
pub(super) struct ActivityList<'a> {
    items: Vec<ActivityResponse<'a>>,
    pagination: Pagination,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ActivityPagination)]
struct Pagination {
    #[schema(schema_with = exactly::<Limit>)]
    limit: u16,
    has_more: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
}

/// The type of every actor.
pub(super) const ACTOR_TYPE: &str = "api_key";

impl<'a> ActivityResponse<'a> {
    pub(super) fn new(one: &'a Activity) -> Self {
        let (entity_type, entity_id) = one.entity();
        let ip = match one {
            Activity::Event(_) => None,
            Activity::Entry(entry) => entry.address.map(|address| address.to_string()),
        };
        Self {
            id: one.id(),
            action: one.action(),
            actor: ActorResponse { id: one.actor(), r#type: ACTOR_TYPE },
            entity: EntityResponse { id: entity_id, r#type: entity_type },
            customer_id: one.customer_id(),
            ip,
            occurred_at: one.at(),
            request_id: one.request_id().map(RequestId::as_str),
        }
    }
}

impl<'a> ActivityList<'a> {
    pub(super) fn new(page: &'a ActivityPage, limit: u16) -> Self {
        let next_cursor = page.next.map(|next| next.to_string());
        Self {
            items: page.items.iter().map(ActivityResponse::new).collect(),
            pagination: Pagination { limit, has_more: next_cursor.is_some(), next_cursor },
        }
    }
}
