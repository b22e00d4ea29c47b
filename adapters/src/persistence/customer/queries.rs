//! Queries over `customers`, written once for both databases.

use diesel::{dsl::auto_type, prelude::*};
use patron_domain::lifecycle::Status;

use crate::persistence::schema::customers;

/// The customer of any status with an id.
#[auto_type(no_type_alias)]
pub(crate) fn by_id<'a>(tenant_id: &'a str, environment_id: &'a str, id: &'a str) -> _ {
    customers::table.find((tenant_id, environment_id, id))
}

/// The published customer with an external id.
#[auto_type(no_type_alias)]
pub(crate) fn by_external_id<'a>(tenant_id: &'a str, environment_id: &'a str, external_id: &'a str) -> _ {
    let published: &'static str = Status::Published.as_str();
    customers::table
        .filter(customers::tenant_id.eq(tenant_id))
        .filter(customers::environment_id.eq(environment_id))
        .filter(customers::external_id.eq(external_id))
        .filter(customers::status.eq(published))
}
