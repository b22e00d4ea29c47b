//! Statements. Each is written once, as one of Diesel's queries, and runs on both databases.

/// Declares a trait of statements, and implements it for both databases.
///
/// `db` runs a query: `rows` returns all rows, `one` the first row, `locked` the first row and locks it if the database
/// has concurrent writers (PostgreSQL), `run` the number of changed rows; `each` looks up many keys. `rows_within` returns
/// the rows that belong to a page by its bytes, and one more if there is a next page.
macro_rules! statements {
    (
        $(#[$doc:meta])*
        $trait:ident {
            $($(#[$method_doc:meta])* fn $name:ident($db:ident $(, $arg:ident: $type:ty)* $(,)?) -> $answer:ty $body:block)+
        }
    ) => {
        $(#[$doc])*
        #[async_trait::async_trait]
        pub(crate) trait $trait: Send + Sync {
            $($(#[$method_doc])* async fn $name(&self $(, $arg: $type)*) -> diesel::QueryResult<$answer>;)+
        }

        #[cfg(feature = "sqlite")]
        #[async_trait::async_trait]
        impl $trait for $crate::persistence::sqlite::unit::SqliteUnit<'_> {
            $(async fn $name(&self $(, $arg: $type)*) -> diesel::QueryResult<$answer> {
                let $db = self.db();
                $body
            })+
        }

        #[cfg(feature = "postgres")]
        #[async_trait::async_trait]
        impl $trait for $crate::persistence::postgres::unit::PostgresUnit<'_> {
            $(async fn $name(&self $(, $arg: $type)*) -> diesel::QueryResult<$answer> {
                let $db = self.db();
                $body
            })+
        }
    };
}

pub(crate) use statements;
