//! Updates of fields with three states.

/// The part of an update for one optional field.
///
/// ```
/// use patron_domain::{customer::CustomerUpdate, patch::Patch};
///
/// let update = CustomerUpdate { email: Patch::Clear, ..CustomerUpdate::default() };
/// assert_eq!(update.name, Patch::Keep);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// The value stays as it is.
    #[default]
    Keep,
    /// The value is removed.
    Clear,
    /// The new value.
    Set(T),
}

impl<T: PartialEq> Patch<T> {
    /// Applies the update, and returns whether the value changed.
    pub(crate) fn apply(self, to: &mut Option<T>) -> bool {
        let new = match self {
            Self::Keep => return false,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        };
        let changed = *to != new;
        *to = new;
        changed
    }

    /// The same of a value that is never absent: cleared, it is its default again.
    pub(crate) fn apply_or_default(self, to: &mut T) -> bool
    where
        T: Default,
    {
        let new = match self {
            Self::Keep => return false,
            Self::Clear => T::default(),
            Self::Set(value) => value,
        };
        let changed = *to != new;
        *to = new;
        changed
    }
}

impl<T> Patch<T> {
    /// The new value, if it sets one.
    #[must_use]
    pub fn into_set(self) -> Option<T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }

    /// The same where nothing said means that the value is to go, as where a whole object is replaced.
    #[must_use]
    pub fn or_clear(self) -> Self {
        match self {
            Self::Keep => Self::Clear,
            said => said,
        }
    }
}

/// `null` is [`Patch::Clear`], a value is [`Patch::Set`], and with `#[serde(default)]` an absent member is
/// [`Patch::Keep`], as in JSON merge patch (RFC 7396).
#[cfg(feature = "serde")]
impl<'de, T: serde::Deserialize<'de>> serde::Deserialize<'de> for Patch<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <Option<T> as serde::Deserialize>::deserialize(deserializer).map(|value| value.map_or(Self::Clear, Self::Set))
    }
}
