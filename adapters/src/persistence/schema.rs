//! The tables, as Diesel sees them on both databases. The migrations under `adapters/migrations` make them.

diesel::table! {
    tenants (id) {
        id -> Text,
        name -> Text,
        created_at -> BigInt,
        created_by -> Text,
        updated_at -> BigInt,
        updated_by -> Text,
    }
}

diesel::table! {
    environments (tenant_id, id) {
        tenant_id -> Text,
        id -> Text,
        name -> Text,
        kind -> Text,
        created_at -> BigInt,
        created_by -> Text,
        updated_at -> BigInt,
        updated_by -> Text,
    }
}

diesel::table! {
    api_keys (tenant_id, environment_id, id) {
        tenant_id -> Text,
        environment_id -> Text,
        id -> Text,
        name -> Text,
        hash -> Text,
        display_id -> Text,
        roles -> Text,
        expires_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
        last_used_at -> Nullable<BigInt>,
        created_at -> BigInt,
        created_by -> Text,
        updated_at -> BigInt,
        updated_by -> Text,
    }
}

diesel::table! {
    tax_rates (tenant_id, environment_id, id) {
        tenant_id -> Text,
        environment_id -> Text,
        id -> Text,
        code -> Text,
        name -> Text,
        description -> Nullable<Text>,
        rate_type -> Text,
        value -> Text,
        scope -> Text,
        rate_status -> Text,
        metadata -> Text,
        status -> Text,
        version -> BigInt,
        created_at -> BigInt,
        created_by -> Text,
        updated_at -> BigInt,
        updated_by -> Text,
    }
}

diesel::table! {
    customers (tenant_id, environment_id, id) {
        tenant_id -> Text,
        environment_id -> Text,
        id -> Text,
        external_id -> Text,
        name -> Nullable<Text>,
        email -> Nullable<Text>,
        contact -> Nullable<Text>,
        address_line1 -> Nullable<Text>,
        address_line2 -> Nullable<Text>,
        address_city -> Nullable<Text>,
        address_state -> Nullable<Text>,
        address_postal_code -> Nullable<Text>,
        address_country -> Nullable<Text>,
        timezone -> Text,
        metadata -> Text,
        status -> Text,
        version -> BigInt,
        created_at -> BigInt,
        created_by -> Text,
        updated_at -> BigInt,
        updated_by -> Text,
        external_id_folded -> Text,
        name_folded -> Text,
        email_folded -> Text,
    }
}

diesel::table! {
    customer_metadata (tenant_id, environment_id, pair_hash, customer_id) {
        tenant_id -> Text,
        environment_id -> Text,
        pair_hash -> BigInt,
        customer_id -> Text,
    }
}

diesel::table! {
    former_external_ids (tenant_id, environment_id, external_id) {
        tenant_id -> Text,
        environment_id -> Text,
        external_id -> Text,
        customer_id -> Text,
    }
}

diesel::table! {
    customer_counts (tenant_id, environment_id, status, slot) {
        tenant_id -> Text,
        environment_id -> Text,
        status -> Text,
        slot -> Integer,
        count -> BigInt,
    }
}

diesel::table! {
    integration_mappings (tenant_id, environment_id, id) {
        tenant_id -> Text,
        environment_id -> Text,
        id -> Text,
        customer_id -> Text,
        provider_type -> Text,
        provider_entity_id -> Text,
        metadata -> Text,
        status -> Text,
        created_at -> BigInt,
        created_by -> Text,
        updated_at -> BigInt,
        updated_by -> Text,
    }
}

diesel::table! {
    tax_associations (tenant_id, environment_id, id) {
        tenant_id -> Text,
        environment_id -> Text,
        id -> Text,
        tax_rate_id -> Text,
        entity_type -> Text,
        entity_id -> Text,
        priority -> Integer,
        auto_apply -> Bool,
        currency -> Nullable<Text>,
        currency_key -> Text,
        metadata -> Text,
        start_at -> BigInt,
        end_at -> Nullable<BigInt>,
        status -> Text,
        created_at -> BigInt,
        created_by -> Text,
        updated_at -> BigInt,
        updated_by -> Text,
    }
}

diesel::table! {
    events (tenant_id, environment_id, id) {
        tenant_id -> Text,
        environment_id -> Text,
        id -> Text,
        event_type -> Text,
        entity_type -> Text,
        entity_id -> Text,
        sequence -> BigInt,
        at -> BigInt,
        actor -> Text,
        request_id -> Nullable<Text>,
        detail -> Nullable<Text>,
        position -> BigInt,
    }
}

diesel::table! {
    event_payloads (tenant_id, environment_id, event_id) {
        tenant_id -> Text,
        environment_id -> Text,
        event_id -> Text,
        payload -> Text,
    }
}

diesel::table! {
    idempotency_records (tenant_id, environment_id, key) {
        tenant_id -> Text,
        environment_id -> Text,
        key -> Text,
        fingerprint -> Text,
        event_id -> Nullable<Text>,
        answer -> Nullable<Text>,
        at -> BigInt,
    }
}

diesel::table! {
    webhook_endpoints (tenant_id, environment_id, id) {
        tenant_id -> Text,
        environment_id -> Text,
        id -> Text,
        url -> Text,
        event_types -> Text,
        description -> Nullable<Text>,
        disabled_reason -> Nullable<Text>,
        disabled_at -> Nullable<BigInt>,
        secret -> Text,
        previous_secret -> Nullable<Text>,
        previous_until -> Nullable<BigInt>,
        failing_since -> Nullable<BigInt>,
        failed_rounds -> Integer,
        paused_until -> Nullable<BigInt>,
        position -> BigInt,
        lease_holder -> Nullable<Text>,
        lease_until -> Nullable<BigInt>,
        deleted_at -> Nullable<BigInt>,
        created_at -> BigInt,
        created_by -> Text,
        updated_at -> BigInt,
        updated_by -> Text,
    }
}

diesel::table! {
    webhook_deliveries (tenant_id, environment_id, endpoint_id, id) {
        tenant_id -> Text,
        environment_id -> Text,
        endpoint_id -> Text,
        id -> Text,
        kind -> Text,
        event_id -> Text,
        event_type -> Text,
        entity_id -> Text,
        position -> BigInt,
        status -> Text,
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
    onboarding_workflows (tenant_id, environment_id, id) {
        tenant_id -> Text,
        environment_id -> Text,
        id -> Text,
        name -> Text,
        steps -> Text,
        secret_id -> Text,
        secret -> Text,
        status -> Text,
        created_at -> BigInt,
        created_by -> Text,
        updated_at -> BigInt,
        updated_by -> Text,
    }
}

diesel::table! {
    onboarding_runs (tenant_id, environment_id, customer_id) {
        tenant_id -> Text,
        environment_id -> Text,
        customer_id -> Text,
        workflow_id -> Text,
        state -> Text,
        step -> Integer,
        attempts -> Integer,
        due_at -> Nullable<BigInt>,
        failure -> Nullable<Text>,
        taken -> Nullable<Text>,
        holder -> Nullable<Text>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(webhook_endpoints, webhook_deliveries);
diesel::allow_tables_to_appear_in_same_query!(webhook_endpoints, events);
diesel::allow_tables_to_appear_in_same_query!(events, event_payloads);
diesel::allow_tables_to_appear_in_same_query!(customers, integration_mappings);
diesel::allow_tables_to_appear_in_same_query!(customers, former_external_ids);
diesel::allow_tables_to_appear_in_same_query!(former_external_ids, integration_mappings);
diesel::allow_tables_to_appear_in_same_query!(tax_rates, tax_associations);
