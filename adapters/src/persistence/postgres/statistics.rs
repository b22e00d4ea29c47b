//! Keeps the planner's statistics in step with tables that grow fast.
//!
//! Without statistics every index that begins with the environment looks as good as every other, and a look-up by
//! key may walk a whole environment. PostgreSQL gathers them by itself, but only once a minute; a new database can take in
//! a hundred thousand customers until then. So whenever a table has grown by half, it is analysed at once.

use std::time::Duration;

use diesel::{
    QueryableByName, sql_query,
    sql_types::{Array, Text},
};
use diesel_async::RunQueryDsl;
use tokio::task::JoinHandle;

use super::pool::Pool;

/// How often is looked whether a table has grown.
const INTERVAL: Duration = Duration::from_secs(2);

/// The tables that grow with every customer.
const TABLES: [&str; 5] = ["customers", "customer_index", "events", "kept_answers", "onboarding_runs"];

const GROWN: &str = "SELECT relname::text AS name FROM pg_stat_user_tables WHERE schemaname = current_schema() \
                     AND relname::text = ANY($1) AND n_mod_since_analyze > 200 + n_live_tup / 3 ORDER BY relname";

#[derive(QueryableByName)]
struct Table {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Looks from time to time, until the task is aborted.
pub(super) fn keep(pool: Pool) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(INTERVAL).await;
            // What fails now is tried again the next time.
            let _ = analyse(&pool).await;
        }
    })
}

async fn analyse(pool: &Pool) -> Option<()> {
    let session = pool.session().await.ok()?;
    let grown = sql_query(GROWN).bind::<Array<Text>, _>(TABLES.as_slice());
    let grown: Vec<Table> = session.answer(grown.load(&mut session.pg())).await.ok()?;
    // One of our own names each. Another instance that is at it already is not waited for.
    for table in grown.iter().filter(|table| TABLES.contains(&table.name.as_str())) {
        session.batch(&format!("ANALYZE (SKIP_LOCKED) {}", table.name)).await.ok()?;
    }
    Some(())
}
