//! Who created and last changed an object, and when.

use super::{Int, Text, int_unless, text_unless};
use crate::{lifecycle::Audit, tenancy::Actor, time::Timestamp};

/// The four members for who created and last changed an object and when; each is absent if it follows from the others.
pub(in crate::stored) struct AuditParts<'a> {
    pub(in crate::stored) created_at: Option<Int<Timestamp>>,
    pub(in crate::stored) created_by: Option<Text<'a, Actor>>,
    pub(in crate::stored) updated_at: Option<Int<Timestamp>>,
    pub(in crate::stored) updated_by: Option<Text<'a, Actor>>,
}

impl<'a> AuditParts<'a> {
    /// The members for an object of its own, or for a part of an object with this audit data.
    pub(in crate::stored) fn of(audit: &'a Audit, of_whole: Option<&Audit>) -> Self {
        let Audit { created_at, created_by, updated_at, updated_by } = audit;
        Self {
            created_at: unless_same(of_whole.map(|whole| &whole.created_at), created_at).map(|at| Int(*at)),
            created_by: unless_same(of_whole.map(|whole| &whole.created_by), created_by).map(Text::of),
            updated_at: int_unless(*created_at, *updated_at),
            updated_by: text_unless(created_by, updated_by),
        }
    }

    /// The audit data, or the name of the missing member.
    pub(in crate::stored) fn take(self, of_whole: Option<&Audit>) -> Result<Audit, &'static str> {
        let created_at = self.created_at.map(|at| at.0).or(of_whole.map(|whole| whole.created_at));
        let created_by = Text::take_any(self.created_by).or_else(|| of_whole.map(|whole| whole.created_by.clone()));
        let (created_at, created_by) = (created_at.ok_or("created_at")?, created_by.ok_or("created_by")?);
        Ok(audit_of(Int(created_at), created_by.into(), self.updated_at, self.updated_by))
    }
}

/// The audit data of an object of its own.
pub(in crate::stored) fn audit_of(
    created_at: Int<Timestamp>,
    created_by: Text<'_, Actor>,
    updated_at: Option<Int<Timestamp>>,
    updated_by: Option<Text<'_, Actor>>,
) -> Audit {
    let (created_at, created_by) = (created_at.0, created_by.take());
    Audit {
        updated_at: updated_at.map_or(created_at, |at| at.0),
        updated_by: Text::take_any(updated_by).unwrap_or_else(|| created_by.clone()),
        created_at,
        created_by,
    }
}

fn unless_same<'a, T: PartialEq>(whole: Option<&T>, value: &'a T) -> Option<&'a T> {
    (whole != Some(value)).then_some(value)
}
