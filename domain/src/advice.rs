//! Advice about writes that are accepted although something in them is probably a mistake.

/// One piece of advice.
///
/// ```
/// use patron_domain::advice::Warning;
///
/// let warning = Warning::new("address_postal_code", "postal_code_country", "no postal code of Germany looks like this");
/// assert_eq!(warning.rule, "postal_code_country");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The place, as in the violations of a request.
    pub path: String,
    /// The rule, for programs.
    pub rule: &'static str,
    /// What is unusual, and what to do. It contains no personal data.
    pub message: String,
}

impl Warning {
    /// A warning about the value at a path.
    #[must_use]
    pub fn new(path: impl Into<String>, rule: &'static str, message: impl Into<String>) -> Self {
        Self { path: path.into(), rule, message: message.into() }
    }
}

/// The longest name that is compared.
const MOST_CHARS: usize = 64;

/// The known name that is most similar to an unknown one; `None` if all differ too much to be meant.
///
/// ```
/// use patron_domain::advice::nearest;
///
/// let known = ["name", "email", "address_country"];
/// assert_eq!(nearest("adress_country", known), Some("address_country"));
/// assert_eq!(nearest("addressCountry", known), Some("address_country"));
/// assert_eq!(nearest("colour", known), None);
/// ```
#[must_use]
pub fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let unknown = plain(unknown);
    if unknown.is_empty() || unknown.len() > MOST_CHARS {
        return None;
    }
    let scored = known.into_iter().map(|name| (distance(&unknown, &plain(name)), name));
    // A third of the letters may differ, because shorter names are similar by chance.
    scored.filter(|(distance, _)| *distance * 3 <= unknown.len()).min().map(|(_, name)| name)
}

/// The letters and digits of a name, without case.
fn plain(name: &str) -> Vec<char> {
    name.chars().filter(|one| one.is_alphanumeric()).flat_map(char::to_lowercase).take(MOST_CHARS + 1).collect()
}

/// How many letters must be inserted, left out, changed or swapped with their neighbour to get from one name to another.
fn distance(one: &[char], other: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, same) in other.iter().enumerate() {
            let changed = last[column] + usize::from(letter != same);
            let mut best = changed.min(last[column + 1] + 1).min(next[column] + 1);
            let swapped = row > 0 && column > 0 && *letter == other[column - 1] && one[row - 1] == *same;
            if swapped {
                best = best.min(before_last[column - 1] + 1);
            }
            next.push(best);
        }
        before_last = std::mem::replace(&mut last, next);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn letters(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    #[test]
    fn each_typing_error_counts_one() {
        for (one, other, expected) in
            [("email", "email", 0), ("emial", "email", 1), ("emai", "email", 1), ("e_mail", "email", 1), ("", "ab", 2)]
        {
            assert_eq!(distance(&letters(one), &letters(other)), expected, "{one} {other}");
        }
    }

    #[test]
    fn only_a_similar_name_is_suggested() {
        let known = ["name", "email", "metadata", "tax_rate_overrides"];
        assert_eq!(nearest("e-mail", known), Some("email"));
        assert_eq!(nearest("taxRateOverride", known), Some("tax_rate_overrides"));
        assert_eq!(nearest("meta", known), None);
        assert_eq!(nearest("", known), None);
        assert_eq!(nearest(&"name".repeat(1_000), known), None);
    }

    proptest! {
        #[test]
        fn no_name_breaks_it_and_the_distance_is_symmetric(one in "\\PC{0,80}", other in "\\PC{0,80}") {
            let _ = nearest(&one, [other.as_str()]);
            let (one, other) = (letters(&one), letters(&other));
            prop_assert_eq!(distance(&one, &other), distance(&other, &one));
        }
    }
}
