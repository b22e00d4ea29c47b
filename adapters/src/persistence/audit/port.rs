//! The port of the audit log.

use async_trait::async_trait;
use futures_util::FutureExt;
use patron_domain::{
    audit::{AuditEntry, AuditLog, AuditQuery, CountedUses},
    store::StoreError,
    tenancy::{EnvironmentScope, Origin, SystemScope},
    time::Timestamp,
};

use super::row::AuditRow;
use crate::persistence::{
    author::Author,
    engine::{Decision, Pace},
    error::Failure,
    party::Party,
    store::Store,
    word::Word,
    writes::Writes,
};

#[async_trait]
impl AuditLog for Store {
    async fn entries(&self, scope: &EnvironmentScope, query: AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(Vec::new()) };
        let (before, limit) = (query.before.map_or(i64::MAX, |before| before.stored()), query.limit.into());
        let read =
            self.read(Pace::list(environment), move |unit| unit.audit_before(environment, before, limit).boxed());
        read.await?.into_iter().map(|row| row.entry(scope.owner)).collect()
    }

    async fn count_uses(&self, _scope: &SystemScope, uses: Vec<CountedUses>) -> Result<(), StoreError> {
        let mut counts = Vec::with_capacity(uses.len());
        for uses in uses {
            counts.push((self.environment_to_write(&Origin::default(), uses.owner).await?, uses));
        }
        // All processes lock them in the same order.
        counts.sort_by_key(|(environment, uses)| (*environment, uses.key, uses.hour, uses.kind));
        let count = self.write(Author::system(), Party::System, move |unit| {
            let counts = counts.clone();
            let count = async move {
                let mut writes = Writes::default();
                for (environment, uses) in counts {
                    match unit
                        .lock_counted(environment, uses.kind.action().code(), uses.key.into(), uses.hour.micros())
                        .await?
                    {
                        Some(row) => {
                            let mut entry = row.entry(uses.owner).map_err(Failure::Refused)?;
                            entry.count_more(&uses);
                            let number = entry.number.stored();
                            writes.audit_changed.push(AuditRow { number, ..AuditRow::of(environment, &entry) });
                        }
                        None => writes.audit.push(AuditRow::counted(environment, &uses)),
                    }
                }
                Ok::<_, Failure<StoreError>>(Decision { answer: (), writes })
            };
            count.boxed()
        });
        count.await
    }

    async fn forget_addresses(
        &self,
        _scope: &SystemScope,
        made_before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let forget = self.write(Author::system(), Party::System, move |unit| {
            let forget = async move {
                let mut writes = Writes::default();
                for environment in unit.environments_known().await? {
                    let left = i64::from(limit) - i64::try_from(writes.audit_changed.len()).unwrap_or(i64::MAX);
                    if left <= 0 {
                        break;
                    }
                    let old = unit.lock_with_address(environment, made_before.micros(), left).await?;
                    writes.audit_changed.extend(old.into_iter().map(|row| AuditRow { address: None, ..row }));
                }
                let count = writes.audit_changed.len() as u64;
                Ok::<_, Failure<StoreError>>(Decision { answer: count, writes })
            };
            forget.boxed()
        });
        forget.await
    }
}
