//! Rows of the table `onboarding_runs`.

use diesel::prelude::{AsChangeset, Insertable, Queryable};
use patron_domain::{
    ids::{CustomerId, WorkflowId},
    integration::ProviderEntityId,
    onboarding::{OnboardingRun, RunRecord, RunState, StepFailure},
    store::StoreError,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::persistence::{column::RowName, schema::onboarding_runs};

/// One row of `onboarding_runs`, in the order of the table's columns.
#[derive(Clone, Queryable, Insertable, Serialize, Deserialize)]
#[diesel(table_name = onboarding_runs, treat_none_as_default_value = false)]
pub(crate) struct RunRow {
    pub(crate) tenant_id: String,
    pub(crate) environment_id: String,
    pub(crate) customer_id: String,
    pub(crate) workflow_id: String,
    pub(crate) state: String,
    pub(crate) step: i32,
    pub(crate) attempts: i32,
    pub(crate) due_at: Option<i64>,
    pub(crate) failure: Option<String>,
    pub(crate) taken: Option<String>,
    pub(crate) holder: Option<String>,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
}

/// What changes of a run.
#[derive(AsChangeset)]
#[diesel(table_name = onboarding_runs, treat_none_as_null = true)]
pub(crate) struct RunChanges {
    state: String,
    step: i32,
    attempts: i32,
    due_at: Option<i64>,
    failure: Option<String>,
    taken: Option<String>,
    holder: Option<String>,
    updated_at: i64,
}

impl From<&OnboardingRun> for RunRow {
    fn from(run: &OnboardingRun) -> Self {
        let values: Vec<&str> = run.values.iter().map(ProviderEntityId::as_str).collect();
        Self {
            tenant_id: run.owner.tenant_id.to_string(),
            environment_id: run.owner.environment_id.to_string(),
            customer_id: run.customer_id.to_string(),
            workflow_id: run.workflow_id.to_string(),
            state: run.state.as_str().to_owned(),
            step: run.step.into(),
            // No step is tried 2^31 times.
            attempts: i32::try_from(run.attempts).unwrap_or(i32::MAX),
            due_at: run.due_at.map(Timestamp::micros),
            failure: run.last_failure.map(StepFailure::to_word),
            // A list of texts always has a JSON form.
            taken: (!values.is_empty()).then(|| serde_json::to_string(&values).unwrap_or_default()),
            holder: None,
            created_at: run.created_at.micros(),
            updated_at: run.updated_at.micros(),
        }
    }
}

impl From<&OnboardingRun> for RunChanges {
    /// The run as nobody holds it.
    fn from(run: &OnboardingRun) -> Self {
        let RunRow { state, step, attempts, due_at, failure, taken, holder, updated_at, .. } = RunRow::from(run);
        Self { state, step, attempts, due_at, failure, taken, holder, updated_at }
    }
}

impl From<&RunRecord> for RunChanges {
    fn from(record: &RunRecord) -> Self {
        let changes = Self::from(&record.run);
        match record.keep_until {
            None => changes,
            Some(until) => Self { due_at: Some(until.micros()), holder: Some(record.holder.clone()), ..changes },
        }
    }
}

/// A row as it is once somebody holds it.
pub(crate) fn hold(row: RunRow, holder: &str, until: Timestamp) -> Result<RunRecord, StoreError> {
    let run = OnboardingRun::try_from(row)?.held(until);
    Ok(RunRecord { run, holder: holder.to_owned(), keep_until: Some(until) })
}

impl TryFrom<RunRow> for OnboardingRun {
    type Error = StoreError;

    fn try_from(row: RunRow) -> Result<Self, StoreError> {
        let named = RowName { table: "onboarding_runs", id: &row.customer_id };
        let time = Timestamp::from_micros;
        let taken: Vec<String> = match &row.taken {
            None => Vec::new(),
            Some(taken) => named.column("taken", serde_json::from_str(taken))?,
        };
        let values: Result<_, _> = taken.into_iter().map(ProviderEntityId::new).collect();
        let failure = |word: String| StepFailure::from_word(&word).ok_or(());
        Ok(Self {
            owner: named.owner(&row.tenant_id, &row.environment_id)?,
            customer_id: named.column("customer_id", CustomerId::parse(&row.customer_id))?,
            workflow_id: named.column("workflow_id", WorkflowId::parse(&row.workflow_id))?,
            state: named.column("state", RunState::parse(&row.state))?,
            step: named.column("step", u16::try_from(row.step))?,
            attempts: named.column("attempts", u32::try_from(row.attempts))?,
            due_at: named.nullable("due_at", row.due_at, time)?,
            last_failure: named.nullable("failure", row.failure.clone(), failure)?,
            values: named.column("taken", values)?,
            created_at: named.column("created_at", time(row.created_at))?,
            updated_at: named.column("updated_at", time(row.updated_at))?,
        })
    }
}
