//! A customer as a payload holds it.

use std::borrow::Cow;

use patron_domain::{customer::Customer, lifecycle::Owner, store::StoreError};
use serde::{Deserialize, Serialize};

use super::{last, later};
use crate::persistence::customer::row::{CustomerRow, StoredCustomer};

#[derive(Serialize, Deserialize)]
pub(super) struct FrozenCustomer<'a> {
    id: Cow<'a, str>,
    external_id: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address_line1: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address_line2: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address_city: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address_state: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address_postal_code: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address_country: Option<Cow<'a, str>>,
    timezone: Cow<'a, str>,
    metadata: Cow<'a, str>,
    status: Cow<'a, str>,
    version: i64,
    created_at: i64,
    created_by: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_by: Option<Cow<'a, str>>,
}

impl<'a> From<&'a CustomerRow> for FrozenCustomer<'a> {
    fn from(row: &'a CustomerRow) -> Self {
        Self {
            id: row.id.as_str().into(),
            external_id: row.external_id.as_str().into(),
            name: row.name.as_deref().map(Cow::Borrowed),
            email: row.email.as_deref().map(Cow::Borrowed),
            contact: row.contact.as_deref().map(Cow::Borrowed),
            address_line1: row.address_line1.as_deref().map(Cow::Borrowed),
            address_line2: row.address_line2.as_deref().map(Cow::Borrowed),
            address_city: row.address_city.as_deref().map(Cow::Borrowed),
            address_state: row.address_state.as_deref().map(Cow::Borrowed),
            address_postal_code: row.address_postal_code.as_deref().map(Cow::Borrowed),
            address_country: row.address_country.as_deref().map(Cow::Borrowed),
            timezone: row.timezone.as_str().into(),
            metadata: row.metadata.as_str().into(),
            status: row.status.as_str().into(),
            version: row.version,
            created_at: row.created_at,
            created_by: row.created_by.as_str().into(),
            updated_at: later(row.created_at, row.updated_at),
            updated_by: later(row.created_by.as_str(), row.updated_by.as_str()).map(Cow::Borrowed),
        }
    }
}

impl FrozenCustomer<'_> {
    pub(super) fn of(self, owner: Owner) -> Result<Customer, StoreError> {
        let stored = StoredCustomer {
            id: self.id.into_owned(),
            external_id: self.external_id.into_owned(),
            name: self.name.map(Cow::into_owned),
            email: self.email.map(Cow::into_owned),
            contact: self.contact.map(Cow::into_owned),
            address_line1: self.address_line1.map(Cow::into_owned),
            address_line2: self.address_line2.map(Cow::into_owned),
            address_city: self.address_city.map(Cow::into_owned),
            address_state: self.address_state.map(Cow::into_owned),
            address_postal_code: self.address_postal_code.map(Cow::into_owned),
            address_country: self.address_country.map(Cow::into_owned),
            timezone: self.timezone.into_owned(),
            metadata: self.metadata.into_owned(),
            status: self.status.into_owned(),
            version: self.version,
            created_at: self.created_at,
            updated_by: last(&self.created_by, self.updated_by).into_owned(),
            created_by: self.created_by.into_owned(),
            updated_at: last(&self.created_at, self.updated_at),
        };
        stored.of(owner)
    }
}
