//! The input of a decision, and checks that several decisions make.

use crate::{
    custom_field::{CustomFields, UniqueValue},
    customer::{ChangeCustomerError, CustomerFacts},
    ids::{CustomerId, IdSequence},
    lifecycle::Precondition,
    tax::TaxRateCode,
    tenancy::{EnvironmentScope, RequestId},
    time::Timestamp,
};

/// The input of a decision.
pub(in crate::customer) struct DecisionContext<'a> {
    pub(in crate::customer) scope: &'a EnvironmentScope,
    pub(in crate::customer) at: Timestamp,
    pub(in crate::customer) ids: IdSequence,
    pub(in crate::customer) request_id: Option<RequestId>,
    pub(in crate::customer) facts: &'a CustomerFacts,
    pub(in crate::customer) only_if_association: Precondition,
}

impl DecisionContext<'_> {
    /// Refuses codes that no published tax rate has, each with its path.
    pub(in crate::customer) fn rates_are_known(
        &self,
        codes: Vec<(String, &TaxRateCode)>,
    ) -> Result<(), ChangeCustomerError> {
        let is_known = |code: &TaxRateCode| self.facts.taxes.rates.iter().any(|rate| rate.code == *code);
        let unknown: Vec<_> = codes.into_iter().filter(|(_, code)| !is_known(code)).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let unknown = unknown.into_iter().map(|(path, code)| (path, code.clone()));
        Err(ChangeCustomerError::UnknownTaxRates(unknown.collect()))
    }

    /// Refuses a unique value that another published customer has.
    pub(in crate::customer) fn unique_values_are_free_for(
        &self,
        id: CustomerId,
        fields: &CustomFields,
    ) -> Result<(), ChangeCustomerError> {
        let facts = &self.facts.custom_fields;
        let taken = UniqueValue::among(fields, &facts.definitions).find_map(|value| {
            let holder = *facts.holders.get(&value)?;
            (holder != id).then_some(ChangeCustomerError::CustomFieldTaken { key: value.key, existing: holder })
        });
        taken.map_or(Ok(()), Err)
    }

    /// Refuses a new external id that another customer has.
    pub(in crate::customer) fn external_id_is_free_for(&self, id: CustomerId) -> Result<(), ChangeCustomerError> {
        match self.facts.holder {
            Some(holder) if holder != id => Err(ChangeCustomerError::ExternalIdTaken { existing: holder }),
            _ => Ok(()),
        }
    }

    /// Refuses a new external id that belonged to a customer that is suppressed or erased, unless the client confirms
    /// that this is another one.
    pub(in crate::customer) fn subject_is_new(&self, confirmed: bool) -> Result<(), ChangeCustomerError> {
        if self.facts.erased && !confirmed { Err(ChangeCustomerError::ErasedSubject) } else { Ok(()) }
    }
}
