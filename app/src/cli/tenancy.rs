//! `patron keys`, `patron tenants`, `patron environments` and `patron secrets`

use clap::{Args, Subcommand};
use patron_domain::{
    ids::{ApiKeyId, EnvironmentId, TenantId},
    network::Network,
    tenancy::{EnvironmentType, PerSecond, Role},
    time::Timestamp,
};

use super::value;

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Create an API key and print it once.
    ///
    /// Only the key is written to standard output. Its details are written to standard error.
    Create {
        /// The environment it belongs to; optional if there is only one.
        #[arg(long, value_name = "ENV_ID")]
        environment: Option<EnvironmentId>,
        /// A name for people.
        #[arg(long)]
        name: String,
        /// Its role: super_admin, tenant_admin, webhook_admin, all_writer or all_reader. May be given several times.
        #[arg(long = "role", required = true, value_name = "ROLE")]
        roles: Vec<Role>,
        /// Its expiry, for example 2030-01-31T00:00:00Z. Without one, the key does not expire.
        #[arg(long, value_parser = Timestamp::parse, value_name = "TIME")]
        expires_at: Option<Timestamp>,
        /// A network that it may be used from, such as 192.0.2.0/24. May be given several times. By default any.
        #[arg(long = "allowed-network", value_name = "NETWORK", value_parser = network)]
        allowed_networks: Vec<Network>,
        /// The most reads per second. By default no limit.
        #[arg(long, value_name = "NUMBER", value_parser = per_second)]
        rate_limit_reads: Option<PerSecond>,
        /// The most writes per second. By default no limit.
        #[arg(long, value_name = "NUMBER", value_parser = per_second)]
        rate_limit_writes: Option<PerSecond>,
    },
    /// Replace an API key by a new one, and print it once.
    ///
    /// The new key has the same name, roles, networks, limits and lifetime. Only the key is written to standard output.
    Rotate {
        /// The id of the key, from `patron keys list`: secret_…
        id: ApiKeyId,
        /// How long the old key stays valid beside the new one, up to 604800 (a week). With 0, it ends at once.
        #[arg(long, value_name = "SECONDS", default_value = "0")]
        overlap_seconds: u32,
    },
    /// List the API keys of an environment, newest first.
    ///
    /// The keys themselves are not stored, so they cannot be shown.
    List {
        /// The environment; optional if there is only one.
        #[arg(long, value_name = "ENV_ID")]
        environment: Option<EnvironmentId>,
        #[command(flatten)]
        list: ListFlags,
    },
    /// Revoke an API key.
    ///
    /// Running servers reject it within 5 seconds.
    Revoke {
        /// The id of the key, from `patron keys list`: secret_…
        id: ApiKeyId,
    },
}

fn network(text: &str) -> Result<Network, String> {
    Network::new(text).map_err(|error| error.to_string())
}

fn per_second(text: &str) -> Result<PerSecond, String> {
    let number = text.parse().unwrap_or_default();
    PerSecond::new(number).map_err(|error| error.to_string())
}

#[derive(Debug, Subcommand)]
pub(crate) enum Tenants {
    /// Create a tenant.
    Create {
        /// A name for people.
        #[arg(long)]
        name: String,
        /// Create the SQLite file if it is missing.
        #[arg(long)]
        create_database: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Suspend a tenant: every request with its keys is rejected.
    ///
    /// Running servers do so within 5 seconds. Webhooks and onboarding of the tenant pause. No data is lost.
    Suspend {
        /// The id of the tenant, from `patron tenants list`: tenant_…
        id: TenantId,
    },
    /// End the suspension of a tenant.
    Resume {
        /// The id of the tenant, from `patron tenants list`: tenant_…
        id: TenantId,
    },
    /// List the tenants, newest first.
    List {
        #[command(flatten)]
        list: ListFlags,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Environments {
    /// Create an environment for a tenant.
    Create {
        /// The tenant; optional if there is only one.
        #[arg(long, value_name = "TENANT_ID")]
        tenant: Option<TenantId>,
        /// A name for people.
        #[arg(long)]
        name: String,
        /// Its type: development or production.
        #[arg(long = "type", value_name = "TYPE")]
        kind: EnvironmentType,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// List the environments of a tenant, newest first.
    List {
        /// The tenant; optional if there is only one.
        #[arg(long, value_name = "TENANT_ID")]
        tenant: Option<TenantId>,
        #[command(flatten)]
        list: ListFlags,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Secrets {
    /// Encrypt all stored secrets with the first key of PATRON_SECRETS_KEY.
    ///
    /// First put the new key before the old one there. Servers may keep running. Afterwards the old key can be removed.
    Rotate,
}

/// How a list is printed.
#[derive(Debug, Args)]
pub(crate) struct ListFlags {
    /// Print JSON instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// The number of entries to skip; at most 1000 are shown.
    #[arg(long, value_parser = value::whole_number, default_value = "0", allow_negative_numbers = true)]
    pub(crate) offset: u64,
}
