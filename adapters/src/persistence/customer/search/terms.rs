//! The conditions of a query, as SQL.

use diesel::{QueryResult, query_builder::AstPass};
use patron_domain::{
    customer::{
        IndexEntry, IndexKind,
        query::{Condition, Folded, TextField, Texts, TimeField},
    },
    ids::CustomerId,
};

use super::{
    Search,
    custom::{CustomTerm, operator},
    dialect::Dialect,
    text::TextColumn,
};
use crate::persistence::{customer::row::index_key, value::Key};

/// One condition with its values in the form that the database takes.
#[derive(Clone)]
pub(super) enum Term {
    OneOf(TextColumn, TextSet),
    NoneOf(TextColumn, TextSet),
    /// The folded text is this.
    Same(TextColumn, String),
    /// The folded text holds the pattern of `LIKE`, or does not.
    Like {
        column: TextColumn,
        holds: bool,
        pattern: String,
    },
    /// Entries of the index of one kind lead to the customer: one of them, or all.
    Has {
        kind: i16,
        keys: Vec<Vec<u8>>,
        all: bool,
    },
    Time {
        column: &'static str,
        operator: &'static str,
        at: i64,
    },
    Custom(CustomTerm),
    /// The customer's id is one of these, or none.
    Id {
        ids: Vec<Key>,
        holds: bool,
    },
}

/// Texts to compare a column with.
#[derive(Clone)]
pub(super) struct TextSet {
    /// The texts that are not empty.
    pub(super) texts: Vec<String>,
    /// The same, folded.
    pub(super) folded: Vec<String>,
    /// Whether the empty text is one of them.
    pub(super) empty: bool,
}

impl TextSet {
    fn new(column: TextColumn, texts: &Texts) -> Self {
        let empty = texts.contain("");
        let texts: Vec<_> = texts.as_slice().iter().filter(|text| !text.is_empty()).cloned().collect();
        let mut folded = Vec::new();
        if column.is_indexed() {
            folded.extend(texts.iter().map(|text| Folded::new(text).into_string()));
            folded.extend(empty.then(String::new));
            folded.sort_unstable();
            folded.dedup();
        }
        Self { texts, folded, empty }
    }
}

impl Term {
    pub(super) fn new(condition: &Condition) -> Self {
        match condition {
            Condition::OneOf(TextField::Id, texts) => Self::Id { ids: ids(texts), holds: true },
            Condition::NoneOf(TextField::Id, texts) => Self::Id { ids: ids(texts), holds: false },
            Condition::OneOf(field, texts) => {
                let column = TextColumn::of(*field);
                Self::OneOf(column, TextSet::new(column, texts))
            }
            Condition::NoneOf(field, texts) => {
                // An index does not help to find absent values.
                let column = TextColumn::of(*field).unindexed();
                Self::NoneOf(column, TextSet::new(column, texts))
            }
            Condition::Same(field, text) => Self::Same(TextColumn::of(*field), text.as_str().to_owned()),
            Condition::Has { field, texts, all } => {
                let entries = texts.as_slice().iter().map(|text| IndexEntry::listed_text(*field, text));
                let keys = entries.map(|entry| index_key(&entry)).collect();
                Self::Has { kind: field.kind().code(), keys, all: *all }
            }
            Condition::Contains(field, text) => Self::like(*field, true, "%", text),
            Condition::StartsWith(field, text) => Self::like(*field, true, "", text),
            Condition::Lacks(field, text) => Self::like(*field, false, "%", text),
            Condition::Time(field, comparison, at) => Self::Time {
                column: match field {
                    TimeField::CreatedAt => "created_at",
                    TimeField::UpdatedAt => "updated_at",
                },
                operator: operator(*comparison),
                at: at.micros(),
            },
            Condition::CustomHas { key, look_ups, all } => {
                let entries = look_ups.as_slice().iter().map(|look_up| IndexEntry::custom_field(*key, look_up));
                let keys = entries.map(|entry| index_key(&entry)).collect();
                Self::Has { kind: IndexKind::CustomField.code(), keys, all: *all }
            }
            Condition::Custom(key, comparison) => Self::Custom(CustomTerm::new(*key, comparison)),
            Condition::Pair { key, value } => {
                let entry = IndexEntry::pair(key, value);
                Self::Has { kind: entry.kind.code(), keys: vec![index_key(&entry)], all: true }
            }
        }
    }

    fn like(field: TextField, holds: bool, before: &str, text: &Folded) -> Self {
        Self::Like { column: TextColumn::of(field), holds, pattern: pattern(before, text) }
    }

    pub(super) fn write<'b, DB: Dialect>(
        &'b self,
        search: &'b Search,
        out: &mut AstPass<'_, 'b, DB>,
    ) -> QueryResult<()> {
        match self {
            Self::OneOf(column, sought) => column.is_one_of(sought, out),
            Self::NoneOf(column, sought) => column.is_none_of(sought, out),
            Self::Same(column, text) => {
                column.write_folded("customers", out);
                out.push_sql(" = ");
                DB::text(text, out)
            }
            Self::Has { kind, keys, all: false } => DB::is_indexed(search, *kind, keys, out),
            Self::Has { kind, keys, all: true } => {
                for (index, key) in keys.iter().enumerate() {
                    out.push_sql(if index == 0 { "" } else { " AND " });
                    DB::is_indexed(search, *kind, std::slice::from_ref(key), out)?;
                }
                Ok(())
            }
            Self::Like { column, holds, pattern } => {
                column.write_folded("customers", out);
                out.push_sql(if *holds { " LIKE " } else { " NOT LIKE " });
                DB::text(pattern, out)?;
                out.push_sql(" ESCAPE '!'");
                Ok(())
            }
            Self::Time { column, operator, at } => {
                for part in ["customers.", column, operator] {
                    out.push_sql(part);
                }
                DB::number(at, out)
            }
            Self::Custom(term) => term.write(out),
            Self::Id { ids, holds } => {
                if ids.is_empty() {
                    out.push_sql(if *holds { "1 = 0" } else { "1 = 1" });
                    return Ok(());
                }
                out.push_sql(if *holds { "" } else { "NOT " });
                DB::is_one_of_ids(ids, out)
            }
        }
    }
}

/// The pattern of `LIKE` for texts that contain this.
pub(super) fn pattern(before: &str, text: &Folded) -> String {
    let mut pattern = String::from(before);
    for character in text.as_str().chars() {
        if matches!(character, '%' | '_' | ESCAPE) {
            pattern.push(ESCAPE);
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

/// The ids among texts. Other texts match no customer.
fn ids(texts: &Texts) -> Vec<Key> {
    texts.as_slice().iter().filter_map(|text| CustomerId::parse(text).ok()).map(Key::from).collect()
}

/// Escapes `%`, `_` and itself in patterns.
const ESCAPE: char = '!';
