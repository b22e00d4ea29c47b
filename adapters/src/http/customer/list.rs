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
    Api,
    answer::Answer,
    custom_field::known,
    error::ApiError,
    guard::{CanRead, Services},
    list::List,
    listing::{Listing, cursor, whole_page},
    openapi::Endpoint,
    query::Query,
};

/// The query in the parameters.
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
    // Without violations there is a query. The error satisfies the signature of its constructor.
    let query = query.map_err(|()| ApiError::system_error())?;
    known(&services, &caller, query.custom_fields()).await?;
    let page = services.customers.list(&caller, &query).await?;
    answer(&services, &query, &page).await
}

/// Renames a violation's path to the name under which the client sent its cursor.
pub(super) fn one_at(name: &str, violation: Violation) -> Violation {
    match violation.path.as_str() {
        "starting_after" => Violation { path: name.to_owned(), ..violation },
        _ => violation,
    }
}

/// The response with a page. It includes mappings only on request.
pub(super) async fn answer(api: &Api, query: &CustomerQuery, page: &CustomerPage) -> Result<Answer, ApiError> {
    if query.is_cut_short(page) {
        whole_page(page.items.len(), query.after().is_some())?;
    }
    List::of_customers(page, query.page(), |record| shown(query, record)).answer(api).await
}

fn shown<'a>(query: &CustomerQuery, record: &'a CustomerRecord) -> CustomerResponse<'a> {
    match query.with_mappings() {
        true => CustomerResponse::new(&record.customer, &record.mappings),
        false => CustomerResponse::bare(&record.customer),
    }
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "All conditions must match. Empty parameters count as absent, and unknown ones are ignored.";
    Endpoint::new(routes![list], "listCustomers", "List customers", says)
        .with_key()
        .paged()
        .query::<str>("starting_after", "Alias of `cursor`.")
        .query::<bool>("include_total", "`false` omits the total.")
        .query::<Status>("status", "The customers' status, by default `published`.")
        .query::<Expansion>("expand", "Related data to include.")
        .query::<str>("external_id", "The exact external id.")
        .query::<str>("email", "The exact e-mail address.")
        .repeated::<str>(
            "external_ids",
            "Any of these. Repeat the parameter for several, because an id may contain commas.",
        )
        .repeated::<CustomerId>("customer_ids", "Any of these. Repeat the parameter for several.")
        .query::<Timestamp>("start_time", "Created at this time or later.")
        .query::<Timestamp>("end_time", "Created at this time or earlier.")
        .query::<SortField>("sort", "The field to sort by, by default `created_at`.")
        .query::<Direction>("order", "The direction. By default newest first for times, and ascending for texts.")
        .lists::<CustomerResponse<'_>>("A page of customers.")
}
