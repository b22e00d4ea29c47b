//! Custom fields as SQL: the sort keys in the document.

use diesel::{QueryResult, query_builder::AstPass};
use patron_domain::{
    custom_field::CustomFieldKey,
    customer::query::{Comparison, CustomComparison},
};

use super::{dialect::Dialect, terms::pattern};

/// The sort key of a custom field; empty without a value.
#[derive(Clone, Copy)]
pub(super) struct CustomColumn(pub(super) CustomFieldKey);

impl CustomColumn {
    /// Documents omit the sort keys of texts that lower-casing A to Z gives, which both databases do alike.
    pub(super) fn write<DB: Dialect>(self, row: &str, out: &mut AstPass<'_, '_, DB>) {
        let [before, after] = DB::LOWER;
        // A key has only the letters a to z, digits and underscores.
        let key = self.0.as_str();
        let parts = [
            "COALESCE(",
            row,
            ".document -> 'sort_keys' ->> '",
            key,
            "', 't' || ",
            before,
            row,
            ".document -> 'custom_fields' ->> '",
            key,
            "'",
            after,
            ", '')",
        ];
        parts.into_iter().for_each(|part| out.push_sql(part));
    }
}

/// A comparison of a custom field.
#[derive(Clone)]
pub(super) enum CustomTerm {
    Unset(CustomColumn),
    /// It compares with a sort key of the type whose letter follows.
    Ordered {
        column: CustomColumn,
        operator: &'static str,
        sort_key: String,
        letter: char,
    },
    Like(CustomColumn, String),
}

impl CustomTerm {
    pub(super) fn new(key: CustomFieldKey, comparison: &CustomComparison) -> Self {
        let column = CustomColumn(key);
        match comparison {
            CustomComparison::Unset => Self::Unset(column),
            CustomComparison::Ordered { comparison, sort_key } => Self::Ordered {
                column,
                operator: operator(*comparison),
                sort_key: sort_key.clone(),
                // A sort key begins with a letter from a to z.
                letter: sort_key.chars().next().filter(char::is_ascii_lowercase).unwrap_or('a'),
            },
            CustomComparison::Contains(text) => Self::Like(column, pattern("t%", text)),
        }
    }

    pub(super) fn write<'b, DB: Dialect>(&'b self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()> {
        match self {
            Self::Unset(column) => {
                column.write("customers", out);
                out.push_sql(" = ''");
                Ok(())
            }
            Self::Ordered { column, operator, sort_key, letter } => {
                column.write("customers", out);
                out.push_sql(operator);
                DB::text(sort_key, out)?;
                // The types have ranges of their own.
                let next = char::from_u32(u32::from(*letter) + 1).unwrap_or('~');
                for (than, letter) in [(" >= '", letter), (" < '", &next)] {
                    out.push_sql(" AND ");
                    column.write("customers", out);
                    out.push_sql(than);
                    out.push_sql(letter.encode_utf8(&mut [0; 4]));
                    out.push_sql("'");
                }
                Ok(())
            }
            Self::Like(column, pattern) => {
                column.write("customers", out);
                out.push_sql(" LIKE ");
                DB::text(pattern, out)?;
                out.push_sql(" ESCAPE '!'");
                Ok(())
            }
        }
    }
}

/// The operator of a comparison.
pub(super) fn operator(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Before => " < ",
        Comparison::UpTo => " <= ",
        Comparison::At => " = ",
        Comparison::From => " >= ",
        Comparison::After => " > ",
    }
}
