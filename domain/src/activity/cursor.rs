//! Where a reader of activity continues.

use std::fmt;

use super::Activity;
use crate::{audit::AuditNumber, event::EventPosition, violation::Rule};

/// The place after an item, towards older ones: the last event and the last audit entry that were read.
///
/// ```
/// use patron_domain::activity::ActivityCursor;
///
/// let newest = ActivityCursor::default();
/// assert_eq!(ActivityCursor::parse(&newest.to_string()), Ok(newest));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ActivityCursor {
    /// Only events before this one.
    pub event: Option<EventPosition>,
    /// Only audit entries before this one.
    pub entry: Option<AuditNumber>,
}

/// A text is not a cursor of activity.
///
/// ```
/// use patron_domain::activity::{ActivityCursor, ActivityCursorError};
///
/// assert_eq!(ActivityCursor::parse("x"), Err(ActivityCursorError));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a cursor exactly as an earlier response of this list returned it")]
pub struct ActivityCursorError;

impl Rule for ActivityCursorError {
    fn rule(&self) -> &'static str {
        "cursor"
    }
}

impl ActivityCursor {
    /// The prefix of the text form. It distinguishes these cursors from those of other lists.
    const MARK: &'static str = "y";

    /// The place after an item.
    pub(super) fn behind(self, item: &Activity) -> Self {
        match item {
            Activity::Event(event) => Self { event: Some(event.position), ..self },
            Activity::Entry(entry) => Self { entry: Some(entry.number), ..self },
        }
    }

    /// Parses the text form.
    ///
    /// # Errors
    /// [`ActivityCursorError`] for anything that `Display` does not produce.
    pub fn parse(text: &str) -> Result<Self, ActivityCursorError> {
        let digits = text.strip_prefix(Self::MARK).filter(|digits| digits.len() == 32);
        let digits = digits.filter(|digits| digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
        let (event, entry) = digits.map(|digits| digits.split_at(16)).ok_or(ActivityCursorError)?;
        let number = |digits: &str| i64::from_str_radix(digits, 16).map_err(|_| ActivityCursorError);
        let (event, entry) = (number(event)?, number(entry)?);
        Ok(Self {
            event: (event > 0).then(|| EventPosition::from_stored(event)).flatten(),
            entry: (entry > 0).then(|| AuditNumber::from_stored(entry)).flatten(),
        })
    }
}

impl fmt::Display for ActivityCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let event = self.event.map_or(0, EventPosition::stored);
        write!(f, "{}{event:016x}{:016x}", Self::MARK, self.entry.map_or(0, AuditNumber::stored))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_text_form_is_accepted() {
        for (event, entry) in [(None, None), (Some(1), None), (None, Some(i64::MAX)), (Some(255), Some(16))] {
            let cursor = ActivityCursor {
                event: event.and_then(EventPosition::from_stored),
                entry: entry.and_then(AuditNumber::from_stored),
            };
            assert_eq!(ActivityCursor::parse(&cursor.to_string()), Ok(cursor));
        }
        let text = ActivityCursor::default().to_string();
        for bad in ["", "y", &text[1..], &format!("{text}0"), &text.replace('0', "f"), &text.replace('0', "+"), "yüü"]
        {
            assert!(ActivityCursor::parse(bad).is_err(), "{bad}");
        }
    }
}
