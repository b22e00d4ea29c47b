//! The facts that changes of customers are decided on. They are looked up for a whole batch with a few queries for each
//! environment, and updated after each decision.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use futures_util::future::{join_all, try_join, try_join3, try_join5};
use patron_domain::{
    custom_field::{CustomFieldDefinition, CustomFieldFacts, CustomFieldsNeeded, UniqueValue},
    customer::{ChangeCustomer, CustomerAggregate, CustomerFacts, ExternalId, Subject, TaxFacts},
    event::CustomerEvent,
    idempotency::IdempotencyKeyReused,
    ids::{CustomerId, EventId, WorkflowId},
    lifecycle::{Owner, Status},
    store::StoreError,
    tax::{TaxAssociation, TaxRate},
};

use super::change::Job;
use crate::persistence::{
    custom_field::holders_of_values, error::Failure, idempotency::row::KeptAnswerRow, onboarding::row::wanted_name,
    unit::Reads, value::Key,
};

type Failed = Failure<StoreError>;

/// The facts of one environment.
#[derive(Default)]
pub(super) struct Facts {
    /// The customers that changes name, in the state after the changes so far.
    customers: HashMap<CustomerId, CustomerAggregate>,
    /// The published customer of each external id that was looked up.
    holders: HashMap<String, Option<CustomerId>>,
    rates: Vec<TaxRate>,
    defaults: Vec<TaxAssociation>,
    /// The versions of workflows that new customers get, by name.
    workflows: HashMap<String, WorkflowId>,
    /// The kept answers under the keys of the changes.
    pub(super) kept: HashMap<String, KeptAnswerRow>,
    /// The events that the kept answers name.
    pub(super) answered: HashMap<EventId, CustomerEvent>,
    /// The events among them whose states are gone, because the customer is suppressed or erased.
    gone: HashSet<EventId>,
    /// The external ids that changes claim and that belonged to customers that are suppressed or erased.
    erased: HashSet<String>,
    /// The number of published customers, if a change has a quota.
    published: u64,
    /// The definitions of custom fields, if a change needs them.
    definitions: Arc<[CustomFieldDefinition]>,
    /// The published customer of each unique value that was looked up.
    value_holders: BTreeMap<UniqueValue, CustomerId>,
}

/// The needs of the changes of one environment, each list in its locking order.
#[derive(Default)]
struct Needs {
    ids: BTreeSet<Key>,
    external_ids: BTreeSet<String>,
    /// The external ids that changes assign.
    wanted: BTreeSet<String>,
    codes: BTreeSet<String>,
    defaults: bool,
    keys: BTreeSet<String>,
    workflows: BTreeSet<String>,
    count: bool,
    custom_fields: CustomFieldsNeeded,
    /// The external ids that changes may claim, by their tags.
    tags: BTreeMap<Vec<u8>, String>,
    /// Whether the tags of some are not known.
    without_tags: bool,
}

/// Looks up the facts that changes need, and locks them until the transaction ends.
pub(super) async fn load(unit: &dyn Reads, jobs: &[Job]) -> Result<BTreeMap<i32, Facts>, Failed> {
    let mut needs: BTreeMap<i32, (Owner, Needs)> = BTreeMap::new();
    for job in jobs {
        let (_, needs) = needs.entry(job.environment).or_insert_with(|| (job.scope.owner, Needs::default()));
        needs.add(job);
    }
    let each = needs.into_iter().map(|(environment, (owner, needs))| async move {
        let of_environment = jobs.iter().filter(|job| job.environment == environment);
        let facts = load_environment(unit, environment, owner, needs, of_environment).await?;
        Ok((environment, facts))
    });
    // Sent together if the database supports it.
    join_all(each).await.into_iter().collect()
}

impl Needs {
    fn add(&mut self, job: &Job) {
        let command = &job.command;
        for (external_id, tag) in &job.claimed.0 {
            match tag {
                Some(tag) => drop(self.tags.insert(tag.clone(), external_id.clone())),
                None => self.without_tags = true,
            }
        }
        match command.subject() {
            Subject::New => {}
            Subject::Id(id) => drop(self.ids.insert(id.into())),
            Subject::ExternalId(external_id) => drop(self.external_ids.insert(external_id.as_str().to_owned())),
        }
        self.wanted.extend(command.wanted_external_id(None).map(|id| id.as_str().to_owned()));
        let taxes = command.tax_facts_needed();
        self.defaults |= taxes.defaults;
        self.codes.extend(taxes.rates.into_iter().map(|code| code.as_str().to_owned()));
        self.workflows.extend(wanted_name(command.workflow_needed()).map(str::to_owned));
        self.count |= command.count_needed();
        self.custom_fields = self.custom_fields.max(command.custom_fields_needed());
        self.keys.extend(command.claim.as_ref().map(|claim| claim.key.as_str().to_owned()));
    }
}

fn listed<T>(set: BTreeSet<T>) -> Vec<T> {
    set.into_iter().collect()
}

async fn load_environment(
    unit: &dyn Reads,
    environment: i32,
    owner: Owner,
    needs: Needs,
    jobs: impl Iterator<Item = &Job> + Clone,
) -> Result<Facts, Failed> {
    let Needs { ids, external_ids, wanted, codes, defaults, keys, workflows, count, custom_fields, tags, without_tags } =
        needs;
    let (ids, external_ids, wanted) = (listed(ids), listed(external_ids), listed(wanted));
    let (codes, keys, workflows) = (listed(codes), listed(keys), listed(workflows));
    let defaults = async { if defaults { unit.share_defaults(environment).await } else { Ok(Vec::new()) } };
    let fields = async {
        match custom_fields {
            CustomFieldsNeeded::None => Ok(Vec::new()),
            CustomFieldsNeeded::Read => unit.custom_fields_of(environment).await,
            CustomFieldsNeeded::Locked => unit.share_custom_fields_of(environment).await,
        }
    };
    let of_tags: Vec<Vec<u8>> = tags.keys().cloned().collect();
    // Looked up after the holders: a customer that no longer holds its external id was suppressed before.
    let erased = async {
        let known = unit.tags_known(environment, &of_tags).await?;
        Ok((known, without_tags && unit.has_subjects(environment).await?))
    };
    // All transactions lock in this order: customers, custom fields, rates, defaults. Kept answers are read last: a
    // transaction that sees the effects of an earlier request with the same key also sees its kept answer.
    let ((rows, more), fields, (rates, defaults, workflows, holders, ((erased, doubtful), kept))) = try_join3(
        try_join(
            unit.lock_customers(environment, &ids),
            unit.lock_customers_of_external_ids(environment, &external_ids),
        ),
        fields,
        try_join5(
            unit.share_rates_of_codes(environment, &codes),
            defaults,
            unit.workflow_ids(environment, &workflows),
            unit.holders(environment, &wanted),
            try_join(erased, unit.lock_kept_keys(environment, &keys)),
        ),
    )
    .await?;
    if doubtful {
        let reason = "the key that recognises erased customers was not opened";
        return Err(Failure::Refused(StoreError::unavailable(reason)));
    }
    let mut facts =
        Facts { erased: erased.iter().filter_map(|tag| tags.get(tag).cloned()).collect(), ..Facts::default() };
    let definitions = fields.iter().map(|row| row.definition(owner)).collect::<Result<Vec<_>, _>>();
    facts.definitions = definitions.map_err(Failure::Refused)?.into();
    for row in rows.into_iter().chain(more) {
        facts.put(row.aggregate(owner).map_err(Failure::Refused)?);
    }
    // Another transaction may have committed a customer between the two look-ups by its external id.
    let is_new = |id: &Key| !facts.customers.contains_key(&id.id());
    let missed = holders.iter().filter(|(external_id, id)| external_ids.contains(external_id) && is_new(id));
    let missed: Vec<Key> = missed.map(|(_, id)| *id).collect();
    // The external id was looked up and is free.
    for external_id in external_ids.into_iter().chain(wanted) {
        facts.holders.entry(external_id).or_default();
    }
    facts.hold(holders);
    if !missed.is_empty() {
        for row in unit.lock_customers(environment, &missed).await? {
            facts.put(row.aggregate(owner).map_err(Failure::Refused)?);
        }
    }
    for row in &rates {
        facts.rates.push(row.document.read(owner, &row.code).map_err(Failure::Refused)?);
    }
    for row in &defaults {
        facts.defaults.push(row.document.read(owner, "a default").map_err(Failure::Refused)?);
    }
    facts.defaults.sort_by_key(|default| default.id);
    facts.workflows = workflows.into_iter().map(|(name, id)| (name, id.id())).collect();
    facts.kept = kept.into_iter().map(|row| (row.key.clone(), row)).collect();
    if count {
        let (published, _) = unit.customer_counts(environment).await?.unwrap_or_default();
        facts.published = u64::try_from(published).unwrap_or_default();
    }
    facts.load_answered(unit, environment, owner).await?;
    facts.load_holders(unit, environment, jobs.clone()).await?;
    facts.load_value_holders(unit, environment, jobs).await?;
    Ok(facts)
}

impl Facts {
    /// Stores the new state of a customer.
    pub(super) fn put(&mut self, aggregate: CustomerAggregate) {
        let customer = &aggregate.customer;
        if let Some(before) = self.customers.get(&customer.id)
            && self.holders.get(before.customer.external_id.as_str()) == Some(&Some(customer.id))
        {
            self.holders.insert(before.customer.external_id.as_str().to_owned(), None);
        }
        if customer.status == Status::Published {
            self.holders.insert(customer.external_id.as_str().to_owned(), Some(customer.id));
        }
        if self.definitions.iter().any(|definition| definition.unique) {
            let id = customer.id;
            self.value_holders.retain(|_, holder| *holder != id);
            let values = UniqueValue::all_of(&aggregate, &self.definitions);
            self.value_holders.extend(values.into_iter().map(|value| (value, id)));
        }
        self.customers.insert(customer.id, aggregate);
    }

    /// Counts a customer that a change publishes or archives.
    pub(super) fn count(&mut self, before: Option<Status>, now: Status) {
        let is_published = |status| status == Status::Published;
        let (before, now) = (before.is_some_and(is_published), is_published(now));
        self.published = self.published.saturating_add(now.into()).saturating_sub(before.into());
    }

    fn hold(&mut self, holders: Vec<(String, Key)>) {
        self.holders.extend(holders.into_iter().map(|(external_id, id)| (external_id, Some(id.id()))));
    }

    /// Loads the events of requests that were done before.
    async fn load_answered(&mut self, unit: &dyn Reads, environment: i32, owner: Owner) -> Result<(), Failed> {
        let ids: Vec<Key> = self.kept.values().filter_map(|row| row.event).collect();
        if ids.is_empty() {
            return Ok(());
        }
        for row in unit.events_by_id(environment, &ids).await? {
            let event = row.record(owner).map_err(Failure::Refused)?;
            self.gone.extend(event.state.is_none().then_some(event.id));
            // A key of another kind of request names an event of another kind.
            let event = event.into_customer_event();
            self.answered.extend(event.map(|event| (event.id, event)));
        }
        Ok(())
    }

    /// Looks up the holders of external ids that changes assign to existing customers.
    async fn load_holders(
        &mut self,
        unit: &dyn Reads,
        environment: i32,
        jobs: impl Iterator<Item = &Job>,
    ) -> Result<(), Failed> {
        let wanted = jobs.filter_map(|job| job.command.wanted_external_id(self.current(&job.command)));
        let wanted: BTreeSet<String> = wanted.map(|id| id.as_str().to_owned()).collect();
        let wanted: Vec<String> = wanted.into_iter().filter(|id| !self.holders.contains_key(id)).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let holders = unit.holders(environment, &wanted).await?;
        self.holders.extend(wanted.into_iter().map(|external_id| (external_id, None)));
        self.hold(holders);
        Ok(())
    }

    /// Looks up the holders of unique values that changes publish.
    async fn load_value_holders(
        &mut self,
        unit: &dyn Reads,
        environment: i32,
        jobs: impl Iterator<Item = &Job>,
    ) -> Result<(), Failed> {
        let wanted =
            jobs.flat_map(|job| job.command.wanted_unique_values(self.current(&job.command), &self.definitions));
        let wanted: Vec<_> = wanted.collect();
        self.value_holders.extend(holders_of_values(unit, environment, wanted).await?);
        Ok(())
    }

    /// The definitions of custom fields, if a change needed them.
    pub(super) fn definitions(&self) -> &[CustomFieldDefinition] {
        &self.definitions
    }

    fn custom_fields(&self, command: &ChangeCustomer, current: Option<&CustomerAggregate>) -> CustomFieldFacts {
        if command.custom_fields_needed() == CustomFieldsNeeded::None {
            return CustomFieldFacts::default();
        }
        let wanted = command.wanted_unique_values(current, &self.definitions);
        let held = wanted.into_iter().filter_map(|value| {
            let holder = *self.value_holders.get(&value)?;
            Some((value, holder))
        });
        CustomFieldFacts::new(self.definitions.clone()).with_holders(held.collect())
    }

    /// The customer that a change names.
    pub(super) fn current(&self, command: &ChangeCustomer) -> Option<&CustomerAggregate> {
        match command.subject() {
            Subject::New => None,
            Subject::Id(id) => self.customers.get(&id),
            Subject::ExternalId(external_id) => self.customers.get(&self.holder(external_id)?),
        }
    }

    /// The event that is the answer to an earlier request.
    pub(super) fn answer(&self, id: EventId) -> Result<&CustomerEvent, IdempotencyKeyReused> {
        let missing = || match self.gone.contains(&id) {
            true => IdempotencyKeyReused::gone(),
            false => IdempotencyKeyReused::default(),
        };
        self.answered.get(&id).ok_or_else(missing)
    }

    fn holder(&self, external_id: &ExternalId) -> Option<CustomerId> {
        self.holders.get(external_id.as_str()).copied().flatten()
    }

    /// The facts for deciding one change.
    pub(super) fn of(&self, command: &ChangeCustomer) -> CustomerFacts {
        let current = self.current(command);
        let holder = command.wanted_external_id(current).and_then(|wanted| self.holder(wanted));
        let needed = command.tax_facts_needed();
        let rates = self.rates.iter().filter(|rate| needed.rates.contains(&&rate.code)).cloned().collect();
        let taxes = TaxFacts::new(rates, if needed.defaults { self.defaults.clone() } else { Vec::new() });
        let workflow = wanted_name(command.workflow_needed()).and_then(|name| self.workflows.get(name)).copied();
        let claimed = command.claimed_external_id(current);
        let erased = claimed.is_some_and(|claimed| self.erased.contains(claimed.as_str()));
        let facts = CustomerFacts::new(current.cloned(), holder).with_erased(erased);
        let facts = facts.with_taxes(taxes).with_workflow(workflow);
        facts.with_custom_fields(self.custom_fields(command, current)).with_published(self.published)
    }
}
