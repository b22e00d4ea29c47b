//! `POST /customers/{id}/contact_persons`, `PATCH` and `DELETE /customers/{id}/contact_persons/{item}`, and the same for
//! the other lists, so that two people can edit one customer at the same time.

use patron_domain::{
    customer::{Amendment, CustomerChange, CustomerUpdate, ItemChange, ItemKind, ItemsChange},
    ids::{CustomerId, Id},
    tenancy::Caller,
    violation::Violations,
};
use rocket::{Route, delete, http::Status, patch, post, routes};
use serde_json::{Value, json};

use super::{
    super::{
        missing,
        response::{CustomerResponse, changed},
    },
    recipients::{documented, recipients},
    request::{ContactPersonRequest, ItemRequest, TaxExemptionRequest, TaxIdRequest},
};
use crate::http::{
    Api,
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanWrite, Services},
    idempotency::Idempotency,
    json::Reader,
    openapi::{Endpoint, Refusal},
    version::IfMatch,
};

/// The parts that all of these requests have.
struct Request<'r> {
    caller: &'r Caller,
    api: &'r Api,
    idempotency: Idempotency<'r>,
    if_match: IfMatch,
    customer: &'r str,
    body: &'r [u8],
}

impl Request<'_> {
    /// Makes one change of one list, and returns the customer.
    async fn change(self, update: CustomerUpdate) -> Result<Answer, ApiError> {
        let id = CustomerId::parse(self.customer).map_err(|_| missing())?;
        let change = CustomerChange::Amend(id, Amendment::Update(Box::new(update)));
        let request = self.idempotency.over(self.body).await?;
        let done = self.api.customers.change(self.caller, change, self.if_match.0, request).await?;
        changed(Status::Ok, &done)
    }
}

/// A whole item, as a body.
fn value<T: ItemKind, R: ItemRequest<T>>(request: R, broken: &mut Violations) -> Option<ItemChange<T>> {
    let value = request.into_value(&mut Reader::new(broken))?;
    Some(ItemChange::Add(Box::new(value)))
}

/// A change of an item, as a body.
fn update<T: ItemKind, R: ItemRequest<T>>(request: R, broken: &mut Violations) -> Option<T::Update> {
    Some(request.into_update(&mut Reader::new(broken)))
}

fn item<T: ItemKind>(id: &str) -> Result<Id<T::Id>, ApiError> {
    Id::parse(id).map_err(|_| ApiError::not_found(format!("the customer has no item with this id in its {}", T::NAME)))
}

/// The three routes of one list.
macro_rules! item_routes {
    ($list:ident, $request:ident, $item:ident, $add:tt, $one:tt) => {
        pub(super) mod $list {
            use patron_domain::customer::$item;

            use super::*;

            #[post($add, data = "<body>")]
            async fn add(
                caller: CanWrite,
                services: Services<'_>,
                idempotency: Idempotency<'_>,
                if_match: IfMatch,
                id: &str,
                body: Body<'_>,
            ) -> Result<Answer, ApiError> {
                let one = body.read(value::<$item, $request<'_>>).await?;
                let $list = ItemsChange::One(one);
                let (caller, api, body) = (&caller, &services, body.bytes());
                let request = Request { caller, api, idempotency, if_match, customer: id, body };
                request.change(CustomerUpdate { $list, ..CustomerUpdate::default() }).await
            }

            #[patch($one, data = "<body>")]
            async fn amend(
                caller: CanWrite,
                services: Services<'_>,
                idempotency: Idempotency<'_>,
                if_match: IfMatch,
                id: &str,
                one: &str,
                body: Body<'_>,
            ) -> Result<Answer, ApiError> {
                let update = body.read(update::<$item, $request<'_>>).await?;
                let $list = ItemsChange::One(ItemChange::Update(item::<$item>(one)?, Box::new(update)));
                let (caller, api, body) = (&caller, &services, body.bytes());
                let request = Request { caller, api, idempotency, if_match, customer: id, body };
                request.change(CustomerUpdate { $list, ..CustomerUpdate::default() }).await
            }

            #[delete($one)]
            async fn remove(
                caller: CanWrite,
                services: Services<'_>,
                idempotency: Idempotency<'_>,
                if_match: IfMatch,
                id: &str,
                one: &str,
            ) -> Result<Answer, ApiError> {
                let $list = ItemsChange::One(ItemChange::Remove(item::<$item>(one)?));
                let (caller, api, body) = (&caller, &services, &b""[..]);
                let request = Request { caller, api, idempotency, if_match, customer: id, body };
                request.change(CustomerUpdate { $list, ..CustomerUpdate::default() }).await
            }

            pub(super) fn routes() -> Vec<Route> {
                routes![add, amend, remove]
            }

            /// The documentation of these endpoints.
            pub(super) fn documents(name: &str, title: &str, whole: Value, some: Value) -> Vec<Endpoint> {
                let all = "Returns the whole customer. The paths of errors are relative to the body.";
                let of_customer = |endpoint: Endpoint| endpoint.with_key().path::<CustomerId>("id", "The customer.");
                let of_one = |endpoint: Endpoint| {
                    of_customer(endpoint).path::<Id<<$item as ItemKind>::Id>>("one", "The id of the item.")
                };
                let add = Endpoint::new(routes![add], &format!("add{name}"), &format!("Add {title}"), all);
                let amend = Endpoint::new(routes![amend], &format!("patch{name}"), &format!("Change {title}"), all);
                let remove = Endpoint::new(routes![remove], &format!("remove{name}"), &format!("Remove {title}"), all);
                [
                    of_customer(add).takes::<$request<'_>>([("one", whole)]),
                    of_one(amend).takes::<$request<'_>>([("some members", some)]),
                    of_one(remove),
                ]
                .map(|endpoint| {
                    endpoint
                        .answers::<CustomerResponse<'_>>(200, "The changed customer.")
                        .idempotent()
                        .conditional()
                        .refuses([Refusal::InvalidOperation])
                })
                .into()
            }
        }
    };
}

item_routes!(
    contact_persons,
    ContactPersonRequest,
    ContactPerson,
    "/customers/<id>/contact_persons",
    "/customers/<id>/contact_persons/<one>"
);

item_routes!(tax_ids, TaxIdRequest, TaxId, "/customers/<id>/tax_ids", "/customers/<id>/tax_ids/<one>");

item_routes!(
    tax_exemptions,
    TaxExemptionRequest,
    TaxExemption,
    "/customers/<id>/tax_exemptions",
    "/customers/<id>/tax_exemptions/<one>"
);

/// All routes.
pub(in crate::http::customer) fn routes() -> Vec<Route> {
    let lists = [contact_persons::routes(), tax_ids::routes(), tax_exemptions::routes()].concat();
    [lists, routes![recipients]].concat()
}

/// The documentation of these endpoints.
pub(in crate::http::customer) fn documents() -> Vec<Endpoint> {
    let ada = json!({ "first_name": "Ada", "email": "ada@acme.example", "roles": ["billing"] });
    let vat = json!({ "type": "eu_vat", "value": "DE136695976" });
    let nonprofit = json!({ "reason": "nonprofit", "certificate_number": "NY-4711", "country": "US", "state": "NY" });
    [
        contact_persons::documents("ContactPerson", "a contact person", ada, json!({ "is_primary": true })),
        tax_ids::documents("TaxId", "a tax id", vat, json!({ "value": "EL094259216" })),
        tax_exemptions::documents("TaxExemption", "a tax exemption", nonprofit, json!({ "note": "Renewed" })),
        vec![documented()],
    ]
    .into_iter()
    .flatten()
    .collect()
}
