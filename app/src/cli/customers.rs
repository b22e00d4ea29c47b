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
    /// Shows how Patron performs at the size you expect. Each customer is created as through the API, with its event.
    /// The same prefix and seed give the same customers.
    Generate(Generate),
}

/// Options of the generator.
#[derive(Debug, Args)]
pub(crate) struct Generate {
    /// The environment; optional if there is only one.
    #[arg(long, value_name = "ENV_ID")]
    pub(crate) environment: Option<EnvironmentId>,
    /// The number of customers, up to 999999999.
    #[arg(long, value_name = "N", value_parser = value::count, allow_negative_numbers = true)]
    pub(crate) count: u32,
    /// The start of their external ids; the number of the customer follows, in nine digits.
    #[arg(long, default_value = "generated-")]
    pub(crate) prefix: String,
    /// The seed from which names and other fields are derived.
    #[arg(long, value_parser = value::whole_number, default_value = "1", allow_negative_numbers = true)]
    pub(crate) seed: u64,
    /// Skip customers that already exist, for example after an interrupted run.
    #[arg(long = "continue")]
    pub(crate) go_on: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Onboarding {
    /// List onboarding runs, at most 1000 at a time.
    List {
        /// The environment; optional if there is only one.
        #[arg(long, value_name = "ENV_ID")]
        environment: Option<EnvironmentId>,
        /// The state of the runs: pending, running, waiting, succeeded, failed or cancelled.
        #[arg(long, value_parser = RunState::parse, default_value = "failed")]
        state: RunState,
        /// Continue after this customer: the last one of the previous list.
        #[arg(long, value_name = "CUSTOMER_ID")]
        after: Option<CustomerId>,
        /// Print JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Continue a run that has failed.
    ///
    /// A running server picks it up within seconds.
    Retry {
        /// The customer: cust_…
        customer: CustomerId,
        /// The environment; optional if there is only one.
        #[arg(long, value_name = "ENV_ID")]
        environment: Option<EnvironmentId>,
    },
}
