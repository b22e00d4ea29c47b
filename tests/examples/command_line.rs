//! A command-line program that embeds the rules over the in-memory store: a desk that keeps customers while it runs.
//!
//! ```sh
//! printf 'add acme DE Acme GmbH\nadd acme FR Acme SARL\nadd umbrella XX\nlist\n' | cargo run --example command_line
//! ```

use std::{
    io::{self, BufRead, Write},
    sync::Arc,
};

use futures::executor::block_on;
use patron_domain::{
    customer::{
        ChangeCustomerError, CustomerService, DEFAULT_IDEMPOTENCY_TTL, NewCustomer, NewCustomerParts,
        query::{CustomerQuery, CustomerQueryParts},
    },
    testkit::{CountingIds, FixedClock, MemoryStore, a_caller},
    violation::Violations,
};

fn main() -> io::Result<()> {
    run(io::stdin().lock(), io::stdout())
}

/// Does what each line says, and tells what came of it.
pub(crate) fn run(lines: impl BufRead, mut output: impl Write) -> io::Result<()> {
    // For a program of your own: your store, your clock, your ids.
    let customers = CustomerService {
        customers: Arc::new(MemoryStore::default()),
        clock: Arc::new(FixedClock::default()),
        ids: Arc::new(CountingIds::default()),
        idempotency_ttl: DEFAULT_IDEMPOTENCY_TTL,
        quotas: patron_domain::tenancy::Quotas::default(),
    };
    for line in lines.lines() {
        let line = line?;
        let answer = match line.split_once(' ').unwrap_or((&line, "")) {
            ("add", rest) => add(&customers, rest),
            ("list", _) => list(&customers),
            _ => "say: add <external id> <country> [name], or: list".to_owned(),
        };
        writeln!(output, "{answer}")?;
    }
    Ok(())
}

fn add(customers: &CustomerService, words: &str) -> String {
    let new = match new_customer(words) {
        Ok(new) => new,
        Err(broken) => return format!("refused: {broken}"),
    };
    match block_on(customers.create(&a_caller(), new, None)) {
        Ok(created) => format!("added {}", created.event.state.customer.external_id.as_str()),
        Err(ChangeCustomerError::ExternalIdTaken { .. }) => "refused: this external id is taken".to_owned(),
        Err(error) => format!("failed: {error}"),
    }
}

/// Everything is checked together, so that a person sees all faults at once.
fn new_customer(words: &str) -> Result<NewCustomer, Violations> {
    let mut words = words.splitn(3, ' ').map(str::to_owned);
    let (external_id, address_country, name) = (words.next().unwrap_or_default(), words.next(), words.next());
    NewCustomerParts { external_id, address_country, name, ..NewCustomerParts::default() }.check()
}

fn list(customers: &CustomerService) -> String {
    let query = match CustomerQuery::new(CustomerQueryParts::default()) {
        Ok(query) => query,
        Err(broken) => return format!("refused: {broken}"),
    };
    match block_on(customers.list(&a_caller(), &query)) {
        Ok(found) => {
            let ids = found.items.iter().map(|record| record.customer.external_id.as_str());
            format!("{} customers: {}", found.items.len(), ids.collect::<Vec<_>>().join(", "))
        }
        Err(error) => format!("failed: {error}"),
    }
}
