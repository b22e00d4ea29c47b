//! Lists of distinct texts.

use std::fmt;

use crate::violation::{Rule, Violations};

/// An element of a [`TextList`].
///
/// ```
/// use patron_domain::customer::{Listed, Tag};
///
/// assert_eq!(Tag::NAME, "tags");
/// ```
pub trait Listed: Clone + PartialEq {
    /// The name of the list, as in paths.
    const NAME: &'static str;

    /// The maximum number in one list; `None` if only the customer as a whole has a limit.
    const MAX: Option<usize>;
}

/// Distinct texts in the given order.
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

/// Why texts are not a [`TextList`].
///
/// ```
/// use patron_domain::{customer::ListedError, violation::Rule};
///
/// assert_eq!(ListedError::Twice.rule(), "unique");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListedError {
    /// The list contains it twice.
    #[error("the list contains it twice; send each once")]
    Twice,
    /// There are too many.
    #[error("must have at most {max} elements, it has {count}")]
    TooMany {
        /// The limit.
        max: usize,
        /// The number of elements.
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
    /// Checks that no text occurs twice, and that there are not too many.
    ///
    /// # Errors
    /// Each violation under the name of the list.
    pub fn new(texts: Vec<T>) -> Result<Self, Violations> {
        let count = texts.len();
        Self::at_places(count, texts.into_iter().enumerate().collect())
    }

    /// The same for the valid elements of a request's list, each with its index; `count` is the number of all elements.
    ///
    /// # Errors
    /// Each violation under the name of the list and the index of the element.
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

    /// The number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the list is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The texts, to change them.
    pub(crate) fn as_vec_mut(&mut self) -> &mut Vec<T> {
        &mut self.0
    }

    /// Reads a stored list.
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
