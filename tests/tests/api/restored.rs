//! An older backup is restored while readers of the log and receivers of webhooks are ahead of it.

use std::collections::BTreeSet;

use patron_tests::{
    patron::{Backend, Place, Server},
    postgres::Cluster,
    receiver::Receiver,
    requests::minimal,
    wait::until,
};
use rstest::rstest;
use serde_json::{Value, json};

async fn create(server: &Server, names: &[&str]) {
    for name in names {
        server.post("/v1/customers", &minimal(name)).await.expect(201);
    }
}

/// The ids of all events after a cursor, and the last cursor. A reader that is sent back continues from there.
async fn follow(server: &Server, cursor: &str) -> (BTreeSet<String>, String, usize) {
    let (mut cursor, mut ids, mut sent_back) = (cursor.to_owned(), BTreeSet::new(), 0);
    loop {
        let answer = server.get(&format!("/v1/events?limit=3&cursor={cursor}")).await;
        if answer.status == 410 {
            sent_back += 1;
            answer.body["details"]["resume_from"].as_str().unwrap().clone_into(&mut cursor);
            continue;
        }
        let page = answer.expect(200);
        ids.extend(page["items"].as_array().unwrap().iter().map(id));
        page["next_cursor"].as_str().unwrap().clone_into(&mut cursor);
        if page["has_more"] == json!(false) {
            return (ids, cursor, sent_back);
        }
    }
}

fn id(event: &Value) -> String {
    event["id"].as_str().unwrap().to_owned()
}

/// All events of the log, from its beginning.
async fn log(server: &Server) -> BTreeSet<String> {
    let page = server.get("/v1/events?limit=1000").await.expect(200);
    page["items"].as_array().unwrap().iter().map(id).collect()
}

/// Waits until a receiver has received all of these events.
async fn received(receiver: &Receiver, events: &BTreeSet<String>) {
    until(async || {
        let got: BTreeSet<String> = receiver.all().iter().map(|one| one.header("webhook-id").to_owned()).collect();
        let missing: Vec<_> = events.difference(&got).cloned().collect();
        if missing.is_empty() { Ok(()) } else { Err(missing) }
    })
    .await;
}

const PRIVATE: [(&str, &str); 2] = [("PATRON_WEBHOOKS_ALLOW_PRIVATE", "true"), ("PATRON_WEBHOOKS_LEASE_SECONDS", "2")];

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn readers_are_sent_back_and_receivers_get_all_new_events(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let (place, backup) = (Place::fresh(backend).await, Place::fresh(backend).await);
    let receiver = Receiver::start().await;
    let server = place.serve_with(&PRIVATE);
    server.post("/v1/webhooks/endpoints", &json!({ "url": receiver.url() })).await.expect(201);
    create(&server, &["a", "b", "c"]).await;
    received(&receiver, &log(&server).await).await;
    drop(server);
    assert!(place.run_ok(&["database", "copy", "--to", backup.database_url()]).starts_with("copied "));

    let server = place.serve_with(&PRIVATE);
    let start = server.get("/v1/events?limit=1").await.expect(200)["next_cursor"].as_str().unwrap().to_owned();
    create(&server, &["lost-1", "lost-2", "lost-3"]).await;
    let (_, ahead, sent_back) = follow(&server, &start).await;
    assert_eq!(sent_back, 0);
    received(&receiver, &log(&server).await).await;
    drop(server);

    let server = backup.serve_with(&PRIVATE);
    // First the log is shorter than the cursor, later it has grown past it.
    let (_, _, sent_back) = follow(&server, &ahead).await;
    assert_eq!(sent_back, 1, "a reader past the end of the log must be sent back once");
    create(&server, &["new-1", "new-2", "new-3", "new-4", "new-5"]).await;
    let (seen, _, sent_back) = follow(&server, &ahead).await;
    assert_eq!(sent_back, 1, "a reader must be sent back once when another event has its cursor's position");
    let all = log(&server).await;
    assert_eq!(all.len(), 8);
    let new = all.iter().rev().take(5).cloned().collect();
    assert!(seen.is_superset(&new), "{seen:?} of {new:?}");
    received(&receiver, &all).await;
}

/// The server keeps running, so its cached facts about the database become stale.
#[tokio::test(flavor = "multi_thread")]
async fn a_running_server_follows_the_restore_of_its_database() {
    // Not on Citus, where databases cannot be renamed.
    let (place, backup) = (Cluster::shared().fresh_database().await, Cluster::shared().fresh_database().await);
    let (place, backup) = (Place::over(place), Place::over(backup));
    let receiver = Receiver::start().await;
    let server = place.serve_with(&PRIVATE);
    create(&server, &["a", "b", "c"]).await;
    server.post("/v1/webhooks/endpoints", &json!({ "url": receiver.url() })).await.expect(201);
    drop(server);
    assert!(place.run_ok(&["database", "copy", "--to", backup.database_url()]).starts_with("copied "));

    let server = place.serve_with(&PRIVATE);
    // An environment that is not in the backup, and whose number is then reused for another one.
    let environment = json!({ "name": "Lost", "type": "production" });
    let lost = server.post("/v1/environments", &environment).await.expect(201);
    let key = json!({ "name": "k", "type": "private_key", "environment_id": lost["id"] });
    let key = server.post("/v1/secrets/api/keys", &key).await.expect(201)["api_key"].as_str().unwrap().to_owned();
    create(&server, &["lost-1", "lost-2", "lost-3"]).await;
    received(&receiver, &last(&server, 3).await).await;

    let name = |place: &Place| place.database_url().rsplit('/').next().unwrap().to_owned();
    let (present, restored) = (name(&place), name(&backup));
    let cluster = Cluster::shared();
    for name in [&present, &restored] {
        cluster.administer(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).await;
        cluster
            .administer(&format!(
                "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = '{name}'"
            ))
            .await;
    }
    cluster.administer(&format!("ALTER DATABASE {present} RENAME TO {present}_lost")).await;
    cluster.administer(&format!("ALTER DATABASE {restored} RENAME TO {present}")).await;
    cluster.administer(&format!("ALTER DATABASE {present} ALLOW_CONNECTIONS true")).await;

    until(async || {
        let answer = server.post("/v1/customers", &minimal("new-1")).await;
        if answer.status == 201 { Ok(()) } else { Err(answer.status) }
    })
    .await;
    create(&server, &["new-2", "new-3", "new-4"]).await;
    received(&receiver, &last(&server, 4).await).await;
    // The key of the lost environment does not work for the new one.
    until(async || {
        let answer = patron_tests::patron::send(server.request_as(&key, reqwest::Method::GET, "/v1/customers")).await;
        if answer.status == 401 { Ok(()) } else { Err(answer.status) }
    })
    .await;
}

/// The last events of the log.
async fn last(server: &Server, count: usize) -> BTreeSet<String> {
    let page = server.get("/v1/events?limit=1000").await.expect(200);
    page["items"].as_array().unwrap().iter().rev().take(count).map(id).collect()
}
