//! `patron customers`

mod files;
mod find;
mod made_up;
mod past;
mod tables;

use std::{fmt::Write, sync::Arc};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use patron_adapters::persistence::Database;
use patron_domain::{
    customer::{ChangeCustomerError, CustomerChanged, CustomerService, ExportService, ExternalId, find::FindService},
    event::{EventService, PastService},
    tax::TaxService,
    tenancy::{Caller, TenancyService},
};
use tokio::task::JoinSet;

use self::{files::Imports, made_up::MadeUp};
use super::{caller, environment, output};
use crate::{
    cli::{Customers, Generate},
    config::Settings,
    failure::Failure,
    wiring,
};

/// Concurrent creates: enough to fill a batch in either database while another one is being committed.
const AT_ONCE: usize = 512;

/// The services of the commands.
pub(super) struct Services {
    customers: CustomerService,
    find: FindService,
    events: EventService,
    past: PastService,
    imports: Imports,
    exports: ExportService,
    taxes: TaxService,
}

impl Services {
    /// The services over a database.
    pub(super) fn over(settings: &Settings, database: &Database) -> Self {
        let ports = wiring::ports(settings);
        Self {
            customers: ports.customers(database),
            find: FindService { finder: database.finder.clone() },
            events: EventService { events: database.events.clone() },
            past: ports.past(database),
            imports: Imports { service: ports.imports(database), engine: wiring::import_engine(settings, database) },
            exports: ports.exports(database),
            taxes: ports.taxes(database),
        }
    }
}

/// Runs one of the commands. At most `queue` writes wait at a time.
pub(super) async fn run(
    tenancy: &TenancyService,
    services: &Services,
    queue: usize,
    command: Customers,
) -> Result<(), Failure> {
    match command {
        Customers::Generate(asked) => generate(tenancy, &services.customers, queue, &asked).await,
        Customers::Import(asked) => files::import(tenancy, &services.imports, *asked).await,
        Customers::Export(asked) => {
            files::export(tenancy, services.exports.clone(), services.taxes.clone(), asked).await
        }
        Customers::Show(asked) => past::show(tenancy, &services.past, asked).await,
        Customers::Diff(asked) => past::diff(tenancy, &services.past, asked).await,
        Customers::History(asked) => past::history(tenancy, (&services.events, &services.past), asked).await,
        Customers::Find(asked) => find::find(tenancy, &services.find, asked).await,
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
    let caller = caller(tenancy, Some(environment)).await?;
    let bar = bar(asked.count);
    let work = Arc::new(CreateJob { customers: customers.clone(), caller, made_up });
    let mut tally = Tally { go_on: asked.go_on, ..Tally::default() };
    // The first create runs alone: if its external id is taken, others probably are too, and nothing has been created
    // yet.
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
        let rest = if made > 0 { format!(" ({made} were created; --continue skips them)") } else { String::new() };
        Failure::failed(format!("{reason}{rest}"))
    })?;
    let left_out = if there > 0 { format!(", {there} existed already") } else { String::new() };
    output::line(format_args!("created {made} customers in {environment}{left_out}"))
}

/// A progress bar on standard error, if that is a terminal.
fn bar(count: u32) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {human_pos} of {human_len}, {rate} a second, {eta} left");
    let bar = ProgressBar::new(count.into());
    match style {
        Ok(style) => bar.with_style(style.with_key("rate", |state: &ProgressState, to: &mut dyn Write| {
            // A failure to draw the bar is harmless.
            let _ = write!(to, "{:.0}", state.per_sec());
        })),
        Err(_) => bar,
    }
}

/// The parts that every create needs.
struct CreateJob {
    customers: CustomerService,
    caller: Caller,
    made_up: MadeUp,
}

/// The outcome of a create.
struct Created {
    external_id: ExternalId,
    answer: Result<CustomerChanged, ChangeCustomerError>,
}

impl CreateJob {
    async fn create(self: Arc<Self>, number: u32) -> Result<Created, String> {
        let new = self.made_up.customer(number).map_err(|error| error.to_string())?;
        let external_id = new.external_id.clone();
        Ok(Created { external_id, answer: self.customers.create(&self.caller, new, None).await })
    }
}

/// Counts of the creates so far.
#[derive(Default)]
struct Tally {
    /// Whether existing customers are skipped.
    go_on: bool,
    made: u64,
    there: u64,
}

impl Tally {
    fn done(&self) -> u64 {
        self.made + self.there
    }

    /// Waits for the next create to end, and counts it.
    async fn next(&mut self, running: &mut JoinSet<Result<Created, String>>) -> Result<(), String> {
        match running.join_next().await {
            None => Ok(()),
            Some(Ok(created)) => self.count(created),
            Some(Err(error)) => Err(format!("a create did not finish: {error}")),
        }
    }

    /// Counts a create, or returns the reason why it failed.
    fn count(&mut self, created: Result<Created, String>) -> Result<(), String> {
        let Created { external_id, answer } = created?;
        match answer {
            Ok(_) => self.made += 1,
            Err(ChangeCustomerError::ExternalIdTaken { .. }) if self.go_on => self.there += 1,
            Err(ChangeCustomerError::ExternalIdTaken { existing }) => {
                return Err(format!(
                    "the external id {} belongs to {existing} already; choose another --prefix, or skip existing \
                     customers with --continue",
                    external_id.as_str()
                ));
            }
            Err(error) => return Err(error.to_string()),
        }
        Ok(())
    }
}
