//! Tax rates, and who they apply to.

mod association;
mod currency;
mod decimal;
mod new_association;
mod port;
mod rate;
mod rate_override;
mod service;

pub use association::{Priority, PriorityError, TaxAssociation, TaxedEntity, TaxedEntityType};
pub use currency::{CurrencyCode, CurrencyCodeError};
pub use decimal::{DecimalError, MAX_DIGITS};
pub use new_association::{NewTaxAssociation, TaxAssociationUpdate, Term};
#[cfg(any(test, feature = "mock"))]
pub use port::MockTaxRepository;
pub use port::{CreateTaxDefaultError, CreateTaxRateError, TaxRepository};
pub use rate::{
    FixedAmount, Percentage, TaxRate, TaxRateCode, TaxRateCodeError, TaxRateDescription, TaxRateDescriptionError,
    TaxRateName, TaxRateNameError, TaxRateScope, TaxRateStatus, TaxRateType, TaxValue, TaxValueError,
};
pub use rate_override::{TaxRateOverride, TaxRateOverrides, TaxRateOverridesError};
pub use service::{FindTaxRateError, NewTaxRate, TaxService, TaxValueParts, TaxesOfError};
