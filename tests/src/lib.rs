//! What the black-box tests share: a throw-away PostgreSQL, and the real program in a process of its own.

pub mod patron;
pub mod postgres;
pub mod requests;
