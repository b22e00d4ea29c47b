//! Lists of items with ids: the lists of requests, and those of a customer.

use std::collections::BTreeSet;

use crate::{
    event::CustomerField,
    ids::{Id, IdSequence, Kind},
    tax::TaxRateCode,
    time::Timestamp,
    violation::{Rule, Violation, Violations},
};

/// An item of a list with ids. Only types of this crate implement it.
///
/// ```
/// use patron_domain::customer::{ContactPerson, ItemKind};
///
/// assert_eq!(ContactPerson::NAME, "contact_persons");
/// ```
pub trait ItemKind: Clone + PartialEq {
    /// The kind of its ids.
    type Id: Kind + Clone + PartialEq + std::fmt::Debug;

    /// An update of one item.
    type Update: Clone + PartialEq + std::fmt::Debug;

    /// The name of the list, as in paths.
    const NAME: &'static str;

    /// The field of the customer that holds the list.
    const FIELD: CustomerField;

    /// Sets what depends on the time of the change.
    ///
    /// # Errors
    /// If the result is invalid: each violation under the name of the member.
    fn settle(&mut self, _at: Timestamp) -> Result<(), Violations> {
        Ok(())
    }

    /// The codes of the tax rates that it names. They must exist.
    fn rate_codes(&self) -> &[TaxRateCode] {
        &[]
    }

    /// The codes of the tax rates that an update names.
    fn updated_rate_codes(_update: &Self::Update) -> &[TaxRateCode] {
        &[]
    }

    /// Applies an update.
    ///
    /// # Errors
    /// If the result is invalid: each violation under the name of the member.
    fn update(&mut self, update: Self::Update, at: Timestamp) -> Result<(), Violations>;

    /// Whether both items mean the same. A list cannot contain both. If a list is replaced, the new item keeps the id of
    /// the old one.
    fn is_same(&self, _other: &Self) -> bool {
        false
    }

    /// Why a list that contains another item cannot contain this one.
    fn clash(&self, _earlier: &Self) -> Option<ItemFault> {
        None
    }
}

/// An item with its id.
///
/// ```
/// use patron_domain::{customer::{ContactPerson, FirstName, Item}, testkit::an_id};
///
/// let ada = ContactPerson::new(FirstName::new("Ada").unwrap());
/// let item = Item { id: an_id(1), value: ada.clone() };
/// assert_eq!(item.value, ada);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item<T: ItemKind> {
    /// Its id.
    pub id: Id<T::Id>,
    /// The value.
    pub value: T,
}

/// An item of a request: a new one, or the new value of an existing one.
///
/// ```
/// use patron_domain::customer::{ContactPerson, FirstName, NewItem};
///
/// let new = NewItem { id: None, value: ContactPerson::new(FirstName::new("Ada").unwrap()) };
/// assert!(new.id.is_none());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct NewItem<T: ItemKind> {
    /// The id of the existing item; `None` for a new one.
    pub id: Option<Id<T::Id>>,
    /// The new value.
    pub value: T,
}

/// A fault of an item in its list.
///
/// ```
/// use patron_domain::{customer::ItemFault, violation::Rule};
///
/// assert_eq!(ItemFault::Primary.rule(), "one_primary");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ItemFault {
    /// The customer has no item with this id.
    #[error("the customer has no item with this id; leave id out to add a new one")]
    UnknownId,
    /// The list contains the id twice.
    #[error("the list contains this id twice; send each id once")]
    SameId,
    /// An earlier item means the same.
    #[error("the list contains the same item twice; send each once")]
    Same,
    /// Another contact person is the primary one.
    #[error("another contact person is the primary one already; set is_primary for at most one")]
    Primary,
}

impl Rule for ItemFault {
    fn rule(&self) -> &'static str {
        match self {
            Self::UnknownId => "known_id",
            Self::SameId | Self::Same => "unique",
            Self::Primary => "one_primary",
        }
    }
}

impl ItemFault {
    /// The member with the fault; empty if it is the whole item.
    pub(super) fn member(self) -> &'static str {
        match self {
            Self::UnknownId | Self::SameId => "id",
            Self::Same => "",
            Self::Primary => "is_primary",
        }
    }
}

/// The list of a create or an update. No id and no item occurs twice.
///
/// ```
/// use patron_domain::customer::{ContactPerson, FirstName, NewItem, NewItems};
///
/// let ada = || NewItem { id: None, value: ContactPerson::new(FirstName::new("Ada").unwrap()) };
/// assert_eq!(NewItems::new(vec![ada(), ada()]).unwrap().len(), 2);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct NewItems<T: ItemKind>(Vec<NewItem<T>>);

impl<T: ItemKind> Default for NewItems<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: ItemKind> NewItems<T> {
    /// Checks the items against each other.
    ///
    /// # Errors
    /// Each violation under the name of the list and the index.
    pub fn new(items: Vec<NewItem<T>>) -> Result<Self, Violations> {
        Self::at_places(items.into_iter().enumerate().collect())
    }

    /// The same for the valid elements of a request's list, each with its index.
    ///
    /// # Errors
    /// Each violation under the name of the list and the index.
    pub fn at_places(items: Vec<(usize, NewItem<T>)>) -> Result<Self, Violations> {
        let mut broken = Violations::new();
        let mut ids = BTreeSet::new();
        for (index, (place, item)) in items.iter().enumerate() {
            if item.id.is_some_and(|id| !ids.insert(id)) {
                broken.add(path::<T>(*place, ItemFault::SameId), &ItemFault::SameId);
            }
            let earlier = items.iter().take(index).map(|(_, earlier)| &earlier.value);
            if let Some(fault) = earlier.filter_map(|earlier| conflict(&item.value, earlier)).next() {
                broken.add(path::<T>(*place, fault), &fault);
            }
        }
        broken.into_result().map(|()| Self(items.into_iter().map(|(_, item)| item).collect()))
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

    /// The new values.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|item| &item.value)
    }

    /// The codes of the tax rates that they name, each with its path.
    pub(crate) fn rate_codes(&self) -> Vec<(String, &TaxRateCode)> {
        let items = self.values().enumerate();
        items.flat_map(|(place, value)| code_paths(&format!("{}[{place}].", T::NAME), value.rate_codes())).collect()
    }

    /// The list that replaces another one. Items with known ids keep them. The others get new ids.
    ///
    /// # Errors
    /// Items whose ids the other list does not contain, each under its path.
    pub(crate) fn replace(
        self,
        old: &[Item<T>],
        ids: &mut IdSequence,
        at: Timestamp,
    ) -> Result<Vec<Item<T>>, Violations> {
        let mut broken = Violations::new();
        let mut new = Vec::with_capacity(self.0.len());
        for (place, NewItem { id, mut value }) in self.0.into_iter().enumerate() {
            for violation in value.settle(at).err().into_iter().flatten() {
                let path = format!("{}[{place}].{}", T::NAME, violation.path);
                broken.push(Violation { path, ..violation });
            }
            let known = match id {
                Some(id) => old.iter().find(|item| item.id == id),
                None => old.iter().find(|item| item.value.is_same(&value)),
            };
            if id.is_some() && known.is_none() {
                broken.add(path::<T>(place, ItemFault::UnknownId), &ItemFault::UnknownId);
            }
            let id = known.map_or_else(|| ids.next_id(), |item| item.id);
            new.push(Item { id, value });
        }
        broken.into_result().map(|()| new)
    }
}

/// Codes of tax rates, each with its path relative to another.
pub(super) fn code_paths<'a>(of: &str, codes: &'a [TaxRateCode]) -> Vec<(String, &'a TaxRateCode)> {
    codes.iter().enumerate().map(|(place, code)| (format!("{of}tax_rate_codes[{place}]"), code)).collect()
}

/// Why a list that contains an earlier item cannot contain this one.
pub(super) fn conflict<T: ItemKind>(value: &T, earlier: &T) -> Option<ItemFault> {
    if value.is_same(earlier) { Some(ItemFault::Same) } else { value.clash(earlier) }
}

fn path<T: ItemKind>(place: usize, fault: ItemFault) -> String {
    match fault.member() {
        "" => format!("{}[{place}]", T::NAME),
        member => format!("{}[{place}].{member}", T::NAME),
    }
}

/// Violations of a whole item, at the members that they concern.
pub(super) fn at_member(fault: ItemFault) -> Violations {
    let mut broken = Violations::new();
    let path = if fault.member().is_empty() { "value" } else { fault.member() };
    broken.push(Violation { path: path.to_owned(), rule: fault.rule(), message: fault.to_string() });
    broken
}
