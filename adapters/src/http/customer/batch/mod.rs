//! `POST /customers/batch`

mod references;
mod request;
mod response;

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use patron_domain::{
    customer::{BatchItem, CustomerChange, CustomerChanged},
    idempotency::IdempotentRequest,
};
use rocket::{http::Status, post, routes};
use serde_json::json;

use self::{
    references::{beside_all, beside_each},
    request::{Batch, BatchRequest, ReadItem},
    response::{BatchResponse, ItemResponse},
};
use super::create_or_update::refuse_former;
use crate::http::{
    answer::Answer,
    body::LargeBody,
    error::ApiError,
    guard::{CanWrite, Services},
    idempotency::Idempotency,
    onboarding::{HEADER, Token},
    openapi::{Endpoint, Refusal},
};

/// The most changes at once. Changes of the same moment share commits.
const AT_ONCE: usize = 128;

/// Makes many changes, each on its own or all together.
#[post("/customers/batch", data = "<body>")]
pub(super) async fn batch(
    caller: CanWrite,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    token: Token,
    body: LargeBody<'_>,
) -> Result<Answer, ApiError> {
    let Batch { atomic, mut items, unknown } = body.read_parts(BatchRequest::read).await?;
    body.ignored(unknown);
    let request = idempotency.over(body.bytes()).await?;
    for item in &mut items {
        prepare(item, &services, &caller, &token).await;
    }
    let answers = if atomic {
        all(&services, &caller, items, request.as_ref()).await?
    } else {
        each(&services, &caller, items, request.as_ref()).await?
    };
    let status = if atomic { Status::Ok } else { Status::MultiStatus };
    body.apart(|| Answer::json(status, &BatchResponse::new(answers))).await
}

/// Applies the token of an onboarding run to a change that may create a customer.
async fn prepare(item: &mut ReadItem, services: &Services<'_>, caller: &CanWrite, token: &Token) {
    let new = match &mut item.change {
        Ok(BatchItem { change: CustomerChange::Create(new), .. }) => new,
        Ok(BatchItem { change: CustomerChange::CreateOrUpdate { new, .. }, .. }) => new,
        _ => return,
    };
    if let Err(error) = token.apply(services, caller, &mut new.onboarding).await {
        item.change = Err(error.into());
    }
}

/// Makes all changes in one transaction.
async fn all(
    services: &Services<'_>,
    caller: &CanWrite,
    items: Vec<ReadItem>,
    request: Option<&IdempotentRequest>,
) -> Result<Vec<ItemResponse>, ApiError> {
    let (mut refusals, mut codes) = (Vec::new(), Vec::new());
    let mut changes = Vec::new();
    let mut ops = Vec::new();
    for (number, ReadItem { op, change, rate_codes }) in items.into_iter().enumerate() {
        codes.push(rate_codes);
        let change = match change {
            Ok(item) => refuse_former_of(services, caller, &item.change).await.map(|()| item),
            Err(refusal) => Err(refusal),
        };
        match change {
            Ok(item) => changes.push(item),
            Err(refusal) => refusals.push(refusal.within(&place(number))),
        }
        ops.push(op);
    }
    if let Some(refusal) = refusals.into_iter().reduce(ApiError::together) {
        return Err(beside_all(services, caller, refusal, codes).await);
    }
    let done = services.batches()?.change_all(caller, changes, request).await.map_err(|refused| {
        let error = ApiError::from(refused.error).of_part();
        match refused.item {
            Some(number) => error.within(&place(number)),
            None => error,
        }
    })?;
    let answer = |(index, (op, changed)): (usize, (_, CustomerChanged))| ItemResponse::done(index, op, &changed);
    Ok(ops.into_iter().zip(done).enumerate().map(answer).collect())
}

/// The path of an item.
fn place(number: usize) -> String {
    format!("items[{number}]")
}

/// A valid change, with its number and the word of its operation.
struct Numbered {
    index: usize,
    op: String,
    item: BatchItem,
}

/// Makes each change on its own. Those of one customer are made in their order.
async fn each(
    services: &Services<'_>,
    caller: &CanWrite,
    items: Vec<ReadItem>,
    request: Option<&IdempotentRequest>,
) -> Result<Vec<ItemResponse>, ApiError> {
    if let Some(request) = request {
        services.batches()?.begin(caller, request).await?;
    }
    let (mut refused, mut valid) = (Vec::new(), Vec::new());
    for (index, ReadItem { op, change, rate_codes }) in items.into_iter().enumerate() {
        match change {
            Ok(item) => valid.push(Numbered { index, op, item }),
            Err(refusal) => refused.push((index, op, refusal, rate_codes)),
        }
    }
    let refused = beside_each(services, caller, refused).await;
    let refused = refused.into_iter().map(|(index, op, refusal)| (index, ItemResponse::refused(index, op, refusal)));
    let mut answers: BTreeMap<_, _> = refused.collect();
    let work = grouped(services, caller, valid).await?.into_iter().map(|group| async move {
        let mut done = Vec::with_capacity(group.len());
        for item in group {
            done.push((item.index, one(services, caller, item, request).await));
        }
        done
    });
    let mut work = stream::iter(work).buffer_unordered(AT_ONCE);
    while let Some(done) = work.next().await {
        answers.extend(done);
    }
    Ok(answers.into_values().collect())
}

/// The changes in groups that do not affect one another.
async fn grouped(
    services: &Services<'_>,
    caller: &CanWrite,
    items: Vec<Numbered>,
) -> Result<Vec<Vec<Numbered>>, ApiError> {
    let changes: Vec<_> = items.iter().map(|numbered| &numbered.item.change).collect();
    let groups = services.batches()?.groups(caller, &changes).await?;
    let mut items: Vec<_> = items.into_iter().map(Some).collect();
    let mut taken = |group: Vec<usize>| group.into_iter().filter_map(|member| items.get_mut(member)?.take()).collect();
    Ok(groups.into_iter().map(&mut taken).collect())
}

async fn one(
    services: &Services<'_>,
    caller: &CanWrite,
    Numbered { index, op, item }: Numbered,
    request: Option<&IdempotentRequest>,
) -> ItemResponse {
    let done: Result<_, ApiError> = async {
        refuse_former_of(services, caller, &item.change).await?;
        Ok(services.batches()?.change(caller, index, item, request).await?)
    }
    .await;
    match done {
        Ok(changed) => ItemResponse::done(index, op, &changed),
        Err(refusal) => ItemResponse::refused(index, op, refusal),
    }
}

/// Refuses to create a customer instead of changing the one that had the external id before.
async fn refuse_former_of(services: &Services<'_>, caller: &CanWrite, change: &CustomerChange) -> Result<(), ApiError> {
    match change {
        CustomerChange::CreateOrUpdate { new, .. } => refuse_former(services, caller, &new.external_id).await,
        _ => Ok(()),
    }
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "1 to 1,000 changes in a body of at most 8 MiB. Each has its own result, and changes of one customer are \
                made in their order. With `atomic`, at most 100 changes are made together, or none: the refusal names \
                the places of its faults, such as `items[3].email`. One idempotency key covers the request: if it is \
                repeated, changes that were made return their results, and the others are made.";
    let items = json!([
        { "op": "create", "body": { "external_id": "acme-5", "name": "Acme GmbH" } },
        { "op": "patch", "external_id": "acme-1", "body": { "metadata": { "plan": "gold" } } },
    ]);
    Endpoint::new(routes![batch], "changeCustomers", "Change many customers", says)
        .with_key()
        .takes::<BatchRequest<'_>>([
            ("two changes", json!({ "items": items })),
            ("all or none", json!({ "atomic": true, "items": items })),
        ])
        .answers::<BatchResponse>(200, "All changes were made together.")
        .answers::<BatchResponse>(207, "The result of each change.")
        .idempotent()
        .takes_header(HEADER)
        .refuses([Refusal::InvalidOperation, Refusal::NotFound, Refusal::Taken, Refusal::Changed])
}
