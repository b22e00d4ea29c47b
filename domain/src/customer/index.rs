//! Index entries: search keys of customers, in addition to the columns that every store has.

use std::collections::BTreeSet;

use super::{CustomerAggregate, query::ListField};
use crate::{
    custom_field::CustomFieldKey,
    ids::{Kind, TaxAssociationId, TaxRateId},
    integration::{ProviderEntityId, ProviderType},
    lifecycle::Status,
    tax::TaxAssociation,
};

/// An entry of the customer index. A customer is found by the key among the entries of one kind.
///
/// Entries are a pure function of the aggregate: [`CustomerAggregate::index_entries`]. A store writes the difference
/// that a change makes, and can rebuild its index at any time.
///
/// ```
/// use patron_domain::{customer::{IndexEntry, IndexKind}, testkit::a_customer};
///
/// let acme = a_customer("acme").linked("stripe", "cus_1").existing();
/// assert!(acme.index_entries().iter().any(|entry| entry.kind == IndexKind::Provider));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IndexEntry {
    /// The kind of key.
    pub kind: IndexKind,
    /// The key. Texts are concatenated, each preceded by its length; a store may keep a hash of such keys instead, see
    /// [`IndexKind::is_text`].
    pub key: Vec<u8>,
}

/// The kind of an [`IndexEntry`]. The number is stored and never changes its meaning.
///
/// ```
/// use patron_domain::customer::IndexKind;
///
/// assert_eq!(IndexKind::MetadataPair.code(), 1);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IndexKind {
    /// A pair of metadata: [`IndexEntry::pair`].
    MetadataPair = 1,
    /// An entity of another system: [`IndexEntry::provider`].
    Provider = 2,
    /// An external id that is not a published customer's current one: a former one, or an archived customer's.
    ExternalId = 3,
    /// A tax association by its id.
    Association = 4,
    /// Tax associations in list order: [`ListedAssociation`].
    AssociationList = 5,
    /// Tax associations of one rate in list order: the rate's id, then [`ListedAssociation`].
    RateList = 6,
    /// A tag: [`IndexEntry::listed_text`].
    Tag = 7,
    /// The e-mail address of a contact person.
    ContactEmail = 8,
    /// The value of a tax id.
    TaxIdValue = 9,
    /// The value of a custom field: [`IndexEntry::custom_field`].
    CustomField = 10,
    /// The value of a custom field that no other published customer may have: [`IndexEntry::unique_custom_field`]. Not among
    /// [`CustomerAggregate::index_entries`], because it follows from the definitions too. A store lets each key occur once.
    UniqueCustomField = 11,
}

impl ListField {
    /// Where it is looked up.
    #[must_use]
    pub fn kind(self) -> IndexKind {
        match self {
            Self::ContactEmail => IndexKind::ContactEmail,
            Self::Tags => IndexKind::Tag,
            Self::TaxIdValue => IndexKind::TaxIdValue,
        }
    }
}

impl IndexKind {
    /// Whether keys are texts of any length that are only compared for equality, so that a store may hash them.
    #[must_use]
    pub fn is_text(self) -> bool {
        !matches!(
            self,
            Self::Association | Self::AssociationList | Self::RateList | Self::CustomField | Self::UniqueCustomField
        )
    }

    /// The stored number.
    #[must_use]
    pub fn code(self) -> i16 {
        self as i16
    }
}

/// The index key of a tax association in list order: status, creation time, id, then the fields that lists filter by.
///
/// The bytes sort like the associations: by status, then creation time, then id.
///
/// ```
/// use patron_domain::{
///     customer::ListedAssociation,
///     testkit::{a_tax_default, a_tax_rate},
/// };
///
/// let listed = ListedAssociation::of(&a_tax_default(&a_tax_rate("VAT")));
/// assert_eq!(ListedAssociation::from_bytes(&listed.to_bytes()), Some(listed));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedAssociation {
    /// Published, archived with its customer, or removed.
    pub status: Status,
    /// The creation time, in microseconds since the Unix epoch.
    pub created_at: i64,
    /// The association's id.
    pub id: TaxAssociationId,
    /// The tax rate's id.
    pub tax_rate_id: TaxRateId,
    /// The currency in upper case; zeros for any currency.
    pub currency: [u8; 3],
    /// Whether it applies automatically.
    pub auto_apply: bool,
}

impl ListedAssociation {
    /// The offset of the id.
    pub const ID: usize = 9;
    /// The offset of the rate's id.
    pub const RATE: usize = 25;
    /// The offset of the currency.
    pub const CURRENCY: usize = 41;
    /// The offset of `auto_apply`.
    pub const AUTO_APPLY: usize = 44;
    /// The length of the key.
    pub const LENGTH: usize = 45;

    /// The list key of an association.
    #[must_use]
    pub fn of(association: &TaxAssociation) -> Self {
        let mut currency = [0; 3];
        if let Some(code) = association.currency {
            // An ISO 4217 code has three letters.
            for (place, letter) in currency.iter_mut().zip(code.key().as_str().bytes()) {
                *place = letter;
            }
        }
        Self {
            status: association.status,
            created_at: association.audit.created_at.micros(),
            id: association.id,
            tax_rate_id: association.tax_rate_id,
            currency,
            auto_apply: association.auto_apply,
        }
    }

    /// The byte for a status.
    #[must_use]
    pub fn status_byte(status: Status) -> u8 {
        match status {
            Status::Published => 0,
            Status::Archived => 1,
            Status::Deleted => 2,
        }
    }

    /// The bytes for a creation time in microseconds. They sort like the times.
    #[must_use]
    pub fn time_bytes(micros: i64) -> [u8; 8] {
        // With the sign bit flipped, negative numbers sort before positive ones.
        (micros ^ i64::MIN).to_be_bytes()
    }

    /// The key.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::LENGTH);
        bytes.push(Self::status_byte(self.status));
        bytes.extend(Self::time_bytes(self.created_at));
        bytes.extend(self.id.uuid().as_bytes());
        bytes.extend(self.tax_rate_id.uuid().as_bytes());
        bytes.extend(self.currency);
        bytes.push(u8::from(self.auto_apply));
        bytes
    }

    /// Reads the bytes of [`Self::to_bytes`]; `None` for anything else.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != Self::LENGTH {
            return None;
        }
        let status = match bytes[0] {
            0 => Status::Published,
            1 => Status::Archived,
            2 => Status::Deleted,
            _ => return None,
        };
        Some(Self {
            status,
            created_at: i64::from_be_bytes(bytes[1..Self::ID].try_into().ok()?) ^ i64::MIN,
            id: id(&bytes[Self::ID..Self::RATE])?,
            tax_rate_id: id(&bytes[Self::RATE..Self::CURRENCY])?,
            currency: bytes[Self::CURRENCY..Self::AUTO_APPLY].try_into().ok()?,
            auto_apply: bytes[Self::AUTO_APPLY] == 1,
        })
    }
}

fn id<K: Kind>(bytes: &[u8]) -> Option<crate::ids::Id<K>> {
    uuid::Uuid::from_slice(bytes).ok().map(crate::ids::Id::from_uuid)
}

impl IndexEntry {
    /// The entry of a metadata pair.
    #[must_use]
    pub fn pair(key: &str, value: &str) -> Self {
        Self { kind: IndexKind::MetadataPair, key: joined(&[key, value]) }
    }

    /// The entry of an entity in another system.
    #[must_use]
    pub fn provider(provider_type: &ProviderType, provider_entity_id: &ProviderEntityId) -> Self {
        Self { kind: IndexKind::Provider, key: joined(&[provider_type.as_str(), provider_entity_id.as_str()]) }
    }

    /// The entry of an external id that is not a published customer's current one.
    #[must_use]
    pub fn external_id(external_id: &str) -> Self {
        Self { kind: IndexKind::ExternalId, key: joined(&[external_id]) }
    }

    /// A text of a list, in the form in which it is compared: [`ListField::key`].
    #[must_use]
    pub fn listed_text(field: ListField, key: &str) -> Self {
        Self { kind: field.kind(), key: joined(&[key]) }
    }

    /// A value of a custom field: its key, a zero, then the value as
    /// [`CustomValue::look_ups`](crate::custom_field::CustomValue::look_ups) returns it. A store may keep a hash of what follows the zero.
    #[must_use]
    pub fn custom_field(key: CustomFieldKey, look_up: &str) -> Self {
        let key = [Self::custom_field_prefix(key).as_slice(), look_up.as_bytes()].concat();
        Self { kind: IndexKind::CustomField, key }
    }

    /// The same of a value that no other published customer may have.
    #[must_use]
    pub fn unique_custom_field(key: CustomFieldKey, look_up: &str) -> Self {
        Self { kind: IndexKind::UniqueCustomField, ..Self::custom_field(key, look_up) }
    }

    /// The beginning of the keys of all values of a custom field.
    #[must_use]
    pub fn custom_field_prefix(key: CustomFieldKey) -> Vec<u8> {
        [key.as_str().as_bytes(), &[0]].concat()
    }

    /// A tax association by its id.
    #[must_use]
    pub fn association(id: TaxAssociationId) -> Self {
        Self { kind: IndexKind::Association, key: id.uuid().as_bytes().to_vec() }
    }

    /// The entry of a tax association in the environment's list.
    #[must_use]
    pub fn listed(association: &TaxAssociation) -> Self {
        Self { kind: IndexKind::AssociationList, key: ListedAssociation::of(association).to_bytes() }
    }

    /// The entry of a tax association in the list of its rate.
    #[must_use]
    pub fn of_rate(association: &TaxAssociation) -> Self {
        let mut key = association.tax_rate_id.uuid().as_bytes().to_vec();
        key.extend(ListedAssociation::of(association).to_bytes());
        Self { kind: IndexKind::RateList, key }
    }
}

impl CustomerAggregate {
    /// All index entries of the customer. Only fields with a value have entries.
    #[must_use]
    pub fn index_entries(&self) -> BTreeSet<IndexEntry> {
        let customer = &self.customer;
        let mut entries = BTreeSet::new();
        entries.extend(customer.profile.metadata.iter().map(|(key, value)| IndexEntry::pair(key, value)));
        for field in ListField::ALL {
            entries.extend(field.keys(customer).iter().map(|key| IndexEntry::listed_text(*field, key)));
        }
        for (key, value) in customer.profile.custom_fields.iter() {
            entries.extend(value.look_ups().iter().map(|look_up| IndexEntry::custom_field(key, look_up)));
        }
        entries.extend(
            self.links().map(|mapping| IndexEntry::provider(&mapping.provider_type, &mapping.provider_entity_id)),
        );
        entries
            .extend(self.former_external_ids.iter().map(|former| IndexEntry::external_id(former.external_id.as_str())));
        if customer.status != Status::Published {
            entries.insert(IndexEntry::external_id(customer.external_id.as_str()));
        }
        for association in self.associations.iter().chain(&self.removed_associations) {
            entries.insert(IndexEntry::association(association.id));
            entries.insert(IndexEntry::listed(association));
            entries.insert(IndexEntry::of_rate(association));
        }
        entries
    }
}

/// Concatenates texts. The length before each keeps them apart.
fn joined(texts: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(texts.iter().map(|text| text.len() + 8).sum());
    for text in texts {
        // A length fits into 64 bits on every supported platform.
        bytes.extend((text.len() as u64).to_be_bytes());
        bytes.extend(text.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{IndexEntry, ListedAssociation};
    use crate::{
        ids::{TaxAssociationId, TaxRateId},
        lifecycle::Status,
    };

    fn listed(created_at: i64, id: u128) -> ListedAssociation {
        ListedAssociation {
            status: Status::Archived,
            created_at,
            id: TaxAssociationId::from_uuid(uuid::Uuid::from_u128(id)),
            tax_rate_id: TaxRateId::from_uuid(uuid::Uuid::from_u128(7)),
            currency: *b"EUR",
            auto_apply: true,
        }
    }

    #[test]
    fn texts_split_at_different_places_have_different_keys() {
        assert_ne!(IndexEntry::pair("plan", "gold"), IndexEntry::pair("plang", "old"));
    }

    proptest! {
        #[test]
        fn keys_order_as_associations_do_and_are_taken_back(one: (i64, u128), other: (i64, u128)) {
            let (first, second) = (listed(one.0, one.1), listed(other.0, other.1));
            prop_assert_eq!(one.cmp(&other), first.to_bytes().cmp(&second.to_bytes()));
            prop_assert_eq!(ListedAssociation::from_bytes(&first.to_bytes()), Some(first));
        }

        #[test]
        fn no_bytes_break_the_reader(bytes: Vec<u8>) {
            let _ = ListedAssociation::from_bytes(&bytes);
        }
    }
}
