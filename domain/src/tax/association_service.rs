//! The operations on tax associations. Those of a customer change with the customer: see `CustomerService::change`.

use super::{
    BasisError, ChangeTaxDefault, ChangeTaxDefaultError, CreateTaxDefaultError, CurrencyCode, EffectiveTaxes,
    NewTaxAssociation, TaxAssociation, TaxAssociationFilter, TaxDefaultAmendment, TaxQuestion, TaxRate, TaxRateFilter,
    TaxRateStatus, TaxService, TaxedEntity,
};
use crate::{
    customer::{CountryCode, ExternalId, InactiveTaxRate, State, TaxTreatment},
    idempotency::{Done, IdempotentRequest},
    ids::{CustomerId, TaxAssociationId},
    lifecycle::{Audit, Precondition, Status},
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::{Caller, EnvironmentScope, Permission, PermissionDenied},
    time::Timestamp,
    violation::{Rule, Violations},
};

/// A customer as a request identifies it: by its id, its external id, or both.
///
/// ```
/// use patron_domain::{ids::{CustomerId, Id}, tax::NamedCustomer};
///
/// let named = NamedCustomer::Id("cust_01JDG3W9Z5X0M8R2K7T4B6Q1NE".parse::<CustomerId>().ok());
/// assert_ne!(named, NamedCustomer::Id(None));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamedCustomer {
    /// The id; `None` if the text is not a customer id.
    Id(Option<CustomerId>),
    /// The external id.
    ExternalId {
        /// The external id; `None` if the text cannot be an external id.
        external_id: Option<ExternalId>,
        /// The id that was given in addition, unchanged.
        entity_id: Option<String>,
    },
}

/// The two ids belong to different customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("entity_id and external_customer_id belong to different customers; leave one of them out")]
struct OtherCustomer;

impl Rule for OtherCustomer {
    fn rule(&self) -> &'static str {
        "same_customer"
    }
}

/// Why a tax operation of a customer failed.
///
/// ```
/// use patron_domain::tax::TaxesOfError;
///
/// assert_eq!(TaxesOfError::UnknownCustomer.to_string(), "there is no such customer, or it is archived");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TaxesOfError {
    /// The caller may not do this.
    #[error(transparent)]
    Denied(#[from] PermissionDenied),
    /// Fields contradict each other.
    #[error(transparent)]
    Invalid(#[from] Violations),
    /// The customer does not exist or is archived.
    #[error("there is no such customer, or it is archived")]
    UnknownCustomer,
    /// The events of that time were removed.
    #[error("the events that show what was known at that time were removed; ask for a later known_at")]
    HistoryRemoved,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The taxes that apply to a customer, with the currency and time of the question.
///
/// ```
/// use patron_domain::{
///     customer::TaxTreatment,
///     tax::{CurrencyCode, EffectiveTaxes, ExplainedTaxes},
///     testkit::{a_time, an_id},
/// };
///
/// let (taxes, treatment) = (EffectiveTaxes::default(), TaxTreatment::default());
/// let currency = CurrencyCode::new("EUR").unwrap();
/// let (at, known_at) = (a_time(), a_time());
/// let explained = ExplainedTaxes { customer_id: an_id(1), currency, at, known_at, treatment, taxes };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ExplainedTaxes {
    /// The customer.
    pub customer_id: CustomerId,
    /// The currency.
    pub currency: CurrencyCode,
    /// The time of the charge.
    #[cfg_attr(feature = "serde", serde(with = "crate::stored::whole::micros"))]
    pub at: Timestamp,
    /// The time at which this was known. The same question with this time has the same answer.
    #[cfg_attr(feature = "serde", serde(with = "crate::stored::whole::micros"))]
    pub known_at: Timestamp,
    /// How the customer is taxed.
    pub treatment: TaxTreatment,
    /// The taxes.
    pub taxes: EffectiveTaxes,
}

/// A question about a customer's taxes, as a request asks it.
///
/// ```
/// use patron_domain::tax::{CurrencyCode, EffectiveQuestion};
///
/// let question = EffectiveQuestion::new(CurrencyCode::new("EUR").unwrap());
/// assert_eq!(question.at, None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectiveQuestion {
    /// The currency of the charge.
    pub currency: CurrencyCode,
    /// The time of the charge; now by default.
    pub at: Option<Timestamp>,
    /// The time at which the answer was known; now by default.
    pub known_at: Option<Timestamp>,
    /// The country of the charge; by default that of the customer's address.
    pub country: Option<CountryCode>,
    /// The state of the charge; by default that of the customer's address.
    pub state: Option<State>,
}

impl EffectiveQuestion {
    /// The question about now.
    #[must_use]
    pub fn new(currency: CurrencyCode) -> Self {
        Self { currency, at: None, known_at: None, country: None, state: None }
    }
}

/// The time is in the future.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("known_at must not be in the future")]
struct InTheFuture;

impl Rule for InTheFuture {
    fn rule(&self) -> &'static str {
        "past"
    }
}

impl TaxService {
    /// The published customer that a request identifies.
    ///
    /// # Errors
    /// When the caller may not read, the ids belong to different customers, the customer does not exist or is not
    /// published, or the store fails.
    pub async fn customer(&self, caller: &Caller, named: &NamedCustomer) -> Result<CustomerId, TaxesOfError> {
        let scope = caller.authorise(Permission::Read)?;
        match named {
            NamedCustomer::Id(id) => {
                let id = id.ok_or(TaxesOfError::UnknownCustomer)?;
                let found = self.customers.find(scope, id).await?;
                let published = found.filter(|record| record.customer.status == Status::Published);
                published.map(|record| record.customer.id).ok_or(TaxesOfError::UnknownCustomer)
            }
            NamedCustomer::ExternalId { external_id, entity_id } => {
                let external_id = external_id.as_ref().ok_or(TaxesOfError::UnknownCustomer)?;
                let found = self.customers.find_by_external_id(scope, external_id).await?;
                // A customer that only had the external id before is not meant.
                let found = found.filter(|record| record.customer.external_id == *external_id);
                let id = found.map(|record| record.customer.id).ok_or(TaxesOfError::UnknownCustomer)?;
                match entity_id {
                    Some(given) if *given != id.to_string() => {
                        let mut broken = Violations::new();
                        broken.add("entity_id", &OtherCustomer);
                        Err(broken.into())
                    }
                    _ => Ok(id),
                }
            }
        }
    }

    /// The associations that match a filter. To filter by a customer, use the id that [`Self::customer`] returned.
    ///
    /// # Errors
    /// When the caller may not read or the store fails.
    pub async fn associations(
        &self,
        caller: &Caller,
        filter: &TaxAssociationFilter,
        page: PageRequest,
    ) -> Result<Page<TaxAssociation>, TaxesOfError> {
        let scope = caller.authorise(Permission::Read)?;
        Ok(self.taxes.associations(scope, filter, page).await?)
    }

    /// The rates of associations, in any status. For at most [`PageRequest::MAX_LIMIT`] associations.
    ///
    /// # Errors
    /// When the caller may not read or the store fails.
    pub async fn rates_of(
        &self,
        caller: &Caller,
        associations: &[TaxAssociation],
    ) -> Result<Vec<TaxRate>, TaxesOfError> {
        let scope = caller.authorise(Permission::Read)?;
        let mut ids: Vec<_> = associations.iter().map(|association| association.tax_rate_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let whole = PageRequest::whole();
        let now = self.clock.now();
        let rates = self.taxes.rates(scope, &TaxRateFilter::with_ids(ids), whole).await?.items;
        Ok(rates.iter().map(|rate| rate.as_of(now)).collect())
    }

    /// An association in any status, for reading or, with the write permission, before changing it; `None` when there
    /// is none with this id.
    ///
    /// # Errors
    /// When the caller lacks the permission or the store fails.
    pub async fn find_association(
        &self,
        caller: &Caller,
        permission: Permission,
        id: TaxAssociationId,
    ) -> Result<Option<TaxAssociation>, TaxesOfError> {
        let scope = caller.authorise(permission)?;
        Ok(self.taxes.find_association(scope, id).await?)
    }

    /// Makes a rate a default of the environment.
    ///
    /// # Errors
    /// See [`CreateTaxDefaultError`]. An inactive rate is refused as invalid.
    pub async fn create_default(
        &self,
        caller: &Caller,
        new: NewTaxAssociation,
        request: Option<IdempotentRequest>,
    ) -> Result<Done<TaxAssociation>, CreateTaxDefaultError> {
        let scope = caller.authorise(Permission::Write)?;
        let at = self.clock.now();
        let claim = self.claim(request, at);
        if let Some(claim) = &claim
            && let Some(made) = claim.answered(self.records.as_ref(), scope).await?
        {
            return Ok(Done::before(made));
        }
        let term = new.term(at)?;
        let rate = self.active_rate(scope, &new).await?;
        let default = TaxAssociation {
            id: scope.origin.ids(&*self.ids, at).next_id(),
            owner: scope.owner,
            tax_rate_id: rate.id,
            entity: TaxedEntity::Tenant,
            priority: new.priority,
            auto_apply: new.auto_apply,
            behavior: new.behavior,
            currency: new.currency,
            metadata: new.metadata,
            start: term.start,
            end: term.end,
            status: Status::Published,
            audit: Audit::created(at, &scope.actor),
        };
        self.taxes.create_default(scope, default, claim).await
    }

    /// The published, active rate with a code. It may become inactive a moment later, like the rate of any association.
    async fn active_rate(
        &self,
        scope: &EnvironmentScope,
        new: &NewTaxAssociation,
    ) -> Result<TaxRate, CreateTaxDefaultError> {
        let filter = TaxRateFilter { codes: Some(vec![new.code.clone()]), ..TaxRateFilter::default() };
        let found = self.taxes.rates(scope, &filter, PageRequest::default()).await?;
        let rate = found.items.into_iter().next().ok_or(CreateTaxDefaultError::UnknownRate)?;
        if rate.rate_status == TaxRateStatus::Inactive {
            let mut broken = Violations::new();
            broken.add("tax_rate_code", &InactiveTaxRate);
            return Err(broken.into());
        }
        Ok(rate)
    }

    /// Changes or removes a default of the environment, and returns its state after the change.
    ///
    /// # Errors
    /// See [`ChangeTaxDefaultError`]. After an error the default is unchanged.
    pub async fn change_default(
        &self,
        caller: &Caller,
        id: TaxAssociationId,
        amendment: TaxDefaultAmendment,
        only_if: Precondition,
        request: Option<IdempotentRequest>,
    ) -> Result<Done<TaxAssociation>, ChangeTaxDefaultError> {
        let scope = caller.authorise(Permission::Write)?;
        let at = self.clock.now();
        self.taxes.change_default(scope, ChangeTaxDefault { id, amendment, at, only_if }, self.claim(request, at)).await
    }

    /// The taxes that apply to a charge of a customer, published or archived, and the reasons why the others do not apply: as
    /// known now, or as known at an earlier time.
    ///
    /// # Errors
    /// When the caller may not read, the time is in the future, the customer did not exist at that time, the events of that
    /// time were removed, or the store fails.
    pub async fn effective(
        &self,
        caller: &Caller,
        customer_id: CustomerId,
        question: EffectiveQuestion,
    ) -> Result<ExplainedTaxes, TaxesOfError> {
        let scope = caller.authorise(Permission::Read)?;
        let now = self.clock.now();
        let EffectiveQuestion { currency, at, known_at: asked, country, state } = question;
        let basis = self.taxes.basis(scope, customer_id, asked).await?.ok_or(TaxesOfError::UnknownCustomer)?;
        let known_at = basis.known_at.unwrap_or(now);
        // The log's time may be a little later than this clock.
        if asked.is_some_and(|asked| asked > now.max(known_at)) {
            let mut broken = Violations::new();
            broken.add("known_at", &InTheFuture);
            return Err(broken.into());
        }
        let question = TaxQuestion { currency, at: at.unwrap_or(now), country, state };
        let taxes = basis.answer(&question);
        let treatment = basis.treatment();
        Ok(ExplainedTaxes { customer_id, currency, at: question.at, known_at, treatment, taxes })
    }
}

impl From<BasisError> for TaxesOfError {
    fn from(error: BasisError) -> Self {
        match error {
            BasisError::Removed => Self::HistoryRemoved,
            BasisError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests;
