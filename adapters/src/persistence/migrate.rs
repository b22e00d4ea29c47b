//! Migration of the tables: the part that is the same on both databases.

use diesel::{backend::Backend, migration::MigrationSource};
use diesel_migrations::MigrationHarness;

use super::open::OpenError;

/// Runs all pending migrations and returns their number. The caller holds a lock that other processes respect.
pub(crate) fn run<DB, S>(harness: &mut impl MigrationHarness<DB>, source: S) -> Result<usize, OpenError>
where
    DB: Backend,
    S: MigrationSource<DB>,
{
    let applied = harness.applied_migrations().map_err(|error| failed(&error))?;
    let applied: Vec<_> = applied.iter().map(ToString::to_string).collect();
    pending::<DB>(&applied, &source)?;
    let ran = harness.run_pending_migrations(source).map_err(|error| failed(&error))?;
    Ok(ran.len())
}

/// The number of migrations that are missing in a database with these.
///
/// # Errors
/// If it has a migration of a newer Patron.
pub(crate) fn pending<DB: Backend>(applied: &[String], source: &impl MigrationSource<DB>) -> Result<usize, OpenError> {
    let known = source.migrations().map_err(|error| failed(&error))?;
    let known: Vec<String> = known.iter().map(|migration| migration.name().version().to_string()).collect();
    let unknown = applied.iter().filter(|version| !known.contains(version) && is_ours(version)).min();
    match unknown {
        Some(migration) => Err(OpenError::NewerSchema { migration: migration.clone() }),
        None => Ok(known.iter().filter(|version| !applied.contains(version)).count()),
    }
}

fn failed(error: &dyn std::fmt::Display) -> OpenError {
    OpenError::Migrate { reason: one_line(&error.to_string()) }
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
