//! Lists of things with ids: what a request asks for, and what a customer has.

use std::collections::BTreeSet;

use crate::{
    event::CustomerField,
    ids::{Id, IdSequence, Kind},
    tax::TaxRateCode,
    time::Timestamp,
    violation::{Rule, Violation, Violations},
};

/// What may be in a list of things with ids. Implemented by this crate's types alone.
///
/// ```
/// use patron_domain::customer::{ContactPerson, ItemKind};
///
/// assert_eq!(ContactPerson::NAME, "contact_persons");
/// ```
pub trait ItemKind: Clone + PartialEq {
    /// The kind of its ids.
    type Id: Kind + Clone + PartialEq + std::fmt::Debug;

    /// What an update of one says.
    type Update: Clone + PartialEq + std::fmt::Debug;

    /// The name of the list, as in paths.
    const NAME: &'static str;

    /// The list among the fields of a customer.
    const FIELD: CustomerField;

    /// Fills in what follows from the time at which it is made.
    ///
    /// # Errors
    /// When it breaks rules then, each under the name of the member.
    fn settle(&mut self, _at: Timestamp) -> Result<(), Violations> {
        Ok(())
    }

    /// The tax rates that it names, which have to be there.
    fn rate_codes(&self) -> &[TaxRateCode] {
        &[]
    }

    /// The tax rates that an update of one names.
    fn updated_rate_codes(_update: &Self::Update) -> &[TaxRateCode] {
        &[]
    }

    /// Applies an update.
    ///
    /// # Errors
    /// When what comes of it breaks rules, each under the name of the member.
    fn update(&mut self, update: Self::Update, at: Timestamp) -> Result<(), Violations>;

    /// Whether another one in the list stands for the same: then they cannot be there both, and where the list is replaced,
    /// the new one keeps the id of the old one.
    fn is_same(&self, _other: &Self) -> bool {
        false
    }

    /// Why this one cannot stand in a list after another one.
    fn clash(&self, _earlier: &Self) -> Option<ItemFault> {
        None
    }
}

/// A thing with its id.
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
    /// What it is.
    pub value: T,
}

/// One that a request asks for: a new one, or one that is there and is to be so.
///
/// ```
/// use patron_domain::customer::{ContactPerson, FirstName, NewItem};
///
/// let new = NewItem { id: None, value: ContactPerson::new(FirstName::new("Ada").unwrap()) };
/// assert!(new.id.is_none());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct NewItem<T: ItemKind> {
    /// The id of the one that is there; `None` for a new one.
    pub id: Option<Id<T::Id>>,
    /// What it is to be.
    pub value: T,
}

/// What is wrong with one of a list, beside what is wrong with it alone.
///
/// ```
/// use patron_domain::{customer::ItemFault, violation::Rule};
///
/// assert_eq!(ItemFault::Primary.rule(), "one_primary");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ItemFault {
    /// The customer has none with this id.
    #[error("id is not the id of one that the customer has; leave it out for a new one")]
    UnknownId,
    /// The id stands in the list twice.
    #[error("id stands in the list before; send each once")]
    SameId,
    /// It stands for the same as one before.
    #[error("stands in the list before; send each once")]
    Same,
    /// Another one is the primary one.
    #[error("is_primary is true of another contact person; a customer has one primary contact person at most")]
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
    /// The member at which it is told; nothing where it is the whole.
    pub(super) fn member(self) -> &'static str {
        match self {
            Self::UnknownId | Self::SameId => "id",
            Self::Same => "",
            Self::Primary => "is_primary",
        }
    }
}

/// The list that a create or an update asks for: no two of one id, and none that cannot stand beside another.
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
    /// Checks that they can stand beside one another.
    ///
    /// # Errors
    /// Each violation under the name of the list and the place in it.
    pub fn new(items: Vec<NewItem<T>>) -> Result<Self, Violations> {
        Self::at_places(items.into_iter().enumerate().collect())
    }

    /// The same of those elements of a request's list that are valid alone, each with its place in it.
    ///
    /// # Errors
    /// Each violation under the name of the list and the place in it.
    pub fn at_places(items: Vec<(usize, NewItem<T>)>) -> Result<Self, Violations> {
        let mut broken = Violations::new();
        let mut ids = BTreeSet::new();
        for (index, (place, item)) in items.iter().enumerate() {
            if item.id.is_some_and(|id| !ids.insert(id)) {
                broken.add(path::<T>(*place, ItemFault::SameId), &ItemFault::SameId);
            }
            let earlier = items.iter().take(index).map(|(_, earlier)| &earlier.value);
            if let Some(fault) = earlier.filter_map(|earlier| fault_beside(&item.value, earlier)).next() {
                broken.add(path::<T>(*place, fault), &fault);
            }
        }
        broken.into_result().map(|()| Self(items.into_iter().map(|(_, item)| item).collect()))
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

    /// What they are to be.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|item| &item.value)
    }

    /// The tax rates that they name, each with its path.
    pub(crate) fn rate_codes(&self) -> Vec<(String, &TaxRateCode)> {
        let items = self.values().enumerate();
        items.flat_map(|(place, value)| code_paths(&format!("{}[{place}].", T::NAME), value.rate_codes())).collect()
    }

    /// The list in place of another: those with ids of it are kept, the others get new ids.
    ///
    /// # Errors
    /// Those whose ids the other list does not know, each under its path.
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

/// Codes of tax rates, each with its path below another.
pub(super) fn code_paths<'a>(of: &str, codes: &'a [TaxRateCode]) -> Vec<(String, &'a TaxRateCode)> {
    codes.iter().enumerate().map(|(place, code)| (format!("{of}tax_rate_codes[{place}]"), code)).collect()
}

/// Why a thing cannot stand in a list with an earlier one.
pub(super) fn fault_beside<T: ItemKind>(value: &T, earlier: &T) -> Option<ItemFault> {
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
