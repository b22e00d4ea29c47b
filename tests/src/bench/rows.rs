//! The rows that one create adds, and the parts of them that differ from create to create. The plain loops and the fills
//! write the same rows with other ids, so they keep doing the same work when the tables change.

use std::collections::BTreeSet;

use patron_domain::{
    customer::CustomerAggregate,
    ids::{CustomerId, CustomerKind, EnvironmentId, Kind, TenantId},
    lifecycle::Owner,
    stored::Stored,
};
use patron_tests::{audit::index_key, rows::text};
use rusqlite::types::{Value, ValueRef};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::tables::Table;

/// The length of an id's text without its prefix, in characters of Crockford's base 32.
pub(crate) const ID_LENGTH: usize = 26;
/// The 16 digits in the client's own ids.
const DIGITS: usize = 16;

/// A row that a create adds.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// The table.
    pub(crate) table: String,
    /// Names and types of the columns.
    pub(crate) columns: Vec<(String, String)>,
    /// The values.
    pub(crate) cells: Vec<Cell>,
}

/// A value of a row.
#[derive(Debug, Clone)]
pub(crate) enum Cell {
    /// The same in every create.
    Fixed(Value),
    /// The time of the create, in microseconds.
    Time(i64),
    /// A number that counts up from the sample's.
    Counted(i64),
    /// A text with varying places.
    Text(Pattern),
    /// Bytes with varying places.
    Bytes(Pattern),
    /// Half of the SHA-256 of bytes with varying places.
    Hash(Pattern, [u8; 16]),
}

/// Bytes, and the places in them that differ from create to create, in order.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    /// The bytes in the sample.
    pub(crate) bytes: Vec<u8>,
    /// The varying places.
    pub(crate) marks: Vec<Mark>,
}

/// A place that differs from create to create.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    /// The position of its first byte.
    pub(crate) start: usize,
    /// The kind of value at this place.
    pub(crate) what: Varying,
}

/// A kind of value that differs from create to create.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Varying {
    /// The end of the text of the id with this number.
    IdText(usize),
    /// The bytes of the id with this number.
    IdBytes(usize),
    /// The digits in the client's own ids.
    Digits,
    /// The time, as 16 digits.
    TimeText,
    /// The time, in big-endian bytes.
    TimeBytes,
}

impl Varying {
    /// Its length in bytes.
    pub(crate) fn length(self) -> usize {
        match self {
            Self::IdText(_) => ID_LENGTH,
            Self::IdBytes(_) => 16,
            Self::Digits | Self::TimeText => DIGITS,
            Self::TimeBytes => 8,
        }
    }
}

/// The varying values of one create.
#[derive(Debug, Clone)]
pub(crate) struct NewOne {
    /// Its ids.
    pub(crate) ids: Vec<u128>,
    /// The digits in the client's own ids.
    pub(crate) digits: [u8; DIGITS],
    /// Its time, in microseconds.
    pub(crate) at: i64,
    /// The number of creates since the sample, including this one.
    pub(crate) number: i64,
}

/// The rows added by one create, and the parts that differ from create to create.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// The rows, in the order of the tables.
    pub(crate) rows: Vec<Row>,
    /// Tables where a row was changed or a shared row was added. A plain loop omits that work.
    pub(crate) left_out: Vec<String>,
    /// The environment's number.
    pub(crate) environment: i64,
    /// Its ids, in their order.
    pub(crate) ids: Vec<u128>,
    /// Its time.
    pub(crate) at: i64,
    /// Whether it looked up a tax rate.
    pub(crate) has_tax: bool,
    digits: String,
}

impl Sample {
    /// Compares the tables before and after a create whose client ids hold these digits.
    pub(crate) fn between(before: &[Table], after: &[Table], digits: &str) -> Self {
        let (mut added, mut left_out) = (Vec::new(), Vec::new());
        for (old, new) in before.iter().zip(after) {
            if old.rows.iter().any(|row| !new.rows.contains(row)) {
                left_out.push(new.name.clone());
                continue;
            }
            added.extend(new.rows.iter().filter(|row| !old.rows.contains(row)).map(|row| (new, row)));
        }
        let customer = added.iter().find(|(table, _)| table.name == "customers").expect("a create adds a customer");
        let customer =
            |column: &str| customer.0.column(column).and_then(|place| customer.1.get(place)).expect("a column");
        let environment = patron_tests::rows::number(customer("environment"));
        // The owner is stored in another table, not in the document.
        let owner = Owner {
            tenant_id: TenantId::from_uuid(Uuid::nil()),
            environment_id: EnvironmentId::from_uuid(Uuid::nil()),
        };
        let document = CustomerAggregate::from_document(owner, text(customer("document"))).expect("a document");
        let mut sample = Self {
            rows: Vec::new(),
            left_out,
            environment,
            ids: Vec::new(),
            at: document.customer.audit.created_at.micros(),
            has_tax: !document.associations.is_empty(),
            digits: digits.to_owned(),
        };
        sample.ids = sample.find_ids(document.customer.id, added.iter().flat_map(|(_, row)| row.iter()));
        let rows = added.iter().map(|(table, row)| sample.row(table, row, &document)).collect::<Vec<_>>();
        // A row that would be the same for another customer is shared. It cannot be added twice.
        let (own, shared): (Vec<_>, Vec<_>) = rows.into_iter().partition(Row::is_own);
        sample.left_out.extend(shared.into_iter().map(|row| row.table));
        sample.rows = own;
        sample
    }

    /// The ids of a create: they have the same beginning as the customer's, because all are derived from one.
    fn find_ids<'v>(&self, customer: CustomerId, values: impl Iterator<Item = &'v Value>) -> Vec<u128> {
        let beginning = &customer.uuid().into_bytes()[..8];
        let mut found = BTreeSet::new();
        for value in values {
            match value {
                Value::Blob(bytes) => found.extend(bytes.windows(16).filter_map(|id| <[u8; 16]>::try_from(id).ok())),
                Value::Text(text) => found.extend(ids_in(text).map(|(_, id)| id.into_bytes())),
                _ => {}
            }
        }
        found.into_iter().filter(|id| id.starts_with(beginning)).map(u128::from_be_bytes).collect()
    }

    /// The id with this number as hexadecimal digits, with its last digits replaced by the given ones.
    pub(crate) fn id_with(&self, number: usize, end: &str) -> u128 {
        let digits = u128::from_str_radix(end, 16).expect("digits");
        let length = 4 * end.len();
        (self.ids[number] >> length << length) | digits
    }

    fn row(&self, table: &Table, row: &[Value], document: &CustomerAggregate) -> Row {
        let mut cells: Vec<Cell> =
            table.columns.iter().zip(row).map(|((name, _), value)| self.cell(name, value)).collect();
        if table.name == "customer_index" {
            let key = table.column("key").expect("the column `key`");
            let entries = document.index_entries();
            let text = entries.iter().filter(|entry| entry.kind.is_text());
            let mut hashed = text.filter(|entry| row.get(key) == Some(&Value::Blob(index_key(entry))));
            if let Some(pattern) = hashed.next().map(|entry| self.pattern(&entry.key)).filter(Pattern::varies) {
                cells[key] = Cell::Hash(pattern, [0; 16]);
            }
        }
        Row { table: table.name.clone(), columns: table.columns.clone(), cells }
    }

    fn cell(&self, column: &str, value: &Value) -> Cell {
        let varies = match value {
            Value::Integer(number) if column == "position" || column == "logged_at" => Some(Cell::Counted(*number)),
            Value::Integer(number) if *number == self.at => Some(Cell::Time(*number)),
            Value::Text(text) => Some(self.pattern(text.as_bytes())).filter(Pattern::varies).map(Cell::Text),
            Value::Blob(bytes) => Some(self.pattern(bytes)).filter(Pattern::varies).map(Cell::Bytes),
            _ => None,
        };
        varies.unwrap_or_else(|| Cell::Fixed(value.clone()))
    }

    fn pattern(&self, bytes: &[u8]) -> Pattern {
        let mut marks = Vec::new();
        let mut mark = |what: Varying, value: &[u8]| {
            let places = bytes.windows(value.len()).enumerate().filter(|(_, window)| *window == value);
            marks.extend(places.map(|(start, _)| Mark { start, what }));
        };
        for (number, id) in self.ids.iter().enumerate() {
            mark(Varying::IdText(number), &id_text(*id));
            mark(Varying::IdBytes(number), &id.to_be_bytes());
        }
        mark(Varying::Digits, self.digits.as_bytes());
        mark(Varying::TimeText, self.at.to_string().as_bytes());
        mark(Varying::TimeBytes, &time_bytes(self.at));
        marks.sort_unstable();
        Pattern { bytes: bytes.to_vec(), marks }
    }
}

impl Row {
    fn is_own(&self) -> bool {
        self.cells.iter().any(|cell| matches!(cell, Cell::Text(_) | Cell::Bytes(_) | Cell::Hash(..)))
    }
}

impl Cell {
    /// The value for a create.
    pub(crate) fn of(&mut self, new: &NewOne) -> ValueRef<'_> {
        match self {
            Self::Fixed(value) => (&*value).into(),
            Self::Time(_) => ValueRef::Integer(new.at),
            Self::Counted(first) => ValueRef::Integer(*first + new.number),
            Self::Text(pattern) => ValueRef::Text(pattern.of(new)),
            Self::Bytes(pattern) => ValueRef::Blob(pattern.of(new)),
            Self::Hash(pattern, hash) => {
                hash.copy_from_slice(&Sha256::digest(pattern.of(new))[..16]);
                ValueRef::Blob(hash)
            }
        }
    }
}

impl Pattern {
    fn varies(&self) -> bool {
        !self.marks.is_empty()
    }

    fn of(&mut self, new: &NewOne) -> &[u8] {
        for Mark { start, what } in &self.marks {
            let place = &mut self.bytes[*start..*start + what.length()];
            match what {
                Varying::IdText(number) => place.copy_from_slice(&id_text(new.ids[*number])),
                Varying::IdBytes(number) => place.copy_from_slice(&new.ids[*number].to_be_bytes()),
                Varying::Digits => place.copy_from_slice(&new.digits),
                Varying::TimeText => place.copy_from_slice(new.at.to_string().as_bytes()),
                Varying::TimeBytes => place.copy_from_slice(&time_bytes(new.at)),
            }
        }
        &self.bytes
    }
}

/// The text of an id without its prefix.
fn id_text(id: u128) -> [u8; ID_LENGTH] {
    let text = CustomerId::from_uuid(Uuid::from_u128(id)).to_string();
    text.as_bytes()[CustomerKind::PREFIX.len()..].try_into().expect("26 characters")
}

/// A time as `customer_index` stores it.
fn time_bytes(at: i64) -> [u8; 8] {
    (at ^ i64::MIN).to_be_bytes()
}

/// Every id in a text, with its place: a prefix, an underscore, and 26 characters of Crockford's base 32.
fn ids_in(text: &str) -> impl Iterator<Item = (usize, Uuid)> + '_ {
    text.match_indices('_').filter_map(|(place, _)| {
        let end = text.get(place + 1..place + 1 + ID_LENGTH)?;
        let id = CustomerId::parse(&format!("{}{end}", CustomerKind::PREFIX)).ok()?;
        Some((place + 1, id.uuid()))
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use patron_domain::{
        customer::CustomerAggregate,
        ids::CustomerId,
        stored::Stored,
        testkit::{a_customer, an_owner},
    };
    use patron_tests::audit::index_key;
    use rusqlite::types::Value;
    use uuid::Uuid;

    use super::{NewOne, Sample};
    use crate::tables::Table;

    pub(crate) const DIGITS: &str = "1234567890123456";

    /// The relevant tables of a customer.
    fn tables(aggregate: Option<&CustomerAggregate>, count: i64) -> Vec<Table> {
        let table = |name: &str, columns: &[(&str, &str)], rows| Table {
            name: name.to_owned(),
            columns: columns.iter().map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned())).collect(),
            rows,
        };
        let id = |one: &CustomerAggregate| Value::Blob(one.customer.id.uuid().into_bytes().to_vec());
        let customer = |one: &CustomerAggregate| {
            let at = Value::Integer(one.customer.audit.created_at.micros());
            vec![Value::Integer(1), id(one), at, Value::Text(one.to_document())]
        };
        let index = |one: &CustomerAggregate| {
            let entries = one.index_entries();
            entries
                .iter()
                .map(|entry| vec![Value::Integer(entry.kind.code().into()), Value::Blob(index_key(entry)), id(one)])
                .collect::<Vec<_>>()
        };
        vec![
            table("logs", &[("published", "bigint")], vec![vec![Value::Integer(count)]]),
            table(
                "customers",
                &[("environment", "integer"), ("id", "uuid"), ("created_at", "bigint"), ("document", "json")],
                aggregate.map(customer).into_iter().collect(),
            ),
            table(
                "customer_index",
                &[("kind", "smallint"), ("key", "bytea"), ("customer", "uuid")],
                aggregate.map(index).unwrap_or_default(),
            ),
        ]
    }

    /// A customer whose client ids hold these digits.
    fn customer(digits: &str) -> CustomerAggregate {
        a_customer(&format!("bench-{digits}")).linked("stripe", &format!("cus_{digits}")).existing()
    }

    pub(crate) fn sample() -> Sample {
        Sample::between(&tables(None, 0), &tables(Some(&customer(DIGITS)), 1), DIGITS)
    }

    #[test]
    fn rows_for_another_create_match_those_of_patron() {
        let mut sample = sample();
        assert_eq!(sample.left_out, ["logs"]);
        assert!(sample.ids.len() >= 2, "a customer and a mapping");
        let digits = *b"9876543210987654";
        let ids: Vec<u128> = (0..sample.ids.len() as u128).map(|number| (0x0190 << 112) | number).collect();
        let new = NewOne { ids, digits, at: sample.at + 1_000, number: 1 };
        let mut documents = Vec::new();
        let mut keys = Vec::new();
        for row in &mut sample.rows {
            let values: Vec<Value> = row.cells.iter_mut().map(|cell| Value::try_from(cell.of(&new)).unwrap()).collect();
            match row.table.as_str() {
                "customers" => documents.push(values),
                _ => keys.push(values),
            }
        }
        let Value::Text(document) = &documents[0][3] else { panic!("{documents:?}") };
        let other = CustomerAggregate::from_document(an_owner(), document).unwrap();
        assert_eq!(other.customer.external_id.as_str(), "bench-9876543210987654");
        assert_eq!(other.customer.id, CustomerId::from_uuid(Uuid::from_u128(new.ids[0])));
        assert_eq!(documents[0][2], Value::Integer(new.at));
        assert_eq!(other.customer.audit.created_at.micros(), new.at);
        assert_eq!(keys, tables(Some(&other), 1)[2].rows);
    }
}
