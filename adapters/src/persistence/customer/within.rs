//! A change of a customer within a transaction that the caller commits.

use patron_domain::{
    customer::{ChangeCustomer, ChangeCustomerError, CustomerChanged},
    store::StoreError,
    tenancy::EnvironmentScope,
};

use super::change::{Job, decide};
use crate::persistence::{error::Failure, owners, unit::Unit};

/// Decides and writes. Call it last in the transaction, because it locks the environment's log until the commit and
/// other transactions wait for that lock.
pub(crate) async fn change(
    unit: &dyn Unit,
    scope: &EnvironmentScope,
    command: ChangeCustomer,
) -> Result<CustomerChanged, Failure<ChangeCustomerError>> {
    let refused = |failure: Failure<StoreError>| match failure {
        Failure::Refused(error) => Failure::Refused(error.into()),
        Failure::Database(error) => Failure::Database(error),
    };
    let environment = owners::within(unit, scope.owner).await.map_err(refused)?;
    let job = [Job::new(scope, environment, command, None)];
    let (mut answers, writes) = decide(unit, &job).await.map_err(refused)?;
    let changed = answers.pop().unwrap_or_else(|| Err(StoreError::unavailable("the change was not made").into()));
    let changed = changed.map_err(Failure::Refused)?;
    writes.apply(unit).await?;
    Ok(changed)
}
