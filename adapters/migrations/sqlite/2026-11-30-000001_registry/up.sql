-- The tables are private: people who report read the views at the end. Their columns are the contract, the tables are not.
--
-- Times are microseconds since the Unix epoch, UTC. Ids are 16 bytes, without the prefix that they have at the edges. Words
-- (statuses, kinds) are small numbers, which `adapters/src/persistence/word.rs` decodes. Every primary key and unique index of an
-- environment's data leads with the environment, so tables can be distributed by it.

-- Which small number stands for an environment in every other table. A number is never given twice. Environments that an
-- embedding application keeps itself have a row here too, and none in `environments`.
CREATE TABLE owners (
    -- Leads the keys of everything that belongs to the environment.
    environment INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    tenant_id BLOB NOT NULL,
    environment_id BLOB NOT NULL,
    UNIQUE (environment_id)
) STRICT;

CREATE TABLE tenants (
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;

CREATE TABLE environments (
    id BLOB NOT NULL,
    tenant_id BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (tenant_id) REFERENCES tenants (id)
) STRICT, WITHOUT ROWID;

CREATE TABLE api_keys (
    id BLOB NOT NULL,
    environment INTEGER NOT NULL,
    -- SHA-256 of the secret, which is stored nowhere.
    hash BLOB NOT NULL,
    revoked_at INTEGER,
    last_used_at INTEGER,
    created_at INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (hash)
) STRICT, WITHOUT ROWID;

-- One row an environment, which a transaction locks last: it orders the environment's events and counts its customers. The row
-- 0 is no environment's: it comes with the first tenant, and its key lets two servers that start at once make only one.
CREATE TABLE logs (
    environment INTEGER NOT NULL,
    -- Changes when the log was taken back, as by a restore.
    epoch INTEGER NOT NULL,
    -- Of the last event.
    position INTEGER NOT NULL,
    -- The log's own time: later with each event, whatever the clocks of servers say.
    at INTEGER NOT NULL,
    -- Of the last event; foreseen for the tamper-evident log.
    hash BLOB,
    -- How many customers are published.
    published INTEGER NOT NULL,
    archived INTEGER NOT NULL,
    PRIMARY KEY (environment)
) STRICT, WITHOUT ROWID;

CREATE TABLE tax_rates (
    environment INTEGER NOT NULL,
    id BLOB NOT NULL,
    code TEXT NOT NULL,
    status INTEGER NOT NULL,
    rate_status INTEGER NOT NULL,
    scope INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (environment, id)
) STRICT, WITHOUT ROWID;

-- The tax associations that new customers take over.
CREATE TABLE tax_defaults (
    environment INTEGER NOT NULL,
    id BLOB NOT NULL,
    tax_rate BLOB NOT NULL,
    -- Upper case; empty for any currency.
    currency TEXT NOT NULL,
    status INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (environment, id)
) STRICT, WITHOUT ROWID;

-- A customer with everything that belongs to it, as one document. The columns beside it order, compare or filter.
CREATE TABLE customers (
    environment INTEGER NOT NULL,
    id BLOB NOT NULL,
    external_id TEXT NOT NULL,
    status INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- Without case; NULL where it is the external id itself.
    external_id_folded TEXT,
    -- Without case; empty where there is none.
    name_folded TEXT NOT NULL,
    email_folded TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (environment, id)
) STRICT;

-- Everything that customers are found by. A pure function of the document says what is in it.
CREATE TABLE customer_index (
    environment INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    key BLOB NOT NULL,
    customer BLOB NOT NULL,
    PRIMARY KEY (environment, kind, key, customer)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    environment INTEGER NOT NULL,
    -- 1, 2, 3 … without gaps in each environment.
    position INTEGER NOT NULL,
    id BLOB NOT NULL,
    entity_kind INTEGER NOT NULL,
    entity BLOB NOT NULL,
    -- Numbers the entity's events without gaps, from 1.
    sequence INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    at INTEGER NOT NULL,
    -- The log's own time.
    logged_at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    request_id TEXT,
    trace_id TEXT,
    source INTEGER,
    -- What this type of event tells beside the state. Never a personal value.
    detail TEXT,
    -- The state after the change; NULL once it was erased.
    document TEXT,
    salt BLOB,
    hash BLOB,
    PRIMARY KEY (environment, position)
) STRICT;

-- Requests that were done under an idempotency key.
CREATE TABLE kept_answers (
    environment INTEGER NOT NULL,
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    at INTEGER NOT NULL,
    -- The event whose state was answered; else the answer itself, without any secret.
    event BLOB,
    kind TEXT,
    answer TEXT,
    PRIMARY KEY (environment, key)
) STRICT;

-- The relay alone changes position and lease.
CREATE TABLE webhook_endpoints (
    environment INTEGER NOT NULL,
    id BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    disabled INTEGER NOT NULL,
    paused_until INTEGER,
    -- Everything up to here is delivered, or stored as waiting.
    position INTEGER NOT NULL,
    lease_holder TEXT,
    lease_until INTEGER,
    deleted_at INTEGER,
    document TEXT NOT NULL,
    PRIMARY KEY (environment, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE webhook_deliveries (
    environment INTEGER NOT NULL,
    endpoint BLOB NOT NULL,
    id BLOB NOT NULL,
    kind INTEGER NOT NULL,
    event BLOB NOT NULL,
    event_type TEXT NOT NULL,
    entity TEXT NOT NULL,
    position INTEGER NOT NULL,
    status INTEGER NOT NULL,
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
    PRIMARY KEY (environment, endpoint, id)
) STRICT, WITHOUT ROWID;

-- Versions of workflows. They never change: a run keeps the version it began with.
CREATE TABLE onboarding_workflows (
    environment INTEGER NOT NULL,
    id BLOB NOT NULL,
    -- Empty for the workflow of customers that name none.
    name TEXT NOT NULL,
    -- 0: new customers get it.
    status INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (environment, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE onboarding_runs (
    environment INTEGER NOT NULL,
    customer BLOB NOT NULL,
    state INTEGER NOT NULL,
    -- When there is something to do; while it is leased, when the lease ends.
    due_at INTEGER,
    holder TEXT,
    document TEXT NOT NULL,
    PRIMARY KEY (environment, customer)
) STRICT, WITHOUT ROWID;


-- Only published rows compete for what is unique: these indexes decide races.
CREATE UNIQUE INDEX tax_rates_code ON tax_rates (environment, code) WHERE status = 0;
CREATE UNIQUE INDEX tax_defaults_rate ON tax_defaults (environment, tax_rate, currency) WHERE status = 0;
CREATE UNIQUE INDEX customers_external_id ON customers (environment, external_id) WHERE status = 0;
CREATE INDEX customers_created ON customers (environment, status, created_at, id);
CREATE INDEX customers_email ON customers (environment, email_folded, id) WHERE status = 0;
CREATE UNIQUE INDEX events_id ON events (environment, id);
CREATE UNIQUE INDEX events_entity ON events (environment, entity, sequence);
CREATE INDEX environments_tenant ON environments (tenant_id);
CREATE INDEX api_keys_environment ON api_keys (environment);
CREATE INDEX kept_answers_at ON kept_answers (environment, at);
-- The command line knows an endpoint by its id alone.
CREATE INDEX webhook_endpoints_id ON webhook_endpoints (id);
-- The partial indexes hold what waits (0), what failed (2), and runs that need a person.
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (environment, endpoint, kind, position) WHERE status = 0;
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (environment, endpoint, next_attempt_at) WHERE status = 0;
CREATE INDEX webhook_deliveries_failed ON webhook_deliveries (environment, endpoint, id) WHERE status = 2;
CREATE UNIQUE INDEX onboarding_workflows_name ON onboarding_workflows (environment, name) WHERE status = 0;
CREATE INDEX onboarding_runs_due ON onboarding_runs (environment, due_at) WHERE due_at IS NOT NULL;
