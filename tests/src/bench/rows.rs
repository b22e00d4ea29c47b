//! Which rows one create of Patron's leaves in the tables. The plain loops write the same rows, so they stay the same work
//! when the tables change.

use std::collections::BTreeSet;

use rusqlite::types::Value;

/// What an id ends in: this many characters of Crockford's base 32.
pub(crate) const ID_LENGTH: usize = 26;

/// A table as it was at some time.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// Its name.
    pub(crate) name: String,
    /// Names and types of the columns that an insert has to fill.
    pub(crate) columns: Vec<(String, String)>,
    /// The rows.
    pub(crate) rows: Vec<Vec<Value>>,
}

/// A row that a create added.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// The table.
    pub(crate) table: String,
    /// Names and types of the columns.
    pub(crate) columns: Vec<(String, String)>,
    /// The values.
    pub(crate) values: Vec<Value>,
}

impl Row {
    /// The text in a column, or nothing.
    pub(crate) fn text(&self, column: &str) -> Option<&str> {
        let place = self.columns.iter().position(|(name, _)| name == column)?;
        text(self.values.get(place)?)
    }
}

/// All that one create added, and what in it differs from create to create.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// The rows, in the order of the tables.
    pub(crate) rows: Vec<Row>,
    /// Tables in which a row was changed, or one added that customers share. A plain loop leaves that work out.
    pub(crate) left_out: Vec<String>,
    ids: Vec<String>,
    digits: String,
}

/// A place in a text that differs from create to create.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    /// The first byte of it.
    pub(crate) start: usize,
    /// What stands there.
    pub(crate) what: Varying,
}

/// What differs from create to create.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Varying {
    /// The end of the id with this number: [`ID_LENGTH`] characters.
    Id(usize),
    /// The 16 digits that the client's own ids hold.
    Digits,
}

impl Varying {
    /// How many bytes it has.
    pub(crate) fn length(self) -> usize {
        match self {
            Self::Id(_) => ID_LENGTH,
            Self::Digits => 16,
        }
    }
}

impl Sample {
    /// Compares the tables before and after a create with these digits.
    pub(crate) fn between(before: &[Table], after: &[Table], digits: &str) -> Self {
        let (mut rows, mut left_out) = (Vec::new(), Vec::new());
        for (old, new) in before.iter().zip(after) {
            let added: Vec<_> = new.rows.iter().filter(|row| !old.rows.contains(row)).collect();
            if old.rows.iter().any(|row| !new.rows.contains(row)) {
                left_out.push(new.name.clone());
                continue;
            }
            rows.extend(added.into_iter().map(|values| Row {
                table: new.name.clone(),
                columns: new.columns.clone(),
                values: values.clone(),
            }));
        }
        let known: BTreeSet<_> = before.iter().flat_map(|table| &table.rows).flatten().flat_map(ids).collect();
        let found: BTreeSet<_> = rows.iter().flat_map(|row| &row.values).flat_map(ids).collect();
        let ids = found.difference(&known).map(|id| (*id).to_owned()).collect();
        let mut sample = Self { ids, digits: digits.to_owned(), rows: Vec::new(), left_out };
        // A row that is the same for another customer is shared, such as a count: it cannot be added twice.
        let (own, shared): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| sample.is_own(row));
        sample.left_out.extend(shared.into_iter().map(|row| row.table));
        sample.rows = own;
        sample
    }

    fn is_own(&self, row: &Row) -> bool {
        row.values.iter().filter_map(text).any(|text| !self.marks(text).is_empty())
    }

    /// How many ids a create makes.
    pub(crate) fn id_count(&self) -> usize {
        self.ids.len()
    }

    /// The places in a text that differ, in order.
    pub(crate) fn marks(&self, text: &str) -> Vec<Mark> {
        let mut marks = Vec::new();
        for (number, id) in self.ids.iter().enumerate() {
            let end = |(start, _)| Mark { start: start + id.len() - ID_LENGTH, what: Varying::Id(number) };
            marks.extend(text.match_indices(id.as_str()).map(end));
        }
        let digits = text.match_indices(&self.digits);
        marks.extend(digits.map(|(start, _)| Mark { start, what: Varying::Digits }));
        marks.sort_unstable();
        marks
    }
}

/// A value that is text.
pub(crate) fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// Every id in a value: a lower-case prefix, an underscore, and 26 characters of Crockford's base 32.
fn ids(value: &Value) -> Vec<&str> {
    let words = text(value).unwrap_or_default().split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let is_id = |word: &&str| {
        word.rsplit_once('_').is_some_and(|(prefix, end)| {
            let prefix_is = prefix.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            let end_is = end.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
            !prefix.is_empty() && prefix_is && end_is && end.len() == ID_LENGTH
        })
    };
    words.filter(is_id).collect()
}

#[cfg(test)]
mod tests {
    use rusqlite::types::Value;

    use super::{Mark, Sample, Table, Varying};

    fn table(name: &str, rows: &[&str]) -> Table {
        let rows = rows.iter().map(|text| vec![Value::Text((*text).to_owned())]).collect();
        Table { name: name.to_owned(), columns: vec![("a".to_owned(), "TEXT".to_owned())], rows }
    }

    #[test]
    fn what_a_create_adds_and_what_differs_in_it() {
        let (old, new) = (format!("env_{}", "0".repeat(26)), format!("cust_{}", "1".repeat(26)));
        let digits = "1234567890123456";
        let text = format!(r#"{{"e":"{old}","id":"{new}","x":"bench-{digits}"}}"#);
        let before = [table("things", &[&old]), table("counts", &["1"])];
        let after = [table("things", &[&old, &text]), table("counts", &["2"])];
        let sample = Sample::between(&before, &after, digits);
        assert_eq!((sample.rows.len(), sample.id_count()), (1, 1));
        assert_eq!(sample.left_out, ["counts"]);
        let id = text.find("cust_").unwrap() + 5;
        let digits = text.find(digits).unwrap();
        let expected = [(id, Varying::Id(0)), (digits, Varying::Digits)].map(|(start, what)| Mark { start, what });
        assert_eq!(sample.marks(&text), expected);
    }
}
