//! Rows of the tables `onboarding_workflows` and `onboarding_runs`.

use patron_domain::{
    customer::WorkflowNeeded,
    ids::{OnboardingRunKind, WorkflowKind},
    lifecycle::{Owner, Status},
    onboarding::{OnboardingRun, Workflow, WorkflowName},
    store::StoreError,
    time::Timestamp,
};

use crate::persistence::{
    rows::rows,
    value::{Document, Key},
    word::Word,
};

rows! {
    /// One row of `onboarding_workflows`: a version. Only its status ever changes.
    WorkflowRow: onboarding_workflows {
        environment: i32, id: Key;
        name: String,
        status: i16,
        document: Document,
    }
}

rows! {
    /// One row of `onboarding_runs`.
    RunRow: onboarding_runs {
        environment: i32, customer: Key;
        state: i16,
        due_at: Option<i64>,
        holder: Option<String>,
        document: Document,
    }
}

/// The column `name` of a workflow. Empty for the workflow of customers that name none.
pub(crate) fn name_column(name: Option<&WorkflowName>) -> &str {
    name.map_or("", |name| name.as_str())
}

/// The column `name` of the workflow that a change uses.
pub(crate) fn wanted_name(needed: WorkflowNeeded<'_>) -> Option<&str> {
    match needed {
        WorkflowNeeded::None => None,
        WorkflowNeeded::Default => Some(""),
        WorkflowNeeded::Named(name) => Some(name.as_str()),
    }
}

impl WorkflowRow {
    /// A version for new customers.
    pub(crate) fn new(environment: i32, workflow: &Workflow) -> Self {
        Self {
            environment,
            id: workflow.id.into(),
            name: name_column(workflow.name.as_ref()).to_owned(),
            status: Status::Published.code(),
            document: Document::of(workflow),
        }
    }

    /// The same version, retired: no longer for new customers.
    pub(crate) fn retired(self) -> Self {
        Self { status: Status::Deleted.code(), ..self }
    }

    /// The version, with its owner.
    pub(crate) fn workflow(&self, owner: Owner) -> Result<Workflow, StoreError> {
        self.document.read(owner, self.id.id::<WorkflowKind>())
    }
}

impl RunRow {
    /// A run without a holder.
    pub(crate) fn new(environment: i32, run: &OnboardingRun) -> Self {
        Self {
            environment,
            customer: run.customer_id.into(),
            state: run.state.code(),
            due_at: run.due_at.map(Timestamp::micros),
            holder: None,
            document: Document::of(run),
        }
    }

    /// The run, with its owner. A held run is due when its lease ends.
    pub(crate) fn run(&self, owner: Owner) -> Result<OnboardingRun, StoreError> {
        self.document.read(owner, self.customer.id::<OnboardingRunKind>())
    }
}
