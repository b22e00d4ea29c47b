//! How much may belong to one customer.

use super::{CustomerAggregate, InvalidOperation};
use crate::{
    metadata::{JsonObject, Metadata},
    stored::Stored,
};

/// The limits of a whole customer. Each is checked when a change is decided, and only of what the change makes more of: a limit
/// that became lower hinders nobody from changing the rest.
///
/// ```
/// use patron_domain::customer::Limits;
///
/// assert_eq!(Limits::TAGS, 50);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limits {}

impl Limits {
    /// The most live links to other systems.
    pub const LINKS: usize = 100;
    /// The most live tax associations.
    pub const TAX_ASSOCIATIONS: usize = 100;
    /// The most tags.
    pub const TAGS: usize = 50;
    /// The most contact persons.
    pub const CONTACT_PERSONS: usize = 50;
    /// The most tax ids.
    pub const TAX_IDS: usize = 20;
    /// The most tax exemptions.
    pub const TAX_EXEMPTIONS: usize = 50;
    /// The most bytes of a customer as it is stored: 1 MiB.
    pub const BYTES: usize = 1_048_576;

    /// Whether a customer may be as a change leaves it.
    ///
    /// # Errors
    /// When it has more of something than before, and more than allowed.
    pub(super) fn check(before: Option<&CustomerAggregate>, now: &CustomerAggregate) -> Result<(), InvalidOperation> {
        let counts = |customer: &CustomerAggregate| {
            [
                ("links", Self::LINKS, customer.mappings.len()),
                ("tax associations", Self::TAX_ASSOCIATIONS, customer.associations.len()),
                ("tags", Self::TAGS, customer.customer.profile.tags.len()),
                ("contact persons", Self::CONTACT_PERSONS, customer.customer.contact_persons.len()),
                ("tax ids", Self::TAX_IDS, customer.customer.tax_ids.len()),
                ("tax exemptions", Self::TAX_EXEMPTIONS, customer.customer.tax_exemptions.len()),
            ]
        };
        let known = before.map(counts);
        for (place, (what, max, count)) in counts(now).into_iter().enumerate() {
            let had = known.and_then(|known| known.get(place).map(|(_, _, count)| *count)).unwrap_or_default();
            if count > max && count > had {
                return Err(InvalidOperation::TooMany { what, max });
            }
        }
        // Few are so large that anybody has to write them out to know.
        if now.may_exceed(Self::BYTES) {
            let bytes = now.to_document().len();
            if bytes > Self::BYTES && before.is_none_or(|before| bytes > before.to_document().len()) {
                return Err(InvalidOperation::TooLarge);
            }
        }
        Ok(())
    }
}

impl CustomerAggregate {
    /// Whether what clients attach could take so many bytes, all else at its limit beside it.
    fn may_exceed(&self, bytes: usize) -> bool {
        /// More than all single texts, persons, tax ids and exemptions at their limits.
        const REST: usize = 700_000;
        /// A character takes six bytes at the most where it is escaped.
        const ESCAPED: usize = 6;
        let pairs =
            |metadata: &Metadata| metadata.iter().map(|(key, value)| key.len() + value.len() + 6).sum::<usize>();
        let associations = self.associations.iter().chain(&self.removed_associations);
        let texts = pairs(&self.customer.profile.metadata)
            + associations.map(|association| pairs(&association.metadata) + 300).sum::<usize>();
        let link = |metadata: &JsonObject| if metadata.is_empty() { 2_000 } else { JsonObject::MAX_BYTES };
        let links: usize = self.mappings.iter().map(|mapping| link(&mapping.metadata)).sum();
        texts * ESCAPED + links + REST > bytes
    }
}
