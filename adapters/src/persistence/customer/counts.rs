//! How the number of customers changes, by environment and status.

use std::collections::BTreeMap;

use patron_domain::lifecycle::Status;

use super::changes::DecisionRows;

/// Changes of `customer_counts` that are still to be written, in the order of the table's key.
#[derive(Default)]
pub(crate) struct CountChanges(BTreeMap<(String, String, Status), i64>);

impl CountChanges {
    /// Counts a customer under its status, and no more under the one it had.
    pub(crate) fn note(&mut self, rows: &DecisionRows, now: Status) {
        if rows.status_before == Some(now) {
            return;
        }
        let mut add = |status: Status, count: i64| {
            let key = (rows.customer.tenant_id.clone(), rows.customer.environment_id.clone(), status);
            *self.0.entry(key).or_default() += count;
        };
        add(now, 1);
        if let Some(before) = rows.status_before {
            add(before, -1);
        }
    }

    /// What there is to write: tenant, environment, status, and by how much.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str, &'static str, i64)> {
        let changed = self.0.iter().filter(|(_, count)| **count != 0);
        changed.map(|((tenant, environment, status), count)| {
            (tenant.as_str(), environment.as_str(), status.as_str(), *count)
        })
    }
}
