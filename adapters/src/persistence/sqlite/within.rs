//! Changing a customer within the caller's transaction.

use diesel::{Connection, SqliteConnection, result::Error};
use futures_util::FutureExt;
use patron_domain::{
    customer::{ChangeCustomer, ChangeCustomerError, CustomerChanged},
    tenancy::EnvironmentScope,
};

use super::{
    SqliteStore,
    unit::{Logs, SqliteUnit},
};
use crate::persistence::{customer::within::change, error::Failure};

impl SqliteStore {
    /// Changes a customer within an open transaction on your connection, so that your rows and ours commit together or
    /// not at all. It fulfils the contract of [`CustomerRepository::change`], except that nothing is durable before you
    /// commit.
    ///
    /// A refusal, such as a taken external id, leaves no trace of the change and keeps your own rows: you can continue
    /// or roll back. After [`StoreError`] roll back. Without an open transaction, the change has one of its own.
    ///
    /// - The file must contain our tables: open it once with [`Database::open`](crate::persistence::Database::open).
    ///   Tables of your own can be created by Diesel's migrations in the same file.
    /// - SQLite has one writer at a time. Begin with [`SqliteConnection::immediate_transaction`], so that you wait for
    ///   your turn at the beginning, and keep the transaction short: an open store on the file waits for your commit,
    ///   at most 5 s. Do not wait for that store in the meantime.
    /// - Set your connection up as ours are: `PRAGMA busy_timeout=5000; PRAGMA foreign_keys=ON;`, and leave
    ///   `synchronous` at `FULL`, or your commits may not survive a power cut.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// use diesel::{SqliteConnection, connection::SimpleConnection, prelude::*};
    /// use patron_adapters::persistence::{Database, DatabaseUrl, OpenOptions, SqliteStore};
    /// use patron_domain::{customer::ChangeCustomerError, testkit::{CountingIds, a_customer, a_scope, a_time}};
    /// # use patron_domain::ids::IdGenerator;
    ///
    /// # #[derive(Debug)]
    /// enum Failed {
    ///     Refused(ChangeCustomerError),
    ///     Database(diesel::result::Error),
    /// }
    /// # impl From<diesel::result::Error> for Failed { fn from(error: diesel::result::Error) -> Self { Self::Database(error) } }
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("patron.db");
    /// let url = DatabaseUrl::Sqlite(path.clone());
    /// Database::open(&url, OpenOptions::default()).await.unwrap();
    /// let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    /// connection.batch_execute("PRAGMA busy_timeout=5000; PRAGMA foreign_keys=ON; CREATE TABLE signups (who TEXT)").unwrap();
    ///
    /// let command = a_customer("acme").command(CountingIds::default().start(a_time()), a_time());
    /// let created = connection.immediate_transaction(|connection| {
    ///     connection.batch_execute("INSERT INTO signups VALUES ('acme')")?;
    ///     SqliteStore::change_within(connection, &a_scope(), command).map_err(Failed::Refused)
    /// }).unwrap();
    /// assert_eq!(created.event.sequence.get(), 1);
    /// # });
    /// ```
    ///
    /// # Errors
    /// As [`CustomerRepository::change`].
    ///
    /// [`CustomerRepository::change`]: patron_domain::customer::CustomerRepository::change
    /// [`StoreError`]: patron_domain::store::StoreError
    pub fn change_within(
        connection: &mut SqliteConnection,
        scope: &EnvironmentScope,
        command: ChangeCustomer,
    ) -> Result<CustomerChanged, ChangeCustomerError> {
        // Within a transaction, this one is a savepoint.
        let changed = connection.transaction(|connection| {
            let mut logs = Logs::default();
            let changed = {
                let unit = SqliteUnit::new(&mut *connection, &mut logs);
                // SQLite's statements never wait.
                change(&unit, scope, command).now_or_never()
            };
            let changed = changed.unwrap_or(Err(Failure::Database(Error::NotInTransaction)))?;
            logs.write(connection)?;
            Ok(changed)
        });
        changed.map_err(Failure::into_port_error)
    }
}
