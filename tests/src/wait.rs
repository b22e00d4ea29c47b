//! Waiting for what other processes do. Nothing here depends on how busy the machine is: a wait ends when what is waited for
//! has happened, and gives up after far longer than that takes anywhere.

use std::{
    fmt::Debug,
    time::{Duration, Instant},
};

/// How long a test waits for something before it fails.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// How long it rests between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// Looks again and again until what is looked for is found.
///
/// # Panics
/// When it is not found within [`TIMEOUT`]; the message shows what the last look saw instead.
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
