//! Which tax rates and associations a list shows.

use super::{CurrencyCode, TaxAssociation, TaxRate, TaxRateCode, TaxRateScope, TaxRateStatus, TaxedEntity};
use crate::{customer::query::Direction, ids::TaxRateId, lifecycle::Status, time::Timestamp};

/// Which tax rates a list shows: those that every part lets through. An empty list lets nothing through.
///
/// ```
/// use patron_domain::{tax::{TaxRateCode, TaxRateFilter}, testkit::a_tax_rate};
///
/// let filter = TaxRateFilter { codes: Some(vec![TaxRateCode::new("VAT").unwrap()]), ..TaxRateFilter::default() };
/// assert!(filter.admits(&a_tax_rate("VAT")) && !filter.admits(&a_tax_rate("vat")));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxRateFilter {
    /// Their status; `None` for any.
    pub status: Option<Status>,
    /// Their codes, compared with their case; `None` for any.
    pub codes: Option<Vec<TaxRateCode>>,
    /// Their ids; `None` for any.
    pub ids: Option<Vec<TaxRateId>>,
    /// Where they may be used; `None` for anywhere.
    pub scope: Option<TaxRateScope>,
    /// Whether they are charged; `None` for either.
    pub rate_status: Option<TaxRateStatus>,
    /// Created then or later.
    pub created_from: Option<Timestamp>,
    /// Created then or earlier.
    pub created_until: Option<Timestamp>,
    /// Which end of their list by the time of creation comes first, ids breaking ties.
    pub order: Direction,
}

impl Default for TaxRateFilter {
    /// All published ones, the newest first.
    fn default() -> Self {
        Self {
            status: Some(Status::Published),
            codes: None,
            ids: None,
            scope: None,
            rate_status: None,
            created_from: None,
            created_until: None,
            order: Direction::Desc,
        }
    }
}

impl TaxRateFilter {
    /// Those of any status with these ids.
    #[must_use]
    pub fn with_ids(ids: Vec<TaxRateId>) -> Self {
        Self { status: None, ids: Some(ids), ..Self::default() }
    }

    /// Whether the list shows a rate.
    #[must_use]
    pub fn admits(&self, rate: &TaxRate) -> bool {
        let created = rate.audit.created_at;
        self.status.is_none_or(|status| status == rate.status)
            && self.codes.as_ref().is_none_or(|codes| codes.contains(&rate.code))
            && self.ids.as_ref().is_none_or(|ids| ids.contains(&rate.id))
            && self.scope.is_none_or(|scope| scope == rate.scope)
            && self.rate_status.is_none_or(|status| status == rate.rate_status)
            && self.created_from.is_none_or(|from| from <= created)
            && self.created_until.is_none_or(|until| created <= until)
    }
}

/// Whose associations are asked for.
///
/// ```
/// use patron_domain::{tax::{TaxAssociationFilter, TaxedEntities}, testkit::{a_tax_default, a_tax_rate}};
///
/// let filter = TaxAssociationFilter { entities: TaxedEntities::Customers, ..TaxAssociationFilter::default() };
/// assert!(!filter.admits(&a_tax_default(&a_tax_rate("VAT"))));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TaxedEntities {
    /// Everybody's.
    #[default]
    All,
    /// Those of all customers.
    Customers,
    /// Those of one customer, or the environment's defaults.
    One(TaxedEntity),
}

/// Which tax associations a list shows: those that every part lets through.
///
/// ```
/// use patron_domain::{
///     tax::{TaxAssociationFilter, TaxedEntity},
///     tenancy::Tenant,
///     testkit::{a_tax_default, a_tax_rate},
/// };
///
/// let filter = TaxAssociationFilter::of(TaxedEntity::Tenant);
/// assert!(filter.admits(&a_tax_default(&a_tax_rate("VAT"))));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxAssociationFilter {
    /// Whose.
    pub entities: TaxedEntities,
    /// Their status.
    pub status: Status,
    /// Their rates; `None` for any, an empty list for none.
    pub tax_rate_ids: Option<Vec<TaxRateId>>,
    /// Their currency, compared without regard to case; `None` for any, and for those without one.
    pub currency: Option<CurrencyCode>,
    /// Whether they apply of themselves; `None` for either.
    pub auto_apply: Option<bool>,
    /// Created then or later.
    pub created_from: Option<Timestamp>,
    /// Created then or earlier.
    pub created_until: Option<Timestamp>,
    /// Which end of their list by the time of creation comes first, ids breaking ties.
    pub order: Direction,
}

impl Default for TaxAssociationFilter {
    /// All published ones, the newest first.
    fn default() -> Self {
        Self {
            entities: TaxedEntities::All,
            status: Status::Published,
            tax_rate_ids: None,
            currency: None,
            auto_apply: None,
            created_from: None,
            created_until: None,
            order: Direction::Desc,
        }
    }
}

impl TaxAssociationFilter {
    /// The published ones of an entity.
    #[must_use]
    pub fn of(entity: TaxedEntity) -> Self {
        Self { entities: TaxedEntities::One(entity), ..Self::default() }
    }

    /// Whether the list shows an association.
    #[must_use]
    pub fn admits(&self, association: &TaxAssociation) -> bool {
        let entity = match self.entities {
            TaxedEntities::All => true,
            TaxedEntities::Customers => matches!(association.entity, TaxedEntity::Customer(_)),
            TaxedEntities::One(entity) => entity == association.entity,
        };
        let created = association.audit.created_at;
        entity
            && self.status == association.status
            && self.tax_rate_ids.as_ref().is_none_or(|ids| ids.contains(&association.tax_rate_id))
            && self.currency.is_none_or(|currency| association.currency == Some(currency))
            && self.auto_apply.is_none_or(|auto_apply| auto_apply == association.auto_apply)
            && self.created_from.is_none_or(|from| from <= created)
            && self.created_until.is_none_or(|until| created <= until)
    }
}
