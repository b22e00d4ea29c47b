//! The tables, as Diesel sees them on both databases. The migrations under `adapters/migrations` create them.

mod jobs;
mod privacy;

pub(crate) use jobs::{
    import_pieces, import_rows, imports, onboarding_runs, onboarding_workflows, webhook_deliveries, webhook_endpoints,
};
pub(crate) use privacy::{
    deletion_requests, erased_subjects, installation_keys, retention_settings, suppressed_customers,
};

diesel::table! {
    use diesel::sql_types::*;
    use crate::persistence::value::{DocumentSql, KeySql};

    owners (environment) {
        environment -> Integer,
        tenant_id -> KeySql,
        environment_id -> KeySql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::persistence::value::{DocumentSql, KeySql};

    tenants (id) {
        id -> KeySql,
        name -> Text,
        suspended_at -> Nullable<BigInt>,
        created_at -> BigInt,
        created_by -> Text,
        updated_at -> BigInt,
        updated_by -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::persistence::value::{DocumentSql, KeySql};

    environments (id) {
        id -> KeySql,
        tenant_id -> KeySql,
        created_at -> BigInt,
        document -> DocumentSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::persistence::value::{DocumentSql, KeySql};

    api_keys (id) {
        id -> KeySql,
        environment -> Integer,
        hash -> Binary,
        revoked_at -> Nullable<BigInt>,
        last_used_at -> Nullable<BigInt>,
        created_at -> BigInt,
        document -> DocumentSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::persistence::value::{DocumentSql, KeySql};

    logs (environment) {
        environment -> Integer,
        position -> BigInt,
        at -> BigInt,
        published -> BigInt,
        archived -> BigInt,
        audited -> BigInt,
        hash -> Binary,
        anchor_position -> BigInt,
        anchor_hash -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::persistence::value::{DocumentSql, KeySql};

    audit (environment, number) {
        environment -> Integer,
        number -> BigInt,
        action -> SmallInt,
        object_kind -> SmallInt,
        object -> KeySql,
        at -> BigInt,
        actor -> Text,
        request_id -> Nullable<Text>,
        address -> Nullable<Text>,
        changed -> Nullable<Text>,
        count -> Nullable<BigInt>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::persistence::value::{DocumentSql, KeySql};

    tax_rates (environment, id) {
        environment -> Integer,
        id -> KeySql,
        code -> Text,
        status -> SmallInt,
        rate_status -> SmallInt,
        scope -> SmallInt,
        created_at -> BigInt,
        next_change_at -> Nullable<BigInt>,
        document -> DocumentSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::persistence::value::{DocumentSql, KeySql};

    tax_defaults (environment, id) {
        environment -> Integer,
        id -> KeySql,
        tax_rate -> KeySql,
        currency -> Text,
        status -> SmallInt,
        document -> DocumentSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::persistence::value::{DocumentSql, KeySql};

    custom_fields (environment, key) {
        environment -> Integer,
        key -> Text,
        document -> DocumentSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::persistence::value::{DocumentSql, KeySql};

    customers (environment, id) {
        environment -> Integer,
        id -> KeySql,
        external_id -> Text,
        status -> SmallInt,
        version -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
        external_id_folded -> Nullable<Text>,
        name_folded -> Text,
        email_folded -> Text,
        retained_from -> Nullable<BigInt>,
        former_until -> Nullable<BigInt>,
        document -> DocumentSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::persistence::value::{DocumentSql, KeySql};

    customer_index (environment, kind, key, customer) {
        environment -> Integer,
        kind -> SmallInt,
        key -> Binary,
        customer -> KeySql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::persistence::value::{DocumentSql, KeySql};

    events (environment, position) {
        environment -> Integer,
        position -> BigInt,
        id -> KeySql,
        entity_kind -> SmallInt,
        entity -> KeySql,
        sequence -> BigInt,
        kind -> SmallInt,
        at -> BigInt,
        logged_at -> BigInt,
        actor -> Text,
        request_id -> Nullable<Text>,
        trace_id -> Nullable<Text>,
        source -> Nullable<SmallInt>,
        detail -> Nullable<DocumentSql>,
        salt -> Nullable<Binary>,
        commitment -> Nullable<Binary>,
        hash -> Binary,
        document -> Nullable<DocumentSql>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::persistence::value::{DocumentSql, KeySql};

    kept_answers (environment, key) {
        environment -> Integer,
        key -> Text,
        fingerprint -> Binary,
        at -> BigInt,
        event -> Nullable<KeySql>,
        kind -> Nullable<Text>,
        answer -> Nullable<DocumentSql>,
        customer -> Nullable<KeySql>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    owners,
    tenants,
    environments,
    api_keys,
    audit,
    logs,
    tax_rates,
    tax_defaults,
    custom_fields,
    customers,
    customer_index,
    events,
    kept_answers,
    webhook_endpoints,
    webhook_deliveries,
    onboarding_workflows,
    onboarding_runs,
    imports,
    import_pieces,
    import_rows,
    deletion_requests,
    suppressed_customers,
    erased_subjects,
    installation_keys
);
