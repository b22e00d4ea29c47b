-- Tenants, environments, API keys, customers with all that belongs to them, and events.
--
-- Times are microseconds since the Unix epoch, UTC. Metadata and payloads are JSON text. Text is ordered by bytes.
-- Every table of an environment leads with tenant and environment in its keys, so it can be distributed by tenant.
-- Only the published rows of a table compete for what is unique: the partial unique indexes decide races.

CREATE TABLE tenants (
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE environments (
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

-- Authentication and the command line know an environment by its id alone.
CREATE UNIQUE INDEX environments_id ON environments (id);

CREATE TABLE api_keys (
    tenant_id TEXT COLLATE "C" NOT NULL,
    environment_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    -- SHA-256 of the secret in lower-case hexadecimal; the secret itself is stored nowhere.
    hash TEXT COLLATE "C" NOT NULL,
    display_id TEXT COLLATE "C" NOT NULL,
    -- One or more role names, separated by commas.
    roles TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    last_used_at BIGINT,
    created_at BIGINT NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, environment_id, id),
    FOREIGN KEY (tenant_id, environment_id) REFERENCES environments (tenant_id, id)
);

CREATE UNIQUE INDEX api_keys_hash ON api_keys (hash);
CREATE UNIQUE INDEX api_keys_id ON api_keys (id);

CREATE TABLE tax_rates (
    tenant_id TEXT COLLATE "C" NOT NULL,
    environment_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    code TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C",
    rate_type TEXT COLLATE "C" NOT NULL,
    -- A decimal number as text, exact to 28 digits.
    value TEXT COLLATE "C" NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    rate_status TEXT COLLATE "C" NOT NULL,
    metadata TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, environment_id, id)
);

CREATE UNIQUE INDEX tax_rates_published_code ON tax_rates (tenant_id, environment_id, code)
    WHERE status = 'published';

CREATE TABLE customers (
    tenant_id TEXT COLLATE "C" NOT NULL,
    environment_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    external_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C",
    email TEXT COLLATE "C",
    contact TEXT COLLATE "C",
    address_line1 TEXT COLLATE "C",
    address_line2 TEXT COLLATE "C",
    address_city TEXT COLLATE "C",
    address_state TEXT COLLATE "C",
    address_postal_code TEXT COLLATE "C",
    address_country TEXT COLLATE "C",
    timezone TEXT COLLATE "C" NOT NULL,
    metadata TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT COLLATE "C" NOT NULL,
    -- Without case (Unicode), for searching and sorting; empty where there is no text. The program folds, no database does.
    external_id_folded TEXT COLLATE "C" NOT NULL,
    name_folded TEXT COLLATE "C" NOT NULL,
    email_folded TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, environment_id, id)
);

CREATE UNIQUE INDEX customers_published_external_id ON customers (tenant_id, environment_id, external_id)
    WHERE status = 'published';

-- The default list, and every list by creation.
CREATE INDEX customers_created ON customers (tenant_id, environment_id, status, created_at, id);
-- Also looks one e-mail address up: folded here, then compared as it is.
CREATE INDEX customers_email ON customers (tenant_id, environment_id, email_folded, id) WHERE status = 'published';

-- A row for each pair of a customer's metadata. The first 64 bits of a SHA-256 find it; the pair itself is compared then.
CREATE TABLE customer_metadata (
    tenant_id TEXT COLLATE "C" NOT NULL,
    environment_id TEXT COLLATE "C" NOT NULL,
    pair_hash BIGINT NOT NULL,
    customer_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, environment_id, pair_hash, customer_id)
);

-- Which customer had an external id last that no published one has now.
CREATE TABLE former_external_ids (
    tenant_id TEXT COLLATE "C" NOT NULL,
    environment_id TEXT COLLATE "C" NOT NULL,
    external_id TEXT COLLATE "C" NOT NULL,
    customer_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, environment_id, external_id)
);

-- How many customers there are: the sum over the slots, of which each writer changes its own, so that none waits for another.
CREATE TABLE customer_counts (
    tenant_id TEXT COLLATE "C" NOT NULL,
    environment_id TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    slot INTEGER NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, environment_id, status, slot)
);

CREATE TABLE integration_mappings (
    tenant_id TEXT COLLATE "C" NOT NULL,
    environment_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    customer_id TEXT COLLATE "C" NOT NULL,
    provider_type TEXT COLLATE "C" NOT NULL,
    provider_entity_id TEXT COLLATE "C" NOT NULL,
    metadata TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, environment_id, id)
);

CREATE UNIQUE INDEX integration_mappings_published_provider
    ON integration_mappings (tenant_id, environment_id, customer_id, provider_type)
    WHERE status = 'published';
CREATE INDEX integration_mappings_reverse
    ON integration_mappings (tenant_id, environment_id, provider_type, provider_entity_id)
    WHERE status = 'published';
-- What was archived with a customer, for bringing it back.
CREATE INDEX integration_mappings_archived ON integration_mappings (tenant_id, environment_id, customer_id)
    WHERE status = 'archived';

CREATE TABLE tax_associations (
    tenant_id TEXT COLLATE "C" NOT NULL,
    environment_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    tax_rate_id TEXT COLLATE "C" NOT NULL,
    entity_type TEXT COLLATE "C" NOT NULL,
    -- The customer's id, or the tenant's for the defaults of the environment.
    entity_id TEXT COLLATE "C" NOT NULL,
    priority INTEGER NOT NULL,
    auto_apply BOOLEAN NOT NULL,
    -- As the client wrote it; NULL for any currency.
    currency TEXT COLLATE "C",
    -- In upper case; empty for any currency. What uniqueness goes by.
    currency_key TEXT COLLATE "C" NOT NULL,
    metadata TEXT COLLATE "C" NOT NULL,
    start_at BIGINT NOT NULL,
    end_at BIGINT,
    status TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, environment_id, id)
);

CREATE UNIQUE INDEX tax_associations_published_entity
    ON tax_associations (tenant_id, environment_id, entity_type, entity_id, tax_rate_id, currency_key)
    WHERE status = 'published';
CREATE INDEX tax_associations_archived ON tax_associations (tenant_id, environment_id, entity_type, entity_id)
    WHERE status = 'archived';
-- Whether a rate is in use. With the status, SQLite answers from the index alone, and takes it.
CREATE INDEX tax_associations_rate ON tax_associations (tenant_id, environment_id, tax_rate_id, status)
    WHERE status <> 'deleted';

-- Gives each event its position in the log, in the order of the locks on what it is about.
CREATE SEQUENCE event_positions;

CREATE TABLE events (
    tenant_id TEXT COLLATE "C" NOT NULL,
    environment_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    event_type TEXT COLLATE "C" NOT NULL,
    entity_type TEXT COLLATE "C" NOT NULL,
    entity_id TEXT COLLATE "C" NOT NULL,
    -- Numbers the entity's events without gaps, from 1.
    sequence BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    request_id TEXT COLLATE "C",
    -- What only this type of event knows, as JSON: never a personal value.
    detail TEXT COLLATE "C",
    -- Where the event stands in the log: one order over all tenants, which agrees with each entity's sequence. It has gaps.
    position BIGINT NOT NULL DEFAULT nextval('event_positions'),
    PRIMARY KEY (tenant_id, environment_id, id)
);

CREATE UNIQUE INDEX events_entity_sequence
    ON events (tenant_id, environment_id, entity_type, entity_id, sequence);
-- What readers of the log follow. Beside the primary key, because events are found by their ids as well (the records of
-- idempotency keys name them), and a third small index costs less than a wider key in each of the others.
CREATE UNIQUE INDEX events_position ON events (tenant_id, environment_id, position);

-- Apart from the envelope, so that a person's data can be erased without a hole in the log.
CREATE TABLE event_payloads (
    tenant_id TEXT COLLATE "C" NOT NULL,
    environment_id TEXT COLLATE "C" NOT NULL,
    event_id TEXT COLLATE "C" NOT NULL,
    payload TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, environment_id, event_id)
);

-- Requests that were done under a client's key: written with the work itself, and never without it.
CREATE TABLE idempotency_records (
    tenant_id TEXT COLLATE "C" NOT NULL,
    environment_id TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    -- What tells the request from others: 64 hexadecimal digits.
    fingerprint TEXT COLLATE "C" NOT NULL,
    -- The event whose frozen state was answered; of what has no events, the answer itself as JSON, without any secret.
    event_id TEXT COLLATE "C",
    answer TEXT COLLATE "C",
    at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, environment_id, key)
);

CREATE INDEX idempotency_records_at ON idempotency_records (at);

-- Who is told of an environment's events. The relay alone changes position, health and lease.
CREATE TABLE webhook_endpoints (
    tenant_id TEXT COLLATE "C" NOT NULL,
    environment_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    url TEXT COLLATE "C" NOT NULL,
    -- One or more types or patterns, separated by commas.
    event_types TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C",
    disabled_reason TEXT COLLATE "C",
    disabled_at BIGINT,
    -- Sealed with the configured key; without one, in clear.
    secret TEXT COLLATE "C" NOT NULL,
    previous_secret TEXT COLLATE "C",
    previous_until BIGINT,
    failing_since BIGINT,
    failed_rounds INTEGER NOT NULL,
    paused_until BIGINT,
    -- How far in the log everything is delivered, or written down as waiting.
    position BIGINT NOT NULL,
    lease_holder TEXT COLLATE "C",
    lease_until BIGINT,
    deleted_at BIGINT,
    created_at BIGINT NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, environment_id, id)
);

-- The command line knows an endpoint by its id alone.
CREATE UNIQUE INDEX webhook_endpoints_id ON webhook_endpoints (id);

CREATE TABLE webhook_deliveries (
    tenant_id TEXT COLLATE "C" NOT NULL,
    environment_id TEXT COLLATE "C" NOT NULL,
    endpoint_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    event_id TEXT COLLATE "C" NOT NULL,
    event_type TEXT COLLATE "C" NOT NULL,
    entity_id TEXT COLLATE "C" NOT NULL,
    position BIGINT NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    -- NULL while it waits for an earlier one of the same entity.
    next_attempt_at BIGINT,
    attempts INTEGER NOT NULL,
    last_at BIGINT,
    last_took BIGINT,
    last_status INTEGER,
    last_failure TEXT COLLATE "C",
    last_answer TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, environment_id, endpoint_id, id)
);

CREATE INDEX webhook_deliveries_waiting
    ON webhook_deliveries (tenant_id, environment_id, endpoint_id, kind, position)
    WHERE status = 'waiting';
CREATE INDEX webhook_deliveries_due
    ON webhook_deliveries (tenant_id, environment_id, endpoint_id, next_attempt_at)
    WHERE status = 'waiting';
CREATE INDEX webhook_deliveries_failed
    ON webhook_deliveries (tenant_id, environment_id, endpoint_id, id)
    WHERE status = 'failed';

-- Versions of onboarding workflows. They never change: runs keep the version they began with.
CREATE TABLE onboarding_workflows (
    tenant_id TEXT COLLATE "C" NOT NULL,
    environment_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    -- Empty for the workflow of customers that name none.
    name TEXT COLLATE "C" NOT NULL,
    -- JSON.
    steps TEXT COLLATE "C" NOT NULL,
    -- The id that the secret was sealed for.
    secret_id TEXT COLLATE "C" NOT NULL,
    secret TEXT COLLATE "C" NOT NULL,
    -- published: new customers get it.
    status TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, environment_id, id)
);

CREATE UNIQUE INDEX onboarding_workflows_published
    ON onboarding_workflows (tenant_id, environment_id, name)
    WHERE status = 'published';

CREATE TABLE onboarding_runs (
    tenant_id TEXT COLLATE "C" NOT NULL,
    environment_id TEXT COLLATE "C" NOT NULL,
    customer_id TEXT COLLATE "C" NOT NULL,
    workflow_id TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    step INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    -- When there is something to do for it; while somebody holds it, when that ends.
    due_at BIGINT,
    failure TEXT COLLATE "C",
    -- JSON: what the links to come take from the last answer; NULL for nothing.
    taken TEXT COLLATE "C",
    holder TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, environment_id, customer_id)
);

CREATE INDEX onboarding_runs_due ON onboarding_runs (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX onboarding_runs_failed ON onboarding_runs (tenant_id, environment_id, customer_id) WHERE state = 'failed';
