//! Migration of the tables: the part that is the same on both databases.

use diesel::backend::Backend;
use diesel_migrations::MigrationHarness;

use super::open::OpenError;

/// Runs all pending migrations and returns their number. The caller holds a lock that other processes respect.
pub(crate) fn run<DB, S>(harness: &mut impl MigrationHarness<DB>, source: S) -> Result<usize, OpenError>
where
    DB: Backend,
    S: diesel::migration::MigrationSource<DB>,
{
    let failed = |error: &dyn std::fmt::Display| OpenError::Migrate { reason: one_line(&error.to_string()) };
    let known = source.migrations().map_err(|error| failed(&error))?;
    let known: Vec<String> = known.iter().map(|migration| migration.name().version().to_string()).collect();
    let applied = harness.applied_migrations().map_err(|error| failed(&error))?;
    let unknown =
        applied.iter().map(ToString::to_string).filter(|version| !known.contains(version) && is_ours(version));
    let unknown = unknown.min();
    if let Some(migration) = unknown {
        return Err(OpenError::NewerSchema { migration });
    }
    let ran = harness.run_pending_migrations(source).map_err(|error| failed(&error))?;
    Ok(ran.len())
}

/// Whether a migration is one of Patron's, known to this version or not. Ours are numbered from the start of the day
/// (`2026-11-24-000001`). Diesel's command line names an application's migrations with the time of day, so both can
/// share Diesel's table.
fn is_ours(version: &str) -> bool {
    version.len() == 14 && version.get(8..12) == Some("0000")
}

/// The first line. The other lines of a migration's error are its SQL.
fn one_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn migrations_of_an_embedding_application_are_recognised() {
        assert!(is_ours("20261124000001"));
        assert!(is_ours("99990101000099"));
        assert!(!is_ours("20261124093015"));
        assert!(!is_ours("1"));
    }
}
