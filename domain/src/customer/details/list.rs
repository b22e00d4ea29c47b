//! Lists of texts in which none stands twice.

use std::fmt;

use crate::violation::{Rule, Violations};

/// What may stand in a [`TextList`].
///
/// ```
/// use patron_domain::customer::{Listed, Tag};
///
/// assert_eq!(Tag::NAME, "tags");
/// ```
pub trait Listed: Clone + PartialEq {
    /// The name of the list, as in paths.
    const NAME: &'static str;

    /// The most of them in one list; none where the customer as a whole has a limit.
    const MAX: Option<usize>;
}

/// Texts in the order given, none of them twice.
///
/// ```
/// use patron_domain::customer::{Tag, TextList};
///
/// let tag = || Tag::new("vip").unwrap();
/// assert_eq!(TextList::new(vec![tag()]).unwrap().len(), 1);
/// assert!(TextList::new(vec![tag(), tag()]).is_err());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct TextList<T>(Vec<T>);

/// Why texts are no [`TextList`].
///
/// ```
/// use patron_domain::{customer::ListedError, violation::Rule};
///
/// assert_eq!(ListedError::Twice.rule(), "unique");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListedError {
    /// One stands in the list before.
    #[error("stands in the list twice; send each once")]
    Twice,
    /// There are too many.
    #[error("must have at most {max} elements, it has {count}")]
    TooMany {
        /// The most.
        max: usize,
        /// How many there are.
        count: usize,
    },
}

impl Rule for ListedError {
    fn rule(&self) -> &'static str {
        match self {
            Self::Twice => "unique",
            Self::TooMany { .. } => "max_items",
        }
    }
}

impl<T: Listed> TextList<T> {
    /// Checks that none stands there twice, and that there are not too many.
    ///
    /// # Errors
    /// Each violation under the name of the list.
    pub fn new(texts: Vec<T>) -> Result<Self, Violations> {
        let count = texts.len();
        Self::at_places(count, texts.into_iter().enumerate().collect())
    }

    /// The same of those elements of a request's list that are texts, each with its place in it; `count` is how many there
    /// are in all.
    ///
    /// # Errors
    /// Each violation under the name of the list and the place of the element.
    pub fn at_places(count: usize, texts: Vec<(usize, T)>) -> Result<Self, Violations> {
        let mut broken = Violations::new();
        if let Some(max) = T::MAX.filter(|max| count > *max) {
            broken.add(T::NAME, &ListedError::TooMany { max, count });
        }
        let mut kept: Vec<T> = Vec::with_capacity(texts.len());
        for (place, text) in texts {
            if kept.contains(&text) {
                broken.add(format!("{}[{place}]", T::NAME), &ListedError::Twice);
            } else {
                kept.push(text);
            }
        }
        broken.into_result().map(|()| Self(kept))
    }
}

impl<T> TextList<T> {
    /// The texts.
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        &self.0
    }

    /// The texts, one after the other.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The texts, to change them.
    pub(crate) fn as_vec_mut(&mut self) -> &mut Vec<T> {
        &mut self.0
    }

    /// Takes back a list that was stored.
    pub(crate) fn from_stored(texts: Vec<T>) -> Self {
        Self(texts)
    }
}

impl<T> Default for TextList<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> fmt::Debug for TextList<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TextList({})", self.0.len())
    }
}
