//! Rows of the table `customer_metadata`, by which customers are found by a pair of their metadata.

use diesel::prelude::Insertable;
use patron_domain::customer::Customer;
use sha2::{Digest, Sha256};

use crate::persistence::schema::customer_metadata;

/// One row: that a customer's metadata has a pair.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = customer_metadata)]
pub(crate) struct CustomerMetadataRow {
    pub(crate) tenant_id: String,
    pub(crate) environment_id: String,
    pub(crate) pair_hash: i64,
    pub(crate) customer_id: String,
}

/// The rows of a customer, one for each pair.
pub(crate) fn metadata_rows(customer: &Customer) -> Vec<CustomerMetadataRow> {
    let row = |(key, value)| CustomerMetadataRow {
        tenant_id: customer.owner.tenant_id.to_string(),
        environment_id: customer.owner.environment_id.to_string(),
        pair_hash: pair_hash(key, value),
        customer_id: customer.id.to_string(),
    };
    customer.profile.metadata.iter().map(row).collect()
}

/// The column `pair_hash`. The length keeps the key apart from the value.
pub(crate) fn pair_hash(key: &str, value: &str) -> i64 {
    let mut hash = Sha256::new();
    // On every platform of ours, 64 bits hold a length.
    hash.update((key.len() as u64).to_be_bytes());
    hash.update(key);
    hash.update(value);
    let first = hash.finalize().first_chunk::<8>().copied().unwrap_or_default();
    i64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::pair_hash;

    #[test]
    fn the_numbers_in_the_table_are_those_that_are_looked_for() {
        // SHA-256 of 0000000000000004 706c616e 676f6c64.
        assert_eq!(pair_hash("plan", "gold"), PLAN_GOLD);
        assert_ne!(pair_hash("plang", "old"), PLAN_GOLD);
    }

    const PLAN_GOLD: i64 = 1_804_068_232_862_965_214;
}
