//! What the black-box tests share: a throw-away PostgreSQL, the real program in a process of its own, and what it takes to
//! load it, to cut it off, and to see what is left.

pub mod audit;
pub mod changes;
pub mod citus;
pub mod load;
pub mod names;
pub mod openapi;
pub mod patron;
pub mod pgbouncer;
pub mod ports;
pub mod postgres;
pub mod proxy;
pub mod receiver;
pub mod requests;
pub mod rounds;
pub mod rows;
pub mod seed;
pub mod surface;
pub mod wait;

/// The guide for those who embed, whose every block of Rust is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../docs/embedding.md")]
pub struct EmbeddingGuide;
