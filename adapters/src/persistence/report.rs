//! The report of a write: the objects before and after, and the events.
//!
//! It is read from the rows of the decision, so ports and routes add nothing. A new table of objects needs a line here.

use futures_util::future::{BoxFuture, FutureExt};
use patron_domain::{
    event::EventType,
    lifecycle::Owner,
    report::{ObjectChange, ObjectState, Written},
    store::StoreError,
    stored,
};

use super::{
    author::Author,
    engine::{Answer, Decision},
    error::Failure,
    onboarding::row::WorkflowRow,
    tenancy::row::EnvironmentRow,
    unit::Reads,
    value::corrupt,
    word::Word,
    writes::Writes,
};

/// What is refused is a row that cannot be read.
type Read<T> = Result<T, Failure<StoreError>>;

/// Adds the report to a decision.
pub(super) fn reporting<'u>(
    unit: &'u (dyn Reads + 'u),
    author: Author,
    work: BoxFuture<'u, Result<Decision<Answer>, Failure<Answer>>>,
) -> BoxFuture<'u, Result<Decision<Answer>, Failure<Answer>>> {
    let reported = async move {
        let decision = work.await?;
        if let Some(report) = author.report() {
            // If a row cannot be read, the report is empty and the error is logged.
            let written = match written(unit, &decision.writes, author.owner()).await {
                Ok(written) => written,
                Err(Failure::Database(error)) => return Err(error.into()),
                Err(Failure::Refused(error)) => {
                    tracing::error!(%error, "a write report is incomplete");
                    Written::default()
                }
            };
            report.tell(written);
        }
        Ok(decision)
    };
    reported.boxed()
}

async fn written(unit: &dyn Reads, writes: &Writes, owner: Option<Owner>) -> Read<Written> {
    let mut objects = environments(unit, writes).await?;
    if let Some(owner) = owner {
        objects.extend(of_environment(unit, writes, owner).await?);
    }
    let kinds = writes.events.iter().map(|row| {
        let event_type = EventType::of(row.kind, "events", "kind")?;
        let detail = row.detail.as_ref().map(|detail| detail.0.as_str());
        stored::event::kind(event_type, detail).map_err(|_| corrupt("events", "detail", row.position))
    });
    let events = kinds.collect::<Result<_, _>>().map_err(Failure::Refused)?;
    Ok(Written { events, objects })
}

async fn environments(unit: &dyn Reads, writes: &Writes) -> Read<Vec<ObjectChange>> {
    let mut found = Found::default();
    for row in &writes.environments {
        let before = unit.environment(row.id).await?.map(EnvironmentRow::environment);
        found.add(before, Some(row.clone().environment()), ObjectState::Environment)?;
    }
    for row in &writes.new_environments {
        found.add(None, Some(row.clone().environment()), ObjectState::Environment)?;
    }
    Ok(found.0)
}

async fn of_environment(unit: &dyn Reads, writes: &Writes, owner: Owner) -> Read<Vec<ObjectChange>> {
    let mut found = Found::default();
    for row in &writes.customers {
        let before = unit.document(row.environment, row.id).await?;
        let before = before.map(|document| document.read(owner, "before a change"));
        found.add(before, Some(row.document.read(owner, "in a change")), ObjectState::Customer)?;
    }
    for row in &writes.new_customers {
        found.add(None, Some(row.document.read(owner, "in a change")), ObjectState::Customer)?;
    }
    for row in &writes.customers_gone {
        let before = unit.document(row.environment, row.id).await?;
        let before = before.map(|document| document.read(owner, "before its suppression"));
        found.add(before, None, ObjectState::Customer)?;
    }
    for row in &writes.rates {
        let before = unit.rate(row.environment, row.id).await?;
        let before = before.map(|before| before.document.read(owner, "before a change"));
        found.add(before, Some(row.document.read(owner, "in a change")), ObjectState::TaxRate)?;
    }
    for row in &writes.new_rates {
        found.add(None, Some(row.document.read(owner, "in a change")), ObjectState::TaxRate)?;
    }
    for row in &writes.defaults {
        let before = unit.default(row.environment, row.id).await?;
        let before = before.map(|before| before.document.read(owner, "before a change"));
        found.add(before, Some(row.document.read(owner, "in a change")), ObjectState::TaxDefault)?;
    }
    for row in &writes.new_defaults {
        found.add(None, Some(row.document.read(owner, "in a change")), ObjectState::TaxDefault)?;
    }
    for row in &writes.keys {
        let before = unit.lock_api_key(row.environment, row.id).await?;
        found.add(before.map(|row| row.key(owner)), Some(row.clone().key(owner)), ObjectState::ApiKey)?;
    }
    for row in &writes.new_keys {
        found.add(None, Some(row.clone().key(owner)), ObjectState::ApiKey)?;
    }
    for row in &writes.custom_fields {
        let before = unit.custom_field(row.environment, &row.key).await?.map(|row| row.definition(owner));
        found.add(before, Some(row.definition(owner)), ObjectState::CustomField)?;
    }
    for row in &writes.new_custom_fields {
        found.add(None, Some(row.definition(owner)), ObjectState::CustomField)?;
    }
    for row in &writes.custom_fields_gone {
        found.add(Some(row.definition(owner)), None, ObjectState::CustomField)?;
    }
    for row in &writes.retention {
        let before = unit.retention(row.environment).await?.map(|row| row.setting(owner));
        found.add(before, Some(row.setting(owner)), ObjectState::Retention)?;
    }
    for row in &writes.retention_gone {
        found.add(Some(row.setting(owner)), None, ObjectState::Retention)?;
    }
    for row in &writes.endpoints {
        let before = unit.endpoint(row.environment, row.id).await?.map(|row| row.endpoint(owner));
        let after = row.deleted_at.is_none().then(|| row.endpoint(owner));
        found.add(before, after, ObjectState::Endpoint)?;
    }
    for row in &writes.new_endpoints {
        found.add(None, Some(row.endpoint(owner)), ObjectState::Endpoint)?;
    }
    // A change of a workflow retires its version and adds another.
    let same = |row: &&WorkflowRow, other: &WorkflowRow| row.name == other.name;
    for row in &writes.workflows {
        let after = writes.new_workflows.iter().find(|new| same(new, row));
        found.add(Some(row.workflow(owner)), after.map(|row| row.workflow(owner)), ObjectState::Workflow)?;
    }
    for row in &writes.new_workflows {
        if !writes.workflows.iter().any(|old| same(&row, old)) {
            found.add(None, Some(row.workflow(owner)), ObjectState::Workflow)?;
        }
    }
    for row in &writes.runs {
        let before = unit.run(row.environment, row.customer).await?.map(|row| row.run(owner));
        found.add(before, Some(row.run(owner)), ObjectState::Run)?;
    }
    Ok(found.0)
}

/// The objects of a report.
#[derive(Default)]
struct Found(Vec<ObjectChange>);

impl Found {
    fn add<T>(
        &mut self,
        before: Option<Result<T, StoreError>>,
        after: Option<Result<T, StoreError>>,
        state: impl Fn(Box<T>) -> ObjectState,
    ) -> Read<()> {
        let read = |value: Option<Result<T, StoreError>>| {
            let value = value.transpose().map_err(Failure::Refused)?;
            Read::Ok(value.map(|value| state(Box::new(value))))
        };
        self.0.push(ObjectChange { before: read(before)?, after: read(after)? });
        Ok(())
    }
}
