//! Finding customers by a piece of text: one box for names, e-mails, ids and everything else that people remember.
//!
//! [`FindQuery`] says which customers an index has to name, by [`Token`]s. [`Hits`] compares them with the query,
//! and puts them in order. Both are pure functions, so every store finds the same customers.

mod filters;
mod fold;
mod hits;
mod matching;
mod port;
mod query;
mod service;
#[cfg(test)]
mod tests;
mod texts;
mod tokens;

pub use fold::FoldedWords;
pub use hits::{Hit, HitClass, Hits, MatchedText};
#[cfg(any(test, feature = "mock"))]
pub use port::MockCustomerFinder;
pub use port::{CustomerFinder, Named};
pub use query::{FindQuery, FindQueryError, FindStatus, LookUp, Sought};
pub use service::FindService;
pub use texts::TextPath;
pub use tokens::{Token, Tokens};
