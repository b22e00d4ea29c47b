//! The facts that must be looked up before a change is decided.

use super::{Amendment, ChangeCustomer, CustomerChange};
use crate::{
    custom_field::{self, CustomFieldDefinition, CustomFields, CustomFieldsChange, CustomFieldsNeeded, UniqueValue},
    customer::{CustomerAggregate, CustomerUpdate, ExternalId, NewCustomer, Subject, TaxFactsNeeded, WorkflowNeeded},
    lifecycle::Status,
};

impl ChangeCustomer {
    /// The customer that must be looked up and locked before [`Self::decide`].
    #[must_use]
    pub fn subject(&self) -> Subject<'_> {
        match &self.change {
            CustomerChange::Create(_) => Subject::New,
            CustomerChange::CreateOrUpdate { new, .. } => Subject::ExternalId(&new.external_id),
            CustomerChange::Amend(id, _) => Subject::Id(*id),
            CustomerChange::AmendNamed(external_id, _) => Subject::ExternalId(external_id),
        }
    }

    /// The tax facts that must be looked up.
    #[must_use]
    pub fn tax_facts_needed(&self) -> TaxFactsNeeded<'_> {
        match &self.change {
            CustomerChange::Create(new) => new.tax_facts_needed(),
            CustomerChange::CreateOrUpdate { new, update } => {
                let mut needed = new.tax_facts_needed();
                needed.rates.extend(update.tax_exemptions.rate_codes().into_iter().map(|(_, code)| code));
                needed
            }
            CustomerChange::Amend(_, amendment) | CustomerChange::AmendNamed(_, amendment) => match amendment {
                Amendment::Associate(new) => TaxFactsNeeded::rates([&new.code]),
                Amendment::Update(update) => {
                    TaxFactsNeeded::rates(update.tax_exemptions.rate_codes().into_iter().map(|(_, code)| code))
                }
                _ => TaxFactsNeeded::default(),
            },
        }
    }

    /// The onboarding workflow that must be looked up.
    #[must_use]
    pub fn workflow_needed(&self) -> WorkflowNeeded<'_> {
        match &self.change {
            CustomerChange::Create(new) => WorkflowNeeded::of(&new.onboarding),
            CustomerChange::CreateOrUpdate { new, .. } => WorkflowNeeded::of(&new.onboarding),
            CustomerChange::Amend(..) | CustomerChange::AmendNamed(..) => WorkflowNeeded::None,
        }
    }

    /// The definitions of custom fields that must be looked up, as
    /// [`CustomFieldFacts`](crate::custom_field::CustomFieldFacts).
    #[must_use]
    pub fn custom_fields_needed(&self) -> CustomFieldsNeeded {
        use CustomFieldsNeeded::{Locked, None, Read};
        let of_new = |new: &NewCustomer| if new.custom_fields.is_empty() { Read } else { Locked };
        let of_update = |update: &CustomerUpdate| {
            if update.custom_fields == CustomFieldsChange::Keep { None } else { Locked }
        };
        match &self.change {
            CustomerChange::Create(new) => of_new(new),
            CustomerChange::CreateOrUpdate { new, update } => of_new(new).max(of_update(update)),
            CustomerChange::Amend(_, amendment) | CustomerChange::AmendNamed(_, amendment) => match amendment {
                Amendment::Update(update) => of_update(update),
                // The values of archived customers are not unique.
                Amendment::Archive | Amendment::Restore | Amendment::RemoveCustomField(_) => Locked,
                _ => None,
            },
        }
    }

    /// The unique values that this change would publish. The published customers that have them must be looked up too, as
    /// [`CustomFieldFacts::holders`](crate::custom_field::CustomFieldFacts::holders). Between concurrent changes the store's unique
    /// index decides whether a value is free.
    #[must_use]
    pub fn wanted_unique_values(
        &self,
        current: Option<&CustomerAggregate>,
        definitions: &[CustomFieldDefinition],
    ) -> Vec<UniqueValue> {
        let fields = current.map(|current| &current.customer.profile.custom_fields);
        let wanted = |fields: Option<&CustomFields>, change: &CustomFieldsChange| {
            custom_field::wanted(definitions, fields.unwrap_or(&CustomFields::default()), change)
        };
        let of_new = |new: &NewCustomer| wanted(None, &CustomFieldsChange::Replace(new.custom_fields.clone()));
        let all = match (&self.change, fields) {
            (CustomerChange::Create(new), _) => of_new(new),
            (CustomerChange::CreateOrUpdate { new, .. }, None) => of_new(new),
            (CustomerChange::CreateOrUpdate { update, .. }, Some(_))
            | (
                CustomerChange::Amend(_, Amendment::Update(update))
                | CustomerChange::AmendNamed(_, Amendment::Update(update)),
                Some(_),
            ) => wanted(fields, &update.custom_fields),
            (CustomerChange::Amend(_, Amendment::Restore), Some(fields)) => {
                UniqueValue::among(fields, definitions).collect()
            }
            (CustomerChange::Amend(..) | CustomerChange::AmendNamed(..), _) => return Vec::new(),
        };
        all.into_iter().collect()
    }

    /// Whether the number of published customers must be looked up, as [`CustomerFacts::published`](crate::customer::CustomerFacts::published).
    #[must_use]
    pub fn count_needed(&self) -> bool {
        self.quota.is_limited()
            && matches!(
                self.change,
                CustomerChange::Create(_)
                    | CustomerChange::CreateOrUpdate { .. }
                    | CustomerChange::Amend(_, Amendment::Restore)
            )
    }

    /// Whether an existing customer with the new external id makes the change fail, instead of being updated.
    #[must_use]
    pub fn refuses_existing(&self) -> bool {
        !matches!(self.change, CustomerChange::CreateOrUpdate { .. })
    }

    /// The external id that this change would newly publish: that of a customer that is created, renamed or restored.
    /// Another customer with this external id must be looked up too, as [`CustomerFacts::holder`](crate::customer::CustomerFacts::holder).
    #[must_use]
    pub fn wanted_external_id<'a>(&'a self, current: Option<&'a CustomerAggregate>) -> Option<&'a ExternalId> {
        let current = current.map(|current| &current.customer);
        match (&self.change, current) {
            (CustomerChange::Create(new), _) => Some(&new.external_id),
            (CustomerChange::CreateOrUpdate { new, .. }, None) => Some(&new.external_id),
            (CustomerChange::CreateOrUpdate { update, .. }, Some(current))
            | (
                CustomerChange::Amend(_, Amendment::Update(update))
                | CustomerChange::AmendNamed(_, Amendment::Update(update)),
                Some(current),
            ) => update.external_id.as_ref().filter(|wanted| **wanted != current.external_id),
            (CustomerChange::Amend(_, Amendment::Restore), Some(current)) if current.status == Status::Archived => {
                Some(&current.external_id)
            }
            (CustomerChange::Amend(..) | CustomerChange::AmendNamed(..), _) => None,
        }
    }

    /// The external ids that this change may claim, whatever the customer's state: see [`Self::claimed_external_id`].
    #[must_use]
    pub fn claimable_external_ids(&self) -> Vec<&ExternalId> {
        match &self.change {
            CustomerChange::Create(new) => vec![&new.external_id],
            CustomerChange::CreateOrUpdate { new, update } => {
                [Some(&new.external_id), update.external_id.as_ref()].into_iter().flatten().collect()
            }
            CustomerChange::Amend(_, amendment) | CustomerChange::AmendNamed(_, amendment) => match amendment {
                Amendment::Update(update) => update.external_id.iter().collect(),
                _ => Vec::new(),
            },
        }
    }

    /// The external id that this change would newly give to a customer. If it belonged to a customer that is suppressed or
    /// erased, [`CustomerFacts::erased`](crate::customer::CustomerFacts::erased) says so. A restored customer had its external id before.
    #[must_use]
    pub fn claimed_external_id<'a>(&'a self, current: Option<&'a CustomerAggregate>) -> Option<&'a ExternalId> {
        match self.change {
            CustomerChange::Amend(_, Amendment::Restore) => None,
            _ => self.wanted_external_id(current),
        }
    }
}
