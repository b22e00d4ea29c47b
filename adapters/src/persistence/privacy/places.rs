//! The places with personal data: one list, by which it is redacted and by which is counted what is left.
//!
//! A new table that holds data about customers belongs into this list. The test `privacy::marker` finds one that is
//! missing, and a table with texts that neither this list nor that test knows.

use async_trait::async_trait;
use diesel::QueryResult;
use futures_util::future::try_join_all;
use patron_domain::{
    customer::{CustomerAggregate, IndexEntry, IndexKind},
    ids::CustomerId,
    lifecycle::Owner,
    privacy::{Category, DeletionRequest},
    store::StoreError,
};

use super::row::{DeletionRow, SuppressedPlaceRow, SuppressedRow};
use crate::persistence::{
    customer::row::{CustomerIndexRow, index_key},
    error::Failure,
    event::redacted::RedactedEventRow,
    unit::Reads,
    value::{Document, Key},
    webhook::row::DeliveryRow,
    writes::Writes,
};

/// The person that is erased, as the places need it.
pub(super) struct Subject {
    pub(super) environment: i32,
    pub(super) owner: Owner,
    pub(super) customer: CustomerId,
    pub(super) row: Option<SuppressedRow>,
    /// The entries by which it was found. They follow from the document.
    entries: Vec<IndexEntry>,
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
        Ok(Self { environment, owner: request.owner, customer: request.customer_id, row, entries })
    }

    /// A customer that is visible, for counting what would be redacted.
    pub(super) fn visible(environment: i32, customer: &CustomerAggregate, run: Option<Document>) -> Self {
        let row = Some(SuppressedRow::new(environment, customer, run));
        let entries = entries_of(customer);
        Self { environment, owner: customer.customer.owner, customer: customer.customer.id, row, entries }
    }

    fn key(&self) -> Key {
        self.customer.into()
    }

    /// The entries of a category.
    pub(super) fn entries(&self, category: Category) -> impl Iterator<Item = &IndexEntry> {
        let former = category == Category::FormerExternalIds;
        self.entries.iter().filter(move |entry| (entry.kind == IndexKind::ExternalId) == former)
    }
}

pub(super) type Failed = Failure<StoreError>;

/// A place with personal data.
#[async_trait]
pub(super) trait PersonalData: Send + Sync {
    /// The category under which it is counted.
    fn category(&self) -> Category;

    /// The number of records about a person.
    async fn count(&self, unit: &dyn Reads, subject: &Subject) -> Result<u64, Failed>;

    /// Redacts at most `limit` records, and returns their number. If it is 0, none is left.
    async fn redact(&self, unit: &dyn Reads, subject: &Subject, limit: i64, writes: &mut Writes)
    -> Result<u64, Failed>;
}

/// Every place. The document comes last: the entries follow from it, so they are counted before.
pub(super) const PLACES: [&dyn PersonalData; 8] = [
    &KeptAnswers,
    &Events,
    &Deliveries,
    &Runs,
    &Reasons,
    &Entries(Category::FormerExternalIds),
    &Entries(Category::IndexEntries),
    &Customers,
];

fn number(count: i64) -> u64 {
    // A count is never negative.
    u64::try_from(count).unwrap_or_default()
}

struct KeptAnswers;

#[async_trait]
impl PersonalData for KeptAnswers {
    fn category(&self) -> Category {
        Category::KeptAnswers
    }

    async fn count(&self, unit: &dyn Reads, subject: &Subject) -> Result<u64, Failed> {
        Ok(number(unit.count_kept_about(subject.environment, subject.key()).await?))
    }

    async fn redact(
        &self,
        unit: &dyn Reads,
        subject: &Subject,
        limit: i64,
        writes: &mut Writes,
    ) -> Result<u64, Failed> {
        let rows = unit.lock_kept_about(subject.environment, subject.key(), limit).await?;
        let count = rows.len() as u64;
        writes.kept_changed.extend(rows.into_iter().map(|row| row.redacted()));
        Ok(count)
    }
}

struct Events;

#[async_trait]
impl PersonalData for Events {
    fn category(&self) -> Category {
        Category::Events
    }

    async fn count(&self, unit: &dyn Reads, subject: &Subject) -> Result<u64, Failed> {
        Ok(number(unit.count_events_with_state(subject.environment, subject.key()).await?))
    }

    async fn redact(
        &self,
        unit: &dyn Reads,
        subject: &Subject,
        limit: i64,
        writes: &mut Writes,
    ) -> Result<u64, Failed> {
        let environment = subject.environment;
        let positions = unit.positions_with_state(environment, subject.key(), limit).await?;
        let count = positions.len() as u64;
        writes.events_redacted.extend(positions.into_iter().map(|position| RedactedEventRow { environment, position }));
        Ok(count)
    }
}

struct Deliveries;

#[async_trait]
impl PersonalData for Deliveries {
    fn category(&self) -> Category {
        Category::WebhookDeliveries
    }

    async fn count(&self, unit: &dyn Reads, subject: &Subject) -> Result<u64, Failed> {
        Ok(number(unit.count_answered(subject.environment, &subject.customer.to_string()).await?))
    }

    async fn redact(
        &self,
        unit: &dyn Reads,
        subject: &Subject,
        limit: i64,
        writes: &mut Writes,
    ) -> Result<u64, Failed> {
        let rows = unit.lock_answered(subject.environment, &subject.customer.to_string(), limit).await?;
        let count = rows.len() as u64;
        writes.deliveries.extend(rows.into_iter().map(|row| DeliveryRow { last_answer: None, ..row }));
        Ok(count)
    }
}

struct Runs;

#[async_trait]
impl PersonalData for Runs {
    fn category(&self) -> Category {
        Category::OnboardingRuns
    }

    async fn count(&self, unit: &dyn Reads, subject: &Subject) -> Result<u64, Failed> {
        let withheld = subject.row.as_ref().is_some_and(|row| row.run.is_some());
        let stray = unit.run(subject.environment, subject.key()).await?.is_some();
        Ok(u64::from(withheld) + u64::from(stray && !withheld))
    }

    async fn redact(&self, _: &dyn Reads, subject: &Subject, _: i64, writes: &mut Writes) -> Result<u64, Failed> {
        let row = subject.row.as_ref().filter(|row| row.run.is_some());
        writes.suppressed.extend(row.map(|row| SuppressedRow { run: None, ..row.clone() }));
        Ok(u64::from(row.is_some()))
    }
}

struct Reasons;

impl Reasons {
    async fn with_reason(unit: &dyn Reads, subject: &Subject) -> Result<Vec<DeletionRequest>, Failed> {
        let rows = unit.deletions_about(subject.environment, subject.key()).await?;
        let requests = rows.iter().map(|row| row.request(subject.owner)).collect::<Result<Vec<_>, _>>();
        let requests = requests.map_err(Failure::Refused)?.into_iter();
        Ok(requests.filter(|request| request.reason.is_some()).collect())
    }
}

#[async_trait]
impl PersonalData for Reasons {
    fn category(&self) -> Category {
        Category::DeletionRequests
    }

    async fn count(&self, unit: &dyn Reads, subject: &Subject) -> Result<u64, Failed> {
        Ok(Self::with_reason(unit, subject).await?.len() as u64)
    }

    async fn redact(&self, unit: &dyn Reads, subject: &Subject, _: i64, writes: &mut Writes) -> Result<u64, Failed> {
        let requests = Self::with_reason(unit, subject).await?;
        let count = requests.len() as u64;
        // The request that is worked on is written with its progress.
        let others = requests.into_iter().map(|request| DeletionRequest { reason: None, ..request });
        writes.deletions.extend(others.map(|request| DeletionRow::new(subject.environment, &request)));
        Ok(count)
    }
}

/// Entries of the index. Suppressing has deleted them.
struct Entries(Category);

impl Entries {
    async fn left<'a>(&self, unit: &dyn Reads, subject: &'a Subject) -> QueryResult<Vec<&'a IndexEntry>> {
        let here = subject.entries(self.0).map(|entry| async move {
            let (kind, key) = (entry.kind.code(), index_key(entry));
            Ok::<_, diesel::result::Error>((
                entry,
                unit.has_entry(subject.environment, kind, &key, subject.key()).await?,
            ))
        });
        Ok(try_join_all(here).await?.into_iter().filter(|(_, here)| *here).map(|(entry, _)| entry).collect())
    }
}

#[async_trait]
impl PersonalData for Entries {
    fn category(&self) -> Category {
        self.0
    }

    async fn count(&self, unit: &dyn Reads, subject: &Subject) -> Result<u64, Failed> {
        Ok(self.left(unit, subject).await?.len() as u64)
    }

    async fn redact(&self, unit: &dyn Reads, subject: &Subject, _: i64, writes: &mut Writes) -> Result<u64, Failed> {
        let left = self.left(unit, subject).await?;
        let row = |entry: &IndexEntry| CustomerIndexRow::new(subject.environment, subject.key(), entry.clone());
        writes.index_gone.extend(left.iter().map(|entry| row(entry)));
        Ok(left.len() as u64)
    }
}

struct Customers;

#[async_trait]
impl PersonalData for Customers {
    fn category(&self) -> Category {
        Category::Document
    }

    async fn count(&self, unit: &dyn Reads, subject: &Subject) -> Result<u64, Failed> {
        let visible = unit.document(subject.environment, subject.key()).await?.is_some();
        Ok(u64::from(subject.row.is_some()) + u64::from(visible && subject.row.is_none()))
    }

    async fn redact(&self, _: &dyn Reads, subject: &Subject, _: i64, writes: &mut Writes) -> Result<u64, Failed> {
        let place = subject.row.as_ref().map(|row| SuppressedPlaceRow { environment: row.environment, id: row.id });
        let count = u64::from(place.is_some());
        writes.suppressed_gone.extend(place);
        Ok(count)
    }
}
