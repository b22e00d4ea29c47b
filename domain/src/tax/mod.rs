//! Tax rates, and the entities they apply to.

mod amend;
mod amend_default;
mod association;
mod association_service;
mod behavior;
mod currency;
mod decimal;
mod effective;
mod filter;
mod history;
#[cfg(any(test, feature = "mock"))]
mod mock;
mod new_association;
mod port;
mod rate;
mod rate_override;
mod schedule;
mod service;

pub use amend::{ChangeTaxRate, ChangeTaxRateError, TaxRateAmendment, TaxRateFacts, TaxRateUpdate};
pub use amend_default::{ChangeTaxDefault, ChangeTaxDefaultError, TaxDefaultAmendment};
pub use association::{Priority, PriorityError, TaxAssociation, TaxedEntity, TaxedEntityType};
pub use association_service::{EffectiveQuestion, ExplainedTaxes, NamedCustomer, TaxesOfError};
pub use behavior::{TaxBehavior, TaxBehaviorSource};
pub use currency::{CurrencyCode, CurrencyCodeError};
pub(crate) use decimal::parse as parse_decimal;
pub use decimal::{DecimalError, MAX_DIGITS};
pub use effective::{AppliedTax, EffectiveTaxes, ExemptedBy, PassedOver, PassedOverTax, TaxBasis, TaxQuestion};
pub use filter::{TaxAssociationFilter, TaxRateFilter, TaxedEntities};
pub use history::{ReplacedValue, StatusSwitch, TaxRateChange, TaxRateHistory};
pub use new_association::{NewTaxAssociation, TaxAssociationUpdate, Term};
#[cfg(any(test, feature = "mock"))]
pub use port::MockTaxRepository;
pub use port::{BasisError, CreateTaxDefaultError, CreateTaxRateError, TaxRepository};
pub use rate::{
    FixedAmount, Percentage, TaxRate, TaxRateCode, TaxRateCodeError, TaxRateDescription, TaxRateDescriptionError,
    TaxRateName, TaxRateNameError, TaxRateScope, TaxRateStatus, TaxRateType, TaxValue, TaxValueError,
};
pub use rate_override::{TaxRateOverride, TaxRateOverrides, TaxRateOverridesError};
pub use schedule::NewTaxRateChange;
pub use service::{FindTaxRateError, NewTaxRate, ScheduledValue, TaxService, TaxValueParts};
