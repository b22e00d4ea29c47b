//! Entries of the audit log.

use std::{fmt, net::IpAddr, str::FromStr};

use super::{Act, AuditObject, CountedUses};
use crate::{
    ids::AuditEntryId,
    lifecycle::Owner,
    tenancy::{Actor, Origin, RequestId},
    time::Timestamp,
    violation::Rule,
};

/// The position of an entry in the audit log of its environment: 1, 2, 3 … without gaps. Its text form is a cursor.
///
/// ```
/// use patron_domain::audit::AuditNumber;
///
/// let seventh = AuditNumber::from_stored(7).unwrap();
/// assert_eq!(AuditNumber::parse(&seventh.to_string()), Ok(seventh));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AuditNumber(u64);

/// Why a text is not a valid [`AuditNumber`].
///
/// ```
/// use patron_domain::audit::{AuditNumber, AuditNumberError};
///
/// assert_eq!(AuditNumber::parse("7"), Err(AuditNumberError));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a cursor exactly as an earlier response of this list returned it")]
pub struct AuditNumberError;

impl Rule for AuditNumberError {
    fn rule(&self) -> &'static str {
        "cursor"
    }
}

impl AuditNumber {
    /// The first entry of a log.
    pub const FIRST: Self = Self(1);

    /// The prefix of the text form. It distinguishes these cursors from those of other lists.
    const MARK: &'static str = "a";

    /// Restores a stored number; `None` below 1.
    #[must_use]
    pub fn from_stored(number: i64) -> Option<Self> {
        u64::try_from(number).ok().filter(|number| *number > 0).map(Self)
    }

    /// The next number.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }

    /// The stored number.
    #[must_use]
    pub fn stored(self) -> i64 {
        // It fits by this type's invariant.
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// Parses the text form.
    ///
    /// # Errors
    /// [`AuditNumberError`] for anything that `Display` does not produce.
    pub fn parse(text: &str) -> Result<Self, AuditNumberError> {
        let digits = text.strip_prefix(Self::MARK).ok_or(AuditNumberError)?;
        let plain = digits.len() == 16 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let number = i64::from_str_radix(digits, 16).ok().filter(|_| plain);
        number.and_then(Self::from_stored).ok_or(AuditNumberError)
    }
}

impl fmt::Display for AuditNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:016x}", Self::MARK, self.0)
    }
}

impl FromStr for AuditNumber {
    type Err = AuditNumberError;

    fn from_str(text: &str) -> Result<Self, AuditNumberError> {
        Self::parse(text)
    }
}

/// One entry of the audit log. `Debug` does not show the address, because it is personal data.
///
/// ```
/// use patron_domain::{
///     audit::{Act, AuditEntry, AuditNumber},
///     tenancy::{Actor, Origin},
///     testkit::{a_time, an_api_key, an_owner},
/// };
///
/// let act = Act::key_created(&an_api_key());
/// let number = AuditNumber::from_stored(1).unwrap();
/// let entry = AuditEntry::of(number, an_owner(), act, &Actor::system(), &Origin::default(), a_time());
/// assert!(entry.id().to_string().starts_with("aud_"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// The position in the log.
    pub number: AuditNumber,
    /// The environment whose log contains the entry.
    pub owner: Owner,
    /// The action and its object.
    pub act: Act,
    /// The actor.
    pub actor: Actor,
    /// The client's address; `None` when it is unknown or was removed.
    pub address: Option<IpAddr>,
    /// The time. For counted actions, the beginning of the hour.
    pub at: Timestamp,
    /// The request.
    pub request_id: Option<RequestId>,
    /// For counted actions, the number in that hour.
    pub count: Option<u64>,
}

impl AuditEntry {
    /// The entry for an act.
    #[must_use]
    pub fn of(number: AuditNumber, owner: Owner, act: Act, actor: &Actor, origin: &Origin, at: Timestamp) -> Self {
        let (address, request_id) = (origin.address(), origin.request_id().cloned());
        Self { number, owner, act, actor: actor.clone(), address, at, request_id, count: None }
    }

    /// The entry for counted uses of a key. The key is the actor, even if it was refused.
    #[must_use]
    pub fn counted(number: AuditNumber, uses: &CountedUses) -> Self {
        let object = AuditObject::ApiKey(uses.key);
        let act = Act { action: uses.kind.action(), object, changed: Vec::new() };
        let entry = Self::of(number, uses.owner, act, &Actor::from(uses.key), &uses.origin, uses.hour);
        Self { count: Some(uses.count), ..entry }
    }

    /// Counts further uses of the same kind and key in the same hour.
    pub fn count_more(&mut self, uses: &CountedUses) {
        self.count = Some(self.count.unwrap_or_default().saturating_add(uses.count));
        self.address = uses.origin.address().or(self.address);
        self.request_id = uses.origin.request_id().cloned().or_else(|| self.request_id.take());
    }

    /// The number in an id, which an entry with this id would have.
    #[must_use]
    pub fn number_of(id: AuditEntryId) -> Option<AuditNumber> {
        let number = id.uuid().as_u128() & ((1 << 48) - 1);
        i64::try_from(number).ok().and_then(AuditNumber::from_stored)
    }

    /// The id. It is derived from the time, the environment and the number, so it is not stored.
    #[must_use]
    pub fn id(&self) -> AuditEntryId {
        let mut random = [0; 10];
        // The end of the environment's id distinguishes environments, and the number distinguishes entries.
        random[..4].copy_from_slice(&self.owner.environment_id.uuid().as_bytes()[12..]);
        random[4..].copy_from_slice(&self.number.0.to_be_bytes()[2..]);
        let id = uuid::Builder::from_unix_timestamp_millis(self.at.unix_millis(), &random).into_uuid();
        AuditEntryId::from_uuid(id)
    }
}

impl fmt::Debug for AuditEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, act, actor, at, request_id, count, .. } = self;
        f.debug_struct("AuditEntry")
            .field("number", number)
            .field("act", act)
            .field("actor", actor)
            .field("at", at)
            .field("request_id", request_id)
            .field("count", count)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Act, AuditEntry, AuditNumber};
    use crate::{
        lifecycle::Owner,
        tenancy::{Actor, Origin},
        testkit::{a_time, an_api_key, an_id, an_owner},
    };

    fn number(number: i64) -> AuditNumber {
        AuditNumber::from_stored(number).unwrap()
    }

    #[test]
    fn only_the_text_form_of_a_cursor_is_accepted() {
        for one in [1, 16, i64::MAX] {
            assert_eq!(AuditNumber::parse(&number(one).to_string()), Ok(number(one)));
            assert_eq!(number(one).stored(), one);
        }
        assert_eq!((AuditNumber::from_stored(0), AuditNumber::from_stored(-1)), (None, None));
        let long = format!("a{}", "0".repeat(17));
        for bad in [
            "",
            "a",
            "1",
            "a1",
            "a0000000000000000",
            "affffffffffffffff",
            "p0000000000000001",
            "a+000000000000001",
            &long,
        ] {
            assert!(AuditNumber::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn ids_are_unique_and_increase_with_the_numbers_of_a_log() {
        let entry = |owner, one| {
            AuditEntry::of(
                number(one),
                owner,
                Act::key_created(&an_api_key()),
                &Actor::system(),
                &Origin::default(),
                a_time(),
            )
        };
        let other = Owner { environment_id: an_id(77), ..an_owner() };
        let ids: Vec<_> = [1, 2, 255, 256, 70_000].map(|one| entry(an_owner(), one).id()).into();
        assert!(ids.is_sorted());
        let all: BTreeSet<_> = ids.into_iter().chain([entry(other, 1).id()]).collect();
        assert_eq!(all.len(), 6);
    }

    #[test]
    fn debug_does_not_show_the_address() {
        let origin = Origin::new(None, "192.0.2.7".parse().ok());
        let entry =
            AuditEntry::of(number(1), an_owner(), Act::key_created(&an_api_key()), &Actor::system(), &origin, a_time());
        assert_eq!(entry.address, origin.address());
        assert!(!format!("{entry:?} {origin:?}").contains("192"));
    }
}
