//! Rows of the tables `customers` and `customer_index`.

use patron_domain::{
    custom_field::{CustomFieldDefinition, UniqueValue},
    customer::{CustomerAggregate, IndexEntry, IndexKind, query::Folded},
    ids::CustomerKind,
    lifecycle::Owner,
    store::StoreError,
    time::Timestamp,
};
use sha2::{Digest, Sha256};

use crate::persistence::{
    event::row::version_number,
    rows::rows,
    value::{Document, Key},
    word::Word,
    writes::Writes,
};

rows! {
    /// One row of `customers`.
    CustomerRow: customers {
        environment: i32, id: Key;
        external_id: String,
        status: i16,
        version: i64,
        created_at: i64,
        updated_at: i64,
        external_id_folded: Option<String>,
        name_folded: String,
        email_folded: String,
        retained_from: Option<i64>,
        former_until: Option<i64>,
        document: Document,
    }
}

rows! {
    /// One row of `customer_index`.
    CustomerIndexRow: customer_index {
        environment: i32, kind: i16, key: Vec<u8>, customer: Key;
    }
}

impl CustomerRow {
    pub(crate) fn new(environment: i32, aggregate: &CustomerAggregate, document: Document) -> Self {
        let customer = &aggregate.customer;
        let folded = |text: Option<&str>| text.map(|text| Folded::new(text).into_string()).unwrap_or_default();
        let external_id = customer.external_id.as_str();
        let external_id_folded = Some(folded(Some(external_id))).filter(|folded| folded != external_id);
        Self {
            environment,
            id: customer.id.into(),
            external_id: external_id.to_owned(),
            status: customer.status.code(),
            version: version_number(customer.version),
            created_at: customer.audit.created_at.micros(),
            updated_at: customer.audit.updated_at.micros(),
            external_id_folded,
            name_folded: folded(customer.profile.name.as_ref().map(|name| name.as_str())),
            email_folded: folded(customer.profile.email.as_ref().map(|email| email.as_str())),
            retained_from: aggregate.retained_from().map(Timestamp::micros),
            former_until: aggregate.oldest_former_id().map(Timestamp::micros),
            document,
        }
    }

    /// The customer with its mappings and associations.
    pub(crate) fn aggregate(&self, owner: Owner) -> Result<CustomerAggregate, StoreError> {
        self.document.read(owner, self.id.id::<CustomerKind>())
    }
}

impl CustomerIndexRow {
    pub(crate) fn new(environment: i32, customer: Key, entry: IndexEntry) -> Self {
        Self { environment, kind: entry.kind.code(), key: index_key(&entry), customer }
    }
}

impl Writes {
    /// Adds the change of the entries by which a customer is found, unique values of custom fields included.
    pub(crate) fn index(
        &mut self,
        environment: i32,
        definitions: &[CustomFieldDefinition],
        before: Option<&CustomerAggregate>,
        now: Option<&CustomerAggregate>,
    ) {
        let Some(customer) = now.or(before).map(|aggregate| Key::from(aggregate.customer.id)) else { return };
        let entries = |aggregate: &CustomerAggregate| {
            let mut entries = aggregate.index_entries();
            entries.extend(UniqueValue::all_of(aggregate, definitions).iter().map(UniqueValue::entry));
            entries
        };
        let (before, now) = (before.map(entries).unwrap_or_default(), now.map(entries).unwrap_or_default());
        let row = |entry: &IndexEntry| CustomerIndexRow::new(environment, customer, entry.clone());
        self.index_gone.extend(before.difference(&now).map(row));
        self.index_new.extend(now.difference(&before).map(row));
    }
}

/// The first 128 bits of the SHA-256 of a text.
pub(crate) fn text_hash(text: &[u8]) -> Vec<u8> {
    Sha256::digest(text).iter().take(16).copied().collect()
}

/// The column `key`. Texts are stored as hashes, so the key is short for any length.
pub(crate) fn index_key(entry: &IndexEntry) -> Vec<u8> {
    match entry.kind {
        // All values of a field have a common beginning, by which they are found.
        IndexKind::CustomField | IndexKind::UniqueCustomField => {
            let prefix = entry.key.iter().position(|byte| *byte == 0).map_or(0, |zero| zero + 1);
            let (prefix, value) = entry.key.split_at(prefix);
            [prefix, &text_hash(value)].concat()
        }
        kind if kind.is_text() => text_hash(&entry.key),
        _ => entry.key.clone(),
    }
}
