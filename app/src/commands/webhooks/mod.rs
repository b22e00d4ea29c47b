//! `patron webhooks`

mod listen;

use patron_domain::{
    tenancy::SystemScope,
    webhook::{Replay, WebhookService},
};

pub(super) use self::listen::listen;
use super::output;
use crate::{cli::ReplayFlags, failure::Failure};

pub(super) async fn replay(service: &WebhookService, flags: ReplayFlags) -> Result<(), Failure> {
    let ReplayFlags { endpoint, event, from, to, failed } = flags;
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
    let events = if count == 1 { "event" } else { "events" };
    output::line(format_args!("{count} {events} will be sent again"))
}
