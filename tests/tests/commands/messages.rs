//! Messages for people: configuration errors, unusable databases, and help.

use patron_tests::{
    patron::{Backend, Place},
    requests::minimal,
};
use serde_json::{Value, json};

use super::assert_refused;

#[tokio::test]
async fn a_configuration_error_is_one_line_with_exit_code_2() {
    let place = Place::fresh(Backend::Sqlite).await;
    std::fs::write(place.path().join("p.toml"), "prot = 1\n").unwrap();
    std::fs::write(place.path().join("q.toml"), "PATRON_PORT = 1\n").unwrap();
    std::fs::write(place.path().join("r.toml"), "\nport = 0.0.0\n").unwrap();
    for (variable, value, words) in [
        ("PATRON_PORT", "seventy", vec!["PATRON_PORT must be a whole number from 0 to 65535, such as 8080"]),
        ("PATRON_ADDRESS", "localhost", vec!["PATRON_ADDRESS must be an IP address, such as 127.0.0.1"]),
        (
            "PATRON_DATABASE_URL",
            "postgres://u:hunter2@hunter2@h/d",
            vec!["PATRON_DATABASE_URL", "more than one @", "%40"],
        ),
        ("PATRON_DATABASE_URL", "postgres://u:hunter2@h/d?sslmode=foo", vec!["PATRON_DATABASE_URL", "sslmode must be"]),
        ("PATRON_DATABASE_URL", "mysql://root:hunter2@h/d", vec!["PATRON_DATABASE_URL", "sqlite://", "postgres://"]),
        ("PATRON_DATABASE_URL", "patron.db", vec!["PATRON_DATABASE_URL", "sqlite://"]),
        ("PATRON_BOOTSTRAP_KEY", "hunter2", vec!["PATRON_BOOTSTRAP_KEY", "sk_"]),
        ("PATRON_DATABSE_URL", "x", vec!["PATRON_DATABSE_URL", "did you mean PATRON_DATABASE_URL?"]),
        ("PATRON_FOO", "1", vec!["PATRON_FOO is not a setting", "patron serve --help"]),
        ("PATRON_CONFIG", "p.toml", vec!["prot (p.toml, line 1)", "did you mean port?"]),
        ("PATRON_CONFIG", "q.toml", vec!["PATRON_PORT (q.toml, line 1)", "write port"]),
        ("PATRON_CONFIG", "r.toml", vec!["r.toml is not valid TOML: line 2", "port = 8080"]),
        ("PATRON_CONFIG", ".", vec!["PATRON_CONFIG: . is a folder"]),
        ("PATRON_CONFIG", "missing.toml", vec!["PATRON_CONFIG: there is no file missing.toml"]),
    ] {
        let output = place.command(&["serve"]).env(variable, value).output().unwrap();
        assert_refused(&output, 2, &words);
        assert!(!String::from_utf8_lossy(&output.stderr).contains("hunter2"));
    }
    assert!(!place.path().join("patron.db").exists(), "a refused command must create nothing");
    for (arguments, words) in [
        (&["serv"][..], "'serve'"),
        (&["serve", "--port", "abc"], "'--port <PORT>': must be a whole number from 0 to 65535, such as 8080"),
        (&["serve", "--address", "localhost"], "'--address <IP>': must be an IP address, such as 127.0.0.1"),
        (&["keys", "revoke", "--port", "1"], "unexpected argument '--port'"),
        (&["keys", "list", "--offset", "x"], "must be a whole number"),
        (&["events", "tail", "--after", "x"], "must be a cursor"),
    ] {
        let output = place.run(arguments);
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && complaint.contains(words), "{complaint}");
    }
}

#[tokio::test]
async fn an_unusable_database_is_reported_in_one_line() {
    let place = Place::fresh(Backend::Sqlite).await;
    std::fs::write(place.path().join("notes.txt"), "Dear diary, ".repeat(1_000)).unwrap();
    for (url, words) in [
        ("sqlite://missing/patron.db", vec!["--database-url", "missing/patron.db", "missing does not exist"]),
        ("sqlite://notes.txt", vec!["notes.txt", "not a SQLite database"]),
        ("sqlite://.", vec!["it is a folder"]),
        ("sqlite://notes.txt/patron.db", vec!["not a folder"]),
        ("postgres://patron:hunter2@127.0.0.1:1/patron", vec!["127.0.0.1:1/patron", "nothing listens there"]),
        ("postgres://patron:hunter2@%2Fno%2Fsocket/patron", vec!["/no/socket", "the socket does not exist"]),
    ] {
        let output = place.run(&["serve", "--port", "0", "--database-url", url]);
        assert_refused(&output, 1, &words);
        assert!(!String::from_utf8_lossy(&output.stderr).contains("hunter2"));
    }
}

#[tokio::test]
async fn control_characters_in_data_are_escaped_on_a_terminal() {
    const EVIL: &str = "a\u{1b}[2J\u{7f}\u{9b}31m\u{202e}b\u{2066}\r\n";
    let place = Place::fresh(Backend::Sqlite).await;
    let server = place.serve();
    let mut body = minimal("acme");
    body["metadata"] = json!({ "note": EVIL });
    server.post("/v1/customers", &body).await.expect(201);
    let harmful = |c: char| c != '\n' && (c.is_control() || ('\u{202a}'..='\u{2069}').contains(&c));
    let exported = place.run_ok(&["events", "export"]);
    assert!(!exported.contains(harmful), "{exported:?}");
    let event: Value = serde_json::from_str(&exported).unwrap();
    assert_eq!(event["data"]["metadata"]["note"], EVIL, "the JSON must be unchanged");
    // Stored values that the domain rejects are refused and not quoted.
    let name = json!("x\u{1b}[2J\u{202e}\n");
    place.set_in_documents("environments", "name", &name, "id = id").await;
    let refused = place.run(&["environments", "list"]);
    assert_refused(&refused, 1, &["table environment", "column document"]);
    assert!(!String::from_utf8_lossy(&refused.stderr).contains(harmful));
}

#[tokio::test]
async fn completions_and_manual_pages_are_generated() {
    let place = Place::fresh(Backend::Sqlite).await;
    let script = place.run_ok(&["completions", "bash"]);
    assert!(script.contains("--database-url") && script.contains("patron__subcmd__keys"), "{script}");
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        assert!(place.run_ok(&["completions", shell]).contains("patron"), "{shell}");
    }
    assert_eq!(place.run(&["completions", "cmd"]).status.code(), Some(2));
    let page = place.run_ok(&["man"]);
    assert!(page.contains(".TH patron 1") && page.contains("patron\\-keys(1)"), "{page}");
    let page = place.run_ok(&["man", "keys", "create"]);
    assert!(page.contains(".TH patron-keys-create 1") && page.contains("expires\\-at"), "{page}");
    assert_refused(&place.run(&["man", "keys", "make"]), 2, &["patron keys", "make", "create, rotate, list, revoke"]);
    let _ = place.run_ok(&["man", "--folder", "pages"]);
    assert!(place.path().join("pages/patron-webhooks-listen.1").exists());
    // None of these commands needs a configuration or creates other files.
    assert!(place.command(&["man"]).env("PATRON_PORT", "x").output().unwrap().status.success());
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1);
}
