//! Changes of a list of items with ids: as a whole, or of one item.

use super::{
    Item, ItemKind, NewItems,
    list::{at_member, code_paths, conflict},
};
use crate::{
    ids::{Id, IdSequence},
    tax::TaxRateCode,
    time::Timestamp,
    violation::Violations,
};

/// An update of a list of items with ids.
///
/// ```
/// use patron_domain::customer::{ContactPerson, ItemsChange};
///
/// assert_eq!(ItemsChange::<ContactPerson>::default(), ItemsChange::Keep);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub enum ItemsChange<T: ItemKind> {
    /// The list stays as it is.
    #[default]
    Keep,
    /// These items replace the list.
    Replace(NewItems<T>),
    /// One item is changed.
    One(ItemChange<T>),
}

/// A change of one item of a list.
///
/// ```
/// use patron_domain::{customer::{ContactPerson, ItemChange}, testkit::an_id};
///
/// let one = ItemChange::<ContactPerson>::Remove(an_id(1));
/// assert_ne!(one, ItemChange::Remove(an_id(2)));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum ItemChange<T: ItemKind> {
    /// Adds an item at the end of the list.
    Add(Box<T>),
    /// Changes an item.
    Update(Id<T::Id>, Box<T::Update>),
    /// Removes an item.
    Remove(Id<T::Id>),
}

/// Why a list was not changed.
///
/// ```
/// use patron_domain::customer::ItemError;
///
/// assert_eq!(ItemError::Unknown { list: "tax_ids" }.to_string(), "the customer has no item with this id in its tax_ids");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ItemError {
    /// The result would be invalid.
    #[error(transparent)]
    Invalid(#[from] Violations),
    /// The customer has no item with this id.
    #[error("the customer has no item with this id in its {list}")]
    Unknown {
        /// The name of the list.
        list: &'static str,
    },
}

impl<T: ItemKind> ItemsChange<T> {
    /// The tax rates that it names, each with its path.
    pub(crate) fn rate_codes(&self) -> Vec<(String, &TaxRateCode)> {
        match self {
            Self::Keep | Self::One(ItemChange::Remove(_)) => Vec::new(),
            Self::Replace(items) => items.rate_codes(),
            Self::One(ItemChange::Add(value)) => code_paths("", value.rate_codes()),
            Self::One(ItemChange::Update(_, update)) => code_paths("", T::updated_rate_codes(update)),
        }
    }

    /// Applies it, and returns whether the list has changed. Paths of violations are relative to the customer if the list is
    /// replaced, and to the item otherwise.
    pub(crate) fn apply(self, list: &mut Vec<Item<T>>, ids: &mut IdSequence, at: Timestamp) -> Result<bool, ItemError> {
        let mut new = list.clone();
        match self {
            Self::Keep => return Ok(false),
            Self::Replace(items) => new = items.replace(list, ids, at)?,
            Self::One(ItemChange::Add(value)) => {
                let mut value = *value;
                value.settle(at)?;
                new.push(Item { id: ids.next_id(), value });
                check_against_others(&new, new.len() - 1)?;
            }
            Self::One(ItemChange::Update(id, update)) => {
                let place = place_of(&new, id)?;
                if let Some(item) = new.get_mut(place) {
                    item.value.update(*update, at)?;
                }
                check_against_others(&new, place)?;
            }
            Self::One(ItemChange::Remove(id)) => drop(new.remove(place_of(&new, id)?)),
        }
        let changed = new != *list;
        *list = new;
        Ok(changed)
    }
}

fn place_of<T: ItemKind>(list: &[Item<T>], id: Id<T::Id>) -> Result<usize, ItemError> {
    list.iter().position(|item| item.id == id).ok_or(ItemError::Unknown { list: T::NAME })
}

fn check_against_others<T: ItemKind>(list: &[Item<T>], place: usize) -> Result<(), Violations> {
    let Some(one) = list.get(place) else { return Ok(()) };
    let others = list.iter().filter(|other| other.id != one.id);
    let fault = others.filter_map(|other| conflict(&one.value, &other.value)).next();
    fault.map_or(Ok(()), |fault| Err(at_member(fault)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        customer::{ContactPerson, ContactPersonUpdate, FirstName, NewItem, TaxId, TaxIdType},
        ids::ContactPersonId,
        testkit::{a_time, an_id},
    };

    fn ids() -> IdSequence {
        IdSequence::start(a_time(), [9; 10])
    }

    fn person(name: &str, is_primary: bool) -> ContactPerson {
        ContactPerson { is_primary, ..ContactPerson::new(FirstName::new(name).unwrap()) }
    }

    fn paths(error: ItemError) -> Vec<String> {
        let ItemError::Invalid(broken) = error else { panic!("{error:?}") };
        broken.into_iter().map(|violation| violation.path).collect()
    }

    #[test]
    fn a_replaced_list_keeps_what_it_names_in_the_new_order() {
        let mut list =
            vec![Item { id: an_id(1), value: person("Ada", true) }, Item { id: an_id(2), value: person("Bob", false) }];
        let new = |id: Option<ContactPersonId>, name| NewItem { id, value: person(name, false) };
        let items = vec![new(None, "Cleo"), new(Some(an_id(2)), "Bobby")];
        let replace = ItemsChange::Replace(NewItems::new(items).unwrap());
        assert_eq!(replace.clone().apply(&mut list, &mut ids(), a_time()), Ok(true));
        let names: Vec<_> = list.iter().map(|one| one.value.first_name.as_str()).collect();
        assert_eq!((names, list[1].id), (vec!["Cleo", "Bobby"], an_id(2)));
        assert_ne!(list[0].id, an_id(1));

        let unknown = NewItems::new(vec![new(Some(an_id(2)), "Bob"), new(Some(an_id(7)), "Dan")]).unwrap();
        let before = list.clone();
        let refused = ItemsChange::Replace(unknown).apply(&mut list, &mut ids(), a_time()).unwrap_err();
        assert_eq!((paths(refused), &list), (vec!["contact_persons[1].id".to_owned()], &before));
    }

    #[test]
    fn the_same_tax_id_keeps_its_id() {
        let mut ids = ids();
        let tax_id = |value| TaxId::new(TaxIdType::new("unknown").unwrap(), value, false).unwrap();
        let mut list = vec![Item { id: an_id(1), value: tax_id("A1") }];
        let new = |value| NewItem { id: None, value: tax_id(value) };
        let items = NewItems::new(vec![new("B2"), new("a-1")]).unwrap();
        assert_eq!(ItemsChange::Replace(items).apply(&mut list, &mut ids, a_time()), Ok(true));
        assert_eq!(list[1].id, an_id(1));
        let twice = NewItems::new(vec![new("B2"), new("b2")]).unwrap_err();
        assert_eq!(paths(twice.into()), ["tax_ids[1]"]);
        let add = ItemsChange::One(ItemChange::Add(Box::new(tax_id("B 2"))));
        assert_eq!(paths(add.apply(&mut list, &mut ids, a_time()).unwrap_err()), ["value"]);
    }

    #[test]
    fn one_thing_is_changed_and_the_others_stay() {
        let ada = Item { id: an_id(1), value: person("Ada", true) };
        let mut list = vec![ada.clone(), Item { id: an_id(2), value: person("Bob", false) }];
        let primary = || ContactPersonUpdate { is_primary: Some(true), ..ContactPersonUpdate::default() };
        let change = |id| ItemsChange::One(ItemChange::Update(an_id(id), Box::new(primary())));
        assert_eq!(change(1).apply(&mut list, &mut ids(), a_time()), Ok(false), "it is that already");
        assert_eq!(paths(change(2).apply(&mut list, &mut ids(), a_time()).unwrap_err()), ["is_primary"]);
        let unknown = Err(ItemError::Unknown { list: "contact_persons" });
        assert_eq!(change(3).apply(&mut list, &mut ids(), a_time()), unknown);
        let remove = ItemsChange::<ContactPerson>::One(ItemChange::Remove(an_id(2)));
        assert_eq!(remove.clone().apply(&mut list, &mut ids(), a_time()), Ok(true));
        assert_eq!((remove.apply(&mut list, &mut ids(), a_time()), list), (unknown, vec![ada]));
    }
}
