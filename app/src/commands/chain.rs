//! The chain of events: its head, its export, and its verification.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use patron_domain::{
    event::{
        EventPosition,
        chain::{self, ChainHead, ChainVerifier, EventChain, SealedEvent, Verified},
    },
    lifecycle::Owner,
    tenancy::SystemScope,
};
use serde::{Deserialize, Serialize};

use super::output;
use crate::failure::Failure;

/// The most events in one read.
const PAGE: u16 = 500;

/// The first line of a sealed export.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Heading {
    environment: String,
    /// Where the chain begins.
    anchor: ChainHead,
}

/// Prints the head.
pub(super) async fn head(chain: &dyn EventChain, owner: Owner) -> Result<(), Failure> {
    let ends = chain.ends(&SystemScope::patron(), owner).await.map_err(Failure::failed)?;
    output::line(ends.head)
}

/// Prints the log as it is stored.
pub(super) async fn export(chain: &dyn EventChain, owner: Owner) -> Result<(), Failure> {
    let scope = SystemScope::patron();
    let anchor = chain.ends(&scope, owner).await.map_err(Failure::failed)?.anchor;
    let heading = Heading { environment: owner.environment_id.to_string(), anchor };
    let mut is_open = output::lines([line(&heading)?])?;
    let mut after = anchor.position;
    while is_open {
        let page = chain.sealed(&scope, owner, after, PAGE).await.map_err(Failure::failed)?;
        let Some(last) = page.last().and_then(|last| EventPosition::from_stored(last.position)) else { break };
        after = last;
        let lines: Result<Vec<_>, _> = page.into_iter().map(|event| line(&event.shown())).collect();
        is_open = output::lines(lines?)?;
    }
    Ok(())
}

fn line(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(Failure::failed)
}

/// Verifies the log in the database.
pub(super) async fn verify_log(chain: &dyn EventChain, owner: Owner, kept: Option<ChainHead>) -> Result<(), Failure> {
    let verified = chain::verify_log(chain, owner, kept).await;
    let environment = owner.environment_id;
    let verified = verified.map_err(|error| Failure::failed(format!("{environment}: {error}")))?;
    report(&environment.to_string(), &verified)
}

/// Verifies a sealed export.
pub(super) fn verify_file(path: &Path, kept: Option<ChainHead>) -> Result<(), Failure> {
    let failed = |what: &dyn std::fmt::Display| Failure::failed(format!("{}: {what}", path.display()));
    let file = File::open(path).map_err(|error| failed(&error))?;
    let mut lines = (1_u64..).zip(BufReader::new(file).lines());
    let broken = |number: u64, what: &dyn std::fmt::Display| failed(&format_args!("line {number}: {what}"));
    let (_, first) = lines.next().ok_or_else(|| failed(&"it is empty"))?;
    let first = first.map_err(|error| failed(&error))?;
    let Heading { environment, anchor } = serde_json::from_str(&first).map_err(|_| {
        broken(1, &"it is not the first line that `patron events export --sealed` writes; export the whole log again")
    })?;
    let mut verifier = ChainVerifier::new(anchor, kept).map_err(|fault| failed(&fault))?;
    for (number, line) in lines {
        let line = line.map_err(|error| failed(&error))?;
        // The text of the error would quote the line.
        let event: SealedEvent<'_> = serde_json::from_str(&line).map_err(|_| broken(number, &"it is not an event"))?;
        verifier.next(&event).map_err(|fault| broken(number, &fault))?;
    }
    let verified = verifier.end(None).map_err(|fault| failed(&fault))?;
    report(&environment, &verified)
}

/// Prints the result of a verification.
fn report(environment: &str, verified: &Verified) -> Result<(), Failure> {
    let Verified { anchor, head, events, erased } = verified;
    let anchored = match anchor.position {
        EventPosition::START => String::new(),
        position => format!(", expired and removed: up to position {position}"),
    };
    output::line(format_args!(
        "{environment}: the log is unchanged (events: {events}{anchored}, erased states: {erased}, head: {head})"
    ))
}
