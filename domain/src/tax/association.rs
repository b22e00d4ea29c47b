//! Tax associations: which tax rate applies to which entity, and when.

use crate::{
    ids::{CustomerId, TaxAssociationId, TaxRateId},
    lifecycle::{Audit, Owner, Status},
    metadata::Metadata,
    time::Timestamp,
    violation::Rule,
    words::words,
};

use super::{CurrencyCode, TaxBehavior, Term};

/// The priority of a tax association, 0 to 2,147,483,647. The lowest number comes first.
///
/// ```
/// use patron_domain::tax::Priority;
///
/// assert!(Priority::new(0).unwrap() < Priority::new(7).unwrap());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Priority(i32);

/// Why a number is not a valid [`Priority`].
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
    /// When the number is negative or above 2,147,483,647.
    pub fn new(number: i64) -> Result<Self, PriorityError> {
        i32::try_from(number).ok().filter(|number| *number >= 0).map(Self).ok_or(PriorityError)
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> i32 {
        self.0
    }
}

/// The entity that a tax rate applies to.
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
    /// The environment's defaults, which new customers inherit.
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
    /// The kind of entity.
    #[must_use]
    pub fn kind(&self) -> TaxedEntityType {
        match self {
            Self::Customer(_) => TaxedEntityType::Customer,
            Self::Tenant => TaxedEntityType::Tenant,
        }
    }
}

/// The application of a tax rate to an entity.
///
/// The terms of an entity's published associations with the same rate and currency do not overlap. The currency is compared
/// case-insensitively, and no currency counts as a value of its own.
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
    /// The id.
    pub id: TaxAssociationId,
    /// The tenant and environment that it belongs to.
    pub owner: Owner,
    /// The tax rate.
    pub tax_rate_id: TaxRateId,
    /// The entity that it applies to.
    pub entity: TaxedEntity,
    /// Its priority among the entity's rates.
    pub priority: Priority,
    /// Whether it applies automatically. For a default: whether new customers inherit it.
    pub auto_apply: bool,
    /// The currency that it applies to; `None` for any.
    pub currency: Option<CurrencyCode>,
    /// Whether prices contain the tax; `None` for what is usual in the currency.
    pub behavior: Option<TaxBehavior>,
    /// The client's metadata.
    pub metadata: Metadata,
    /// The time from which it applies.
    pub start: Timestamp,
    /// The time until which it applies, always after the start; `None` for no end.
    pub end: Option<Timestamp>,
    /// The status.
    pub status: Status,
    /// Who created and last changed it, and when.
    pub audit: Audit,
}

impl TaxAssociation {
    /// The period in which it applies.
    #[must_use]
    pub fn term(&self) -> Term {
        Term { start: self.start, end: self.end }
    }

    /// The association among others that would apply at the same time as this one: same rate, same currency, overlapping
    /// terms.
    pub(crate) fn overlapping<'a>(&self, others: impl IntoIterator<Item = &'a Self>) -> Option<TaxAssociationId> {
        let overlaps = |other: &&Self| {
            other.id != self.id
                && (other.tax_rate_id, other.currency) == (self.tax_rate_id, self.currency)
                && other.term().overlaps(self.term())
        };
        others.into_iter().find(overlaps).map(|other| other.id)
    }
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
