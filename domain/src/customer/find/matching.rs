//! The comparison of texts with words.

use super::{fold::FoldedWords, hits::HitClass, query::is_mistypable, texts::Role};

/// Where a text has a word, and how well that fits.
pub(super) struct Fit {
    pub(super) class: HitClass,
    /// The more, the better, within a class.
    pub(super) similarity: u32,
    /// The matching parts, as ranges of folded characters.
    pub(super) places: Vec<(usize, usize)>,
}

/// The most places of a word in a text that are shown.
const MAX_PLACES: usize = 10;
/// More similar than any text in which it does not begin a word.
const BEGINS_A_WORD: u32 = 1_000;

/// The share of a text that matches, in thousandths.
fn share(part: usize, whole: usize) -> u32 {
    u32::try_from(part.saturating_mul(1_000) / whole.max(1)).unwrap_or(u32::MAX).min(1_000)
}

/// How a text has some folded words in it. `is_exactly` compares their punctuation, too.
pub(super) fn fit(role: Role, text: &FoldedWords, is_exactly: impl FnOnce() -> bool, sought: &[char]) -> Option<Fit> {
    let text = &text.chars;
    if role == Role::TaxId {
        return fit_tax_id(text, is_exactly, sought);
    }
    let mut places = Vec::new();
    let mut from = 0;
    while let Some(at) = position(text, sought, from) {
        places.push((at, at + sought.len()));
        from = at + sought.len();
    }
    let (first, _) = *places.first()?;
    let begins = |at: usize| at == 0 || text.get(at - 1) == Some(&' ');
    let begins_a_word = places.iter().any(|(at, _)| begins(*at));
    let class = match () {
        () if role.is_exact() && text.len() == sought.len() && is_exactly() => HitClass::Exact,
        () if role.is_prefix() && first == 0 => HitClass::Prefix,
        () => HitClass::Contains,
    };
    places.truncate(MAX_PLACES);
    let similarity = share(sought.len(), text.len()) + if begins_a_word { BEGINS_A_WORD } else { 0 };
    Some(Fit { class, similarity, places })
}

/// Tax ids are stored without separators, and sought with any.
fn fit_tax_id(text: &[char], is_exactly: impl FnOnce() -> bool, sought: &[char]) -> Option<Fit> {
    let sought: Vec<char> = sought.iter().copied().filter(|character| *character != ' ').collect();
    let at = position(text, &sought, 0)?;
    let class = if text.len() == sought.len() || is_exactly() { HitClass::Exact } else { HitClass::Contains };
    let begins = if at == 0 { BEGINS_A_WORD } else { 0 };
    let similarity = share(sought.len(), text.len()) + begins;
    Some(Fit { class, similarity, places: vec![(at, at + sought.len())] })
}

/// The first place of a part in a text, from a place on.
fn position(text: &[char], part: &[char], from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    rest.windows(part.len().max(1)).position(|window| window == part).map(|at| from + at)
}

/// The words of a text that are a word but for one typing error.
pub(super) fn near_fit(role: Role, text: &FoldedWords, sought: &[char]) -> Option<Fit> {
    if !role.is_similar() || !is_mistypable(sought) {
        return None;
    }
    let (mut places, mut from) = (Vec::new(), 0);
    for word in text.chars.split(|character| *character == ' ') {
        if is_mistypable(word) && differ_by_one(word, sought) {
            places.push((from, from + word.len()));
        }
        from += word.len() + 1;
    }
    let (begin, end) = *places.first()?;
    places.truncate(MAX_PLACES);
    Some(Fit { class: HitClass::Similar, similarity: share(end - begin, text.chars.len()), places })
}

/// Whether two words differ by one character that is inserted, left out or another, or by two neighbours that are swapped.
fn differ_by_one(one: &[char], other: &[char]) -> bool {
    let same = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    let (one, other) = (&one[same..], &other[same..]);
    match one.len().cmp(&other.len()) {
        std::cmp::Ordering::Equal => {
            let swapped = || one.len() > 1 && one[0] == other[1] && one[1] == other[0] && one[2..] == other[2..];
            !one.is_empty() && (one[1..] == other[1..] || swapped())
        }
        std::cmp::Ordering::Less => other.len() == one.len() + 1 && other[1..] == *one,
        std::cmp::Ordering::Greater => one.len() == other.len() + 1 && one[1..] == *other,
    }
}

#[cfg(test)]
mod tests {
    use super::{differ_by_one, position};

    #[test]
    fn one_typing_error_is_one_inserted_left_out_changed_or_swapped_letter() {
        let differ = |one: &str, other: &str| {
            let (one, other): (Vec<_>, Vec<_>) = (one.chars().collect(), other.chars().collect());
            assert_eq!(differ_by_one(&one, &other), differ_by_one(&other, &one));
            differ_by_one(&one, &other)
        };
        for (one, other) in [
            ("meyer", "meier"),
            ("meyer", "meyers"),
            ("meyer", "eyer"),
            ("meyer", "emyer"),
            ("meyer", "meyre"),
            ("muller", "mulller"),
        ] {
            assert!(differ(one, other), "{one} {other}");
        }
        for (one, other) in [("meyer", "meyer"), ("meyer", "maier"), ("meyer", "mey"), ("abcd", "badc"), ("", "")] {
            assert!(!differ(one, other), "{one} {other}");
        }
    }

    #[test]
    fn parts_are_found_from_a_place_on() {
        let text: Vec<char> = "abcabc".chars().collect();
        assert_eq!(position(&text, &['b', 'c'], 0), Some(1));
        assert_eq!(position(&text, &['b', 'c'], 2), Some(4));
        assert_eq!(position(&text, &['x'], 0), None);
        assert_eq!(position(&text, &['c'], 9), None);
    }
}
