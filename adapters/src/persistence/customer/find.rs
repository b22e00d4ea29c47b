//! The port for finding customers.

use std::collections::BTreeSet;

use async_trait::async_trait;
use futures_util::{FutureExt, future::try_join_all};
use patron_domain::{
    customer::find::{CustomerFinder, LookUp, Named},
    store::StoreError,
    tenancy::EnvironmentScope,
};

use super::tokens;
use crate::persistence::{engine::Pace, store::Store, value::Key};

#[async_trait]
impl CustomerFinder for Store {
    async fn named(&self, scope: &EnvironmentScope, look_ups: Vec<LookUp>) -> Result<Named, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else {
            return Ok(Named { are_all: true, ..Named::default() });
        };
        let read = self.read(Pace::list(environment), move |unit| {
            let read = async move {
                // Sent together if the database supports it.
                let named = try_join_all(look_ups.iter().map(|look_up| tokens::named(unit, environment, look_up)));
                let named = named.await?;
                let are_all = named.iter().zip(&look_ups).all(|(ids, look_up)| ids.len() < look_up.most);
                let ids: BTreeSet<Key> = named.into_iter().flatten().collect();
                let ids: Vec<Key> = ids.into_iter().collect();
                Ok((unit.documents_of(environment, &ids).await?, are_all))
            };
            read.boxed()
        });
        let (documents, are_all) = read.await?;
        let read = |(id, document): &(Key, crate::persistence::value::Document)| {
            document.read(scope.owner, id.id::<patron_domain::ids::CustomerKind>())
        };
        Ok(Named { customers: documents.iter().map(read).collect::<Result<_, _>>()?, are_all })
    }
}
