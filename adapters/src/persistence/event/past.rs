//! Looking up earlier states of entities.
//!
//! Of one entity, times rise with the sequence. So the last event up to a time is found by bisection over the index of
//! sequences, in one statement. That takes ten steps for a thousand events, and costs writes nothing.

use diesel::{
    QueryResult,
    backend::Backend,
    expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate},
    query_builder::{AstPass, QueryFragment, QueryId},
    serialize::ToSql,
    sql_types::{BigInt, HasSqlType, Integer, Nullable},
};
use patron_domain::{
    event::{EventEntity, EventState, EventType, Moment, Past},
    lifecycle::{Owner, Version},
    store::StoreError,
    stored,
    time::Timestamp,
};

use super::{
    entity_key,
    row::{EventRow, version_number},
};
use crate::persistence::{
    unit::Reads,
    value::{Document, Key, KeySql, corrupt},
    word::Word,
};

/// The times of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Times {
    /// The events' own.
    Own,
    /// Those of the log.
    Logged,
}

impl Times {
    fn column(self) -> &'static str {
        match self {
            Self::Own => "at",
            Self::Logged => "logged_at",
        }
    }
}

/// The sequence of an entity's last event up to a time, or of its first event if that is later. NULL without events.
pub(crate) struct LastBy {
    pub(super) environment: i32,
    pub(super) entity: Key,
    pub(super) time: i64,
    pub(super) times: Times,
}

impl Expression for LastBy {
    type SqlType = Nullable<BigInt>;
}

impl ValidGrouping<()> for LastBy {
    type IsAggregate = is_aggregate::No;
}

impl<QS> AppearsOnTable<QS> for LastBy {}

impl<QS> SelectableExpression<QS> for LastBy {}

// The SQL depends on the times, so statements are cached by their text.
impl QueryId for LastBy {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB> QueryFragment<DB> for LastBy
where
    DB: Backend + HasSqlType<Integer> + HasSqlType<BigInt> + HasSqlType<KeySql>,
    i32: ToSql<Integer, DB>,
    i64: ToSql<BigInt, DB>,
    Key: ToSql<KeySql, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let column = self.times.column();
        out.push_sql("(WITH RECURSIVE span (low, high) AS (SELECT (SELECT min(sequence) FROM events WHERE ");
        self.of_entity("", &mut out)?;
        out.push_sql("), (SELECT max(sequence) FROM events WHERE ");
        self.of_entity("", &mut out)?;
        out.push_sql(") UNION ALL SELECT CASE WHEN middle.");
        out.push_sql(column);
        out.push_sql(" <= ");
        out.push_bind_param::<BigInt, _>(&self.time)?;
        out.push_sql(" THEN middle.sequence ELSE span.low END, CASE WHEN middle.");
        out.push_sql(column);
        out.push_sql(" <= ");
        out.push_bind_param::<BigInt, _>(&self.time)?;
        // SQLite keeps the order of a `CROSS JOIN`. Otherwise it may read all events of the entity in each step.
        out.push_sql(" THEN span.high ELSE middle.sequence - 1 END FROM span CROSS JOIN events middle WHERE ");
        self.of_entity("middle.", &mut out)?;
        out.push_sql(
            " AND middle.sequence = (span.low + span.high + 1) / 2 AND span.low < span.high) SELECT low FROM span \
             WHERE low >= high)",
        );
        Ok(())
    }
}

impl LastBy {
    fn of_entity<'b, DB>(&'b self, of: &str, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        DB: Backend + HasSqlType<Integer> + HasSqlType<KeySql>,
        i32: ToSql<Integer, DB>,
        Key: ToSql<KeySql, DB>,
    {
        out.push_sql(of);
        out.push_sql("environment = ");
        out.push_bind_param::<Integer, _>(&self.environment)?;
        out.push_sql(" AND ");
        out.push_sql(of);
        out.push_sql("entity = ");
        out.push_bind_param::<KeySql, _>(&self.entity)
    }
}

/// The rows of an earlier state.
pub(super) enum Found {
    /// Its document; `None` if it was erased. Then the version, if the event of the moment has no state of its own.
    Event(Option<Document>, Option<i64>),
    /// The entity does not exist.
    Nothing,
    /// No event of that moment: the entity now, and its first event.
    Now { document: Document, first: Option<(i64, i64)> },
}

/// Reads the state of an entity at a moment. Each statement may see another state of the database: a later one only adds
/// events, which are later than the moment.
pub(super) async fn read(
    unit: &dyn Reads,
    environment: i32,
    entity: EventEntity,
    moment: Moment,
) -> QueryResult<Found> {
    let key = entity_key(entity);
    let event = match moment {
        Moment::At(at) => unit.last_event_by(environment, key, at.micros(), Times::Own).await?,
        Moment::Version(version) => unit.event_by_version(environment, key, version_number(version)).await?,
    };
    let version = event.as_ref().filter(|event| !has_state(event)).map(|event| event.sequence);
    if let Some(event) = with_state(unit, environment, event).await? {
        return Ok(Found::Event(event.document, version));
    }
    let document = match entity {
        EventEntity::Customer(_) => unit.document(environment, key).await?,
        EventEntity::TaxRate(_) => unit.rate(environment, key).await?.map(|row| row.document),
        // Only its end is an event.
        EventEntity::Import(_) => None,
    };
    let Some(document) = document else { return Ok(Found::Nothing) };
    Ok(Found::Now { document, first: unit.first_event_of(environment, key).await? })
}

/// An event, or the last one before it whose type has a state. Events without a state leave the state unchanged.
pub(crate) async fn with_state(
    unit: &dyn Reads,
    environment: i32,
    event: Option<EventRow>,
) -> QueryResult<Option<EventRow>> {
    match event {
        Some(event) if !has_state(&event) => unit.last_state_before(environment, event.entity, event.sequence).await,
        event => Ok(event),
    }
}

/// Whether events of the type have a state.
pub(super) fn has_state(event: &EventRow) -> bool {
    EventType::of(event.kind, "events", "kind").is_ok_and(EventType::has_state)
}

impl Found {
    /// The state of the entity at the moment.
    pub(super) fn past(self, owner: Owner, entity: EventEntity, moment: Moment) -> Result<Past, StoreError> {
        let (document, first) = match self {
            Self::Nothing | Self::Event(None, _) => return Ok(Past::Absent),
            Self::Event(Some(document), version) => {
                let mut state = state(owner, entity, &document)?;
                if let (Some(version), EventState::Customer(customer)) = (version, &mut state) {
                    let version = Version::from_stored(version);
                    customer.customer.version = version.ok_or_else(|| corrupt("events", "sequence", entity.id()))?;
                }
                return Ok(Past::State(Box::new(state)));
            }
            Self::Now { document, first } => (document, first),
        };
        let now = state(owner, entity, &document)?;
        let (version, changed_at) = match &now {
            EventState::Customer(customer) => (customer.customer.version, customer.customer.audit.updated_at),
            EventState::TaxRate(rate) => (rate.version, rate.audit.updated_at),
            EventState::Import(import) => (Version::FIRST, import.ended_at.unwrap_or(import.created_at)),
        };
        let is_now = match moment {
            Moment::At(at) => first.is_none_or(|(sequence, _)| sequence == version_number(version)) && at >= changed_at,
            Moment::Version(asked) if asked > version => return Ok(Past::Absent),
            Moment::Version(asked) => asked == version,
        };
        if is_now {
            return Ok(Past::State(Box::new(now)));
        }
        match first {
            Some((1, _)) => Ok(Past::Absent),
            Some((_, at)) => {
                let oldest_at = Timestamp::from_micros(at).map_err(|_| corrupt("events", "at", entity.id()))?;
                Ok(Past::Removed { oldest_at })
            }
            None => Ok(Past::Removed { oldest_at: changed_at }),
        }
    }
}

fn state(owner: Owner, entity: EventEntity, document: &Document) -> Result<EventState, StoreError> {
    let broken = |_| corrupt("events", "document", entity.id());
    stored::event::state(owner, entity.kind(), &document.0).map_err(broken)
}

#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests {
    use diesel::{debug_query, sqlite::Sqlite};

    use super::*;
    use crate::persistence::sqlite::testing::{migrated, plan};

    #[test]
    fn each_step_of_a_look_up_reads_one_event() {
        let folder = tempfile::tempdir().unwrap();
        let id = uuid::Uuid::from_u128(7);
        let entity = Key::from(patron_domain::ids::CustomerId::from_uuid(id));
        let last = LastBy { environment: 1, entity, time: 5, times: Times::Own };
        let statement = debug_query::<Sqlite, _>(&diesel::select(last)).to_string();
        let plan = plan(&mut migrated(folder.path()), &statement);
        let one = "SEARCH middle USING INDEX events_entity (environment=? AND entity=? AND sequence=?)";
        assert!(plan.contains(one), "{plan}");
    }
}
