//! Webhook endpoints and deliveries: separated by scope, leased to one holder at a time, written in full or not at all.

use std::time::Duration;

use futures_util::future::join_all;

use super::{
    Report,
    world::{CUTS, OrSay, Outcome, World, holds, is_cut, page, same},
};
use crate::{
    event::{EventCursor, EventPosition},
    idempotency::Done,
    ids::WebhookEndpointId,
    lifecycle::{Audit, Owner},
    tenancy::{EnvironmentScope, Quota, QuotaReached, Quoted, SystemScope},
    testkit::{a_customer, a_delivery, a_webhook_endpoint},
    time::Timestamp,
    webhook::{
        Attempt, ChangeEndpoint, Delivery, DeliveryQuery, DeliveryState, DisabledReason, EndpointAmendment,
        EndpointUpdate, EventFilter, Health, LeaseClaim, MAX_ENDPOINTS, RoundRecord, SealedSecret, SendFailure,
        WebhookEndpoint, WebhookError,
    },
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note("webhooks: an endpoint is read back as written and changed", kept(world).await);
    report.note("webhooks.endpoints: the newest first, paged, and only those of the scope", listed(world).await);
    report.note("webhooks.create_endpoint: returns TooManyEndpoints at the maximum", bounded(world).await);
    report.note("webhooks: other scopes neither see nor change an endpoint", isolated(world).await);
    report.note("webhooks.claim: endpoints with work are leased to one holder at a time", claimed(world).await);
    report.note("webhooks.claim: leaves out disabled, deleted, paused and served endpoints", left_out(world).await);
    report.note("webhooks.claim: environments share the places", shared(world).await);
    report.note(
        "webhooks.record: a round is written in full, only for the holder of the lease, and only behind events that exist",
        recorded(world).await,
    );
}

pub(super) const LEASE: Duration = Duration::from_secs(3_600);

pub(super) fn system() -> SystemScope {
    SystemScope::patron()
}

async fn end(world: &World<'_>, owner: Owner) -> Result<EventPosition, String> {
    Ok(world.ports.events.end(&system(), owner).await.or_say("events.end")?.position())
}

/// An endpoint that receives events from now on.
pub(super) async fn made(world: &World<'_>, scope: &EnvironmentScope) -> Result<WebhookEndpoint, String> {
    let audit = Audit::created(world.now(), &scope.actor);
    let position = end(world, scope.owner).await?;
    let endpoint = WebhookEndpoint { id: world.id(), owner: scope.owner, position, audit, ..a_webhook_endpoint() };
    world
        .ports
        .webhooks
        .create_endpoint(scope, endpoint.clone(), Quota::UNLIMITED, None)
        .await
        .or_say("webhooks.create_endpoint")?;
    Ok(endpoint)
}

pub(super) async fn find(
    world: &World<'_>,
    scope: &EnvironmentScope,
    id: WebhookEndpointId,
) -> Result<Option<WebhookEndpoint>, String> {
    world.ports.webhooks.find_endpoint(scope, id).await.or_say("webhooks.find_endpoint")
}

/// Claims endpoints for a holder. Other endpoints of the database may be included.
async fn claim(world: &World<'_>, holder: &str, now: Timestamp) -> Result<Vec<WebhookEndpointId>, String> {
    let claim = LeaseClaim { holder: holder.to_owned(), now, until: now.later(LEASE), serving: vec![], places: 1_000 };
    let claimed = world.ports.webhooks.claim(&system(), claim).await.or_say("webhooks.claim")?;
    Ok(claimed.iter().map(|endpoint| endpoint.id).collect())
}

/// A delivery to an endpoint.
pub(super) fn of(world: &World<'_>, endpoint: &WebhookEndpoint, position: i64) -> Delivery {
    let now = world.now();
    Delivery {
        id: world.id(),
        owner: endpoint.owner,
        endpoint_id: endpoint.id,
        event_id: world.id(),
        created_at: now,
        updated_at: now,
        ..a_delivery(position)
    }
}

fn record(endpoint: &WebhookEndpoint, holder: &str, fresh: Vec<Delivery>, at: Timestamp) -> RoundRecord {
    RoundRecord {
        owner: endpoint.owner,
        endpoint_id: endpoint.id,
        holder: holder.to_owned(),
        fresh,
        changed: Vec::new(),
        position: endpoint.position.into(),
        health: Health { failing_since: Some(at), failed_rounds: 2, paused_until: None },
        disabled: None,
        at,
        lease_until: None,
    }
}

async fn kept(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    // So that the endpoint does not start at the beginning of the log.
    world.created(&scope, a_customer("before the endpoint")).await?;
    let endpoint = made(world, &scope).await?;
    same("the endpoint", &find(world, &scope, endpoint.id).await?, &Some(endpoint.clone()))?;
    let any = world.ports.webhooks.find_any_endpoint(&system(), endpoint.id).await.or_say("find_any_endpoint")?;
    same("the endpoint of any environment", &any, &Some(endpoint.clone()))?;
    let types = EventFilter::from_stored(vec!["tax_rate.*".to_owned(), "customer.created".to_owned()]);
    let update = EndpointUpdate { event_types: Some(types), enabled: Some(false), ..EndpointUpdate::default() };
    let at = world.now();
    let secret = SealedSecret::from_sealed("another");
    for amendment in [
        EndpointAmendment::Update(Box::new(update)),
        EndpointAmendment::Rotate { secret, overlap_until: at.later(LEASE) },
    ] {
        let before = find(world, &scope, endpoint.id).await?.ok_or("the endpoint does not exist")?;
        let change = ChangeEndpoint { id: endpoint.id, amendment, at, only_if: Default::default() };
        let wanted = change.clone().decide(&scope, &before).or_say("deciding")?;
        let changed = world.ports.webhooks.change_endpoint(&scope, change, None).await.or_say("change_endpoint")?;
        same("the changed endpoint", &changed, &Done::now(wanted.clone()))?;
        same("the endpoint read back", &find(world, &scope, endpoint.id).await?, &Some(wanted))?;
    }
    let delete = || world.ports.webhooks.delete_endpoint(&scope, endpoint.id, at, Default::default(), None);
    same("deleting", &delete().await.or_say("delete_endpoint")?, &Some(Done::now(())))?;
    same("deleting twice", &delete().await.or_say("delete_endpoint")?, &None)?;
    same("the deleted endpoint", &find(world, &scope, endpoint.id).await?, &None)
}

async fn listed(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.insert(0, made(world, &scope).await?.id);
    }
    let gone = ids.remove(1);
    world
        .ports
        .webhooks
        .delete_endpoint(&scope, gone, world.now(), Default::default(), None)
        .await
        .or_say("delete_endpoint")?;
    for cut in CUTS {
        let found = world.ports.webhooks.endpoints(&scope, page(cut.0, cut.1)?).await.or_say("webhooks.endpoints")?;
        is_cut(cut, &found, |endpoint| endpoint.id, &ids)?;
    }
    Ok(())
}

async fn bounded(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    for number in 0..2 {
        let one = WebhookEndpoint { id: world.id(), ..a_webhook_endpoint() };
        let answer = world.ports.webhooks.create_endpoint(&scope, one, Quota::of(1), None).await.map(drop);
        let quota = WebhookError::Quota(QuotaReached { what: Quoted::Endpoints, max: 1 });
        same("within a quota of one", &answer, &if number == 0 { Ok(()) } else { Err(quota) })?;
    }
    for _ in 1..MAX_ENDPOINTS {
        made(world, &scope).await?;
    }
    let one_more = WebhookEndpoint { id: world.id(), ..a_webhook_endpoint() };
    let answer = world.ports.webhooks.create_endpoint(&scope, one_more, Quota::UNLIMITED, None).await.map(drop);
    same("one more", &answer, &Err(WebhookError::TooManyEndpoints))
}

async fn isolated(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    let endpoint = made(world, &neighbours.here).await?;
    let webhooks = &world.ports.webhooks;
    let delivery = of(world, &endpoint, 1);
    webhooks.add_deliveries(&neighbours.here, vec![delivery], world.now(), None).await.or_say("add_deliveries")?;
    for (whose, scope) in neighbours.elsewhere() {
        holds(find(world, &scope, endpoint.id).await?.is_none(), || format!("{whose} finds it"))?;
        let all = webhooks.endpoints(&scope, page(1_000, 0)?).await.or_say("webhooks.endpoints")?;
        holds(all.items.is_empty() && all.total == 0, || format!("{whose} lists it"))?;
        let amendment = EndpointAmendment::Update(Box::default());
        let change = ChangeEndpoint { id: endpoint.id, amendment, at: world.now(), only_if: Default::default() };
        let answer = webhooks.change_endpoint(&scope, change, None).await;
        same(whose, &answer, &Err(WebhookError::UnknownEndpoint))?;
        let deleted = webhooks.delete_endpoint(&scope, endpoint.id, world.now(), Default::default(), None).await;
        holds(deleted.or_say("delete_endpoint")?.is_none(), || format!("{whose} deletes it"))?;
        let query = DeliveryQuery { limit: 10, ..DeliveryQuery::default() };
        let found = webhooks.deliveries(&scope, endpoint.id, query).await.or_say("deliveries")?;
        holds(found.is_empty(), || format!("{whose} sees its deliveries"))?;
    }
    same("the endpoint after all changes", &find(world, &neighbours.here, endpoint.id).await?, &Some(endpoint))
}

async fn claimed(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let endpoint = made(world, &scope).await?;
    let now = world.now();
    let gets = |holder: &'static str, now| async move {
        Ok::<_, String>(claim(world, holder, now).await?.contains(&endpoint.id))
    };
    same("an endpoint without work", &gets("one", now).await?, &false)?;
    world.created(&scope, a_customer("acme")).await?;
    let all = join_all((0..8).map(|number| {
        let holder = format!("holder {number}");
        async move { claim(world, &holder, now).await }
    }));
    let mut times = 0;
    for claimed in all.await {
        times += claimed?.iter().filter(|id| **id == endpoint.id).count();
    }
    same("the number of eight concurrent claims that got it", &times, &1)?;
    same("while it is leased", &gets("another", now.later(LEASE / 2)).await?, &false)?;
    same("when the lease has ended", &gets("another", now.later(LEASE)).await?, &true)?;
    same("by its holder again", &gets("another", now.later(LEASE)).await?, &true)?;
    let patron = system();
    let renew = |holder: &'static str| world.ports.webhooks.renew(&patron, endpoint.id, holder, now.later(LEASE * 4));
    same("renewing another's lease", &renew("one").await.or_say("renew")?, &false)?;
    same("renewing", &renew("another").await.or_say("renew")?, &true)?;
    same("after it was renewed", &gets("one", now.later(LEASE * 3)).await?, &false)
}

async fn left_out(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let (plain, served) = (made(world, &scope).await?, made(world, &scope).await?);
    let (disabled, deleted, paused) =
        (made(world, &scope).await?, made(world, &scope).await?, made(world, &scope).await?);
    world.created(&scope, a_customer("acme")).await?;
    let (now, webhooks) = (world.now(), &world.ports.webhooks);
    let off = EndpointUpdate { enabled: Some(false), ..EndpointUpdate::default() };
    let change = ChangeEndpoint {
        id: disabled.id,
        amendment: EndpointAmendment::Update(Box::new(off)),
        at: now,
        only_if: Default::default(),
    };
    webhooks.change_endpoint(&scope, change, None).await.or_say("change_endpoint")?;
    webhooks.delete_endpoint(&scope, deleted.id, now, Default::default(), None).await.or_say("delete_endpoint")?;
    holds(claim(world, "first", now).await?.contains(&paused.id), || "it is not claimed".to_owned())?;
    let health = Health { paused_until: Some(now.later(LEASE * 2)), ..Health::default() };
    let pauses = RoundRecord { health, ..record(&paused, "first", vec![], now) };
    same("recording a pause", &webhooks.record(&system(), pauses).await.or_say("record")?, &true)?;
    let later = now.later(LEASE);
    let claim = LeaseClaim {
        holder: "second".to_owned(),
        now: later,
        until: later.later(LEASE),
        serving: vec![(served.id, served.owner)],
        places: 1_000,
    };
    let claimed = webhooks.claim(&system(), claim).await.or_say("claim")?;
    let own = |id| claimed.iter().any(|endpoint| endpoint.id == id);
    let seen = [plain.id, served.id, disabled.id, deleted.id, paused.id].map(own);
    same("plain, served, disabled, deleted, paused", &seen, &[true, false, false, false, false])
}

async fn shared(world: &World<'_>) -> Outcome {
    let (loud, quiet) = (world.environment().await?, world.environment().await?);
    let (waiting, other) = (made(world, &loud).await?, made(world, &quiet).await?);
    for scope in [&loud, &quiet] {
        world.created(scope, a_customer("acme")).await?;
    }
    // The relay serves more endpoints of one environment than half of its places.
    let serving: Vec<_> = (0..900).map(|_| (world.id(), waiting.owner)).collect();
    let now = world.now();
    let claim = LeaseClaim { holder: "full".to_owned(), now, until: now.later(LEASE), serving, places: 1_000 };
    let claimed = world.ports.webhooks.claim(&system(), claim).await.or_say("webhooks.claim")?;
    holds(claimed.len() <= 100, || format!("{} endpoints for 100 free places", claimed.len()))?;
    let own = |id| claimed.iter().any(|endpoint| endpoint.id == id);
    same("the environment with most places, another one", &[own(waiting.id), own(other.id)], &[false, true])
}

async fn recorded(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let endpoint = made(world, &scope).await?;
    world.created(&scope, a_customer("acme")).await?;
    let (now, webhooks) = (world.now(), &world.ports.webhooks);
    holds(claim(world, "holder", now).await?.contains(&endpoint.id), || "it is not claimed".to_owned())?;
    let attempt = |outcome| Attempt {
        at: now,
        took: Duration::from_micros(1_234),
        outcome,
        answer: "é".to_owned(),
        retry_after: None,
    };
    let mut delivered = of(world, &endpoint, 1);
    delivered.state = DeliveryState::Delivered;
    delivered.attempts = 2;
    delivered.last = Some(attempt(Ok(204)));
    let mut waits = of(world, &endpoint, 2);
    waits.state = DeliveryState::Waiting { next_attempt_at: Some(now) };
    waits.last = Some(attempt(Err(SendFailure::Timeout)));
    let both = vec![delivered.clone(), waits.clone()];
    let stolen = record(&endpoint, "thief", both.clone(), now);
    same("recorded without the lease", &webhooks.record(&system(), stolen).await.or_say("record")?, &false)?;
    same("the endpoint after that", &find(world, &scope, endpoint.id).await?, &Some(endpoint.clone()))?;
    let query = DeliveryQuery { limit: 10, ..DeliveryQuery::default() };
    let found = webhooks.deliveries(&scope, endpoint.id, query.clone()).await.or_say("deliveries")?;
    holds(found.is_empty(), || "deliveries were written".to_owned())?;
    let first = RoundRecord { lease_until: Some(now.later(LEASE)), ..record(&endpoint, "holder", both, now) };
    let reached = world.ports.events.end(&system(), scope.owner).await.or_say("events.end")?;
    let lost = EventCursor::behind(reached.position(), world.id());
    let beyond = RoundRecord { position: lost, ..first.clone() };
    let refused = "recorded although the log was taken back behind it";
    same(refused, &webhooks.record(&system(), beyond).await.or_say("record")?, &false)?;
    same("the endpoint after that", &find(world, &scope, endpoint.id).await?, &Some(endpoint.clone()))?;
    same("recorded with the lease", &webhooks.record(&system(), first).await.or_say("record")?, &true)?;
    waits.attempts += 1;
    waits.last = Some(attempt(Ok(503)));
    let round = record(&endpoint, "holder", vec![], now);
    let (changed, disabled) = (vec![waits.clone()], Some(DisabledReason::Failing));
    let round = RoundRecord { changed, disabled, position: reached, ..round };
    same("recorded with the lease again", &webhooks.record(&system(), round.clone()).await.or_say("record")?, &true)?;
    let after = find(world, &scope, endpoint.id).await?.ok_or("the endpoint does not exist")?;
    same("the health", &after.health, &round.health)?;
    same("the position", &after.position, &round.position.position())?;
    same("why it is disabled", &after.disabled.map(|disabled| disabled.reason), &Some(DisabledReason::Failing))?;
    let found = webhooks.deliveries(&scope, endpoint.id, query.clone()).await.or_say("deliveries")?;
    same("the deliveries", &found, &vec![waits, delivered])?;
    same("recorded after the lease was released", &webhooks.record(&system(), round).await.or_say("record")?, &false)
}
