//! Changing a customer within the caller's transaction, in a savepoint.

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

/// The most tries to decide a change if other transactions conflict with it.
const TRIES: usize = 3;

impl PostgresStore {
    /// Changes a customer within an open transaction on your connection, so that your rows and ours commit together or
    /// not at all. It fulfils the contract of
    /// [`CustomerRepository::change`](patron_domain::customer::CustomerRepository::change), except that nothing is
    /// durable before you commit.
    ///
    /// A refusal, such as a taken external id, leaves no trace of the change and keeps your own rows: the change runs
    /// in a savepoint, so its unique violations do not abort your transaction. You can continue or roll back. After
    /// [`ChangeCustomerError::Store`] roll back; if the store was unavailable, the whole transaction may succeed at
    /// another try. Without an open transaction, the change has one of its own.
    ///
    /// - The database must contain our tables: open it once with
    ///   [`Database::open`](crate::persistence::Database::open). Tables of your own can be created by Diesel's
    ///   migrations in the same database.
    /// - The transaction must be `READ COMMITTED`, PostgreSQL's default, so that it sees others' commits.
    /// - The rows that the change locks stay locked until your transaction ends: the customer, the tax rates it names,
    ///   and the environment's log. Every other change in this environment waits until then. Keep the transaction
    ///   short.
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
            let tried = async |connection: &mut AsyncPgConnection| {
                change(&PostgresUnit::new(connection, false), scope, command).await
            };
            match connection.transaction(tried).await {
                Ok(changed) => return Ok(changed),
                // The savepoint was rolled back.
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
