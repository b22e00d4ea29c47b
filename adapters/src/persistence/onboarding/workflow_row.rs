//! Rows of the table `onboarding_workflows`.

use diesel::prelude::{Insertable, Queryable};
use patron_domain::{
    customer::WorkflowNeeded,
    ids::{WebhookEndpointId, WorkflowId},
    lifecycle::Status,
    onboarding::{Workflow, WorkflowName, WorkflowSecret},
    store::StoreError,
    webhook::SealedSecret,
};

use super::step_json;
use crate::persistence::{
    column::{AuditColumns, RowName},
    schema::onboarding_workflows,
};

/// One row of `onboarding_workflows`, in the order of the table's columns.
#[derive(Clone, Queryable, Insertable)]
#[diesel(table_name = onboarding_workflows)]
pub(crate) struct WorkflowRow {
    pub(crate) tenant_id: String,
    pub(crate) environment_id: String,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) steps: String,
    pub(crate) secret_id: String,
    pub(crate) secret: String,
    pub(crate) status: String,
    pub(crate) created_at: i64,
    pub(crate) created_by: String,
    pub(crate) updated_at: i64,
    pub(crate) updated_by: String,
}

/// The column `name`: empty for the workflow of customers that name none, because no name is empty.
pub(crate) fn name_column(name: Option<&WorkflowName>) -> &str {
    name.map_or("", |name| name.as_str())
}

/// The id of a version.
pub(crate) fn version_id(id: &str) -> Result<WorkflowId, StoreError> {
    RowName { table: "onboarding_workflows", id }.column("id", WorkflowId::parse(id))
}

/// The column `name` of the workflow that a change of a customer needs.
pub(crate) fn wanted_name(needed: WorkflowNeeded<'_>) -> Option<&str> {
    match needed {
        WorkflowNeeded::None => None,
        WorkflowNeeded::Default => Some(""),
        WorkflowNeeded::Named(name) => Some(name.as_str()),
    }
}

impl From<&Workflow> for WorkflowRow {
    fn from(workflow: &Workflow) -> Self {
        let audit = &workflow.audit;
        Self {
            tenant_id: workflow.owner.tenant_id.to_string(),
            environment_id: workflow.owner.environment_id.to_string(),
            id: workflow.id.to_string(),
            name: name_column(workflow.name.as_ref()).to_owned(),
            steps: step_json::write(&workflow.steps),
            secret_id: workflow.secret.id.to_string(),
            secret: workflow.secret.sealed.as_sealed().to_owned(),
            status: Status::Published.as_str().to_owned(),
            created_at: audit.created_at.micros(),
            created_by: audit.created_by.as_str().to_owned(),
            updated_at: audit.updated_at.micros(),
            updated_by: audit.updated_by.as_str().to_owned(),
        }
    }
}

impl TryFrom<WorkflowRow> for Workflow {
    type Error = StoreError;

    fn try_from(row: WorkflowRow) -> Result<Self, StoreError> {
        let named = RowName { table: "onboarding_workflows", id: &row.id };
        let name = Some(row.name).filter(|name| !name.is_empty());
        let sealed = SealedSecret::from_sealed(row.secret);
        let secret_id = named.column("secret_id", WebhookEndpointId::parse(&row.secret_id))?;
        Ok(Self {
            id: version_id(&row.id)?,
            owner: named.owner(&row.tenant_id, &row.environment_id)?,
            name: named.nullable("name", name, WorkflowName::new)?,
            steps: named.column("steps", step_json::read(&row.steps).ok_or(()))?,
            secret: WorkflowSecret { id: secret_id, sealed },
            audit: named.audit(AuditColumns {
                created_at: row.created_at,
                created_by: row.created_by,
                updated_at: row.updated_at,
                updated_by: row.updated_by,
            })?,
        })
    }
}
