//! The order of a list, and cursors into it.

use std::fmt;

use data_encoding::HEXLOWER;

use super::{Direction, SortField, TimeField};
use crate::{
    custom_field::CustomFieldKey,
    customer::Customer,
    ids::CustomerId,
    time::Timestamp,
    violation::{Rule, Violation, Violations},
};

/// The order of a list: one to [`CustomerOrder::MAX_KEYS`] fields. Ids break ties, in the direction of the last field.
///
/// ```
/// use patron_domain::customer::query::{CustomerOrder, Direction, SortField, TextField};
///
/// let by_name = (SortField::Text(TextField::Name), Direction::Asc);
/// let order = CustomerOrder::new(vec![by_name]).unwrap();
/// assert_eq!(order.keys().first(), Some(&by_name));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerOrder(Vec<(SortField, Direction)>);

impl CustomerOrder {
    /// The maximum number of fields.
    pub const MAX_KEYS: usize = 3;

    /// By creation time, in the given direction.
    #[must_use]
    pub fn by_creation(direction: Direction) -> Self {
        Self(vec![(SortField::Time(TimeField::CreatedAt), direction)])
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
                SortField::Time(TimeField::CreatedAt) => Some(customer.audit.created_at),
                SortField::Time(TimeField::UpdatedAt) => Some(customer.audit.updated_at),
                SortField::Text(_) | SortField::Custom(_) => None,
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
    const MAX_CHARS: usize = 384;

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

    /// The number of keys; for each key two bytes, and eight more for a time, or the name of a custom field after its length; then
    /// sixteen for the id.
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![u8::try_from(self.keys.len()).unwrap_or(u8::MAX)];
        for key in &self.keys {
            bytes.extend(code(key.field, key.direction));
            bytes.extend(key.time.iter().flat_map(|time| time.micros().to_be_bytes()));
            if let SortField::Custom(name) = key.field {
                let name = name.as_str().as_bytes();
                // At most 40.
                bytes.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
                bytes.extend(name);
            }
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
            let (one, after) = rest.split_first_chunk()?;
            rest = after;
            let (field, direction) = match one {
                [CUSTOM, direction] => {
                    let (length, after) = rest.split_first()?;
                    let (name, after) = after.split_at_checked(usize::from(*length))?;
                    rest = after;
                    let key = CustomFieldKey::new(std::str::from_utf8(name).ok()?).ok()?;
                    let direction = match direction {
                        0 => Direction::Asc,
                        1 => Direction::Desc,
                        _ => return None,
                    };
                    (SortField::Custom(key), direction)
                }
                other => decode(*other)?,
            };
            let mut time = None;
            if matches!(field, SortField::Time(_)) {
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

/// The first byte of the code of a custom field, whose name follows. A test checks that no other field has it.
const CUSTOM: u8 = 0xCF;

/// The code of a field and its direction in cursors: 16 bits of a hash of their names (FNV-1a), so that it follows from the
/// name and never changes its meaning.
fn code(field: SortField, direction: Direction) -> [u8; 2] {
    if let SortField::Custom(_) = field {
        return [CUSTOM, u8::from(direction == Direction::Desc)];
    }
    let step = |sum: u32, byte: u8| (sum ^ u32::from(byte)).wrapping_mul(16_777_619);
    let name = field.name();
    let names = [&*name, " ", direction.as_str()];
    let [a, b, c, d] = names.into_iter().flat_map(str::bytes).fold(2_166_136_261, step).to_be_bytes();
    [a ^ c, b ^ d]
}

fn decode(wanted: [u8; 2]) -> Option<(SortField, Direction)> {
    let directions = [Direction::Asc, Direction::Desc];
    let mut all = SortField::all().flat_map(|field| directions.map(|direction| (field, direction)));
    all.find(|(field, direction)| code(*field, *direction) == wanted)
}

impl fmt::Display for CustomerCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.to_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{CursorError, CursorKey, CustomerCursor, CustomerOrder};
    use crate::{
        customer::query::{Direction, SortField, TextField, TimeField},
        ids::CustomerId,
        time::Timestamp,
    };

    fn order(keys: &[(SortField, Direction)]) -> CustomerOrder {
        CustomerOrder::new(keys.to_vec()).unwrap()
    }

    fn cursor(order: &CustomerOrder, micros: i64, id: u128) -> CustomerCursor {
        let time = |field| match field {
            SortField::Time(_) => Some(Timestamp::from_micros(micros).unwrap()),
            SortField::Text(_) | SortField::Custom(_) => None,
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
    fn every_field_and_direction_has_a_number_of_its_own() {
        for field in SortField::all() {
            for direction in [Direction::Asc, Direction::Desc] {
                let code = super::code(field, direction);
                assert_ne!(code[0], super::CUSTOM);
                assert_eq!(super::decode(code), Some((field, direction)));
            }
        }
    }

    #[test]
    fn too_many_or_repeated_fields_are_refused_with_their_path() {
        use Direction::{Asc, Desc};
        let [created, updated] = [TimeField::CreatedAt, TimeField::UpdatedAt].map(SortField::Time);
        let [name, email] = [TextField::Name, TextField::Email].map(SortField::Text);
        let paths = |keys: &[_]| {
            let broken = CustomerOrder::new(keys.to_vec()).unwrap_err();
            broken.into_iter().map(|violation| violation.path).collect::<Vec<_>>()
        };
        assert_eq!(paths(&[(name, Asc), (email, Asc), (created, Asc), (updated, Asc)]), ["sort"]);
        assert_eq!(paths(&[(name, Asc), (email, Asc), (name, Desc)]), ["sort[2].field"]);
        assert_eq!(order(&[]), CustomerOrder::by_creation(Desc));
    }

    #[test]
    fn a_cursor_is_valid_only_for_the_order_it_comes_from() {
        let newest = CustomerOrder::by_creation(Direction::Desc);
        let text = cursor(&newest, 1_700_000_000_000_000, 7).to_string();
        assert!(CustomerCursor::parse(&text, &newest).is_ok());
        let oldest = CustomerOrder::by_creation(Direction::Asc);
        assert_eq!(CustomerCursor::parse(&text, &oldest), Err(CursorError::OtherOrder));
        let by_name = order(&[(SortField::Text(TextField::Name), Direction::Desc)]);
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
            one in 0_usize..20,
            other in 0_usize..20,
            descending: bool,
        ) {
            let direction = if descending { Direction::Desc } else { Direction::Asc };
            let custom = ["custom_fields.a", &format!("custom_fields.{}", "z".repeat(40))].map(|name| SortField::parse(name).unwrap());
            let all: Vec<_> = custom.into_iter().chain(SortField::all()).collect();
            let mut keys = vec![(all[one], direction)];
            keys.extend((one != other).then(|| (all[other], Direction::Asc)));
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
