//! Broken rules of one request, collected so that a person can put them all right at once.

use std::{collections::BTreeSet, fmt};

/// An error that names the rule it broke. Every newtype's error is one.
///
/// The `Display` text says what is wrong and what the limit is; it never repeats the refused value.
///
/// ```
/// use patron_domain::violation::{Rule, Violations};
///
/// struct TooOld;
/// impl std::fmt::Display for TooOld {
///     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
///         f.write_str("must not be older than a year")
///     }
/// }
/// impl Rule for TooOld {
///     fn rule(&self) -> &'static str {
///         "max_age"
///     }
/// }
/// let mut broken = Violations::new();
/// broken.add("invoice.date", &TooOld);
/// ```
pub trait Rule: fmt::Display {
    /// A short, stable, lower-case name for programs, such as `max_length` or `iso_4217`.
    fn rule(&self) -> &'static str;
}

/// One broken rule at one place.
///
/// ```
/// use patron_domain::violation::Violation;
///
/// let violation = Violation { path: "name".to_owned(), rule: "max_length", message: "is too long".to_owned() };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where: the JSON path of the field, such as `tax_rate_overrides[0].currency`.
    pub path: String,
    /// Which rule: short, stable and for programs, such as `iso_4217`.
    pub rule: &'static str,
    /// What is wrong and what to do about it, for a person. Never holds the refused value.
    pub message: String,
}

/// All broken rules of one request, in the order in which they were found; one per path, the first wins.
///
/// Whatever a client sends, they stay small: no more than [`Violations::MAX`] are kept, as nobody puts so many right field by
/// field, and a path is cut to [`Violations::MAX_PATH_CHARS`] characters. Where a path costs something to build, ask
/// [`Violations::is_full`] first.
///
/// ```
/// use patron_domain::{customer::CustomerName, violation::Violations};
///
/// let mut broken = Violations::new();
/// let name = broken.check(|| "name".into(), CustomerName::new(""));
/// assert_eq!((name, broken.to_string().as_str()), (None, "name: name must not be empty"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Violations {
    found: Vec<Violation>,
    paths: BTreeSet<String>,
}

impl Violations {
    /// The most violations that are kept.
    pub const MAX: usize = 1_000;
    /// The most characters of a path; of a longer one the end is cut off, and `…` stands in its place.
    pub const MAX_PATH_CHARS: usize = 256;

    /// No violation yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one, unless its path already has one: the first finding at a place is the one to put right first.
    pub fn add(&mut self, path: impl Into<String>, broken: &dyn Rule) {
        if !self.is_full() {
            self.push(Violation { path: path.into(), rule: broken.rule(), message: broken.to_string() });
        }
    }

    /// Adds a finished violation, unless its path already has one.
    pub fn push(&mut self, mut violation: Violation) {
        if self.is_full() {
            return;
        }
        if let Some((end, _)) = violation.path.char_indices().nth(Self::MAX_PATH_CHARS) {
            // One character more goes, for the one that says so.
            let last = violation.path[..end].char_indices().next_back().map_or(0, |(last, _)| last);
            violation.path.truncate(last);
            violation.path.push('…');
        }
        if self.paths.insert(violation.path.clone()) {
            self.found.push(violation);
        }
    }

    /// Whether there are so many that no more are kept.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.found.len() >= Self::MAX
    }

    /// Takes the value out of a check, or notes what it broke. The path is built only when needed.
    pub fn check<T, E: Rule>(&mut self, path: impl FnOnce() -> String, checked: Result<T, E>) -> Option<T> {
        match checked {
            Ok(value) => Some(value),
            Err(broken) => {
                if !self.is_full() {
                    self.add(path(), &broken);
                }
                None
            }
        }
    }

    /// `Ok` when nothing was broken.
    ///
    /// # Errors
    /// All the violations, when there is at least one.
    pub fn into_result(self) -> Result<(), Self> {
        if self.found.is_empty() { Ok(()) } else { Err(self) }
    }

    /// Whether nothing was broken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The violations, in the order in which they were found.
    pub fn iter(&self) -> std::slice::Iter<'_, Violation> {
        self.found.iter()
    }
}

impl<'a> IntoIterator for &'a Violations {
    type Item = &'a Violation;
    type IntoIter = std::slice::Iter<'a, Violation>;

    fn into_iter(self) -> Self::IntoIter {
        self.found.iter()
    }
}

impl IntoIterator for Violations {
    type Item = Violation;
    type IntoIter = std::vec::IntoIter<Violation>;

    fn into_iter(self) -> Self::IntoIter {
        self.found.into_iter()
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, violation) in self.found.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{}: {}", violation.path, violation.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Violations {}

#[cfg(test)]
mod tests {
    use super::{Rule, Violations};

    #[derive(Debug)]
    struct Broken(&'static str);
    impl std::fmt::Display for Broken {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "{} is wrong", self.0)
        }
    }
    impl Rule for Broken {
        fn rule(&self) -> &'static str {
            self.0
        }
    }

    #[test]
    fn the_first_violation_of_a_path_wins_and_all_paths_are_kept() {
        let mut all = Violations::new();
        assert_eq!(all.check(|| "a".into(), Err::<u8, _>(Broken("first"))), None);
        assert_eq!(all.check(|| "a".into(), Err::<u8, _>(Broken("second"))), None);
        assert_eq!(all.check(|| "b".into(), Err::<u8, _>(Broken("third"))), None);
        assert_eq!(all.check(|| "c".into(), Ok::<_, Broken>(4)), Some(4));
        let rules: Vec<_> = all.iter().map(|v| (v.path.as_str(), v.rule)).collect();
        assert_eq!(rules, [("a", "first"), ("b", "third")]);
        assert!(all.into_result().is_err());
    }

    #[test]
    fn however_much_is_wrong_little_is_kept_of_it() {
        let mut all = Violations::new();
        let long = "ü".repeat(500_000);
        all.add(long.clone(), &Broken("first"));
        all.add(format!("{long}x"), &Broken("where it was cut it is the same"));
        all.add("ü".repeat(256), &Broken("fits"));
        let paths: Vec<_> = all.iter().map(|one| (one.path.chars().count(), one.path.ends_with('…'))).collect();
        assert_eq!(paths, [(256, true), (256, false)]);
        for number in 0..2_000 {
            all.add(number.to_string(), &Broken("again"));
        }
        assert!(all.is_full());
        assert_eq!(all.iter().count(), Violations::MAX);
        let unbuilt = || -> String { panic!("a path that nobody keeps was built") };
        assert_eq!(all.check(unbuilt, Err::<u8, _>(Broken("more"))), None);
    }
}
