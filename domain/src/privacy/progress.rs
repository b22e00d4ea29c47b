//! The progress of a redaction.

use std::time::Duration;

use super::{Category, CategoryCount, DeletionRequest, DeletionState};
use crate::{
    event::{CustomerEventKind, CustomerMark},
    ids::EventId,
    tenancy::{Actor, EnvironmentScope},
    time::Timestamp,
};

impl DeletionRequest {
    /// How often counting may find data left before the request has failed.
    pub const MAX_ATTEMPTS: u32 = 3;
    /// After how long a failed request is tried again.
    pub const TRY_AGAIN_AFTER: Duration = Duration::from_secs(3_600);

    /// The request after its redaction has begun, or has been resumed.
    #[must_use]
    pub fn begun(mut self, at: Timestamp) -> Self {
        if self.state != DeletionState::Redacting {
            self.state = DeletionState::Redacting;
            self.redacting_since.get_or_insert(at);
            self.ended_at = None;
            self.audit.advance(at, &Actor::system());
        }
        self
    }

    /// Adds records of a category that were redacted.
    pub fn add_redacted(&mut self, category: Category, records: u64) {
        self.count_mut(category).redacted += records;
    }

    /// The request after a category was counted.
    #[must_use]
    pub fn counted(mut self, category: Category, left: u64) -> Self {
        self.count_mut(category).left = Some(left);
        self
    }

    /// The request after categories were counted. It is completed if nothing is left in any.
    #[must_use]
    pub fn verified(mut self, left: &[(Category, u64)], at: Timestamp) -> Self {
        for (category, left) in left {
            self = self.counted(*category, *left);
        }
        let clean = Category::ALL.iter().all(|category| self.count_mut(*category).left == Some(0));
        if clean {
            (self.state, self.reason) = (DeletionState::Completed, None);
            (self.verified_at, self.ended_at) = (Some(at), Some(at));
            self.customer_version = self.customer_version.next();
        } else {
            self.attempts = self.attempts.saturating_add(1);
            if self.attempts.is_multiple_of(Self::MAX_ATTEMPTS) {
                (self.state, self.ended_at) = (DeletionState::Failed, Some(at));
            }
        }
        self.audit.advance(at, &Actor::system());
        self
    }

    /// When the next work is due; `None` when none is left.
    #[must_use]
    pub fn next_at(&self) -> Option<Timestamp> {
        match self.state {
            DeletionState::Suppressed | DeletionState::Redacting => Some(self.due_at),
            DeletionState::Failed => Some(self.ended_at.unwrap_or(self.due_at).later(Self::TRY_AGAIN_AFTER)),
            DeletionState::Completed | DeletionState::Cancelled => None,
        }
    }

    /// The last event about the customer, once the request is completed.
    #[must_use]
    pub fn erased_mark(&self, id: EventId, at: Timestamp) -> CustomerMark {
        let scope = EnvironmentScope::new(self.owner, Actor::system());
        let place = (self.customer_id, self.customer_version);
        CustomerMark::new(id, CustomerEventKind::Erased, place, at, &scope)
    }

    fn count_mut(&mut self, category: Category) -> &mut CategoryCount {
        if self.counts.is_empty() {
            let all = Category::ALL.iter();
            self.counts = all.map(|one| CategoryCount { category: *one, redacted: 0, left: None }).collect();
        }
        let place = self.counts.iter().position(|count| count.category == category).unwrap_or_else(|| {
            // An earlier version without this category began the counts.
            self.counts.push(CategoryCount { category, redacted: 0, left: None });
            self.counts.len() - 1
        });
        &mut self.counts[place]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        privacy::{DeletionReason, RequestChannel},
        testkit::{a_deletion_request, a_time},
    };

    fn all(left: u64) -> Vec<(Category, u64)> {
        Category::ALL.iter().map(|category| (*category, left)).collect()
    }

    #[test]
    fn a_request_is_completed_only_when_nothing_is_left_anywhere() {
        let reason = DeletionReason::new("a letter").ok();
        let request = DeletionRequest { reason, channel: RequestChannel::Written, ..a_deletion_request() };
        let version = request.customer_version;
        let mut request = request.begun(a_time());
        request.add_redacted(Category::Events, 5);
        request.add_redacted(Category::Events, 2);
        assert_eq!(request.state, DeletionState::Redacting);
        let most = request.clone().verified(&all(0)[1..], a_time());
        assert_eq!(most.state, DeletionState::Redacting, "one category was not counted");
        let done = request.verified(&all(0), a_time());
        assert_eq!((done.state, done.verified_at), (DeletionState::Completed, Some(a_time())));
        assert_eq!((&done.reason, done.customer_version), (&None, version.next()));
        let events = done.counts.iter().find(|count| count.category == Category::Events).unwrap();
        assert_eq!((events.redacted, events.left), (7, Some(0)));
        assert_eq!(done.next_at(), None);
    }

    #[test]
    fn a_request_that_never_gets_clean_fails_and_is_tried_again_later() {
        let mut request = a_deletion_request().begun(a_time());
        for attempt in 1..=DeletionRequest::MAX_ATTEMPTS {
            assert_eq!(request.state, DeletionState::Redacting, "before attempt {attempt}");
            request = request.verified(&all(1), a_time());
        }
        assert_eq!(request.state, DeletionState::Failed);
        assert_eq!(request.next_at(), Some(a_time().later(DeletionRequest::TRY_AGAIN_AFTER)));
        let again = request.begun(a_time()).verified(&all(0), a_time());
        assert_eq!(again.state, DeletionState::Completed);
    }
}
