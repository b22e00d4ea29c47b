//! `patron privacy`

mod page;
mod verify;

use patron_adapters::{http::bundle_json, privacy::PrivacyKeys};
use patron_domain::{
    customer::ExternalId,
    page::PageRequest,
    privacy::{
        CategoryCount, Cooldown, DeletionQuery, DeletionReason, DeletionRequest, DeletionState, NamedSubject,
        PrivacyError, PrivacyService,
    },
    report::WriteReport,
    tenancy::TenancyService,
};
use serde_json::{Value, json};

pub(super) use self::verify::verify;
use super::{caller, output};
use crate::{
    cli::{OneRequest, Privacy, RequestFlags},
    failure::Failure,
};

const COLUMNS: [&str; 6] = ["id", "customer_id", "state", "due_at", "verified_at", "created_at"];

/// The services of these commands.
pub(super) struct Tools<'a> {
    pub(super) tenancy: &'a TenancyService,
    pub(super) service: PrivacyService,
    pub(super) keys: PrivacyKeys,
}

pub(super) async fn run(tools: &Tools<'_>, command: Privacy) -> Result<(), Failure> {
    // Without the keys, a customer that is suppressed or erased cannot be found by its external id.
    tools.keys.load().await.map_err(failure)?;
    match command {
        Privacy::Request(flags) => request(tools, flags).await,
        Privacy::Cancel(OneRequest { id, environment }) => {
            let caller = caller(tools.tenancy, environment).await?;
            let cancelled = tools.service.cancel(&caller, id, Default::default()).await.map_err(failure)?;
            output::line(format_args!("{} is cancelled: {} is visible again", id, cancelled.customer_id))
        }
        Privacy::Status { id: Some(id), environment, json, .. } => {
            let caller = caller(tools.tenancy, environment).await?;
            let request = tools.service.find(&caller, id).await.map_err(failure)?;
            show(&request, json)
        }
        Privacy::Status { id: None, environment, state, json } => {
            let caller = caller(tools.tenancy, environment).await?;
            let query = DeletionQuery { state, before: None, limit: PageRequest::MAX_LIMIT };
            let requests = tools.service.requests(&caller, query).await.map_err(failure)?;
            output::list(&requests.iter().map(row).collect::<Vec<_>>(), &COLUMNS, json)
        }
        Privacy::Receipt(OneRequest { id, environment }) => {
            let caller = caller(tools.tenancy, environment).await?;
            let signed = tools.service.receipt(&caller, id).await.map_err(failure)?;
            output::line(serde_json::to_string(&signed).map_err(Failure::failed)?)
        }
        Privacy::Bundle { customer, environment, html } => {
            let caller = caller(tools.tenancy, environment).await?;
            let bundle = tools.service.bundle(&caller, customer).await.map_err(failure)?;
            let json = bundle_json(&bundle).map_err(Failure::failed)?;
            if html { output::line(page::html(&json)) } else { output::line(json) }
        }
        Privacy::Due { environment, json } => {
            let caller = caller(tools.tenancy, environment).await?;
            let due = tools.service.due(&caller).await.map_err(failure)?;
            let rows = due.iter().map(|due| {
                json!({
                    "customer_id": due.customer_id.to_string(),
                    "due_at": due.due_at.to_string(),
                    "why": due.why.as_str(),
                })
            });
            output::list(&rows.collect::<Vec<_>>(), &["customer_id", "due_at", "why"], json)
        }
        Privacy::RotateKey => {
            let key = tools.keys.rotate_receipt_key().await.map_err(failure)?;
            output::line(format_args!("{} signs receipts from now on", key.id))
        }
        // `commands::run` has handled it.
        Privacy::Verify { .. } => Ok(()),
    }
}

async fn request(tools: &Tools<'_>, flags: RequestFlags) -> Result<(), Failure> {
    let RequestFlags { customer, external_id, channel, cooldown_days, reason, dry_run, environment } = flags;
    let external_id = external_id.map(ExternalId::new).transpose();
    let external_id = external_id.map_err(|error| Failure::configuration(format!("--external-id: {error}")))?;
    let cooldown = Cooldown::new(cooldown_days);
    let cooldown = cooldown.map_err(|error| Failure::configuration(format!("--cooldown-days {error}")))?;
    let reason = reason.map(DeletionReason::new).transpose();
    let reason = reason.map_err(|error| Failure::configuration(format!("--reason: {error}")))?;
    let subject = match (customer, external_id) {
        (Some(id), _) => NamedSubject::Id(id),
        (None, Some(external_id)) => NamedSubject::ExternalId(external_id),
        (None, None) => return Err(Failure::configuration("name the customer with --customer or --external-id")),
    };
    let mut caller = caller(tools.tenancy, environment).await?;
    let report = WriteReport::of_dry_run();
    if dry_run {
        caller = caller.reporting(report.clone());
    }
    let requested = tools.service.request(&caller, (subject, channel, cooldown, reason)).await.map_err(failure)?;
    let DeletionRequest { id, customer_id, due_at, state, .. } = &requested.request;
    if requested.is_new && dry_run {
        output::note(format_args!("{customer_id} would be suppressed, and these records redacted after {due_at}:"));
        let count = |count: &CategoryCount| json!({ "category": count.category.as_str(), "records": count.redacted });
        return output::list(&report.redacted().iter().map(count).collect::<Vec<_>>(), &["category", "records"], false);
    }
    if requested.is_new {
        output::note(format_args!("{customer_id} is suppressed; it is redacted after {due_at}, unless you cancel:"));
    } else {
        output::note(format_args!("the deletion of {customer_id} was requested before, and is {state}:"));
    }
    output::line(id)
}

fn show(request: &DeletionRequest, json: bool) -> Result<(), Failure> {
    if json {
        return output::line(row(request));
    }
    let DeletionRequest { id, customer_id, state, due_at, verified_at, .. } = request;
    output::line(format_args!("{id}: {state}\ncustomer {customer_id}"))?;
    match (state, verified_at) {
        (DeletionState::Suppressed, _) => {
            output::line(format_args!("redacted after {due_at}, unless it is cancelled"))?
        }
        (_, Some(at)) => output::line(format_args!("nothing was left when it was counted at {at}"))?,
        _ => {}
    }
    let counts = counts(request);
    if counts.is_empty() { Ok(()) } else { output::list(&counts, &["category", "redacted", "left"], false) }
}

/// The counts of each category.
fn counts(request: &DeletionRequest) -> Vec<Value> {
    let count = |count: &CategoryCount| json!({ "category": count.category.as_str(), "redacted": count.redacted, "left": count.left });
    request.counts.iter().map(count).collect()
}

fn row(request: &DeletionRequest) -> Value {
    json!({
        "id": request.id.to_string(),
        "customer_id": request.customer_id.to_string(),
        "request_channel": request.channel.as_str(),
        "reason": request.reason.as_ref().map(|reason| reason.as_str()),
        "state": request.state.as_str(),
        "cooldown_days": request.cooldown.days(),
        "due_at": request.due_at.to_string(),
        "verified_at": request.verified_at.map(|at| at.to_string()),
        "ended_at": request.ended_at.map(|at| at.to_string()),
        "counts": counts(request),
        "created_at": request.audit.created_at.to_string(),
    })
}

/// A failure in the words of the command line.
fn failure(error: PrivacyError) -> Failure {
    match error {
        PrivacyError::Keys(error) => {
            Failure::failed(format!("{error}: add the key with which they were sealed to PATRON_SECRETS_KEY"))
        }
        other => Failure::failed(other),
    }
}
