//! Decisions about an existing customer: update, archive, restore, link, associate taxes.

use super::{
    Amendment, ArchivedTerm, ChangeCustomerError, CustomerAggregate, CustomerDecision, CustomerUpdate, Limits,
    NewLegalHold, Precondition,
    change::{DecisionContext, only_if as check},
    error::InactiveTaxRate,
};
use crate::{
    custom_field::{CustomFieldKey, CustomFieldsChange},
    event::{CustomerEvent, CustomerEventKind, CustomerField},
    ids::{IdSequence, MappingId, TaxAssociationId},
    integration::{IntegrationMapping, NewLink, ProviderEntityId, ProviderType},
    lifecycle::{Audit, Status},
    tax::{NewTaxAssociation, TaxAssociation, TaxAssociationUpdate, TaxRateStatus, TaxedEntity},
    violation::Violations,
};

/// Decides one amendment of the customer's current state.
pub(super) fn amend(
    context: DecisionContext<'_>,
    current: &CustomerAggregate,
    amendment: Amendment,
    only_if: &Precondition,
) -> Result<CustomerDecision, ChangeCustomerError> {
    amendment.permitted(current.customer.status)?;
    let may_grow = amendment.may_grow();
    let mut ids = context.ids;
    let event_id = ids.next_id();
    let mut draft = Draft { context: &context, ids, state: current.clone() };
    let kind = match amendment {
        Amendment::Update(update) => draft.update(*update)?,
        Amendment::Archive => draft.archive(),
        Amendment::Restore => draft.restore()?,
        Amendment::Link(link) => CustomerEventKind::IntegrationLinked { mapping_id: draft.link(link) },
        Amendment::Unlink { provider_type, provider_entity_id } => {
            draft.unlink(&provider_type, provider_entity_id.as_ref())?
        }
        Amendment::Associate(new) => draft.associate(*new)?,
        Amendment::UpdateAssociation(id, update) => draft.update_association(id, update)?,
        Amendment::Dissociate(id) => draft.dissociate(id)?,
        Amendment::RemoveCustomField(key) => draft.remove_custom_field(key),
        Amendment::PlaceHold(new) => draft.place_hold(new),
        Amendment::RemoveHold => draft.remove_hold()?,
        Amendment::EndOnboarding { succeeded: true } => CustomerEventKind::OnboardingCompleted,
        Amendment::EndOnboarding { succeeded: false } => CustomerEventKind::OnboardingFailed,
    };
    if may_grow {
        Limits::check(Some(current), &draft.state)?;
    }
    check(only_if, Some(current.customer.version))?;
    let Draft { mut state, .. } = draft;
    // Without a new value there is no new version.
    let is_change = state != *current
        || matches!(kind, CustomerEventKind::OnboardingCompleted | CustomerEventKind::OnboardingFailed);
    if is_change {
        state.customer.version = current.customer.version.next();
        state.customer.audit.touch(context.at, &context.scope.actor);
    }
    let event = CustomerEvent {
        id: event_id,
        kind,
        sequence: state.customer.version,
        at: context.at,
        actor: context.scope.actor.clone(),
        request_id: context.request_id,
        state,
    };
    Ok(CustomerDecision { event, onboarding: None })
}

/// The aggregate while it is being changed.
struct Draft<'a> {
    context: &'a DecisionContext<'a>,
    ids: IdSequence,
    state: CustomerAggregate,
}

impl Draft<'_> {
    fn update(&mut self, mut update: CustomerUpdate) -> Result<CustomerEventKind, ChangeCustomerError> {
        let links = std::mem::take(&mut update.links);
        let external_id = self.state.customer.external_id.clone();
        let confirmed = update.confirm_new_subject;
        self.context.rates_are_known(update.tax_exemptions.rate_codes())?;
        let definitions = &self.context.facts.custom_fields.definitions;
        let sends_fields = update.custom_fields != CustomFieldsChange::Keep;
        let mut changed = update.apply(&mut self.state.customer, definitions, &mut self.ids, self.context.at)?;
        if sends_fields {
            let customer = &self.state.customer;
            self.context.unique_values_are_free_for(customer.id, &customer.profile.custom_fields)?;
        }
        if self.state.customer.external_id != external_id {
            self.context.external_id_is_free_for(self.state.customer.id)?;
            self.context.subject_is_new(confirmed)?;
            self.state.renamed_from(external_id, self.context.at);
        }
        let before = self.state.mappings.clone();
        for link in links {
            self.link(link);
        }
        if self.state.mappings != before {
            changed.push(CustomerField::Integrations);
        }
        Ok(CustomerEventKind::Updated { changed })
    }

    fn archive(&mut self) -> CustomerEventKind {
        self.set_status(Status::Published, Status::Archived);
        self.state.archived_terms.push(ArchivedTerm { from: self.context.at, until: None });
        CustomerEventKind::Deleted
    }

    fn restore(&mut self) -> Result<CustomerEventKind, ChangeCustomerError> {
        let customer = &self.state.customer;
        self.context.external_id_is_free_for(customer.id)?;
        self.context.unique_values_are_free_for(customer.id, &customer.profile.custom_fields)?;
        self.set_status(Status::Archived, Status::Published);
        self.end_archived_term();
        Ok(CustomerEventKind::Restored)
    }

    fn remove_custom_field(&mut self, key: CustomFieldKey) -> CustomerEventKind {
        let removed = self.state.customer.profile.custom_fields.remove(key);
        CustomerEventKind::Updated { changed: removed.then_some(CustomerField::CustomFields).into_iter().collect() }
    }

    /// Ends the period in which the customer was archived. So that periods stay few, the earliest two become one.
    fn end_archived_term(&mut self) {
        let terms = &mut self.state.archived_terms;
        if let Some(term) = terms.last_mut() {
            term.until = Some(self.context.at);
        }
        if terms.len() > ArchivedTerm::MAX_KEPT {
            let first = terms.remove(0);
            if let Some(second) = terms.first_mut() {
                second.from = first.from;
            }
        }
    }

    /// Moves the customer and what belongs to it from one status to another.
    fn set_status(&mut self, from: Status, to: Status) {
        let (at, actor) = (self.context.at, &self.context.scope.actor);
        self.state.customer.status = to;
        for mapping in self.state.mappings.iter_mut().filter(|mapping| mapping.status == from) {
            mapping.status = to;
            mapping.audit.touch(at, actor);
        }
        for association in self.state.associations.iter_mut().filter(|association| association.status == from) {
            association.status = to;
            association.audit.advance(at, actor);
        }
    }

    fn place_hold(&mut self, new: NewLegalHold) -> CustomerEventKind {
        let hold = &mut self.state.customer.legal_hold;
        // A repeated request changes nothing.
        if hold.as_ref().is_none_or(|hold| !hold.has_terms_of(&new)) {
            *hold = Some(new.placed(self.context.at, &self.context.scope.actor));
        }
        CustomerEventKind::LegalHoldPlaced
    }

    fn remove_hold(&mut self) -> Result<CustomerEventKind, ChangeCustomerError> {
        self.state.customer.legal_hold.take().ok_or(ChangeCustomerError::NotHeld)?;
        Ok(CustomerEventKind::LegalHoldRemoved)
    }

    /// Updates the link to a system, or adds it.
    fn link(&mut self, link: NewLink) -> MappingId {
        let (at, actor) = (self.context.at, &self.context.scope.actor);
        let known = self.state.mappings.iter_mut().find(|mapping| mapping.provider_type == link.provider_type);
        if let Some(mapping) = known {
            if mapping.provider_entity_id != link.provider_entity_id || mapping.metadata != link.metadata {
                mapping.provider_entity_id = link.provider_entity_id;
                mapping.metadata = link.metadata;
                mapping.audit.touch(at, actor);
            }
            return mapping.id;
        }
        let customer = &self.state.customer;
        let mapping = link.map(self.ids.next_id(), customer.id, customer.owner, &Audit::created(at, actor));
        let id = mapping.id;
        self.state.mappings.push(mapping);
        self.state.mappings.sort_by_key(|mapping| mapping.id);
        id
    }

    fn unlink(
        &mut self,
        provider_type: &ProviderType,
        provider_entity_id: Option<&ProviderEntityId>,
    ) -> Result<CustomerEventKind, ChangeCustomerError> {
        let meant = |mapping: &IntegrationMapping| {
            mapping.provider_type == *provider_type
                && provider_entity_id.is_none_or(|id| mapping.provider_entity_id == *id)
        };
        let place = self.state.mappings.iter().position(meant).ok_or(ChangeCustomerError::UnknownMapping)?;
        let mapping_id = self.state.mappings.remove(place).id;
        Ok(CustomerEventKind::IntegrationUnlinked { mapping_id })
    }

    fn associate(&mut self, new: NewTaxAssociation) -> Result<CustomerEventKind, ChangeCustomerError> {
        let at = self.context.at;
        let term = new.term(at).map_err(ChangeCustomerError::Invalid)?;
        let rate = self.context.facts.taxes.rates.iter().find(|rate| rate.code == new.code);
        let Some(rate) = rate else {
            return Err(ChangeCustomerError::UnknownTaxRates(vec![("tax_rate_code".to_owned(), new.code)]));
        };
        if rate.rate_status == TaxRateStatus::Inactive {
            let mut broken = Violations::new();
            broken.add("tax_rate_code", &InactiveTaxRate);
            return Err(ChangeCustomerError::Invalid(broken));
        }
        let customer = &self.state.customer;
        let association = TaxAssociation {
            id: self.ids.next_id(),
            owner: customer.owner,
            tax_rate_id: rate.id,
            entity: TaxedEntity::Customer(customer.id),
            priority: new.priority,
            auto_apply: new.auto_apply,
            behavior: new.behavior,
            currency: new.currency,
            metadata: new.metadata,
            start: term.start,
            end: term.end,
            status: Status::Published,
            audit: Audit::created(at, &self.context.scope.actor),
        };
        self.does_not_overlap(&association)?;
        let association_id = association.id;
        self.state.associations.push(association);
        self.state.associations.sort_by_key(|association| association.id);
        Ok(CustomerEventKind::TaxAssociated { association_id })
    }

    fn update_association(
        &mut self,
        id: TaxAssociationId,
        update: TaxAssociationUpdate,
    ) -> Result<CustomerEventKind, ChangeCustomerError> {
        let (at, actor) = (self.context.at, &self.context.scope.actor);
        let known = self.state.associations.iter_mut().find(|association| association.id == id);
        let association = known.ok_or(ChangeCustomerError::UnknownAssociation)?;
        check(&self.context.only_if_association, Some(association.audit.version()))?;
        let before = association.clone();
        update.apply(association).map_err(ChangeCustomerError::Invalid)?;
        if *association != before {
            association.audit.advance(at, actor);
        }
        let association = association.clone();
        self.does_not_overlap(&association)?;
        Ok(CustomerEventKind::TaxAssociationUpdated { association_id: id })
    }

    /// Refuses a second association with the same rate and currency at the same time.
    fn does_not_overlap(&self, association: &TaxAssociation) -> Result<(), ChangeCustomerError> {
        match association.overlapping(&self.state.associations) {
            Some(existing) => Err(ChangeCustomerError::AlreadyAssociated { existing }),
            None => Ok(()),
        }
    }

    fn dissociate(&mut self, id: TaxAssociationId) -> Result<CustomerEventKind, ChangeCustomerError> {
        let known = self.state.associations.iter().position(|association| association.id == id);
        let mut association = self.state.associations.remove(known.ok_or(ChangeCustomerError::UnknownAssociation)?);
        check(&self.context.only_if_association, Some(association.audit.version()))?;
        association.status = Status::Deleted;
        association.audit.advance(self.context.at, &self.context.scope.actor);
        self.state.removed_associations.push(association);
        self.state.removed_associations.sort_by_key(|association| association.id);
        Ok(CustomerEventKind::TaxDissociated { association_id: id })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        customer::{ChangeCustomer, CustomerChange, CustomerFacts, ExternalId, FormerExternalId, Stamp, TaxFacts},
        ids::IdSequence,
        tax::{Priority, TaxRateCode},
        testkit::{a_customer, a_scope, a_tax_rate, a_time},
        time::Timestamp,
    };

    /// The time of change `number`.
    fn time(number: u64) -> Timestamp {
        a_time().later(Duration::from_secs(number))
    }

    /// The state after one change that must succeed. The environment has one tax rate and no other customer.
    fn changed(state: &CustomerAggregate, number: u8, amendment: Amendment) -> CustomerAggregate {
        let at = time(number.into());
        let stamp = Stamp { ids: IdSequence::start(at, [number; 10]), at, request_id: None };
        let command = ChangeCustomer::new(CustomerChange::Amend(state.customer.id, amendment), stamp);
        let taxes = TaxFacts { rates: vec![a_tax_rate("VAT")], ..TaxFacts::default() };
        let facts = CustomerFacts { current: Some(state.clone()), taxes, ..CustomerFacts::default() };
        command.decide(&a_scope(), &facts).unwrap().event.state
    }

    fn rename(to: &str) -> Amendment {
        let external_id = Some(ExternalId::new(to).unwrap());
        Amendment::Update(Box::new(CustomerUpdate { external_id, ..CustomerUpdate::default() }))
    }

    #[test]
    fn a_removed_association_stays_with_the_customer_and_a_removed_mapping_does_not() {
        let acme = a_customer("acme").linked("stripe", "cus_1").existing();
        let new = NewTaxAssociation {
            code: TaxRateCode::new("VAT").unwrap(),
            currency: None,
            priority: Priority::default(),
            auto_apply: true,
            behavior: None,
            metadata: Default::default(),
            start: None,
            end: None,
        };
        let taxed = changed(&acme, 1, Amendment::Associate(Box::new(new)));
        let association = taxed.associations[0].clone();
        let untaxed = changed(&taxed, 2, Amendment::Dissociate(association.id));
        assert!(untaxed.associations.is_empty());
        let mut removed = TaxAssociation { status: Status::Deleted, ..association };
        removed.audit.touch(time(2), &a_scope().actor);
        assert_eq!(untaxed.removed_associations, [removed.clone()]);

        let provider_type = ProviderType::new("stripe").unwrap();
        let unlinked = changed(&untaxed, 3, Amendment::Unlink { provider_type, provider_entity_id: None });
        assert!(unlinked.mappings.is_empty());
        let restored = changed(&changed(&unlinked, 4, Amendment::Archive), 5, Amendment::Restore);
        assert_eq!(restored.removed_associations, [removed], "archiving and restoring do not change it");
    }

    #[test]
    fn only_a_new_external_id_begins_a_term() {
        let acme = a_customer("acme").existing();
        assert_eq!(acme.external_id_since, a_time());
        let same = changed(&acme, 1, rename("acme"));
        assert_eq!((&same.former_external_ids, same.external_id_since), (&Vec::new(), a_time()));
        let renamed = changed(&same, 2, rename("acme-2"));
        let restored = changed(&changed(&renamed, 3, Amendment::Archive), 4, Amendment::Restore);
        let external_id = ExternalId::new("acme").unwrap();
        assert_eq!(restored.former_external_ids, [FormerExternalId { external_id, from: a_time(), until: time(2) }]);
        assert_eq!(restored.external_id_since, time(2));
    }
}
