//! `GET /integrations/mappings`

use patron_domain::{
    customer::MappingFilter,
    ids::CustomerId,
    integration::{MappedEntityType, ProviderEntityId, ProviderType},
    page::Page,
    violation::Violations,
};
use rocket::{get, routes};

use super::response::MappingResponse;
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanRead, Services},
    list::List,
    openapi::Endpoint,
    query::Query,
};

/// What the query asks for; `None` for an entity that cannot exist, and so has no mappings.
fn filter(query: &Query, broken: &mut Violations) -> Option<MappingFilter> {
    if query.get("provider_type").is_some() || query.get("provider_entity_id").is_some() {
        query.required("provider_type", broken);
        query.required("provider_entity_id", broken);
        let provider_type = query.checked("provider_type", broken, |text| ProviderType::new(text));
        let provider_entity_id = query.checked("provider_entity_id", broken, |text| ProviderEntityId::new(text));
        return Some(MappingFilter::Provider {
            provider_type: provider_type?,
            provider_entity_id: provider_entity_id?,
        });
    }
    query.required("entity_type", broken);
    query.checked("entity_type", broken, MappedEntityType::parse);
    let id = query.required("entity_id", broken)?;
    CustomerId::parse(id).ok().map(MappingFilter::Customer)
}

/// The published mappings of a customer (`entity_type`, `entity_id`), or to one entity of another system
/// (`provider_type`, `provider_entity_id`).
#[get("/integrations/mappings")]
pub(super) async fn list(caller: CanRead, services: Services<'_>, query: Query) -> Result<Answer, ApiError> {
    let mut broken = Violations::new();
    let filter = filter(&query, &mut broken);
    let page = query.page(&mut broken);
    broken.into_result()?;
    let found = match &filter {
        Some(filter) => services.customers.mappings(&caller, filter, page).await?,
        None => Page { items: Vec::new(), total: 0 },
    };
    Answer::ok(&List::new(&found, page, MappingResponse::new))
}

/// What the document says of it.
pub(super) fn documented() -> Endpoint {
    let says = "Of one customer (`entity_type`, `entity_id`), or to one entity of another system (`provider_type`, \
                `provider_entity_id`): every customer that has it.";
    Endpoint::new(routes![list], "listMappings", "List links to other systems", says)
        .with_key()
        .paged()
        .query::<MappedEntityType>("entity_type", "With `entity_id`.")
        .query::<CustomerId>("entity_id", "The customer.")
        .query::<ProviderType>("provider_type", "With `provider_entity_id`.")
        .query::<ProviderEntityId>("provider_entity_id", "The id in the other system.")
        .lists::<MappingResponse<'_>>("A page of links.")
}
