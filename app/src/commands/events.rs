//! `patron events`

use std::time::Duration;

use patron_adapters::{http::event_line, persistence::Database};
use patron_domain::{
    event::{EventCursor, EventLimit, EventLog, EventLogError, EventQuery, Reached},
    ids::EnvironmentId,
    lifecycle::Owner,
    tenancy::{SystemScope, TenancyService},
};
use tokio::signal::unix::{SignalKind, signal};

use super::{chain, environment, output};
use crate::{cli::Events, failure::Failure};

/// The pause before the log is read again after it had nothing new.
const PAUSE: Duration = Duration::from_millis(500);
/// The most events in one read.
const PAGE: u16 = 500;

pub(super) async fn run(database: &Database, service: &TenancyService, command: Events) -> Result<(), Failure> {
    let (log, chain) = (database.events.as_ref(), database.chain.as_ref());
    match command {
        Events::Head { environment } => chain::head(chain, owner(service, environment).await?).await,
        // `run` has handled those of a file.
        Events::Verify { environment, head, .. } => {
            chain::verify_log(chain, owner(service, environment).await?, head).await
        }
        Events::Export { environment, sealed: true, .. } => {
            chain::export(chain, owner(service, environment).await?).await
        }
        Events::Tail { environment, after, from_start } => {
            let owner = owner(service, environment).await?;
            let after = match (after, from_start) {
                (Some(after), _) => after,
                (None, true) => EventCursor::START,
                (None, false) => log.end(&SystemScope::patron(), owner).await.map_err(Failure::failed)?,
            };
            tail(log, owner, after).await
        }
        Events::Export { environment, all, after, .. } => {
            let whose = match all {
                true => database.owners.owners(&SystemScope::patron()).await.map_err(Failure::failed)?,
                false => vec![owner(service, environment).await?],
            };
            for owner in whose {
                let mut reader = Reader::new(log, owner, after.unwrap_or_default());
                loop {
                    match reader.print_page().await? {
                        Printed::Read { more: true } => {}
                        Printed::Read { more: false } => break,
                        Printed::Unread => return Ok(()),
                    }
                }
            }
            Ok(())
        }
    }
}

/// The named environment, or the only one, with its tenant.
async fn owner(service: &TenancyService, named: Option<EnvironmentId>) -> Result<Owner, Failure> {
    let id = environment(service, named).await?;
    let found = service.tenancy.find_environment(&SystemScope::patron(), id).await.map_err(Failure::failed)?;
    let found = found.ok_or_else(|| {
        Failure::failed("there is no environment with this id; `patron environments list` shows them")
    })?;
    Ok(Owner { tenant_id: found.tenant_id, environment_id: found.id })
}

/// Prints the present events and then new ones, until it is interrupted or its output is closed. Every line is printed
/// whole.
async fn tail(log: &dyn EventLog, owner: Owner, after: EventCursor) -> Result<(), Failure> {
    // From here on, signals no longer end the process.
    let mut interrupted = signal(SignalKind::interrupt()).map_err(Failure::failed)?;
    let mut terminated = signal(SignalKind::terminate()).map_err(Failure::failed)?;
    let mut reader = Reader::new(log, owner, after);
    while let Printed::Read { more } = reader.print_page().await? {
        let pause = if more { Duration::ZERO } else { PAUSE };
        tokio::select! {
            biased;
            _ = interrupted.recv() => break,
            _ = terminated.recv() => break,
            () = tokio::time::sleep(pause) => {}
        }
    }
    output::note(format_args!("stopped; --after {} continues from here", reader.query.after));
    Ok(())
}

/// Reads and prints the log of an environment, page by page.
struct Reader<'a> {
    log: &'a dyn EventLog,
    owner: Owner,
    query: EventQuery,
}

/// The outcome of printing a page.
enum Printed {
    /// The page was printed.
    Read {
        /// Whether the log has more.
        more: bool,
    },
    /// The output is closed.
    Unread,
}

impl<'a> Reader<'a> {
    fn new(log: &'a dyn EventLog, owner: Owner, after: EventCursor) -> Self {
        let limit = EventLimit::new(PAGE).unwrap_or_default();
        Self { log, owner, query: EventQuery { after, limit, ..EventQuery::default() } }
    }

    async fn print_page(&mut self) -> Result<Printed, Failure> {
        let mut lines = Vec::new();
        let sink = Box::new(|event| lines.push(event_line(&event)));
        let read = self.log.read_each(&SystemScope::patron(), self.owner, &self.query, sink).await;
        let Reached { cursor, has_more } = read.map_err(failure)?;
        let lines: Result<Vec<String>, _> = lines.into_iter().collect();
        if !output::lines(lines.map_err(Failure::failed)?)? {
            return Ok(Printed::Unread);
        }
        self.query.after = cursor;
        Ok(Printed::Read { more: has_more })
    }
}

fn failure(error: EventLogError) -> Failure {
    match error {
        EventLogError::TakenBack(back) => Failure::failed(format!(
            "{back}; --after {} continues before the first event that may be new",
            back.resume_from
        )),
        other => Failure::failed(other),
    }
}
