//! PostgreSQL fails in the middle of the work: connections and processes are killed, commits are cut off from their
//! answers, the server is restarted, and other instances are at it too. Clients see 503 or the truth, and the service
//! goes on without being restarted.
//!
//! A few rounds here; `tests/crash` runs more.

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

/// A connection of an administrator's.
async fn admin(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// A server that keeps what it acknowledged, as a real one does.
fn durable() -> Cluster {
    Cluster::start(&Options { durable: true, ..Options::default() }).unwrap()
}

/// Lets clients insist on creates over a database reached by one URL while trouble is made, and looks what is left by
/// another that reaches it directly.
async fn through(direct: &Place, program: &Place, trouble: impl AsyncFnOnce(&Api)) {
    let server = program.serve();
    let api = Api::of(&server);
    api.prepare().await;
    let stop = Arc::new(AtomicBool::new(false));
    let (clients, told) = (api.clone(), stop.clone());
    let load = tokio::spawn(async move { clients.insisting("c", CLIENTS, told).await });
    sleep(Duration::from_millis(300)).await;
    trouble(&api).await;
    // On an idle machine 5 seconds; on a busy one each attempt takes longer.
    let healed = api.insist("healed", Asked::Full).await;
    assert!(healed.put_off < 50, "a create succeeds soon after the trouble is over: {} times 503", healed.put_off);
    stop.store(true, Ordering::Relaxed);
    let sent = load.await.unwrap();
    api.repeat(&sent).await;
    audit::is_whole(direct).await;
    let full = 1 + sent.iter().filter(|sent| sent.asked == Asked::Full).count();
    assert_eq!(audit::full_customers(direct).await, i64::try_from(full).unwrap());
    println!("{} requests, {} times 503", sent.len(), sent.iter().map(|sent| sent.put_off).sum::<usize>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_the_server_ends() {
    let place = Place::fresh(Backend::Postgres).await;
    through(&place, &place, async |_| {
        let admin = admin(place.database_url()).await;
        let mut ended = 0;
        for _ in 0..rounds(3) * 8 {
            ended += admin.query(&format!("SELECT pg_terminate_backend(pid) {OTHERS}"), &[]).await.unwrap().len();
            sleep(Duration::from_millis(60)).await;
        }
        assert!(ended > 0, "there were connections to end");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_of_the_server_that_is_killed_takes_the_others_with_it() {
    let cluster = durable();
    let place = Place::over(cluster.fresh_database().await);
    through(&place, &place, async |_| {
        for _ in 0..rounds(2) {
            let admin = admin(place.database_url()).await;
            let process = until(async || {
                let processes = admin.query(&format!("SELECT pid {OTHERS} LIMIT 1"), &[]).await.unwrap();
                processes.first().map(|process| process.get(0)).ok_or("no connection of Patron's")
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
async fn commits_that_are_cut_off_from_their_answers() {
    let place = Place::fresh(Backend::Postgres).await;
    let port = Cluster::shared().port();
    let proxy = Proxy::before(port).await;
    let program = Place::over(proxy.url(place.database_url(), port));
    through(&place, &program, async |_| {
        let late = Cut::LateCommit(Duration::from_millis(300));
        for cut in [Cut::BeforeCommit, Cut::AfterCommit, late].into_iter().cycle().take(3 * rounds(3)) {
            proxy.cut(cut);
            until(async || proxy.is_done().then_some(()).ok_or("nothing is committed")).await;
            sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
    assert_eq!(proxy.cuts(), 3 * rounds(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_restarted() {
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
                other => Err(format!("without a database a client is told {other}")),
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
async fn two_instances_do_once_what_both_are_asked_under_one_key() {
    let place = Place::fresh(Backend::Postgres).await;
    let (one, two) = (place.serve(), place.serve());
    let (one, two) = (Api::of(&one), Api::of(&two));
    one.prepare().await;
    let mut full = 0;
    for round in 0..rounds(3) * 3 {
        let names: Vec<_> = (0..64).map(|n| format!("r{round}-{n}")).collect();
        // Each instance is asked in another order, so that they meet in the middle.
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
        println!("round {round}: {put_off} times 503");
    }
    audit::is_whole(&place).await;
    assert_eq!(audit::full_customers(&place).await, full);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_instances_give_an_external_id_once() {
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
            let [(_, _, made)] = made.as_slice() else { panic!("{external_id} was given {} times", made.len()) };
            for (_, status, body) in of_one.iter().filter(|(_, status, _)| *status != 201) {
                let existing = &body["details"]["external_id"]["existing_id"];
                assert_eq!((*status, existing), (409, &made["id"]), "{body}");
            }
        }
    }
    audit::is_whole(&place).await;
}
