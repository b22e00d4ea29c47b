//! The header `Retry-After` of a response (RFC 9110, section 10.2.3): seconds, or a date.

use std::time::{Duration, SystemTime};

use patron_domain::time::Timestamp;

/// The time to wait from now on; `None` for a text that is neither.
pub(super) fn parse(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let now = Duration::from_micros(u64::try_from(now.micros()).ok()?);
    Some(date.saturating_sub(now))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use patron_domain::time::Timestamp;

    use super::parse;

    #[test]
    fn seconds_and_dates_are_understood() {
        let now = Timestamp::parse("1994-11-06T08:49:00Z").unwrap();
        let seconds = |text| parse(text, now).map(|wait| wait.as_secs());
        assert_eq!(seconds("120"), Some(120));
        assert_eq!(seconds(" 0 "), Some(0));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:37 GMT"), Some(37));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:48:37 GMT"), Some(0), "it has passed");
        assert_eq!(parse("18446744073709551615", now), Some(Duration::from_secs(u64::MAX)));
        for bad in ["", "soon", "-1", "1.5", "18446744073709551616", "1994-11-06"] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }
}
