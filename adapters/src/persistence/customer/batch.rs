//! The ports for many customers at once: changes in one transaction, and parts of an export.

use async_trait::async_trait;
use futures_util::FutureExt;
use patron_domain::{
    customer::{BatchRefused, ChangeCustomer, CustomerAggregate, CustomerBatches, CustomerChanged, CustomerParts},
    idempotency::{CallersClaim, Done, IdempotencyClaim, OnceError},
    ids::{CustomerId, CustomerKind},
    store::StoreError,
    tenancy::EnvironmentScope,
    time::Timestamp,
};

use super::change::{Job, decide};
use crate::persistence::{
    author::Author,
    engine::{Decision, Pace},
    error::Failure,
    idempotency::{self, Before, Once},
    store::Store,
    value::Key,
    writes::Writes,
};

/// The size of the documents after which a part ends.
const PART_BYTES: usize = 4 << 20;
/// The number of documents that are read at once.
const SOME: i64 = 50;

#[async_trait]
impl CustomerParts for Store {
    async fn customers_after(
        &self,
        scope: &EnvironmentScope,
        after: Option<CustomerId>,
        limit: u16,
    ) -> Result<Vec<CustomerAggregate>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(Vec::new()) };
        let (mut after, mut bytes) = (after.map(Key::from), 0);
        let mut customers = Vec::new();
        while customers.len() < usize::from(limit) && bytes < PART_BYTES {
            let rows =
                self.read(Pace::list(environment), move |unit| unit.customers_after(environment, after, SOME).boxed());
            let rows = rows.await?;
            for (id, document) in &rows {
                bytes += document.0.len();
                customers.push(document.read(scope.owner, id.id::<CustomerKind>())?);
            }
            match rows.last() {
                Some((id, _)) => after = Some(*id),
                None => break,
            }
        }
        Ok(customers)
    }
}

#[async_trait]
impl CustomerBatches for Store {
    async fn change_all(
        &self,
        scope: &EnvironmentScope,
        commands: Vec<ChangeCustomer>,
    ) -> Result<Vec<CustomerChanged>, BatchRefused> {
        let environment = self.environment_to_write(&scope.origin, scope.owner).await?;
        let job = |command| Job::new(scope, environment, command, self.subject_key());
        let jobs: Vec<_> = commands.into_iter().map(job).collect();
        let change = self.write(Author::from(scope), environment, move |unit| {
            let jobs = jobs.clone();
            let change = async move {
                let (answers, writes) = decide(unit, &jobs).await.map_err(|failure| failure.map(BatchRefused::from))?;
                let refused = |(number, answer): (usize, Result<_, _>)| {
                    answer.map_err(|error| Failure::Refused(BatchRefused { item: Some(number), error }))
                };
                let answer = answers.into_iter().enumerate().map(refused).collect::<Result<Vec<_>, _>>()?;
                Ok(Decision { answer, writes })
            };
            change.boxed()
        });
        change.await
    }

    async fn begin(
        &self,
        scope: &EnvironmentScope,
        claim: IdempotencyClaim,
        at: Timestamp,
    ) -> Result<Done<()>, OnceError> {
        let once = Once::of(self, Some(CallersClaim { owner: scope.owner, claim })).await?;
        let environment = self.environment_to_write(&scope.origin, scope.owner).await?;
        let begin = self.write(Author::from(scope), environment, move |unit| {
            let once = once.clone();
            let begin = async move {
                let keeping = match idempotency::before::<(), OnceError>(unit, once.as_ref()).await? {
                    Before::Done(()) => return Ok(Decision::nothing(Done::before(()))),
                    Before::Free(keeping) => keeping,
                };
                let mut writes = Writes::default();
                keeping.answer(&mut writes, &(), at);
                Ok(Decision { answer: Done::now(()), writes })
            };
            begin.boxed()
        });
        begin.await
    }
}
