//! Tells whoever waits that this process has committed something, perhaps events, so that nobody has to look all the time.

use tokio::sync::Notify;

static WRITTEN: Notify = Notify::const_new();
static WRITTEN_TOO: Notify = Notify::const_new();

/// Something was committed.
pub(crate) fn tell() {
    WRITTEN.notify_one();
    WRITTEN_TOO.notify_one();
}

/// Completes when something was committed by this process since the last time it completed, to whatever database. For one
/// waiter: of several, one at a time is told. What other processes write, or what is written beside customers, tells nobody.
pub async fn written() {
    WRITTEN.notified().await;
}

/// The same for a second waiter: the one that takes the steps of onboarding.
pub async fn written_too() {
    WRITTEN_TOO.notified().await;
}
