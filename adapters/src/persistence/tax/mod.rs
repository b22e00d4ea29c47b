//! Tax rates and associations: rows and queries.

pub(crate) mod association_row;
pub(crate) mod lists;
pub(crate) mod queries;
pub(crate) mod rate_row;

use std::collections::BTreeMap;

use patron_domain::{ids::TaxRateId, store::StoreError, tax::TaxBasis, tax::TaxRate};

use self::{association_row::TaxAssociationRow, rate_row::TaxRateRow};
use super::page::decode;

/// What a customer's taxes stand on, from the customer's rows, the defaults', and the rates', in which one may come twice.
pub(crate) fn decode_basis(
    (own, defaults, rates): (Vec<TaxAssociationRow>, Vec<TaxAssociationRow>, Vec<TaxRateRow>),
) -> Result<TaxBasis, StoreError> {
    let rates: Vec<TaxRate> = decode(rates)?;
    let rates: BTreeMap<TaxRateId, TaxRate> = rates.into_iter().map(|rate| (rate.id, rate)).collect();
    Ok(TaxBasis { own: Some(decode(own)?), defaults: decode(defaults)?, rates: rates.into_values().collect() })
}
