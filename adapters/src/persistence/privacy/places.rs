//! The places with personal data: one list, by which it is redacted and by which is counted what is left.
//!
//! A new table that holds data about customers belongs into this list. The test `privacy::marker` finds one that is
//! missing, and a table with texts that neither this list nor that test knows.
//!
//! The data of many people is read together, so the number of statements does not depend on theirs.

use patron_domain::{
    import::ImportJob,
    privacy::{Category, DeletionRequest},
};

use super::{
    Failed,
    row::{DeletionRow, SuppressedPlaceRow, SuppressedRow},
    subjects::{Subject, Subjects},
};
use crate::persistence::{
    customer::row::CustomerIndexRow,
    error::Failure,
    event::redacted::RedactedEventRow,
    idempotency::row::KeptAnswerRow,
    import::row::{FailedRowPlaceRow, ImportRow},
    unit::Reads,
    value::{Document, Key},
    webhook::row::DeliveryRow,
    writes::Writes,
};

/// A place with personal data. Each is a [`Category`], to which the domain may add others; here the compiler finds one that is
/// not handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    KeptAnswers,
    Events,
    WebhookDeliveries,
    OnboardingRuns,
    /// The reasons in requests for deletion.
    DeletionRequests,
    /// Failed rows of imports, and the changes of rows. An import that still has its file blocks an erasure.
    Imports,
    /// Entries of the index, which a suppression deletes.
    FormerExternalIds,
    /// The other entries, and tokens. SQLite cannot find the tokens of a customer whose row is gone, so they are not counted
    /// there.
    IndexEntries,
    Document,
}

impl Place {
    /// Every place. The document comes last: the entries follow from it, so they are redacted before.
    pub(super) const ALL: [Self; 9] = [
        Self::KeptAnswers,
        Self::Events,
        Self::WebhookDeliveries,
        Self::OnboardingRuns,
        Self::DeletionRequests,
        Self::Imports,
        Self::FormerExternalIds,
        Self::IndexEntries,
        Self::Document,
    ];

    /// The category under which its records are counted.
    pub(super) fn category(self) -> Category {
        match self {
            Self::KeptAnswers => Category::KeptAnswers,
            Self::Events => Category::Events,
            Self::WebhookDeliveries => Category::WebhookDeliveries,
            Self::OnboardingRuns => Category::OnboardingRuns,
            Self::DeletionRequests => Category::DeletionRequests,
            Self::Imports => Category::Imports,
            Self::FormerExternalIds => Category::FormerExternalIds,
            Self::IndexEntries => Category::IndexEntries,
            Self::Document => Category::Document,
        }
    }

    /// The categories whose records follow from the document.
    pub(super) const FOLLOWING: [Category; 2] = [Category::FormerExternalIds, Category::IndexEntries];

    /// The number of records about each person.
    pub(super) async fn count(self, unit: &dyn Reads, people: &Subjects) -> Result<Vec<u64>, Failed> {
        let (environment, keys) = (people.environment, people.keys.as_slice());
        Ok(match self {
            Self::KeptAnswers => people.tally(unit.customers_kept(environment, keys).await?.into_iter().flatten()),
            Self::Events => people.tally(unit.customers_with_state(environment, keys).await?),
            Self::WebhookDeliveries => {
                let answered = unit.entities_answered(environment, &people.entities).await?;
                people.tally(answered.iter().filter_map(|entity| people.of_entity(entity)))
            }
            Self::OnboardingRuns => {
                let withheld = people.all.iter().filter(|one| one.row.as_ref().is_some_and(|row| row.run.is_some()));
                let runs = unit.customers_with_run(environment, keys).await?.into_iter();
                people.tally(runs.chain(withheld.map(Subject::key)))
            }
            Self::DeletionRequests => {
                let requests = requests_with_reason(unit, people).await?;
                people.tally(requests.iter().map(|request| request.customer_id.into()))
            }
            Self::Imports => {
                let by_hash = people.people();
                let hashes: Vec<_> = by_hash.keys().cloned().collect();
                let failed = unit.people_failed(environment, &hashes).await?.into_iter().flatten();
                let failed = failed.filter_map(|hash| by_hash.get(&hash).copied());
                let changed = imports_with_diffs(unit, people).await?;
                people.tally(failed.chain(changed.iter().flat_map(|(_, import)| named(people, import))))
            }
            Self::FormerExternalIds => people.tally(customers_of(&people.entries_left(unit, self.category()).await?)),
            Self::IndexEntries => {
                let tokens = unit.customers_with_tokens(environment, keys).await?;
                people.tally(customers_of(&people.entries_left(unit, self.category()).await?).chain(tokens))
            }
            Self::Document => {
                let suppressed = people.all.iter().filter(|one| one.row.is_some()).map(Subject::key);
                let visible = unit.customers_among(environment, keys).await?;
                people.tally(suppressed.chain(visible))
            }
        })
    }

    /// Redacts records, and returns the number about each person. Where there may be many, it redacts at most `limit`; if it
    /// redacts fewer, none is left.
    pub(super) async fn redact(
        self,
        unit: &dyn Reads,
        people: &Subjects,
        limit: usize,
        writes: &mut Writes,
    ) -> Result<Vec<u64>, Failed> {
        let (environment, keys) = (people.environment, people.keys.as_slice());
        let most = i64::try_from(limit).unwrap_or(i64::MAX);
        Ok(match self {
            Self::KeptAnswers => {
                let mut rows = unit.lock_kept_about(environment, keys, most).await?;
                rows.truncate(limit);
                let numbers = people.tally(rows.iter().filter_map(|row| row.customer));
                writes.kept_changed.extend(rows.into_iter().map(KeptAnswerRow::redacted));
                numbers
            }
            Self::Events => {
                let mut events = unit.positions_with_state(environment, keys, most).await?;
                events.truncate(limit);
                let row = |(_, position): &(Key, i64)| RedactedEventRow { environment, position: *position };
                writes.events_redacted.extend(events.iter().map(row));
                people.tally(events.into_iter().map(|(customer, _)| customer))
            }
            Self::WebhookDeliveries => {
                let mut rows = unit.lock_answered(environment, &people.entities, most).await?;
                rows.truncate(limit);
                let numbers = people.tally(rows.iter().filter_map(|row| people.of_entity(&row.entity)));
                writes.deliveries.extend(rows.into_iter().map(|row| DeliveryRow { last_answer: None, ..row }));
                numbers
            }
            Self::OnboardingRuns => {
                let rows: Vec<_> = suppressed(people).filter(|row| row.run.is_some()).collect();
                writes.suppressed.extend(rows.iter().map(|row| SuppressedRow { run: None, ..(*row).clone() }));
                people.tally(rows.iter().map(|row| row.id))
            }
            Self::DeletionRequests => {
                let requests = requests_with_reason(unit, people).await?;
                let numbers = people.tally(requests.iter().map(|request| request.customer_id.into()));
                let row = |request| DeletionRow::new(environment, &DeletionRequest { reason: None, ..request });
                writes.deletions.extend(requests.into_iter().map(row));
                numbers
            }
            Self::Imports => {
                let by_hash = people.people();
                let hashes: Vec<_> = by_hash.keys().cloned().collect();
                let mut failed = unit.failed_rows_about(environment, &hashes, most).await?;
                failed.truncate(limit);
                let about = |row: &_| by_hash.get(row).copied();
                let mut about: Vec<_> = failed.iter().filter_map(|row| row.person.as_ref().and_then(about)).collect();
                writes.failed_rows_gone.extend(failed.into_iter().map(|row| {
                    let (import, number) = (row.import, row.number);
                    FailedRowPlaceRow { environment, import, number }
                }));
                for (row, mut import) in imports_with_diffs(unit, people).await? {
                    about.extend(named(people, &import));
                    import.diffs.retain(|diff| !people.all.iter().any(|one| one.is_named(&diff.external_id)));
                    writes.imports.push(ImportRow { document: Document::of(&import), ..row });
                }
                people.tally(about)
            }
            Self::FormerExternalIds | Self::IndexEntries => {
                let entries = people.entries_left(unit, self.category()).await?;
                let mut about: Vec<_> = customers_of(&entries).collect();
                writes.index_gone.extend(entries);
                if self == Self::IndexEntries {
                    let left = unit.customers_with_tokens(environment, keys).await?;
                    let tokens = left.iter().filter_map(|key| people.of_key(*key)?.tokens.clone());
                    writes.tokens_gone.extend(tokens);
                    about.extend(left);
                }
                people.tally(about)
            }
            Self::Document => {
                let place = |row: &SuppressedRow| SuppressedPlaceRow { environment, id: row.id };
                writes.suppressed_gone.extend(suppressed(people).map(place));
                people.tally(suppressed(people).map(|row| row.id))
            }
        })
    }
}

/// The customers of entries.
fn customers_of(entries: &[CustomerIndexRow]) -> impl Iterator<Item = Key> {
    entries.iter().map(|entry| entry.customer)
}

/// The rows of people whose documents are not redacted yet.
fn suppressed(people: &Subjects) -> impl Iterator<Item = &SuppressedRow> {
    people.all.iter().filter_map(|subject| subject.row.as_ref())
}

/// The requests about people that have a reason.
async fn requests_with_reason(unit: &dyn Reads, people: &Subjects) -> Result<Vec<DeletionRequest>, Failed> {
    let rows = unit.deletions_about(people.environment, &people.keys).await?;
    let requests = rows.iter().map(|row| row.request(people.owner)).collect::<Result<Vec<_>, _>>();
    let requests = requests.map_err(Failure::Refused)?.into_iter();
    Ok(requests.filter(|request| request.reason.is_some()).collect())
}

/// The imports whose results name people.
pub(super) async fn imports_with_diffs(
    unit: &dyn Reads,
    people: &Subjects,
) -> Result<Vec<(ImportRow, ImportJob)>, Failed> {
    let mut found = Vec::new();
    for row in unit.imports_with_diffs(people.environment).await? {
        let import = row.import(people.owner).map_err(Failure::Refused)?;
        if named(people, &import).next().is_some() {
            found.push((row, import));
        }
    }
    Ok(found)
}

/// The customers that the results of an import name.
fn named(people: &Subjects, import: &ImportJob) -> impl Iterator<Item = Key> {
    let is_named = |subject: &&Subject| import.diffs.iter().any(|diff| subject.is_named(&diff.external_id));
    people.all.iter().filter(is_named).map(Subject::key)
}
