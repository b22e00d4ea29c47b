//! `patron privacy`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use patron_domain::{
    ids::{CustomerId, DeletionRequestId, EnvironmentId},
    privacy::{DeletionState, RequestChannel},
};

use super::{settings::NoSettings, value};

#[derive(Debug, Subcommand)]
pub(crate) enum Privacy {
    /// Request the deletion of a customer: it is suppressed at once.
    ///
    /// After the cool-down its personal data is redacted everywhere. Until then `patron privacy cancel` makes it visible
    /// again. A running server does the work.
    Request(RequestFlags),
    /// Cancel a request for deletion during its cool-down.
    Cancel(OneRequest),
    /// Show the requests for deletion, or one of them.
    Status {
        /// The request: delreq_…
        id: Option<DeletionRequestId>,
        /// The environment; optional if there is only one.
        #[arg(long, value_name = "ENV_ID")]
        environment: Option<EnvironmentId>,
        /// Only requests in this state: suppressed, redacting, completed, failed or cancelled.
        #[arg(long, value_name = "STATE")]
        state: Option<DeletionState>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print the signed receipt of a completed erasure.
    Receipt(OneRequest),
    /// Verify a receipt offline, without a database.
    ///
    /// The key file is what GET /v1/privacy/receipt-key returned, or a public key in base64.
    Verify {
        /// The file with the receipt.
        receipt: PathBuf,
        /// The file with the public keys.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        #[command(flatten)]
        none: NoSettings,
    },
    /// Print everything that is held about a customer, as one JSON document.
    Bundle {
        /// The customer: cust_…
        customer: CustomerId,
        /// The environment; optional if there is only one.
        #[arg(long, value_name = "ENV_ID")]
        environment: Option<EnvironmentId>,
        /// Print a page for people instead of JSON.
        #[arg(long)]
        html: bool,
    },
    /// List the customers whose data is about to be redacted.
    Due {
        /// The environment; optional if there is only one.
        #[arg(long, value_name = "ENV_ID")]
        environment: Option<EnvironmentId>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Replace the key that signs receipts.
    ///
    /// The old public key still verifies older receipts.
    RotateKey,
}

/// The customer to delete.
#[derive(Debug, Args)]
pub(crate) struct RequestFlags {
    /// The customer: cust_…
    #[arg(long, value_name = "CUSTOMER_ID", value_parser = value::customer, required_unless_present = "external_id", conflicts_with = "external_id")]
    pub(crate) customer: Option<CustomerId>,
    /// The id of the customer in your own system.
    #[arg(long, value_name = "ID")]
    pub(crate) external_id: Option<String>,
    /// How the person asked: api or written.
    #[arg(long, value_name = "CHANNEL", default_value = "written", value_parser = RequestChannel::of_person)]
    pub(crate) channel: RequestChannel,
    /// How many days the request can be cancelled, 0 to 30.
    #[arg(long, value_name = "DAYS", default_value = "7")]
    pub(crate) cooldown_days: i64,
    /// A note. It is erased with the customer.
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// Only show what would be redacted: the number of records of each category.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The environment; optional if there is only one.
    #[arg(long, value_name = "ENV_ID")]
    pub(crate) environment: Option<EnvironmentId>,
}

/// A request.
#[derive(Debug, Args)]
pub(crate) struct OneRequest {
    /// The request, from `patron privacy status`: delreq_…
    pub(crate) id: DeletionRequestId,
    /// The environment; optional if there is only one.
    #[arg(long, value_name = "ENV_ID")]
    pub(crate) environment: Option<EnvironmentId>,
}
