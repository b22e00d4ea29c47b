//! `patron events` and `patron webhooks`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use patron_domain::{
    event::{EventCursor, chain::ChainHead},
    ids::{EnvironmentId, EventId, WebhookEndpointId},
    time::Timestamp,
};

use super::{settings::NoSettings, value};

#[derive(Debug, Subcommand)]
pub(crate) enum Events {
    /// Follow the events of an environment as one JSON object per line.
    ///
    /// Shows new events only, unless a starting point is given. Stop it with Ctrl+C and continue later with --after and
    /// the last cursor shown.
    Tail {
        /// The environment; optional if there is only one.
        #[arg(long, value_name = "ENV_ID")]
        environment: Option<EnvironmentId>,
        /// Start after this event: the `cursor` of its line.
        #[arg(long, value_parser = value::cursor, value_name = "CURSOR", conflicts_with = "from_start")]
        after: Option<EventCursor>,
        /// Start with the oldest event in the log.
        #[arg(long)]
        from_start: bool,
    },
    /// Export all events of one environment, or of all, as one JSON object per line.
    Export {
        /// The environment; optional if there is only one.
        #[arg(long, value_name = "ENV_ID", conflicts_with = "all")]
        environment: Option<EnvironmentId>,
        /// Export every environment of every tenant, one after another.
        #[arg(long)]
        all: bool,
        /// Start after this event: the `cursor` of its line.
        #[arg(long, value_parser = value::cursor, value_name = "CURSOR")]
        after: Option<EventCursor>,
        /// Export the events as they are stored, with their hashes, for `patron events verify`.
        ///
        /// States of suppressed customers are left out, as if they were erased.
        #[arg(long, conflicts_with_all = ["all", "after"])]
        sealed: bool,
    },
    /// Print the position and hash of an environment's last event.
    ///
    /// The hash covers the whole log. Keep it out of reach of people who can change the database, and give it to
    /// `patron events verify --head` later.
    Head {
        /// The environment; optional if there is only one.
        #[arg(long, value_name = "ENV_ID")]
        environment: Option<EnvironmentId>,
    },
    /// Verify that no event was changed, removed or inserted.
    ///
    /// Verifies the log of an environment, or a file that `patron events export --sealed` has written; that needs no
    /// database. Names the first event that is wrong. Only a head that was kept elsewhere shows that the last events were
    /// removed, or that all hashes were computed again.
    Verify {
        /// The environment; optional if there is only one.
        #[arg(long, value_name = "ENV_ID", conflicts_with = "file")]
        environment: Option<EnvironmentId>,
        /// What `patron events head` printed at an earlier time.
        #[arg(long, value_name = "POSITION:HASH")]
        head: Option<ChainHead>,
        /// A file with a sealed export.
        file: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Webhooks {
    /// Receive webhooks on this machine, verify and print them.
    ///
    /// Prints each delivery as one JSON object per line. A correct signature is answered with 204, any other with 401.
    /// Start the server with PATRON_WEBHOOKS_ALLOW_PRIVATE=true and create an endpoint with the URL
    /// http://127.0.0.1:4000/ (or the port given with --port). Only this machine can reach it.
    ///
    /// The secret of the endpoint (whsec_…) is read from PATRON_LISTEN_SECRET, or from standard input if that is not
    /// set.
    Listen(Listen),
    /// Send events to an endpoint again.
    ///
    /// One event, all events of a time range, or all failed deliveries. A running server sends them within seconds.
    Replay(ReplayFlags),
}

/// Options of the receiver.
#[derive(Debug, Args)]
pub(crate) struct Listen {
    /// The port to listen on, 0 for any free one.
    #[arg(long, value_parser = value::port, default_value = "4000")]
    pub(crate) port: u16,
    /// Rejected with a hint, because other users of the machine could read it.
    #[arg(long, hide = true)]
    pub(crate) secret: Option<String>,
    #[command(flatten)]
    none: NoSettings,
}

/// The events to send again, and their endpoint.
#[derive(Debug, Args)]
pub(crate) struct ReplayFlags {
    /// The endpoint: wh_…
    pub(crate) endpoint: WebhookEndpointId,
    /// One event: evt_…
    #[arg(long, value_name = "EVENT_ID", conflicts_with_all = ["from", "to", "failed"])]
    pub(crate) event: Option<EventId>,
    /// All events since this time, for example 2030-01-31T00:00:00Z.
    #[arg(long, value_parser = Timestamp::parse, value_name = "TIME", requires = "to")]
    pub(crate) from: Option<Timestamp>,
    /// All events up to this time.
    #[arg(long, value_parser = Timestamp::parse, value_name = "TIME", requires = "from")]
    pub(crate) to: Option<Timestamp>,
    /// All deliveries that failed permanently.
    #[arg(long, conflicts_with_all = ["from", "to"])]
    pub(crate) failed: bool,
}
