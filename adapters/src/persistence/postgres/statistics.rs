//! Keeps the planner's statistics up to date for tables that grow fast.
//!
//! Without statistics every index that begins with the environment looks equally good, and a look-up by key may scan a
//! whole environment. PostgreSQL gathers statistics itself, but only once a minute, and a new database can receive a
//! hundred thousand customers in that time. So a table that has grown by half is analysed at once.

use std::time::Duration;

use diesel::{
    QueryableByName, sql_query,
    sql_types::{Array, Text},
};
use diesel_async::RunQueryDsl;
use tokio::task::JoinHandle;

use super::pool::Pool;
use crate::persistence::party::Party;

/// The interval between checks of the tables' sizes.
const INTERVAL: Duration = Duration::from_secs(2);

/// The tables that grow with every customer.
const TABLES: [&str; 6] =
    ["customers", "customer_index", "customer_tokens", "events", "kept_answers", "onboarding_runs"];

const GROWN: &str = "SELECT relname::text AS name FROM pg_stat_user_tables WHERE schemaname = current_schema() \
                     AND relname::text = ANY($1) AND n_mod_since_analyze > 200 + n_live_tup / 3 ORDER BY relname";

#[derive(QueryableByName)]
struct Table {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Checks the tables regularly, until the task is aborted.
pub(super) fn keep(pool: Pool) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(INTERVAL).await;
            // A failure now is retried at the next check.
            let _ = analyse(&pool).await;
        }
    })
}

async fn analyse(pool: &Pool) -> Option<()> {
    let session = pool.session(Party::System).await.ok()?;
    let grown = sql_query(GROWN).bind::<Array<Text>, _>(TABLES.as_slice());
    let grown: Vec<Table> = session.answer(grown.load(&mut session.pg())).await.ok()?;
    // The names are constants of ours. A table that another instance is analysing is skipped.
    for table in grown.iter().filter(|table| TABLES.contains(&table.name.as_str())) {
        session.batch(&format!("ANALYZE (SKIP_LOCKED) {}", table.name)).await.ok()?;
    }
    Some(())
}
