//! Rows of tables. Each struct is listed once, and a macro derives the code that writes it on each database.

/// Declares rows of a table. The columns before the semicolon are the primary key.
///
/// On SQLite each row is one of Diesel's statements, compiled once. On PostgreSQL any number of rows is one statement
/// with an array for each column, prepared once.
macro_rules! rows {
    // A table with keys only: its rows are inserted and deleted, never changed.
    ($(#[$doc:meta])* $name:ident: $table:ident { $($key:ident: $key_type:ty),+ $(,)?; }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, diesel::Queryable, diesel::Selectable, diesel::Insertable, diesel::Identifiable)]
        #[diesel(table_name = $crate::persistence::schema::$table, primary_key($($key),+))]
        pub(crate) struct $name {
            $(pub(crate) $key: $key_type,)+
        }
        $crate::persistence::rows::written! { $name: $table }
        #[cfg(feature = "postgres")]
        $crate::persistence::postgres::bulk::bulk! { $name: $table { $($key: $key_type),+; } }
        #[cfg(all(feature = "sqlite", feature = "postgres"))]
        #[allow(dead_code, reason = "not every row is compared")]
        impl $name {
            /// Adds all values of the row to a hash, by which copies are compared.
            pub(crate) fn digest(&self, sum: &mut sha2::Sha256) {
                use $crate::persistence::copy::Digested as _;
                $(self.$key.add_to(sum);)+
            }
        }
    };
    ($(#[$doc:meta])* $name:ident: $table:ident { $($key:ident: $key_type:ty),+; $($column:ident: $type:ty),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, diesel::Queryable, diesel::Selectable, diesel::Insertable, diesel::Identifiable,
            diesel::AsChangeset,
        )]
        #[diesel(
            table_name = $crate::persistence::schema::$table, primary_key($($key),+), treat_none_as_null = true,
            treat_none_as_default_value = false
        )]
        pub(crate) struct $name {
            $(pub(crate) $key: $key_type,)+
            $(pub(crate) $column: $type,)+
        }
        $crate::persistence::rows::written! { $name: $table }
        #[cfg(feature = "sqlite")]
        #[allow(dead_code, reason = "not every table needs every statement")]
        impl $name {
            /// Updates the row with this key.
            pub(crate) fn update(&self, connection: &mut diesel::SqliteConnection) -> diesel::QueryResult<usize> {
                use diesel::RunQueryDsl as _;
                $crate::persistence::sqlite::update::Update(self).execute(connection)
            }
        }
        #[cfg(feature = "sqlite")]
        impl diesel::query_builder::QueryFragment<diesel::sqlite::Sqlite>
            for $crate::persistence::sqlite::update::Update<'_, $name>
        {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, diesel::sqlite::Sqlite>,
            ) -> diesel::QueryResult<()> {
                use $crate::persistence::{schema::$table, sqlite::update::assign};
                out.push_sql(concat!("UPDATE ", stringify!($table), " SET "));
                let mut between = "";
                $(assign(&mut out, &mut between, $table::$column, &self.0.$column, ", ")?;)+
                between = " WHERE ";
                $(assign(&mut out, &mut between, $table::$key, &self.0.$key, " AND ")?;)+
                Ok(())
            }
        }
        #[cfg(feature = "postgres")]
        $crate::persistence::postgres::bulk::bulk! { $name: $table { $($key: $key_type),+; $($column: $type),+ } }
        #[cfg(all(feature = "sqlite", feature = "postgres"))]
        #[allow(dead_code, reason = "not every row is compared")]
        impl $name {
            /// Adds all values of the row to a hash, by which copies are compared.
            pub(crate) fn digest(&self, sum: &mut sha2::Sha256) {
                use $crate::persistence::copy::Digested as _;
                $(self.$key.add_to(sum);)+
                $(self.$column.add_to(sum);)+
            }
        }
    };
}

/// The statements of every row on SQLite.
macro_rules! written {
    ($name:ident: $table:ident) => {
        #[cfg(feature = "sqlite")]
        #[allow(dead_code, reason = "not every table needs every statement")]
        impl $name {
            /// Inserts a row.
            pub(crate) fn insert(&self, connection: &mut diesel::SqliteConnection) -> diesel::QueryResult<usize> {
                use diesel::RunQueryDsl as _;
                diesel::insert_into($crate::persistence::schema::$table::table).values(self).execute(connection)
            }

            /// Inserts a row, or replaces the one with its key.
            pub(crate) fn replace(&self, connection: &mut diesel::SqliteConnection) -> diesel::QueryResult<usize> {
                use diesel::RunQueryDsl as _;
                diesel::replace_into($crate::persistence::schema::$table::table).values(self).execute(connection)
            }

            /// Deletes the row with this key.
            pub(crate) fn delete(&self, connection: &mut diesel::SqliteConnection) -> diesel::QueryResult<usize> {
                use diesel::RunQueryDsl as _;
                diesel::delete(self).execute(connection)
            }
        }
    };
}

pub(crate) use {rows, written};
