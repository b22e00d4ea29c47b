//! A service that writes a row of its own and a customer in one transaction: either both are there, or neither.
//!
//! ```sh
//! cargo run --example own_transaction -- sqlite://example.db acme
//! cargo run --example own_transaction -- postgres://user:password@localhost/example acme
//! ```

use std::error::Error;

use diesel::{SqliteConnection, connection::SimpleConnection, prelude::*};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl as AsyncRunQueryDsl, SimpleAsyncConnection};
use patron_adapters::{
    persistence::{Database, DatabaseUrl, OpenOptions, PostgresStore, SqliteStore},
    system::{SystemClock, SystemIds},
};
use patron_domain::{
    Clock,
    customer::{ChangeCustomer, ChangeCustomerError, CustomerChange, ExternalId, NewCustomer, Stamp},
    ids::IdGenerator,
    lifecycle::Owner,
    tenancy::{Actor, EnvironmentScope},
};

diesel::table! {
    /// The service's own table: who wants what.
    signups (customer) {
        /// The external id of the customer.
        customer -> Text,
        /// What they signed up for.
        plan -> Text,
    }
}

const OWN_TABLE: &str = "CREATE TABLE IF NOT EXISTS signups (customer TEXT PRIMARY KEY, plan TEXT NOT NULL)";

/// The reason why a sign-up failed. It leaves no rows.
#[derive(Debug)]
pub(crate) enum SignUpError {
    /// The rules refuse the customer.
    Refused(ChangeCustomerError),
    /// The database does not take the service's own row, or fails.
    Database(diesel::result::Error),
}

impl From<diesel::result::Error> for SignUpError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, customer] = arguments.as_slice() else { return Err("say: <database URL> <customer>".into()) };
    prepare(url).await?;
    let signed_up = match url.strip_prefix("sqlite://") {
        Some(file) => sign_up_sqlite(&mut connect_sqlite(file)?, customer, "gold"),
        None => sign_up_postgres(&mut AsyncPgConnection::establish(url).await?, customer, "gold").await,
    };
    match signed_up {
        Ok(()) => println!("signed {customer} up"),
        Err(SignUpError::Refused(refusal)) => println!("refused: {refusal}"),
        Err(SignUpError::Database(error)) => return Err(error.into()),
    }
    Ok(())
}

/// Makes Patron's tables, and the service's own.
pub(crate) async fn prepare(url: &str) -> Result<(), Box<dyn Error>> {
    Database::open(&DatabaseUrl::parse(url)?, OpenOptions::default()).await?.close().await;
    match url.strip_prefix("sqlite://") {
        Some(file) => connect_sqlite(file)?.batch_execute(OWN_TABLE)?,
        None => AsyncPgConnection::establish(url).await?.batch_execute(OWN_TABLE).await?,
    }
    Ok(())
}

/// A connection of the service's own to the file.
pub(crate) fn connect_sqlite(file: &str) -> Result<SqliteConnection, Box<dyn Error>> {
    let mut connection = SqliteConnection::establish(file)?;
    connection.batch_execute("PRAGMA busy_timeout=5000; PRAGMA foreign_keys=ON;")?;
    Ok(connection)
}

/// The environment of the service's customers: the first of its tenant 7.
pub(crate) fn scope() -> EnvironmentScope {
    EnvironmentScope::new(Owner::numbered(7, 1), Actor::system())
}

fn create(customer: &str) -> Result<ChangeCustomer, SignUpError> {
    let external_id = ExternalId::new(customer).map_err(|_| diesel::result::Error::NotFound)?;
    let at = SystemClock.now();
    let stamp = Stamp { ids: SystemIds.start(at), at, request_id: None };
    Ok(ChangeCustomer::new(CustomerChange::Create(NewCustomer::new(external_id)), stamp))
}

/// Signs a user up over SQLite.
pub(crate) fn sign_up_sqlite(connection: &mut SqliteConnection, customer: &str, plan: &str) -> Result<(), SignUpError> {
    connection.immediate_transaction(|connection| {
        SqliteStore::change_within(connection, &scope(), create(customer)?).map_err(SignUpError::Refused)?;
        let row = (signups::customer.eq(customer), signups::plan.eq(plan));
        RunQueryDsl::execute(diesel::insert_into(signups::table).values(row), connection)?;
        Ok(())
    })
}

/// Signs a user up over PostgreSQL.
pub(crate) async fn sign_up_postgres(
    connection: &mut AsyncPgConnection,
    customer: &str,
    plan: &str,
) -> Result<(), SignUpError> {
    connection
        .transaction(async |connection| {
            let created = PostgresStore::change_within(connection, &scope(), create(customer)?).await;
            created.map_err(SignUpError::Refused)?;
            let row = (signups::customer.eq(customer), signups::plan.eq(plan));
            AsyncRunQueryDsl::execute(diesel::insert_into(signups::table).values(row), connection).await?;
            Ok(())
        })
        .await
}
