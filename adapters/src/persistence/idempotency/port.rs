//! The port for kept answers.

use async_trait::async_trait;
use futures_util::FutureExt;
use patron_domain::{
    idempotency::{IdempotencyKey, IdempotencyRecord, IdempotencyRecords},
    store::StoreError,
    tenancy::EnvironmentScope,
};

use crate::persistence::{engine::Pace, store::Store};

#[async_trait]
impl IdempotencyRecords for Store {
    async fn find(
        &self,
        scope: &EnvironmentScope,
        key: &IdempotencyKey,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(None) };
        let key = key.as_str().to_owned();
        let find =
            self.read(Pace::LookUp, move |unit| async move { unit.kept_answer(environment, &key).await }.boxed());
        find.await?.map(|row| row.record()).transpose()
    }
}
