//! Checks of the server, and of a pooler in front of it, before they are used.

use std::time::Duration;

use diesel::{IntoSql, dsl::sql, select, sql_types::Integer, sql_types::Text};
use diesel_async::RunQueryDsl;
use tokio::time::timeout;

use super::{
    connect,
    problem::{Kind, NO_PREPARED_STATEMENTS, Problem},
    session::Session,
    settings::Settings,
};
use crate::persistence::open::OpenError;

/// How long a statement may wait for a connection that the probe itself holds, in a pool of one connection.
const PROBE: Duration = Duration::from_secs(1);

/// Checks the server, and the pooler if there is one.
///
/// # Errors
/// If it cannot be reached, or would not work reliably.
pub(super) async fn check(settings: &Settings) -> Result<(), OpenError> {
    let failed = |reason: String| OpenError::Connect { url: settings.place.clone(), reason };
    let connect = async || connect::once(settings).await.map_err(|error| failed(error.reason));
    let session = connect().await?;
    let broken = |problem: Problem| OpenError::Store(problem.error);

    let version: String =
        session.answer(sql::<Text>("SELECT version()").get_result(&mut session.pg())).await.map_err(broken)?;
    if let Some(name) = refused_server(&version) {
        return Err(failed(format!("this is {name}, which has not been tested: events could be lost; use PostgreSQL")));
    }
    let encoding =
        sql::<Text>("SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()");
    let encoding: String = session.answer(encoding.get_result(&mut session.pg())).await.map_err(broken)?;
    // SQL_ASCII stores bytes unchanged. Other encodings cannot store most of the world's names.
    if encoding != "UTF8" && encoding != "SQL_ASCII" {
        return Err(failed(format!("its encoding is {encoding}; create the database with ENCODING 'UTF8'")));
    }
    let other = connect().await?;
    match keeps_statements(&session, &other).await {
        true => Ok(()),
        false => Err(failed(NO_PREPARED_STATEMENTS.to_owned())),
    }
}

/// The name of another product that speaks PostgreSQL's protocol.
fn refused_server(version: &str) -> Option<&'static str> {
    [("CockroachDB", "CockroachDB"), ("-YB-", "YugabyteDB")]
        .into_iter()
        .find_map(|(mark, name)| version.contains(mark).then_some(name))
}

/// Whether a prepared statement still exists when it is used. A pooler may use another connection to the server then,
/// because the second session holds the one that the statement was prepared on.
async fn keeps_statements(session: &Session, other: &Session) -> bool {
    // The first use prepares it, the second one reuses it.
    let ask = async || session.answer(select(1.into_sql::<Integer>()).get_result::<i32>(&mut session.pg())).await;
    let is_lost = |answer: &Result<i32, Problem>| matches!(answer, Err(problem) if problem.kind == Kind::Lost && problem.error.to_string().contains(NO_PREPARED_STATEMENTS));
    let first = ask().await;
    if other.batch("BEGIN; SELECT 1").await.is_err() {
        return !is_lost(&first);
    }
    // In a pool of one connection this waits for the other session. Then nothing is found out.
    let second = timeout(PROBE, ask()).await;
    let _ = other.batch("ROLLBACK").await;
    !is_lost(&first) && !second.is_ok_and(|second| is_lost(&second))
}

#[cfg(test)]
mod tests {
    use super::refused_server;

    #[test]
    fn other_servers_with_the_same_protocol_are_recognised_by_their_version() {
        for (version, name) in [
            ("CockroachDB CCL v23.1.11 (x86_64-pc-linux-gnu, built 2023/09/27)", Some("CockroachDB")),
            ("PostgreSQL 11.2-YB-2.20.1.0-b0 on x86_64-pc-linux-gnu", Some("YugabyteDB")),
            ("PostgreSQL 15.20 (Debian 15.20-0+deb12u1) on x86_64-pc-linux-gnu", None),
        ] {
            assert_eq!(refused_server(version), name, "{version}");
        }
    }
}
