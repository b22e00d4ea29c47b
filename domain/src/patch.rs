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
}

/// `null` is [`Patch::Clear`], a value is [`Patch::Set`], and with `#[serde(default)]` an absent member is
/// [`Patch::Keep`], as in JSON merge patch (RFC 7396).
#[cfg(feature = "serde")]
impl<'de, T: serde::Deserialize<'de>> serde::Deserialize<'de> for Patch<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <Option<T> as serde::Deserialize>::deserialize(deserializer).map(|value| value.map_or(Self::Clear, Self::Set))
    }
}
