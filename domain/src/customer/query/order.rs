//! The order of a list, and cursors into it.

use std::fmt;

use data_encoding::HEXLOWER;

use super::{Direction, SortField};
use crate::{
    customer::Customer,
    ids::CustomerId,
    time::Timestamp,
    violation::{Rule, Violation, Violations},
};

/// The order of a list: one to [`CustomerOrder::MAX_KEYS`] fields. Ids break ties, in the direction of the last field.
///
/// ```
/// use patron_domain::customer::query::{CustomerOrder, Direction, SortField};
///
/// let order = CustomerOrder::new(vec![(SortField::Name, Direction::Asc)]).unwrap();
/// assert_eq!(order.keys().first(), Some(&(SortField::Name, Direction::Asc)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerOrder(Vec<(SortField, Direction)>);

impl CustomerOrder {
    /// The maximum number of fields.
    pub const MAX_KEYS: usize = 3;

    /// By creation time, in the given direction.
    #[must_use]
    pub fn by_creation(direction: Direction) -> Self {
        Self(vec![(SortField::CreatedAt, direction)])
    }

    /// By these fields, the most significant first. Without fields: by creation time, the newest first.
    ///
    /// # Errors
    /// Under the path `sort`: too many fields, or a repeated field.
    pub fn new(keys: Vec<(SortField, Direction)>) -> Result<Self, Violations> {
        let mut broken = Violations::new();
        if keys.len() > Self::MAX_KEYS {
            let message = format!("sort must have at most {} fields", Self::MAX_KEYS);
            broken.push(Violation { path: "sort".to_owned(), rule: "max_items", message });
        }
        for (index, (field, _)) in keys.iter().enumerate() {
            if keys.iter().take(index).any(|(earlier, _)| earlier == field) {
                let message = format!("sort must not contain {field} twice");
                broken.push(Violation { path: format!("sort[{index}].field"), rule: "unique", message });
            }
        }
        broken.into_result()?;
        Ok(if keys.is_empty() { Self::by_creation(Direction::Desc) } else { Self(keys) })
    }

    /// The fields, the most significant first.
    #[must_use]
    pub fn keys(&self) -> &[(SortField, Direction)] {
        &self.0
    }

    /// The direction of ids, which break ties.
    #[must_use]
    pub fn ties(&self) -> Direction {
        self.0.last().map(|(_, direction)| *direction).unwrap_or_default()
    }

    /// The cursor right after a customer.
    #[must_use]
    pub fn place_of(&self, customer: &Customer) -> CustomerCursor {
        let key = |(field, direction): &(SortField, Direction)| CursorKey {
            field: *field,
            direction: *direction,
            time: match field {
                SortField::CreatedAt => Some(customer.audit.created_at),
                SortField::UpdatedAt => Some(customer.audit.updated_at),
                SortField::ExternalId | SortField::Name | SortField::Email => None,
            },
        };
        CustomerCursor { keys: self.0.iter().map(key).collect(), id: customer.id }
    }
}

/// A position in a sorted list: right after one customer.
///
/// It contains the customer's id, and its times if they are sort fields. Text may be personal data, which a cursor must
/// not contain, so text values are looked up again when the list continues. Clients treat the cursor's text as opaque.
///
/// ```
/// use patron_domain::{customer::query::{CustomerCursor, CustomerOrder, Direction}, testkit::a_customer};
///
/// let (order, acme) = (CustomerOrder::by_creation(Direction::Desc), a_customer("acme").existing().customer);
/// let place = order.place_of(&acme);
/// assert_eq!(CustomerCursor::parse(&place.to_string(), &order), Ok(place));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerCursor {
    keys: Vec<CursorKey>,
    id: CustomerId,
}

/// One sort field of a cursor.
///
/// ```
/// use patron_domain::{customer::query::{CursorKey, CustomerOrder, Direction}, testkit::{a_customer, a_time}};
///
/// let place = CustomerOrder::by_creation(Direction::Desc).place_of(&a_customer("acme").existing().customer);
/// let key: &CursorKey = &place.keys()[0];
/// assert_eq!(key.time, Some(a_time()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CursorKey {
    /// The field.
    pub field: SortField,
    /// The direction.
    pub direction: Direction,
    /// The value of a time field; `None` for text, which is read from the customer.
    pub time: Option<Timestamp>,
}

/// Why a text is not a valid cursor.
///
/// ```
/// use patron_domain::customer::query::{CursorError, CustomerCursor, CustomerOrder, Direction};
///
/// let order = CustomerOrder::by_creation(Direction::Desc);
/// assert_eq!(CustomerCursor::parse("page 2", &order), Err(CursorError::Malformed));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CursorError {
    /// The text is not a cursor of any customer list.
    #[error("a cursor must be the unchanged next_cursor of an earlier response")]
    Malformed,
    /// The cursor belongs to a list in a different order.
    #[error("the cursor belongs to a list in another order; keep sort and order the same on every page")]
    OtherOrder,
}

impl Rule for CursorError {
    fn rule(&self) -> &'static str {
        "cursor"
    }
}

impl CustomerCursor {
    /// Longer than any cursor.
    const MAX_CHARS: usize = 128;

    /// Parses a cursor into a list with this order.
    ///
    /// # Errors
    /// When no list with this order returned this text.
    pub fn parse(text: &str, order: &CustomerOrder) -> Result<Self, CursorError> {
        let cursor = Self::parse_any(text)?;
        let keys = cursor.keys.iter().map(|key| (key.field, key.direction));
        if keys.eq(order.keys().iter().copied()) { Ok(cursor) } else { Err(CursorError::OtherOrder) }
    }

    /// Parses a cursor into a list with any order.
    pub(crate) fn parse_any(text: &str) -> Result<Self, CursorError> {
        let digits = Some(text.as_bytes()).filter(|digits| digits.len() <= Self::MAX_CHARS);
        let bytes = digits.and_then(|digits| HEXLOWER.decode(digits).ok()).ok_or(CursorError::Malformed)?;
        Self::from_bytes(&bytes).ok_or(CursorError::Malformed)
    }

    /// The sort fields.
    #[must_use]
    pub fn keys(&self) -> &[CursorKey] {
        &self.keys
    }

    /// The customer after which the list continues.
    #[must_use]
    pub fn id(&self) -> CustomerId {
        self.id
    }

    /// The number of keys; for each key a byte, and eight more for a time; then sixteen for the id.
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![u8::try_from(self.keys.len()).unwrap_or(u8::MAX)];
        for key in &self.keys {
            bytes.push(code(key.field, key.direction));
            bytes.extend(key.time.iter().flat_map(|time| time.micros().to_be_bytes()));
        }
        bytes.extend(self.id.uuid().as_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (count, mut rest) = bytes.split_first()?;
        if usize::from(*count) > CustomerOrder::MAX_KEYS {
            return None;
        }
        let mut keys = Vec::new();
        for _ in 0..*count {
            let (one, after) = rest.split_first()?;
            let (field, direction) = decode(*one)?;
            rest = after;
            let mut time = None;
            if matches!(field, SortField::CreatedAt | SortField::UpdatedAt) {
                let (micros, after) = rest.split_first_chunk::<8>()?;
                time = Some(Timestamp::from_micros(i64::from_be_bytes(*micros)).ok()?);
                rest = after;
            }
            keys.push(CursorKey { field, direction, time });
        }
        let id = CustomerId::from_uuid(uuid::Uuid::from_bytes(rest.try_into().ok()?));
        Some(Self { keys, id })
    }
}

/// Clients hold cursors with these numbers, so none may change its meaning.
const CODES: [(SortField, u8); 5] = [
    (SortField::CreatedAt, 0x10),
    (SortField::UpdatedAt, 0x20),
    (SortField::ExternalId, 0x30),
    (SortField::Name, 0x40),
    (SortField::Email, 0x50),
];

fn code(field: SortField, direction: Direction) -> u8 {
    let code = CODES.iter().find(|(known, _)| *known == field).map_or(0, |(_, code)| *code);
    code | u8::from(direction == Direction::Desc)
}

fn decode(code: u8) -> Option<(SortField, Direction)> {
    let (field, _) = CODES.iter().find(|(_, known)| *known == code & 0xF0)?;
    match code & 0x0F {
        0 => Some((*field, Direction::Asc)),
        1 => Some((*field, Direction::Desc)),
        _ => None,
    }
}

impl fmt::Display for CustomerCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.to_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{CODES, CursorError, CursorKey, CustomerCursor, CustomerOrder};
    use crate::{
        customer::query::{Direction, SortField},
        ids::CustomerId,
        time::Timestamp,
    };

    fn order(keys: &[(SortField, Direction)]) -> CustomerOrder {
        CustomerOrder::new(keys.to_vec()).unwrap()
    }

    fn cursor(order: &CustomerOrder, micros: i64, id: u128) -> CustomerCursor {
        let time = |field| match field {
            SortField::CreatedAt | SortField::UpdatedAt => Some(Timestamp::from_micros(micros).unwrap()),
            _ => None,
        };
        let key = |(field, direction): &(SortField, Direction)| CursorKey {
            field: *field,
            direction: *direction,
            time: time(*field),
        };
        let id = CustomerId::from_uuid(uuid::Uuid::from_u128(id));
        CustomerCursor { keys: order.keys().iter().map(key).collect(), id }
    }

    #[test]
    fn every_field_has_its_own_number() {
        assert!(SortField::ALL.iter().all(|field| CODES.iter().any(|(known, _)| known == field)));
        let mut codes = CODES.map(|(_, code)| code).to_vec();
        codes.dedup();
        assert_eq!(codes.len(), SortField::ALL.len());
    }

    #[test]
    fn too_many_or_repeated_fields_are_refused_with_their_path() {
        use Direction::{Asc, Desc};
        use SortField::{CreatedAt, Email, Name, UpdatedAt};
        let paths = |keys: &[_]| {
            let broken = CustomerOrder::new(keys.to_vec()).unwrap_err();
            broken.into_iter().map(|violation| violation.path).collect::<Vec<_>>()
        };
        assert_eq!(paths(&[(Name, Asc), (Email, Asc), (CreatedAt, Asc), (UpdatedAt, Asc)]), ["sort"]);
        assert_eq!(paths(&[(Name, Asc), (Email, Asc), (Name, Desc)]), ["sort[2].field"]);
        assert_eq!(order(&[]), CustomerOrder::by_creation(Desc));
    }

    #[test]
    fn a_cursor_is_valid_only_for_the_order_it_comes_from() {
        let newest = CustomerOrder::by_creation(Direction::Desc);
        let text = cursor(&newest, 1_700_000_000_000_000, 7).to_string();
        assert!(CustomerCursor::parse(&text, &newest).is_ok());
        let oldest = CustomerOrder::by_creation(Direction::Asc);
        assert_eq!(CustomerCursor::parse(&text, &oldest), Err(CursorError::OtherOrder));
        let by_name = order(&[(SortField::Name, Direction::Desc)]);
        assert_eq!(CustomerCursor::parse(&text, &by_name), Err(CursorError::OtherOrder));
        for bad in
            ["", "0", "zz", "01", &text[2..], &text[..text.len() - 2], &format!("{text}00"), &text.to_uppercase()]
        {
            if *bad != *text {
                assert_eq!(CustomerCursor::parse(bad, &newest), Err(CursorError::Malformed), "{bad}");
            }
        }
    }

    proptest! {
        #[test]
        fn every_cursor_survives_its_text_form(
            micros in -62_135_596_800_000_000_i64..=253_402_300_799_999_999,
            id: u128,
            one in 0_usize..5,
            other in 0_usize..5,
            descending: bool,
        ) {
            let direction = if descending { Direction::Desc } else { Direction::Asc };
            let mut keys = vec![(SortField::ALL[one], direction)];
            keys.extend((one != other).then(|| (SortField::ALL[other], Direction::Asc)));
            let order = order(&keys);
            let cursor = cursor(&order, micros, id);
            prop_assert_eq!(CustomerCursor::parse(&cursor.to_string(), &order), Ok(cursor));
        }

        #[test]
        fn no_text_breaks_the_parser(text in "\\PC{0,40}|[0-9a-f]{0,80}") {
            let _ = CustomerCursor::parse(&text, &CustomerOrder::by_creation(Direction::Desc));
        }
    }
}
