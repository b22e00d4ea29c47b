//! The tables of erasures and retention.

diesel::table! {
    use diesel::sql_types::*;
    use crate::persistence::value::{DocumentSql, KeySql};

    deletion_requests (environment, id) {
        environment -> Integer,
        id -> KeySql,
        customer -> KeySql,
        state -> SmallInt,
        due_at -> Nullable<BigInt>,
        holder -> Nullable<Text>,
        document -> DocumentSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::persistence::value::{DocumentSql, KeySql};

    suppressed_customers (environment, id) {
        environment -> Integer,
        id -> KeySql,
        document -> DocumentSql,
        run -> Nullable<DocumentSql>,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    retention_settings (environment) {
        environment -> Integer,
        document -> crate::persistence::value::DocumentSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::persistence::value::{DocumentSql, KeySql};

    erased_subjects (environment, tag, request) {
        environment -> Integer,
        tag -> Binary,
        request -> KeySql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::persistence::value::{DocumentSql, KeySql};

    installation_keys (id) {
        id -> KeySql,
        kind -> SmallInt,
        public_key -> Nullable<Binary>,
        secret -> Text,
        created_at -> BigInt,
        retired_at -> Nullable<BigInt>,
    }
}
