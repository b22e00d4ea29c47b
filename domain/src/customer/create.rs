//! Creating a customer: the command, the facts its decision needs, and the decision.

use super::{Customer, CustomerAggregate, ExternalId, Profile};
use crate::{
    event::{CustomerEvent, CustomerEventKind, Onboarding},
    ids::{CustomerId, IdSequence, TaxAssociationId, TaxRateId},
    integration::{IntegrationMapping, NewLink, NewLinks},
    lifecycle::{Audit, Status, Version},
    metadata::Metadata,
    store::StoreError,
    tax::{CurrencyCode, Priority, TaxAssociation, TaxRate, TaxRateCode, TaxRateOverrides, TaxRateStatus, TaxedEntity},
    tenancy::{EnvironmentScope, PermissionDenied, RequestId},
    time::Timestamp,
    violation::{Rule, Violations},
};

/// A customer somebody asks for: valid in itself, not yet decided.
#[derive(Debug, Clone, PartialEq)]
pub struct NewCustomer {
    /// Its id in the client's own system.
    pub external_id: ExternalId,
    /// What the client says of it.
    pub profile: Profile,
    /// Where its taxes come from.
    pub taxes: TaxChoice,
    /// Its links to other systems.
    pub links: NewLinks,
    /// What to do about onboarding.
    pub onboarding: Onboarding,
}

/// Where a new customer's taxes come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum TaxChoice {
    /// The environment's auto-apply defaults are copied.
    #[default]
    Defaults,
    /// These rates and no others; an empty list means no taxes at all.
    Overrides(TaxRateOverrides),
}

/// The command for one create: what is asked, and the ids, the time and the request it is done with.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateCustomer {
    /// What is asked.
    pub new: NewCustomer,
    /// The ids to use.
    pub ids: IdSequence,
    /// The time of the create.
    pub at: Timestamp,
    /// The request it is done in.
    pub request_id: Option<RequestId>,
}

/// What a repository has to look up, inside the transaction, for the decision about one create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaxFactsNeeded<'a> {
    /// The published tax rates with these codes.
    Rates(Vec<&'a TaxRateCode>),
    /// The environment's published auto-apply defaults.
    Defaults,
    /// Nothing.
    Nothing,
}

/// What was looked up: as [`CreateCustomer::tax_facts_needed`] says. More than was asked for does no harm.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaxFacts {
    /// Published tax rates.
    pub rates: Vec<TaxRate>,
    /// Published associations with [`TaxedEntity::Tenant`].
    pub defaults: Vec<TaxAssociation>,
}

/// Why a customer was not created. In the order in which they are told when several apply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CreateCustomerError {
    /// The caller may not write. Never answered by a repository.
    #[error(transparent)]
    Denied(#[from] PermissionDenied),
    /// Fields break rules that only the stored facts show, such as a tax rate that is not active.
    #[error(transparent)]
    Invalid(Violations),
    /// Overrides name codes that no published tax rate has: the places of the overrides, and the codes.
    #[error("some tax_rate_code names no tax rate; create the tax rate first, or mend the code")]
    UnknownTaxRates(Vec<(usize, TaxRateCode)>),
    /// A published customer has the external id already.
    #[error(
        "a customer with this external_id exists already; use another external_id, or change the existing customer"
    )]
    ExternalIdTaken {
        /// That customer's id.
        existing: CustomerId,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An override names a tax rate that is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("tax_rate_code names a tax rate that is INACTIVE; activate the tax rate, or name another")]
struct InactiveTaxRate;

impl Rule for InactiveTaxRate {
    fn rule(&self) -> &'static str {
        "active_tax_rate"
    }
}

impl CreateCustomer {
    /// What the repository has to look up before [`CreateCustomer::decide`].
    #[must_use]
    pub fn tax_facts_needed(&self) -> TaxFactsNeeded<'_> {
        match &self.new.taxes {
            TaxChoice::Defaults => TaxFactsNeeded::Defaults,
            TaxChoice::Overrides(overrides) if overrides.is_empty() => TaxFactsNeeded::Nothing,
            TaxChoice::Overrides(overrides) => TaxFactsNeeded::Rates(overrides.iter().map(|one| &one.code).collect()),
        }
    }

    /// Decides about the create: facts in, event with the whole new state or refusal out. Pure.
    ///
    /// Whether the external id is free is not decided here: the store's unique index does, because only it can.
    ///
    /// # Errors
    /// [`CreateCustomerError::Invalid`] for overrides that name inactive rates, else
    /// [`CreateCustomerError::UnknownTaxRates`] for codes that no rate has.
    pub fn decide(self, scope: &EnvironmentScope, facts: &TaxFacts) -> Result<CustomerEvent, CreateCustomerError> {
        let Self { new, mut ids, at, request_id } = self;
        let audit = Audit::created(at, &scope.actor);
        let customer_id = ids.next_id();
        let event_id = ids.next_id();

        let terms = match &new.taxes {
            TaxChoice::Defaults => inherited(&facts.defaults, at),
            TaxChoice::Overrides(overrides) => chosen(overrides, &facts.rates, at)?,
        };
        let associations = terms.into_iter().map(|terms| terms.associate(ids.next_id(), customer_id, scope, &audit));
        let associations = associations.collect();
        let mappings =
            new.links.into_iter().map(|NewLink { provider_type, provider_entity_id, metadata }| IntegrationMapping {
                id: ids.next_id(),
                owner: scope.owner,
                customer_id,
                provider_type,
                provider_entity_id,
                metadata,
                status: Status::Published,
                audit: audit.clone(),
            });
        let mappings = mappings.collect();
        let customer = Customer {
            id: customer_id,
            owner: scope.owner,
            external_id: new.external_id,
            profile: new.profile,
            status: Status::Published,
            version: Version::FIRST,
            audit,
        };
        Ok(CustomerEvent {
            id: event_id,
            kind: CustomerEventKind::Created { onboarding: new.onboarding },
            sequence: Version::FIRST,
            at,
            actor: scope.actor.clone(),
            request_id,
            state: CustomerAggregate { customer, mappings, associations },
        })
    }
}

/// What a tax association says, before it has an id and a customer.
struct Terms {
    tax_rate_id: TaxRateId,
    priority: Priority,
    auto_apply: bool,
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
            currency: self.currency,
            metadata: self.metadata,
            start: self.start,
            end: self.end,
            status: Status::Published,
            audit: audit.clone(),
        }
    }
}

/// Copies of the environment's auto-apply defaults, from now on at the earliest, without those whose end has passed.
/// A rate that is switched off comes along: once it is active again, it applies to this customer too.
fn inherited(defaults: &[TaxAssociation], now: Timestamp) -> Vec<Terms> {
    let applies = |default: &&TaxAssociation| default.auto_apply && default.end.is_none_or(|end| now < end);
    let copy = |default: &TaxAssociation| Terms {
        tax_rate_id: default.tax_rate_id,
        priority: default.priority,
        auto_apply: true,
        currency: default.currency,
        metadata: default.metadata.clone(),
        start: default.start.max(now),
        end: default.end,
    };
    defaults.iter().filter(applies).map(copy).collect()
}

/// The terms of the overrides, each with the active rate of its code.
fn chosen(overrides: &TaxRateOverrides, rates: &[TaxRate], now: Timestamp) -> Result<Vec<Terms>, CreateCustomerError> {
    let mut inactive = Violations::new();
    let mut unknown = Vec::new();
    let mut terms = Vec::new();
    for (index, one) in overrides.iter().enumerate() {
        match rates.iter().find(|rate| rate.code == one.code) {
            None => unknown.push((index, one.code.clone())),
            Some(rate) if rate.rate_status == TaxRateStatus::Inactive => {
                inactive.add(format!("tax_rate_overrides[{index}].tax_rate_code"), &InactiveTaxRate);
            }
            Some(rate) => terms.push(Terms {
                tax_rate_id: rate.id,
                priority: one.priority,
                auto_apply: one.auto_apply,
                currency: Some(one.currency),
                metadata: one.metadata.clone(),
                start: now,
                end: None,
            }),
        }
    }
    inactive.into_result().map_err(CreateCustomerError::Invalid)?;
    if unknown.is_empty() { Ok(terms) } else { Err(CreateCustomerError::UnknownTaxRates(unknown)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ids::{EnvironmentId, TenantId},
        integration::{ProviderEntityId, ProviderType},
        lifecycle::Owner,
        tax::{Percentage, TaxRateName, TaxRateOverride, TaxRateScope, TaxValue},
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
        EnvironmentScope { owner, actor: Actor::new("tester").unwrap() }
    }

    fn rate(number: u128, code: &str, rate_status: TaxRateStatus) -> TaxRate {
        TaxRate {
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
            code: TaxRateCode::new(code).unwrap(),
            currency: CurrencyCode::new("EUR").unwrap(),
            priority: Priority::new(3).unwrap(),
            auto_apply: false,
            metadata: Metadata::default(),
        }
    }

    fn create(taxes: TaxChoice) -> CreateCustomer {
        let link = NewLink {
            provider_type: ProviderType::new("stripe").unwrap(),
            provider_entity_id: ProviderEntityId::new("cus_1").unwrap(),
            metadata: Default::default(),
        };
        CreateCustomer {
            new: NewCustomer {
                external_id: ExternalId::new("acme").unwrap(),
                profile: Profile::default(),
                taxes,
                links: NewLinks::new(vec![link]).unwrap(),
                onboarding: Onboarding::default(),
            },
            ids: IdSequence::start(time(1_000_000), [0; 10]),
            at: time(1_000_000),
            request_id: None,
        }
    }

    fn overrides(codes: &[&str]) -> TaxChoice {
        TaxChoice::Overrides(TaxRateOverrides::new(codes.iter().map(|code| an_override(code)).collect()).unwrap())
    }

    #[test]
    fn one_create_is_one_event_with_everything_in_it() {
        let event = create(TaxChoice::default()).decide(&scope(), &TaxFacts::default()).unwrap();
        assert_eq!(event.kind.event_type(), "customer.created");
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
        let event = create(overrides(&["B"])).decide(&scope(), &facts).unwrap();
        let [one] = event.state.associations.as_slice() else { panic!("one association") };
        assert_eq!(one.tax_rate_id, id(2));
        assert_eq!((one.priority.get(), one.auto_apply), (3, false));
        assert_eq!((one.start, one.end), (time(1_000_000), None));
        assert_eq!(one.entity, TaxedEntity::Customer(event.state.customer.id));
    }

    #[test]
    fn no_overrides_at_all_take_over_the_defaults_and_an_empty_list_takes_none() {
        let facts = TaxFacts {
            rates: vec![],
            defaults: vec![
                default_tax(1, true, 0, None),
                default_tax(2, true, 2_000_000, Some(3_000_000)),
                default_tax(3, true, 0, Some(1_000_000)),
                default_tax(4, false, 0, None),
            ],
        };
        let event = create(TaxChoice::Defaults).decide(&scope(), &facts).unwrap();
        let found: Vec<_> = event.state.associations.iter().map(|a| (a.tax_rate_id, a.start, a.end)).collect();
        let future = (id(2), time(2_000_000), Some(time(3_000_000)));
        assert_eq!(found, [(id(1), time(1_000_000), None), future], "ended and optional defaults stay behind");
        assert_eq!(event.state.associations[0].currency.unwrap().as_str(), "eur");

        let event = create(overrides(&[])).decide(&scope(), &facts).unwrap();
        assert!(event.state.associations.is_empty());
    }

    #[test]
    fn inactive_rates_are_told_before_unknown_ones() {
        let facts = TaxFacts { rates: vec![rate(1, "OLD", TaxRateStatus::Inactive)], defaults: vec![] };
        let refused = create(overrides(&["NONE", "OLD"])).decide(&scope(), &facts).unwrap_err();
        let CreateCustomerError::Invalid(broken) = refused else { panic!("{refused:?}") };
        assert_eq!(broken.iter().next().unwrap().path, "tax_rate_overrides[1].tax_rate_code");

        let refused = create(overrides(&["NONE", "none"])).decide(&scope(), &TaxFacts::default()).unwrap_err();
        let CreateCustomerError::UnknownTaxRates(unknown) = refused else { panic!("{refused:?}") };
        assert_eq!(
            unknown.iter().map(|(index, code)| (*index, code.as_str())).collect::<Vec<_>>(),
            [(0, "NONE"), (1, "none")]
        );
    }

    #[test]
    fn only_the_facts_that_matter_are_asked_for() {
        assert_eq!(create(TaxChoice::Defaults).tax_facts_needed(), TaxFactsNeeded::Defaults);
        assert_eq!(create(overrides(&[])).tax_facts_needed(), TaxFactsNeeded::Nothing);
        let code = TaxRateCode::new("A").unwrap();
        assert_eq!(create(overrides(&["A"])).tax_facts_needed(), TaxFactsNeeded::Rates(vec![&code]));
    }
}
