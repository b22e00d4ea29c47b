//! An event as its hash covers it.

use std::{borrow::Cow, fmt, io::Write};

use serde::{Deserialize, Serialize};

use super::{ChainHash, Commitment, Salt};

/// An event with everything that its chain covers. As JSON it is a line of `patron events export --sealed`.
///
/// Values are as they are stored, even if they are invalid, so that a changed row can be named.
///
/// ```
/// use patron_domain::event::chain::{ChainHash, SealedEvent};
///
/// let line = r#"{"position":1,"id":"evt_1","type":"customer.erased","entity":"cust_1","sequence":3,"at":5,"logged_at":5,
///     "actor":"system","hash":"0000000000000000000000000000000000000000000000000000000000000000"}"#;
/// let event: SealedEvent<'_> = serde_json::from_str(line).unwrap();
/// assert_ne!(event.hash_after(&ChainHash::START), event.hash);
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedEvent<'a> {
    /// The position in the log.
    pub position: i64,
    /// The id.
    pub id: Cow<'a, str>,
    /// The word of the type.
    #[serde(rename = "type")]
    pub event_type: Cow<'a, str>,
    /// The id of the entity.
    pub entity: Cow<'a, str>,
    /// The number of the event among those of its entity.
    pub sequence: i64,
    /// The time of the change, in microseconds since 1970.
    pub at: i64,
    /// The log's own time, in microseconds since 1970.
    pub logged_at: i64,
    /// The actor.
    pub actor: Cow<'a, str>,
    /// The request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Cow<'a, str>>,
    /// The detail of the type, as its stored JSON text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Cow<'a, str>>,
    /// The commitment of the state; `None` if events of this type have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commitment: Option<Commitment>,
    /// The salt of the commitment; `None` once the state is erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<Salt>,
    /// The state, as its stored JSON text; `None` once it is erased. Not covered without a commitment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Cow<'a, str>>,
    /// The hash.
    pub hash: ChainHash,
    /// Whether the customer is suppressed, so that its state must not be shown.
    #[serde(skip)]
    pub withheld: bool,
}

/// States are personal data, so only the place is shown.
impl fmt::Debug for SealedEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedEvent({} {} {})", self.position, self.event_type, self.hash)
    }
}

impl SealedEvent<'_> {
    /// The first field of the encoding. Another encoding would have another one.
    const VERSION: &'static str = "patron-event-1";
    /// The length that stands for an absent value.
    const ABSENT: [u8; 4] = [0xff; 4];

    /// The hash of the event, if the event before it has this hash: SHA-256 over all fields but salt, document and hash. A
    /// field is encoded as its length in bytes, in four bytes with the highest first, and its text. Numbers are decimal.
    #[must_use]
    pub fn hash_after(&self, previous: &ChainHash) -> ChainHash {
        let mut bytes = Vec::with_capacity(512);
        let fields = &mut bytes;
        text(fields, Self::VERSION);
        shown(fields, previous);
        number(fields, self.position);
        text(fields, &self.id);
        text(fields, &self.event_type);
        text(fields, &self.entity);
        number(fields, self.sequence);
        number(fields, self.at);
        number(fields, self.logged_at);
        text(fields, &self.actor);
        for optional in [&self.request_id, &self.detail] {
            match optional {
                Some(value) => text(fields, value),
                None => fields.extend(Self::ABSENT),
            }
        }
        match &self.commitment {
            Some(commitment) => shown(fields, commitment),
            None => fields.extend(Self::ABSENT),
        }
        ChainHash::of(&bytes)
    }

    /// The same as it may be shown: without the state of a suppressed customer.
    #[must_use]
    pub fn shown(self) -> Self {
        if self.withheld { self.without_state() } else { self }
    }

    /// The same with texts of its own.
    #[must_use]
    pub fn into_owned(self) -> SealedEvent<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        SealedEvent {
            position: self.position,
            id: own(self.id),
            event_type: own(self.event_type),
            entity: own(self.entity),
            sequence: self.sequence,
            at: self.at,
            logged_at: self.logged_at,
            actor: own(self.actor),
            request_id: self.request_id.map(own),
            detail: self.detail.map(own),
            commitment: self.commitment,
            salt: self.salt,
            document: self.document.map(own),
            hash: self.hash,
            withheld: self.withheld,
        }
    }

    /// The same without its state, as after an erasure.
    #[must_use]
    pub fn without_state(self) -> Self {
        Self { salt: None, document: None, ..self }
    }
}

fn text(fields: &mut Vec<u8>, text: &str) {
    // No text of an event is as long as 4 GiB.
    fields.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
    fields.extend(text.as_bytes());
}

fn number(fields: &mut Vec<u8>, number: i64) {
    shown(fields, &number);
}

/// A value in its text form, whose length is known afterwards.
fn shown(fields: &mut Vec<u8>, value: &dyn fmt::Display) {
    let start = fields.len();
    fields.extend([0; 4]);
    // Writing to memory does not fail.
    let _ = write!(fields, "{value}");
    let length = u32::try_from(fields.len() - start - 4).unwrap_or(u32::MAX);
    if let Some(place) = fields.get_mut(start..start + 4) {
        place.copy_from_slice(&length.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An event of every field.
    fn full() -> SealedEvent<'static> {
        let salt = Salt::random(&[7; 32]);
        SealedEvent {
            position: 12,
            id: "evt_01KG9H1S3VE00BY00000000001".into(),
            event_type: "customer.updated".into(),
            entity: "cust_01KG9H1S3VE00BY00000000002".into(),
            sequence: 3,
            at: 1_769_904_000_000_001,
            logged_at: 1_769_904_000_000_002,
            actor: "secret_01KG9H1S3VE00BY00000000003".into(),
            request_id: Some("request-7".into()),
            detail: Some(r#"{"changed":["name"]}"#.into()),
            commitment: Some(Commitment::new(&salt, "{}")),
            salt: Some(salt),
            document: Some("{}".into()),
            hash: ChainHash::START,
            withheld: false,
        }
    }

    #[test]
    fn the_encoding_never_changes() {
        let first = full().hash_after(&ChainHash::START);
        assert_eq!(first.to_string(), "da32bec159f2f50a6765fb0b41dfcdedeecaaf3c243bc0ad271367a3d926d9c4");
        let mark = SealedEvent {
            event_type: "customer.erased".into(),
            request_id: None,
            detail: None,
            commitment: None,
            ..full().without_state()
        };
        assert_eq!(
            mark.hash_after(&first).to_string(),
            "fe5cb6e45e7a405975f29fb4977c414e6cdff8a7dc2d84de030907aa8dc6bb44"
        );
    }

    #[test]
    fn every_field_but_the_state_counts() {
        let event = full();
        let hash = event.hash_after(&ChainHash::START);
        assert_eq!(event.clone().without_state().hash_after(&ChainHash::START), hash);
        assert_ne!(event.hash_after(&hash), hash);
        let changes: [fn(&mut SealedEvent<'static>); 11] = [
            |event| event.position += 1,
            |event| event.id = "evt_2".into(),
            |event| event.event_type = "customer.deleted".into(),
            |event| event.entity = "cust_2".into(),
            |event| event.sequence += 1,
            |event| event.at += 1,
            |event| event.logged_at += 1,
            |event| event.actor = "system".into(),
            |event| event.request_id = None,
            |event| event.detail = None,
            |event| event.commitment = None,
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let mut changed = event.clone();
            change(&mut changed);
            assert_ne!(changed.hash_after(&ChainHash::START), hash, "field {number}");
        }
        // A text that moves from one field to the next counts too.
        let moved = |id: &'static str, event_type: &'static str| {
            let event = SealedEvent { id: id.into(), event_type: event_type.into(), ..full() };
            event.hash_after(&ChainHash::START)
        };
        assert_ne!(moved("ab", "c"), moved("a", "bc"));
    }

    #[test]
    fn a_line_is_read_as_it_was_written() {
        for event in [full(), full().without_state()] {
            let line = serde_json::to_string(&event).unwrap();
            assert_eq!(serde_json::from_str::<SealedEvent<'_>>(&line).unwrap(), event, "{line}");
        }
        assert!(!format!("{:?}", SealedEvent { document: Some("Ada".into()), ..full() }).contains("Ada"));
    }
}
