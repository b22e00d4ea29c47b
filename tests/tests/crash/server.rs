//! The program is killed under load, over both databases. Acknowledged writes are stored, unanswered ones are stored
//! completely or not at all, and repeating all requests under the same idempotency keys creates each customer once.
//!
//! Runs a few rounds by default; `tests/crash` runs more.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use patron_tests::{
    audit,
    load::{Api, Asked, Sent},
    patron::{Backend, Place, Server, Signal, signal},
    rounds::rounds,
};
use rstest::rstest;
use tokio::{task::JoinHandle, time::sleep};

const CLIENTS: usize = 48;

/// Clients that send requests until their server is gone.
struct Load {
    answered: Arc<AtomicUsize>,
    sent: JoinHandle<Vec<Sent>>,
}

impl Load {
    fn begin(server: &Server, prefix: &str) -> Self {
        let (api, prefix, answered) = (Api::of(server), prefix.to_owned(), Arc::new(AtomicUsize::new(0)));
        let counter = answered.clone();
        Self { answered, sent: tokio::spawn(async move { api.hammer(&prefix, CLIENTS, counter).await }) }
    }

    async fn has_answered(&self, requests: usize) {
        while self.answered.load(Ordering::Relaxed) < requests {
            assert!(!self.sent.is_finished(), "the clients stopped too early");
            sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Waits until the statements of a killed program have ended in the database.
pub(super) async fn until_quiet(place: &Place, backend: Backend) {
    let busy =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'patron'";
    while backend == Backend::Postgres && place.number(busy).await > 0 {
        sleep(Duration::from_millis(20)).await;
    }
}

/// Checks that every answer was the expected one and matches the database.
async fn answers_are_true(api: &Api, sent: &[Sent]) {
    for Sent { name, asked, said, .. } in sent {
        let Some(said) = said else { continue };
        assert_eq!(said.status, asked.status(), "{name}: {}", String::from_utf8_lossy(&said.body));
        assert!(!said.replayed, "{name} was sent once, but its answer is marked as replayed");
    }
    for sent in sent.iter().filter(|sent| sent.asked == Asked::Full).step_by(7) {
        let Some(said) = &sent.said else { continue };
        let read = api.get(&format!("/v1/customers/external/{}", sent.name)).await.expect("an answer");
        assert_eq!((read.status, &read.body), (200, &said.body), "{}", sent.name);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_loses_no_write_and_repetitions_do_nothing_twice(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    Api::of(&place.serve()).prepare().await;
    let mut full = 0;
    for round in 0..rounds(3) {
        let server = place.serve();
        let load = Load::begin(&server, &format!("r{round}"));
        // At a different moment each time.
        load.has_answered(50 + 137 * round % 700).await;
        sleep(Duration::from_millis(u64::try_from(round).unwrap() * 3 % 10)).await;
        server.kill();
        let sent = load.sent.await.unwrap();
        let unanswered = sent.iter().filter(|sent| sent.said.is_none()).count();
        println!("{backend:?}, round {round}: {} requests, {unanswered} of them unanswered", sent.len());
        assert!(unanswered > 0 && unanswered < sent.len(), "the kill did not come in the middle of the load");

        until_quiet(&place, backend).await;
        audit::is_whole(&place).await;
        let server = place.serve();
        let api = Api::of(&server);
        answers_are_true(&api, &sent).await;
        api.repeat(&sent).await;
        audit::is_whole(&place).await;
        full += sent.iter().filter(|sent| sent.asked == Asked::Full).count();
        assert_eq!(audit::full_customers(&place).await, i64::try_from(full).unwrap());
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_graceful_stop_under_load_answers_all_accepted_requests(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    Api::of(&place.serve()).prepare().await;
    let mut server = place.serve();
    let load = Load::begin(&server, "polite");
    load.has_answered(100).await;
    signal(server.process(), Signal::TERM);
    let sent = load.sent.await.unwrap();
    let status = tokio::task::block_in_place(|| server.process().wait()).unwrap();
    assert!(status.success(), "{status}");
    audit::is_whole(&place).await;
    let server = place.serve();
    let api = Api::of(&server);
    answers_are_true(&api, &sent).await;
    api.repeat(&sent).await;
    audit::is_whole(&place).await;
}
