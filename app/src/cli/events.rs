//! `patron events` and `patron webhooks`

use clap::{Args, Subcommand};
use patron_domain::{
    event::EventPosition,
    ids::{EnvironmentId, EventId, WebhookEndpointId},
    time::Timestamp,
};

use super::{settings::NoSettings, value};

#[derive(Debug, Subcommand)]
pub(crate) enum Events {
    /// Follow the events of an environment, one JSON object a line.
    ///
    /// Shows what happens from now on, unless a place to begin is given. Ends with Ctrl+C; --after with the last position
    /// goes on from there.
    Tail {
        /// The environment; may be left out when there is only one.
        #[arg(long, value_name = "ENV_ID")]
        environment: Option<EnvironmentId>,
        /// Begin behind this position.
        #[arg(long, value_parser = value::position, value_name = "POSITION", conflicts_with = "from_start")]
        after: Option<EventPosition>,
        /// Begin with the oldest event that is left.
        #[arg(long)]
        from_start: bool,
    },
    /// Write all events of an environment, or of all, one JSON object a line.
    Export {
        /// The environment; may be left out when there is only one.
        #[arg(long, value_name = "ENV_ID", conflicts_with = "all")]
        environment: Option<EnvironmentId>,
        /// Every environment of every tenant, one after the other.
        #[arg(long)]
        all: bool,
        /// Begin behind this position.
        #[arg(long, value_parser = value::position, value_name = "POSITION")]
        after: Option<EventPosition>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Webhooks {
    /// Receive webhooks on this machine, verify and print them.
    ///
    /// Each delivery is one JSON object a line. One with the right signature is answered with 204, any other with 401.
    /// Start the server with PATRON_WEBHOOKS_ALLOW_PRIVATE=true, and make an endpoint with the URL http://127.0.0.1:4000/,
    /// or that of another --port: only this machine can reach it.
    ///
    /// The secret of the endpoint (whsec_…) is read from PATRON_LISTEN_SECRET, or else from standard input.
    Listen(Listen),
    /// Deliver events to an endpoint again.
    ///
    /// One event, those of a time, or all that failed. A running server sends them within seconds.
    Replay(ReplayFlags),
}

/// How webhooks are received.
#[derive(Debug, Args)]
pub(crate) struct Listen {
    /// The port to listen on, 0 for any free one.
    #[arg(long, value_parser = value::port, default_value = "4000")]
    pub(crate) port: u16,
    /// Refused, with a hint: other users of the machine could read it.
    #[arg(long, hide = true)]
    pub(crate) secret: Option<String>,
    #[command(flatten)]
    none: NoSettings,
}

/// What is delivered again, and where.
#[derive(Debug, Args)]
pub(crate) struct ReplayFlags {
    /// The endpoint: wh_…
    pub(crate) endpoint: WebhookEndpointId,
    /// One event: evt_…
    #[arg(long, value_name = "EVENT_ID", conflicts_with_all = ["from", "to", "failed"])]
    pub(crate) event: Option<EventId>,
    /// All events from this time on, such as 2030-01-31T00:00:00Z.
    #[arg(long, value_parser = Timestamp::parse, value_name = "TIME", requires = "to")]
    pub(crate) from: Option<Timestamp>,
    /// All events up to this time.
    #[arg(long, value_parser = Timestamp::parse, value_name = "TIME", requires = "from")]
    pub(crate) to: Option<Timestamp>,
    /// Everything that failed for good.
    #[arg(long, conflicts_with_all = ["from", "to"])]
    pub(crate) failed: bool,
}
