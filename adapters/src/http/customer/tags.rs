//! `POST /customers/{id}/tags`

use patron_domain::{
    customer::{Amendment, CustomerChange, CustomerUpdate, Tag, TagsChange, TagsUpdate},
    ids::CustomerId,
    violation::Violations,
};
use rocket::{http::Status, post, routes};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{
    missing,
    parts_request::MAX_TAGS,
    response::{CustomerResponse, changed},
};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanWrite, Services},
    idempotency::Idempotency,
    json::{Field, List, Reader, Text, object_from_json},
    openapi::{Endpoint, Refusal, values},
    version::IfMatch,
};

/// The body: tags to add and to remove.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct TagsRequest<'a> {
    #[schema(schema_with = values::<Tag, { MAX_TAGS }>)]
    add: Field<List<Text<'a>>>,
    #[schema(schema_with = values::<Tag, { MAX_TAGS }>)]
    remove: Field<List<Text<'a>>>,
}

object_from_json!(TagsRequest<'a>);

impl TagsRequest<'_> {
    fn into_domain(self, broken: &mut Violations) -> Option<TagsUpdate> {
        let fields = &mut Reader::new(broken);
        let add = tags(fields, "add", self.add);
        Some(TagsUpdate { add, remove: tags(fields, "remove", self.remove) })
    }
}

fn tags<'t>(fields: &mut Reader<'_>, name: &str, given: Field<List<Text<'t>>>) -> Vec<Tag> {
    let Some(list) = fields.take(name, given) else { return Vec::new() };
    fields.checked_texts(name, list, Tag::new).into_values()
}

/// Adds tags to a customer and removes others. Other tags stay.
#[post("/customers/<id>/tags", data = "<body>")]
pub(super) async fn change_tags(
    caller: CanWrite,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    if_match: IfMatch,
    id: &str,
    body: Body<'_>,
) -> Result<Answer, ApiError> {
    let tags = TagsChange::Some(body.read(TagsRequest::into_domain).await?);
    let id = CustomerId::parse(id).map_err(|_| missing())?;
    let update = CustomerUpdate { tags, ..CustomerUpdate::default() };
    let change = CustomerChange::Amend(id, Amendment::Update(Box::new(update)));
    let request = idempotency.over(body.bytes()).await?;
    let done = services.customers.change(&caller, change, if_match.0, request).await?;
    changed(Status::Ok, &done)
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Removes tags, then adds others. All other tags stay. An existing tag keeps its place.";
    Endpoint::new(routes![change_tags], "changeCustomerTags", "Add and remove tags of a customer", says)
        .with_key()
        .path::<CustomerId>("id", "The customer.")
        .takes::<TagsRequest<'_>>([("add one and remove one", json!({ "add": ["vip"], "remove": ["trial"] }))])
        .answers::<CustomerResponse<'_>>(200, "The changed customer.")
        .idempotent()
        .conditional()
        .refuses([Refusal::InvalidOperation])
}
