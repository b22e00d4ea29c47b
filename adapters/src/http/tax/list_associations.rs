//! `GET /taxes/associations`

use patron_domain::{
    customer::query::Direction,
    ids::TaxRateId,
    lifecycle::Status,
    tax::{CurrencyCode, TaxAssociationFilter, TaxedEntities, TaxedEntity, TaxedEntityType},
    violation::{Violation, Violations},
};
use rocket::get;

use super::{
    entity::{EntityFields, NamedEntity},
    response::TaxAssociationResponse,
};
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanRead, Services},
    list::List,
    query::Query,
};

/// What the query asks for, but for whose they are. Ids that no rate can have match nothing.
fn filter(query: &Query, broken: &mut Violations) -> TaxAssociationFilter {
    let parse = |ids: Vec<&str>| ids.into_iter().filter_map(|id| TaxRateId::parse(id).ok()).collect::<Vec<_>>();
    let many = query.joined("tax_rate_ids").map(parse);
    let tax_rate_ids = match (query.get("tax_rate_id").map(|id| parse(vec![id])), many) {
        // Both: what is in either half alone is not asked for.
        (Some(one), Some(many)) => Some(one.into_iter().filter(|id| many.contains(id)).collect()),
        (one, many) => one.or(many),
    };
    TaxAssociationFilter {
        entities: TaxedEntities::All,
        status: query.checked("status", broken, Status::parse).unwrap_or(Status::Published),
        tax_rate_ids,
        currency: query.checked("currency", broken, |code| CurrencyCode::new(code)),
        auto_apply: query.flag("auto_apply", broken),
        order: query.checked("order", broken, Direction::parse).unwrap_or_default(),
    }
}

/// Whether the rates are to be embedded.
fn with_rates(query: &Query, broken: &mut Violations) -> bool {
    let wanted = query.joined("expand").unwrap_or_default();
    if wanted.iter().any(|one| *one != "tax_rate") {
        let message = "expand must be tax_rate".to_owned();
        broken.push(Violation { path: "expand".to_owned(), rule: "one_of", message });
    }
    !wanted.is_empty()
}

/// The tax associations of the environment: of one customer, of all, or the defaults (`entity_type=tenant`).
#[get("/taxes/associations")]
pub(super) async fn list_associations(
    caller: CanRead,
    services: Services<'_>,
    query: Query,
) -> Result<Answer, ApiError> {
    let mut broken = Violations::new();
    let kind = query.checked("entity_type", &mut broken, TaxedEntityType::parse);
    let (entity_id, external_customer_id) = (query.get("entity_id"), query.get("external_customer_id"));
    let named = EntityFields { kind, entity_id, external_customer_id }.read(&caller, &mut broken);
    let mut filter = filter(&query, &mut broken);
    let with_rates = with_rates(&query, &mut broken);
    let page = query.page(&mut broken);
    broken.into_result()?;
    filter.entities = match named {
        NamedEntity::All => TaxedEntities::All,
        NamedEntity::Customers => TaxedEntities::Customers,
        NamedEntity::Tenant => TaxedEntities::One(TaxedEntity::Tenant),
        NamedEntity::Customer(customer) => {
            TaxedEntities::One(TaxedEntity::Customer(services.taxes.customer(&caller, &customer).await?))
        }
    };
    let found = services.taxes.associations(&caller, &filter, page).await?;
    let rates = if with_rates { services.taxes.rates_of(&caller, &found.items).await? } else { Vec::new() };
    Answer::ok(&List::new(&found, page, |association| TaxAssociationResponse::new(association).with_rate(&rates)))
}
