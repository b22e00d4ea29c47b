//! `GET /taxes/rates`

use patron_domain::{
    customer::query::Direction,
    ids::TaxRateId,
    lifecycle::Status,
    tax::{TaxRateCode, TaxRateFilter, TaxRateScope, TaxRateStatus},
    time::Timestamp,
    violation::Violations,
};
use rocket::{get, routes};

use super::response::TaxRateResponse;
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanRead, Services},
    list::List,
    listing::{Listing, whole_page_of},
    openapi::Endpoint,
    query::Query,
};

/// The filter in the query. Codes and ids that cannot be a rate's are left out, because they match nothing.
fn filter(query: &Query<'_>, listing: &Listing, broken: &mut Violations) -> TaxRateFilter {
    let codes = query.joined("taxrate_codes");
    let ids = query.joined("taxrate_ids");
    TaxRateFilter {
        status: Some(query.checked("status", broken, Status::parse).unwrap_or(Status::Published)),
        codes: codes.map(|codes| codes.into_iter().filter_map(|code| TaxRateCode::new(code).ok()).collect()),
        ids: ids.map(|ids| ids.into_iter().filter_map(|id| TaxRateId::parse(id).ok()).collect()),
        scope: query.checked("scope", broken, TaxRateScope::parse),
        rate_status: query.checked("tax_rate_status", broken, TaxRateStatus::parse),
        created_from: listing.start_time,
        created_until: listing.end_time,
        order: listing.order.unwrap_or_default(),
    }
}

/// Lists the tax rates of the environment, by default the published ones.
#[get("/taxes/rates")]
pub(super) async fn list_rates(caller: CanRead, services: Services<'_>, query: Query<'_>) -> Result<Answer, ApiError> {
    let mut broken = query.faults();
    let listing = Listing::read(&query, &mut broken);
    let filter = filter(&query, &listing, &mut broken);
    broken.into_result()?;
    let found = services.taxes()?.rates(&caller, &filter, listing.page).await?;
    whole_page_of(&found, listing.page, listing.by_cursor)?;
    List::new(&found, listing.page, TaxRateResponse::new).answer(&services).await
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    Endpoint::new(routes![list_rates], "listTaxRates", "List tax rates", "All conditions must match.")
        .with_key()
        .paged()
        .query::<Status>("status", "Their status, by default `published`.")
        .repeated::<TaxRateCode>("taxrate_codes", "Any of these. Repeat the parameter or separate codes with commas.")
        .repeated::<TaxRateId>("taxrate_ids", "Any of these. Repeat the parameter or separate ids with commas.")
        .query::<TaxRateScope>("scope", "Their scope.")
        .query::<TaxRateStatus>("tax_rate_status", "Whether they are applied.")
        .query::<Timestamp>("start_time", "Created at this time or later.")
        .query::<Timestamp>("end_time", "Created at this time or earlier.")
        .query::<Direction>("order", "The direction, by default `desc`.")
        .lists::<TaxRateResponse<'_>>("A page of tax rates.")
}
