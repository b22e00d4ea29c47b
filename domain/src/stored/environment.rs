//! Environments. A document contains the environment's id; the tenant is that of the owner it is read for.

use serde::{Deserialize, Serialize};

use super::{
    Stored, StoredError, read,
    values::{Int, Text, V1, audit_of, int_unless, text_unless},
    write,
};
use crate::{
    ids::EnvironmentId,
    lifecycle::Owner,
    tenancy::{Actor, Environment, EnvironmentName, EnvironmentType},
    time::Timestamp,
};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EnvironmentForm<'a> {
    #[serde(default, skip_serializing_if = "V1::goes_unsaid")]
    v: V1,
    id: Text<'a, EnvironmentId>,
    name: Text<'a, EnvironmentName>,
    #[serde(rename = "type")]
    kind: Text<'a, EnvironmentType>,
    created_at: Int<Timestamp>,
    created_by: Text<'a, Actor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<Int<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_by: Option<Text<'a, Actor>>,
}

impl<'a> EnvironmentForm<'a> {
    fn of(environment: &'a Environment) -> Self {
        let Environment { id, tenant_id: _, name, kind, audit } = environment;
        Self {
            v: V1,
            id: Text::of(id),
            name: Text::of(name),
            kind: Text::of(kind),
            created_at: Int(audit.created_at),
            created_by: Text::of(&audit.created_by),
            updated_at: int_unless(audit.created_at, audit.updated_at),
            updated_by: text_unless(&audit.created_by, &audit.updated_by),
        }
    }

    fn take(self, owner: Owner) -> Environment {
        Environment {
            id: self.id.take(),
            tenant_id: owner.tenant_id,
            name: self.name.take(),
            kind: self.kind.take(),
            audit: audit_of(self.created_at, self.created_by, self.updated_at, self.updated_by),
        }
    }
}

impl Stored for Environment {
    const NAME: &'static str = "environment";

    fn to_document(&self) -> String {
        write(&EnvironmentForm::of(self))
    }

    fn from_document(owner: Owner, document: &str) -> Result<Self, StoredError> {
        let form: EnvironmentForm<'_> = read(Self::NAME, document)?;
        Ok(form.take(owner))
    }
}
