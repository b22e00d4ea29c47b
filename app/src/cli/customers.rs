//! `patron customers` and `patron onboarding`

use clap::{Args, Subcommand};
use patron_domain::{
    ids::{CustomerId, EnvironmentId},
    onboarding::RunState,
};

use super::value;

#[derive(Debug, Subcommand)]
pub(crate) enum Customers {
    /// Fill an environment with made-up customers.
    ///
    /// Shows how Patron does at the size you expect. Each is created as through the API, with its event. The same prefix
    /// and seed make the same customers.
    Generate(Generate),
}

/// How customers are made up.
#[derive(Debug, Args)]
pub(crate) struct Generate {
    /// The environment; may be left out when there is only one.
    #[arg(long, value_name = "ENV_ID")]
    pub(crate) environment: Option<EnvironmentId>,
    /// How many, up to 999999999.
    #[arg(long, value_name = "N", value_parser = value::count, allow_negative_numbers = true)]
    pub(crate) count: u32,
    /// What their external ids begin with; the number of the customer follows, in nine digits.
    #[arg(long, default_value = "generated-")]
    pub(crate) prefix: String,
    /// A number that their names and other fields are drawn from.
    #[arg(long, value_parser = value::whole_number, default_value = "1", allow_negative_numbers = true)]
    pub(crate) seed: u64,
    /// Leave out those that exist already, as after a run that was stopped.
    #[arg(long = "continue")]
    pub(crate) go_on: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Onboarding {
    /// List onboarding runs, at most 1000 at a time.
    List {
        /// The environment; may be left out when there is only one.
        #[arg(long, value_name = "ENV_ID")]
        environment: Option<EnvironmentId>,
        /// The state of the runs: pending, running, waiting, succeeded, failed or cancelled.
        #[arg(long, value_parser = RunState::parse, default_value = "failed")]
        state: RunState,
        /// Go on behind this customer: the last one of the list before.
        #[arg(long, value_name = "CUSTOMER_ID")]
        after: Option<CustomerId>,
        /// Print JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Continue a run that has failed.
    ///
    /// A running server takes it up within seconds.
    Retry {
        /// The customer: cust_…
        customer: CustomerId,
        /// The environment; may be left out when there is only one.
        #[arg(long, value_name = "ENV_ID")]
        environment: Option<EnvironmentId>,
    },
}
