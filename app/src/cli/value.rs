//! Parsers for the values of flags whose own error messages are not complete sentences.

use std::net::IpAddr;

use patron_domain::{customer::ExternalId, event::EventCursor, ids::CustomerId, lifecycle::Version};

use crate::config::expected;

/// The most customers in one run: their numbers have nine digits.
const MOST: u32 = 999_999_999;

pub(super) fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| format!("must be {}", expected::PORT))
}

pub(super) fn address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| format!("must be {}", expected::ADDRESS))
}

pub(super) fn count(text: &str) -> Result<u32, String> {
    let count = text.parse().ok().filter(|count| (1..=MOST).contains(count));
    count.ok_or_else(|| format!("must be a whole number from 1 to {MOST}, such as 1000"))
}

pub(super) fn whole_number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "must be a whole number, such as 1000".to_owned())
}

pub(super) fn version(text: &str) -> Result<Version, String> {
    let version = text.parse().ok().and_then(Version::from_stored);
    version.ok_or_else(|| "must be the number of a version: 1 or more".to_owned())
}

/// The id of a customer. A person may have given an external id.
pub(super) fn customer(text: &str) -> Result<CustomerId, String> {
    CustomerId::parse(text).map_err(|error| format!("{error}; look up your own id with --external-id"))
}

pub(super) fn external_id(text: &str) -> Result<ExternalId, String> {
    ExternalId::new(text).map_err(|error| error.to_string())
}

pub(super) fn cursor(text: &str) -> Result<EventCursor, String> {
    EventCursor::parse(text).map_err(|_| "must be a cursor, as `cursor` shows it in the line of an event".to_owned())
}
