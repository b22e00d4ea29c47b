//! `GET /customers/{id}/bundle`: everything that is held about a customer, as one JSON document.

use patron_domain::{
    customer::{ArchivedTerm, ChangeCustomerError, CustomerAggregate, FormerExternalId, LegalHold},
    ids::{CustomerId, ImportId},
    import::{FailedRow, ImportDiff},
    onboarding::OnboardingRun,
    privacy::{Bundle, PersonalRecord},
    webhook::Delivery,
};
use rocket::{get, routes};
use serde_json::{Value, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
};

use super::response::DeletionResponse;
use crate::http::{
    answer::Answer,
    customer::response::CustomerResponse,
    error::ApiError,
    event::response::EventResponse,
    guard::{CanAdminister, Services},
    openapi::Endpoint,
    query::Query,
    tax::response::TaxAssociationResponse,
};

/// The name and version of the document's schema.
const SCHEMA: &str = "patron.bundle.v1";

/// Shows everything that is held about a customer of any status.
#[get("/customers/<id>/bundle", rank = 1)]
pub(super) async fn bundle(
    caller: CanAdminister,
    services: Services<'_>,
    query: Query<'_>,
    id: &str,
) -> Result<Answer, ApiError> {
    query.none()?;
    let id = CustomerId::parse(id).map_err(|_| ChangeCustomerError::UnknownCustomer)?;
    let bundle = services.privacy()?.bundle(&caller, id).await?;
    let document = bundle_json(&bundle).map_err(|_| ApiError::system_error())?;
    Answer::page(&services, bundle.history.len(), &document).await
}

/// The bundle as JSON.
///
/// # Errors
/// Never: all parts have a JSON form.
pub fn bundle_json(bundle: &Bundle) -> Result<Value, serde_json::Error> {
    let Bundle { at, record, history } = bundle;
    let PersonalRecord { customer: aggregate, run, deliveries, requests, kept_answers, failed_rows, import_changes } =
        record;
    let CustomerAggregate { customer, mappings, removed_associations, .. } = aggregate;
    let associations =
        |all: &[_]| serde_json::to_value(all.iter().map(TaxAssociationResponse::new).collect::<Vec<_>>());
    Ok(json!({
        "schema": SCHEMA,
        "generated_at": at,
        "customer": serde_json::to_value(CustomerResponse::new(customer, mappings))?,
        "tax_associations": associations(&aggregate.associations)?,
        "removed_tax_associations": associations(removed_associations)?,
        "former_external_ids": aggregate.former_external_ids.iter().map(former).collect::<Vec<_>>(),
        "archived_terms": aggregate.archived_terms.iter().map(archived).collect::<Vec<_>>(),
        "legal_hold": customer.legal_hold.as_ref().map(hold),
        "onboarding_run": run.as_ref().map(onboarding),
        "webhook_deliveries": deliveries.iter().map(delivery).collect::<Vec<_>>(),
        "imports": imports(failed_rows, import_changes),
        "kept_answers": kept_answers.iter().map(|at| json!({ "at": at })).collect::<Vec<_>>(),
        "deletion_requests": serde_json::to_value(requests.iter().map(DeletionResponse::new).collect::<Vec<_>>())?,
        "history": serde_json::to_value(history.iter().map(EventResponse::new).collect::<Vec<_>>())?,
    }))
}

fn former(former: &FormerExternalId) -> Value {
    json!({ "external_id": former.external_id, "from": former.from, "until": former.until })
}

fn archived(term: &ArchivedTerm) -> Value {
    json!({ "from": term.from, "until": term.until })
}

fn hold(hold: &LegalHold) -> Value {
    json!({ "reason": hold.reason, "until": hold.until, "since": hold.since, "by": hold.by })
}

/// What imports keep about the customer: rows that failed, and changes that rows made or would make.
fn imports(failed: &[(ImportId, FailedRow)], changes: &[(ImportId, ImportDiff)]) -> Vec<Value> {
    let failed = failed.iter().map(|(import, row)| {
        let faults = row.faults.iter().map(|fault| json!({ "path": fault.path, "message": fault.message }));
        json!({
            "import_id": import,
            "row": row.row,
            "external_id": row.external_id,
            "outcome": "failed",
            "original": row.original,
            "faults": faults.collect::<Vec<_>>(),
        })
    });
    let changes = changes.iter().map(|(import, diff)| {
        json!({
            "import_id": import,
            "row": diff.row,
            "external_id": diff.external_id,
            "outcome": diff.outcome.as_str(),
            "changed": diff.changed,
        })
    });
    failed.chain(changes).collect()
}

fn onboarding(run: &OnboardingRun) -> Value {
    json!({
        "workflow_id": run.workflow_id,
        "state": run.state.as_str(),
        "values": run.values,
        "created_at": run.created_at,
        "updated_at": run.updated_at,
    })
}

fn delivery(delivery: &Delivery) -> Value {
    json!({
        "id": delivery.id,
        "endpoint_id": delivery.endpoint_id,
        "event_id": delivery.event_id,
        "event_type": delivery.event_type,
        "status": delivery.state.status().as_str(),
        "attempts": delivery.attempts,
        "last_answer": delivery.last.as_ref().map(|last| json!({ "at": last.at, "text": last.answer })),
        "created_at": delivery.created_at,
        "updated_at": delivery.updated_at,
    })
}

/// The schema of a bundle. docs/privacy.md describes its members.
struct BundleResponse;

impl PartialSchema for BundleResponse {
    fn schema() -> RefOr<Schema> {
        let says = "Everything that is held about the customer, with every change, who made it and when. Members are \
                    described in docs/privacy.md.";
        ObjectBuilder::new().schema_type(Type::Object).description(Some(says)).into()
    }
}

impl ToSchema for BundleResponse {
    fn name() -> std::borrow::Cow<'static, str> {
        "CustomerBundle".into()
    }
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Needs a `super_admin` key. For requests of access and portability (Articles 15 and 20 of the GDPR).";
    Endpoint::new(routes![bundle], "getCustomerBundle", "Get everything that is held about a customer", says)
        .with_key()
        .path::<CustomerId>("id", "The customer, in any status.")
        .answers::<BundleResponse>(200, "The document.")
}
