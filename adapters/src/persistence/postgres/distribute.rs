//! Citus: distributes the tables over several servers by environment.
//!
//! Every primary key and unique index of an environment's data leads with the environment, and all its rows are on one
//! worker. So a transaction of one environment runs on a single worker. A few small tables are copied to all servers.

use diesel::{
    dsl::sql,
    sql_types::{Bool, Integer, Text},
};
use diesel_async::RunQueryDsl;

use super::{connect, migrate, pooler, problem::Problem, session::Session, settings::Settings};
use crate::persistence::{open::OpenError, url::PostgresUrl};

/// Tables that are copied to every server. Tables with references come after the tables that they refer to.
const COPIED: [&str; 5] = ["tenants", "environments", "owners", "api_keys", "installation_keys"];

/// Tables that are distributed by environment. The first one decides where an environment is, and the others follow it.
const SPREAD: [&str; 21] = [
    "logs",
    "audit",
    "tax_rates",
    "tax_defaults",
    "custom_fields",
    "customers",
    "customer_index",
    "customer_tokens",
    "events",
    "kept_answers",
    "webhook_endpoints",
    "webhook_deliveries",
    "onboarding_workflows",
    "onboarding_runs",
    "imports",
    "import_pieces",
    "import_rows",
    "deletion_requests",
    "suppressed_customers",
    "retention_settings",
    "erased_subjects",
];

/// Whether the tables are distributed. Call it before the migrations: on a worker they would fail, or create tables that
/// the coordinator does not know.
///
/// # Errors
/// If this server is one of the workers, or cannot be reached.
pub(super) async fn is_distributed(settings: &Settings) -> Result<bool, OpenError> {
    let failed = |reason: String| OpenError::Connect { url: settings.place.clone(), reason };
    let session = connect::once(settings).await.map_err(|error| failed(error.reason))?;
    let (spread, group) = spread(&session).await.map_err(|problem| OpenError::Store(problem.error))?;
    if group != 0 {
        return Err(failed("this is a worker of Citus; name the coordinator in the URL".to_owned()));
    }
    Ok(spread)
}

/// Whether the tables are distributed, and the number of this server; 0 is the coordinator.
async fn spread(session: &Session) -> Result<(bool, i32), Problem> {
    let mut pg = session.pg();
    let has_citus = sql::<Bool>("SELECT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'citus')");
    if !session.answer(has_citus.get_result::<bool>(&mut pg)).await? {
        return Ok((false, 0));
    }
    let spread = sql::<Bool>(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_dist_partition WHERE logicalrelid = to_regclass('events')::oid)",
    );
    let group = sql::<Integer>("SELECT groupid FROM pg_catalog.pg_dist_local_group");
    let spread = session.answer(spread.get_result::<bool>(&mut pg)).await?;
    Ok((spread, session.answer(group.get_result::<i32>(&mut pg)).await?))
}

/// Distributes the tables of an empty or filled database over the workers of Citus, in one transaction. Returns `false`
/// if they are distributed already.
///
/// Stop all servers first. Running servers would notice it only after a restart.
///
/// # Errors
/// [`OpenError`] if the database cannot be opened, has no Citus or no workers.
pub(crate) async fn distribute(url: &PostgresUrl) -> Result<bool, OpenError> {
    // Moving tables may take long.
    let settings = Settings::read(url, std::time::Duration::from_secs(3_600))?;
    pooler::check(&settings).await?;
    let is_distributed = is_distributed(&settings).await?;
    migrate::run(&settings).await?;
    if is_distributed {
        return Ok(false);
    }
    let failed = |reason: String| OpenError::Connect { url: settings.place.clone(), reason };
    let session = connect::once(&settings).await.map_err(|error| failed(error.reason))?;
    let mut pg = session.pg();
    let version =
        sql::<Text>("SELECT coalesce((SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'citus'), '')");
    let version = session.answer(version.get_result::<String>(&mut pg)).await;
    let version = version.map_err(|problem| OpenError::Store(problem.error))?;
    // Before Citus 11, workers had no metadata.
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok()).unwrap_or_default();
    if major < 11 {
        return Err(failed(match version.as_str() {
            "" => "there is no Citus in this database: CREATE EXTENSION citus".to_owned(),
            old => format!("Citus is {old}; 11 or a later one is needed"),
        }));
    }
    let statements = statements();
    let moved = session.batch(&statements).await;
    moved.map_err(|problem| OpenError::Migrate {
        reason: format!("the tables could not be distributed: {}", problem.error),
    })?;
    Ok(true)
}

/// The statements that distribute the tables, as one transaction.
fn statements() -> String {
    let [first, rest @ ..] = SPREAD;
    let copied = COPIED.iter().map(|table| format!("SELECT create_reference_table('{table}')"));
    let spread = rest
        .iter()
        .map(|table| format!("SELECT create_distributed_table('{table}', 'environment', colocate_with := '{first}')"));
    let mut all = vec![
        "BEGIN".to_owned(),
        "SET LOCAL statement_timeout = 0".to_owned(),
        // This allows moving several tables in one transaction.
        "SET LOCAL citus.multi_shard_modify_mode = 'sequential'".to_owned(),
    ];
    all.extend(copied);
    all.push(format!("SELECT create_distributed_table('{first}', 'environment', colocate_with := 'none')"));
    all.extend(spread);
    // Otherwise the rows would stay on the coordinator too, where no later change or deletion reaches them.
    let tables = SPREAD.iter().chain(COPIED.iter().rev());
    all.extend(tables.map(|table| format!("SELECT truncate_local_data_after_distributing_table('{table}')")));
    all.push("COMMIT".to_owned());
    all.join("; ")
}

#[cfg(test)]
mod tests {
    use super::{COPIED, SPREAD};

    /// A table that is missing in the lists would stay on the coordinator, and transactions that write it would need
    /// two phases.
    #[test]
    fn every_table_is_copied_or_spread() {
        let migration = include_str!("../../../migrations/postgres/2026-11-30-000001_registry/up.sql");
        let tables = migration.lines().filter_map(|line| line.strip_prefix("CREATE TABLE ")?.strip_suffix(" ("));
        let mut tables: Vec<_> = tables.collect();
        let mut known = [COPIED.as_slice(), &SPREAD].concat();
        tables.sort_unstable();
        known.sort_unstable();
        assert_eq!(known, tables);
    }
}
