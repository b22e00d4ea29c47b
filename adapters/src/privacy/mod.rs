//! Erasing customers in the background, and the keys for it.

mod job;
mod keys;
mod retention;

pub use job::{ErasureJob, Stop};
pub use keys::{PrivacyKeys, verifies};
pub use retention::RetentionTurns;
