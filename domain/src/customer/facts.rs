//! What a store has to look up, inside the transaction, before a change of a customer is decided.

use super::{CustomerAggregate, ExternalId};
use crate::{
    ids::{CustomerId, WorkflowId},
    onboarding::{Onboarding, WorkflowName},
    tax::{TaxAssociation, TaxRate, TaxRateCode},
};

/// The customer that a change is about.
///
/// ```
/// use patron_domain::{customer::Subject, ids::IdSequence, testkit::{a_customer, a_time}};
///
/// let command = a_customer("acme").command(IdSequence::start(a_time(), [0; 10]), a_time());
/// assert_eq!(command.subject(), Subject::New);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject<'a> {
    /// None yet: the change makes one.
    New,
    /// The one with an id, whatever its status.
    Id(CustomerId),
    /// The published one with an external id; none if there is none.
    ExternalId(&'a ExternalId),
}

/// What has to be looked up about taxes.
///
/// ```
/// use patron_domain::{customer::TaxFactsNeeded, ids::IdSequence, testkit::{a_customer, a_time}};
///
/// let command = a_customer("acme").untaxed().command(IdSequence::start(a_time(), [0; 10]), a_time());
/// assert_eq!(command.tax_facts_needed(), TaxFactsNeeded::Nothing);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaxFactsNeeded<'a> {
    /// The published tax rates with these codes.
    Rates(Vec<&'a TaxRateCode>),
    /// The environment's published auto-apply defaults.
    Defaults,
    /// Nothing.
    Nothing,
}

/// Which onboarding workflow has to be looked up.
///
/// ```
/// use patron_domain::{
///     customer::WorkflowNeeded,
///     ids::IdGenerator,
///     testkit::{CountingIds, CustomerBuilder, a_customer, a_time},
/// };
///
/// let create = |new: CustomerBuilder| new.command(CountingIds::default().start(a_time()), a_time());
/// assert_eq!(create(a_customer("acme")).workflow_needed(), WorkflowNeeded::Default);
/// assert_eq!(create(a_customer("acme").skipping_onboarding()).workflow_needed(), WorkflowNeeded::None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkflowNeeded<'a> {
    /// None.
    None,
    /// The one of customers that name none, if there is one.
    Default,
    /// The one with a name.
    Named(&'a WorkflowName),
}

impl<'a> WorkflowNeeded<'a> {
    /// What a create says about onboarding needs.
    pub(super) fn of(onboarding: &'a Onboarding) -> Self {
        match onboarding {
            Onboarding { skip: true, .. } => Self::None,
            Onboarding { workflow: None, .. } => Self::Default,
            Onboarding { workflow: Some(name), .. } => Self::Named(name),
        }
    }
}

/// What was looked up about taxes. More than was asked for does no harm.
///
/// ```
/// use patron_domain::{customer::TaxFacts, testkit::a_tax_rate};
///
/// let facts = TaxFacts::new(vec![a_tax_rate("VAT")], Vec::new());
/// assert!(facts.defaults.is_empty());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaxFacts {
    /// Published tax rates.
    pub rates: Vec<TaxRate>,
    /// Published associations with [`TaxedEntity::Tenant`](crate::tax::TaxedEntity::Tenant).
    pub defaults: Vec<TaxAssociation>,
}

/// What was looked up for the decision about one change.
///
/// ```
/// use patron_domain::{customer::CustomerFacts, testkit::an_id};
///
/// let facts = CustomerFacts::new(None, Some(an_id(1)));
/// assert_eq!(facts.current, None);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct CustomerFacts {
    /// The customer that [`Subject`] names, locked until the end of the transaction, with everything that belongs to it.
    pub current: Option<CustomerAggregate>,
    /// The published customer, whichever it is, that has the external id named by
    /// [`wanted_external_id`](super::ChangeCustomer::wanted_external_id).
    pub holder: Option<CustomerId>,
    /// The taxes.
    pub taxes: TaxFacts,
    /// The version of the workflow that [`workflow_needed`](super::ChangeCustomer::workflow_needed) names; `None` when
    /// there is none, as always with a store that keeps none.
    pub workflow: Option<WorkflowId>,
}

impl TaxFacts {
    /// Published tax rates, and published defaults.
    #[must_use]
    pub fn new(rates: Vec<TaxRate>, defaults: Vec<TaxAssociation>) -> Self {
        Self { rates, defaults }
    }
}

impl CustomerFacts {
    /// The customer, and who has the external id that is wanted. Each fact that is not given is that nothing was found.
    #[must_use]
    pub fn new(current: Option<CustomerAggregate>, holder: Option<CustomerId>) -> Self {
        Self { current, holder, ..Self::default() }
    }

    /// The same with taxes.
    #[must_use]
    pub fn with_taxes(self, taxes: TaxFacts) -> Self {
        Self { taxes, ..self }
    }

    /// The same with a version of a workflow.
    #[must_use]
    pub fn with_workflow(self, workflow: Option<WorkflowId>) -> Self {
        Self { workflow, ..self }
    }
}
