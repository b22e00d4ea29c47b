//! The people whose data is erased together.

use std::collections::HashMap;

use diesel::QueryResult;
use patron_domain::{
    customer::{CustomerAggregate, IndexEntry, IndexKind},
    ids::CustomerId,
    lifecycle::Owner,
    privacy::{Category, DeletionRequest},
    store::StoreError,
};

use super::{Failed, row::SuppressedRow};
use crate::persistence::{
    customer::{
        row::{CustomerIndexRow, text_hash},
        tokens::CustomerTokensRow,
    },
    error::Failure,
    unit::Reads,
    value::Key,
};

/// A person whose data is erased.
pub(super) struct Subject {
    pub(super) customer: CustomerId,
    pub(super) row: Option<SuppressedRow>,
    /// The tokens by which it was found. They follow from the document, as the entries do.
    pub(super) tokens: Option<CustomerTokensRow>,
    /// The entries by which it was found.
    entries: Vec<IndexEntry>,
    /// The second entries of its custom fields, which exist while a field is unique.
    unique: Vec<IndexEntry>,
    /// The external ids that it has and had.
    external_ids: Vec<String>,
}

impl Subject {
    /// A person whose customer is suppressed; one without a row is redacted already.
    fn new(
        environment: i32,
        owner: Owner,
        customer: CustomerId,
        row: Option<SuppressedRow>,
    ) -> Result<Self, StoreError> {
        let known = row.as_ref().map(|row| row.customer(owner)).transpose()?;
        let mut subject = match &known {
            Some(known) => Self::of(environment, known),
            None => Self {
                customer,
                row: None,
                tokens: None,
                entries: Vec::new(),
                unique: Vec::new(),
                external_ids: Vec::new(),
            },
        };
        subject.row = row;
        Ok(subject)
    }

    fn of(environment: i32, known: &CustomerAggregate) -> Self {
        let fields = known.customer.profile.custom_fields.iter();
        let unique = fields.flat_map(|(key, value)| {
            let look_ups = value.look_ups();
            look_ups.iter().map(|look_up| IndexEntry::unique_custom_field(key, look_up)).collect::<Vec<_>>()
        });
        let former = known.former_external_ids.iter().map(|former| former.external_id.as_str());
        Self {
            customer: known.customer.id,
            row: None,
            tokens: CustomerTokensRow::of(environment, known),
            entries: known.index_entries().into_iter().collect(),
            unique: unique.collect(),
            external_ids: former.chain([known.customer.external_id.as_str()]).map(str::to_owned).collect(),
        }
    }

    pub(super) fn key(&self) -> Key {
        self.customer.into()
    }

    /// The number of records of a category that follow from the document: its suppression deletes them.
    pub(super) fn following(&self, category: Category) -> u64 {
        let of_entries = self.entries.iter().filter(|entry| category_of(entry) == category).count() as u64;
        of_entries + u64::from(category == Category::IndexEntries && self.tokens.is_some())
    }

    /// Whether it has, or had, an external id.
    pub(super) fn is_named(&self, external_id: &String) -> bool {
        self.external_ids.contains(external_id)
    }
}

/// The category under which an entry of the index is counted.
fn category_of(entry: &IndexEntry) -> Category {
    match entry.kind {
        IndexKind::ExternalId => Category::FormerExternalIds,
        _ => Category::IndexEntries,
    }
}

/// People of one environment whose data is erased together. Numbers of records are in their order.
pub(super) struct Subjects {
    pub(super) environment: i32,
    pub(super) owner: Owner,
    pub(super) all: Vec<Subject>,
    /// The keys of their customers.
    pub(super) keys: Vec<Key>,
    /// The ids of their customers as texts.
    pub(super) entities: Vec<String>,
    places: HashMap<Key, usize>,
}

impl Subjects {
    fn new(environment: i32, owner: Owner, all: Vec<Subject>) -> Self {
        let keys: Vec<_> = all.iter().map(Subject::key).collect();
        let places = keys.iter().enumerate().map(|(place, key)| (*key, place)).collect();
        let entities = all.iter().map(|subject| subject.customer.to_string()).collect();
        Self { environment, owner, all, keys, entities, places }
    }

    /// The subjects of requests of an environment, in their order.
    pub(super) async fn of(
        unit: &dyn Reads,
        (environment, owner): (i32, Owner),
        requests: &[DeletionRequest],
    ) -> Result<Self, Failed> {
        let keys: Vec<Key> = requests.iter().map(|request| request.customer_id.into()).collect();
        let rows = unit.suppressed(environment, &keys).await?;
        let mut rows: HashMap<Key, SuppressedRow> = rows.into_iter().map(|row| (row.id, row)).collect();
        let subject = |request: &DeletionRequest| {
            let row = rows.remove(&request.customer_id.into());
            Subject::new(environment, owner, request.customer_id, row)
        };
        let all = requests.iter().map(subject).collect::<Result<_, _>>().map_err(Failure::Refused)?;
        Ok(Self::new(environment, owner, all))
    }

    /// A customer that is not suppressed, for counting the records that a redaction would find.
    pub(super) fn visible(environment: i32, customer: &CustomerAggregate) -> Self {
        Self::new(environment, customer.customer.owner, vec![Subject::of(environment, customer)])
    }

    /// The subject of a customer.
    pub(super) fn of_key(&self, key: Key) -> Option<&Subject> {
        self.places.get(&key).map(|place| &self.all[*place])
    }

    /// The customer of a text form of an id.
    pub(super) fn of_entity(&self, entity: &str) -> Option<Key> {
        self.entities.iter().position(|one| one == entity).map(|place| self.keys[place])
    }

    /// The number of records of each subject, from the customers that records are about.
    pub(super) fn tally(&self, records: impl IntoIterator<Item = Key>) -> Vec<u64> {
        let mut numbers = vec![0; self.all.len()];
        for place in records.into_iter().filter_map(|key| self.places.get(&key)) {
            numbers[*place] += 1;
        }
        numbers
    }

    /// The customers by the hashes of their external ids, by which failed rows of imports are found.
    pub(super) fn people(&self) -> HashMap<Vec<u8>, Key> {
        let hashes = self.all.iter().flat_map(|subject| {
            let hash = |external_id: &String| (text_hash(external_id.as_bytes()), subject.key());
            subject.external_ids.iter().map(hash)
        });
        hashes.collect()
    }

    /// The entries of a category that are in the index.
    pub(super) async fn entries_left(
        &self,
        unit: &dyn Reads,
        category: Category,
    ) -> QueryResult<Vec<CustomerIndexRow>> {
        let wanted = self.all.iter().flat_map(|subject| {
            let entries = subject.entries.iter().chain(&subject.unique);
            let entries = entries.filter(|entry| category_of(entry) == category);
            entries.map(|entry| CustomerIndexRow::new(self.environment, subject.key(), entry.clone()))
        });
        unit.entries_among(&wanted.collect::<Vec<_>>()).await
    }
}
