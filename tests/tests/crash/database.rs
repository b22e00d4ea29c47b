//! PostgreSQL fails under load: connections and processes are killed, answers to commits are lost, the server is
//! restarted, and other instances work on the same database. Clients get 503 or a correct answer, and Patron recovers
//! without a restart.
//!
//! Runs a few rounds by default; `tests/crash` runs more.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::future::{join, join_all};
use patron_tests::{
    audit,
    load::{Api, Asked},
    patron::{Backend, Place},
    postgres::{Cluster, Options},
    proxy::{Cut, Proxy},
    requests::minimal,
    rounds::rounds,
    wait::until,
};
use tokio::{task::block_in_place, time::sleep};
use tokio_postgres::{Client, NoTls};

const CLIENTS: usize = 24;
const OTHERS: &str = "FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'patron'";

/// A connection of an administrator.
async fn admin(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// A server that syncs to disk, as in production.
fn durable() -> Cluster {
    Cluster::start(&Options { durable: true, ..Options::default() }).unwrap()
}

/// Runs clients that create with retries through one URL while the given trouble happens, then checks the database
/// through a direct URL.
async fn through(direct: &Place, program: &Place, trouble: impl AsyncFnOnce(&Api)) {
    let server = program.serve();
    let api = Api::of(&server);
    api.prepare().await;
    let stop = Arc::new(AtomicBool::new(false));
    let (clients, told) = (api.clone(), stop.clone());
    let load = tokio::spawn(async move { clients.insisting("c", CLIENTS, told).await });
    sleep(Duration::from_millis(300)).await;
    trouble(&api).await;
    // 50 attempts are 5 seconds on an idle machine, and more on a busy one.
    let healed = api.insist("healed", Asked::Full).await;
    assert!(healed.put_off < 50, "a create must succeed soon after the trouble, but got 503 {} times", healed.put_off);
    stop.store(true, Ordering::Relaxed);
    let sent = load.await.unwrap();
    api.repeat(&sent).await;
    audit::is_whole(direct).await;
    let full = 1 + sent.iter().filter(|sent| sent.asked == Asked::Full).count();
    assert_eq!(audit::full_customers(direct).await, i64::try_from(full).unwrap());
    println!("{} requests, {} answers 503", sent.len(), sent.iter().map(|sent| sent.put_off).sum::<usize>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_write_is_lost_when_the_server_ends_connections() {
    let place = Place::fresh(Backend::Postgres).await;
    through(&place, &place, async |_| {
        let admin = admin(place.database_url()).await;
        let mut ended = 0;
        for _ in 0..rounds(3) * 8 {
            ended += admin.query(&format!("SELECT pg_terminate_backend(pid) {OTHERS}"), &[]).await.unwrap().len();
            sleep(Duration::from_millis(60)).await;
        }
        assert!(ended > 0, "no connections were ended");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_write_is_lost_when_a_server_process_is_killed() {
    let cluster = durable();
    let place = Place::over(cluster.fresh_database().await);
    through(&place, &place, async |_| {
        for _ in 0..rounds(2) {
            let admin = admin(place.database_url()).await;
            let process = until(async || {
                let processes = admin.query(&format!("SELECT pid {OTHERS} LIMIT 1"), &[]).await.unwrap();
                processes.first().map(|process| process.get(0)).ok_or("no connection of Patron")
            });
            let process = process.await;
            block_in_place(|| cluster.kill(process));
            sleep(Duration::from_millis(100)).await;
            until(async || tokio_postgres::connect(place.database_url(), NoTls).await.map(drop)).await;
            sleep(Duration::from_millis(700)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_write_is_lost_or_repeated_when_answers_to_commits_are_lost() {
    let place = Place::fresh(Backend::Postgres).await;
    let port = Cluster::shared().port();
    let proxy = Proxy::before(port).await;
    let program = Place::over(proxy.url(place.database_url(), port));
    through(&place, &program, async |_| {
        let late = Cut::LateCommit(Duration::from_millis(300));
        for cut in [Cut::BeforeCommit, Cut::AfterCommit, late].into_iter().cycle().take(3 * rounds(3)) {
            proxy.cut(cut);
            until(async || proxy.is_done().then_some(()).ok_or("no commit yet")).await;
            sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
    assert_eq!(proxy.cuts(), 3 * rounds(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_write_is_lost_when_the_server_restarts() {
    let cluster = durable();
    let place = Place::over(cluster.fresh_database().await);
    through(&place, &place, async |api| {
        for round in 0..rounds(2) {
            if round % 2 == 0 {
                block_in_place(|| cluster.stop());
            } else {
                block_in_place(|| cluster.crash());
            }
            until(async || match api.create("meanwhile", Asked::Taken).await.expect("an answer").status {
                503 => Ok(()),
                other => Err(format!("without a database a client got {other}")),
            })
            .await;
            sleep(Duration::from_millis(500)).await;
            block_in_place(|| cluster.restart());
            sleep(Duration::from_millis(700)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_instances_do_a_request_under_one_key_once() {
    let place = Place::fresh(Backend::Postgres).await;
    let (one, two) = (place.serve(), place.serve());
    let (one, two) = (Api::of(&one), Api::of(&two));
    one.prepare().await;
    let mut full = 0;
    for round in 0..rounds(3) * 3 {
        let names: Vec<_> = (0..64).map(|n| format!("r{round}-{n}")).collect();
        // Each instance gets the requests in a different order, so that they meet in the middle.
        let forwards = join_all(names.iter().map(|name| one.insist(name, Asked::Full)));
        let backwards = join_all(names.iter().rev().map(|name| two.insist(name, Asked::Full)));
        let (forwards, backwards) = join(forwards, backwards).await;
        for (first, second) in forwards.iter().zip(backwards.iter().rev()) {
            let (a, b) = (first.said.as_ref().unwrap(), second.said.as_ref().unwrap());
            assert_eq!(a.body, b.body, "{}", first.name);
            assert!(a.replayed != b.replayed, "{} was done {} times", first.name, if a.replayed { 0 } else { 2 });
        }
        full += 64;
        let put_off: usize = forwards.iter().chain(&backwards).map(|sent| sent.put_off).sum();
        println!("round {round}: {put_off} answers 503");
    }
    audit::is_whole(&place).await;
    assert_eq!(audit::full_customers(&place).await, full);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_instances_assign_an_external_id_once() {
    let place = Place::fresh(Backend::Postgres).await;
    let (one, two) = (place.serve(), place.serve());
    let (one, two) = (Api::of(&one), Api::of(&two));
    one.prepare().await;
    for round in 0..rounds(3) * 3 {
        let ask = |n: usize| {
            let api = if n.is_multiple_of(2) { &one } else { &two };
            let external_id = format!("r{round}-{}", (n * 7 / 4) % 16);
            async move {
                let key = format!("r{round} key {n}");
                loop {
                    let said = api.post("/v1/customers", Some(&key), &minimal(&external_id)).await.expect("an answer");
                    if said.status != 503 {
                        let body: serde_json::Value = serde_json::from_slice(&said.body).unwrap();
                        return (external_id, said.status, body);
                    }
                    sleep(Duration::from_millis(50)).await;
                }
            }
        };
        let answers = join_all((0..64).map(ask)).await;
        for number in 0..16 {
            let external_id = format!("r{round}-{number}");
            let of_one: Vec<_> = answers.iter().filter(|(of, _, _)| *of == external_id).collect();
            let made: Vec<_> = of_one.iter().filter(|(_, status, _)| *status == 201).collect();
            let [(_, _, made)] = made.as_slice() else { panic!("{external_id} was assigned {} times", made.len()) };
            for (_, status, body) in of_one.iter().filter(|(_, status, _)| *status != 201) {
                let existing = &body["details"]["external_id"]["existing_id"];
                assert_eq!((*status, existing), (409, &made["id"]), "{body}");
            }
        }
    }
    audit::is_whole(&place).await;
}
