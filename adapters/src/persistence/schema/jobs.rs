//! The tables of work in the background: webhooks, onboarding, imports.

diesel::table! {
    use diesel::sql_types::*;
    use crate::persistence::value::{DocumentSql, KeySql};

    webhook_endpoints (environment, id) {
        environment -> Integer,
        id -> KeySql,
        created_at -> BigInt,
        disabled -> SmallInt,
        paused_until -> Nullable<BigInt>,
        position -> BigInt,
        lease_holder -> Nullable<Text>,
        lease_until -> Nullable<BigInt>,
        deleted_at -> Nullable<BigInt>,
        document -> DocumentSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::persistence::value::{DocumentSql, KeySql};

    webhook_deliveries (environment, endpoint, id) {
        environment -> Integer,
        endpoint -> KeySql,
        id -> KeySql,
        kind -> SmallInt,
        event -> KeySql,
        event_type -> Text,
        entity -> Text,
        position -> BigInt,
        status -> SmallInt,
        next_attempt_at -> Nullable<BigInt>,
        attempts -> Integer,
        last_at -> Nullable<BigInt>,
        last_took -> Nullable<BigInt>,
        last_status -> Nullable<Integer>,
        last_failure -> Nullable<Text>,
        last_answer -> Nullable<Text>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::persistence::value::{DocumentSql, KeySql};

    onboarding_workflows (environment, id) {
        environment -> Integer,
        id -> KeySql,
        name -> Text,
        status -> SmallInt,
        document -> DocumentSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::persistence::value::{DocumentSql, KeySql};

    onboarding_runs (environment, customer) {
        environment -> Integer,
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

    imports (environment, id) {
        environment -> Integer,
        id -> KeySql,
        state -> SmallInt,
        digest -> Text,
        due_at -> Nullable<BigInt>,
        holder -> Nullable<Text>,
        document -> DocumentSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::persistence::value::KeySql;

    import_pieces (environment, import, number) {
        environment -> Integer,
        import -> KeySql,
        number -> Integer,
        bytes -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::persistence::value::{DocumentSql, KeySql};

    import_rows (environment, import, number) {
        environment -> Integer,
        import -> KeySql,
        number -> BigInt,
        person -> Nullable<Binary>,
        document -> DocumentSql,
    }
}
