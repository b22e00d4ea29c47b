//! Bringing the tables up to date: what is the same on both databases.

use diesel::backend::Backend;
use diesel_migrations::MigrationHarness;

use super::open::OpenError;

/// Runs all pending migrations and answers how many there were. The caller holds a lock that other processes respect.
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

/// Whether a migration is Patron's, known here or not: ours are numbered from the day's beginning on (`2026-11-24-000001`).
/// Those that Diesel's command line makes for the tables of an embedding application have the time of day, so both keep
/// their records in Diesel's one table.
fn is_ours(version: &str) -> bool {
    version.len() == 14 && version.get(8..12) == Some("0000")
}

/// The first line: the rest of a migration's error is its SQL.
fn one_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn the_migrations_of_an_embedding_application_are_told_apart() {
        assert!(is_ours("20261124000001"));
        assert!(is_ours("99990101000099"));
        assert!(!is_ours("20261124093015"));
        assert!(!is_ours("1"));
    }
}
