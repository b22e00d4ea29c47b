//! The engine over a store in memory, with a scripted caller and clock.

use std::sync::{Arc, Mutex};

use futures::executor::block_on;

use super::*;
use crate::{
    customer::{CustomerService, DEFAULT_IDEMPOTENCY_TTL},
    event::{CustomerEventKind, EventRecord},
    idempotency::Done,
    ids::{CustomerId, EventId},
    lifecycle::Owner,
    onboarding::{
        Breaker, MockStepCaller, Onboarding, OnboardingError, OnboardingService, RunAmendment, RunState, RunTokenError,
        Steps,
    },
    tenancy::{Permission, PermissionDenied},
    testkit::{
        CountingIds, FixedClock, FixedRandomness, MemoryStore, a_call, a_caller, a_customer, a_link, a_reader, a_scope,
    },
    time::Timestamp,
    webhook::{MockSecretVault, SealedSecret, SendFailure, WebhookSecret},
};

struct Body;

impl WebhookBody for Body {
    fn event(&self, event: &EventRecord) -> Vec<u8> {
        format!("{} of {:?}", event.kind.event_type(), event.entity).into_bytes()
    }

    fn test(&self, _: EventId, _: Owner, _: Timestamp) -> Vec<u8> {
        Vec::new()
    }
}

type Answer = Result<StepAnswer, SendFailure>;

/// A store with a workflow, and an engine whose calls get the given responses in turn.
struct Scene {
    store: Arc<MemoryStore>,
    clock: Arc<FixedClock>,
    ids: Arc<CountingIds>,
    service: OnboardingService,
    engine: OnboardingEngine,
    calls: Arc<Mutex<Vec<StepCall>>>,
}

fn scene(answers: Vec<Answer>) -> Scene {
    let (store, clock) = (Arc::new(MemoryStore::default()), Arc::new(FixedClock::default()));
    let ids = Arc::new(CountingIds::salted(1));
    let mut vault = MockSecretVault::new();
    vault.expect_seal().returning(|_, _| Ok(SealedSecret::from_sealed("sealed")));
    vault.expect_open().returning(|_, _| Ok(WebhookSecret::from_random([7; 32])));
    let vault = Arc::new(vault);
    let calls = Arc::new(Mutex::new(Vec::new()));
    let (noted, answers) = (calls.clone(), Mutex::new(answers.into_iter()));
    let mut caller = MockStepCaller::new();
    caller.expect_call().returning(move |call| {
        noted.lock().unwrap().push(call);
        answers.lock().unwrap().next().expect("more calls than expected")
    });
    let randomness = Arc::new(FixedRandomness::default());
    let service = OnboardingService {
        onboarding: store.clone(),
        vault: vault.clone(),
        clock: clock.clone(),
        ids: ids.clone(),
        randomness: randomness.clone(),
        idempotency_ttl: DEFAULT_IDEMPOTENCY_TTL,
        quotas: crate::tenancy::Quotas::default(),
    };
    let engine = OnboardingEngine {
        onboarding: store.clone(),
        customers: store.clone(),
        caller: Arc::new(caller),
        vault,
        body: Arc::new(Body),
        clock: clock.clone(),
        ids: ids.clone(),
        randomness,
        breakers: Breakers::default(),
        lease: Duration::from_secs(30),
    };
    Scene { store, clock, ids, service, engine, calls }
}

fn answer(status: u16, body: &str) -> Answer {
    Ok(StepAnswer { status, body: body.as_bytes().to_vec(), retry_after: None })
}

fn busy(status: u16, seconds: u64) -> Answer {
    Ok(StepAnswer { status, body: Vec::new(), retry_after: Some(Duration::from_secs(seconds)) })
}

impl Scene {
    fn customer(&self) -> CustomerId {
        self.customer_named("acme")
    }

    fn customer_named(&self, external_id: &str) -> CustomerId {
        let steps = vec![a_call("https://crm.example"), a_link("crm", "/data/id"), a_call("https://mail.example")];
        let steps = Steps::new(steps, "").unwrap();
        block_on(self.service.put_workflow(&a_caller(), None, steps, false, Default::default(), None)).unwrap();
        let customers = CustomerService {
            customers: self.store.clone(),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            idempotency_ttl: DEFAULT_IDEMPOTENCY_TTL,
            quotas: crate::tenancy::Quotas::default(),
        };
        block_on(customers.create(&a_caller(), a_customer(external_id).build(), None)).unwrap().event.state.customer.id
    }

    /// Executes what is due now.
    fn turn(&self) -> usize {
        let (holder, runs) = block_on(self.engine.claim(9)).unwrap();
        for run in &runs {
            block_on(self.engine.advance(&holder, run.clone())).unwrap();
        }
        runs.len()
    }

    fn wait(&self, seconds: i64) {
        self.clock.advance_micros(seconds * 1_000_000);
    }

    fn run(&self, customer: CustomerId) -> OnboardingRun {
        block_on(self.service.run(&a_reader(), customer)).unwrap().0
    }

    fn history(&self, customer: CustomerId) -> Vec<CustomerEventKind> {
        let events = block_on(self.store.history(&a_scope(), customer, PageRequest::default())).unwrap();
        assert!(events.items.iter().map(|event| event.sequence.get()).eq(1..=events.total), "a gap");
        events.items.into_iter().map(|event| event.kind).collect()
    }
}

#[test]
fn steps_run_in_order_signed_and_the_end_is_in_the_log() {
    let scene = scene(vec![answer(201, r#"{"data":{"id":4711}}"#), answer(204, "")]);
    let customer = scene.customer();
    assert_eq!((scene.turn(), scene.turn()), (1, 0));
    let run = scene.run(customer);
    assert_eq!((run.state, run.step, run.due_at, run.last_failure), (RunState::Succeeded, 3, None, None));
    let history = scene.history(customer);
    assert!(matches!(history[1], CustomerEventKind::IntegrationLinked { .. }), "{history:?}");
    assert_eq!(history[2..], [CustomerEventKind::OnboardingCompleted]);
    let found = block_on(scene.store.find(&a_scope(), customer)).unwrap().unwrap();
    assert_eq!(found.mappings[0].provider_entity_id.as_str(), "4711");
    let calls = scene.calls.lock().unwrap();
    let (id, token) = (run.id(), RunToken::new(&WebhookSecret::from_random([7; 32]), run.id()));
    let seen: Vec<_> = calls.iter().map(|call| (call.url.as_str(), call.id.clone(), call.token)).collect();
    let wanted =
        [("https://crm.example", format!("{id}_0"), token), ("https://mail.example", format!("{id}_2"), token)];
    assert_eq!(seen, wanted);
    let message = Message { id: &calls[0].id, at: scene.clock.now(), body: &calls[0].body };
    assert!(WebhookSecret::from_random([7; 32]).verifies(&message, &calls[0].signature));
    assert_eq!(calls[0].body, calls[1].body, "both bodies have the customer as created");
}

#[test]
fn failures_wait_and_in_the_end_a_person_retries_the_run() {
    let mut answers = vec![Err(SendFailure::Timeout), answer(500, ""), answer(200, "no JSON"), answer(200, "{}")];
    answers.extend((4..10).map(|_| answer(302, "")));
    answers.extend([answer(200, r#"{"data":{"id":"c-7"}}"#), answer(200, "")]);
    let scene = scene(answers);
    let customer = scene.customer();
    let mut seen = Vec::new();
    for _ in 0..10 {
        assert_eq!(scene.turn(), 1);
        seen.push(scene.run(customer).last_failure.unwrap());
        assert_eq!(scene.turn(), 0, "not due yet");
        scene.wait(6 * 3_600);
    }
    use StepFailure::{NoJson, NoValue, Send, Status};
    assert_eq!(seen[..5], [Send(SendFailure::Timeout), Status(500), NoJson, NoValue, Status(302)]);
    assert_eq!(scene.run(customer).state, RunState::Failed);
    assert_eq!(scene.history(customer)[1..], [CustomerEventKind::OnboardingFailed]);
    assert_eq!(scene.turn(), 0);
    let retry = |caller| block_on(scene.service.amend_run(&caller, customer, RunAmendment::Retry, None));
    let denied = OnboardingError::Denied(PermissionDenied::Role(Permission::Write));
    assert_eq!(retry(a_reader()).unwrap_err(), denied);
    assert!(retry(a_caller()).is_ok());
    assert_eq!(scene.turn(), 1);
    assert_eq!(scene.run(customer).state, RunState::Succeeded);
    assert_eq!(scene.history(customer).last(), Some(&CustomerEventKind::OnboardingCompleted));
}

#[test]
fn another_holder_repeats_a_call_but_no_link_and_no_event() {
    let called = || answer(200, r#"{"data":{"id":"c-7"}}"#);
    let scene = scene(vec![called(), answer(200, ""), called(), answer(200, "")]);
    let customer = scene.customer();
    let (holder, runs) = block_on(scene.engine.claim(9)).unwrap();
    // The first engine does everything, but the store behaves as if it had crashed before it stored the result.
    let before = runs[0].clone();
    block_on(scene.engine.advance(&holder, before.clone())).unwrap();
    let history = scene.history(customer);
    let done = scene.run(customer);
    let again = RunRecord { run: before.clone(), holder: holder.clone(), keep_until: None };
    let taken = block_on(scene.store.record_run(&SystemScope::patron(), again)).unwrap();
    assert!(!taken, "the run was released");
    block_on(scene.engine.advance(&holder, before)).unwrap();
    assert_eq!(scene.run(customer), done);
    assert_eq!(scene.history(customer), history);
}

#[test]
fn an_archived_customer_is_not_linked_and_a_cancelled_run_does_nothing() {
    let scene = scene(vec![answer(200, r#"{"data":{"id":"c-7"}}"#)]);
    let customer = scene.customer();
    let at = scene.clock.now();
    let archive = CustomerChange::Amend(customer, Amendment::Archive);
    let stamp = Stamp { ids: scene.ids.start(at), at, request_id: None };
    block_on(scene.store.change(&a_scope(), ChangeCustomer::new(archive, stamp))).unwrap();
    assert_eq!(scene.turn(), 1);
    let run = scene.run(customer);
    assert_eq!((run.state, run.last_failure), (RunState::Failed, Some(StepFailure::LinkRefused)));
    assert_eq!(scene.history(customer).last(), Some(&CustomerEventKind::OnboardingFailed));
    assert!(block_on(scene.service.amend_run(&a_caller(), customer, RunAmendment::Cancel, None)).is_ok());
    scene.wait(9_999);
    assert_eq!(scene.turn(), 0);
}

#[test]
fn a_new_secret_is_shown_and_only_administrators_change_workflows() {
    let scene = scene(vec![]);
    let steps = || Steps::new(vec![a_call("https://crm.example")], "").unwrap();
    let put = |caller, another| {
        block_on(scene.service.put_workflow(&caller, None, steps(), another, Default::default(), None))
    };
    let denied = OnboardingError::Denied(PermissionDenied::Role(Permission::Administer));
    assert_eq!(put(a_reader(), false).unwrap_err(), denied);
    let shown = [false, false, true].map(|another| put(a_caller(), another).unwrap().value.1.is_some());
    assert_eq!(shown, [true, false, true]);
    assert_eq!(block_on(scene.service.delete_workflow(&a_reader(), None, Default::default(), None)), Err(denied));
    assert_eq!(block_on(scene.service.delete_workflow(&a_caller(), None, Default::default(), None)), Ok(Done::now(())));
    assert_eq!(block_on(scene.service.workflow(&a_reader(), None)).unwrap_err(), OnboardingError::UnknownWorkflow);
}

#[test]
fn a_token_is_valid_for_a_run_of_the_environment_and_its_secret() {
    let scene = scene(vec![]);
    let customer = scene.customer();
    let recognise = |caller, token: &RunToken| block_on(scene.service.recognise(&caller, token));
    let secret = WebhookSecret::from_random([7; 32]);
    let token = RunToken::new(&secret, scene.run(customer).id());
    let starts_nothing = Onboarding { skip: true, workflow: None };
    assert_eq!(recognise(a_caller(), &token), Ok(starts_nothing));
    let foreign = Err(OnboardingError::ForeignToken(RunTokenError));
    let forged = RunToken::new(&WebhookSecret::from_random([8; 32]), token.run());
    assert_eq!(recognise(a_caller(), &forged), foreign);
    let nobody = RunToken::new(&secret, crate::testkit::an_id(99));
    assert_eq!(recognise(a_caller(), &nobody), foreign);
    assert!(matches!(recognise(a_reader(), &token), Err(OnboardingError::Denied(_))));
}

#[test]
fn a_host_that_does_not_answer_is_left_alone_and_tried_again_with_one_call() {
    let mut answers: Vec<Answer> = (0..Breaker::FAILURES).map(|_| Err(SendFailure::Timeout)).collect();
    answers.push(answer(500, ""));
    answers.extend((0..20).map(|_| answer(200, r#"{"data":{"id":"c-7"}}"#)));
    let scene = scene(answers);
    let customers: Vec<_> = (0..7).map(|number| scene.customer_named(&format!("c{number}"))).collect();
    assert_eq!(scene.turn(), 7);
    assert_eq!(scene.calls.lock().unwrap().len(), 5, "no further call is made");
    for customer in &customers[5..] {
        let run = scene.run(*customer);
        let seen = (run.state, run.attempts, run.last_failure);
        assert_eq!(seen, (RunState::Waiting, 0, Some(StepFailure::HostRests)), "it has lost no attempt");
    }
    // Any response shows that the host answers.
    scene.wait(20);
    assert!(scene.turn() >= 2);
    let runs: Vec<_> = customers.iter().map(|customer| scene.run(*customer)).collect();
    let failed_with = |failure| runs.iter().filter(|run| run.last_failure == Some(failure)).count();
    assert_eq!((failed_with(StepFailure::Status(500)), failed_with(StepFailure::HostRests)), (1, 0));
    assert!(runs.iter().any(|run| run.state == RunState::Succeeded));
}

#[test]
fn environments_take_turns_and_some_places_are_kept_free() {
    let scene = scene(Vec::new());
    for number in 0..40 {
        scene.customer_named(&format!("c{number}"));
    }
    let owner = a_scope().owner;
    let claimed = |under_way: &[(Owner, u16)]| block_on(scene.engine.claim_fairly(16, under_way)).unwrap().1.len();
    assert_eq!(claimed(&[]), 12, "one alone gets three quarters");
    assert_eq!(claimed(&[(owner, 12)]), 0);
    assert_eq!(claimed(&[(owner, 11)]), 1);
    let other = Owner { environment_id: crate::testkit::an_id(99), ..owner };
    assert_eq!(claimed(&[(owner, 5), (other, 8)]), 3, "the rest of its half");
    assert_eq!(claimed(&[(other, 12)]), 4, "even the last quarter, for one that has less than half");
    assert_eq!(block_on(scene.engine.claim(3)).unwrap().1.len(), 3);
}

#[test]
fn a_host_that_asks_to_wait_gets_no_call_of_any_run_until_then() {
    let ok = || answer(201, r#"{"data":{"id":"7"}}"#);
    let scene = scene(vec![busy(503, 60), ok(), answer(200, ""), ok(), answer(200, "")]);
    let (first, second) = (scene.customer_named("first"), scene.customer_named("second"));
    assert_eq!(scene.turn(), 2);
    assert_eq!(scene.calls.lock().unwrap().len(), 1, "the second run waits, too");
    let failures = [first, second].map(|customer| scene.run(customer).last_failure);
    assert_eq!(failures, [Some(StepFailure::Status(503)), Some(StepFailure::HostRests)]);
    assert_eq!([first, second].map(|customer| scene.run(customer).attempts), [1, 0]);
    scene.wait(59);
    assert_eq!(scene.turn(), 0);
    scene.wait(10);
    while scene.turn() > 0 {}
    assert_eq!([first, second].map(|customer| scene.run(customer).state), [RunState::Succeeded; 2]);
}

#[test]
fn a_wish_to_wait_is_limited_to_an_hour() {
    let scene = scene(vec![busy(429, 1_000_000), answer(400, "")]);
    let customer = scene.customer();
    scene.turn();
    let due = scene.run(customer).due_at.unwrap();
    assert_eq!(due, scene.clock.now().later(MAX_RETRY_AFTER));
}
