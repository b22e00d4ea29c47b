//! The conditions of a query, as SQL.

use diesel::{QueryResult, query_builder::AstPass};
use patron_domain::{
    customer::{
        IndexEntry,
        query::{Comparison, Condition, Folded, FoldedField, TextField, Texts, TimeField},
    },
    ids::CustomerId,
};

use super::{Search, dialect::Dialect};
use crate::persistence::{customer::row::index_key, value::Key};

/// One condition with its values in the form that the database takes.
#[derive(Clone)]
pub(super) enum Term {
    OneOf(Column, Sought),
    NoneOf(Column, Sought),
    /// The column matches a `LIKE` pattern, or does not.
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
    /// An index entry names the customer.
    Indexed {
        kind: i16,
        key: Vec<u8>,
    },
    /// The customer's id is one of these, or is none of these.
    Id {
        ids: Vec<Key>,
        holds: bool,
    },
}

/// A column, or a member of the document, that contains a text.
#[derive(Clone, Copy)]
pub(super) struct Column {
    /// The expression in SQL.
    name: &'static str,
    /// Whether a missing text is NULL.
    nullable: bool,
    /// The column with the folded text, if it leads an index.
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
            Condition::OneOf(TextField::Id, texts) => Self::Id { ids: ids(texts), holds: true },
            Condition::NoneOf(TextField::Id, texts) => Self::Id { ids: ids(texts), holds: false },
            Condition::OneOf(field, texts) => {
                let column = Column::of(*field);
                Self::OneOf(column, Sought::new(column, texts))
            }
            Condition::NoneOf(field, texts) => {
                // An index does not help to find missing values.
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
                let entry = IndexEntry::pair(key, value);
                Self::Indexed { kind: entry.kind.code(), key: index_key(&entry) }
            }
        }
    }

    fn like(field: FoldedField, holds: bool, text: &Folded) -> Self {
        let column = match field {
            FoldedField::ExternalId => "COALESCE(customers.external_id_folded, customers.external_id)",
            FoldedField::Name => "customers.name_folded",
            FoldedField::Email => "customers.email_folded",
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
            Self::Indexed { kind, key } => DB::is_indexed(search, *kind, key, out),
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

/// The ids among texts. Other texts match no customer.
fn ids(texts: &Texts) -> Vec<Key> {
    texts.as_slice().iter().filter_map(|text| CustomerId::parse(text).ok()).map(Key::from).collect()
}

/// Escapes `%`, `_` and itself in patterns.
const ESCAPE: char = '!';

impl Column {
    fn of(field: TextField) -> Self {
        macro_rules! member {
            ($name:literal) => {
                Self { name: concat!("(customers.document ->> '", $name, "')"), nullable: true, indexed: None }
            };
        }
        let column = |name| Self { name, nullable: false, indexed: None };
        match field {
            TextField::Id => column("customers.id"),
            TextField::ExternalId => column("customers.external_id"),
            TextField::Name => Self { indexed: Some("customers.name_folded"), ..member!("name") },
            TextField::Email => Self { indexed: Some("customers.email_folded"), ..member!("email") },
            TextField::Contact => member!("contact"),
            TextField::AddressLine1 => member!("address_line1"),
            TextField::AddressLine2 => member!("address_line2"),
            TextField::AddressCity => member!("address_city"),
            TextField::AddressState => member!("address_state"),
            TextField::AddressPostalCode => member!("address_postal_code"),
            TextField::AddressCountry => member!("address_country"),
            // Documents leave out the default.
            TextField::Timezone => column("COALESCE(customers.document ->> 'timezone', 'UTC')"),
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

    /// A NULL column differs from every text except the empty one. `NOT IN` alone would not match it.
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
