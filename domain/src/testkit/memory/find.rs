//! Finding customers in memory: every customer is compared.

use async_trait::async_trait;

use super::MemoryStore;
use crate::{
    customer::find::{CustomerFinder, LookUp, Named},
    store::StoreError,
    tenancy::EnvironmentScope,
};

#[async_trait]
impl CustomerFinder for MemoryStore {
    async fn named(&self, scope: &EnvironmentScope, look_ups: Vec<LookUp>) -> Result<Named, StoreError> {
        let mut state = self.lock();
        Ok(Named::among(&look_ups, state.registry(scope.owner).customers.values()))
    }
}
