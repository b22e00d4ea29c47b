//! `GET /customers/find`

use patron_domain::{
    customer::find::{FindQuery, FindQueryError, FindStatus, Hit, HitClass, MatchedText},
    violation::Violations,
};
use rocket::{Route, get, routes};
use serde::Serialize;
use utoipa::ToSchema;

use super::response::CustomerResponse;
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanRead, Services},
    openapi::{Endpoint, FindLimit, FindText, exactly},
    query::Query,
};

/// The customers that were found.
#[derive(Serialize, ToSchema)]
#[schema(as = FoundCustomers)]
struct FoundResponse<'a> {
    items: Vec<HitResponse<'a>>,
}

/// A customer that was found.
#[derive(Serialize, ToSchema)]
#[schema(as = FoundCustomer)]
struct HitResponse<'a> {
    customer: CustomerResponse<'a>,
    #[schema(schema_with = exactly::<HitClass>)]
    class: HitClass,
    /// The texts that match.
    matched: Vec<MatchedResponse<'a>>,
}

/// A text that matches.
#[derive(Serialize, ToSchema)]
#[schema(as = MatchedText)]
struct MatchedResponse<'a> {
    /// The place of the text in the customer, as a JSON path.
    path: String,
    /// The parts that match, as offsets in code points: the start, and the end (exclusive).
    ranges: &'a [[usize; 2]],
}

impl<'a> From<&'a MatchedText> for MatchedResponse<'a> {
    fn from(matched: &'a MatchedText) -> Self {
        Self { path: matched.path.to_string(), ranges: &matched.ranges }
    }
}

impl<'a> From<&'a Hit> for HitResponse<'a> {
    fn from(hit: &'a Hit) -> Self {
        let by_link = hit.matched.iter().any(|matched| matched.path.is_in("integrations"));
        let (customer, mappings) = (&hit.record.customer, &hit.record.mappings);
        let customer =
            if by_link { CustomerResponse::new(customer, mappings) } else { CustomerResponse::bare(customer) };
        Self { customer, class: hit.class, matched: hit.matched.iter().map(MatchedResponse::from).collect() }
    }
}

fn query(query: &Query<'_>) -> Result<FindQuery, Violations> {
    let mut broken = query.faults();
    let text = query.required("q", &mut broken);
    let number = |text: &str| text.parse::<u64>().map_err(|_| FindQueryError::Limit);
    let limit = query.checked("limit", &mut broken, number);
    let status = query.checked("status", &mut broken, FindStatus::parse);
    // A missing text is reported above. Any other takes its place, so that the limit is checked too.
    match FindQuery::new(text.unwrap_or("--"), limit, status.unwrap_or_default()) {
        Ok(found) if broken.is_empty() => return Ok(found),
        Ok(_) => {}
        Err(more) => more.into_iter().for_each(|one| broken.push(one)),
    }
    Err(broken)
}

/// Finds customers by a piece of text.
#[get("/customers/find")]
pub(super) async fn find(caller: CanRead, services: Services<'_>, parameters: Query<'_>) -> Result<Answer, ApiError> {
    let query = query(&parameters)?;
    let hits = services.find()?.find(&caller, &query).await?;
    let found = FoundResponse { items: hits.iter().map(HitResponse::from).collect() };
    Answer::page(&services, hits.len(), &found).await
}

/// The route.
pub(in crate::http) fn routes() -> Vec<Route> {
    routes![find]
}

/// The documentation of this endpoint.
pub(in crate::http) fn documents() -> Vec<Endpoint> {
    let says = "Neither case, accents nor width matter. Several words must all match, in any order and over any of the texts: \
                names, e-mail addresses, ids, tax ids, city, tags, contact persons, links and metadata. The best class \
                comes first, and one typing error is tolerated if exact matching finds too little.";
    vec![
        Endpoint::new(routes![find], "findCustomers", "Find customers by a piece of text", says)
            .with_key()
            .required_query::<FindText>("q", "The text.")
            .query::<FindLimit>("limit", "The most customers.")
            .query::<FindStatus>("status", "`all` also finds archived customers, which come last.")
            .answers::<FoundResponse<'_>>(200, "The customers, the best first."),
    ]
}
