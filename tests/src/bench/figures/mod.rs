//! One figure a file.

pub(crate) mod create;
pub(crate) mod disk;
pub(crate) mod effective;
pub(crate) mod erasure;
pub(crate) mod find;
pub(crate) mod generate;
pub(crate) mod get;
pub(crate) mod growth;
pub(crate) mod idempotency;
pub(crate) mod imports;
pub(crate) mod indexes;
pub(crate) mod mix;
pub(crate) mod neighbours;
pub(crate) mod onboarding;
pub(crate) mod overload;
pub(crate) mod parse;
pub(crate) mod past;
pub(crate) mod servers;
mod sizes;
pub(crate) mod start;
pub(crate) mod versions;
pub(crate) mod webhooks;
