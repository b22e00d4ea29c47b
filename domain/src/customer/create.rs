//! Creating a customer: the request and the decision.

mod taxes;

pub use taxes::TaxChoice;
use taxes::{chosen, inherited};

use super::{
    ChangeCustomerError, ContactPerson, Customer, CustomerAggregate, CustomerDecision, ExternalId, Item, ItemKind,
    Limits, NewItems, Profile, TaxExemption, TaxFactsNeeded, TaxId, WorkflowNeeded, change::DecisionContext,
    error::UnknownWorkflow,
};
use crate::{
    custom_field::{self, GivenFields},
    event::{CustomerEvent, CustomerEventKind},
    ids::IdSequence,
    integration::NewLinks,
    lifecycle::{Audit, Status, Version},
    onboarding::Onboarding,
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
    /// The values of custom fields, which are checked when the create is decided.
    pub custom_fields: GivenFields,
    /// Where its taxes come from.
    pub taxes: TaxChoice,
    /// Its links to other systems.
    pub links: NewLinks,
    /// What to do about onboarding.
    pub onboarding: Onboarding,
    /// Whether the client knows that the external id belonged to a customer that is suppressed or erased, and that this is
    /// another one.
    pub confirm_new_subject: bool,
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
            custom_fields: GivenFields::default(),
            taxes: TaxChoice::default(),
            links: NewLinks::default(),
            onboarding: Onboarding::default(),
            confirm_new_subject: false,
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
    let mut broken = Violations::new();
    if matches!(WorkflowNeeded::of(&new.onboarding), WorkflowNeeded::Named(_)) && facts.workflow.is_none() {
        broken.add("onboarding_workflow_name", &UnknownWorkflow);
    }
    let mut profile = new.profile;
    match custom_field::checked_new(&facts.custom_fields.definitions, &new.custom_fields) {
        Ok(fields) => profile.custom_fields = fields,
        Err(found) => found.into_iter().for_each(|violation| broken.push(violation)),
    }
    broken.into_result().map_err(ChangeCustomerError::Invalid)?;
    let audit = Audit::created(at, &scope.actor);
    let customer_id = ids.next_id();
    let event_id = ids.next_id();

    let terms = match &new.taxes {
        TaxChoice::Defaults => inherited(&facts.taxes.defaults, at),
        TaxChoice::Overrides(overrides) => chosen(overrides, &facts.taxes.rates, at)?,
    };
    context.rates_are_known(new.tax_exemptions.rate_codes())?;
    context.external_id_is_free_for(customer_id)?;
    context.unique_values_are_free_for(customer_id, &profile.custom_fields)?;
    context.subject_is_new(new.confirm_new_subject)?;
    let associations = terms.into_iter().map(|terms| terms.associate(ids.next_id(), customer_id, scope, &audit));
    let associations = associations.collect();
    let mappings = new.links.into_iter().map(|link| link.map(ids.next_id(), customer_id, scope.owner, &audit));
    let mappings = mappings.collect();
    let mut customer = Customer {
        id: customer_id,
        owner: scope.owner,
        external_id: new.external_id,
        profile,
        contact_persons: Vec::new(),
        tax_ids: Vec::new(),
        tax_exemptions: Vec::new(),
        legal_hold: None,
        status: Status::Published,
        version: Version::FIRST,
        audit,
    };
    let mut broken = Violations::new();
    customer.contact_persons = made(new.contact_persons, &mut ids, at, &mut broken);
    customer.tax_ids = made(new.tax_ids, &mut ids, at, &mut broken);
    customer.tax_exemptions = made(new.tax_exemptions, &mut ids, at, &mut broken);
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
fn made<T: ItemKind>(new: NewItems<T>, ids: &mut IdSequence, at: Timestamp, broken: &mut Violations) -> Vec<Item<T>> {
    new.replace(&[], ids, at).unwrap_or_else(|found| {
        found.into_iter().for_each(|violation| broken.push(violation));
        Vec::new()
    })
}

#[cfg(test)]
mod tests;
