//! `patron secrets`

use patron_adapters::persistence::Database;
use patron_domain::{
    tenancy::SystemScope,
    webhook::{Resealed, WebhookService},
};

use super::output;
use crate::{cli::Secrets, config::Settings, failure::Failure};

pub(super) async fn run(
    settings: &Settings,
    database: &Database,
    webhooks: &WebhookService,
    command: Secrets,
) -> Result<(), Failure> {
    let Secrets::Rotate = command;
    if settings.webhooks.secrets_keys.is_empty() {
        return Err(Failure::configuration(
            "PATRON_SECRETS_KEY is not set: set it to the new key and the old one, as in NEW,OLD",
        ));
    }
    let resealed = database.secrets.reseal(&SystemScope::patron(), webhooks.vault.clone()).await;
    let Resealed { sealed, kept, unreadable } = resealed.map_err(Failure::failed)?;
    output::line(format_args!(
        "encrypted the secrets of {sealed} endpoints, workflows and keys with the first key; {kept} others already were"
    ))?;
    match unreadable {
        0 => Ok(()),
        some => Err(Failure::failed(format!(
            "the secrets of {some} endpoints, workflows and keys cannot be decrypted: add the key that encrypted them to \
             PATRON_SECRETS_KEY, or replace the secrets (rotate-secret of an endpoint, rotate_secret of a workflow)"
        ))),
    }
}
