-- Tenants, environments, API keys, customers with all that belongs to them, and events.
--
-- Times are microseconds since the Unix epoch, UTC. Metadata and payloads are JSON text. Booleans are 0 and 1.
-- Every table of an environment leads with tenant and environment in its keys, so it can be distributed by tenant.
-- Tables with wide rows have row ids: WITHOUT ROWID, a row would be a node of the tree that look-ups walk, and few fit a page.
-- Only the published rows of a table compete for what is unique: the partial unique indexes decide races.

CREATE TABLE tenants (
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;

CREATE TABLE environments (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- Authentication and the command line know an environment by its id alone.
CREATE UNIQUE INDEX environments_id ON environments (id);

CREATE TABLE api_keys (
    tenant_id TEXT NOT NULL,
    environment_id TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    -- SHA-256 of the secret in lower-case hexadecimal; the secret itself is stored nowhere.
    hash TEXT NOT NULL,
    display_id TEXT NOT NULL,
    -- One or more role names, separated by commas.
    roles TEXT NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    last_used_at INTEGER,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    PRIMARY KEY (tenant_id, environment_id, id),
    FOREIGN KEY (tenant_id, environment_id) REFERENCES environments (tenant_id, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX api_keys_hash ON api_keys (hash);
CREATE UNIQUE INDEX api_keys_id ON api_keys (id);

CREATE TABLE tax_rates (
    tenant_id TEXT NOT NULL,
    environment_id TEXT NOT NULL,
    id TEXT NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    rate_type TEXT NOT NULL,
    -- A decimal number as text, exact to 28 digits.
    value TEXT NOT NULL,
    scope TEXT NOT NULL,
    rate_status TEXT NOT NULL,
    metadata TEXT NOT NULL,
    status TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    PRIMARY KEY (tenant_id, environment_id, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX tax_rates_published_code ON tax_rates (tenant_id, environment_id, code)
    WHERE status = 'published';

CREATE TABLE customers (
    tenant_id TEXT NOT NULL,
    environment_id TEXT NOT NULL,
    id TEXT NOT NULL,
    external_id TEXT NOT NULL,
    name TEXT,
    email TEXT,
    contact TEXT,
    address_line1 TEXT,
    address_line2 TEXT,
    address_city TEXT,
    address_state TEXT,
    address_postal_code TEXT,
    address_country TEXT,
    timezone TEXT NOT NULL,
    metadata TEXT NOT NULL,
    status TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    -- Without case (Unicode), for searching and sorting; empty where there is no text. The program folds, no database does.
    external_id_folded TEXT NOT NULL,
    name_folded TEXT NOT NULL,
    email_folded TEXT NOT NULL,
    PRIMARY KEY (tenant_id, environment_id, id)
) STRICT;

CREATE UNIQUE INDEX customers_published_external_id ON customers (tenant_id, environment_id, external_id)
    WHERE status = 'published';

-- The default list, and every list by creation.
CREATE INDEX customers_created ON customers (tenant_id, environment_id, status, created_at, id);
-- Also looks one e-mail address up: folded here, then compared as it is.
CREATE INDEX customers_email ON customers (tenant_id, environment_id, email_folded, id) WHERE status = 'published';

-- A row for each pair of a customer's metadata. The first 64 bits of a SHA-256 find it; the pair itself is compared then.
CREATE TABLE customer_metadata (
    tenant_id TEXT NOT NULL,
    environment_id TEXT NOT NULL,
    pair_hash INTEGER NOT NULL,
    customer_id TEXT NOT NULL,
    PRIMARY KEY (tenant_id, environment_id, pair_hash, customer_id)
) STRICT, WITHOUT ROWID;

-- Which customer had an external id last that no published one has now.
CREATE TABLE former_external_ids (
    tenant_id TEXT NOT NULL,
    environment_id TEXT NOT NULL,
    external_id TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    PRIMARY KEY (tenant_id, environment_id, external_id)
) STRICT, WITHOUT ROWID;

-- How many customers there are: the sum over the slots, of which each writer changes its own, so that none waits for another.
CREATE TABLE customer_counts (
    tenant_id TEXT NOT NULL,
    environment_id TEXT NOT NULL,
    status TEXT NOT NULL,
    slot INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, environment_id, status, slot)
) STRICT, WITHOUT ROWID;

-- Together with the others of its customer, by whom it is mostly looked up: one tree to walk rather than two. Its rows are
-- narrow enough for that, and nothing knows a mapping by its id alone.
CREATE TABLE integration_mappings (
    tenant_id TEXT NOT NULL,
    environment_id TEXT NOT NULL,
    id TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    provider_type TEXT NOT NULL,
    provider_entity_id TEXT NOT NULL,
    metadata TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    PRIMARY KEY (tenant_id, environment_id, customer_id, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX integration_mappings_published_provider
    ON integration_mappings (tenant_id, environment_id, customer_id, provider_type)
    WHERE status = 'published';
CREATE INDEX integration_mappings_reverse
    ON integration_mappings (tenant_id, environment_id, provider_type, provider_entity_id)
    WHERE status = 'published';

CREATE TABLE tax_associations (
    tenant_id TEXT NOT NULL,
    environment_id TEXT NOT NULL,
    id TEXT NOT NULL,
    tax_rate_id TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    -- The customer's id, or the tenant's for the defaults of the environment.
    entity_id TEXT NOT NULL,
    priority INTEGER NOT NULL,
    auto_apply INTEGER NOT NULL,
    -- As the client wrote it; NULL for any currency.
    currency TEXT,
    -- In upper case; empty for any currency. What uniqueness goes by.
    currency_key TEXT NOT NULL,
    metadata TEXT NOT NULL,
    start_at INTEGER NOT NULL,
    end_at INTEGER,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    PRIMARY KEY (tenant_id, environment_id, id)
) STRICT;

CREATE UNIQUE INDEX tax_associations_published_entity
    ON tax_associations (tenant_id, environment_id, entity_type, entity_id, tax_rate_id, currency_key)
    WHERE status = 'published';
CREATE INDEX tax_associations_archived ON tax_associations (tenant_id, environment_id, entity_type, entity_id)
    WHERE status = 'archived';
-- Whether a rate is in use. With the status, SQLite answers from the index alone, and takes it.
CREATE INDEX tax_associations_rate ON tax_associations (tenant_id, environment_id, tax_rate_id, status)
    WHERE status <> 'deleted';

CREATE TABLE events (
    tenant_id TEXT NOT NULL,
    environment_id TEXT NOT NULL,
    id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    -- Numbers the entity's events without gaps, from 1.
    sequence INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    request_id TEXT,
    -- What only this type of event knows, as JSON: never a personal value.
    detail TEXT,
    -- Where the event stands in the log: one order over all tenants, which agrees with each entity's sequence. It has gaps.
    -- One more than the last: so the last event is never removed.
    position INTEGER NOT NULL PRIMARY KEY,
    UNIQUE (tenant_id, environment_id, id)
) STRICT;

CREATE UNIQUE INDEX events_entity_sequence
    ON events (tenant_id, environment_id, entity_type, entity_id, sequence);
-- What readers of the log follow.
CREATE UNIQUE INDEX events_position ON events (tenant_id, environment_id, position);

-- Apart from the envelope, so that a person's data can be erased without a hole in the log.
CREATE TABLE event_payloads (
    tenant_id TEXT NOT NULL,
    environment_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (tenant_id, environment_id, event_id)
) STRICT;

-- Requests that were done under a client's key: written with the work itself, and never without it. They are appended
-- in their order: where keys are random, no more than the index of keys is written at random.
CREATE TABLE idempotency_records (
    tenant_id TEXT NOT NULL,
    environment_id TEXT NOT NULL,
    key TEXT NOT NULL,
    -- What tells the request from others: 64 hexadecimal digits.
    fingerprint TEXT NOT NULL,
    -- The event whose frozen state was answered; of what has no events, the answer itself as JSON, without any secret.
    event_id TEXT,
    answer TEXT,
    at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, environment_id, key)
) STRICT;

CREATE INDEX idempotency_records_at ON idempotency_records (at);

-- Who is told of an environment's events. The relay alone changes position, health and lease.
CREATE TABLE webhook_endpoints (
    tenant_id TEXT NOT NULL,
    environment_id TEXT NOT NULL,
    id TEXT NOT NULL,
    url TEXT NOT NULL,
    -- One or more types or patterns, separated by commas.
    event_types TEXT NOT NULL,
    description TEXT,
    disabled_reason TEXT,
    disabled_at INTEGER,
    -- Sealed with the configured key; without one, in clear.
    secret TEXT NOT NULL,
    previous_secret TEXT,
    previous_until INTEGER,
    failing_since INTEGER,
    failed_rounds INTEGER NOT NULL,
    paused_until INTEGER,
    -- How far in the log everything is delivered, or written down as waiting.
    position INTEGER NOT NULL,
    lease_holder TEXT,
    lease_until INTEGER,
    deleted_at INTEGER,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    PRIMARY KEY (tenant_id, environment_id, id)
) STRICT, WITHOUT ROWID;

-- The command line knows an endpoint by its id alone.
CREATE UNIQUE INDEX webhook_endpoints_id ON webhook_endpoints (id);

CREATE TABLE webhook_deliveries (
    tenant_id TEXT NOT NULL,
    environment_id TEXT NOT NULL,
    endpoint_id TEXT NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    event_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    status TEXT NOT NULL,
    -- NULL while it waits for an earlier one of the same entity.
    next_attempt_at INTEGER,
    attempts INTEGER NOT NULL,
    last_at INTEGER,
    last_took INTEGER,
    last_status INTEGER,
    last_failure TEXT,
    last_answer TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, environment_id, endpoint_id, id)
) STRICT, WITHOUT ROWID;

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
    tenant_id TEXT NOT NULL,
    environment_id TEXT NOT NULL,
    id TEXT NOT NULL,
    -- Empty for the workflow of customers that name none.
    name TEXT NOT NULL,
    -- JSON.
    steps TEXT NOT NULL,
    -- The id that the secret was sealed for.
    secret_id TEXT NOT NULL,
    secret TEXT NOT NULL,
    -- published: new customers get it.
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    PRIMARY KEY (tenant_id, environment_id, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX onboarding_workflows_published
    ON onboarding_workflows (tenant_id, environment_id, name)
    WHERE status = 'published';

CREATE TABLE onboarding_runs (
    tenant_id TEXT NOT NULL,
    environment_id TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    workflow_id TEXT NOT NULL,
    state TEXT NOT NULL,
    step INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    -- When there is something to do for it; while somebody holds it, when that ends.
    due_at INTEGER,
    failure TEXT,
    -- JSON: what the links to come take from the last answer; NULL for nothing.
    taken TEXT,
    holder TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, environment_id, customer_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX onboarding_runs_due ON onboarding_runs (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX onboarding_runs_failed ON onboarding_runs (tenant_id, environment_id, customer_id) WHERE state = 'failed';

-- What the planner takes for the truth: one large environment. Without it a few customers are guessed to share a status,
-- and a whole environment is read in order of creation where an index would find one row. Nobody else runs ANALYZE.
ANALYZE;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('customers', 'sqlite_autoindex_customers_1', '1000000 1000000 1000000 1'),
    ('customers', 'customers_published_external_id', '1000000 1000000 1000000 1'),
    ('customers', 'customers_created', '1000000 1000000 1000000 900000 2 1'),
    ('customers', 'customers_email', '1000000 1000000 1000000 2 1'),
    ('customer_metadata', 'customer_metadata', '3000000 3000000 3000000 10 1'),
    ('integration_mappings', 'integration_mappings', '1000000 1000000 1000000 2 1'),
    ('integration_mappings', 'integration_mappings_published_provider', '1000000 1000000 1000000 2 1'),
    ('integration_mappings', 'integration_mappings_reverse', '1000000 1000000 1000000 10000 2'),
    ('tax_associations', 'sqlite_autoindex_tax_associations_1', '1000000 1000000 1000000 1'),
    ('tax_associations', 'tax_associations_published_entity', '1000000 1000000 1000000 1000000 2 1 1'),
    ('tax_associations', 'tax_associations_archived', '100000 100000 100000 100000 2'),
    ('tax_associations', 'tax_associations_rate', '1000000 1000000 1000000 10000 10000'),
    ('tax_rates', 'tax_rates', '1000 1000 1000 1'),
    ('tax_rates', 'tax_rates_published_code', '1000 1000 1000 1'),
    ('events', 'sqlite_autoindex_events_1', '1000000 1000000 1000000 1'),
    ('events', 'events_entity_sequence', '1000000 1000000 1000000 1000000 2 1'),
    ('events', 'events_position', '1000000 1000000 1000000 1'),
    ('event_payloads', 'sqlite_autoindex_event_payloads_1', '1000000 1000000 1000000 1'),
    ('former_external_ids', 'former_external_ids', '10000 10000 10000 1'),
    ('idempotency_records', 'sqlite_autoindex_idempotency_records_1', '1000000 1000000 1000000 1'),
    ('idempotency_records', 'idempotency_records_at', '1000000 2'),
    ('webhook_endpoints', 'webhook_endpoints', '100 100 100 1'),
    ('webhook_endpoints', 'webhook_endpoints_id', '100 1'),
    ('webhook_deliveries', 'webhook_deliveries', '1000000 1000000 1000000 100000 1'),
    ('webhook_deliveries', 'webhook_deliveries_waiting', '1000 1000 1000 100 100 1'),
    ('webhook_deliveries', 'webhook_deliveries_due', '1000 1000 1000 100 2'),
    ('webhook_deliveries', 'webhook_deliveries_failed', '1000 1000 1000 100 1'),
    ('onboarding_workflows', 'onboarding_workflows', '100 100 100 1'),
    ('onboarding_workflows', 'onboarding_workflows_published', '100 100 100 1'),
    ('onboarding_runs', 'onboarding_runs', '1000000 1000000 1000000 1'),
    ('onboarding_runs', 'onboarding_runs_due', '1000 2'),
    ('onboarding_runs', 'onboarding_runs_failed', '1000 1000 1000 1');
