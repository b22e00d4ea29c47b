//! Values of columns that the two databases store differently: ids and documents.

use std::io::Write;

use diesel::{
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    query_builder::QueryId,
    serialize::{self, IsNull, Output, ToSql},
    sql_types::SqlType,
};
use patron_domain::{
    ids::{Id, Kind},
    lifecycle::Owner,
    store::StoreError,
    stored::Stored,
};
use uuid::Uuid;

use crate::blocking::blocking;

/// The type of id columns: `UUID` on PostgreSQL, a `BLOB` of 16 bytes on SQLite.
#[derive(Debug, Clone, Copy, SqlType, QueryId)]
#[diesel(sqlite_type(name = "Binary"))]
#[diesel(postgres_type(oid = 2950, array_oid = 2951))]
pub struct KeySql;

/// An id without its kind, which follows from the column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = KeySql)]
pub(crate) struct Key(Uuid);

impl<K: Kind> From<Id<K>> for Key {
    fn from(id: Id<K>) -> Self {
        Self(id.uuid())
    }
}

impl Key {
    /// No id.
    pub(crate) const NIL: Self = Self(Uuid::nil());

    /// The id, with the kind of the column.
    pub(crate) fn id<K: Kind>(self) -> Id<K> {
        Id::from_uuid(self.0)
    }

    /// The 16 bytes.
    pub(crate) fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

/// The type of columns with a JSON document: `JSON` on PostgreSQL, which keeps the text unchanged, `TEXT` on SQLite.
#[derive(Debug, Clone, Copy, SqlType, QueryId)]
#[diesel(sqlite_type(name = "Text"))]
#[diesel(postgres_type(oid = 114, array_oid = 199))]
pub struct DocumentSql;

/// A JSON document in the stored form of a domain type. It may contain personal data, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = DocumentSql)]
pub(crate) struct Document(pub(crate) String);

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Document({} bytes)", self.0.len())
    }
}

impl Document {
    /// The stored form of a value.
    pub(crate) fn of(value: &impl Stored) -> Self {
        Self(value.to_document())
    }

    /// Reads the value, for an environment. `key` names the row in the error.
    pub(crate) fn read<T: Stored>(&self, owner: Owner, key: impl std::fmt::Display) -> Result<T, StoreError> {
        let read = || T::from_document(owner, &self.0);
        blocking(self.0.len(), read).map_err(|_| corrupt(T::NAME, "document", key))
    }
}

/// The error for a value of a row that cannot be read.
pub(crate) fn corrupt(table: &'static str, column: &'static str, row: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt { table, column, row: row.to_string() }
}

#[cfg(feature = "postgres")]
mod postgres {
    use diesel::pg::{Pg, PgValue};

    use super::*;

    impl ToSql<KeySql, Pg> for Key {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
            out.write_all(self.0.as_bytes())?;
            Ok(IsNull::No)
        }
    }

    impl FromSql<KeySql, Pg> for Key {
        fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
            Ok(Self(Uuid::from_slice(value.as_bytes())?))
        }
    }

    impl ToSql<DocumentSql, Pg> for Document {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
            out.write_all(self.0.as_bytes())?;
            Ok(IsNull::No)
        }
    }

    impl FromSql<DocumentSql, Pg> for Document {
        fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
            Ok(Self(std::str::from_utf8(value.as_bytes())?.to_owned()))
        }
    }
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use diesel::{
        sql_types::Text,
        sqlite::{Sqlite, SqliteValue},
    };

    use super::*;

    impl ToSql<KeySql, Sqlite> for Key {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
            out.set_value(self.0.as_bytes().as_slice());
            Ok(IsNull::No)
        }
    }

    impl FromSql<KeySql, Sqlite> for Key {
        fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
            Ok(Self(Uuid::from_slice(value.read_blob())?))
        }
    }

    impl ToSql<DocumentSql, Sqlite> for Document {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
            out.set_value(self.0.as_str());
            Ok(IsNull::No)
        }
    }

    impl FromSql<DocumentSql, Sqlite> for Document {
        fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
            Ok(Self(<String as FromSql<Text, Sqlite>>::from_sql(value)?))
        }
    }
}
