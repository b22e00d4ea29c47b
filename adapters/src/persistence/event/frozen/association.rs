//! A tax association as a payload holds it.

use std::borrow::Cow;

use patron_domain::{
    ids::CustomerId,
    lifecycle::Owner,
    store::StoreError,
    tax::{TaxAssociation, TaxedEntity},
};
use serde::{Deserialize, Serialize};

use super::{last, later};
use crate::persistence::tax::association_row::{StoredAssociation, TaxAssociationRow};

#[derive(Serialize, Deserialize)]
pub(super) struct FrozenAssociation<'a> {
    id: Cow<'a, str>,
    tax_rate_id: Cow<'a, str>,
    priority: i32,
    auto_apply: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<Cow<'a, str>>,
    metadata: Cow<'a, str>,
    start_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_at: Option<i64>,
    status: Cow<'a, str>,
    created_at: i64,
    created_by: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_by: Option<Cow<'a, str>>,
}

impl<'a> From<&'a TaxAssociationRow> for FrozenAssociation<'a> {
    fn from(row: &'a TaxAssociationRow) -> Self {
        Self {
            id: row.id.as_str().into(),
            tax_rate_id: row.tax_rate_id.as_str().into(),
            priority: row.priority,
            auto_apply: row.auto_apply,
            currency: row.currency.as_deref().map(Cow::Borrowed),
            metadata: row.metadata.as_str().into(),
            start_at: row.start_at,
            end_at: row.end_at,
            status: row.status.as_str().into(),
            created_at: row.created_at,
            created_by: row.created_by.as_str().into(),
            updated_at: later(row.created_at, row.updated_at),
            updated_by: later(row.created_by.as_str(), row.updated_by.as_str()).map(Cow::Borrowed),
        }
    }
}

impl FrozenAssociation<'_> {
    pub(super) fn of(self, owner: Owner, customer: CustomerId) -> Result<TaxAssociation, StoreError> {
        let stored = StoredAssociation {
            id: self.id.into_owned(),
            tax_rate_id: self.tax_rate_id.into_owned(),
            priority: self.priority,
            auto_apply: self.auto_apply,
            currency: self.currency.map(Cow::into_owned),
            metadata: self.metadata.into_owned(),
            start_at: self.start_at,
            end_at: self.end_at,
            status: self.status.into_owned(),
            created_at: self.created_at,
            updated_by: last(&self.created_by, self.updated_by).into_owned(),
            created_by: self.created_by.into_owned(),
            updated_at: last(&self.created_at, self.updated_at),
        };
        stored.of(owner, TaxedEntity::Customer(customer))
    }
}
