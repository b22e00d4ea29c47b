//! Rows of the table `audit`.

use patron_domain::{
    audit::{Act, AuditAction, AuditEntry, AuditNumber, AuditObject, AuditObjectType, RefusedUses},
    lifecycle::Owner,
    store::StoreError,
    tenancy::{Actor, Origin, RequestId},
    time::Timestamp,
};

use crate::persistence::{
    rows::rows,
    value::{Key, corrupt},
    word::Word,
};

rows! {
    /// One row of `audit`. The number is assigned under the lock of its environment's log.
    AuditRow: audit {
        environment: i32, number: i64;
        action: i16,
        object_kind: i16,
        object: Key,
        at: i64,
        actor: String,
        request_id: Option<String>,
        address: Option<String>,
        changed: Option<String>,
        count: Option<i64>,
    }
}

/// The separator of field names. No name contains it.
const SEPARATOR: char = ',';

fn object_key(object: AuditObject) -> Option<Key> {
    Some(match object {
        AuditObject::ApiKey(id) => id.into(),
        AuditObject::Environment(id) => id.into(),
        AuditObject::Endpoint(id) => id.into(),
        AuditObject::Workflow(id) => id.into(),
        AuditObject::CustomField(id) => id.into(),
        AuditObject::Tenant(id) => id.into(),
        AuditObject::DeletionRequest(id) => id.into(),
        _ => return None,
    })
}

fn object(kind: AuditObjectType, key: Key) -> Option<AuditObject> {
    Some(match kind {
        AuditObjectType::ApiKey => AuditObject::ApiKey(key.id()),
        AuditObjectType::Environment => AuditObject::Environment(key.id()),
        AuditObjectType::Endpoint => AuditObject::Endpoint(key.id()),
        AuditObjectType::Workflow => AuditObject::Workflow(key.id()),
        AuditObjectType::CustomField => AuditObject::CustomField(key.id()),
        AuditObjectType::Tenant => AuditObject::Tenant(key.id()),
        AuditObjectType::DeletionRequest => AuditObject::DeletionRequest(key.id()),
        _ => return None,
    })
}

impl AuditRow {
    /// The row of an act. Its number is assigned when it is written.
    pub(crate) fn new(environment: i32, act: &Act, (actor, origin): (&Actor, &Origin), at: Timestamp) -> Self {
        let changed = act.changed.join(&SEPARATOR.to_string());
        Self {
            environment,
            number: 0,
            action: act.action.code(),
            object_kind: act.object.kind().code(),
            // A test checks that every type of object has a key.
            object: object_key(act.object).unwrap_or(Key::NIL),
            at: at.micros(),
            actor: actor.as_str().to_owned(),
            request_id: origin.request_id().map(|id| id.as_str().to_owned()),
            address: origin.address().map(|address| address.to_string()),
            changed: (!changed.is_empty()).then_some(changed),
            count: None,
        }
    }

    /// The row of refused uses of a key.
    pub(crate) fn refused(environment: i32, uses: &RefusedUses) -> Self {
        Self::of(environment, &AuditEntry::refused(AuditNumber::FIRST, uses))
    }

    /// The row of an entry that is stored already, or has no number yet.
    pub(crate) fn of(environment: i32, entry: &AuditEntry) -> Self {
        let origin = Origin::new(entry.request_id.clone(), entry.address);
        let row = Self::new(environment, &entry.act, (&entry.actor, &origin), entry.at);
        Self { count: entry.count.map(|count| i64::try_from(count).unwrap_or(i64::MAX)), ..row }
    }

    /// The entry, with its owner.
    pub(crate) fn entry(self, owner: Owner) -> Result<AuditEntry, StoreError> {
        let place = self.number;
        let broken = |column| corrupt("audit", column, place);
        let kind = AuditObjectType::of(self.object_kind, "audit", "object_kind")?;
        let changed = self.changed.unwrap_or_default();
        Ok(AuditEntry {
            number: AuditNumber::from_stored(place).ok_or_else(|| broken("number"))?,
            owner,
            act: Act {
                action: AuditAction::of(self.action, "audit", "action")?,
                object: object(kind, self.object).ok_or_else(|| broken("object"))?,
                changed: changed.split(SEPARATOR).filter(|name| !name.is_empty()).map(str::to_owned).collect(),
            },
            actor: Actor::new(self.actor).map_err(|_| broken("actor"))?,
            address: self.address.map(|text| text.parse()).transpose().map_err(|_| broken("address"))?,
            at: Timestamp::from_micros(self.at).map_err(|_| broken("at"))?,
            request_id: self.request_id.map(RequestId::new).transpose().map_err(|_| broken("request_id"))?,
            count: self.count.map(u64::try_from).transpose().map_err(|_| broken("count"))?,
        })
    }
}
