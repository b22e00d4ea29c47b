//! `GET`, `PUT`, `DELETE /settings/customer_retention`

use patron_domain::{
    ids::{EnvironmentId, TenantId},
    privacy::{Retention, RetentionDays, RetentionSetting},
    tenancy::Actor,
    time::Timestamp,
    violation::Violations,
};
use rocket::{delete, get, http::Status, put, routes};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanAdminister, Services},
    json::{Field, Reader, object_from_json},
    openapi::{DRY_RUN_PARAMETER, Endpoint, exactly, optional},
    query::Query,
    version::{IfMatch, IfNoneMatch},
};

/// The name of the setting.
const KEY: &str = "customer_retention";

/// The body of `PUT /settings/customer_retention`.
#[derive(Deserialize, ToSchema)]
#[schema(as = SetCustomerRetention)]
pub(super) struct RetentionRequest {
    #[serde(default)]
    #[schema(required = true, schema_with = value)]
    value: Field<RetentionValueRequest>,
}

/// How long data is kept. What has no number is kept for ever.
#[derive(Deserialize, ToSchema)]
#[schema(as = CustomerRetentionValueRequest)]
pub(super) struct RetentionValueRequest {
    /// For how many days customers are kept after they were archived. Then they are erased.
    #[serde(default)]
    #[schema(schema_with = optional::<RetentionDays>)]
    archived_days: Field<i64>,
    /// For how many days former external ids are kept after a rename. Then they find nothing.
    #[serde(default)]
    #[schema(schema_with = optional::<RetentionDays>)]
    former_ids_days: Field<i64>,
}

fn value() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
    <RetentionValueRequest as utoipa::PartialSchema>::schema()
}

object_from_json!(RetentionRequest, RetentionValueRequest);

impl RetentionRequest {
    /// Converts the request. Checks every field and collects all faults.
    fn into_domain(self, broken: &mut Violations) -> Option<Retention> {
        let fields = &mut Reader::new(broken);
        if matches!(self.value, Field::Absent) {
            fields.note("value", "required", "is required");
        }
        fields.within("value", self.value, RetentionValueRequest::into_domain)
    }
}

impl RetentionValueRequest {
    fn into_domain(self, fields: &mut Reader<'_>) -> Option<Retention> {
        let mut days = |name: &str, field| match fields.take(name, field) {
            None => None,
            Some(days) => fields.check(name, RetentionDays::new(days)),
        };
        let archived_days = days("archived_days", self.archived_days);
        let former_ids_days = days("former_ids_days", self.former_ids_days);
        Some(Retention { archived_days, former_ids_days })
    }
}

/// The retention of the environment. One that is not set has only key and value.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = CustomerRetention)]
pub(in crate::http) struct RetentionResponse<'a> {
    /// The setting: `customer_retention`.
    key: &'static str,
    value: RetentionValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<TenantId>)]
    tenant_id: Option<TenantId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<EnvironmentId>)]
    environment_id: Option<EnvironmentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<Timestamp>)]
    created_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<Actor>)]
    created_by: Option<&'a Actor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<Timestamp>)]
    updated_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<Actor>)]
    updated_by: Option<&'a Actor>,
}

/// How long data is kept. What has no number is kept for ever.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = CustomerRetentionValue)]
struct RetentionValue {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<RetentionDays>)]
    archived_days: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<RetentionDays>)]
    former_ids_days: Option<u16>,
}

impl<'a> RetentionResponse<'a> {
    pub(in crate::http) fn new(setting: &'a RetentionSetting) -> Self {
        let RetentionSetting { owner, retention, audit } = setting;
        Self {
            key: KEY,
            value: RetentionValue {
                archived_days: retention.archived_days.map(RetentionDays::days),
                former_ids_days: retention.former_ids_days.map(RetentionDays::days),
            },
            tenant_id: Some(owner.tenant_id),
            environment_id: Some(owner.environment_id),
            created_at: Some(audit.created_at),
            created_by: Some(&audit.created_by),
            updated_at: Some(audit.updated_at),
            updated_by: Some(&audit.updated_by),
        }
    }

    fn unset() -> Self {
        Self { key: KEY, ..Self::default() }
    }
}

/// Shows how long the environment keeps archived customers and former external ids.
#[get("/settings/customer_retention")]
pub(super) async fn get_retention(
    caller: CanAdminister,
    services: Services<'_>,
    query: Query<'_>,
    known: IfNoneMatch<'_>,
) -> Result<Answer, ApiError> {
    query.none()?;
    match services.privacy()?.retention(&caller).await? {
        Some(setting) => Answer::read(&RetentionResponse::new(&setting), setting.audit.version(), &known),
        None => Answer::ok(&RetentionResponse::unset()),
    }
}

/// Sets how long the environment keeps archived customers and former external ids.
#[put("/settings/customer_retention", data = "<body>")]
pub(super) async fn put_retention(
    caller: CanAdminister,
    services: Services<'_>,
    if_match: IfMatch,
    query: Query<'_>,
    body: Body<'_>,
) -> Result<Answer, ApiError> {
    let mut broken = Violations::new();
    query.only(&[DRY_RUN_PARAMETER], &mut broken);
    let retention = match body.read(RetentionRequest::into_domain).await {
        Ok(retention) if broken.is_empty() => retention,
        Ok(_) => return Err(broken.into()),
        Err(refusal) => return Err(refusal.beside(broken)),
    };
    let setting = services.privacy()?.put_retention(&caller, retention, if_match.0).await?;
    match retention.is_empty() {
        true => Answer::ok(&RetentionResponse::unset()),
        false => Ok(Answer::ok(&RetentionResponse::new(&setting))?.tagged(setting.audit.version())),
    }
}

/// Deletes the setting: everything is kept for ever. A second request changes nothing.
#[delete("/settings/customer_retention")]
pub(super) async fn delete_retention(
    caller: CanAdminister,
    services: Services<'_>,
    if_match: IfMatch,
    query: Query<'_>,
) -> Result<Answer, ApiError> {
    query.nothing_but(&[DRY_RUN_PARAMETER])?;
    services.privacy()?.put_retention(&caller, Retention::default(), if_match.0).await?;
    Ok(Answer::empty(Status::NoContent))
}

/// The documentation of these endpoints.
pub(super) fn documented() -> [Endpoint; 3] {
    let shown = "Needs a `super_admin` key. Without numbers, everything is kept for ever.";
    let set = "Needs a `super_admin` key. Customers that were archived longer ago than `archived_days` are erased, except \
               those on legal hold. `GET /privacy/due` shows them before.";
    let deleted = "Needs a `super_admin` key. Requests that the retention made before stay.";
    [
        Endpoint::new(routes![get_retention], "getCustomerRetention", "Show the retention of customers", shown)
            .with_key()
            .answers::<RetentionResponse<'_>>(200, "The retention.")
            .cacheable(),
        Endpoint::new(routes![put_retention], "setCustomerRetention", "Set the retention of customers", set)
            .with_key()
            .takes::<RetentionRequest>([(
                "ten years",
                json!({ "value": { "archived_days": 3650, "former_ids_days": 365 } }),
            )])
            .answers::<RetentionResponse<'_>>(200, "The retention.")
            .conditional()
            .reporting(),
        Endpoint::new(
            routes![delete_retention],
            "deleteCustomerRetention",
            "Delete the retention of customers",
            deleted,
        )
        .with_key()
        .answers_nothing(204, "The setting is deleted.")
        .guarded()
        .reporting(),
    ]
}
