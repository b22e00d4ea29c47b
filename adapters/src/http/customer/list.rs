//! `GET /customers`

use patron_domain::{
    customer::query::{CustomerPage, CustomerQuery, CustomerQueryParts, Direction, Expansion, SortField},
    ids::CustomerId,
    lifecycle::Status,
    time::Timestamp,
    violation::Violations,
};
use rocket::{get, routes};

use super::response::CustomerResponse;
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanRead, Services},
    list::List,
    openapi::Endpoint,
    query::Query,
};

/// What the parameters ask for.
fn query(query: &Query, broken: &mut Violations) -> CustomerQueryParts {
    let text = |name| query.get(name).map(str::to_owned);
    CustomerQueryParts {
        status: query.checked("status", broken, Status::parse),
        external_id: text("external_id"),
        email: text("email"),
        customer_ids: query.all("customer_ids"),
        external_ids: query.all("external_ids"),
        start_time: query.checked("start_time", broken, Timestamp::parse),
        end_time: query.checked("end_time", broken, Timestamp::parse),
        sort: query.checked("sort", broken, SortField::parse).map(|field| (field, None)).into_iter().collect(),
        order: query.checked("order", broken, Direction::parse),
        page: query.page(broken),
        starting_after: text("starting_after"),
        with_mappings: query.checked("expand", broken, Expansion::parse).is_some(),
        without_total: query.flag("include_total", broken) == Some(false),
        ..CustomerQueryParts::default()
    }
}

/// Lists the customers of an environment.
#[get("/customers")]
pub(super) async fn list(caller: CanRead, services: Services<'_>, parameters: Query) -> Result<Answer, ApiError> {
    let mut broken = Violations::new();
    let parts = query(&parameters, &mut broken);
    let query = CustomerQuery::new(parts).map_err(|more| more.into_iter().for_each(|one| broken.push(one)));
    broken.into_result()?;
    // Without a violation there is a query; the error stands in where its constructor would disagree.
    let query = query.map_err(|()| ApiError::system_error())?;
    let page = services.customers.list(&caller, &query).await?;
    answer(&query, &page)
}

/// A page as clients see it: with the mappings of its customers only if they asked for them.
pub(super) fn answer(query: &CustomerQuery, page: &CustomerPage) -> Result<Answer, ApiError> {
    Answer::ok(&List::of_customers(page, query.page(), |record| match query.with_mappings() {
        true => CustomerResponse::new(&record.customer, &record.mappings),
        false => CustomerResponse::bare(&record.customer),
    }))
}

/// What the document says of it.
pub(super) fn documented() -> Endpoint {
    let says = "Everything that is asked has to hold. An empty parameter is as if absent, an unknown one is ignored.";
    Endpoint::new(routes![list], "listCustomers", "List customers", says)
        .with_key()
        .paged()
        .query::<str>("starting_after", "The `next_cursor` of the page before; not beside an `offset`.")
        .query::<bool>("include_total", "`false`: do not count.")
        .query::<Status>("status", "Their status; `published` when absent.")
        .query::<Expansion>("expand", "What else to show of each.")
        .query::<str>("external_id", "Exactly this external id.")
        .query::<str>("email", "Exactly this e-mail address.")
        .repeated::<str>("external_ids", "One of these; repeat the parameter, a comma is part of an id.")
        .repeated::<CustomerId>("customer_ids", "One of these; repeat the parameter.")
        .query::<Timestamp>("start_time", "Created at this time or later.")
        .query::<Timestamp>("end_time", "Created at this time or earlier.")
        .query::<SortField>("sort", "The field to sort by; `created_at` when absent.")
        .query::<Direction>("order", "Which end comes first; `desc` when absent.")
        .lists::<CustomerResponse<'_>>("A page of customers.")
}
