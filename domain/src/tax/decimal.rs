//! Exact decimal numbers from text, for percentages and amounts. Floating point is never used.

use rust_decimal::Decimal;

use crate::violation::Rule;

/// Why a text is not an accepted decimal number.
///
/// ```
/// use patron_domain::tax::{DecimalError, Percentage, TaxValueError};
///
/// assert_eq!(Percentage::new("a fifth"), Err(TaxValueError::Decimal(DecimalError::Syntax)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecimalError {
    /// The text is not a decimal number.
    #[error("must be a decimal number such as 19 or 7.5")]
    Syntax,
    /// The number has too many digits to be kept exactly.
    #[error("must have at most {MAX_DIGITS} digits, before and after the point together")]
    TooManyDigits,
}

impl Rule for DecimalError {
    fn rule(&self) -> &'static str {
        match self {
            Self::Syntax => "decimal",
            Self::TooManyDigits => "max_digits",
        }
    }
}

/// The maximum number of digits, before and after the point together, without insignificant zeros.
pub const MAX_DIGITS: usize = 28;

/// Parses `19`, `-7.50`, `+5`, `0018` and `1e1` exactly. The result is normalised (`7.5`, `18`, `10`, and `0` for
/// `-0`).
pub(crate) fn parse(text: &str) -> Result<Decimal, DecimalError> {
    let (negative, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() && fraction.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return Err(DecimalError::Syntax);
    }

    let digits = format!("{whole}{fraction}");
    let without_zeros_behind = digits.trim_end_matches('0');
    let significant = without_zeros_behind.trim_start_matches('0');
    if significant.is_empty() {
        return Ok(Decimal::ZERO);
    }
    // The digits after the point, without trailing zeros. Negative when there are zeros before the point instead.
    let dropped = i64::try_from(digits.len() - without_zeros_behind.len()).map_err(|_| DecimalError::TooManyDigits)?;
    let length = i64::try_from(fraction.len()).map_err(|_| DecimalError::TooManyDigits)?;
    let scale = length - dropped - exponent;
    let zeros = usize::try_from(scale.saturating_neg().max(0)).map_err(|_| DecimalError::TooManyDigits)?;
    if significant.len().saturating_add(zeros) > MAX_DIGITS {
        return Err(DecimalError::TooManyDigits);
    }
    let scale = u32::try_from(scale.max(0)).map_err(|_| DecimalError::TooManyDigits)?;
    // At most 28 digits, so it fits; the scale is checked by the constructor (at most 28).
    let magnitude: i128 =
        format!("{significant}{}", "0".repeat(zeros)).parse().map_err(|_| DecimalError::TooManyDigits)?;
    let signed = if negative { -magnitude } else { magnitude };
    Decimal::try_from_i128_with_scale(signed, scale).map_err(|_| DecimalError::TooManyDigits)
}

fn parse_exponent(text: &str) -> Result<i64, DecimalError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(DecimalError::Syntax);
    }
    // Beyond this size, every number except zero has too many digits.
    let size = digits.parse::<i64>().unwrap_or(i64::MAX).min(1_000_000_000);
    Ok(if text.starts_with('-') { -size } else { size })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{DecimalError, parse};

    #[test]
    fn every_spelling_is_normalised() {
        for (text, shown) in [
            ("19", "19"),
            ("7.50", "7.5"),
            ("+5", "5"),
            ("0018", "18"),
            ("1e1", "10"),
            ("1E+2", "100"),
            ("25e-1", "2.5"),
            ("-0", "0"),
            ("0.000", "0"),
            ("-7.5", "-7.5"),
            (".5", "0.5"),
            ("5.", "5"),
            ("0e999999999999", "0"),
            ("1.200e1", "12"),
            ("0.0000000000000000000000000001", "0.0000000000000000000000000001"),
            ("9999999999999999999999999999", "9999999999999999999999999999"),
            ("1.234567890123456789012345678", "1.234567890123456789012345678"),
        ] {
            assert_eq!(parse(text).map(|d| d.to_string()), Ok(shown.to_owned()), "{text}");
        }
    }

    #[test]
    fn more_than_28_digits_are_refused_not_rounded() {
        for text in [
            "1.2345678901234567890123456789",
            "99999999999999999999999999999",
            "1e28",
            "1e-29",
            "1e999999999999999999999",
        ] {
            assert_eq!(parse(text), Err(DecimalError::TooManyDigits), "{text}");
        }
    }

    #[test]
    fn text_that_is_not_a_number_is_refused() {
        for text in ["", ".", "-", "+", "e5", "1e", "1e+", "--1", "1.2.3", "1,5", " 1", "0x10", "NaN", "inf", "١"] {
            assert_eq!(parse(text), Err(DecimalError::Syntax), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_parser(text in "\\PC{0,40}|[0-9.eE+-]{0,40}") {
            let _ = parse(&text);
        }

        #[test]
        fn whole_numbers_survive(number: i64) {
            prop_assert_eq!(parse(&number.to_string()).unwrap().to_string(), number.to_string());
        }
    }
}
