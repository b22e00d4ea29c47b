//! Sort keys: texts that sort like the values, so that every database compares them as it compares texts.

use rust_decimal::Decimal;

use super::{CustomDate, CustomValue};
use crate::customer::query::Folded;

/// The sort key of a value: a letter for its type, then a text whose bytes sort like the values of that type. The absent value has
/// the empty sort key.
pub(crate) struct SortKey;

impl SortKey {
    /// Texts, folded.
    pub(crate) const TEXT: char = 't';
    /// Whole and decimal numbers.
    pub(crate) const NUMBER: char = 'n';
    /// `b0` and `b1`.
    pub(crate) const BOOLEAN: char = 'b';
    /// `d2026-01-31`.
    pub(crate) const DATE: char = 'd';
    /// Several texts, which have no order.
    pub(crate) const LIST: char = 'l';

    /// The sort key of a value.
    pub(crate) fn of(value: &CustomValue) -> String {
        match value {
            CustomValue::Text(text) => Self::of_text(&Folded::new(text.as_str())),
            CustomValue::Integer(number) => Self::of_number(Decimal::from(number.get())),
            CustomValue::Decimal(number) => Self::of_number(number.get()),
            CustomValue::Boolean(value) => format!("{}{}", Self::BOOLEAN, u8::from(*value)),
            CustomValue::Date(date) => Self::of_date(*date),
            CustomValue::Texts(_) => Self::LIST.to_string(),
        }
    }

    pub(crate) fn of_text(text: &Folded) -> String {
        format!("{}{}", Self::TEXT, text.as_str())
    }

    pub(crate) fn of_date(date: CustomDate) -> String {
        format!("{}{date}", Self::DATE)
    }

    /// A number: `p`, the number of digits before the point, these digits, and those after it. A negative number has `m`, the
    /// nine's complement of all of this, and a `~`, which sorts after every digit.
    pub(crate) fn of_number(number: Decimal) -> String {
        let text = number.abs().normalize().to_string();
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let whole = whole.trim_start_matches('0');
        let magnitude = format!("{:02}{whole}{fraction}", whole.len());
        if !number.is_sign_negative() || number.is_zero() {
            return format!("{}p{magnitude}", Self::NUMBER);
        }
        let complement: String = magnitude.bytes().map(|digit| char::from(b'0' + b'9' - digit)).collect();
        format!("{}m{complement}~", Self::NUMBER)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rust_decimal::Decimal;

    use super::SortKey;

    #[test]
    fn numbers_are_spelled_in_one_way() {
        for (text, key) in [
            ("0", "np00"),
            ("-0", "np00"),
            ("0.05", "np0005"),
            ("9", "np019"),
            ("10", "np0210"),
            ("12.50", "np02125"),
            ("-12.5", "nm97874~"),
            ("-0.5", "nm994~"),
        ] {
            assert_eq!(SortKey::of_number(text.parse().unwrap()), key, "{text}");
        }
    }

    proptest! {
        #[test]
        fn sort_keys_of_numbers_sort_like_the_numbers(
            (one, one_scale) in (-99_999_i64..99_999, 0_u32..8),
            (other, other_scale) in (-99_999_i64..99_999, 0_u32..8),
        ) {
            let (one, other) = (Decimal::new(one, one_scale), Decimal::new(other, other_scale));
            prop_assert_eq!(SortKey::of_number(one).cmp(&SortKey::of_number(other)), one.cmp(&other), "{} {}", one, other);
        }
    }
}
