//! Waiting for other processes. A wait does not depend on how busy the machine is: it ends when its condition holds, and
//! fails only after a generous timeout.

use std::{
    fmt::Debug,
    time::{Duration, Instant},
};

/// How long a test waits for something before it fails.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// The pause between two checks.
const PAUSE: Duration = Duration::from_millis(50);

/// Repeats a check until it succeeds, and returns its result.
///
/// # Panics
/// When it does not succeed within [`TIMEOUT`]; the message shows the last failure.
pub async fn until<T, S: Debug>(mut look: impl AsyncFnMut() -> Result<T, S>) -> T {
    let begun = Instant::now();
    loop {
        match look().await {
            Ok(found) => return found,
            Err(seen) => assert!(begun.elapsed() < TIMEOUT, "not within {TIMEOUT:?}: {seen:#?}"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}
