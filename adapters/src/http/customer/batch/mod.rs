//! `POST /customers/batch`

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

/// Does for one change what the route of a single change does before it.
async fn prepare(item: &mut ReadItem, services: &Services<'_>, caller: &CanWrite, token: &Token) {
    let new = match &mut item.change {
        Ok(BatchItem { change: CustomerChange::Create(new), .. }) => new,
        Ok(BatchItem { change: CustomerChange::CreateOrUpdate { new, .. }, .. }) => new,
        _ => return,
    };
    if let Err(error) = token.heed(services, caller, &mut new.onboarding).await {
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
    let mut refusals = Vec::new();
    let mut changes = Vec::new();
    let mut ops = Vec::new();
    for (number, ReadItem { op, change }) in items.into_iter().enumerate() {
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
        return Err(refusal);
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

fn place(number: usize) -> String {
    format!("items[{number}]")
}

/// Makes each change on its own. Those of one customer are made in their order.
async fn each(
    services: &Services<'_>,
    caller: &CanWrite,
    items: Vec<ReadItem>,
    request: Option<&IdempotentRequest>,
) -> Result<Vec<ItemResponse>, ApiError> {
    let batches = services.batches()?;
    if let Some(request) = request {
        batches.begin(caller, request).await?;
    }
    let (ops, changes): (Vec<_>, Vec<_>) = items.into_iter().map(|item| (item.op, item.change)).unzip();
    let (mut answers, mut valid) = (BTreeMap::new(), BTreeMap::new());
    for (index, change) in changes.into_iter().enumerate() {
        match change {
            Ok(item) => drop(valid.insert(index, item)),
            Err(refusal) => drop(answers.insert(index, Err(refusal))),
        }
    }
    let (indices, changes): (Vec<usize>, Vec<_>) = valid.iter().map(|(index, item)| (*index, &item.change)).unzip();
    let groups = batches.groups(caller, &changes).await?;
    let items_of = |group: Vec<usize>| -> Vec<(usize, BatchItem)> {
        group.into_iter().filter_map(|member| valid.remove_entry(indices.get(member)?)).collect()
    };
    let groups: Vec<_> = groups.into_iter().map(items_of).collect();
    let work = groups.into_iter().map(|group| async move {
        let mut done = Vec::with_capacity(group.len());
        for (index, item) in group {
            done.push((index, one(services, caller, index, item, request).await));
        }
        done
    });
    let mut work = stream::iter(work).buffer_unordered(AT_ONCE);
    while let Some(done) = work.next().await {
        answers.extend(done);
    }
    let answer = |(index, answer): (usize, Result<CustomerChanged, ApiError>)| {
        let op = ops.get(index).copied().unwrap_or_default();
        match answer {
            Ok(changed) => ItemResponse::done(index, op, &changed),
            Err(refusal) => ItemResponse::refused(index, op, refusal),
        }
    };
    Ok(answers.into_iter().map(answer).collect())
}

async fn one(
    services: &Services<'_>,
    caller: &CanWrite,
    index: usize,
    item: BatchItem,
    request: Option<&IdempotentRequest>,
) -> Result<CustomerChanged, ApiError> {
    refuse_former_of(services, caller, &item.change).await?;
    Ok(services.batches()?.change(caller, index, item, request).await?)
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
        .heeding(HEADER)
        .refuses([Refusal::InvalidOperation, Refusal::NotFound, Refusal::Taken, Refusal::Changed])
}
