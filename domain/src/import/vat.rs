//! The types of tax ids by the beginning of the number.

/// The countries whose VAT numbers are of the type `eu_vat`, by the prefix of the number.
const EU: &[&str] = &[
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "EL", "GR", "ES", "FI", "FR", "HR", "HU", "IE", "IT", "LT", "LU",
    "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK", "XI",
];

/// The type of a VAT number with its country in front; `unknown` for other countries.
pub(super) fn type_of(number: &str) -> &'static str {
    let head: String = number.trim().chars().take(3).collect::<String>().to_ascii_uppercase();
    match head.get(..2) {
        Some(prefix) if EU.contains(&prefix) => "eu_vat",
        Some("GB") => "gb_vat",
        Some("CH") if head == "CHE" => "ch_vat",
        Some("NO") => "no_vat",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::type_of;

    #[test]
    fn the_prefix_tells_the_type() {
        for (number, kind) in [
            ("DE136695976", "eu_vat"),
            (" el123456789", "eu_vat"),
            ("GB 123", "gb_vat"),
            ("CHE-123", "ch_vat"),
            ("CH1", "unknown"),
            ("12345", "unknown"),
            ("", "unknown"),
            ("ÄÖ1", "unknown"),
        ] {
            assert_eq!(type_of(number), kind, "{number}");
        }
    }
}
