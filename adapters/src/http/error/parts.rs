//! Errors in requests with several parts.

use patron_domain::metadata::member_path;

use super::{ApiError, Detail, IF_MATCH};

impl ApiError {
    /// The same error in a request with several parts, with the paths below the place of its part.
    pub(crate) fn within(mut self, place: &str) -> Self {
        if self.details.is_empty() {
            self.details.push(Detail::new(place, self.message.clone()));
        } else {
            for detail in &mut self.details {
                detail.path = member_path(place, &detail.path);
            }
        }
        self
    }

    /// The error of a part whose precondition is a member, not a header.
    pub(crate) fn of_part(mut self) -> Self {
        for detail in self.details.iter_mut().filter(|detail| detail.path == IF_MATCH) {
            "if_match".clone_into(&mut detail.path);
        }
        self.header = None;
        self
    }

    /// The errors of two parts, with the status and the code of the first.
    pub(crate) fn together(mut self, other: Self) -> Self {
        "some parts of the request are refused; details names each of them and says what to do"
            .clone_into(&mut self.message);
        self.details.extend(other.details);
        self.fitted()
    }
}
