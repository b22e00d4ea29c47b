//! `GET /taxes/associations`

use patron_domain::{
    customer::{ExternalId, query::Direction},
    ids::{CustomerId, TaxRateId},
    lifecycle::Status,
    tax::{CurrencyCode, TaxAssociationFilter, TaxedEntities, TaxedEntity, TaxedEntityType},
    time::Timestamp,
    violation::{Violation, Violations},
};
use rocket::{get, routes};

use super::{
    entity::{AskedEntityType, EntityFields, NamedEntity, kind_of_id},
    error::of_named,
    response::TaxAssociationResponse,
};
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanRead, Services},
    list::List,
    listing::Listing,
    openapi::{Endpoint, Look, Refusal, Shape},
    query::Query,
};

/// The filter in the query, except for the entity. Ids that cannot be a rate's match nothing.
fn filter(query: &Query<'_>, listing: &Listing, broken: &mut Violations) -> TaxAssociationFilter {
    let parse = |ids: Vec<&str>| ids.into_iter().filter_map(|id| TaxRateId::parse(id).ok()).collect::<Vec<_>>();
    let many = query.joined("tax_rate_ids").map(parse);
    let tax_rate_ids = match (query.get("tax_rate_id").map(|id| parse(vec![id])), many) {
        // Both parameters are given, so the intersection is meant.
        (Some(one), Some(many)) => Some(one.into_iter().filter(|id| many.contains(id)).collect()),
        (one, many) => one.or(many),
    };
    TaxAssociationFilter {
        entities: TaxedEntities::All,
        status: query.checked("status", broken, Status::parse).unwrap_or(Status::Published),
        tax_rate_ids,
        currency: query.checked("currency", broken, |code| CurrencyCode::new(code)),
        auto_apply: query.flag("auto_apply", broken),
        created_from: listing.start_time,
        created_until: listing.end_time,
        order: listing.order.unwrap_or_default(),
    }
}

/// The word that includes the rates.
pub(super) struct EmbeddedRate;

impl EmbeddedRate {
    const WORD: &str = "tax_rate";
}

impl Shape for EmbeddedRate {
    fn look() -> Look {
        Look::words([Self::WORD], "Related data to include.")
    }
}

/// Whether to include the rates.
pub(super) fn with_rates(query: &Query<'_>, broken: &mut Violations) -> bool {
    let wanted = query.joined("expand").unwrap_or_default();
    if wanted.iter().any(|one| *one != EmbeddedRate::WORD) {
        let message = "expand must be tax_rate".to_owned();
        broken.push(Violation { path: "expand".to_owned(), rule: "one_of", message });
    }
    !wanted.is_empty()
}

/// Lists the tax associations of the environment: of one customer, of all, or the defaults (`entity_type=tenant`).
#[get("/taxes/associations")]
pub(super) async fn list_associations(
    caller: CanRead,
    services: Services<'_>,
    query: Query<'_>,
) -> Result<Answer, ApiError> {
    let mut broken = query.faults();
    let kind = query.checked("entity_type", &mut broken, AskedEntityType::parse);
    let (entity_id, external_customer_id) = (query.get("entity_id"), query.get("external_customer_id"));
    let held = match kind {
        Some(AskedEntityType::Held(kind)) => Some(kind),
        Some(AskedEntityType::Elsewhere) => None,
        None => entity_id.and_then(kind_of_id),
    };
    let named = match kind {
        // Types that do not exist here have no taxes here.
        Some(AskedEntityType::Elsewhere) => None,
        _ => Some(EntityFields { kind: held, entity_id, external_customer_id }.read(&caller, &mut broken)),
    };
    let listing = Listing::read(&query, &mut broken);
    let mut filter = filter(&query, &listing, &mut broken);
    let with_rates = with_rates(&query, &mut broken);
    let page = listing.page;
    broken.into_result()?;
    let Some(named) = named else { return List::<TaxAssociationResponse<'_>>::empty(page).answer(&services).await };
    filter.entities = match named {
        NamedEntity::All => TaxedEntities::All,
        NamedEntity::Customers => TaxedEntities::Customers,
        NamedEntity::Tenant => TaxedEntities::One(TaxedEntity::Tenant),
        NamedEntity::Customer(customer) => {
            let found = services.taxes()?.customer(&caller, &customer).await;
            TaxedEntities::One(TaxedEntity::Customer(found.map_err(|error| of_named(error, &customer))?))
        }
    };
    let found = services.taxes()?.associations(&caller, &filter, page).await?;
    let rates = if with_rates { services.taxes()?.rates_of(&caller, &found.items).await? } else { Vec::new() };
    let shown = |association| TaxAssociationResponse::new(association).with_rate(&rates);
    List::new(&found, page, shown).answer(&services).await
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Those of one customer, of all, or (`entity_type=tenant`) the defaults.";
    Endpoint::new(routes![list_associations], "listTaxAssociations", "List tax associations", says)
        .with_key()
        .paged()
        .query::<TaxedEntityType>(
            "entity_type",
            "The type of the taxed entity. Flexprice's other types (`subscription`, `invoice` …) have no associations here.",
        )
        .query::<CustomerId>("entity_id", "The customer.")
        .query::<ExternalId>("external_customer_id", "The customer's external id.")
        .query::<TaxRateId>("tax_rate_id", "The tax rate.")
        .repeated::<TaxRateId>("tax_rate_ids", "Any of these rates. Repeat the parameter or separate ids with commas.")
        .query::<CurrencyCode>("currency", "The currency.")
        .query::<bool>("auto_apply", "Whether they apply automatically.")
        .query::<Timestamp>("start_time", "Created at this time or later.")
        .query::<Timestamp>("end_time", "Created at this time or earlier.")
        .query::<Status>("status", "Their status, by default `published`.")
        .query::<Direction>("order", "The direction, by default `desc`.")
        .query::<EmbeddedRate>("expand", "Related data to include.")
        .lists::<TaxAssociationResponse<'_>>("A page of tax associations.")
        .refuses([Refusal::NotFound])
}
