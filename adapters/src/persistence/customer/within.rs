//! A change of a customer within a transaction that the caller commits.

use patron_domain::{
    customer::{ChangeCustomer, ChangeCustomerError, CustomerChanged},
    tenancy::EnvironmentScope,
};

use super::change::{Job, one};
use crate::persistence::{engine::Decision, error::Failure, owners, unit::Unit};

/// Decides and writes. Call it last in the transaction, because it locks the environment's log until the commit and
/// other transactions wait for that lock.
pub(crate) async fn change(
    unit: &dyn Unit,
    scope: &EnvironmentScope,
    command: ChangeCustomer,
) -> Result<CustomerChanged, Failure<ChangeCustomerError>> {
    let environment = owners::within(unit, scope.owner).await;
    let environment = environment.map_err(|failure| failure.map(ChangeCustomerError::from))?;
    let Decision { answer, writes } = one(unit, Job::new(scope, environment, command, None)).await?;
    writes.apply(unit).await?;
    Ok(answer)
}
