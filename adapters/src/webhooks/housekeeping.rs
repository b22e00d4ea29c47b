//! Clearing old deliveries away, a little at a time.

use std::{sync::Arc, time::Duration};

use patron_domain::{Clock, store::StoreError, tenancy::SystemScope, webhook::WebhookRepository};

/// The most deliveries that are removed at once.
const STEP: u32 = 200;
/// How long it takes from one step to the next while there is more to remove.
const BREATH: Duration = Duration::from_millis(200);
/// How often is looked whether there is anything.
const PAUSE: Duration = Duration::from_secs(60);

/// Removes deliveries that are through or failed for longer than this, again and again, for as long as the process lives.
/// To be run in a task of its own.
pub async fn forget_deliveries(store: Arc<dyn WebhookRepository>, clock: Arc<dyn Clock>, retention: Duration) {
    loop {
        tokio::time::sleep(PAUSE).await;
        if let Err(error) = remove_old(store.as_ref(), clock.as_ref(), retention).await {
            tracing::warn!(%error, "old webhook deliveries are removed later");
        }
    }
}

async fn remove_old(store: &dyn WebhookRepository, clock: &dyn Clock, retention: Duration) -> Result<(), StoreError> {
    let before = clock.now().earlier(retention);
    while store.remove_deliveries(&SystemScope::patron(), before, STEP).await? == u64::from(STEP) {
        tokio::time::sleep(BREATH).await;
    }
    Ok(())
}
