//! The chain of hashes over an environment's events, which shows whether the log was changed.
//!
//! The hash of an event covers its envelope, the hash of the event before it, and a commitment of its state. So it fixes
//! the whole log before it. An erasure removes a state and the salt of its commitment. The commitment stays, tells
//! nothing about the state without the salt, and keeps the chain whole.

mod hash;
mod port;
mod sealed;
mod service;
mod verifier;

pub use hash::{ChainHash, ChainHead, ChainHeadError, Commitment, Salt};
#[cfg(any(test, feature = "mock"))]
pub use port::MockEventChain;
pub use port::{ChainEnds, EventChain};
pub use sealed::SealedEvent;
pub use service::{VerifyError, verify_log};
pub use verifier::{ChainFault, ChainVerifier, Part, Verified};
