//! The facts that a store looks up, inside the transaction, before a change of a customer is decided.

use super::{CustomerAggregate, ExternalId};
use crate::{
    custom_field::CustomFieldFacts,
    ids::{CustomerId, WorkflowId},
    onboarding::{Onboarding, WorkflowName},
    tax::{TaxAssociation, TaxRate, TaxRateCode},
};

/// The customer that a change concerns.
///
/// ```
/// use patron_domain::{customer::Subject, ids::IdSequence, testkit::{a_customer, a_time}};
///
/// let command = a_customer("acme").command(IdSequence::start(a_time(), [0; 10]), a_time());
/// assert_eq!(command.subject(), Subject::New);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject<'a> {
    /// No existing customer: the change creates one.
    New,
    /// The customer with this id, in any status.
    Id(CustomerId),
    /// The published customer with this external id, if there is one.
    ExternalId(&'a ExternalId),
}

/// The tax facts that must be looked up.
///
/// ```
/// use patron_domain::{customer::TaxFactsNeeded, ids::IdSequence, testkit::{a_customer, a_time}};
///
/// let command = a_customer("acme").untaxed().command(IdSequence::start(a_time(), [0; 10]), a_time());
/// assert_eq!(command.tax_facts_needed(), TaxFactsNeeded::default());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaxFactsNeeded<'a> {
    /// The published tax rates with these codes. A code may occur twice.
    pub rates: Vec<&'a TaxRateCode>,
    /// Whether the environment's published auto-apply defaults are needed.
    pub defaults: bool,
}

impl<'a> TaxFactsNeeded<'a> {
    /// The published tax rates with these codes, and nothing else.
    pub(super) fn rates(codes: impl IntoIterator<Item = &'a TaxRateCode>) -> Self {
        Self { rates: codes.into_iter().collect(), defaults: false }
    }
}

/// The onboarding workflow that must be looked up.
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
    /// The default workflow, if there is one.
    Default,
    /// The workflow with this name.
    Named(&'a WorkflowName),
}

impl<'a> WorkflowNeeded<'a> {
    /// The workflow that a create needs.
    pub(super) fn of(onboarding: &'a Onboarding) -> Self {
        match onboarding {
            Onboarding { skip: true, .. } => Self::None,
            Onboarding { workflow: None, .. } => Self::Default,
            Onboarding { workflow: Some(name), .. } => Self::Named(name),
        }
    }
}

/// The tax facts that were looked up. Additional ones do no harm.
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

/// The facts for the decision about one change.
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
    /// The customer that [`Subject`] names, with everything that belongs to it, locked until the end of the
    /// transaction.
    pub current: Option<CustomerAggregate>,
    /// The published customer that has the external id of
    /// [`wanted_external_id`](super::ChangeCustomer::wanted_external_id).
    pub holder: Option<CustomerId>,
    /// Whether the external id of [`claimed_external_id`](super::ChangeCustomer::claimed_external_id) belonged to a
    /// customer that is suppressed or erased. Always `false` in a store that does not erase.
    pub erased: bool,
    /// The tax facts.
    pub taxes: TaxFacts,
    /// The workflow version that [`workflow_needed`](super::ChangeCustomer::workflow_needed) asks for. `None` when
    /// there is none, and always in a store without workflows.
    pub workflow: Option<WorkflowId>,
    /// The number of published customers, if [`count_needed`](super::ChangeCustomer::count_needed) asks for it.
    pub published: u64,
    /// The custom fields.
    pub custom_fields: CustomFieldFacts,
}

impl TaxFacts {
    /// Published tax rates, and published defaults.
    #[must_use]
    pub fn new(rates: Vec<TaxRate>, defaults: Vec<TaxAssociation>) -> Self {
        Self { rates, defaults }
    }
}

impl CustomerFacts {
    /// The customer, and the holder of the wanted external id. Everything else counts as not found.
    #[must_use]
    pub fn new(current: Option<CustomerAggregate>, holder: Option<CustomerId>) -> Self {
        Self { current, holder, ..Self::default() }
    }

    /// Says whether the claimed external id belonged to a customer that is suppressed or erased.
    #[must_use]
    pub fn with_erased(self, erased: bool) -> Self {
        Self { erased, ..self }
    }

    /// Adds tax facts.
    #[must_use]
    pub fn with_taxes(self, taxes: TaxFacts) -> Self {
        Self { taxes, ..self }
    }

    /// Adds the number of published customers.
    #[must_use]
    pub fn with_published(self, published: u64) -> Self {
        Self { published, ..self }
    }

    /// Adds custom fields.
    #[must_use]
    pub fn with_custom_fields(self, custom_fields: CustomFieldFacts) -> Self {
        Self { custom_fields, ..self }
    }

    /// Adds a workflow version.
    #[must_use]
    pub fn with_workflow(self, workflow: Option<WorkflowId>) -> Self {
        Self { workflow, ..self }
    }
}
