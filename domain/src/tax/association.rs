//! Tax associations: which rate applies to whom, and since when.

use crate::{
    ids::{CustomerId, TaxAssociationId, TaxRateId},
    lifecycle::{Audit, Owner, Status},
    metadata::Metadata,
    time::Timestamp,
    violation::Rule,
    words::words,
};

use super::CurrencyCode;

/// The rank of a tax association, 0 to 2,147,483,647: a lower number comes first.
///
/// ```
/// use patron_domain::tax::Priority;
///
/// assert!(Priority::new(0).unwrap() < Priority::new(7).unwrap());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Priority(i32);

/// Why a number is no [`Priority`].
///
/// ```
/// use patron_domain::tax::{Priority, PriorityError};
///
/// assert_eq!(Priority::new(-1), Err(PriorityError));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("priority must be a whole number from 0 to {}", i32::MAX)]
pub struct PriorityError;

impl Rule for PriorityError {
    fn rule(&self) -> &'static str {
        "range"
    }
}

impl Priority {
    /// Checks a number.
    ///
    /// # Errors
    /// Below 0 and above 2,147,483,647.
    pub fn new(number: i64) -> Result<Self, PriorityError> {
        i32::try_from(number).ok().filter(|number| *number >= 0).map(Self).ok_or(PriorityError)
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> i32 {
        self.0
    }
}

/// To whom a tax rate applies.
///
/// ```
/// use patron_domain::{tax::{TaxedEntity, TaxedEntityType}, tenancy::Tenant};
///
/// assert_eq!(TaxedEntity::Tenant.kind(), TaxedEntityType::Tenant);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaxedEntity {
    /// One customer.
    Customer(CustomerId),
    /// The environment's defaults, which new customers take over.
    Tenant,
}

/// The kind of a [`TaxedEntity`].
///
/// ```
/// use patron_domain::{tax::TaxedEntityType, tenancy::Tenant};
///
/// assert_eq!(TaxedEntityType::parse("tenant"), Ok(TaxedEntityType::Tenant));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaxedEntityType {
    /// One customer.
    Customer,
    /// The environment's defaults.
    Tenant,
}

words!(TaxedEntityType, "customer, tenant", Customer => "customer", Tenant => "tenant");

impl TaxedEntity {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> TaxedEntityType {
        match self {
            Self::Customer(_) => TaxedEntityType::Customer,
            Self::Tenant => TaxedEntityType::Tenant,
        }
    }
}

/// That a tax rate applies to an entity.
///
/// One rate is associated with one entity for one currency at most once among the published ones; the currency is
/// compared without regard to case, and no currency is a value of its own.
///
/// ```
/// use patron_domain::{
///     tax::{TaxAssociation, TaxedEntity},
///     tenancy::Tenant,
///     testkit::{a_tax_default, a_tax_rate},
/// };
///
/// let association: TaxAssociation = a_tax_default(&a_tax_rate("VAT"));
/// assert_eq!((association.entity, association.currency), (TaxedEntity::Tenant, None));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxAssociation {
    /// Its id.
    pub id: TaxAssociationId,
    /// Whose it is.
    pub owner: Owner,
    /// The rate.
    pub tax_rate_id: TaxRateId,
    /// To whom it applies.
    pub entity: TaxedEntity,
    /// Its rank among the entity's rates.
    pub priority: Priority,
    /// Whether it applies of itself; of an environment's defaults, whether new customers take it over.
    pub auto_apply: bool,
    /// The currency it applies to; `None` for any.
    pub currency: Option<CurrencyCode>,
    /// What the client attached.
    pub metadata: Metadata,
    /// From when on it applies.
    pub start: Timestamp,
    /// Until when it applies, always after the start; `None` for ever.
    pub end: Option<Timestamp>,
    /// Whether it is in use.
    pub status: Status,
    /// Who changed it when.
    pub audit: Audit,
}

#[cfg(test)]
mod tests {
    use super::Priority;

    #[test]
    fn priorities_run_from_0_to_the_largest_32_bit_integer() {
        assert_eq!(Priority::new(2_147_483_647).map(Priority::get), Ok(i32::MAX));
        assert!(Priority::new(2_147_483_648).is_err());
        assert!(Priority::new(-1).is_err());
    }
}
