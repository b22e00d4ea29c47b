//! Queries over `tax_rates` and `tax_associations`, written once for both databases.

use diesel::{dsl::auto_type, prelude::*};

use crate::persistence::{
    literal::{Archived, Deleted, Published},
    schema::{tax_associations, tax_rates},
};

/// The published tax rate with a code.
#[auto_type(no_type_alias)]
pub(crate) fn rate_by_code<'a>(tenant_id: &'a str, environment_id: &'a str, code: &'a str) -> _ {
    let published: Published = Published;
    tax_rates::table
        .filter(tax_rates::tenant_id.eq(tenant_id))
        .filter(tax_rates::environment_id.eq(environment_id))
        .filter(tax_rates::code.eq(code))
        .filter(tax_rates::status.eq(published))
}

/// The tax rate of any status with an id.
#[auto_type(no_type_alias)]
pub(crate) fn rate_by_id<'a>(tenant_id: &'a str, environment_id: &'a str, id: &'a str) -> _ {
    tax_rates::table
        .filter(tax_rates::tenant_id.eq(tenant_id))
        .filter(tax_rates::environment_id.eq(environment_id))
        .filter(tax_rates::id.eq(id))
}

/// The published associations of an entity.
#[auto_type(no_type_alias)]
pub(crate) fn associations_of<'a>(
    tenant_id: &'a str,
    environment_id: &'a str,
    entity_type: &'a str,
    entity_id: &'a str,
) -> _ {
    let published: Published = Published;
    tax_associations::table
        .filter(tax_associations::tenant_id.eq(tenant_id))
        .filter(tax_associations::environment_id.eq(environment_id))
        .filter(tax_associations::entity_type.eq(entity_type))
        .filter(tax_associations::entity_id.eq(entity_id))
        .filter(tax_associations::status.eq(published))
}

/// The associations that were archived with an entity.
#[auto_type(no_type_alias)]
pub(crate) fn archived_associations_of<'a>(
    tenant_id: &'a str,
    environment_id: &'a str,
    entity_type: &'a str,
    entity_id: &'a str,
) -> _ {
    let archived: Archived = Archived;
    tax_associations::table
        .filter(tax_associations::tenant_id.eq(tenant_id))
        .filter(tax_associations::environment_id.eq(environment_id))
        .filter(tax_associations::entity_type.eq(entity_type))
        .filter(tax_associations::entity_id.eq(entity_id))
        .filter(tax_associations::status.eq(archived))
}

/// The association of any status with an id.
#[auto_type(no_type_alias)]
pub(crate) fn association_by_id<'a>(tenant_id: &'a str, environment_id: &'a str, id: &'a str) -> _ {
    tax_associations::table
        .filter(tax_associations::tenant_id.eq(tenant_id))
        .filter(tax_associations::environment_id.eq(environment_id))
        .filter(tax_associations::id.eq(id))
}

/// The uses of a tax rate: its id, once for each association. An index alone answers it.
#[auto_type(no_type_alias)]
pub(crate) fn uses_of_rate<'a>(tenant_id: &'a str, environment_id: &'a str, rate_id: &'a str) -> _ {
    let deleted: Deleted = Deleted;
    tax_associations::table
        .filter(tax_associations::tenant_id.eq(tenant_id))
        .filter(tax_associations::environment_id.eq(environment_id))
        .filter(tax_associations::tax_rate_id.eq(rate_id))
        .filter(tax_associations::status.ne(deleted))
        .select(tax_associations::tax_rate_id)
}

/// The tax rates of any status that the published associations of an entity name.
#[auto_type(no_type_alias)]
pub(crate) fn rates_of<'a>(tenant_id: &'a str, environment_id: &'a str, entity_type: &'a str, entity_id: &'a str) -> _ {
    let published: Published = Published;
    let named = tax_associations::table
        .filter(tax_associations::tenant_id.eq(tenant_id))
        .filter(tax_associations::environment_id.eq(environment_id))
        .filter(tax_associations::entity_type.eq(entity_type))
        .filter(tax_associations::entity_id.eq(entity_id))
        .filter(tax_associations::status.eq(published))
        .select(tax_associations::tax_rate_id);
    tax_rates::table
        .filter(tax_rates::tenant_id.eq(tenant_id))
        .filter(tax_rates::environment_id.eq(environment_id))
        .filter(tax_rates::id.eq_any(named))
}
