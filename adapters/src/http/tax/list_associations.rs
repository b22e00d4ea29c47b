//! `GET /taxes/associations`

use patron_domain::{
    ids::CustomerId,
    tax::{TaxedEntity, TaxedEntityType, TaxesOfError},
    tenancy::Caller,
    violation::{Violation, Violations},
};
use rocket::get;

use super::response::TaxAssociationResponse;
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanRead, Services},
    list::List,
    query::Query,
};

/// Whose associations the query asks for; `None` with a note in `broken`, or for a customer that cannot exist.
fn entity(query: &Query, caller: &Caller, broken: &mut Violations) -> Option<TaxedEntity> {
    query.required("entity_type", broken);
    let own_tenant = caller.owner().tenant_id.to_string();
    match query.checked("entity_type", broken, TaxedEntityType::parse)? {
        TaxedEntityType::Customer => {
            let id = query.required("entity_id", broken)?;
            CustomerId::parse(id).ok().map(TaxedEntity::Customer)
        }
        TaxedEntityType::Tenant if query.get("entity_id").is_some_and(|id| id != own_tenant) => {
            let message = "entity_id must be left out or name your own tenant".to_owned();
            broken.push(Violation { path: "entity_id".to_owned(), rule: "own_tenant", message });
            None
        }
        TaxedEntityType::Tenant => Some(TaxedEntity::Tenant),
    }
}

/// The published tax associations of a customer, or the environment's defaults (`entity_type=tenant`).
#[get("/taxes/associations")]
pub(super) async fn list_associations(
    caller: CanRead,
    services: Services<'_>,
    query: Query,
) -> Result<Answer, ApiError> {
    let mut broken = Violations::new();
    let entity = entity(&query, &caller, &mut broken);
    let page = query.page(&mut broken);
    broken.into_result()?;
    let entity = entity.ok_or(TaxesOfError::UnknownCustomer)?;
    let found = services.taxes.associations(&caller, entity, page).await?;
    Answer::ok(&List::new(&found, page, TaxAssociationResponse::new))
}
