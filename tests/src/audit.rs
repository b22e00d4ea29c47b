//! Whether a database is whole: nothing half done, nothing twice, and the counts right. Looks past the program.

use crate::patron::Place;

/// What no row may be, as queries that count those which are.
const FAULTS: [(&str, &str); 14] = [
    (
        "customers without all the events of their version, numbered from 1 without gaps",
        "SELECT count(*) FROM customers c WHERE c.version <> (SELECT count(*) FROM events e WHERE \
         e.tenant_id = c.tenant_id AND e.environment_id = c.environment_id AND e.entity_type = 'customer' \
         AND e.entity_id = c.id AND e.sequence BETWEEN 1 AND c.version)",
    ),
    (
        "events without their customer, or newer than it",
        "SELECT count(*) FROM events e WHERE e.entity_type = 'customer' AND NOT EXISTS (SELECT 1 FROM customers c \
         WHERE c.tenant_id = e.tenant_id AND c.environment_id = e.environment_id AND c.id = e.entity_id \
         AND e.sequence <= c.version)",
    ),
    (
        "tax rates without all the events of their version",
        "SELECT count(*) FROM tax_rates r WHERE r.version <> (SELECT count(*) FROM events e WHERE \
         e.tenant_id = r.tenant_id AND e.environment_id = r.environment_id AND e.entity_type = 'tax_rate' \
         AND e.entity_id = r.id AND e.sequence BETWEEN 1 AND r.version)",
    ),
    (
        "things whose events are not numbered from 1 without gaps, in the order of the log",
        "SELECT count(*) FROM (SELECT e.sequence, row_number() OVER (PARTITION BY e.tenant_id, e.environment_id, \
         e.entity_type, e.entity_id ORDER BY e.position) AS number FROM events e) AS numbered WHERE sequence <> number",
    ),
    (
        "events without a payload",
        "SELECT count(*) FROM events e WHERE NOT EXISTS (SELECT 1 FROM event_payloads p WHERE \
         p.tenant_id = e.tenant_id AND p.environment_id = e.environment_id AND p.event_id = e.id)",
    ),
    (
        "payloads without an event",
        "SELECT count(*) FROM event_payloads p WHERE NOT EXISTS (SELECT 1 FROM events e WHERE \
         p.tenant_id = e.tenant_id AND p.environment_id = e.environment_id AND p.event_id = e.id)",
    ),
    (
        "mappings without their customer",
        "SELECT count(*) FROM integration_mappings m WHERE NOT EXISTS (SELECT 1 FROM customers c WHERE \
         c.tenant_id = m.tenant_id AND c.environment_id = m.environment_id AND c.id = m.customer_id)",
    ),
    (
        "associations without their customer",
        "SELECT count(*) FROM tax_associations a WHERE a.entity_type = 'customer' AND NOT EXISTS (SELECT 1 FROM \
         customers c WHERE c.tenant_id = a.tenant_id AND c.environment_id = a.environment_id AND c.id = a.entity_id)",
    ),
    (
        "onboarding runs without their customer",
        "SELECT count(*) FROM onboarding_runs r WHERE NOT EXISTS (SELECT 1 FROM customers c WHERE \
         c.tenant_id = r.tenant_id AND c.environment_id = r.environment_id AND c.id = r.customer_id)",
    ),
    (
        "onboarding runs without their version of a workflow",
        "SELECT count(*) FROM onboarding_runs r WHERE NOT EXISTS (SELECT 1 FROM onboarding_workflows w WHERE \
         w.tenant_id = r.tenant_id AND w.environment_id = r.environment_id AND w.id = r.workflow_id)",
    ),
    (
        "onboarding runs that nobody would ever take up again",
        "SELECT count(*) FROM onboarding_runs r WHERE r.state IN ('pending', 'running', 'waiting') AND r.due_at IS NULL",
    ),
    (
        "idempotency records without their event",
        "SELECT count(*) FROM idempotency_records r WHERE r.answer IS NULL AND NOT EXISTS (SELECT 1 FROM events e WHERE \
         e.tenant_id = r.tenant_id AND e.environment_id = r.environment_id AND e.id = r.event_id)",
    ),
    (
        "full customers without their one mapping, one association, one event and one idempotency record",
        "SELECT count(*) FROM customers c WHERE c.name = 'Grace Hopper GmbH' AND NOT (1 = (SELECT count(*) FROM \
         integration_mappings m WHERE m.tenant_id = c.tenant_id AND m.environment_id = c.environment_id \
         AND m.customer_id = c.id AND m.status = 'published') AND 1 = (SELECT count(*) FROM tax_associations a WHERE \
         a.tenant_id = c.tenant_id AND a.environment_id = c.environment_id AND a.entity_type = 'customer' \
         AND a.entity_id = c.id AND a.status = 'published') AND 1 = (SELECT count(*) FROM events e JOIN \
         idempotency_records r ON r.tenant_id = e.tenant_id AND r.environment_id = e.environment_id AND \
         r.key = c.external_id AND r.event_id = e.id WHERE e.tenant_id = c.tenant_id AND \
         e.environment_id = c.environment_id AND e.entity_type = 'customer' AND e.entity_id = c.id AND e.sequence = 1))",
    ),
    (
        "environments with another number of customers of a status than they count",
        "SELECT count(*) FROM (SELECT tenant_id, environment_id, status FROM (SELECT tenant_id, environment_id, status, \
         count AS number FROM customer_counts UNION ALL SELECT tenant_id, environment_id, status, -count(*) AS number \
         FROM customers GROUP BY tenant_id, environment_id, status) AS numbers GROUP BY tenant_id, environment_id, status \
         HAVING sum(number) <> 0) AS wrong",
    ),
];

/// Checks that the database of a place is whole. Nothing may be writing to it, and customers with every field have to be
/// made under idempotency keys that are their external ids.
pub async fn is_whole(place: &Place) {
    for (fault, query) in FAULTS {
        assert_eq!(place.number(query).await, 0, "{fault}");
    }
}

/// How many customers with every field there are.
pub async fn full_customers(place: &Place) -> i64 {
    place.number("SELECT count(*) FROM customers WHERE name = 'Grace Hopper GmbH'").await
}
