//! Tax rates, and the entities they apply to.

mod amend;
mod association;
mod association_service;
mod currency;
mod decimal;
mod effective;
mod filter;
#[cfg(any(test, feature = "mock"))]
mod mock;
mod new_association;
mod port;
mod rate;
mod rate_override;
mod service;

pub use amend::{
    ChangeTaxDefault, ChangeTaxDefaultError, ChangeTaxRate, ChangeTaxRateError, TaxDefaultAmendment, TaxRateAmendment,
    TaxRateFacts, TaxRateUpdate,
};
pub use association::{Priority, PriorityError, TaxAssociation, TaxedEntity, TaxedEntityType};
pub use association_service::{ExplainedTaxes, NamedCustomer, TaxesOfError};
pub use currency::{CurrencyCode, CurrencyCodeError};
pub use decimal::{DecimalError, MAX_DIGITS};
pub use effective::{AppliedTax, EffectiveTaxes, PassedOver, PassedOverTax, TaxBasis};
pub use filter::{TaxAssociationFilter, TaxRateFilter, TaxedEntities};
pub use new_association::{NewTaxAssociation, TaxAssociationUpdate, Term};
#[cfg(any(test, feature = "mock"))]
pub use port::MockTaxRepository;
pub use port::{CreateTaxDefaultError, CreateTaxRateError, TaxRepository};
pub use rate::{
    FixedAmount, Percentage, TaxRate, TaxRateCode, TaxRateCodeError, TaxRateDescription, TaxRateDescriptionError,
    TaxRateName, TaxRateNameError, TaxRateScope, TaxRateStatus, TaxRateType, TaxValue, TaxValueError,
};
pub use rate_override::{TaxRateOverride, TaxRateOverrides, TaxRateOverridesError};
pub use service::{FindTaxRateError, NewTaxRate, TaxService, TaxValueParts};
