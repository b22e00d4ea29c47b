//! Statements over many rows at once: each column is one array, so that the statement is the same for any number of rows
//! and is prepared once. Diesel's own inserts of many rows are a new statement for each number of rows.

use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};

/// How the values of a column of many rows become one parameter.
pub(super) trait Column {
    /// The type of one value.
    type Sql;
    /// One value as it is bound.
    type Bind<'a>
    where
        Self: 'a;

    fn bind(&self) -> Self::Bind<'_>;
}

macro_rules! columns {
    ($($rust:ty => $sql:ty, $bind:ty, |$value:ident| $expression:expr;)*) => {
        $(
            impl Column for $rust {
                type Sql = $sql;
                type Bind<'a> = $bind;

                fn bind(&self) -> Self::Bind<'_> {
                    let $value = self;
                    $expression
                }
            }
        )*
    };
}

columns! {
    String => Text, &'a str, |value| value.as_str();
    Option<String> => Nullable<Text>, Option<&'a str>, |value| value.as_deref();
    i64 => BigInt, i64, |value| *value;
    Option<i64> => Nullable<BigInt>, Option<i64>, |value| *value;
    i32 => Integer, i32, |value| *value;
    Option<i32> => Nullable<Integer>, Option<i32>, |value| *value;
    bool => Bool, bool, |value| *value;
}

/// Makes statements `INSERT INTO table (columns) SELECT unnest(array), unnest(array), … end` over rows of one type: one for
/// each name, with the end that stands behind it.
macro_rules! bulk_insert {
    (
        $row:ty, into $table:literal $columns:tt
        $($(#[$doc:meta])* $name:ident: $tail:literal;)+
    ) => {
        $(crate::persistence::postgres::unnest::bulk_insert! { @one $(#[$doc])* $name, $row, $table, $columns, $tail })+
    };
    (
        @one $(#[$doc:meta])*
        $name:ident, $row:ty, $table:literal, ($($column:ident: $type:ty),+ $(,)?), $tail:literal
    ) => {
        $(#[$doc])*
        pub(super) struct $name<'a> {
            $($column: Vec<<$type as crate::persistence::postgres::unnest::Column>::Bind<'a>>,)+
        }

        impl<'a> $name<'a> {
            pub(super) fn new(rows: impl IntoIterator<Item = &'a $row>) -> Self {
                use crate::persistence::postgres::unnest::Column as _;
                let mut all = Self { $($column: Vec::new(),)+ };
                for row in rows {
                    $(all.$column.push(row.$column.bind());)+
                }
                all
            }
        }

        impl diesel::query_builder::QueryId for $name<'_> {
            type QueryId = $name<'static>;
            const HAS_STATIC_QUERY_ID: bool = true;
        }

        impl diesel::query_builder::QueryFragment<diesel::pg::Pg> for $name<'_> {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, diesel::pg::Pg>,
            ) -> diesel::QueryResult<()> {
                out.push_sql(concat!("INSERT INTO ", $table, " ("));
                let mut separator = "";
                $(
                    out.push_sql(separator);
                    out.push_sql(stringify!($column));
                    separator = ", ";
                )+
                let _ = separator;
                // Not `FROM unnest(…, …)`, which lays each column up before the first row is there: a fifth of an insert's
                // time.
                out.push_sql(") SELECT unnest(");
                let mut separator = "";
                $(
                    out.push_sql(separator);
                    out.push_bind_param::<
                        diesel::sql_types::Array<<$type as crate::persistence::postgres::unnest::Column>::Sql>,
                        _,
                    >(&self.$column)?;
                    separator = "), unnest(";
                )+
                let _ = separator;
                out.push_sql(concat!(") ", $tail));
                Ok(())
            }
        }

        impl<C> diesel::RunQueryDsl<C> for $name<'_> {}
    };
}

/// Makes a [`bulk_insert`] answer one column of text.
macro_rules! returning_text {
    ($($name:ident),+) => {
        $(
            impl diesel::query_builder::Query for $name<'_> {
                type SqlType = diesel::sql_types::Text;
            }
        )+
    };
}

pub(super) use {bulk_insert, returning_text};
