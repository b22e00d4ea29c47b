//! `patron customers`

mod made_up;
mod tables;

use std::{fmt::Write, sync::Arc};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use patron_domain::{
    customer::{ChangeCustomerError, CustomerChanged, CustomerService, ExternalId},
    tenancy::{Caller, SystemScope, TenancyService},
};
use tokio::task::JoinSet;

use self::made_up::MadeUp;
use super::{environment, output};
use crate::{
    cli::{Customers, Generate},
    failure::Failure,
};

/// How many creates are under way at once: enough for whole batches in either database while others are being committed.
const AT_ONCE: usize = 512;

/// Runs one of the commands. No more than `queue` writes may wait.
pub(super) async fn run(
    tenancy: &TenancyService,
    customers: &CustomerService,
    queue: usize,
    command: Customers,
) -> Result<(), Failure> {
    match command {
        Customers::Generate(asked) => generate(tenancy, customers, queue, &asked).await,
    }
}

async fn generate(
    tenancy: &TenancyService,
    customers: &CustomerService,
    queue: usize,
    asked: &Generate,
) -> Result<(), Failure> {
    let made_up = MadeUp::new(&asked.prefix, asked.seed);
    let made_up = made_up.map_err(|error| Failure::configuration(format!("--prefix: {error}")))?;
    let environment = environment(tenancy, asked.environment).await?;
    let caller = tenancy.caller(&SystemScope::patron(), environment).await.map_err(Failure::failed)?;
    let bar = bar(asked.count);
    let work = Arc::new(Work { customers: customers.clone(), caller, made_up });
    let mut tally = Tally { go_on: asked.go_on, ..Tally::default() };
    // The first alone: where its external id is taken, so are many, and nothing has been made yet.
    let mut outcome = tally.count(work.clone().create(1).await);
    let mut running = JoinSet::new();
    for number in 2..=asked.count {
        while running.len() >= AT_ONCE.min(queue) {
            outcome = outcome.and(tally.next(&mut running).await);
        }
        bar.set_position(tally.done());
        if outcome.is_err() {
            break;
        }
        running.spawn(work.clone().create(number));
    }
    while !running.is_empty() {
        outcome = outcome.and(tally.next(&mut running).await);
        bar.set_position(tally.done());
    }
    bar.finish_and_clear();
    let Tally { made, there, .. } = tally;
    outcome.map_err(|reason| {
        let rest = if made > 0 { format!(" ({made} were made; --continue goes on after them)") } else { String::new() };
        Failure::failed(format!("{reason}{rest}"))
    })?;
    let left_out = if there > 0 { format!(", {there} were there already") } else { String::new() };
    output::line(format_args!("made {made} customers in {environment}{left_out}"))
}

/// A bar on standard error, if that is a terminal.
fn bar(count: u32) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {human_pos} of {human_len}, {rate} a second, {eta} left");
    let bar = ProgressBar::new(count.into());
    match style {
        Ok(style) => bar.with_style(style.with_key("rate", |state: &ProgressState, to: &mut dyn Write| {
            // A bar that cannot be written is only not seen.
            let _ = write!(to, "{:.0}", state.per_sec());
        })),
        Err(_) => bar,
    }
}

/// What every create needs.
struct Work {
    customers: CustomerService,
    caller: Caller,
    made_up: MadeUp,
}

/// What became of a create.
struct Created {
    external_id: ExternalId,
    answer: Result<CustomerChanged, ChangeCustomerError>,
}

impl Work {
    async fn create(self: Arc<Self>, number: u32) -> Result<Created, String> {
        let new = self.made_up.customer(number).map_err(|error| error.to_string())?;
        let external_id = new.external_id.clone();
        Ok(Created { external_id, answer: self.customers.create(&self.caller, new, None).await })
    }
}

/// How many creates there have been.
#[derive(Default)]
struct Tally {
    /// Whether customers that are there already are left out.
    go_on: bool,
    made: u64,
    there: u64,
}

impl Tally {
    fn done(&self) -> u64 {
        self.made + self.there
    }

    /// Counts the next that is done.
    async fn next(&mut self, running: &mut JoinSet<Result<Created, String>>) -> Result<(), String> {
        match running.join_next().await {
            None => Ok(()),
            Some(Ok(created)) => self.count(created),
            Some(Err(error)) => Err(format!("a create came to no end: {error}")),
        }
    }

    /// Counts one, or tells why it was not made.
    fn count(&mut self, created: Result<Created, String>) -> Result<(), String> {
        let Created { external_id, answer } = created?;
        match answer {
            Ok(_) => self.made += 1,
            Err(ChangeCustomerError::ExternalIdTaken { .. }) if self.go_on => self.there += 1,
            Err(ChangeCustomerError::ExternalIdTaken { existing }) => {
                return Err(format!(
                    "the external id {} is that of {existing} already; choose another --prefix, or leave out those that \
                     are there with --continue",
                    external_id.as_str()
                ));
            }
            Err(error) => return Err(error.to_string()),
        }
        Ok(())
    }
}
