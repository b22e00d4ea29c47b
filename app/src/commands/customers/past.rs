//! `patron customers show`, `diff` and `history`

use patron_adapters::http::customer_value;
use patron_domain::{
    diff::Change,
    event::{EventEntity, EventRecord, EventService, PastService},
    ids::CustomerId,
    lifecycle::Version,
    page::PageRequest,
    tenancy::{Caller, TenancyService},
    time::Timestamp,
};
use serde_json::{Value, json};

use super::super::{caller, output};
use crate::{
    cli::{Diff, History, NamedCustomer, Show},
    failure::Failure,
};

const COLUMNS: [&str; 5] = ["version", "at", "type", "changed", "actor"];

/// Prints a customer.
pub(super) async fn show(tenancy: &TenancyService, past: &PastService, asked: Show) -> Result<(), Failure> {
    let caller = caller(tenancy, asked.environment).await?;
    let at = asked.at.unwrap_or_else(|| past.clock.now());
    let customer = find(past, &caller, &asked.named, at).await?;
    let customer = match asked.version {
        Some(version) => past.version(&caller, customer, version).await,
        None => past.at(&caller, customer, at).await,
    };
    let customer = customer.map_err(Failure::failed)?;
    let shown = serde_json::to_string_pretty(&customer_value(&customer)).map_err(Failure::failed)?;
    output::line(shown)
}

/// The id of a customer. An external id is looked up as of a time.
async fn find(
    past: &PastService,
    caller: &Caller,
    named: &NamedCustomer,
    at: Timestamp,
) -> Result<CustomerId, Failure> {
    match (named.customer, &named.external_id) {
        (Some(customer), _) => Ok(customer),
        (None, Some(external_id)) => {
            let found = past.at_by_external_id(caller, external_id, at).await;
            found.map(|found| found.customer.id).map_err(Failure::failed)
        }
        // The parser requires one of the two.
        (None, None) => Err(Failure::configuration("name a customer by its id, or with --external-id")),
    }
}

/// Prints the differences between two versions.
pub(super) async fn diff(tenancy: &TenancyService, past: &PastService, asked: Diff) -> Result<(), Failure> {
    let caller = caller(tenancy, asked.environment).await?;
    let before = || i64::try_from(asked.to.get()).ok().and_then(|to| Version::from_stored(to - 1));
    let Some(from) = asked.from.or_else(before) else {
        return Err(Failure::configuration("--to: version 1 has no earlier version; set --from to another version"));
    };
    let customer = find(past, &caller, &asked.named, past.clock.now()).await?;
    let changes = past.diff(&caller, customer, (from, asked.to), customer_value).await;
    let changes = changes.map_err(Failure::failed)?;
    if asked.json {
        let row = |Change { path, from, to }: Change| json!({ "path": path, "from": from, "to": to });
        return output::line(Value::from_iter(changes.into_iter().map(row)));
    }
    output::lines(changes.iter().map(|Change { path, from, to }| format!("{path}: {from} -> {to}"))).map(drop)
}

/// Prints the versions of a customer, the oldest first.
pub(super) async fn history(
    tenancy: &TenancyService,
    (events, past): (&EventService, &PastService),
    asked: History,
) -> Result<(), Failure> {
    let caller = caller(tenancy, asked.environment).await?;
    let customer = find(past, &caller, &asked.named, past.clock.now()).await?;
    let page = PageRequest::new(PageRequest::MAX_LIMIT.into(), asked.offset).map_err(Failure::flag)?;
    let found = events.history(&caller, EventEntity::Customer(customer), page).await.map_err(Failure::failed)?;
    if found.total == 0 {
        return Err(Failure::failed("the log has no events of this customer; check its id and --environment"));
    }
    output::list(&found.items.iter().map(row).collect::<Vec<_>>(), &COLUMNS, asked.json)
}

fn row(event: &EventRecord) -> Value {
    json!({
        "version": event.sequence.get(),
        "at": event.at.to_string(),
        "type": event.kind.event_type().as_str(),
        "changed": event.kind.changed(),
        "actor": event.actor.as_str(),
    })
}
