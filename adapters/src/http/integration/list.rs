//! `GET /integrations/mappings`

use patron_domain::{
    customer::MappingFilter,
    ids::CustomerId,
    integration::{MappedEntityType, ProviderEntityId, ProviderType},
    page::Page,
    violation::{Rule, Violations},
};
use rocket::{get, routes};

use super::response::MappingResponse;
use crate::http::{
    answer::Answer,
    elsewhere,
    error::ApiError,
    guard::{CanRead, Services},
    list::List,
    listing::Listing,
    openapi::Endpoint,
    query::Query,
};

/// The filter in the query. `None` for an entity that cannot exist here, which has no mappings.
fn filter(query: &Query<'_>, broken: &mut Violations) -> Option<MappingFilter> {
    let entity_type = query.get("entity_type");
    let is_elsewhere = entity_type.is_some_and(elsewhere::is_entity_type);
    if !is_elsewhere {
        query.checked("entity_type", broken, MappedEntityType::parse);
    }
    if query.get("provider_type").is_some() || query.get("provider_entity_id").is_some() {
        query.required("provider_type", broken);
        query.required("provider_entity_id", broken);
        let provider_type = query.checked("provider_type", broken, |text| ProviderType::new(text));
        let provider_entity_id = query.checked("provider_entity_id", broken, |text| ProviderEntityId::new(text));
        let (provider_type, provider_entity_id) = (provider_type?, provider_entity_id?);
        return (!is_elsewhere).then_some(MappingFilter::Provider { provider_type, provider_entity_id });
    }
    for name in ["entity_type", "entity_id"].into_iter().filter(|name| query.get(name).is_none()) {
        broken.add(name, &NobodyNamed(name));
    }
    let id = query.get("entity_id").filter(|_| !is_elsewhere)?;
    CustomerId::parse(id).ok().map(MappingFilter::Customer)
}

/// The error of a query that does not name a customer or an entity.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0} is required: list the links of a customer with entity_type=customer&entity_id=cust_…, or the customers of a \
     link with provider_type=stripe&provider_entity_id=cus_…"
)]
struct NobodyNamed(&'static str);

impl Rule for NobodyNamed {
    fn rule(&self) -> &'static str {
        "required"
    }
}

/// Lists the published mappings of a customer (`entity_type`, `entity_id`), or those to one entity of another system
/// (`provider_type`, `provider_entity_id`).
#[get("/integrations/mappings")]
pub(super) async fn list(caller: CanRead, services: Services<'_>, query: Query<'_>) -> Result<Answer, ApiError> {
    let mut broken = query.faults();
    let filter = filter(&query, &mut broken);
    let page = Listing::read(&query, &mut broken).page;
    broken.into_result()?;
    let found = match &filter {
        Some(filter) => services.customers.mappings(&caller, filter, page).await?,
        None => Page { items: Vec::new(), total: 0 },
    };
    List::new(&found, page, MappingResponse::new).answer(&services).await
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "The links of one customer (`entity_type`, `entity_id`), or all customers' links to one entity of \
                another system (`provider_type`, `provider_entity_id`).";
    Endpoint::new(routes![list], "listMappings", "List links to other systems", says)
        .with_key()
        .paged()
        .query::<MappedEntityType>(
            "entity_type",
            "With `entity_id`. Flexprice's other types (`subscription`, `invoice` …) have no links here.",
        )
        .query::<CustomerId>("entity_id", "The customer.")
        .query::<ProviderType>("provider_type", "With `provider_entity_id`.")
        .query::<ProviderEntityId>("provider_entity_id", "The id in the other system.")
        .lists::<MappingResponse<'_>>("A page of links.")
}
