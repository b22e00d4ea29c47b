//! Stores that return one wrong field: missing, copied from a neighbour, outdated or changed. The suite detects all of
//! them.
//!
//! The fields are taken from the [`crate::stored`] form of the values that a correct store returns, so new fields are
//! covered automatically.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use futures::executor::block_on;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Ports, Report, events, every_field, tests::ports, world::World};
use crate::{
    customer::{
        ChangeCustomer, ChangeCustomerError, CustomerChanged, CustomerRecord, CustomerRepository, ExternalId,
        ExternalIdTerm, MappingFilter,
        query::{CustomerPage, CustomerQuery},
    },
    event::{
        CustomerEvent, EventCursor, EventEntity, EventLog, EventLogError, EventPosition, EventQuery, EventRecord,
        EventSink, Moment, Past, Reached,
    },
    ids::{CustomerId, EventId},
    integration::IntegrationMapping,
    lifecycle::Owner,
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
    testkit::MemoryStore,
};

/// The method that returns a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Change,
    Find,
    FindByExternalId,
    Mappings,
    History,
    List,
    Log,
    LogFind,
    LogHistory,
}

/// How a field is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Lost,
    FromItsNeighbour,
    AsItWas,
    Another,
}

impl How {
    const ALL: [Self; 4] = [Self::Lost, Self::FromItsNeighbour, Self::AsItWas, Self::Another];
}

/// The place of a field: names of members, with `*` for the elements of a list and the members of an open map.
type Place = Vec<String>;

/// The memory store with one wrong field in the values of one method. Without a fault it records the fields.
#[derive(Default)]
struct Mutant {
    store: Arc<MemoryStore>,
    fault: Option<(Way, Place, How)>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    places: BTreeSet<(Way, Place)>,
    /// The first value of each object by each method.
    first: BTreeMap<(Way, String), Value>,
    /// Whether a wrong value was returned.
    acted: bool,
}

/// Maps whose members are data rather than fields.
const OPEN: [&str; 1] = ["metadata"];

/// Every leaf below a value, with its place and path.
fn leaves(value: &Value, place: &[String], path: &str, found: &mut Vec<(Place, String)>) {
    let below = |name: &str| place.iter().cloned().chain([name.to_owned()]).collect::<Place>();
    match value {
        Value::Object(members) if !members.is_empty() => members.iter().for_each(|(name, member)| {
            let is_open = place.last().is_some_and(|last| OPEN.contains(&last.as_str()));
            let shown = if is_open { "*" } else { name };
            let escaped = name.replace('~', "~0").replace('/', "~1");
            leaves(member, &below(shown), &format!("{path}/{escaped}"), found);
        }),
        Value::Array(elements) if !elements.is_empty() => elements
            .iter()
            .enumerate()
            .for_each(|(index, element)| leaves(element, &below("*"), &format!("{path}/{index}"), found)),
        // An absent value has no wrong form.
        Value::Null | Value::Object(_) | Value::Array(_) => {}
        _ => found.push((place.to_vec(), path.to_owned())),
    }
}

/// The parent object or list of a path, and the last step of the path.
fn parent<'v, 'p>(value: &'v mut Value, path: &'p str) -> Option<(&'v mut Value, &'p str)> {
    let (around, last) = path.rsplit_once('/')?;
    Some((value.pointer_mut(around)?, last))
}

/// The values that may replace a field; `None` removes it.
fn stand_ins(value: &Value, first: Option<&Value>, path: &str, how: How) -> Vec<Option<Value>> {
    let own = value.pointer(path);
    match how {
        How::Lost => vec![None, Some(Value::Null)],
        How::AsItWas => vec![first.and_then(|first| first.pointer(path)).cloned()],
        How::Another => own.into_iter().flat_map(others).map(Some).collect(),
        How::FromItsNeighbour => {
            let around = path.rsplit_once('/').and_then(|(around, _)| value.pointer(around));
            let members = around.and_then(Value::as_object).into_iter().flat_map(|members| members.values());
            members.filter(|member| Some(*member) != own && !member.is_object()).cloned().map(Some).collect()
        }
    }
}

/// Other values of the same type.
fn others(value: &Value) -> Vec<Value> {
    const WORDS: [&str; 6] = ["archived", "published", "customer.deleted", "tax_rate.deleted", "FR", "Europe/Paris"];
    match value {
        Value::Bool(one) => vec![(!one).into()],
        Value::Number(number) => {
            number.as_i64().into_iter().flat_map(|one| [one + 1, one - 1]).map(Value::from).collect()
        }
        Value::String(text) => {
            let start: String = text.chars().take(text.chars().count().saturating_sub(1)).collect();
            let alike = [format!("{start}0"), format!("{start}1"), format!("{text}x")];
            alike.into_iter().chain(WORDS.map(str::to_owned)).map(Value::from).collect()
        }
        _ => Vec::new(),
    }
}

fn with(value: &Value, path: &str, stand_in: Option<Value>) -> Option<Value> {
    let mut changed = value.clone();
    let (around, last) = parent(&mut changed, path)?;
    match (around, stand_in) {
        (Value::Object(members), None) => drop(members.remove(last)),
        (Value::Object(members), Some(other)) => drop(members.insert(last.to_owned(), other)),
        (Value::Array(elements), None) => drop(last.parse().map(|index: usize| elements.remove(index))),
        (Value::Array(elements), Some(other)) => *elements.get_mut(last.parse::<usize>().ok()?)? = other,
        _ => return None,
    }
    Some(changed)
}

impl Mutant {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the value, or a wrong one.
    fn shown<T: Serialize + DeserializeOwned + PartialEq + Debug>(&self, way: Way, id: String, value: T) -> T {
        let Ok(json) = serde_json::to_value(&value) else { return value };
        let mut all = Vec::new();
        leaves(&json, &[], "", &mut all);
        let mut seen = self.seen();
        seen.places.extend(all.iter().map(|(place, _)| (way, place.clone())));
        let first = seen.first.entry((way, id)).or_insert_with(|| json.clone()).clone();
        let Some((wrong_way, wrong_place, how)) = &self.fault else { return value };
        if way != *wrong_way {
            return value;
        }
        for (_, path) in all.iter().filter(|(place, _)| place == wrong_place) {
            for stand_in in stand_ins(&json, Some(&first), path, *how) {
                let wrong = with(&json, path, stand_in).and_then(|wrong| serde_json::from_value::<T>(wrong).ok());
                if let Some(wrong) = wrong.filter(|wrong| *wrong != value) {
                    seen.acted = true;
                    return wrong;
                }
            }
        }
        value
    }

    fn record(&self, way: Way, found: Option<CustomerRecord>) -> Option<CustomerRecord> {
        found.map(|record| self.shown(way, record.customer.id.to_string(), record))
    }

    fn event(&self, way: Way, event: EventRecord) -> EventRecord {
        self.shown(way, event.entity.id(), event)
    }
}

#[async_trait]
impl CustomerRepository for Mutant {
    async fn change(
        &self,
        scope: &EnvironmentScope,
        command: ChangeCustomer,
    ) -> Result<CustomerChanged, ChangeCustomerError> {
        let changed = self.store.change(scope, command).await?;
        Ok(self.shown(Way::Change, changed.event.state.customer.id.to_string(), changed))
    }

    async fn find(&self, scope: &EnvironmentScope, id: CustomerId) -> Result<Option<CustomerRecord>, StoreError> {
        Ok(self.record(Way::Find, CustomerRepository::find(&*self.store, scope, id).await?))
    }

    async fn find_by_external_id(
        &self,
        scope: &EnvironmentScope,
        external_id: &ExternalId,
    ) -> Result<Option<CustomerRecord>, StoreError> {
        Ok(self.record(Way::FindByExternalId, self.store.find_by_external_id(scope, external_id).await?))
    }

    async fn mappings(
        &self,
        scope: &EnvironmentScope,
        filter: &MappingFilter,
        page: PageRequest,
    ) -> Result<Page<IntegrationMapping>, StoreError> {
        let page = self.store.mappings(scope, filter, page).await?;
        Ok(self.shown(Way::Mappings, format!("{filter:?}"), page))
    }

    async fn history(
        &self,
        scope: &EnvironmentScope,
        id: CustomerId,
        page: PageRequest,
    ) -> Result<Page<CustomerEvent>, StoreError> {
        let page = CustomerRepository::history(&*self.store, scope, id, page).await?;
        Ok(self.shown(Way::History, id.to_string(), page))
    }

    async fn list(&self, scope: &EnvironmentScope, query: &CustomerQuery) -> Result<CustomerPage, StoreError> {
        let page = self.store.list(scope, query).await?;
        Ok(self.shown(Way::List, "list".to_owned(), page))
    }
}

#[async_trait]
impl EventLog for Mutant {
    async fn find(&self, scope: &EnvironmentScope, id: EventId) -> Result<Option<EventRecord>, StoreError> {
        let found = EventLog::find(&*self.store, scope, id).await?;
        Ok(found.map(|event| self.event(Way::LogFind, event)))
    }

    async fn read_each<'a>(
        &self,
        scope: &SystemScope,
        owner: Owner,
        query: &EventQuery,
        sink: Box<dyn EventSink + 'a>,
    ) -> Result<Reached, EventLogError> {
        let mut sink = sink;
        let sink = Box::new(move |event: EventRecord| sink.take(self.event(Way::Log, event)));
        self.store.read_each(scope, owner, query, sink).await
    }

    async fn history(
        &self,
        scope: &EnvironmentScope,
        entity: EventEntity,
        page: PageRequest,
    ) -> Result<Page<EventRecord>, StoreError> {
        let page = EventLog::history(&*self.store, scope, entity, page).await?;
        Ok(self.shown(Way::LogHistory, entity.id(), page))
    }

    async fn end(&self, scope: &SystemScope, owner: Owner) -> Result<EventCursor, StoreError> {
        self.store.end(scope, owner).await
    }

    async fn latest(
        &self,
        scope: &EnvironmentScope,
        entity: Option<EventEntity>,
        before: Option<EventPosition>,
        limit: u16,
    ) -> Result<Vec<EventRecord>, StoreError> {
        self.store.latest(scope, entity, before, limit).await
    }

    async fn past(&self, scope: &EnvironmentScope, entity: EventEntity, moment: Moment) -> Result<Past, StoreError> {
        self.store.past(scope, entity, moment).await
    }

    async fn external_id_terms(
        &self,
        scope: &EnvironmentScope,
        external_id: &ExternalId,
    ) -> Result<Vec<ExternalIdTerm>, StoreError> {
        self.store.external_id_terms(scope, external_id).await
    }
}

fn run(mutant: &Arc<Mutant>, of_log: bool) -> Report {
    let ports = Ports { customers: mutant.clone(), events: mutant.clone(), ..ports(&mutant.store) };
    let world = World::new(&ports, 2);
    let mut report = Report::default();
    if of_log {
        block_on(events::check_fields(&world, &mut report));
    } else {
        block_on(every_field::check(&world, &mut report));
    }
    report
}

/// Checks that the suite detects every wrong field of these methods.
#[track_caller]
fn every_mutant_is_detected(ways: &[Way], of_log: bool) {
    let right = Arc::new(Mutant::default());
    run(&right, of_log).assert_clean();
    let places: Vec<_> = right.seen().places.iter().filter(|(way, _)| ways.contains(way)).cloned().collect();
    let (mut missed, mut mutants) = (Vec::new(), 0);
    for (way, place) in places {
        let mut can_be_wrong = false;
        for how in How::ALL {
            let mutant = Arc::new(Mutant { fault: Some((way, place.clone(), how)), ..Mutant::default() });
            let report = run(&mutant, of_log);
            let acted = mutant.seen().acted;
            can_be_wrong |= acted;
            mutants += usize::from(acted);
            if acted && report.is_clean() {
                missed.push(format!("{way:?} returns {} {how:?}", place.join(".")));
            }
        }
        // Where the state contains the entity's type and id, they cannot be wrong on their own. Some sort keys follow from the value.
        let follows = place.iter().any(|step| step == "sort_keys" || step == "entity_type" || step == "entity_id");
        let place = place.join(".");
        assert!(can_be_wrong || follows, "no wrong value could be built for {way:?} {place}");
    }
    assert!(missed.is_empty(), "these of {mutants} wrong stores were not detected:\n{}", missed.join("\n"));
    assert!(mutants > 30, "only {mutants} wrong stores were built");
}

#[test]
fn every_wrong_field_of_a_customer_is_detected() {
    every_mutant_is_detected(&[Way::Find, Way::FindByExternalId, Way::Mappings, Way::List], false);
}

#[test]
fn every_wrong_field_of_a_customer_s_event_is_detected() {
    every_mutant_is_detected(&[Way::Change, Way::History], false);
}

#[test]
fn every_wrong_field_of_the_log_is_detected() {
    every_mutant_is_detected(&[Way::Log, Way::LogFind, Way::LogHistory], true);
}
