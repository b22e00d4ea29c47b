//! Erasing customers: suppression, cancelling, leases, redaction and verification.

use std::time::Duration;

use futures_util::future::join_all;

use super::{
    Report,
    changing::rename,
    world::{OrSay, Outcome, World, holds, same},
};
use crate::{
    customer::{Amendment, ChangeCustomerError, HoldReason, NewLegalHold},
    event::{CustomerEvent, EventEntity, EventRecord, EventType},
    ids::{CustomerId, DeletionRequestId, IdGenerator},
    lifecycle::Precondition,
    page::PageRequest,
    privacy::{
        Blocking, CancelDeletion, Category, CategoryCount, Cooldown, DeletionQuery, DeletionReason, DeletionRequest,
        DeletionState, ErasureClaim, NamedSubject, NewDeletionRequest, PrivacyError, RedactionStep, RequestChannel,
        Requested,
    },
    report::WriteReport,
    tenancy::{EnvironmentScope, SystemScope},
    testkit::a_customer,
    time::Timestamp,
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report
        .note("privacy.request: a suppressed customer is invisible, and its events have no state", hidden(world).await);
    report.note("privacy.request: an external id of the customer is recognised in a create", recognised(world).await);
    report
        .note("privacy.request: of concurrent requests one is new, and a repeated one is the first", once(world).await);
    report.note("privacy.request: a legal hold blocks it, and an unknown customer is refused", refused(world).await);
    report.note("privacy.request: a dry run leaves nothing", rehearsed(world).await);
    report.note("privacy.cancel: the customer is as before, except for its version", cancelled(world).await);
    report.note("privacy: other scopes neither see nor change requests and customers", isolated(world).await);
    report.note("privacy.requests: filtered by state, the newest first, continued by id", listed(world).await);
    report.note("privacy.claim: due requests are leased to one holder at a time", claimed(world).await);
    report.note("privacy.redact: only the holder of a lease redacts and completes", held(world).await);
    report.note(
        "privacy.verify: completes with the counts that were announced, and nothing is left",
        erased(world).await,
    );
}

const LEASE: Duration = Duration::from_secs(3_600);

/// A request for the deletion of a customer.
fn a_request(world: &World<'_>, subject: NamedSubject, cooldown: i64) -> Result<NewDeletionRequest, String> {
    let at = world.now();
    Ok(NewDeletionRequest {
        subject,
        channel: RequestChannel::Api,
        cooldown: Cooldown::new(cooldown).or_say("the literal")?,
        reason: Some(DeletionReason::new("a letter").or_say("the literal")?),
        ids: world.ids().start(at),
        at,
    })
}

/// Requests the deletion of a customer.
pub(super) async fn request(
    world: &World<'_>,
    scope: &EnvironmentScope,
    id: CustomerId,
    cooldown: i64,
) -> Result<Requested, String> {
    let new = a_request(world, NamedSubject::Id(id), cooldown)?;
    world.ports.privacy.request(scope, new).await.or_say("privacy.request")
}

async fn find(
    world: &World<'_>,
    scope: &EnvironmentScope,
    id: DeletionRequestId,
) -> Result<Option<DeletionRequest>, String> {
    world.ports.privacy.find(scope, id).await.or_say("privacy.find")
}

async fn cancel(
    world: &World<'_>,
    scope: &EnvironmentScope,
    id: DeletionRequestId,
) -> Result<DeletionRequest, PrivacyError> {
    let at = world.now();
    let cancel = CancelDeletion { ids: world.ids().start(at), at, only_if: Precondition::None };
    world.ports.privacy.cancel(scope, id, cancel).await
}

/// Claims requests for a holder. Requests of other environments in the database are left out.
async fn claim(
    world: &World<'_>,
    scope: &EnvironmentScope,
    holder: &str,
    now: Timestamp,
) -> Result<Vec<DeletionRequestId>, String> {
    let (holder, until) = (holder.to_owned(), now.later(LEASE));
    let claim = ErasureClaim { holder, now, until, limit: 1_000, most_of_one: 1_000, under_way: Default::default() };
    let claimed = world.ports.privacy.claim(&SystemScope::patron(), claim).await.or_say("privacy.claim")?;
    let redacting = claimed.iter().all(|request| request.state == DeletionState::Redacting);
    holds(redacting, || "a claimed request is in another state".to_owned())?;
    Ok(claimed.into_iter().filter(|request| request.owner == scope.owner).map(|request| request.id).collect())
}

fn step(world: &World<'_>, scope: &EnvironmentScope, holder: &str, requests: &[DeletionRequestId]) -> RedactionStep {
    let at = world.now();
    RedactionStep {
        owner: scope.owner,
        requests: requests.to_vec(),
        holder: holder.to_owned(),
        until: at.later(LEASE),
        ids: world.ids().start(at),
        at,
        limit: 2,
    }
}

/// Redacts requests completely, in small steps.
async fn redact(
    world: &World<'_>,
    scope: &EnvironmentScope,
    holder: &str,
    requests: &[DeletionRequestId],
) -> Result<usize, String> {
    for _ in 0..100 {
        let step = step(world, scope, holder, requests);
        let done = world.ports.privacy.redact(&SystemScope::patron(), step).await.or_say("privacy.redact")?;
        if done.iter().all(|one| !one.more) {
            return Ok(done.len());
        }
    }
    Err("a redaction does not end".to_owned())
}

async fn verify(
    world: &World<'_>,
    scope: &EnvironmentScope,
    holder: &str,
    requests: &[DeletionRequestId],
) -> Result<Vec<DeletionRequest>, String> {
    let step = step(world, scope, holder, requests);
    world.ports.privacy.forget(&SystemScope::patron()).await.or_say("privacy.forget")?;
    world.ports.privacy.verify(&SystemScope::patron(), step).await.or_say("privacy.verify")
}

async fn history(world: &World<'_>, scope: &EnvironmentScope, id: CustomerId) -> Result<Vec<EventRecord>, String> {
    let entity = EventEntity::Customer(id);
    let page = world.ports.events.history(scope, entity, PageRequest::whole()).await;
    Ok(page.or_say("events.history")?.items)
}

/// A customer with a former external id.
async fn renamed(world: &World<'_>, scope: &EnvironmentScope, external_id: &str) -> Result<CustomerEvent, String> {
    let made = world.created(scope, a_customer(external_id).named("Ada Lovelace").linked("stripe", "cus_1")).await?;
    world.amended(scope, made.state.customer.id, rename(&format!("{external_id}-2"))?).await
}

async fn hidden(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let id = renamed(world, &scope, "acme").await?.state.customer.id;
    let requested = request(world, &scope, id, 7).await?;
    holds(requested.is_new, || "a first request is not new".to_owned())?;
    same("the state", &requested.request.state, &DeletionState::Suppressed)?;
    same("the request", &find(world, &scope, requested.request.id).await?.as_ref(), &Some(&requested.request))?;
    let found = world.find(&scope, id).await?.is_some()
        || world.find_external(&scope, "acme-2").await?.is_some()
        || world.find_external(&scope, "acme").await?.is_some()
        || world.ports.privacy.record(&scope, id).await.or_say("privacy.record")?.is_some();
    holds(!found, || "a suppressed customer is found".to_owned())?;
    let log = history(world, &scope, id).await?;
    same("the number of events", &log.len(), &3)?;
    holds(log.iter().all(|event| event.state.is_none()), || {
        "an event of a suppressed customer has a state".to_owned()
    })?;
    let last = log.last().map(|event| event.kind.event_type());
    same("the last event", &last, &Some(EventType::CustomerSuppressed))
}

async fn recognised(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let id = renamed(world, &scope, "acme").await?.state.customer.id;
    request(world, &scope, id, 7).await?;
    for external_id in ["acme-2", "acme"] {
        let created = world.create(&scope, a_customer(external_id)).await.map(drop);
        same(external_id, &created, &Err(ChangeCustomerError::ErasedSubject))?;
    }
    world.created(&scope, a_customer("another")).await.map(drop)
}

async fn once(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let id = renamed(world, &scope, "acme").await?.state.customer.id;
    let all = join_all((0..4).map(|_| request(world, &scope, id, 7))).await;
    let all = all.into_iter().collect::<Result<Vec<_>, _>>()?;
    let new: Vec<_> = all.iter().filter(|one| one.is_new).map(|one| one.request.id).collect();
    same("the number of new requests", &new.len(), &1)?;
    holds(all.iter().all(|one| new.contains(&one.request.id)), || "the requests differ".to_owned())?;
    let external_id = crate::customer::ExternalId::new("acme").or_say("the literal")?;
    let again = a_request(world, NamedSubject::ExternalId(external_id), 0)?;
    let again = world.ports.privacy.request(&scope, again).await.or_say("privacy.request")?;
    same("a request by an external id", &(again.is_new, Some(&again.request.id)), &(false, new.first()))
}

async fn refused(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let id = world.created(&scope, a_customer("acme")).await?.state.customer.id;
    let reason = HoldReason::new("a lawsuit").or_say("the literal")?;
    world.amended(&scope, id, Amendment::PlaceHold(NewLegalHold { reason, until: None })).await?;
    let new = a_request(world, NamedSubject::Id(id), 0)?;
    let blocked = world.ports.privacy.request(&scope, new).await.map(drop);
    same("a held customer", &blocked, &Err(PrivacyError::Blocked(vec![Blocking::LegalHold])))?;
    let new = a_request(world, NamedSubject::Id(world.id()), 0)?;
    let unknown = world.ports.privacy.request(&scope, new).await.map(drop);
    same("an unknown customer", &unknown, &Err(PrivacyError::UnknownCustomer))?;
    holds(world.find(&scope, id).await?.is_some(), || "a held customer is suppressed".to_owned())
}

async fn rehearsed(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let id = world.created(&scope, a_customer("acme")).await?.state.customer.id;
    let origin = scope.origin.clone().reporting(WriteReport::of_dry_run());
    let rehearsal = EnvironmentScope { origin, ..scope.clone() };
    let said = request(world, &rehearsal, id, 7).await?.request;
    holds(world.find(&scope, id).await?.is_some(), || "a dry run has suppressed a customer".to_owned())?;
    same("the request of a dry run", &find(world, &scope, said.id).await?, &None)?;
    let real = request(world, &scope, id, 7).await?.request;
    cancel(world, &rehearsal, real.id).await.or_say("privacy.cancel")?;
    same("a request whose cancelling was a dry run", &find(world, &scope, real.id).await?, &Some(real))
}

async fn cancelled(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let before = renamed(world, &scope, "acme").await?;
    let id = before.state.customer.id;
    let seen = history(world, &scope, id).await?;
    let requested = request(world, &scope, id, 7).await?.request;
    let first = cancel(world, &scope, requested.id).await.or_say("privacy.cancel")?;
    let second = cancel(world, &scope, requested.id).await.or_say("privacy.cancel")?;
    same("the state", &first.state, &DeletionState::Cancelled)?;
    same("a second cancel", &second, &first)?;
    let mut wanted = before;
    wanted.state.customer.version = wanted.state.customer.version.next().next();
    world.is_as(&scope, &wanted).await?;
    let external = world.find_external(&scope, "acme").await?.map(|found| found.customer.id);
    same("the customer of its former external id", &external, &Some(id))?;
    let log = history(world, &scope, id).await?;
    let kinds: Vec<_> = log.iter().skip(seen.len()).map(|event| event.kind.event_type()).collect();
    same("the new events", &kinds, &vec![EventType::CustomerSuppressed, EventType::CustomerUnsuppressed])?;
    holds(log.get(..seen.len()) == Some(seen.as_slice()), || "an earlier event has changed".to_owned())?;
    world.create(&scope, a_customer("acme-2")).await.map(drop).map_or_else(
        |error| same("a create with its external id", &matches!(error, ChangeCustomerError::ErasedSubject), &false),
        |()| Err("its external id is free".to_owned()),
    )
}

async fn isolated(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    let here = &neighbours.here;
    let id = world.created(here, a_customer("acme")).await?.state.customer.id;
    let other = world.created(here, a_customer("other")).await?.state.customer.id;
    let requested = request(world, here, id, 7).await?.request;
    let privacy = &world.ports.privacy;
    let query = DeletionQuery { state: None, before: None, limit: 9 };
    for (where_, scope) in neighbours.elsewhere() {
        let found = find(world, &scope, requested.id).await?.is_some()
            || privacy.about(&scope, NamedSubject::Id(id)).await.or_say("privacy.about")?.is_some()
            || !privacy.requests(&scope, query).await.or_say("privacy.requests")?.is_empty()
            || privacy.record(&scope, other).await.or_say("privacy.record")?.is_some()
            || privacy.personal_data(&scope, NamedSubject::Id(other)).await.or_say("personal_data")?.is_some();
        holds(!found, || format!("{where_} sees a request or a customer"))?;
        same(where_, &cancel(world, &scope, requested.id).await, &Err(PrivacyError::UnknownRequest))?;
        let new = a_request(world, NamedSubject::Id(other), 0)?;
        same(where_, &privacy.request(&scope, new).await.map(drop), &Err(PrivacyError::UnknownCustomer))?;
    }
    let about = privacy.about(here, NamedSubject::Id(id)).await.or_say("privacy.about")?;
    same("the request", &about, &Some(requested))
}

async fn listed(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let mut ids = Vec::new();
    for external_id in ["a", "b", "c"] {
        let id = world.created(&scope, a_customer(external_id)).await?.state.customer.id;
        ids.insert(0, request(world, &scope, id, 7).await?.request.id);
    }
    let [_, middle, oldest] = ids.as_slice() else { return Err("three requests".to_owned()) };
    cancel(world, &scope, *middle).await.or_say("privacy.cancel")?;
    let list = async |query: DeletionQuery| {
        let found = world.ports.privacy.requests(&scope, query).await.or_say("privacy.requests")?;
        Ok::<_, String>(found.iter().map(|request| request.id).collect::<Vec<_>>())
    };
    let all = DeletionQuery { state: None, before: None, limit: 9 };
    same("all", &list(all).await?, &ids)?;
    same("one", &list(DeletionQuery { limit: 1, ..all }).await?, &ids[..1].to_vec())?;
    same("those before the second", &list(DeletionQuery { before: Some(*middle), ..all }).await?, &vec![*oldest])?;
    let state = Some(DeletionState::Cancelled);
    same("the cancelled ones", &list(DeletionQuery { state, ..all }).await?, &vec![*middle])
}

async fn claimed(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let id = world.created(&scope, a_customer("acme")).await?.state.customer.id;
    let requested = request(world, &scope, id, 1).await?.request;
    let due = requested.due_at;
    same("before it is due", &claim(world, &scope, "one", due.earlier(LEASE)).await?, &Vec::new())?;
    same("when it is due", &claim(world, &scope, "one", due).await?, &vec![requested.id])?;
    same("under a lease", &claim(world, &scope, "two", due).await?, &Vec::new())?;
    let begun = find(world, &scope, requested.id).await?.ok_or("it is gone")?;
    same("its state", &begun.state, &DeletionState::Redacting)?;
    same("cancelling it", &cancel(world, &scope, requested.id).await, &Err(PrivacyError::Begun))?;
    same("after the lease", &claim(world, &scope, "two", due.later(LEASE)).await?, &vec![requested.id])
}

async fn held(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let id = renamed(world, &scope, "acme").await?.state.customer.id;
    let requested = request(world, &scope, id, 0).await?.request;
    let ids = claim(world, &scope, "one", world.now()).await?;
    same("the requests", &ids, &vec![requested.id])?;
    same("what another holder redacts", &redact(world, &scope, "two", &ids).await?, &0)?;
    same("what another holder verifies", &verify(world, &scope, "two", &ids).await?, &Vec::new())?;
    // Counting before the redaction finds the data.
    let early = verify(world, &scope, "one", &ids).await?;
    let state = early.first().map(|request| request.state);
    same("the state while data is left", &state, &Some(DeletionState::Redacting))?;
    same("what the holder redacts", &redact(world, &scope, "one", &ids).await?, &1)?;
    let done = verify(world, &scope, "one", &ids).await?;
    same("the state", &done.first().map(|request| request.state), &Some(DeletionState::Completed))?;
    same("a completed request", &claim(world, &scope, "one", world.now().later(LEASE)).await?, &Vec::new())
}

async fn erased(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let mut requests = Vec::new();
    for external_id in ["acme", "brio"] {
        let id = renamed(world, &scope, external_id).await?.state.customer.id;
        let subject = NamedSubject::Id(id);
        let announced = world.ports.privacy.personal_data(&scope, subject).await.or_say("privacy.personal_data")?;
        let announced = announced.ok_or("there is no personal data")?;
        requests.push((id, announced, request(world, &scope, id, 0).await?.request.id));
    }
    let stays = world.created(&scope, a_customer("stays").named("Ada Lovelace")).await?;
    let ids = claim(world, &scope, "one", world.now()).await?;
    same("the number of claimed requests", &ids.len(), &2)?;
    redact(world, &scope, "one", &ids).await?;
    let done = verify(world, &scope, "one", &ids).await?;
    for (id, announced, request) in requests {
        let done = done.iter().find(|one| one.id == request).ok_or("a request is missing")?;
        same("the state", &done.state, &DeletionState::Completed)?;
        holds(done.reason.is_none(), || "the reason is not erased".to_owned())?;
        for CategoryCount { category, redacted, .. } in announced {
            let count = done.counts.iter().find(|count| count.category == category).ok_or("a category is missing")?;
            // The request has a reason, too.
            let wanted = redacted + u64::from(category == Category::DeletionRequests);
            same(category.as_str(), &(count.redacted, count.left), &(wanted, Some(0)))?;
        }
        let log = history(world, &scope, id).await?;
        holds(log.iter().all(|event| event.state.is_none()), || "an event has a state".to_owned())?;
        same("the last event", &log.last().map(|event| event.kind.event_type()), &Some(EventType::CustomerErased))?;
    }
    let again = world.create(&scope, a_customer("acme-2")).await.map(drop);
    same("a create with the external id", &again, &Err(ChangeCustomerError::ErasedSubject))?;
    world.is_as(&scope, &stays).await
}
