//! Ready-made mocks of the port for idempotency records.

use super::{IdempotencyKey, IdempotencyRecord, MockIdempotencyRecords};
use crate::{lifecycle::Owner, store::StoreError};

impl MockIdempotencyRecords {
    /// A store without records.
    ///
    /// ```
    /// # use patron_domain::{idempotency::*, testkit::a_scope};
    /// let (records, key) = (MockIdempotencyRecords::empty(), IdempotencyKey::new("order-4711").unwrap());
    /// assert_eq!(futures::executor::block_on(records.find(&a_scope(), &key)), Ok(None));
    /// ```
    #[must_use]
    pub fn empty() -> Self {
        let mut records = Self::new();
        records.expect_find().returning(|_, _| Ok(None));
        records
    }

    /// A store with one record, in the environment of its owner.
    ///
    /// ```
    /// # use patron_domain::{idempotency::*, testkit::{a_scope, a_time, an_id, an_owner}};
    /// let key = IdempotencyKey::new("order-4711").unwrap();
    /// let (fingerprint, outcome) = (Fingerprint::from_bytes([7; 32]), Outcome::Event(an_id(1)));
    /// let record = IdempotencyRecord { fingerprint, outcome, at: a_time() };
    /// let records = MockIdempotencyRecords::with(an_owner(), key.clone(), record.clone());
    /// assert_eq!(futures::executor::block_on(records.find(&a_scope(), &key)), Ok(Some(record)));
    /// ```
    #[must_use]
    pub fn with(owner: Owner, key: IdempotencyKey, record: IdempotencyRecord) -> Self {
        let mut records = Self::new();
        records
            .expect_find()
            .returning(move |scope, asked| Ok((scope.owner == owner && *asked == key).then(|| record.clone())));
        records
    }

    /// A store that cannot be reached: every call returns [`StoreError::Unavailable`].
    #[must_use]
    pub fn always_unavailable() -> Self {
        let mut records = Self::new();
        records.expect_find().returning(|_, _| Err(StoreError::unavailable("this mock is never available")));
        records
    }
}
