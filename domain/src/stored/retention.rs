//! The retention of an environment.

use serde::{Deserialize, Serialize};

use super::{
    Stored, StoredError, fits, read,
    values::{Int, Text, V1, audit_of, int_unless, text_unless},
    write,
};
use crate::{
    lifecycle::Owner,
    privacy::{Retention, RetentionDays, RetentionSetting},
    tenancy::Actor,
    time::Timestamp,
};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RetentionForm<'a> {
    #[serde(default, skip_serializing_if = "V1::goes_unsaid")]
    v: V1,
    #[serde(skip_serializing_if = "Option::is_none")]
    archived_days: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    former_ids_days: Option<u16>,
    created_at: Int<Timestamp>,
    created_by: Text<'a, Actor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<Int<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_by: Option<Text<'a, Actor>>,
}

impl Stored for RetentionSetting {
    const NAME: &'static str = "retention";

    fn to_document(&self) -> String {
        let Self { owner: _, retention: Retention { archived_days, former_ids_days }, audit } = self;
        write(&RetentionForm {
            v: V1,
            archived_days: archived_days.map(RetentionDays::days),
            former_ids_days: former_ids_days.map(RetentionDays::days),
            created_at: Int(audit.created_at),
            created_by: Text::of(&audit.created_by),
            updated_at: int_unless(audit.created_at, audit.updated_at),
            updated_by: text_unless(&audit.created_by, &audit.updated_by),
        })
    }

    fn from_document(owner: Owner, document: &str) -> Result<Self, StoredError> {
        let form: RetentionForm<'_> = read(Self::NAME, document)?;
        let days = |days: Option<u16>| days.map(|days| RetentionDays::new(days.into())).transpose();
        let retention = match (days(form.archived_days), days(form.former_ids_days)) {
            (Ok(archived_days), Ok(former_ids_days)) => Ok(Retention { archived_days, former_ids_days }),
            (Err(_), _) => Err("archived_days"),
            (_, Err(_)) => Err("former_ids_days"),
        };
        let audit = audit_of(form.created_at, form.created_by, form.updated_at, form.updated_by);
        fits(Self::NAME, retention.map(|retention| Self { owner, retention, audit }))
    }
}
