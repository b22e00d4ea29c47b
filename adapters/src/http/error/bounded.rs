//! The size of errors.

use patron_domain::violation::Violations;

use super::{ApiError, Detail};

/// The most bytes of an error response. Faults that do not fit are left out, from the end.
const MOST_BYTES: usize = 262_144;

/// The bytes that are reserved for everything except the details.
const ENVELOPE_BYTES: usize = 1_024;

impl ApiError {
    /// Removes details that do not fit into a response, and says so in the message.
    pub(super) fn fitted(self) -> Self {
        self.fitted_into(MOST_BYTES)
    }

    /// The same for a response that has room for `bytes`.
    pub(crate) fn fitted_into(mut self, bytes: usize) -> Self {
        let mut room = bytes.saturating_sub(ENVELOPE_BYTES);
        let mut fits = |detail: &Detail| {
            // Neither can fail. An error would count as nothing.
            let length = |json: serde_json::Result<Vec<u8>>| json.map_or(0, |json| json.len());
            let bytes = length(serde_json::to_vec(&detail.path)) + length(serde_json::to_vec(detail)) + "\"\":,".len();
            let left = room.checked_sub(bytes);
            room = left.unwrap_or_default();
            left.is_some()
        };
        let kept = self.details.iter().map_while(|detail| fits(detail).then_some(())).count();
        let more = self.details.len() - kept;
        self.details.truncate(kept);
        if more > 0 || kept >= Violations::MAX {
            self.message.push_str("; there are more than details can list");
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use patron_domain::violation::{Violation, Violations};

    use super::ApiError;

    #[test]
    fn an_error_is_bounded_whatever_its_paths_are() {
        for path in ["\"", "\u{1}", "🦀", "x"] {
            let mut violations = Violations::new();
            for number in 0..2_000 {
                let path = format!("{number}{}", path.repeat(100_000));
                violations.push(Violation { message: path.chars().take(256).collect(), path, rule: "r" });
            }
            let json = serde_json::to_string(&ApiError::from(violations)).unwrap();
            assert!(json.len() <= super::MOST_BYTES && json.len() > 200_000, "{}", json.len());
            assert!(json.contains("there are more"));
        }
    }
}
