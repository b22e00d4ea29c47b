//! The last use of API keys, and the numbers of refused uses and dry runs: recorded in memory while requests are served,
//! and saved every few seconds.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use patron_domain::{
    audit::{AuditLog, CountedUse, CountedUses, MAX_COUNTED_USES},
    ids::ApiKeyId,
    store::StoreError,
    tenancy::{ApiKeyRepository, KeyUse, KeyUses, MAX_USES, NotedUse, SystemScope},
    time::Timestamp,
};

/// The last uses of keys that are not saved yet: one time for each key, however often it is used. Also the numbers of
/// refused uses and of dry runs: one for each key and hour.
///
/// Uses since the last save are lost if the process is killed.
#[derive(Default)]
pub struct NotedKeyUses {
    noted: Mutex<HashMap<ApiKeyId, Timestamp>>,
    counted: Mutex<HashMap<(CountedUse, ApiKeyId, Timestamp), CountedUses>>,
}

impl NotedKeyUses {
    /// The most keys recorded between two saves. Uses of further keys are lost.
    pub const MAX_KEYS: usize = 10_000;

    /// The least time between two saves.
    pub const PAUSE: Duration = Duration::from_secs(3);

    /// Saves recorded uses regularly while the process runs. Run it in its own task.
    pub async fn keep_writing(self: Arc<Self>, keys: Arc<dyn ApiKeyRepository>, audit: Arc<dyn AuditLog>) {
        loop {
            tokio::time::sleep(Self::PAUSE).await;
            // A failure affects no request. It is retried.
            if let Err(error) = self.write(keys.as_ref()).await {
                tracing::warn!(%error, "saving the last use of API keys failed and will be retried");
            }
            if let Err(error) = self.write_counted(audit.as_ref()).await {
                tracing::warn!(%error, "saving the counted uses of API keys failed and will be retried");
            }
        }
    }

    /// Saves recorded uses in batches of [`MAX_USES`]. Uses that cannot be saved stay recorded.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn write(&self, keys: &dyn ApiKeyRepository) -> Result<(), StoreError> {
        let noted = std::mem::take(&mut *self.noted.lock().unwrap_or_else(PoisonError::into_inner));
        let uses: Vec<_> = noted.into_iter().map(|(id, at)| KeyUse { id, at }).collect();
        let mut failed = Ok(());
        for batch in uses.chunks(MAX_USES) {
            if failed.is_ok() {
                failed = keys.record_uses(&SystemScope::patron(), batch.to_vec()).await;
            }
            if failed.is_err() {
                batch.iter().for_each(|key_use| self.note(*key_use));
            }
        }
        failed
    }

    /// Saves counted uses in batches of [`MAX_COUNTED_USES`]. Uses that cannot be saved stay counted.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn write_counted(&self, audit: &dyn AuditLog) -> Result<(), StoreError> {
        let counted = std::mem::take(&mut *self.counted.lock().unwrap_or_else(PoisonError::into_inner));
        let counted: Vec<_> = counted.into_values().collect();
        let mut failed = Ok(());
        for batch in counted.chunks(MAX_COUNTED_USES) {
            if failed.is_ok() {
                failed = audit.count_uses(&SystemScope::patron(), batch.to_vec()).await;
            }
            if failed.is_err() {
                batch.iter().for_each(|uses| self.count(uses.clone()));
            }
        }
        failed
    }

    fn count(&self, uses: CountedUses) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (uses.kind, uses.key, uses.hour);
        if let Some(known) = counted.get_mut(&key) {
            *known = CountedUses { count: known.count.saturating_add(uses.count), ..uses };
        } else if counted.len() < Self::MAX_KEYS {
            counted.insert(key, uses);
        }
    }
}

impl KeyUses for NotedKeyUses {
    fn note(&self, KeyUse { id, at }: KeyUse) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = noted.get_mut(&id) {
            *last = at.max(*last);
        } else if noted.len() < Self::MAX_KEYS {
            noted.insert(id, at);
        }
    }

    fn note_refused(&self, refused: NotedUse) {
        self.count(one(CountedUse::Refused, refused));
    }

    fn note_dry_run(&self, dry_run: NotedUse) {
        self.count(one(CountedUse::DryRun, dry_run));
    }
}

fn one(kind: CountedUse, NotedUse { id: key, owner, at, origin }: NotedUse) -> CountedUses {
    CountedUses { kind, key, owner, hour: at.hour(), count: 1, origin }
}

#[cfg(test)]
mod tests {
    use patron_domain::{
        audit::MockAuditLog,
        ids::IdSequence,
        store::StoreError,
        tenancy::{KeyUse, KeyUses, MAX_USES, MockApiKeyRepository, NotedUse, Origin},
        testkit::{a_time, an_id, an_owner},
        time::Timestamp,
    };

    use super::NotedKeyUses;

    fn time(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros).unwrap()
    }

    fn uses(count: usize) -> Vec<KeyUse> {
        let mut ids = IdSequence::start(time(0), [0; 10]);
        (0..count).map(|_| KeyUse { id: ids.next_id(), at: time(5) }).collect()
    }

    #[tokio::test]
    async fn many_uses_of_a_key_are_saved_as_the_last_one() {
        let noted = NotedKeyUses::default();
        let one = uses(1)[0];
        for micros in [5, 9, 7] {
            noted.note(KeyUse { at: time(micros), ..one });
        }
        let mut keys = MockApiKeyRepository::new();
        let wanted = vec![KeyUse { at: time(9), ..one }];
        keys.expect_record_uses().once().withf(move |_, uses| *uses == wanted).returning(|_, _| Ok(()));
        noted.write(&keys).await.unwrap();
        // Nothing is left to save: the mock expects no second call.
        noted.write(&keys).await.unwrap();
    }

    #[tokio::test]
    async fn saves_are_bounded_and_failed_uses_stay_recorded() {
        let noted = NotedKeyUses::default();
        uses(MAX_USES * 2 + 1).into_iter().for_each(|one| noted.note(one));
        let mut keys = MockApiKeyRepository::new();
        keys.expect_record_uses().once().withf(|_, uses| uses.len() == MAX_USES).returning(|_, _| Ok(()));
        let failure = StoreError::Unavailable { reason: "away".to_owned() };
        let answer = failure.clone();
        keys.expect_record_uses().once().returning(move |_, _| Err(answer.clone()));
        assert_eq!(noted.write(&keys).await, Err(failure));
        let mut keys = MockApiKeyRepository::new();
        let sizes = [MAX_USES, 1];
        for size in sizes {
            keys.expect_record_uses().once().withf(move |_, uses| uses.len() == size).returning(|_, _| Ok(()));
        }
        noted.write(&keys).await.unwrap();
    }

    #[tokio::test]
    async fn refused_uses_are_counted_by_key_and_hour_and_failed_saves_stay_counted() {
        let noted = NotedKeyUses::default();
        let refuse = |address: &str| {
            let origin = Origin::new(None, address.parse().ok());
            noted.note_refused(NotedUse { id: an_id(1), owner: an_owner(), at: a_time(), origin });
        };
        refuse("192.0.2.1");
        refuse("192.0.2.2");
        let failure = StoreError::Unavailable { reason: "away".to_owned() };
        let mut audit = MockAuditLog::new();
        let answer = failure.clone();
        audit.expect_count_uses().once().returning(move |_, _| Err(answer.clone()));
        assert_eq!(noted.write_counted(&audit).await, Err(failure));
        refuse("192.0.2.3");
        let mut audit = MockAuditLog::new();
        audit.expect_count_uses().once().returning(|_, uses| {
            let [uses] = uses.as_slice() else { panic!("{uses:?}") };
            assert_eq!((uses.count, uses.hour), (3, a_time().hour()));
            assert_eq!(uses.origin.address(), "192.0.2.3".parse().ok());
            Ok(())
        });
        noted.write_counted(&audit).await.unwrap();
        // Nothing is left to save: the mock expects no second call.
        noted.write_counted(&audit).await.unwrap();
    }

    #[test]
    fn recorded_uses_are_bounded() {
        let noted = NotedKeyUses::default();
        uses(NotedKeyUses::MAX_KEYS + 5).into_iter().for_each(|one| noted.note(one));
        assert_eq!(noted.noted.lock().unwrap().len(), NotedKeyUses::MAX_KEYS);
    }
}
