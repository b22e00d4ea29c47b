//! The customers and requests that a request for deletion names.

use patron_domain::{
    custom_field::{CustomFieldFacts, UniqueValue},
    customer::{CustomerAggregate, ExternalId, IndexEntry, found_by_external_id},
    lifecycle::{Owner, Status},
    privacy::{DeletionRequest, DeletionState, NamedSubject, SubjectKey},
};

use super::Failed;
use crate::persistence::{
    custom_field::holders_of_values, customer::row::index_key, error::Failure, unit::Reads, value::Key,
};

/// The most customers with a former external id that are read.
const FEW: i64 = 1_000;

/// The visible customer that a request names, locked.
pub(super) async fn visible(
    unit: &dyn Reads,
    environment: i32,
    owner: Owner,
    subject: &NamedSubject,
) -> Result<Option<CustomerAggregate>, Failed> {
    let id = match subject {
        NamedSubject::Id(id) => Some(Key::from(*id)),
        NamedSubject::ExternalId(external_id) => of_external_id(unit, environment, owner, external_id).await?,
    };
    let Some(id) = id else { return Ok(None) };
    let row = unit.lock_customers(environment, &[id]).await?.pop();
    row.map(|row| row.aggregate(owner)).transpose().map_err(Failure::Refused)
}

/// The customer that has an external id, was renamed from it, or was archived with it.
async fn of_external_id(
    unit: &dyn Reads,
    environment: i32,
    owner: Owner,
    external_id: &ExternalId,
) -> Result<Option<Key>, Failed> {
    let text = external_id.as_str();
    if let Some((_, id)) = unit.holders(environment, &[text.to_owned()]).await?.pop() {
        return Ok(Some(id));
    }
    let entry = IndexEntry::external_id(text);
    let documents = unit.customers_indexed(environment, entry.kind.code(), &index_key(&entry), FEW).await?;
    let mut customers = Vec::new();
    for document in documents {
        customers.push(document.read::<CustomerAggregate>(owner, "by a former external id").map_err(Failure::Refused)?);
    }
    if let Some(id) = found_by_external_id(customers.iter().flat_map(|one| one.terms_of(external_id))) {
        return Ok(Some(id.into()));
    }
    let is_archived =
        |one: &&CustomerAggregate| one.customer.status == Status::Archived && one.customer.external_id == *external_id;
    let mut archived = customers.iter().filter(is_archived);
    // Several are ambiguous.
    Ok(archived.next().filter(|_| archived.next().is_none()).map(|one| one.customer.id.into()))
}

/// The request in force about a customer, or about an external id.
pub(super) async fn earlier(
    unit: &dyn Reads,
    environment: i32,
    owner: Owner,
    key: &SubjectKey,
    subject: &NamedSubject,
) -> Result<Option<DeletionRequest>, Failed> {
    let row = match subject {
        NamedSubject::Id(id) => unit.deletion_in_force(environment, (*id).into()).await?,
        NamedSubject::ExternalId(external_id) => {
            let tag = key.tag(owner, external_id.as_str());
            match unit.requests_of_tag(environment, tag.as_bytes()).await?.first() {
                Some(id) => unit.deletion(environment, *id).await?,
                None => None,
            }
        }
    };
    let request = row.map(|row| row.request(owner)).transpose().map_err(Failure::Refused)?;
    Ok(request.filter(|request| request.state != DeletionState::Cancelled))
}

/// The definitions of custom fields, locked, and the published customers that have the unique values of a customer.
pub(super) async fn custom_fields(
    unit: &dyn Reads,
    owner: Owner,
    environment: i32,
    customer: Option<&CustomerAggregate>,
) -> Result<CustomFieldFacts, Failed> {
    let rows = unit.share_custom_fields_of(environment).await?;
    let definitions =
        rows.iter().map(|row| row.definition(owner)).collect::<Result<Vec<_>, _>>().map_err(Failure::Refused)?;
    let values = customer.map(|customer| UniqueValue::all_of(customer, &definitions)).unwrap_or_default();
    let holders = holders_of_values(unit, environment, values).await?;
    Ok(CustomFieldFacts::new(definitions).with_holders(holders))
}
