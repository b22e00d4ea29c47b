//! All data about one customer, apart from its events.

use patron_domain::{
    customer::CustomerAggregate,
    ids::{CustomerId, ImportKind},
    lifecycle::Owner,
    privacy::PersonalRecord,
    store::StoreError,
    time::Timestamp,
};

use super::{Failed, places::imports_with_diffs, subjects::Subjects};
use crate::persistence::{
    error::Failure,
    unit::Reads,
    value::{Key, corrupt},
};

/// Reads all data about a visible customer. `None` if the customer is unknown or suppressed.
pub(super) async fn of(
    unit: &dyn Reads,
    environment: i32,
    owner: Owner,
    id: CustomerId,
) -> Result<Option<PersonalRecord>, Failed> {
    let (key, entity) = (Key::from(id), id.to_string());
    let Some(document) = unit.document(environment, key).await? else { return Ok(None) };
    let customer: CustomerAggregate = document.read(owner, id).map_err(Failure::Refused)?;
    let people = Subjects::visible(environment, &customer);

    let run = unit.run(environment, key).await?.map(|row| row.run(owner)).transpose().map_err(Failure::Refused)?;
    let mut deliveries = unit.answered(environment, &entity).await?;
    deliveries.extend(unit.waiting_about(environment, &entity).await?);
    let mut deliveries = read(deliveries, |row| row.delivery(owner))?;
    deliveries.sort_by_key(|delivery| (delivery.position, delivery.id));
    deliveries.dedup_by_key(|delivery| delivery.id);
    let requests = read(unit.deletions_about(environment, &[key]).await?, |row| row.request(owner))?;
    let kept_answers = read(unit.kept_about(environment, key).await?, |at| {
        Timestamp::from_micros(at).map_err(|_| corrupt("kept_answers", "at", id))
    })?;

    let hashes: Vec<_> = people.people().into_keys().collect();
    let failed = unit.failed_rows_about(environment, &hashes, i64::MAX).await?;
    let failed_rows = read(failed, |row| Ok((row.import.id::<ImportKind>(), row.failed(owner)?)))?;
    let mut import_changes = Vec::new();
    for (_, import) in imports_with_diffs(unit, &people).await? {
        let (import, diffs) = (import.id, import.diffs.into_iter());
        let about = diffs.filter(|diff| people.all.iter().any(|one| one.is_named(&diff.external_id)));
        import_changes.extend(about.map(|diff| (import, diff)));
    }
    Ok(Some(PersonalRecord { customer, run, deliveries, requests, kept_answers, failed_rows, import_changes }))
}

/// Reads rows.
fn read<R, T>(rows: Vec<R>, row: impl FnMut(R) -> Result<T, StoreError>) -> Result<Vec<T>, Failed> {
    rows.into_iter().map(row).collect::<Result<_, _>>().map_err(Failure::Refused)
}
