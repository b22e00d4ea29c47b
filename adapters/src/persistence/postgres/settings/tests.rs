use std::time::Duration;

use tokio_postgres::Config;

use super::{Mode, Options, Settings, Target, is_here, split};
use crate::persistence::{open::OpenError, url::DatabaseUrl};

fn read(url: &str) -> Result<Settings, OpenError> {
    match DatabaseUrl::parse(url).unwrap() {
        DatabaseUrl::Postgres(url) => Settings::read(&url, Duration::from_secs(10)),
        DatabaseUrl::Sqlite(_) => panic!("{url} is SQLite"),
    }
}

/// The configuration of the first host.
fn first(url: &str) -> Config {
    read(url).unwrap().places[0].config.clone()
}

fn security(url: &str) -> String {
    read(url).unwrap().link.describe().to_owned()
}

#[test]
fn without_sslmode_plain_connections_are_only_for_this_machine() {
    for here in ["localhost", "127.0.0.1:5433", "127.1.2.3", "[::1]", "localhost,127.0.0.1"] {
        assert_eq!(security(&format!("postgres://u@{here}/d")), "prefer", "{here}");
    }
    assert_eq!(security("postgres://u@%2Frun%2Fpostgresql/d"), "disable");
    assert_eq!(security("postgres:///d?host=/run/postgresql&user=u"), "disable");
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root.pem");
    std::fs::write(&root, "").unwrap();
    for elsewhere in ["db.example", "10.0.0.1", "localhost,db.example", "localhost?hostaddr=10.0.0.1"] {
        // Only verify-full and verify-ca read root certificates here.
        let mark = if elsewhere.contains('?') { '&' } else { '?' };
        let url = format!("postgres://u@{elsewhere}{mark}sslrootcert={}", root.display());
        assert!(matches!(read(&url), Err(OpenError::Url { reason }) if reason.contains("root.pem")), "{elsewhere}");
    }
    assert!(!is_here(&first("postgres://u@db.example/d?sslmode=disable")));
}

#[test]
fn sslmode_applies_and_unknown_values_are_rejected() {
    for mode in ["disable", "prefer", "require"] {
        assert_eq!(security(&format!("postgres://u@db.example/d?sslmode={mode}")), mode);
    }
    for (text, mode) in [("verify-ca", Mode::VerifyCa), ("verify-full", Mode::VerifyFull)] {
        assert_eq!(Options::read(&format!("sslmode={text}")).unwrap().mode, Some(mode));
    }
    for bad in ["allow", "", "REQUIRE", "verify_full", "true"] {
        let refused = read(&format!("postgres://u@localhost/d?sslmode={bad}")).map(drop).unwrap_err().to_string();
        assert!(refused.contains("sslmode must be disable, prefer, require, verify-ca or verify-full"), "{refused}");
    }
}

#[test]
fn errors_do_not_quote_the_url() {
    let bad = [
        "postgres://u:s%ecret@h:s3cret/d",
        "postgres://u:s3cret@h/d?port=s3cret",
        "postgres://u:s3cret@h/d?s3cret",
        "postgres://u:s3cret@h/d?sslpassword=s3cret",
        "postgres://u:s3cret@h/d?sslnegotiation=direct",
        "postgres://u:s3cret@/d",
        "postgres://u:s3cret@%2Frun,h/d",
        "postgres://u:s3@cret@h/d",
        "postgres://u:s3@c/ret@h/d",
        "postgres://u:s3cret@h:cret/d",
    ];
    for url in bad {
        let refused = read(url).map(drop).unwrap_err();
        assert!(matches!(&refused, OpenError::Url { reason } if !reason.contains("cret")), "{refused}");
    }
}

#[test]
fn a_password_with_special_characters_must_be_encoded() {
    let refused = read("postgres://u:p@ss@localhost/d").map(drop).unwrap_err().to_string();
    assert!(refused.contains("more than one @") && refused.contains("%40"), "{refused}");
    assert_eq!(first("postgres://u:p%40s%2Fs%3F@localhost/d").get_password(), Some(b"p@s/s?".as_slice()));
    let refused = read("postgres://u@localhost/d?sslmod=require").map(drop).unwrap_err().to_string();
    assert!(refused.contains("unknown option `sslmod`") && refused.contains("sslmode=require"), "{refused}");
}

#[test]
fn options_are_read_after_a_password_with_a_question_mark() {
    assert_eq!(split("postgres://u:a?b@h/d?sslmode=require"), ("postgres://u:a?b@h/d", "sslmode=require"));
    assert_eq!(split("postgres://h/d"), ("postgres://h/d", ""));
    let config = first("postgres://u:a?b@localhost/d?sslmode=disable&application%5Fname=x&options=-c%20a%3Db");
    assert_eq!(config.get_password(), Some(b"a?b".as_slice()));
    assert_eq!(config.get_application_name(), Some("x"));
    assert_eq!(config.get_options(), Some("-c a=b"));
}

#[test]
fn a_vanished_server_is_noticed_unless_the_url_says_otherwise() {
    let config = first("postgres://u@localhost/d");
    assert_eq!(config.get_keepalives_idle(), Duration::from_secs(30));
    assert_eq!(config.get_tcp_user_timeout(), Some(&Duration::from_secs(10)));
    assert_eq!(config.get_application_name(), Some("patron"));
    let config = first("postgres://u@localhost,localhost/d?keepalives_idle=7&tcp_user_timeout=3");
    assert_eq!(config.get_keepalives_idle(), Duration::from_secs(7));
    assert_eq!(config.get_tcp_user_timeout(), Some(&Duration::from_secs(3)));
}

#[test]
fn only_servers_that_accept_writes_are_used() {
    let target = |options: &str| read(&format!("postgres://u@localhost/d?{options}")).map(|read| read.target);
    assert_eq!(target("").unwrap(), Target::ReadWrite);
    assert_eq!(target("target_session_attrs=primary").unwrap(), Target::Primary);
    assert_eq!(target("target_session_attrs=any").unwrap(), Target::Any);
    for bad in ["standby", "read-only", "prefer-standby", ""] {
        let refused = target(&format!("target_session_attrs={bad}")).unwrap_err().to_string();
        assert!(refused.contains("target_session_attrs must be read-write"), "{refused}");
    }
}

#[test]
fn time_outs_have_one_setting() {
    for option in ["connect_timeout=5", "options=-c%20statement_timeout%3D5s"] {
        let refused = read(&format!("postgres://u@localhost/d?{option}")).map(drop).unwrap_err().to_string();
        assert!(refused.contains("PATRON_REQUEST_TIMEOUT_SECONDS"), "{refused}");
    }
}

#[test]
fn hosts_ports_and_addresses_belong_together() {
    assert_eq!(read("postgres://u@localhost:1,localhost:2/d").unwrap().places.len(), 2);
    assert!(read("postgres://u@localhost,localhost/d?hostaddr=127.0.0.1").is_err());
}
