//! A store of customers in its own SQL, over rusqlite, in the tables of an application whose tenants are integers.
//!
//! It passes the contract suite, as `tests/tests/commands/examples.rs` shows. Lists and searches run in the database
//! (`search.rs`) and load only the customers of one page. Another driver can run the same statements.
//!
//! ```sh
//! cargo run --example sql_store -- customers.db acme "Acme GmbH"
//! ```

mod search;
mod store;

use std::{error::Error, sync::Arc};

use patron_adapters::system::{SystemClock, SystemIds};
use patron_domain::{
    customer::{
        CustomerService, DEFAULT_IDEMPOTENCY_TTL, NewCustomerParts,
        query::{CustomerQuery, CustomerQueryParts},
    },
    lifecycle::Owner,
    tenancy::{Actor, Caller, EnvironmentScope, Roles},
};
pub(crate) use store::SqlStore;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, external_id, name] = arguments.as_slice() else { return Err("say: <file> <external id> <name>".into()) };
    let customers = service(SqlStore::open(file)?);
    let parts =
        NewCustomerParts { external_id: external_id.clone(), name: Some(name.clone()), ..NewCustomerParts::default() };
    match customers.create(&caller(), parts.check()?, None).await {
        Ok(_) => println!("created {external_id}"),
        Err(refusal) => println!("refused: {refusal}"),
    }
    let newest = CustomerQuery::new(CustomerQueryParts::default())?;
    println!("{}", serde_json::to_string_pretty(&customers.list(&caller(), &newest).await?)?);
    Ok(())
}

/// The rules over the store.
fn service(store: SqlStore) -> CustomerService {
    CustomerService {
        customers: Arc::new(store),
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds),
        idempotency_ttl: DEFAULT_IDEMPOTENCY_TTL,
        quotas: patron_domain::tenancy::Quotas::default(),
    }
}

/// A caller of the application's tenant 7, which has one environment.
fn caller() -> Caller {
    let actor = Actor::system();
    Caller::new(EnvironmentScope::new(Owner::numbered(7, 1), actor), Roles::default(), None)
}
