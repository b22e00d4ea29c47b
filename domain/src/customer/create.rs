//! Creating a customer: the request and the decision.

use super::{
    ChangeCustomerError, ContactPerson, Customer, CustomerAggregate, CustomerDecision, ExternalId, Item, ItemKind,
    Limits, NewItems, Profile, TaxExemption, TaxFactsNeeded, TaxId, WorkflowNeeded,
    change::DecisionContext,
    error::{InactiveTaxRate, UnknownWorkflow},
};
use crate::{
    event::{CustomerEvent, CustomerEventKind},
    ids::{CustomerId, IdSequence, TaxAssociationId, TaxRateId},
    integration::NewLinks,
    lifecycle::{Audit, Status, Version},
    metadata::Metadata,
    onboarding::Onboarding,
    tax::{CurrencyCode, Priority, TaxAssociation, TaxBehavior, TaxRate, TaxRateOverrides, TaxRateStatus, TaxedEntity},
    tenancy::EnvironmentScope,
    time::Timestamp,
    violation::Violations,
};

/// A request for a new customer: valid in itself, not yet decided.
///
/// ```
/// use patron_domain::{customer::NewCustomer, testkit::a_customer};
///
/// let new: NewCustomer = a_customer("acme").in_berlin().build();
/// assert_eq!(new.profile.timezone.as_str(), "Europe/Berlin");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct NewCustomer {
    /// The id in the client's own system.
    pub external_id: ExternalId,
    /// The client's data about it.
    pub profile: Profile,
    /// The contact persons.
    pub contact_persons: NewItems<ContactPerson>,
    /// The tax ids.
    pub tax_ids: NewItems<TaxId>,
    /// The tax exemptions.
    pub tax_exemptions: NewItems<TaxExemption>,
    /// Where its taxes come from.
    pub taxes: TaxChoice,
    /// Its links to other systems.
    pub links: NewLinks,
    /// What to do about onboarding.
    pub onboarding: Onboarding,
}

impl NewCustomer {
    /// A customer with only an external id, which inherits the environment's default taxes. Set the public fields for
    /// more.
    ///
    /// ```
    /// use patron_domain::customer::{CustomerName, ExternalId, NewCustomer};
    ///
    /// let mut new = NewCustomer::new(ExternalId::new("acme")?);
    /// new.profile.name = Some(CustomerName::new("Acme Ltd")?);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn new(external_id: ExternalId) -> Self {
        Self {
            external_id,
            profile: Profile::default(),
            contact_persons: NewItems::default(),
            tax_ids: NewItems::default(),
            tax_exemptions: NewItems::default(),
            taxes: TaxChoice::default(),
            links: NewLinks::default(),
            onboarding: Onboarding::default(),
        }
    }
}

/// The source of a new customer's taxes.
///
/// ```
/// use patron_domain::{customer::TaxChoice, testkit::a_customer};
///
/// assert_eq!(a_customer("acme").build().taxes, TaxChoice::Defaults);
/// assert!(matches!(a_customer("acme").taxed("VAT", "EUR").build().taxes, TaxChoice::Overrides(_)));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum TaxChoice {
    /// Copies of the environment's auto-apply defaults.
    #[default]
    Defaults,
    /// Only these rates; an empty list means no taxes.
    Overrides(TaxRateOverrides),
}

impl TaxChoice {
    /// The facts that must be looked up.
    fn facts_needed(&self) -> TaxFactsNeeded<'_> {
        match self {
            Self::Defaults => TaxFactsNeeded { defaults: true, ..TaxFactsNeeded::default() },
            Self::Overrides(overrides) => TaxFactsNeeded::rates(overrides.iter().map(|one| &one.code)),
        }
    }
}

impl NewCustomer {
    /// The tax facts that must be looked up.
    pub(super) fn tax_facts_needed(&self) -> TaxFactsNeeded<'_> {
        let mut needed = self.taxes.facts_needed();
        needed.rates.extend(self.tax_exemptions.rate_codes().into_iter().map(|(_, code)| code));
        needed
    }
}

/// Decides a create: the event with the whole new state, or a refusal.
pub(super) fn create(context: DecisionContext<'_>, new: NewCustomer) -> Result<CustomerDecision, ChangeCustomerError> {
    let (scope, at, facts, mut ids) = (context.scope, context.at, context.facts, context.ids);
    if matches!(WorkflowNeeded::of(&new.onboarding), WorkflowNeeded::Named(_)) && facts.workflow.is_none() {
        let mut unknown = Violations::new();
        unknown.add("onboarding_workflow_name", &UnknownWorkflow);
        return Err(ChangeCustomerError::Invalid(unknown));
    }
    let audit = Audit::created(at, &scope.actor);
    let customer_id = ids.next_id();
    let event_id = ids.next_id();

    let terms = match &new.taxes {
        TaxChoice::Defaults => inherited(&facts.taxes.defaults, at),
        TaxChoice::Overrides(overrides) => chosen(overrides, &facts.taxes.rates, at)?,
    };
    context.rates_are_known(new.tax_exemptions.rate_codes())?;
    context.external_id_is_free_for(customer_id)?;
    let associations = terms.into_iter().map(|terms| terms.associate(ids.next_id(), customer_id, scope, &audit));
    let associations = associations.collect();
    let mappings = new.links.into_iter().map(|link| link.map(ids.next_id(), customer_id, scope.owner, &audit));
    let mappings = mappings.collect();
    let mut customer = Customer {
        id: customer_id,
        owner: scope.owner,
        external_id: new.external_id,
        profile: new.profile,
        contact_persons: Vec::new(),
        tax_ids: Vec::new(),
        tax_exemptions: Vec::new(),
        status: Status::Published,
        version: Version::FIRST,
        audit,
    };
    let mut broken = Violations::new();
    let mut items = (&mut ids, at, &mut broken);
    customer.contact_persons = made(new.contact_persons, &mut items);
    customer.tax_ids = made(new.tax_ids, &mut items);
    customer.tax_exemptions = made(new.tax_exemptions, &mut items);
    broken.into_result().map_err(ChangeCustomerError::Invalid)?;
    let state = CustomerAggregate::new(customer, mappings, associations);
    Limits::check(None, &state)?;
    let onboarding = facts.workflow.filter(|_| !new.onboarding.skip);
    let event = CustomerEvent {
        id: event_id,
        kind: CustomerEventKind::Created { onboarding: new.onboarding },
        sequence: Version::FIRST,
        at,
        actor: scope.actor.clone(),
        request_id: context.request_id,
        state,
    };
    Ok(CustomerDecision { event, onboarding })
}

/// The items of a list, with new ids.
fn made<T: ItemKind>(
    new: NewItems<T>,
    (ids, at, broken): &mut (&mut IdSequence, Timestamp, &mut Violations),
) -> Vec<Item<T>> {
    new.replace(&[], ids, *at).unwrap_or_else(|found| {
        found.into_iter().for_each(|violation| broken.push(violation));
        Vec::new()
    })
}

/// A tax association, before it has an id and a customer.
struct Terms {
    tax_rate_id: TaxRateId,
    priority: Priority,
    auto_apply: bool,
    behavior: Option<TaxBehavior>,
    currency: Option<CurrencyCode>,
    metadata: Metadata,
    start: Timestamp,
    end: Option<Timestamp>,
}

impl Terms {
    fn associate(
        self,
        id: TaxAssociationId,
        customer_id: CustomerId,
        scope: &EnvironmentScope,
        audit: &Audit,
    ) -> TaxAssociation {
        TaxAssociation {
            id,
            owner: scope.owner,
            tax_rate_id: self.tax_rate_id,
            entity: TaxedEntity::Customer(customer_id),
            priority: self.priority,
            auto_apply: self.auto_apply,
            behavior: self.behavior,
            currency: self.currency,
            metadata: self.metadata,
            start: self.start,
            end: self.end,
            status: Status::Published,
            audit: audit.clone(),
        }
    }
}

/// Copies of the environment's auto-apply defaults, except those that have ended. None starts before now. An inactive
/// rate is copied too, and applies to this customer when it is active again.
fn inherited(defaults: &[TaxAssociation], now: Timestamp) -> Vec<Terms> {
    let applies = |default: &&TaxAssociation| default.auto_apply && default.end.is_none_or(|end| now < end);
    let copy = |default: &TaxAssociation| Terms {
        tax_rate_id: default.tax_rate_id,
        priority: default.priority,
        auto_apply: true,
        behavior: default.behavior,
        currency: default.currency,
        metadata: default.metadata.clone(),
        start: default.start.max(now),
        end: default.end,
    };
    defaults.iter().filter(applies).map(copy).collect()
}

/// The terms of the overrides, each with the active rate that its code names.
fn chosen(overrides: &TaxRateOverrides, rates: &[TaxRate], now: Timestamp) -> Result<Vec<Terms>, ChangeCustomerError> {
    let mut inactive = Violations::new();
    let mut unknown = Vec::new();
    let mut terms = Vec::new();
    for (index, one) in overrides.iter().enumerate() {
        match rates.iter().find(|rate| rate.code == one.code) {
            None => unknown.push((format!("tax_rate_overrides[{index}].tax_rate_code"), one.code.clone())),
            Some(rate) if rate.rate_status == TaxRateStatus::Inactive => {
                inactive.add(format!("tax_rate_overrides[{index}].tax_rate_code"), &InactiveTaxRate);
            }
            Some(rate) => terms.push(Terms {
                tax_rate_id: rate.id,
                priority: one.priority,
                auto_apply: one.auto_apply,
                behavior: one.behavior,
                currency: Some(one.currency),
                metadata: one.metadata.clone(),
                start: now,
                end: None,
            }),
        }
    }
    inactive.into_result().map_err(ChangeCustomerError::Invalid)?;
    if unknown.is_empty() { Ok(terms) } else { Err(ChangeCustomerError::UnknownTaxRates(unknown)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        customer::{ChangeCustomer, CustomerChange, CustomerFacts, Stamp, TaxFacts},
        ids::{EnvironmentId, TenantId},
        integration::{NewLink, ProviderEntityId, ProviderType},
        lifecycle::Owner,
        tax::{Percentage, TaxRateCode, TaxRateName, TaxRateOverride, TaxRateScope, TaxValue},
        tenancy::Actor,
    };

    fn time(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros).unwrap()
    }

    fn id<K: crate::ids::Kind>(number: u128) -> crate::ids::Id<K> {
        crate::ids::Id::from_uuid(uuid::Uuid::from_u128(number))
    }

    fn scope() -> EnvironmentScope {
        let owner = Owner {
            tenant_id: TenantId::from_uuid(uuid::Uuid::nil()),
            environment_id: EnvironmentId::from_uuid(uuid::Uuid::nil()),
        };
        EnvironmentScope::new(owner, Actor::new("tester").unwrap())
    }

    fn rate(number: u128, code: &str, rate_status: TaxRateStatus) -> TaxRate {
        TaxRate {
            history: Default::default(),
            id: id(number),
            owner: scope().owner,
            code: TaxRateCode::new(code).unwrap(),
            name: TaxRateName::new(code).unwrap(),
            description: None,
            value: TaxValue::Percentage(Percentage::new("19").unwrap()),
            scope: TaxRateScope::Internal,
            rate_status,
            metadata: Metadata::default(),
            status: Status::Published,
            version: Version::FIRST,
            audit: Audit::created(time(0), &scope().actor),
        }
    }

    fn default_tax(number: u128, auto_apply: bool, start: i64, end: Option<i64>) -> TaxAssociation {
        let terms = Terms {
            tax_rate_id: id(number),
            priority: Priority::new(7).unwrap(),
            auto_apply,
            behavior: None,
            currency: Some(CurrencyCode::new("eur").unwrap()),
            metadata: Metadata::default(),
            start: time(start),
            end: end.map(time),
        };
        let copy = terms.associate(id(number), id(0), &scope(), &Audit::created(time(0), &scope().actor));
        TaxAssociation { entity: TaxedEntity::Tenant, ..copy }
    }

    fn an_override(code: &str) -> TaxRateOverride {
        TaxRateOverride {
            behavior: None,
            code: TaxRateCode::new(code).unwrap(),
            currency: CurrencyCode::new("EUR").unwrap(),
            priority: Priority::new(3).unwrap(),
            auto_apply: false,
            metadata: Metadata::default(),
        }
    }

    fn create(taxes: TaxChoice) -> ChangeCustomer {
        let link = NewLink {
            provider_type: ProviderType::new("stripe").unwrap(),
            provider_entity_id: ProviderEntityId::new("cus_1").unwrap(),
            metadata: Default::default(),
        };
        let links = NewLinks::new(vec![link]).unwrap();
        let new = NewCustomer { taxes, links, ..NewCustomer::new(ExternalId::new("acme").unwrap()) };
        let stamp = Stamp { ids: IdSequence::start(time(1_000_000), [0; 10]), at: time(1_000_000), request_id: None };
        ChangeCustomer::new(CustomerChange::Create(new), stamp)
    }

    fn decide(command: ChangeCustomer, taxes: TaxFacts) -> Result<CustomerEvent, ChangeCustomerError> {
        let facts = CustomerFacts { taxes, ..CustomerFacts::default() };
        command.decide(&scope(), &facts).map(|decision| decision.event)
    }

    fn overrides(codes: &[&str]) -> TaxChoice {
        TaxChoice::Overrides(TaxRateOverrides::new(codes.iter().map(|code| an_override(code)).collect()).unwrap())
    }

    #[test]
    fn one_create_is_one_event_with_everything_in_it() {
        let event = decide(create(TaxChoice::default()), TaxFacts::default()).unwrap();
        assert_eq!(event.kind.event_type().as_str(), "customer.created");
        assert_eq!(event.sequence.get(), 1);
        assert_eq!(event.state.customer.version, event.sequence);
        assert_eq!(event.state.customer.audit.created_by.as_str(), "tester");
        assert_eq!(event.state.mappings[0].customer_id, event.state.customer.id);
        assert_ne!(event.state.mappings[0].id.uuid(), event.state.customer.id.uuid());
    }

    #[test]
    fn overrides_are_resolved_by_code_and_keep_their_terms() {
        let facts = TaxFacts {
            rates: vec![rate(1, "A", TaxRateStatus::Active), rate(2, "B", TaxRateStatus::Active)],
            defaults: vec![default_tax(9, true, 0, None)],
        };
        let event = decide(create(overrides(&["B"])), facts.clone()).unwrap();
        let [one] = event.state.associations.as_slice() else { panic!("one association") };
        assert_eq!(one.tax_rate_id, id(2));
        assert_eq!((one.priority.get(), one.auto_apply), (3, false));
        assert_eq!((one.start, one.end), (time(1_000_000), None));
        assert_eq!(one.entity, TaxedEntity::Customer(event.state.customer.id));
    }

    #[test]
    fn absent_overrides_copy_the_defaults_and_an_empty_list_copies_none() {
        let facts = TaxFacts {
            rates: vec![],
            defaults: vec![
                default_tax(1, true, 0, None),
                default_tax(2, true, 2_000_000, Some(3_000_000)),
                default_tax(3, true, 0, Some(1_000_000)),
                default_tax(4, false, 0, None),
            ],
        };
        let event = decide(create(TaxChoice::Defaults), facts.clone()).unwrap();
        let found: Vec<_> = event.state.associations.iter().map(|a| (a.tax_rate_id, a.start, a.end)).collect();
        let future = (id(2), time(2_000_000), Some(time(3_000_000)));
        assert_eq!(found, [(id(1), time(1_000_000), None), future], "ended and optional defaults are not copied");
        assert_eq!(event.state.associations[0].currency.unwrap().as_str(), "eur");

        let event = decide(create(overrides(&[])), facts.clone()).unwrap();
        assert!(event.state.associations.is_empty());
    }

    #[test]
    fn inactive_rates_are_reported_before_unknown_ones() {
        let facts = TaxFacts { rates: vec![rate(1, "OLD", TaxRateStatus::Inactive)], defaults: vec![] };
        let refused = decide(create(overrides(&["NONE", "OLD"])), facts.clone()).unwrap_err();
        let ChangeCustomerError::Invalid(broken) = refused else { panic!("{refused:?}") };
        assert_eq!(broken.iter().next().unwrap().path, "tax_rate_overrides[1].tax_rate_code");

        let refused = decide(create(overrides(&["NONE", "none"])), TaxFacts::default()).unwrap_err();
        let ChangeCustomerError::UnknownTaxRates(unknown) = refused else { panic!("{refused:?}") };
        assert_eq!(
            unknown.iter().map(|(path, code)| (path.as_str(), code.as_str())).collect::<Vec<_>>(),
            [("tax_rate_overrides[0].tax_rate_code", "NONE"), ("tax_rate_overrides[1].tax_rate_code", "none")]
        );
    }

    #[test]
    fn a_taken_external_id_is_refused_after_the_tax_rates_and_before_the_version() {
        let holder = id(4711);
        let facts = CustomerFacts { holder: Some(holder), ..CustomerFacts::default() };
        let with_holder = |command: ChangeCustomer| command.decide(&scope(), &facts).unwrap_err();
        let command = create(TaxChoice::Defaults);
        assert_eq!(command.wanted_external_id(None).map(ExternalId::as_str), Some("acme"));
        let only_if = crate::customer::Precondition::Exists;
        let refused = with_holder(ChangeCustomer { only_if, ..command });
        assert_eq!(refused, ChangeCustomerError::ExternalIdTaken { existing: holder });
        let refused = with_holder(create(overrides(&["NONE"])));
        assert!(matches!(refused, ChangeCustomerError::UnknownTaxRates(_)));
    }

    #[test]
    fn only_the_facts_that_matter_are_asked_for() {
        assert_eq!(create(TaxChoice::Defaults).tax_facts_needed(), TaxFactsNeeded { rates: vec![], defaults: true });
        assert_eq!(create(overrides(&[])).tax_facts_needed(), TaxFactsNeeded::default());
        let code = TaxRateCode::new("A").unwrap();
        assert_eq!(create(overrides(&["A"])).tax_facts_needed(), TaxFactsNeeded::rates([&code]));
    }
}
