//! Updates in which a field has three states.

/// What an update says about one optional field.
///
/// ```
/// use patron_domain::{customer::CustomerUpdate, patch::Patch};
///
/// let update = CustomerUpdate { email: Patch::Clear, ..CustomerUpdate::default() };
/// assert_eq!(update.name, Patch::Keep);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// Nothing: it stays.
    #[default]
    Keep,
    /// That it is to be as if never given.
    Clear,
    /// Its new value.
    Set(T),
}

impl<T: PartialEq> Patch<T> {
    /// Applies it, and tells whether the value is another one now.
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
