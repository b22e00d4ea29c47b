//! The places with personal data: one list, by which it is redacted and by which is counted what is left.
//!
//! A new table that holds data about customers belongs into this list. The test `privacy::marker` finds one that is
//! missing, and a table with texts that neither this list nor that test knows.

use diesel::{QueryResult, result::Error};
use futures_util::future::try_join_all;
use patron_domain::{
    customer::{CustomerAggregate, IndexEntry, IndexKind},
    ids::CustomerId,
    import::ImportJob,
    lifecycle::Owner,
    privacy::{Category, DeletionRequest},
};

use super::{
    Failed,
    row::{DeletionRow, SuppressedPlaceRow, SuppressedRow},
};
use crate::persistence::{
    customer::row::{CustomerIndexRow, index_key, text_hash},
    error::Failure,
    event::redacted::RedactedEventRow,
    idempotency::row::KeptAnswerRow,
    import::row::{FailedRowPlaceRow, ImportRow},
    unit::Reads,
    value::{Document, Key},
    webhook::row::DeliveryRow,
    writes::Writes,
};

/// The person whose data is erased.
pub(super) struct Subject {
    pub(super) environment: i32,
    pub(super) owner: Owner,
    pub(super) customer: CustomerId,
    pub(super) row: Option<SuppressedRow>,
    /// The entries by which it was found. They follow from the document.
    entries: Vec<IndexEntry>,
    /// The external ids that it has and had.
    external_ids: Vec<String>,
}

/// The external ids that a customer has and had.
fn external_ids(customer: &CustomerAggregate) -> Vec<String> {
    let former = customer.former_external_ids.iter().map(|former| former.external_id.as_str());
    former.chain([customer.customer.external_id.as_str()]).map(str::to_owned).collect()
}

/// The entries by which a customer may be found. Values of custom fields have a second one while the field is unique.
fn entries_of(customer: &CustomerAggregate) -> Vec<IndexEntry> {
    let mut entries: Vec<_> = customer.index_entries().into_iter().collect();
    for (key, value) in customer.customer.profile.custom_fields.iter() {
        entries.extend(value.look_ups().iter().map(|look_up| IndexEntry::unique_custom_field(key, look_up)));
    }
    entries
}

impl Subject {
    pub(super) async fn of(unit: &dyn Reads, environment: i32, request: &DeletionRequest) -> Result<Self, Failed> {
        let row = unit.suppressed(environment, request.customer_id.into()).await?;
        let customer = row.as_ref().map(|row| row.customer(request.owner)).transpose().map_err(Failure::Refused)?;
        let entries = customer.as_ref().map(entries_of).unwrap_or_default();
        let external_ids = customer.as_ref().map(external_ids).unwrap_or_default();
        Ok(Self { environment, owner: request.owner, customer: request.customer_id, row, entries, external_ids })
    }

    /// A customer that is not suppressed, for counting the records that a redaction would find.
    pub(super) fn visible(environment: i32, customer: &CustomerAggregate, run: Option<Document>) -> Self {
        let row = Some(SuppressedRow::new(environment, customer, run));
        let (entries, external_ids) = (entries_of(customer), external_ids(customer));
        let (owner, customer) = (customer.customer.owner, customer.customer.id);
        Self { environment, owner, customer, row, entries, external_ids }
    }

    fn key(&self) -> Key {
        self.customer.into()
    }

    /// The entries of a place that follows from the document.
    pub(super) fn entries(&self, place: Place) -> impl Iterator<Item = &IndexEntry> {
        let former = place == Place::FormerExternalIds;
        self.entries.iter().filter(move |entry| (entry.kind == IndexKind::ExternalId) == former)
    }

    /// The hashes of its external ids, by which failed rows of imports are found.
    fn people(&self) -> Vec<Vec<u8>> {
        self.external_ids.iter().map(|external_id| text_hash(external_id.as_bytes())).collect()
    }

    fn is_named(&self, external_id: &String) -> bool {
        self.external_ids.contains(external_id)
    }
}

/// A place with personal data.
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
    /// The other entries.
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

    /// Whether its records follow from the document.
    pub(super) fn follows_from_document(self) -> bool {
        matches!(self, Self::FormerExternalIds | Self::IndexEntries)
    }

    /// The number of records about a person.
    pub(super) async fn count(self, unit: &dyn Reads, subject: &Subject) -> Result<u64, Failed> {
        let (environment, customer) = (subject.environment, subject.key());
        Ok(match self {
            Self::KeptAnswers => number(unit.count_kept_about(environment, customer).await?),
            Self::Events => number(unit.count_events_with_state(environment, customer).await?),
            Self::WebhookDeliveries => number(unit.count_answered(environment, &subject.customer.to_string()).await?),
            Self::OnboardingRuns => {
                let is_withheld = subject.row.as_ref().is_some_and(|row| row.run.is_some());
                u64::from(is_withheld || unit.run(environment, customer).await?.is_some())
            }
            Self::DeletionRequests => requests_with_reason(unit, subject).await?.len() as u64,
            Self::Imports => {
                let failed = unit.count_failed_rows_about(environment, &subject.people()).await?;
                number(failed) + imports_with_diffs(unit, subject).await?.len() as u64
            }
            Self::FormerExternalIds | Self::IndexEntries => entries_left(unit, subject, self).await?.len() as u64,
            Self::Document => u64::from(subject.row.is_some() || unit.document(environment, customer).await?.is_some()),
        })
    }

    /// Redacts records about a person, and returns their number. If it is 0, none is left. Where there may be many, it
    /// redacts at most `limit`.
    pub(super) async fn redact(
        self,
        unit: &dyn Reads,
        subject: &Subject,
        limit: i64,
        writes: &mut Writes,
    ) -> Result<u64, Failed> {
        let (environment, customer) = (subject.environment, subject.key());
        Ok(match self {
            Self::KeptAnswers => {
                let rows = unit.lock_kept_about(environment, customer, limit).await?;
                add(&mut writes.kept_changed, rows, KeptAnswerRow::redacted)
            }
            Self::Events => {
                let positions = unit.positions_with_state(environment, customer, limit).await?;
                add(&mut writes.events_redacted, positions, |position| RedactedEventRow { environment, position })
            }
            Self::WebhookDeliveries => {
                let rows = unit.lock_answered(environment, &subject.customer.to_string(), limit).await?;
                add(&mut writes.deliveries, rows, |row| DeliveryRow { last_answer: None, ..row })
            }
            Self::OnboardingRuns => {
                let row = subject.row.iter().filter(|row| row.run.is_some());
                add(&mut writes.suppressed, row, |row| SuppressedRow { run: None, ..row.clone() })
            }
            Self::DeletionRequests => {
                let requests = requests_with_reason(unit, subject).await?;
                let row = |request| DeletionRow::new(environment, &DeletionRequest { reason: None, ..request });
                add(&mut writes.deletions, requests, row)
            }
            Self::Imports => {
                let failed = unit.failed_rows_about(environment, &subject.people(), limit).await?;
                let gone = add(&mut writes.failed_rows_gone, failed, |row| {
                    let (import, number) = (row.import, row.number);
                    FailedRowPlaceRow { environment, import, number }
                });
                let changed = imports_with_diffs(unit, subject).await?;
                let changed = add(&mut writes.imports, changed, |(row, mut import)| {
                    import.diffs.retain(|diff| !subject.is_named(&diff.external_id));
                    ImportRow { document: Document::of(&import), ..row }
                });
                gone + changed
            }
            Self::FormerExternalIds | Self::IndexEntries => {
                let entries = entries_left(unit, subject, self).await?;
                let row = |entry: &IndexEntry| CustomerIndexRow::new(environment, customer, entry.clone());
                add(&mut writes.index_gone, entries, row)
            }
            Self::Document => {
                let place = |row: &SuppressedRow| SuppressedPlaceRow { environment, id: row.id };
                add(&mut writes.suppressed_gone, subject.row.iter(), place)
            }
        })
    }
}

/// Adds a row for each record, and returns their number.
fn add<T, R>(rows: &mut Vec<R>, records: impl IntoIterator<Item = T>, row: impl FnMut(T) -> R) -> u64 {
    let before = rows.len();
    rows.extend(records.into_iter().map(row));
    (rows.len() - before) as u64
}

fn number(count: i64) -> u64 {
    // A count is never negative.
    u64::try_from(count).unwrap_or_default()
}

/// The requests about a person that have a reason.
async fn requests_with_reason(unit: &dyn Reads, subject: &Subject) -> Result<Vec<DeletionRequest>, Failed> {
    let rows = unit.deletions_about(subject.environment, subject.key()).await?;
    let requests = rows.iter().map(|row| row.request(subject.owner)).collect::<Result<Vec<_>, _>>();
    let requests = requests.map_err(Failure::Refused)?.into_iter();
    Ok(requests.filter(|request| request.reason.is_some()).collect())
}

/// The imports whose results name a person.
async fn imports_with_diffs(unit: &dyn Reads, subject: &Subject) -> Result<Vec<(ImportRow, ImportJob)>, Failed> {
    let mut named = Vec::new();
    for row in unit.imports_with_diffs(subject.environment).await? {
        let import = row.import(subject.owner).map_err(Failure::Refused)?;
        if import.diffs.iter().any(|diff| subject.is_named(&diff.external_id)) {
            named.push((row, import));
        }
    }
    Ok(named)
}

/// The entries of a place that are in the index.
async fn entries_left<'s>(unit: &dyn Reads, subject: &'s Subject, place: Place) -> QueryResult<Vec<&'s IndexEntry>> {
    let (environment, customer) = (subject.environment, subject.key());
    let left = subject.entries(place).map(|entry| async move {
        let is_left = unit.has_entry(environment, entry.kind.code(), &index_key(entry), customer).await?;
        Ok::<_, Error>(is_left.then_some(entry))
    });
    Ok(try_join_all(left).await?.into_iter().flatten().collect())
}
