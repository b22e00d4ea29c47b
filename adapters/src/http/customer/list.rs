//! `GET /customers`

use patron_domain::{
    customer::{
        CustomerRecord,
        query::{CustomerPage, CustomerQuery, CustomerQueryParts, Direction, Expansion, SortField},
    },
    ids::CustomerId,
    lifecycle::Status,
    time::Timestamp,
    violation::{Violation, Violations},
};
use rocket::{get, routes};

use super::response::CustomerResponse;
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanRead, Services},
    list::List,
    listing::{Listing, cursor},
    openapi::Endpoint,
    query::Query,
};

/// What the parameters ask for.
fn query(query: &Query<'_>, starting_after: Option<&str>, broken: &mut Violations) -> CustomerQueryParts {
    let text = |name| query.get(name).map(str::to_owned);
    let listing = Listing::without_cursor(query, broken);
    CustomerQueryParts {
        status: query.checked("status", broken, Status::parse),
        external_id: text("external_id"),
        email: text("email"),
        customer_ids: query.all("customer_ids"),
        external_ids: query.all("external_ids"),
        start_time: listing.start_time,
        end_time: listing.end_time,
        sort: query.checked("sort", broken, SortField::parse).map(|field| (field, None)).into_iter().collect(),
        order: listing.order,
        page: listing.page,
        starting_after: starting_after.map(str::to_owned),
        with_mappings: query.checked("expand", broken, Expansion::parse).is_some(),
        without_total: query.flag("include_total", broken) == Some(false),
        ..CustomerQueryParts::default()
    }
}

/// Lists the customers of an environment.
#[get("/customers")]
pub(super) async fn list(caller: CanRead, services: Services<'_>, parameters: Query<'_>) -> Result<Answer, ApiError> {
    let mut broken = parameters.faults();
    let (name, cursor) = cursor(&parameters, &mut broken);
    let parts = query(&parameters, cursor, &mut broken);
    let query = CustomerQuery::new(parts).map_err(|more| {
        more.into_iter().for_each(|one| broken.push(one_at(name, one)));
    });
    broken.into_result()?;
    // Without a violation there is a query; the error stands in where its constructor would disagree.
    let query = query.map_err(|()| ApiError::system_error())?;
    let page = services.customers.list(&caller, &query).await?;
    answer(&query, &page).await
}

/// What is wrong, under the name by which the client sent its cursor.
pub(super) fn one_at(name: &str, violation: Violation) -> Violation {
    match violation.path.as_str() {
        "starting_after" => Violation { path: name.to_owned(), ..violation },
        _ => violation,
    }
}

/// A page as clients see it: with the mappings of its customers only if they asked for them.
pub(super) async fn answer(query: &CustomerQuery, page: &CustomerPage) -> Result<Answer, ApiError> {
    List::of_customers(page, query.page(), |record| shown(query, record)).answer().await
}

fn shown<'a>(query: &CustomerQuery, record: &'a CustomerRecord) -> CustomerResponse<'a> {
    match query.with_mappings() {
        true => CustomerResponse::new(&record.customer, &record.mappings),
        false => CustomerResponse::bare(&record.customer),
    }
}

/// What the document says of it.
pub(super) fn documented() -> Endpoint {
    let says = "Everything that is asked has to hold. An empty parameter is as if absent, an unknown one is ignored.";
    Endpoint::new(routes![list], "listCustomers", "List customers", says)
        .with_key()
        .paged()
        .query::<str>("starting_after", "Another name of `cursor`.")
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
        .query::<Direction>("order", "Which end comes first; when absent the newest, or the beginning of the alphabet.")
        .lists::<CustomerResponse<'_>>("A page of customers.")
}
