//! Webhook delivery: the vault for secrets, the sender of single requests, and the relay that reads the log.

mod client;
mod names;
mod readers;
mod relay;
mod resolver;
mod retry_after;
mod sender;
mod vault;

pub use readers::EndpointReaders;
pub use relay::{Budget, Relay, Stop};
pub use sender::HttpSender;
pub(crate) use sender::{Response, signed};
pub use vault::{KeyVault, SealingKey, SealingKeyError};
