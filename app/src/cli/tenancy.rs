//! `patron keys`, `patron tenants` and `patron environments`

use clap::{Args, Subcommand};
use patron_domain::{
    ids::{ApiKeyId, EnvironmentId, TenantId},
    tenancy::{EnvironmentType, Role},
    time::Timestamp,
};

use super::value;

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Make an API key, and print it this once.
    ///
    /// The key alone goes to standard output, what is known of it to standard error.
    Create {
        /// The environment it belongs to; may be left out when there is only one.
        #[arg(long, value_name = "ENV_ID")]
        environment: Option<EnvironmentId>,
        /// A name to recognise it by.
        #[arg(long)]
        name: String,
        /// What it may do: super_admin, all_writer or all_reader. Can be given several times.
        #[arg(long = "role", required = true, value_name = "ROLE")]
        roles: Vec<Role>,
        /// Until when it is valid, such as 2030-01-31T00:00:00Z; for ever when left out.
        #[arg(long, value_parser = Timestamp::parse, value_name = "TIME")]
        expires_at: Option<Timestamp>,
    },
    /// List the API keys of an environment, the newest first.
    ///
    /// The keys themselves are not stored, and so not shown.
    List {
        /// The environment; may be left out when there is only one.
        #[arg(long, value_name = "ENV_ID")]
        environment: Option<EnvironmentId>,
        #[command(flatten)]
        list: ListFlags,
    },
    /// Revoke an API key.
    ///
    /// Running servers refuse it within 5 seconds.
    Revoke {
        /// The id of the key, as `patron keys list` shows it: secret_…
        id: ApiKeyId,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Tenants {
    /// Make a tenant.
    Create {
        /// A name to recognise it by.
        #[arg(long)]
        name: String,
        /// Make the SQLite file if it does not exist.
        #[arg(long)]
        create_database: bool,
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
        /// A name to recognise it by.
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

/// How lists are shown.
#[derive(Debug, Args)]
pub(crate) struct ListFlags {
    /// Print JSON instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// How many to skip; 1000 are shown at a time.
    #[arg(long, value_parser = value::whole_number, default_value = "0", allow_negative_numbers = true)]
    pub(crate) offset: u64,
}
