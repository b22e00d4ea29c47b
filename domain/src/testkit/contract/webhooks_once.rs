//! Idempotency keys of requests about webhook endpoints.

use futures_util::future::join_all;

use super::{
    Report,
    idempotency::claim,
    webhooks::{find, made},
    world::{OrSay, Outcome, World, holds, same},
};
use crate::{
    idempotency::{CallersClaim, Done},
    tenancy::{EnvironmentScope, Quota},
    testkit::{a_delivery, a_webhook_endpoint},
    time::Timestamp,
    webhook::{
        ChangeEndpoint, Delivery, DeliveryQuery, DeliveryState, EndpointAmendment, EndpointUpdate, WebhookEndpoint,
        WebhookError,
    },
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note("webhooks: changes of an endpoint with a key are done once", once(world).await);
    report.note(
        "webhooks: another request with a used key is refused, and a refusal leaves a key free",
        refused(world).await,
    );
    report.note("webhooks: deliveries are added and retried once with a key", deliveries(world).await);
    report.note("webhooks: of concurrent calls with one key exactly one does the work", at_once(world).await);
}

fn under(scope: &EnvironmentScope, key: &str, request: u8) -> Result<Option<CallersClaim>, String> {
    Ok(CallersClaim::within(scope, Some(claim(key, request, Timestamp::UNIX_EPOCH)?)))
}

fn another(world: &World<'_>, scope: &EnvironmentScope) -> WebhookEndpoint {
    WebhookEndpoint { id: world.id(), owner: scope.owner, ..a_webhook_endpoint() }
}

fn disabling(world: &World<'_>, endpoint: &WebhookEndpoint) -> ChangeEndpoint {
    let off = EndpointUpdate { enabled: Some(false), ..EndpointUpdate::default() };
    ChangeEndpoint {
        id: endpoint.id,
        amendment: EndpointAmendment::Update(Box::new(off)),
        at: world.now(),
        only_if: Default::default(),
    }
}

async fn once(world: &World<'_>) -> Outcome {
    let (scope, webhooks) = (world.environment().await?, &world.ports.webhooks);
    let create = async |endpoint| {
        let made = webhooks.create_endpoint(&scope, endpoint, Quota::UNLIMITED, under(&scope, "create", 1)?).await;
        made.or_say("create_endpoint under a key")
    };
    let endpoint = another(world, &scope);
    same("the first time", &create(endpoint.clone()).await?, &Done::now(endpoint.clone()))?;
    let change = async || {
        let claim = under(&scope, "change", 1)?;
        webhooks.change_endpoint(&scope, disabling(world, &endpoint), claim).await.or_say("change_endpoint under a key")
    };
    let changed = change().await?;
    holds(!changed.replayed, || "the first change is marked as replayed".to_owned())?;
    let delete = async || {
        let claim = under(&scope, "delete", 1)?;
        webhooks
            .delete_endpoint(&scope, endpoint.id, world.now(), Default::default(), claim)
            .await
            .or_say("delete_endpoint under a key")
    };
    same("deleting", &delete().await?, &Some(Done::now(())))?;
    // Whatever happens to the endpoint later, each repeated request returns the first result, without secrets.
    same("created again", &create(another(world, &scope)).await?, &Done::before(endpoint.clone().without_secrets()))?;
    same("changed again", &change().await?, &Done::before(changed.value.without_secrets()))?;
    same("deleted again", &delete().await?, &Some(Done::before(())))?;
    same("the endpoint", &find(world, &scope, endpoint.id).await?, &None)
}

async fn refused(world: &World<'_>) -> Outcome {
    let (scope, webhooks) = (world.environment().await?, &world.ports.webhooks);
    let endpoint = made(world, &scope).await?;
    let missing = another(world, &scope);
    let unknown = webhooks.change_endpoint(&scope, disabling(world, &missing), under(&scope, "k", 1)?).await;
    same("a change of an unknown endpoint", &unknown, &Err(WebhookError::UnknownEndpoint))?;
    let nothing =
        webhooks.delete_endpoint(&scope, missing.id, world.now(), Default::default(), under(&scope, "k", 2)?).await;
    same("deleting an unknown endpoint", &nothing, &Ok(None))?;
    let changed = webhooks.change_endpoint(&scope, disabling(world, &endpoint), under(&scope, "k", 3)?).await;
    holds(changed.is_ok_and(|changed| !changed.replayed), || "a refusal was recorded with its key".to_owned())?;
    let made = webhooks.create_endpoint(&scope, missing, Quota::UNLIMITED, under(&scope, "k", 4)?).await.map(drop);
    holds(matches!(made, Err(WebhookError::KeyReused(_))), || "another request had no error about its key".to_owned())?;
    let deleted =
        webhooks.delete_endpoint(&scope, endpoint.id, world.now(), Default::default(), under(&scope, "k", 5)?).await;
    holds(matches!(deleted, Err(WebhookError::KeyReused(_))), || {
        "another request had no error about its key".to_owned()
    })?;
    holds(find(world, &scope, endpoint.id).await?.is_some(), || "a refused request was done".to_owned())
}

async fn deliveries(world: &World<'_>) -> Outcome {
    let (scope, webhooks) = (world.environment().await?, &world.ports.webhooks);
    let endpoint = made(world, &scope).await?;
    let failed = |position| Delivery {
        id: world.id(),
        owner: scope.owner,
        endpoint_id: endpoint.id,
        state: DeliveryState::Failed,
        ..a_delivery(position)
    };
    let add = async || {
        let claim = under(&scope, "add", 1)?;
        let added = webhooks.add_deliveries(&scope, vec![failed(1), failed(2)], world.now(), claim).await;
        added.or_say("add_deliveries under a key")
    };
    same("adding", &add().await?, &Done::now(2))?;
    same("adding again", &add().await?, &Done::before(2))?;
    let none = async || {
        let claim = under(&scope, "none", 1)?;
        webhooks.add_deliveries(&scope, Vec::new(), world.now(), claim).await.or_say("add_deliveries of none")
    };
    same("adding none", &none().await?, &Done::now(0))?;
    same("adding none again", &none().await?, &Done::before(0))?;
    let test = failed(0);
    let keep =
        async |test| webhooks.add_test(&scope, test, under(&scope, "test", 1)?).await.or_say("add_test under a key");
    same("a test", &keep(test.clone()).await?, &Done::now(test.clone()))?;
    same("a test again", &keep(failed(0)).await?, &Done::before(test))?;
    let retry = async || {
        let claim = under(&scope, "retry", 1)?;
        webhooks.retry_failed(&scope, endpoint.id, world.now(), 2, claim).await.or_say("retry_failed under a key")
    };
    same("retrying", &retry().await?, &Done::now(2))?;
    same("retrying again", &retry().await?, &Done::before(2))?;
    let query = DeliveryQuery { limit: 10, ..DeliveryQuery::default() };
    let all = webhooks.deliveries(&scope, endpoint.id, query).await.or_say("deliveries")?;
    let left = all.iter().filter(|one| one.state == DeliveryState::Failed).count();
    same("deliveries, and those that failed", &(all.len(), left), &(3, 1))
}

async fn at_once(world: &World<'_>) -> Outcome {
    let (scope, webhooks) = (world.environment().await?, &world.ports.webhooks);
    let create = async || {
        let claim = under(&scope, "k", 1)?;
        let made = webhooks.create_endpoint(&scope, another(world, &scope), Quota::UNLIMITED, claim).await;
        made.or_say("create_endpoint under a key")
    };
    let (mut done, mut ids) = (0, Vec::new());
    for made in join_all((0..8).map(|_| create())).await {
        let made = made?;
        done += usize::from(!made.replayed);
        ids.push(made.value.id);
    }
    ids.dedup();
    same("calls that did the work, and endpoints returned", &(done, ids.len()), &(1, 1))
}
