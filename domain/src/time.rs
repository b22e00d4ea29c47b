//! Points in time: UTC, truncated to microseconds on entry.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};

/// A point in time in UTC with microsecond precision, between the years 1 and 9999.
///
/// Stores have different precisions, PostgreSQL microseconds. Truncating once on entry makes the first response and
/// every later read identical. `Display` gives RFC 3339 with six fractional digits and `Z`.
///
/// ```
/// use patron_domain::time::Timestamp;
///
/// let at = Timestamp::parse("2026-01-31T09:00:00.1234567+01:00").unwrap();
/// assert_eq!(at.to_string(), "2026-01-31T08:00:00.123456Z");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Why a value is not a valid [`Timestamp`].
///
/// ```
/// use patron_domain::time::{Timestamp, TimestampError};
///
/// assert_eq!(Timestamp::parse("yesterday"), Err(TimestampError::Format));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// The time is before the year 1 or after the year 9999.
    #[error("time must be between the years 0001 and 9999")]
    OutOfRange,
    /// The text is not an RFC 3339 date and time.
    #[error("time must be an RFC 3339 date and time, such as 2026-01-31T08:00:00Z")]
    Format,
    /// The text is a date without a time.
    #[error("time must be an RFC 3339 date and time: write 2026-01-31T00:00:00Z for the beginning of a day in UTC")]
    DateAlone,
    /// The text has no offset from UTC.
    #[error("time must have an offset from UTC: 2026-01-31T08:00:00Z, or 2026-01-31T09:00:00+01:00")]
    NoOffset,
}

impl crate::violation::Rule for TimestampError {
    fn rule(&self) -> &'static str {
        match self {
            Self::OutOfRange => "time_range",
            Self::Format | Self::DateAlone | Self::NoOffset => "rfc_3339",
        }
    }
}

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const UNIX_EPOCH: Self = Self(0);

    /// 0001-01-01T00:00:00Z in microseconds since the Unix epoch.
    const MIN_MICROS: i64 = -62_135_596_800_000_000;
    /// 9999-12-31T23:59:59.999999Z in microseconds since the Unix epoch.
    const MAX_MICROS: i64 = 253_402_300_799_999_999;

    /// From microseconds since the Unix epoch.
    ///
    /// # Errors
    /// [`TimestampError::OutOfRange`] outside the years 1 to 9999.
    pub fn from_micros(micros: i64) -> Result<Self, TimestampError> {
        if (Self::MIN_MICROS..=Self::MAX_MICROS).contains(&micros) {
            Ok(Self(micros))
        } else {
            Err(TimestampError::OutOfRange)
        }
    }

    /// From a date and time, truncated to microseconds.
    ///
    /// # Errors
    /// [`TimestampError::OutOfRange`] outside the years 1 to 9999.
    pub fn from_datetime(at: DateTime<Utc>) -> Result<Self, TimestampError> {
        Self::from_micros(at.timestamp_micros())
    }

    /// Parses RFC 3339, truncated to microseconds.
    ///
    /// # Errors
    /// [`TimestampError::Format`] for another format, [`TimestampError::DateAlone`] or [`TimestampError::NoOffset`] if
    /// only the time or the offset is missing, [`TimestampError::OutOfRange`] outside the years 1 to 9999.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        match DateTime::parse_from_rfc3339(text) {
            Ok(at) => Self::from_datetime(at.to_utc()),
            Err(_) if text.parse::<NaiveDate>().is_ok() => Err(TimestampError::DateAlone),
            Err(_) if DateTime::parse_from_rfc3339(&format!("{text}Z")).is_ok() => Err(TimestampError::NoOffset),
            Err(_) => Err(TimestampError::Format),
        }
    }

    /// Microseconds since the Unix epoch.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.0
    }

    /// Milliseconds since the Unix epoch, 0 for times before it; the time part of a UUIDv7 (RFC 9562).
    #[must_use]
    pub fn unix_millis(self) -> u64 {
        u64::try_from(self.0.div_euclid(1_000)).unwrap_or(0)
    }

    /// The time earlier by this duration, but not before the year 1.
    #[must_use]
    pub fn earlier(self, by: std::time::Duration) -> Self {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(micros).max(Self::MIN_MICROS))
    }

    /// The time later by this duration, but not after the year 9999.
    #[must_use]
    pub fn later(self, by: std::time::Duration) -> Self {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(micros).min(Self::MAX_MICROS))
    }

    /// The beginning of its hour, UTC.
    #[must_use]
    pub fn hour(self) -> Self {
        const HOUR: i64 = 3_600_000_000;
        Self((self.0 - self.0.rem_euclid(HOUR)).max(Self::MIN_MICROS))
    }

    /// As a date and time.
    #[must_use]
    pub fn to_datetime(self) -> DateTime<Utc> {
        // In range by this type's invariant; the epoch is never reached.
        DateTime::from_timestamp_micros(self.0).unwrap_or_default()
    }

    /// Passes the text form on in one piece, without allocating: every response contains several times.
    fn with_text<T>(self, hand_on: impl FnOnce(&str) -> T) -> T {
        let at = self.to_datetime();
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        // From 1 to 9999 by this type's invariant.
        write_digits(&mut text[0..4], at.year().unsigned_abs());
        write_digits(&mut text[5..7], at.month());
        write_digits(&mut text[8..10], at.day());
        write_digits(&mut text[11..13], at.hour());
        write_digits(&mut text[14..16], at.minute());
        write_digits(&mut text[17..19], at.second());
        write_digits(&mut text[20..26], at.nanosecond() / 1_000);
        // Only ASCII is written there.
        hand_on(std::str::from_utf8(&text).unwrap_or_default())
    }
}

/// Writes a number with leading zeros.
fn write_digits(places: &mut [u8], mut number: u32) {
    for place in places.iter_mut().rev() {
        // One digit fits into a byte.
        *place = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_text(|text| f.write_str(text))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.with_text(|text| serializer.serialize_str(text))
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use chrono::SecondsFormat;
    use proptest::prelude::*;

    use super::{Timestamp, TimestampError};

    proptest! {
        #[test]
        fn every_time_is_written_as_rfc_3339_has_it(micros in Timestamp::MIN_MICROS..=Timestamp::MAX_MICROS) {
            let at = Timestamp::from_micros(micros).unwrap();
            prop_assert_eq!(at.to_string(), at.to_datetime().to_rfc3339_opts(SecondsFormat::Micros, true));
            prop_assert_eq!(Timestamp::parse(&at.to_string()), Ok(at));
        }
    }

    #[test]
    fn times_are_truncated_to_microseconds() {
        let at = Timestamp::parse("2026-01-31T08:00:00.1234569+01:00").unwrap();
        assert_eq!(at.to_string(), "2026-01-31T07:00:00.123456Z");
        assert_eq!(Timestamp::parse(&at.to_string()), Ok(at));
    }

    #[test]
    fn only_the_years_1_to_9999_are_accepted() {
        for edge in ["0001-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z"] {
            assert_eq!(Timestamp::parse(edge).unwrap().to_string(), edge);
        }
        assert_eq!(Timestamp::from_micros(i64::MAX), Err(TimestampError::OutOfRange));
        assert_eq!(Timestamp::from_micros(i64::MIN), Err(TimestampError::OutOfRange));
        assert_eq!(Timestamp::parse("yesterday"), Err(TimestampError::Format));
    }

    #[test]
    fn the_error_says_what_is_missing() {
        for (text, missing) in [
            ("2026-01-31", TimestampError::DateAlone),
            ("2026-01-31T08:00:00", TimestampError::NoOffset),
            ("2026-01-31T08:00:00.5", TimestampError::NoOffset),
            ("2026-02-30", TimestampError::Format),
            ("2026-02-30T08:00:00Z", TimestampError::Format),
            ("2026-01-31T08:00Z", TimestampError::Format),
            ("", TimestampError::Format),
        ] {
            assert_eq!(Timestamp::parse(text), Err(missing), "{text}");
        }
    }
}
