//! `patron webhooks`

mod listen;

use patron_domain::{
    tenancy::SystemScope,
    webhook::{Replay, WebhookService},
};

pub(super) use self::listen::listen;
use super::output;
use crate::{cli::Webhooks, failure::Failure};

pub(super) async fn replay(service: &WebhookService, command: Webhooks) -> Result<(), Failure> {
    let Webhooks::Replay { endpoint, event, from, to, failed } = command else {
        return Err(Failure::failed("listening needs no database"));
    };
    let what = match (event, from.zip(to), failed) {
        (Some(event), None, false) => Replay::Event(event),
        (None, Some((from, to)), false) => Replay::between(from, to).ok_or_else(|| {
            Failure::configuration("--to must not lie before --from: give the earlier time to --from")
        })?,
        (None, None, true) => Replay::Failed,
        _ => {
            return Err(Failure::configuration(
                "say what to replay: --event EVENT_ID, --from TIME --to TIME, or --failed",
            ));
        }
    };
    let count = service.replay_any(&SystemScope::patron(), endpoint, what).await.map_err(Failure::failed)?;
    output::line(format_args!("{count} to be delivered again"))
}
