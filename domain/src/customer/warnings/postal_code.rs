//! The forms of postal codes by country.
//!
//! Source: Universal Postal Union, "Postal addressing systems in member countries", and the postal codes of CLDR. Countries
//! that are not listed have no codes, or forms that vary.

/// Forms without blanks and hyphens: `N` is a digit, `A` a letter, `*` either.
const FORMS: &[(&[&str], &str)] = &[
    (&["NNN"], "AD FO IS PG"),
    (
        &["NNNN"],
        "AF AL AM AT AU BD BE BG CC CH CX CY DK ET GE GL GW HM HU LI LR LU LV MD MK MZ NE NF NO NZ PH PY SI SJ TN ZA",
    ),
    (
        &["NNNNN"],
        "BA CR CU DE DO DZ EE EG ES FI FR GF GP GT HN HR ID IQ JO KE KR KW LA LK LT MA MC ME MM MQ MX MY \
                  NA NI NP PE PK PL RE SD SE SK SM SN TH TR UA UY VA YT ZM CZ GR IT",
    ),
    (&["NNNNNN"], "BY CN CO EC IN KG KZ NG RO RU SG TJ TT UZ VN"),
    (&["NNNNN", "NNNNNN"], "RS"),
    (&["NNNNNNN"], "CL JP"),
    (&["NNNNNNN", "NNNN"], "PT"),
    (&["NNNNNNN", "NNNNN"], "IL"),
    (&["NNNNNNNN"], "BR"),
    (&["NNNNNNNNNN"], "IR"),
    (&["NNNNN", "NNNNNNNNN"], "AS GU MH MP PR PW SA US VI"),
    (&["NNN", "NNNNN", "NNNNNN"], "TW"),
    (&["NNNN", "ANNNNAAA"], "AR"),
    (&["NNNNAA"], "NL"),
    (&["ANANAN"], "CA"),
    (&["AAANNNN"], "MT"),
    (&["ANN****", "ANA****"], "IE"),
    (&["ANNAA", "ANANAA", "AANNAA", "ANNNAA", "AANNNAA", "AANANAA", "AAANAA"], "GB GG IM JE"),
];

/// Whether a postal code can be one of a country. Always for a country whose codes have no single form.
pub(super) fn is_of_country(code: &str, country: &str) -> bool {
    let Some((forms, _)) = FORMS.iter().find(|(_, countries)| countries.split(' ').any(|one| one == country)) else {
        return true;
    };
    let plain = |text: &str| -> Vec<char> {
        text.chars().filter(|one| !one.is_whitespace() && *one != '-').flat_map(char::to_uppercase).collect()
    };
    let code = plain(code);
    // Letters of the country before the digits are common: `D-10115`, `LV-1010`.
    let digits = code.iter().position(char::is_ascii_digit).unwrap_or(0);
    let prefix: String = code[..digits].iter().collect();
    let is_prefix = prefix == country || prefix.len() == 1 && country.starts_with(&prefix);
    let without = if is_prefix { &code[digits..] } else { &code[..] };
    forms.iter().any(|form| has_form(&code, form) || has_form(without, form))
}

fn has_form(code: &[char], form: &str) -> bool {
    let fits = |(one, kind): (&char, char)| match kind {
        'N' => one.is_ascii_digit(),
        'A' => one.is_ascii_uppercase(),
        _ => one.is_ascii_digit() || one.is_ascii_uppercase(),
    };
    code.len() == form.len() && code.iter().zip(form.chars()).all(fits)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{FORMS, is_of_country};
    use crate::customer::CountryCode;

    #[test]
    fn each_country_is_listed_once() {
        let listed: Vec<&str> = FORMS.iter().flat_map(|(_, countries)| countries.split_whitespace()).collect();
        assert_eq!(listed.iter().collect::<BTreeSet<_>>().len(), listed.len());
        for country in listed {
            assert!(CountryCode::new(country).is_ok(), "{country}");
        }
    }

    #[test]
    fn real_codes_have_the_form_of_their_country() {
        for (country, codes) in [
            ("DE", &["10115", "D-10115", "de 10115"][..]),
            ("GB", &["SW1A 1AA", "M1 1AE", "EC1A1BB", "gir 0aa", "B33 8TH", "CR2 6XH", "DN55 1PT"]),
            ("US", &["94103", "94103-1234"]),
            ("NL", &["1012 AB"]),
            ("CA", &["K1A 0B1"]),
            ("IE", &["D02 AF30", "D6W XY00"]),
            ("PT", &["1000-001", "1000"]),
            ("PL", &["00-950"]),
            ("LV", &["LV-1010"]),
            ("BR", &["01310-100"]),
            ("JP", &["100-0001"]),
            ("HK", &["anything"]),
        ] {
            for code in codes {
                assert!(is_of_country(code, country), "{country} {code}");
            }
        }
        for (country, code) in
            [("DE", "1011"), ("DE", "SW1A 1AA"), ("US", "K1A 0B1"), ("GB", "10115"), ("AT", "10115"), ("FR", "D-75001")]
        {
            assert!(!is_of_country(code, country), "{country} {code}");
        }
    }
}
