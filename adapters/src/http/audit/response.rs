//! Entries of the audit log in responses.

use std::net::IpAddr;

use patron_domain::{
    audit::{AuditAction, AuditEntry, AuditNumber, AuditObjectType, AuditPage},
    ids::AuditEntryId,
    tenancy::{Actor, RequestId},
    time::Timestamp,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::openapi::{Limit, exactly, or_null};

/// One entry.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
struct AuditResponse<'a> {
    #[schema(schema_with = exactly::<AuditEntryId>)]
    id: AuditEntryId,
    #[schema(schema_with = exactly::<AuditAction>)]
    action: AuditAction,
    #[schema(schema_with = exactly::<Actor>)]
    actor: &'a Actor,
    /// The address that the request came from; `null` if unknown, or once it is older than the retention time.
    #[schema(required = true, schema_with = or_null::<IpAddr>)]
    address: Option<IpAddr>,
    #[schema(schema_with = exactly::<Timestamp>)]
    at: Timestamp,
    #[schema(required = true, schema_with = or_null::<RequestId>)]
    request_id: Option<&'a str>,
    object: Object,
    /// The names of the changed fields.
    changed: &'a [String],
    /// The number of uses in the hour that begins at `at`; only in entries that count uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    count: Option<u64>,
}

/// The object of an entry.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditObject)]
struct Object {
    #[schema(schema_with = exactly::<AuditObjectType>)]
    r#type: AuditObjectType,
    /// Its id.
    id: String,
}

/// `{"items": […], "pagination": {"limit", "next_cursor"?}}`: entries are not counted and are paged by cursor.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntryList)]
pub(super) struct AuditList<'a> {
    items: Vec<AuditResponse<'a>>,
    pagination: Pagination,
}

#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntryPage)]
struct Pagination {
    #[schema(schema_with = exactly::<Limit>)]
    limit: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<AuditNumber>)]
    next_cursor: Option<String>,
}

impl<'a> AuditResponse<'a> {
    fn new(entry: &'a AuditEntry) -> Self {
        Self {
            id: entry.id(),
            action: entry.act.action,
            actor: &entry.actor,
            address: entry.address,
            at: entry.at,
            request_id: entry.request_id.as_ref().map(|id| id.as_str()),
            object: Object { r#type: entry.act.object.kind(), id: entry.act.object.id() },
            changed: &entry.act.changed,
            count: entry.count,
        }
    }
}

impl<'a> AuditList<'a> {
    pub(super) fn new(page: &'a AuditPage, limit: u16) -> Self {
        let next_cursor = page.next.map(|next| next.to_string());
        Self {
            items: page.entries.iter().map(AuditResponse::new).collect(),
            pagination: Pagination { limit, next_cursor },
        }
    }
}
