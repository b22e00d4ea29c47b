//! The command line.

use std::{net::IpAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand};
use patron_domain::{
    event::EventPosition,
    ids::{ApiKeyId, CustomerId, EnvironmentId, EventId, TenantId, WebhookEndpointId},
    onboarding::RunState,
    tenancy::{EnvironmentType, Role},
    time::Timestamp,
};
use serde::Serialize;

/// A customer registry for billing systems.
///
/// Settings come from flags, then environment variables (PATRON_…), then the configuration file, then defaults.
#[derive(Debug, Parser)]
#[command(name = "patron", version)]
pub(crate) struct Cli {
    /// A configuration file in TOML (or PATRON_CONFIG). Its keys are the variables' names without PATRON_, in lower case.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) settings: SettingFlags,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags for settings; each has a variable of the same name.
#[derive(Debug, Default, Args, Serialize)]
pub(crate) struct SettingFlags {
    /// Where the database is: sqlite://patron.db or postgres://… (PATRON_DATABASE_URL). Put a password into the variable
    /// or the file rather than here, where other users of the machine can see it.
    #[arg(long, global = true, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    database_url: Option<String>,

    /// The address to listen on (PATRON_ADDRESS).
    #[arg(long, global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<IpAddr>,

    /// The port to listen on, 0 for any free one (PATRON_PORT).
    #[arg(long, global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) port: Option<u16>,

    /// How logs look: auto, human or json (PATRON_LOG_FORMAT).
    #[arg(long, global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    log_format: Option<String>,

    /// How much is logged: error, warn, info or debug (PATRON_LOG_LEVEL).
    #[arg(long, global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    log_level: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the HTTP API. On an empty database this also makes a tenant, an environment and a first API key.
    Serve,
    /// Bring the database's tables up to date, and stop.
    Migrate,
    /// Make, list and revoke API keys.
    #[command(subcommand)]
    Keys(Keys),
    /// Make and list tenants.
    #[command(subcommand)]
    Tenants(Tenants),
    /// Make and list environments.
    #[command(subcommand)]
    Environments(Environments),
    /// Follow the log of events, or write it out.
    #[command(subcommand)]
    Events(Events),
    /// Receive webhooks on this machine, or deliver them again.
    #[command(subcommand)]
    Webhooks(Webhooks),
    /// Fill an environment with customers that are made up.
    #[command(subcommand)]
    Customers(Customers),
    /// List onboarding runs that need a person, and retry them.
    #[command(subcommand)]
    Onboarding(Onboarding),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Onboarding {
    /// List onboarding runs, those that failed unless another state is named; 1000 are shown at a time.
    List {
        /// The environment; may be left out when there is only one.
        #[arg(long, value_name = "ENV_ID")]
        environment: Option<EnvironmentId>,
        /// How far the runs are: pending, running, waiting, succeeded, failed or cancelled.
        #[arg(long, value_parser = RunState::parse, default_value = "failed")]
        state: RunState,
        /// Only those behind this customer's: the last of the list before.
        #[arg(long, value_name = "CUSTOMER_ID")]
        after: Option<CustomerId>,
        /// Print JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Go on with a run that has failed. A running server takes it up within seconds.
    Retry {
        /// The customer: cust_…
        customer: CustomerId,
        /// The environment; may be left out when there is only one.
        #[arg(long, value_name = "ENV_ID")]
        environment: Option<EnvironmentId>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Events {
    /// Follow the events of an environment: one JSON object a line, each with its position. Ends with Ctrl+C, and goes on
    /// where it was with --after and the last position. Without a place to begin it shows what happens from now on.
    Tail {
        /// The environment; may be left out when there is only one.
        #[arg(long, value_name = "ENV_ID")]
        environment: Option<EnvironmentId>,
        /// Begin behind this position.
        #[arg(long, value_name = "POSITION", conflicts_with = "from_start")]
        after: Option<EventPosition>,
        /// Begin with the oldest event that is left.
        #[arg(long)]
        from_start: bool,
    },
    /// Write all events of an environment, or of all: one JSON object a line, each with its position.
    Export {
        /// The environment; may be left out when there is only one.
        #[arg(long, value_name = "ENV_ID", conflicts_with = "all")]
        environment: Option<EnvironmentId>,
        /// Every environment of every tenant, one after the other.
        #[arg(long)]
        all: bool,
        /// Begin behind this position.
        #[arg(long, value_name = "POSITION")]
        after: Option<EventPosition>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Webhooks {
    /// Receive webhooks on this machine: verify each delivery and print it, one JSON object a line. A delivery whose
    /// signature is right is answered with 204, any other with 401. Give the server PATRON_WEBHOOKS_ALLOW_PRIVATE=true, and
    /// an endpoint with the URL that is printed first. Only this machine reaches it; the port is --port, or 4000.
    Listen {
        /// The endpoint's secret, as it was shown when the endpoint was made: whsec_…
        #[arg(long)]
        secret: String,
    },
    /// Have events delivered to an endpoint once more: one, those of a time, or all that failed. A running server delivers
    /// them within seconds.
    Replay(ReplayFlags),
}

/// What is to be delivered once more, and where.
#[derive(Debug, Args)]
pub(crate) struct ReplayFlags {
    /// The endpoint: wh_…
    pub(crate) endpoint: WebhookEndpointId,
    /// The event: evt_…
    #[arg(long, value_name = "EVENT_ID", conflicts_with_all = ["from", "to", "failed"])]
    pub(crate) event: Option<EventId>,
    /// The first time, such as 2030-01-31T00:00:00Z.
    #[arg(long, value_parser = Timestamp::parse, value_name = "TIME", requires = "to")]
    pub(crate) from: Option<Timestamp>,
    /// The last time.
    #[arg(long, value_parser = Timestamp::parse, value_name = "TIME", requires = "from")]
    pub(crate) to: Option<Timestamp>,
    /// Everything that failed for good.
    #[arg(long, conflicts_with_all = ["from", "to"])]
    pub(crate) failed: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Make an API key. The key goes to standard output, this once; what is known of it to standard error.
    Create {
        /// The environment it belongs to; may be left out when there is only one.
        #[arg(long, value_name = "ENV_ID")]
        environment: Option<EnvironmentId>,
        /// A name to know it by.
        #[arg(long)]
        name: String,
        /// What it may do: super_admin, all_writer or all_reader. May be given several times.
        #[arg(long = "role", required = true, value_name = "ROLE")]
        roles: Vec<Role>,
        /// Until when it is valid, such as 2030-01-31T00:00:00Z; for ever when left out.
        #[arg(long, value_parser = Timestamp::parse, value_name = "TIME")]
        expires_at: Option<Timestamp>,
    },
    /// List the API keys of an environment, the newest first. Secrets are not kept and so not shown.
    List {
        /// The environment; may be left out when there is only one.
        #[arg(long, value_name = "ENV_ID")]
        environment: Option<EnvironmentId>,
        #[command(flatten)]
        list: ListFlags,
    },
    /// Revoke an API key. Running servers refuse it within 5 seconds.
    Revoke {
        /// The id of the key, as in the list: secret_…
        id: ApiKeyId,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Tenants {
    /// Make a tenant.
    Create {
        /// A name to know it by.
        #[arg(long)]
        name: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// List the tenants, the newest first.
    List {
        #[command(flatten)]
        list: ListFlags,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Environments {
    /// Make an environment of a tenant.
    Create {
        /// The tenant; may be left out when there is only one.
        #[arg(long, value_name = "TENANT_ID")]
        tenant: Option<TenantId>,
        /// A name to know it by.
        #[arg(long)]
        name: String,
        /// What it is for: development or production.
        #[arg(long = "type", value_name = "TYPE")]
        kind: EnvironmentType,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// List the environments of a tenant, the newest first.
    List {
        /// The tenant; may be left out when there is only one.
        #[arg(long, value_name = "TENANT_ID")]
        tenant: Option<TenantId>,
        #[command(flatten)]
        list: ListFlags,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Customers {
    /// Fill an environment with customers that are made up, to see how Patron does at the size you expect. Each is created
    /// as through the API, with its event. The same prefix and seed make the same customers.
    Generate(Generate),
}

/// How customers are made up.
#[derive(Debug, Args)]
pub(crate) struct Generate {
    /// The environment; may be left out when there is only one.
    #[arg(long, value_name = "ENV_ID")]
    pub(crate) environment: Option<EnvironmentId>,
    /// How many, up to 999999999.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=999_999_999))]
    pub(crate) count: u32,
    /// What their external ids begin with; the number of the customer follows, in nine digits.
    #[arg(long, default_value = "generated-")]
    pub(crate) prefix: String,
    /// What their names and all the rest come from.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Leave out those that are there already, as after a run that was stopped.
    #[arg(long = "continue")]
    pub(crate) go_on: bool,
}

/// How lists are shown.
#[derive(Debug, Args)]
pub(crate) struct ListFlags {
    /// Print JSON instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// How many to skip; 1000 are shown at a time.
    #[arg(long, default_value_t = 0)]
    pub(crate) offset: u64,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
