//! The broken rules of one request, collected so that the client can correct all of them at once.

use std::{collections::BTreeSet, fmt};

/// An error that names the broken rule. The errors of all newtypes implement it.
///
/// The `Display` text says what is wrong and what the limit is. It does not contain the refused value.
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
    /// A stable lower-case name for programs, such as `max_length` or `iso_4217`.
    fn rule(&self) -> &'static str;
}

/// A broken rule and its place in the request.
///
/// ```
/// use patron_domain::violation::Violation;
///
/// let violation = Violation { path: "name".to_owned(), rule: "max_length", message: "is too long".to_owned() };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The JSON path of the field, such as `tax_rate_overrides[0].currency`.
    pub path: String,
    /// The broken rule: a stable name for programs, such as `iso_4217`.
    pub rule: &'static str,
    /// The fault and its correction, for people. It does not contain the refused value.
    pub message: String,
}

/// All broken rules of one request, in the order in which they were found. There is at most one per path: the first.
///
/// Their size is limited, whatever a client sends: at most [`Violations::MAX`] are kept, and a path is cut to
/// [`Violations::MAX_PATH_CHARS`] characters. If a path is expensive to build, check [`Violations::is_full`] first.
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
    /// The maximum number of violations.
    pub const MAX: usize = 1_000;
    /// The maximum number of characters in a path. A longer one is cut and ends with `…`.
    pub const MAX_PATH_CHARS: usize = 256;

    /// No violations.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a broken rule, unless its path already has one: the first fault at a place should be corrected first.
    pub fn add(&mut self, path: impl Into<String>, broken: &dyn Rule) {
        if !self.is_full() {
            self.push(Violation { path: path.into(), rule: broken.rule(), message: broken.to_string() });
        }
    }

    /// Adds a violation, unless its path already has one.
    pub fn push(&mut self, mut violation: Violation) {
        if self.is_full() {
            return;
        }
        if let Some((end, _)) = violation.path.char_indices().nth(Self::MAX_PATH_CHARS) {
            // One more character is removed to make room for the `…`.
            let last = violation.path[..end].char_indices().next_back().map_or(0, |(last, _)| last);
            violation.path.truncate(last);
            violation.path.push('…');
        }
        if self.paths.insert(violation.path.clone()) {
            self.found.push(violation);
        }
    }

    /// Whether the maximum is reached, so that no more are kept.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.found.len() >= Self::MAX
    }

    /// Returns the value of a check, or records the broken rule. The path is only built when needed.
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

    /// `Ok` when there are no violations.
    ///
    /// # Errors
    /// All violations, when there is at least one.
    pub fn into_result(self) -> Result<(), Self> {
        if self.found.is_empty() { Ok(()) } else { Err(self) }
    }

    /// Whether there are no violations.
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
    fn the_number_of_violations_is_limited() {
        let mut all = Violations::new();
        let long = "ü".repeat(500_000);
        all.add(long.clone(), &Broken("first"));
        all.add(format!("{long}x"), &Broken("the same path after the cut"));
        all.add("ü".repeat(256), &Broken("fits"));
        let paths: Vec<_> = all.iter().map(|one| (one.path.chars().count(), one.path.ends_with('…'))).collect();
        assert_eq!(paths, [(256, true), (256, false)]);
        for number in 0..2_000 {
            all.add(number.to_string(), &Broken("again"));
        }
        assert!(all.is_full());
        assert_eq!(all.iter().count(), Violations::MAX);
        let unbuilt = || -> String { panic!("a path was built that is not kept") };
        assert_eq!(all.check(unbuilt, Err::<u8, _>(Broken("more"))), None);
    }
}
