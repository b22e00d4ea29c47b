//! Changing a customer within a transaction of somebody else's: a batch of one, in a savepoint.

use diesel::result::{DatabaseErrorKind, Error};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use patron_domain::{
    customer::{ChangeCustomer, ChangeCustomerError, CustomerChanged},
    store::StoreError,
    tenancy::EnvironmentScope,
};
use tokio::sync::oneshot;

use super::{
    Job, facts,
    plan::{Plan, Verdict},
    slot,
    write::{self, Manner},
};
use crate::persistence::{
    error::{Failure, store_error},
    postgres::{PostgresStore, problem::unavailable},
};

/// How often a change is decided anew because another transaction was first.
const TRIES: usize = 3;
/// Where the slots of the counts begin that no worker of a store has: a worker never waits there for a transaction of
/// somebody else's.
const FIRST_SLOT: i32 = 256;

impl PostgresStore {
    /// Changes a customer within a transaction that is open on a connection of yours, so that your rows and ours commit
    /// together or not at all. It keeps all of [`CustomerRepository::change`], but that nothing is durable before you
    /// commit.
    ///
    /// A refusal, such as an external id that is taken, leaves nothing of the change, and your own rows as they are: the
    /// change runs in a savepoint of its own, so no unique violation of it ends your transaction. You go on or take your
    /// rows back. After [`StoreError`] take them back; one that is [`StoreError::Unavailable`] may succeed when the whole
    /// transaction is tried again. Outside a transaction the change is one of its own.
    ///
    /// - The database has to have our tables: open it once with [`Database::open`](crate::persistence::Database::open) or
    ///   [`PostgresStore::connect`]. Tables of your own may be made by Diesel's migrations in the same database.
    /// - The transaction has to be `READ COMMITTED`, PostgreSQL's default: others' commits have to show.
    /// - What the change has locked stays locked until your transaction ends: the customer, the tax rates it names, and,
    ///   for a create, its external id and its idempotency key. Whoever wants one of them waits, together with those who
    ///   share a commit with them. Readers of the event log wait at the place of the change's event until then, whoever
    ///   wrote what comes behind it. Keep the transaction short.
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
        let (answer, _nobody_waits) = oneshot::channel();
        let jobs = [Job { scope: scope.clone(), command, turns: 0, answer }];
        for _ in 0..TRIES {
            // Within a transaction this one is a savepoint.
            let tried = connection.transaction(async |connection| decide_and_write(connection, &jobs).await).await;
            match tried {
                Ok(Verdict::Done(event)) => return Ok(CustomerChanged { event: *event, replayed: false }),
                Ok(Verdict::Replayed(event)) => return Ok(CustomerChanged { event: *event, replayed: true }),
                // A refusal is answered as a failure, so that nothing is left of the attempt.
                Ok(Verdict::Refused(refusal)) | Err(Failure::Refused(refusal)) => return Err(refusal),
                Ok(Verdict::Later) => {}
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

async fn decide_and_write(
    connection: &AsyncPgConnection,
    jobs: &[Job; 1],
) -> Result<Verdict, Failure<ChangeCustomerError>> {
    let slot = FIRST_SLOT + slot();
    let verdict = async {
        let mut plan = Plan::new(jobs, facts::load(connection, jobs).await?)?;
        write::write(connection, slot, Manner::Careful, &mut plan, jobs).await?;
        Ok::<_, Failure<StoreError>>(plan.into_verdicts().pop())
    };
    match verdict.await {
        Ok(Some(Verdict::Refused(refusal))) => Err(Failure::Refused(refusal)),
        Ok(verdict) => Ok(verdict.unwrap_or(Verdict::Later)),
        Err(Failure::Refused(error)) => Err(Failure::Refused(error.into())),
        Err(Failure::Database(error)) => Err(Failure::Database(error)),
    }
}
