//! The operations on tax rates. For associations see `association_service`.

use std::{sync::Arc, time::Duration};

use super::{
    ChangeTaxRate, ChangeTaxRateError, CreateTaxRateError, FixedAmount, NewTaxRateChange, Percentage, TaxRate,
    TaxRateAmendment, TaxRateCode, TaxRateDescription, TaxRateFilter, TaxRateName, TaxRateScope, TaxRateStatus,
    TaxRateType, TaxRepository, TaxValue,
};
use crate::{
    clock::Clock,
    customer::CustomerRepository,
    event::TaxRateEvent,
    idempotency::{Done, IdempotencyClaim, IdempotencyRecords, IdempotentRequest},
    ids::{IdGenerator, TaxRateId},
    lifecycle::{Audit, Precondition, Status, Version},
    metadata::Metadata,
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::{Caller, EnvironmentScope, Permission, PermissionDenied},
    time::Timestamp,
    violation::{Rule, Violations},
};

/// A request for a new tax rate.
///
/// ```
/// use patron_domain::{tax::{NewTaxRate, TaxRate}, testkit::a_tax_rate};
///
/// let TaxRate { code, name, description, value, scope, rate_status, metadata, .. } = a_tax_rate("VAT");
/// let new = NewTaxRate { code, name, description, value, scope, rate_status, metadata };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTaxRate {
    /// The code.
    pub code: TaxRateCode,
    /// The name.
    pub name: TaxRateName,
    /// The description.
    pub description: Option<TaxRateDescription>,
    /// The charge.
    pub value: TaxValue,
    /// Where it may be used.
    pub scope: TaxRateScope,
    /// Whether it is charged.
    pub rate_status: TaxRateStatus,
    /// The client's metadata.
    pub metadata: Metadata,
}

impl NewTaxRate {
    /// An active rate with default settings. All fields are public.
    ///
    /// ```
    /// use patron_domain::tax::{NewTaxRate, Percentage, TaxRateCode, TaxRateName, TaxValue};
    ///
    /// let value = TaxValue::Percentage(Percentage::new("19")?);
    /// let new = NewTaxRate::new(TaxRateCode::new("VAT_DE")?, TaxRateName::new("Umsatzsteuer")?, value);
    /// assert_eq!(new.description, None);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn new(code: TaxRateCode, name: TaxRateName, value: TaxValue) -> Self {
        Self {
            code,
            name,
            description: None,
            value,
            scope: TaxRateScope::default(),
            rate_status: TaxRateStatus::default(),
            metadata: Metadata::default(),
        }
    }
}

impl TaxRate {
    /// A new rate, created by the actor of a scope.
    ///
    /// ```
    /// use patron_domain::{
    ///     tax::{NewTaxRate, Percentage, TaxRate, TaxRateCode, TaxRateName, TaxValue},
    ///     testkit::{a_scope, a_time, an_id},
    /// };
    ///
    /// let value = TaxValue::Percentage(Percentage::new("19")?);
    /// let new = NewTaxRate::new(TaxRateCode::new("VAT_DE")?, TaxRateName::new("Umsatzsteuer")?, value);
    /// let rate = TaxRate::new(&a_scope(), an_id(1), new, a_time());
    /// assert_eq!((rate.owner, rate.audit.created_by), (a_scope().owner, a_scope().actor));
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn new(scope: &EnvironmentScope, id: TaxRateId, new: NewTaxRate, at: Timestamp) -> Self {
        let NewTaxRate { code, name, description, value, scope: usable, rate_status, metadata } = new;
        Self {
            history: Default::default(),
            id,
            owner: scope.owner,
            code,
            name,
            description,
            value,
            scope: usable,
            rate_status,
            metadata,
            status: Status::Published,
            version: Version::FIRST,
            audit: Audit::created(at, &scope.actor),
        }
    }
}

/// The parts of a request that together give the value of a tax rate.
///
/// ```
/// use patron_domain::tax::{Percentage, TaxValue, TaxValueParts};
///
/// let parts = TaxValueParts { percentage: Percentage::new("19").ok(), ..TaxValueParts::default() };
/// assert!(matches!(parts.resolve(), Ok(TaxValue::Percentage(_))));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaxValueParts {
    /// The kind of value; when absent, it follows from the value given.
    pub kind: Option<TaxRateType>,
    /// `percentage_value`.
    pub percentage: Option<Percentage>,
    /// `fixed_value`.
    pub fixed: Option<FixedAmount>,
}

/// How the parts of a tax value contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum TaxValuePartsError {
    #[error("a value is needed: percentage_value, such as \"19\" for 19 percent, or fixed_value, such as \"2.50\"")]
    Missing,
    #[error("percentage_value is needed, such as \"19\" for 19 percent: tax_rate_type is percentage")]
    MissingPercentage,
    #[error("fixed_value is needed, such as \"2.50\": tax_rate_type is fixed")]
    MissingAmount,
    #[error("must be left out: tax_rate_type is {0}")]
    Surplus(TaxRateType),
    #[error("must be left out: a tax rate has either percentage_value or fixed_value")]
    Both,
}

impl Rule for TaxValuePartsError {
    fn rule(&self) -> &'static str {
        match self {
            Self::Missing | Self::MissingPercentage | Self::MissingAmount => "required",
            Self::Surplus(_) | Self::Both => "exclusive",
        }
    }
}

impl TaxValueParts {
    /// Returns the one value given, which must match the kind if a kind is given.
    ///
    /// # Errors
    /// When a value is missing or superfluous, under the path of the field to correct.
    pub fn resolve(self) -> Result<TaxValue, Violations> {
        use TaxValuePartsError::{Both, Missing, MissingAmount, MissingPercentage, Surplus};
        let (path, error) = match (self.kind, self.percentage, self.fixed) {
            (None | Some(TaxRateType::Percentage), Some(percentage), None) => {
                return Ok(TaxValue::Percentage(percentage));
            }
            (None | Some(TaxRateType::Fixed), None, Some(fixed)) => return Ok(TaxValue::Fixed(fixed)),
            (None, Some(_), Some(_)) => ("fixed_value", Both),
            (Some(kind @ TaxRateType::Percentage), _, Some(_)) => ("fixed_value", Surplus(kind)),
            (Some(kind @ TaxRateType::Fixed), Some(_), _) => ("percentage_value", Surplus(kind)),
            (None, None, None) => ("percentage_value", Missing),
            (Some(TaxRateType::Percentage), None, None) => ("percentage_value", MissingPercentage),
            (Some(TaxRateType::Fixed), None, None) => ("fixed_value", MissingAmount),
        };
        let mut broken = Violations::new();
        broken.add(path, &error);
        Err(broken)
    }
}

/// A request to change a rate's value from a date on.
///
/// ```
/// use patron_domain::{tax::{Percentage, ScheduledValue, TaxValueParts}, testkit::a_time};
///
/// let value = TaxValueParts { percentage: Percentage::new("16").ok(), ..TaxValueParts::default() };
/// let new = ScheduledValue { effective_from: a_time(), value, correction: false };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduledValue {
    /// The time from which the value applies.
    pub effective_from: Timestamp,
    /// The value, of the rate's kind.
    pub value: TaxValueParts,
    /// Whether the time may be in the past. Only for administrators.
    pub correction: bool,
}

/// Why a look-up of tax rates failed.
///
/// ```
/// use patron_domain::{store::StoreError, tax::FindTaxRateError};
///
/// let unavailable = FindTaxRateError::from(StoreError::unavailable("too many writes are waiting"));
/// assert_eq!(unavailable.to_string(), "the database is not available: too many writes are waiting");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FindTaxRateError {
    /// The caller may not read.
    #[error(transparent)]
    Denied(#[from] PermissionDenied),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Operations on tax rates and associations, for callers with permissions.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{
///     customer::DEFAULT_IDEMPOTENCY_TTL,
///     tax::{NewTaxRate, TaxRate, TaxService},
///     testkit::{CountingIds, FixedClock, MemoryStore, a_caller, a_tax_rate},
/// };
///
/// # futures::executor::block_on(async {
/// let store = Arc::new(MemoryStore::default());
/// let service = TaxService {
///     taxes: store.clone(),
///     customers: store.clone(),
///     records: store,
///     clock: Arc::new(FixedClock::default()),
///     ids: Arc::new(CountingIds::default()),
///     idempotency_ttl: DEFAULT_IDEMPOTENCY_TTL,
/// };
/// let TaxRate { code, name, description, value, scope, rate_status, metadata, .. } = a_tax_rate("VAT");
/// let new = NewTaxRate { code, name, description, value, scope, rate_status, metadata };
/// let rate = service.create_rate(&a_caller(), new, None).await.unwrap().value;
/// assert_eq!(service.find_rate(&a_caller(), rate.id).await, Ok(Some(rate)));
/// # });
/// ```
#[derive(Clone)]
pub struct TaxService {
    /// The store of tax rates and associations.
    pub taxes: Arc<dyn TaxRepository>,
    /// The store of customers.
    pub customers: Arc<dyn CustomerRepository>,
    /// The records of idempotency keys.
    pub records: Arc<dyn IdempotencyRecords>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of new ids.
    pub ids: Arc<dyn IdGenerator>,
    /// How long a request that is repeated with its key gets the same response.
    pub idempotency_ttl: Duration,
}

impl TaxService {
    /// Creates a tax rate.
    ///
    /// When the caller may not write, the idempotency key was used for a different request, the code is taken, or the
    /// store fails.
    /// fails.
    pub async fn create_rate(
        &self,
        caller: &Caller,
        new: NewTaxRate,
        request: Option<IdempotentRequest>,
    ) -> Result<Done<TaxRate>, CreateTaxRateError> {
        let scope = caller.authorise(Permission::Write)?;
        let now = self.clock.now();
        let mut ids = scope.origin.ids(&*self.ids, now);
        let rate = TaxRate::new(scope, ids.next_id(), new, now);
        let created = TaxRateEvent::created(ids.next_id(), caller.request_id().cloned(), rate);
        self.taxes.create_rate(scope, created, self.claim(request, now)).await
    }

    pub(super) fn claim(&self, request: Option<IdempotentRequest>, now: Timestamp) -> Option<IdempotencyClaim> {
        request.map(|request| request.claim(now, self.idempotency_ttl))
    }

    /// A tax rate in any status; `None` when there is none with this id.
    ///
    /// # Errors
    /// When the caller may not read or the store fails.
    pub async fn find_rate(&self, caller: &Caller, id: TaxRateId) -> Result<Option<TaxRate>, FindTaxRateError> {
        let scope = caller.authorise(Permission::Read)?;
        let now = self.clock.now();
        Ok(self.taxes.find_rate(scope, id).await?.map(|rate| rate.as_of(now)))
    }

    /// The tax rates that match a filter.
    ///
    /// # Errors
    /// When the caller may not read or the store fails.
    pub async fn rates(
        &self,
        caller: &Caller,
        filter: &TaxRateFilter,
        page: PageRequest,
    ) -> Result<Page<TaxRate>, FindTaxRateError> {
        let scope = caller.authorise(Permission::Read)?;
        let now = self.clock.now();
        let found = self.taxes.rates(scope, filter, page).await?;
        Ok(Page { items: found.items.iter().map(|rate| rate.as_of(now)).collect(), total: found.total })
    }

    /// Changes or archives a tax rate, and returns its state after the change.
    ///
    /// # Errors
    /// See [`ChangeTaxRateError`]. After an error the rate is unchanged.
    pub async fn change_rate(
        &self,
        caller: &Caller,
        id: TaxRateId,
        amendment: TaxRateAmendment,
        only_if: Precondition,
        request: Option<IdempotentRequest>,
    ) -> Result<Done<TaxRate>, ChangeTaxRateError> {
        let scope = caller.authorise(Permission::Write)?;
        let at = self.clock.now();
        let (event_id, request_id) = (scope.origin.ids(&*self.ids, at).next_id(), caller.request_id().cloned());
        let command = ChangeTaxRate { id, amendment, at, event_id, request_id, only_if };
        let changed = self.taxes.change_rate(scope, command, self.claim(request, at)).await?;
        Ok(Done { value: changed.value.as_of(at), ..changed })
    }

    /// Changes the value of a tax rate from a date on, and returns the rate after the change.
    ///
    /// # Errors
    /// See [`ChangeTaxRateError`]. Only administrators may correct the past. After an error the rate is unchanged.
    pub async fn schedule(
        &self,
        caller: &Caller,
        id: TaxRateId,
        new: ScheduledValue,
        request: Option<IdempotentRequest>,
    ) -> Result<Done<TaxRate>, ChangeTaxRateError> {
        let ScheduledValue { effective_from, value, correction } = new;
        let scope = caller.authorise(if correction { Permission::Administer } else { Permission::Write })?;
        let at = self.clock.now();
        let mut ids = scope.origin.ids(&*self.ids, at);
        let event_id = ids.next_id();
        let new = NewTaxRateChange { id: ids.next_id(), effective_from, value, correction };
        let (amendment, request_id) = (TaxRateAmendment::Schedule(new), caller.request_id().cloned());
        let only_if = Precondition::None;
        let command = ChangeTaxRate { id, amendment, at, event_id, request_id, only_if };
        self.taxes.change_rate(scope, command, self.claim(request, at)).await
    }
}

#[cfg(test)]
mod tests {
    use super::{FixedAmount, Percentage, TaxRateType, TaxValue, TaxValueParts};

    fn parts(kind: Option<TaxRateType>, percentage: Option<&str>, fixed: Option<&str>) -> TaxValueParts {
        TaxValueParts {
            kind,
            percentage: percentage.map(|text| Percentage::new(text).unwrap()),
            fixed: fixed.map(|text| FixedAmount::new(text).unwrap()),
        }
    }

    #[test]
    fn exactly_one_value_of_the_given_kind_is_required() {
        use TaxRateType::{Fixed, Percentage as Percent};
        let nineteen = TaxValue::Percentage(Percentage::new("19").unwrap());
        let five = TaxValue::Fixed(FixedAmount::new("5").unwrap());
        assert_eq!(parts(Some(Percent), Some("19"), None).resolve(), Ok(nineteen));
        assert_eq!(parts(None, Some("19"), None).resolve(), Ok(nineteen));
        assert_eq!(parts(Some(Fixed), None, Some("5")).resolve(), Ok(five));
        assert_eq!(parts(None, None, Some("5")).resolve(), Ok(five));
        for (broken, path, rule) in [
            (parts(None, None, None), "percentage_value", "required"),
            (parts(Some(Fixed), None, None), "fixed_value", "required"),
            (parts(None, Some("1"), Some("1")), "fixed_value", "exclusive"),
            (parts(Some(Fixed), Some("1"), None), "percentage_value", "exclusive"),
            (parts(Some(Percent), Some("1"), Some("1")), "fixed_value", "exclusive"),
        ] {
            let found = broken.resolve().unwrap_err();
            let found: Vec<_> = found.iter().map(|v| (v.path.as_str(), v.rule)).collect();
            assert_eq!(found, [(path, rule)]);
        }
    }
}
