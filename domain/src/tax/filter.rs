//! Filters of the lists of tax rates and associations.

use super::{CurrencyCode, TaxAssociation, TaxRate, TaxRateCode, TaxRateScope, TaxRateStatus, TaxedEntity};
use crate::{customer::query::Direction, ids::TaxRateId, lifecycle::Status, time::Timestamp};

/// Selects tax rates: all parts must match. An empty list matches nothing.
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
    /// Their codes, case-sensitive; `None` for any.
    pub codes: Option<Vec<TaxRateCode>>,
    /// Their ids; `None` for any.
    pub ids: Option<Vec<TaxRateId>>,
    /// Their scope; `None` for any.
    pub scope: Option<TaxRateScope>,
    /// Their rate status; `None` for any.
    pub rate_status: Option<TaxRateStatus>,
    /// Created at this time or later.
    pub created_from: Option<Timestamp>,
    /// Created at this time or earlier.
    pub created_until: Option<Timestamp>,
    /// The direction of the list by creation time; ids break ties.
    pub order: Direction,
}

impl Default for TaxRateFilter {
    /// All published rates, the newest first.
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
    /// The rates with these ids, in any status.
    #[must_use]
    pub fn with_ids(ids: Vec<TaxRateId>) -> Self {
        Self { status: None, ids: Some(ids), ..Self::default() }
    }

    /// Whether a rate matches.
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

/// Selects entities with tax associations.
///
/// ```
/// use patron_domain::{tax::{TaxAssociationFilter, TaxedEntities}, testkit::{a_tax_default, a_tax_rate}};
///
/// let filter = TaxAssociationFilter { entities: TaxedEntities::Customers, ..TaxAssociationFilter::default() };
/// assert!(!filter.admits(&a_tax_default(&a_tax_rate("VAT"))));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TaxedEntities {
    /// All entities.
    #[default]
    All,
    /// All customers.
    Customers,
    /// One customer, or the environment's defaults.
    One(TaxedEntity),
}

/// Selects tax associations: all parts must match.
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
    /// Their entities.
    pub entities: TaxedEntities,
    /// Their status; see [`Self::statuses`].
    pub status: Status,
    /// Their rates; `None` for any, an empty list for none.
    pub tax_rate_ids: Option<Vec<TaxRateId>>,
    /// Their currency, in any case; `None` for all associations, including those without a currency.
    pub currency: Option<CurrencyCode>,
    /// Whether they apply automatically; `None` for both.
    pub auto_apply: Option<bool>,
    /// Created at this time or later.
    pub created_from: Option<Timestamp>,
    /// Created at this time or earlier.
    pub created_until: Option<Timestamp>,
    /// The direction of the list by creation time; ids break ties.
    pub order: Direction,
}

impl Default for TaxAssociationFilter {
    /// All published associations, the newest first.
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
    /// The published associations of an entity.
    #[must_use]
    pub fn of(entity: TaxedEntity) -> Self {
        Self { entities: TaxedEntities::One(entity), ..Self::default() }
    }

    /// The statuses that the list shows. Archived associations are those of archived customers, and those that were
    /// removed. Only the former return when their customer is restored, so stores tell them apart.
    ///
    /// ```
    /// use patron_domain::{lifecycle::Status, tax::TaxAssociationFilter};
    ///
    /// let archived = TaxAssociationFilter { status: Status::Archived, ..TaxAssociationFilter::default() };
    /// assert_eq!(archived.statuses(), [Status::Archived, Status::Deleted]);
    /// ```
    #[must_use]
    pub fn statuses(&self) -> &'static [Status] {
        match self.status {
            Status::Published => &[Status::Published],
            Status::Archived => &[Status::Archived, Status::Deleted],
            Status::Deleted => &[],
        }
    }

    /// Whether an association matches.
    #[must_use]
    pub fn admits(&self, association: &TaxAssociation) -> bool {
        let entity = match self.entities {
            TaxedEntities::All => true,
            TaxedEntities::Customers => matches!(association.entity, TaxedEntity::Customer(_)),
            TaxedEntities::One(entity) => entity == association.entity,
        };
        let created = association.audit.created_at;
        entity
            && self.statuses().contains(&association.status)
            && self.tax_rate_ids.as_ref().is_none_or(|ids| ids.contains(&association.tax_rate_id))
            && self.currency.is_none_or(|currency| association.currency == Some(currency))
            && self.auto_apply.is_none_or(|auto_apply| auto_apply == association.auto_apply)
            && self.created_from.is_none_or(|from| from <= created)
            && self.created_until.is_none_or(|until| created <= until)
    }
}
