//! Tells whoever waits that this process has committed something, perhaps events, so that nobody has to look all the time.

use tokio::sync::Notify;

static WRITTEN: Notify = Notify::const_new();

/// Something was committed.
pub(crate) fn tell() {
    WRITTEN.notify_one();
}

/// Completes when something was committed by this process since the last time it completed, to whatever database. For one
/// waiter: of several, one at a time is told. What other processes write, or what is written beside customers, tells nobody.
pub async fn written() {
    WRITTEN.notified().await;
}
