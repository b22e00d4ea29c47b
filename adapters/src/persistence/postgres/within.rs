//! Changing a customer within a transaction of the caller, in a savepoint.

use diesel::result::{DatabaseErrorKind, Error};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use patron_domain::{
    customer::{ChangeCustomer, ChangeCustomerError, CustomerChanged},
    tenancy::EnvironmentScope,
};

use super::{PostgresStore, problem::unavailable, unit::PostgresUnit};
use crate::persistence::{
    customer::within::change,
    error::{Failure, store_error},
};

/// How often a change is decided anew because another transaction was first.
const TRIES: usize = 3;

impl PostgresStore {
    /// Changes a customer within a transaction that is open on a connection of yours, so that your rows and ours commit
    /// together or not at all. It keeps all of [`CustomerRepository::change`](patron_domain::customer::CustomerRepository::change), but
    /// that nothing is durable before you commit.
    ///
    /// A refusal, such as an external id that is taken, leaves nothing of the change, and your own rows as they are: the
    /// change runs in a savepoint of its own, so no unique violation of it ends your transaction. You go on or take your
    /// rows back. After [`ChangeCustomerError::Store`] take them back; where the store was unavailable, the whole
    /// transaction may succeed when it is tried again. Outside a transaction the change is one of its own.
    ///
    /// - The database has to have our tables: open it once with [`Database::open`](crate::persistence::Database::open).
    ///   Tables of your own may be made by Diesel's migrations in the same database.
    /// - The transaction has to be `READ COMMITTED`, PostgreSQL's default: others' commits have to show.
    /// - What the change has locked stays locked until your transaction ends: the customer, the tax rates it names, and the
    ///   environment's log. Every other change in this environment waits until then. Keep the transaction short.
    ///
    /// ```no_run
    /// use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
    /// use patron_adapters::persistence::PostgresStore;
    /// use patron_domain::{customer::{ChangeCustomer, ChangeCustomerError, CustomerChanged}, tenancy::EnvironmentScope};
    ///
    /// enum Failed {
    ///     Refused(ChangeCustomerError),
    ///     Database(diesel::result::Error),
    /// }
    /// # impl From<diesel::result::Error> for Failed { fn from(error: diesel::result::Error) -> Self { Self::Database(error) } }
    ///
    /// async fn sign_up(
    ///     connection: &mut AsyncPgConnection,
    ///     scope: &EnvironmentScope,
    ///     command: ChangeCustomer,
    /// ) -> Result<CustomerChanged, Failed> {
    ///     connection.transaction(async |connection| {
    ///         connection.batch_execute("INSERT INTO signups VALUES ('acme')").await?;
    ///         PostgresStore::change_within(connection, scope, command).await.map_err(Failed::Refused)
    ///     }).await
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`CustomerRepository::change`].
    ///
    /// [`CustomerRepository::change`]: patron_domain::customer::CustomerRepository::change
    pub async fn change_within(
        connection: &mut AsyncPgConnection,
        scope: &EnvironmentScope,
        command: ChangeCustomer,
    ) -> Result<CustomerChanged, ChangeCustomerError> {
        for _ in 0..TRIES {
            let command = command.clone();
            let tried =
                async |connection: &mut AsyncPgConnection| change(&PostgresUnit::new(connection), scope, command).await;
            match connection.transaction(tried).await {
                Ok(changed) => return Ok(changed),
                // Nothing is left of the attempt.
                Err(Failure::Refused(refusal)) => return Err(refusal),
                Err(Failure::Database(Error::DatabaseError(
                    DatabaseErrorKind::UniqueViolation | DatabaseErrorKind::SerializationFailure,
                    _,
                ))) => {}
                Err(Failure::Database(error)) => return Err(store_error(&error).into()),
            }
        }
        Err(unavailable("too many changes at once").into())
    }
}
