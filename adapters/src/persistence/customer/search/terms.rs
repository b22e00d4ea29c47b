//! The conditions of a query, as SQL.

use diesel::{QueryResult, query_builder::AstPass};
use patron_domain::customer::query::{Comparison, Condition, Folded, FoldedField, TextField, Texts, TimeField};

use super::{Search, dialect::Dialect};
use crate::persistence::customer::metadata_row::pair_hash;

/// One condition with its values as they go to the database.
#[derive(Clone)]
pub(super) enum Term {
    OneOf(Column, Sought),
    NoneOf(Column, Sought),
    /// The column holds the pattern of `LIKE`, or does not.
    Like {
        column: &'static str,
        holds: bool,
        pattern: String,
    },
    Time {
        column: &'static str,
        operator: &'static str,
        at: i64,
    },
    Pair {
        hash: i64,
        key: String,
        value: String,
    },
}

/// A column with a text.
#[derive(Clone, Copy)]
pub(super) struct Column {
    name: &'static str,
    /// Whether it is NULL where there is no text.
    nullable: bool,
    /// The column with the same text folded, if it leads an index.
    indexed: Option<&'static str>,
}

/// Texts to compare a column with.
#[derive(Clone)]
pub(super) struct Sought {
    /// The texts that are not empty.
    texts: Vec<String>,
    /// The same, folded.
    folded: Vec<String>,
    /// Whether the empty text is one of them.
    empty: bool,
}

impl Sought {
    fn new(column: Column, texts: &Texts) -> Self {
        let empty = texts.contain("");
        let texts: Vec<_> = texts.as_slice().iter().filter(|text| !text.is_empty()).cloned().collect();
        let mut folded = Vec::new();
        if column.indexed.is_some() {
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
            Condition::OneOf(field, texts) => {
                let column = Column::of(*field);
                Self::OneOf(column, Sought::new(column, texts))
            }
            Condition::NoneOf(field, texts) => {
                // An index is of no use for what is not there.
                let column = Column { indexed: None, ..Column::of(*field) };
                Self::NoneOf(column, Sought::new(column, texts))
            }
            Condition::Contains(field, text) => Self::like(*field, true, text),
            Condition::Lacks(field, text) => Self::like(*field, false, text),
            Condition::Time(field, comparison, at) => Self::Time {
                column: match field {
                    TimeField::CreatedAt => "created_at",
                    TimeField::UpdatedAt => "updated_at",
                },
                operator: match comparison {
                    Comparison::Before => "<",
                    Comparison::UpTo => "<=",
                    Comparison::At => "=",
                    Comparison::From => ">=",
                    Comparison::After => ">",
                },
                at: at.micros(),
            },
            Condition::Pair { key, value } => {
                Self::Pair { hash: pair_hash(key, value), key: key.clone(), value: value.clone() }
            }
        }
    }

    fn like(field: FoldedField, holds: bool, text: &Folded) -> Self {
        let column = match field {
            FoldedField::ExternalId => "external_id_folded",
            FoldedField::Name => "name_folded",
            FoldedField::Email => "email_folded",
        };
        let mut pattern = String::from("%");
        for character in text.as_str().chars() {
            if matches!(character, '%' | '_' | ESCAPE) {
                pattern.push(ESCAPE);
            }
            pattern.push(character);
        }
        pattern.push('%');
        Self::Like { column, holds, pattern }
    }

    pub(super) fn write<'b, DB: Dialect>(
        &'b self,
        search: &'b Search,
        out: &mut AstPass<'_, 'b, DB>,
    ) -> QueryResult<()> {
        match self {
            Self::OneOf(column, sought) => column.is_one_of(sought, out),
            Self::NoneOf(column, sought) => column.is_none_of(sought, out),
            Self::Like { column, holds, pattern } => {
                out.push_sql("customers.");
                out.push_sql(column);
                out.push_sql(if *holds { " LIKE " } else { " NOT LIKE " });
                DB::text(pattern, out)?;
                out.push_sql(" ESCAPE '!'");
                Ok(())
            }
            Self::Time { column, operator, at } => {
                for part in ["customers.", column, " ", operator, " "] {
                    out.push_sql(part);
                }
                DB::number(at, out)
            }
            Self::Pair { hash, key, value } => {
                DB::customers_with_pair(search, hash, out)?;
                out.push_sql(" AND ");
                DB::pair_is_there(key, value, out)
            }
        }
    }
}

/// Stands before `%`, `_` and itself in a pattern where they mean themselves.
const ESCAPE: char = '!';

impl Column {
    fn of(field: TextField) -> Self {
        let required = |name| Self { name, nullable: false, indexed: None };
        let optional = |name| Self { name, nullable: true, indexed: None };
        match field {
            TextField::Id => required("customers.id"),
            TextField::ExternalId => required("customers.external_id"),
            TextField::Name => Self { indexed: Some("customers.name_folded"), ..optional("customers.name") },
            TextField::Email => Self { indexed: Some("customers.email_folded"), ..optional("customers.email") },
            TextField::Contact => optional("customers.contact"),
            TextField::AddressLine1 => optional("customers.address_line1"),
            TextField::AddressLine2 => optional("customers.address_line2"),
            TextField::AddressCity => optional("customers.address_city"),
            TextField::AddressState => optional("customers.address_state"),
            TextField::AddressPostalCode => optional("customers.address_postal_code"),
            TextField::AddressCountry => optional("customers.address_country"),
            TextField::Timezone => required("customers.timezone"),
        }
    }

    fn is_one_of<'b, DB: Dialect>(self, sought: &'b Sought, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let or_null = sought.empty && self.nullable;
        if sought.texts.is_empty() && !or_null {
            out.push_sql("1 = 0");
            return Ok(());
        }
        if let Some(indexed) = self.indexed {
            DB::is_one_of(indexed, &sought.folded, out)?;
            out.push_sql(" AND ");
        }
        out.push_sql("(");
        if or_null {
            out.push_sql(self.name);
            out.push_sql(if sought.texts.is_empty() { " IS NULL" } else { " IS NULL OR " });
        }
        if !sought.texts.is_empty() {
            DB::is_one_of(self.name, &sought.texts, out)?;
        }
        out.push_sql(")");
        Ok(())
    }

    /// What is NULL is none of any texts but the empty one; `NOT IN` would not know.
    fn is_none_of<'b, DB: Dialect>(self, sought: &'b Sought, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let not_null = sought.empty && self.nullable;
        match (sought.texts.is_empty(), not_null) {
            (true, false) => out.push_sql("1 = 1"),
            (true, true) => {
                out.push_sql(self.name);
                out.push_sql(" IS NOT NULL");
            }
            (false, _) => {
                out.push_sql("(");
                if self.nullable {
                    out.push_sql(self.name);
                    out.push_sql(if not_null { " IS NOT NULL AND NOT " } else { " IS NULL OR NOT " });
                } else {
                    out.push_sql("NOT ");
                }
                DB::is_one_of(self.name, &sought.texts, out)?;
                out.push_sql(")");
            }
        }
        Ok(())
    }
}
