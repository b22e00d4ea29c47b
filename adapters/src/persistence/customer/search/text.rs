//! The texts of a customer as SQL: a column where there is one, else a member of the document.

use diesel::{QueryResult, query_builder::AstPass};
use patron_domain::customer::query::TextField;

use super::{dialect::Dialect, terms::TextSet};

/// The place of a text.
#[derive(Clone, Copy)]
pub(super) struct TextColumn {
    place: Place,
    /// The value while the document has none; `None` if it is NULL then.
    default: Option<&'static str>,
    /// The column with the same text folded, which leads an index.
    indexed: Option<&'static str>,
}

#[derive(Clone, Copy)]
enum Place {
    Id,
    ExternalId,
    /// A member of the document that has a column with its folded form.
    Folded(&'static str, &'static str),
    Member(&'static str),
}

impl TextColumn {
    pub(super) fn of(field: TextField) -> Self {
        let column = |place| Self { place, default: Some(""), indexed: None };
        let member = Self { place: Place::Member(field.as_str()), default: None, indexed: None };
        let folded = |column| Self { place: Place::Folded(field.as_str(), column), indexed: Some(column), ..member };
        match field {
            TextField::Id => column(Place::Id),
            TextField::ExternalId => column(Place::ExternalId),
            TextField::Name => folded("name_folded"),
            TextField::Email => folded("email_folded"),
            // The defaults are left out of documents.
            TextField::Timezone => Self { default: Some("UTC"), ..member },
            TextField::TaxTreatment => Self { default: Some("taxable"), ..member },
            _ => member,
        }
    }

    /// Without an index.
    pub(super) fn unindexed(self) -> Self {
        Self { indexed: None, ..self }
    }

    /// Whether an index has its folded form.
    pub(super) fn is_indexed(self) -> bool {
        self.indexed.is_some()
    }

    /// The text, in the row of `customers` with this name in the statement.
    fn write<DB: Dialect>(self, row: &str, out: &mut AstPass<'_, '_, DB>) {
        let parts: &[&str] = match (self.place, self.default) {
            (Place::Id, _) => &[row, ".id"],
            (Place::ExternalId, _) => &[row, ".external_id"],
            (Place::Member(name) | Place::Folded(name, _), None) => &["(", row, ".document ->> '", name, "')"],
            (Place::Member(name) | Place::Folded(name, _), Some(default)) => {
                &["COALESCE(", row, ".document ->> '", name, "', '", default, "')"]
            }
        };
        parts.iter().for_each(|part| out.push_sql(part));
    }

    /// The folded text, or the empty text if it is absent. Ids are not folded. Documents contain the folded form only where
    /// lower-casing A to Z, which both databases do alike, does not give it.
    pub(super) fn write_folded<DB: Dialect>(self, row: &str, out: &mut AstPass<'_, '_, DB>) {
        let [before, after] = DB::LOWER;
        let parts: &[&str] = match self.place {
            Place::Id => &[row, ".id"],
            Place::ExternalId => &["COALESCE(", row, ".external_id_folded, ", row, ".external_id)"],
            Place::Folded(_, column) => &[row, ".", column],
            Place::Member(name) => &[
                "COALESCE(",
                row,
                ".document -> 'folded' ->> '",
                name,
                "', ",
                before,
                row,
                ".document ->> '",
                name,
                "'",
                after,
                ", ",
                before,
                "'",
                self.default.unwrap_or_default(),
                "'",
                after,
                ")",
            ],
        };
        parts.iter().for_each(|part| out.push_sql(part));
    }

    /// The sort key: ids and external ids unchanged, other texts folded.
    pub(super) fn write_sorted<DB: Dialect>(self, row: &str, out: &mut AstPass<'_, '_, DB>) {
        match self.place {
            Place::ExternalId => self.write(row, out),
            _ => self.write_folded(row, out),
        }
    }

    pub(super) fn is_one_of<'b, DB: Dialect>(
        self,
        sought: &'b TextSet,
        out: &mut AstPass<'_, 'b, DB>,
    ) -> QueryResult<()> {
        let or_null = sought.empty && self.default.is_none();
        if sought.texts.is_empty() && !or_null {
            out.push_sql("1 = 0");
            return Ok(());
        }
        if let Some(indexed) = self.indexed {
            out.push_sql("customers.");
            out.push_sql(indexed);
            DB::is_one_of(&sought.folded, out)?;
            out.push_sql(" AND ");
        }
        out.push_sql("(");
        if or_null {
            self.write("customers", out);
            out.push_sql(if sought.texts.is_empty() { " IS NULL" } else { " IS NULL OR " });
        }
        if !sought.texts.is_empty() {
            self.write("customers", out);
            DB::is_one_of(&sought.texts, out)?;
        }
        out.push_sql(")");
        Ok(())
    }

    /// A NULL text differs from every text except the empty one. `NOT IN` alone would not match it.
    pub(super) fn is_none_of<'b, DB: Dialect>(
        self,
        sought: &'b TextSet,
        out: &mut AstPass<'_, 'b, DB>,
    ) -> QueryResult<()> {
        let nullable = self.default.is_none();
        let not_null = sought.empty && nullable;
        match (sought.texts.is_empty(), not_null) {
            (true, false) => out.push_sql("1 = 1"),
            (true, true) => {
                self.write("customers", out);
                out.push_sql(" IS NOT NULL");
            }
            (false, _) => {
                out.push_sql("(");
                if nullable {
                    self.write("customers", out);
                    out.push_sql(if not_null { " IS NOT NULL AND NOT " } else { " IS NULL OR NOT " });
                } else {
                    out.push_sql("NOT ");
                }
                out.push_sql("(");
                self.write("customers", out);
                DB::is_one_of(&sought.texts, out)?;
                out.push_sql("))");
            }
        }
        Ok(())
    }
}
