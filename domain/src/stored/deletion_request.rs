//! Requests for deletion.

use serde::{Deserialize, Serialize};

use super::{
    Stored, StoredError, fits, read,
    values::{AsText, Int, Text, V1, audit_of, int_unless, text_unless},
    write,
};
use crate::{
    ids::{CustomerId, DeletionRequestId},
    lifecycle::{Owner, Version},
    privacy::{
        Category, CategoryCount, Cooldown, DeletionReason, DeletionRequest, DeletionState, RequestChannel, SubjectTag,
    },
    tenancy::Actor,
    time::Timestamp,
};

impl AsText for SubjectTag {
    fn write<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }

    fn read(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}

super::values::word_texts!(Category);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CountForm {
    category: Text<'static, Category>,
    redacted: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeletionForm<'a> {
    #[serde(default, skip_serializing_if = "V1::goes_unsaid")]
    v: V1,
    id: Text<'a, DeletionRequestId>,
    customer_id: Text<'a, CustomerId>,
    request_channel: Text<'a, RequestChannel>,
    cooldown_days: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Text<'a, DeletionReason>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<Text<'a, DeletionState>>,
    subject: Text<'a, SubjectTag>,
    customer_version: Int<Version>,
    due_at: Int<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redacting_since: Option<Int<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verified_at: Option<Int<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Int<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    counts: Vec<CountForm>,
    created_at: Int<Timestamp>,
    created_by: Text<'a, Actor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<Int<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_by: Option<Text<'a, Actor>>,
}

impl<'a> DeletionForm<'a> {
    fn of(request: &'a DeletionRequest) -> Self {
        let DeletionRequest {
            id,
            owner: _,
            customer_id,
            channel,
            cooldown,
            reason,
            state,
            subject,
            customer_version,
            due_at,
            redacting_since,
            verified_at,
            ended_at,
            attempts,
            counts,
            audit,
        } = request;
        let count = |count: &CategoryCount| CountForm {
            category: count.category.into(),
            redacted: count.redacted,
            left: count.left,
        };
        Self {
            v: V1,
            id: Text::of(id),
            customer_id: Text::of(customer_id),
            request_channel: Text::of(channel),
            cooldown_days: cooldown.days(),
            reason: Text::of_any(reason.as_ref()),
            state: text_unless(&DeletionState::Suppressed, state),
            subject: Text::of(subject),
            customer_version: Int(*customer_version),
            due_at: Int(*due_at),
            redacting_since: redacting_since.map(Int),
            verified_at: verified_at.map(Int),
            ended_at: ended_at.map(Int),
            attempts: (*attempts > 0).then_some(*attempts),
            counts: counts.iter().map(count).collect(),
            created_at: Int(audit.created_at),
            created_by: Text::of(&audit.created_by),
            updated_at: int_unless(audit.created_at, audit.updated_at),
            updated_by: text_unless(&audit.created_by, &audit.updated_by),
        }
    }

    fn take(self, owner: Owner) -> Result<DeletionRequest, &'static str> {
        let count = |count: CountForm| CategoryCount {
            category: count.category.take(),
            redacted: count.redacted,
            left: count.left,
        };
        Ok(DeletionRequest {
            id: self.id.take(),
            owner,
            customer_id: self.customer_id.take(),
            channel: self.request_channel.take(),
            cooldown: Cooldown::new(self.cooldown_days.into()).map_err(|_| "cooldown_days")?,
            reason: Text::take_any(self.reason),
            state: Text::take_any(self.state).unwrap_or(DeletionState::Suppressed),
            subject: self.subject.take(),
            customer_version: self.customer_version.0,
            due_at: self.due_at.0,
            redacting_since: self.redacting_since.map(|at| at.0),
            verified_at: self.verified_at.map(|at| at.0),
            ended_at: self.ended_at.map(|at| at.0),
            attempts: self.attempts.unwrap_or_default(),
            counts: self.counts.into_iter().map(count).collect(),
            audit: audit_of(self.created_at, self.created_by, self.updated_at, self.updated_by),
        })
    }
}

impl Stored for DeletionRequest {
    const NAME: &'static str = "deletion_request";

    fn to_document(&self) -> String {
        write(&DeletionForm::of(self))
    }

    fn from_document(owner: Owner, document: &str) -> Result<Self, StoredError> {
        let form: DeletionForm<'_> = read(Self::NAME, document)?;
        fits(Self::NAME, form.take(owner))
    }
}
