//! From rows to pages of customers.

use std::collections::HashMap;

use patron_domain::{
    customer::{
        CustomerRecord,
        query::{CustomerPage, CustomerQuery},
    },
    lifecycle::Owner,
    store::StoreError,
};

use super::{row::StoredCustomer, search::Search};
use crate::persistence::integration::row::MappingRow;

/// What a search read.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) customers: Vec<StoredCustomer>,
    /// The parts of the total, or nothing when it is not asked.
    pub(crate) counts: Option<Vec<i64>>,
    /// The published mappings of the customers, in the order of their ids.
    pub(crate) mappings: Vec<MappingRow>,
}

/// The customers whose mappings are wanted.
pub(crate) fn customers_to_expand(search: &Search, customers: &[StoredCustomer]) -> Option<Vec<String>> {
    let ids = || customers.iter().map(|customer| customer.id.clone()).collect();
    (search.with_mappings && !customers.is_empty()).then(ids)
}

/// The page that a query asks for.
pub(crate) fn page(owner: Owner, query: &CustomerQuery, found: Found) -> Result<CustomerPage, StoreError> {
    let mut mappings: HashMap<String, Vec<MappingRow>> = HashMap::new();
    for mapping in found.mappings {
        mappings.entry(mapping.customer_id.clone()).or_default().push(mapping);
    }
    let record = |customer: StoredCustomer| {
        let own = mappings.remove(&customer.id).unwrap_or_default();
        let mappings = own.into_iter().map(TryInto::try_into).collect::<Result<_, StoreError>>()?;
        Ok(CustomerRecord { customer: customer.of(owner)?, mappings })
    };
    let records = found.customers.into_iter().map(record).collect::<Result<_, StoreError>>()?;
    // A count is never negative.
    let total = found.counts.map(|counts| u64::try_from(counts.iter().sum::<i64>()).unwrap_or_default());
    Ok(query.page_of(records, total))
}
