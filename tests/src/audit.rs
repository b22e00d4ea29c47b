//! Checks that a database is consistent: no partial or duplicate writes, correct counts. Reads the tables directly.

use std::collections::{BTreeMap, BTreeSet};

use patron_domain::{
    custom_field::{CustomFieldDefinition, UniqueValue},
    customer::{CustomerAggregate, IndexEntry, IndexKind},
    ids::{EnvironmentId, TenantId, WorkflowId},
    lifecycle::{Owner, Status},
    stored::Stored,
};
use rusqlite::types::Value;
use sha2::{Digest, Sha256};

use crate::{
    patron::Place,
    rows::{bytes, number, text},
};

/// The name of the customers of [`requests::full`](crate::requests::full).
const FULL: &str = "Grace Hopper GmbH";

/// Queries that count rows breaking an invariant; each must return 0. Entity kind 1 is a customer, kind 2 a tax rate.
const FAULTS: [(&str, &str); 16] = [
    (
        "customers that are suppressed or erased and have a row, index entries or an onboarding run",
        "SELECT count(*) FROM deletion_requests d WHERE d.state <> 4 AND (EXISTS (SELECT 1 FROM customers c WHERE \
         c.environment = d.environment AND c.id = d.customer) OR EXISTS (SELECT 1 FROM customer_index i WHERE \
         i.environment = d.environment AND i.customer = d.customer) OR EXISTS (SELECT 1 FROM onboarding_runs r WHERE \
         r.environment = d.environment AND r.customer = d.customer))",
    ),
    (
        "completed erasures that left data, or without their last event",
        "SELECT count(*) FROM deletion_requests d WHERE d.state = 2 AND (EXISTS (SELECT 1 FROM suppressed_customers s \
         WHERE s.environment = d.environment AND s.id = d.customer) OR EXISTS (SELECT 1 FROM events e WHERE \
         e.environment = d.environment AND e.entity = d.customer AND e.document IS NOT NULL) OR 1 <> (SELECT count(*) \
         FROM events e WHERE e.environment = d.environment AND e.entity = d.customer AND e.kind = 14))",
    ),
    (
        "customers without all the events of their version, numbered from 1 without gaps",
        "SELECT count(*) FROM customers c WHERE c.version <> (SELECT count(*) FROM events e WHERE \
         e.environment = c.environment AND e.entity_kind = 1 AND e.entity = c.id AND e.sequence BETWEEN 1 AND c.version)",
    ),
    (
        "events without their customer, or newer than it",
        "SELECT count(*) FROM events e WHERE e.entity_kind = 1 AND NOT EXISTS (SELECT 1 FROM customers c \
         WHERE c.environment = e.environment AND c.id = e.entity AND e.sequence <= c.version) AND NOT EXISTS (SELECT 1 \
         FROM deletion_requests d WHERE d.environment = e.environment AND d.customer = e.entity AND d.state <> 4)",
    ),
    (
        "customers whose last event is missing or wrongly holds a document",
        "SELECT count(*) FROM customers c WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.environment = c.environment \
         AND e.entity = c.id AND e.sequence = c.version AND e.document IS NULL)",
    ),
    (
        "customers whose columns differ from their documents",
        "SELECT count(*) FROM customers WHERE external_id <> document ->> 'external_id' \
         OR version <> coalesce(CAST(document ->> 'version' AS BIGINT), 1) \
         OR created_at <> CAST(document ->> 'created_at' AS BIGINT) OR status <> CASE \
         coalesce(document ->> 'status', 'published') WHEN 'published' THEN 0 WHEN 'archived' THEN 1 ELSE 2 END",
    ),
    (
        "tax rates without all the events of their version",
        "SELECT count(*) FROM tax_rates r WHERE coalesce(CAST(r.document ->> 'version' AS BIGINT), 1) <> (SELECT count(*) \
         FROM events e WHERE e.environment = r.environment AND e.entity_kind = 2 AND e.entity = r.id)",
    ),
    (
        "entities whose events are not numbered from 1 without gaps, in the order of the log",
        "SELECT count(*) FROM (SELECT e.sequence, row_number() OVER (PARTITION BY e.environment, e.entity \
         ORDER BY e.position) AS number FROM events e) AS numbered WHERE sequence <> number",
    ),
    (
        "logs with gaps",
        "SELECT count(*) FROM (SELECT environment FROM events GROUP BY environment \
         HAVING count(*) <> max(position) - min(position) + 1) AS broken",
    ),
    (
        "events in environments whose log does not end at their last event",
        "SELECT count(*) FROM events e WHERE NOT EXISTS (SELECT 1 FROM logs l WHERE l.environment = e.environment \
         AND l.position = (SELECT max(position) FROM events n WHERE n.environment = l.environment))",
    ),
    (
        "logs whose hash is not that of their last event",
        "SELECT count(*) FROM logs l JOIN events e ON e.environment = l.environment AND e.position = l.position \
         WHERE e.hash <> l.hash",
    ),
    (
        "events that the log has not later than the one before",
        "SELECT count(*) FROM events e JOIN events n ON n.environment = e.environment AND n.position = e.position + 1 \
         WHERE n.logged_at <= e.logged_at",
    ),
    (
        "events without the state after them",
        // Suppressing, unsuppressing and erasing (12 to 14) have none, and an erasure takes those of other events.
        "SELECT count(*) FROM events e WHERE document IS NULL AND kind NOT IN (12, 13, 14) AND NOT EXISTS (SELECT 1 FROM \
         customers c WHERE c.environment = e.environment AND c.id = e.entity AND c.version = e.sequence) AND NOT EXISTS \
         (SELECT 1 FROM deletion_requests d WHERE d.environment = e.environment AND d.customer = e.entity AND d.state IN \
         (1, 2, 3))",
    ),
    (
        "environments whose customer counts by status are wrong",
        "SELECT count(*) FROM logs l WHERE l.published <> (SELECT count(*) FROM customers c WHERE \
         c.environment = l.environment AND c.status = 0) OR l.archived <> (SELECT count(*) FROM customers c WHERE \
         c.environment = l.environment AND c.status = 1)",
    ),
    (
        "onboarding runs without their customer, or that no server would ever resume",
        "SELECT count(*) FROM onboarding_runs r WHERE (r.state <= 2 AND r.due_at IS NULL) OR NOT EXISTS (SELECT 1 FROM \
         customers c WHERE c.environment = r.environment AND c.id = r.customer)",
    ),
    (
        // Keys with this prefix belong to no client: they identify a transaction whose commit got no answer.
        "stored answers without their event",
        "SELECT count(*) FROM kept_answers r WHERE r.answer IS NULL AND r.event IS NOT NULL AND r.key >= ' ' AND NOT EXISTS (SELECT 1 FROM events e \
         WHERE e.environment = r.environment AND e.id = r.event)",
    ),
];

/// Full customers not created exactly once under a key equal to their external id.
const NOT_ONCE: &str = "SELECT count(*) FROM customers c WHERE c.document ->> 'name' = 'Grace Hopper GmbH' AND 1 <> (SELECT count(*) FROM \
    events e JOIN kept_answers r ON r.environment = e.environment AND r.key = c.external_id AND r.event = e.id WHERE \
    e.environment = c.environment AND e.entity_kind = 1 AND e.entity = c.id AND e.sequence = 1)";

/// Checks that a database is consistent. Nothing may write to it meanwhile, and each customer with every field must have
/// been created under an idempotency key equal to its external id.
pub async fn is_whole(place: &Place) {
    assert_eq!(place.number(NOT_ONCE).await, 0, "full customers not created exactly once under their key");
    is_consistent(place).await;
}

/// The same, without the rule about idempotency keys.
pub async fn is_consistent(place: &Place) {
    for (fault, query) in FAULTS {
        assert_eq!(place.number(query).await, 0, "{fault}");
    }
    is_found_as_documents_say(place).await;
    workflows_are_there(place).await;
}

/// The number of customers with every field.
pub async fn full_customers(place: &Place) -> i64 {
    place.number(&format!("SELECT count(*) FROM customers WHERE document ->> 'name' = '{FULL}'")).await
}

/// Checks that the index matches the customers' documents exactly, and that each full customer has one mapping and one
/// association.
async fn is_found_as_documents_say(place: &Place) {
    let owners = place.rows("SELECT environment, tenant_id, environment_id FROM owners").await;
    let owners: BTreeMap<i64, Owner> = owners.iter().map(|row| (number(&row[0]), owner(row))).collect();
    let mut definitions: BTreeMap<i64, Vec<CustomFieldDefinition>> = BTreeMap::new();
    for row in place.rows("SELECT environment, document FROM custom_fields").await {
        let environment = number(&row[0]);
        let definition = CustomFieldDefinition::from_document(owners[&environment], text(&row[1])).expect("a document");
        definitions.entry(environment).or_default().push(definition);
    }
    let mut expected = BTreeSet::new();
    for row in place.rows("SELECT environment, id, document FROM customers").await {
        let (environment, id) = (number(&row[0]), bytes(&row[1]).to_vec());
        let aggregate = CustomerAggregate::from_document(owners[&environment], text(&row[2])).expect("a document");
        assert_eq!(
            aggregate.customer.id.uuid().as_bytes().as_slice(),
            id,
            "the ids of a row and of its document differ"
        );
        let unique = UniqueValue::all_of(&aggregate, definitions.get(&environment).map_or(&[], Vec::as_slice));
        let unique = unique.iter().map(UniqueValue::entry);
        let entries: BTreeSet<_> = aggregate.index_entries().into_iter().chain(unique).collect();
        expected
            .extend(entries.iter().map(|entry| (environment, entry.kind.code().into(), index_key(entry), id.clone())));
        if aggregate.customer.profile.name.is_some_and(|name| name.as_str() == FULL) {
            let live = aggregate.mappings.iter().filter(|mapping| mapping.status == Status::Published).count();
            assert_eq!((live, aggregate.associations.len()), (1, 1), "mappings and associations of a full customer");
        }
    }
    let found = place.rows("SELECT environment, kind, key, customer FROM customer_index").await;
    let entry = |row: &Vec<Value>| (number(&row[0]), number(&row[1]), bytes(&row[2]).to_vec(), bytes(&row[3]).to_vec());
    let found: BTreeSet<(i64, i64, Vec<u8>, Vec<u8>)> = found.iter().map(entry).collect();
    let (missing, foreign) = (expected.difference(&found).count(), found.difference(&expected).count());
    assert_eq!((missing, foreign), (0, 0), "index entries that are missing, and that match no document");
}

fn owner(row: &[Value]) -> Owner {
    let uuid = |place: usize| bytes(&row[place]).try_into().map(u128::from_be_bytes).expect("16 bytes");
    let [tenant, environment] = [1, 2].map(uuid);
    Owner {
        tenant_id: TenantId::from_uuid(uuid::Uuid::from_u128(tenant)),
        environment_id: EnvironmentId::from_uuid(uuid::Uuid::from_u128(environment)),
    }
}

/// An entry's column `key`, as in `adapters/src/persistence/customer/row.rs`: half of the SHA-256 for texts.
#[must_use]
pub fn index_key(entry: &IndexEntry) -> Vec<u8> {
    let hash = |text: &[u8]| Sha256::digest(text)[..16].to_vec();
    match entry.kind {
        IndexKind::CustomField | IndexKind::UniqueCustomField => {
            let (key, value) = entry.key.split_at(entry.key.iter().position(|byte| *byte == 0).expect("a zero") + 1);
            [key.to_vec(), hash(value)].concat()
        }
        kind if kind.is_text() => hash(&entry.key),
        _ => entry.key.clone(),
    }
}

/// Checks that each onboarding run's version of its workflow is stored.
async fn workflows_are_there(place: &Place) {
    let there = place.rows("SELECT environment, id FROM onboarding_workflows").await;
    let there: BTreeSet<_> = there.iter().map(|row| (number(&row[0]), bytes(&row[1]).to_vec())).collect();
    for row in place.rows("SELECT environment, document ->> 'workflow_id' FROM onboarding_runs").await {
        let id: WorkflowId = text(&row[1]).parse().expect("an id");
        let version = (number(&row[0]), id.uuid().as_bytes().to_vec());
        assert!(there.contains(&version), "an onboarding run without its version of a workflow");
    }
}
