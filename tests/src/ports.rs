//! Ports for programs that cannot choose one themselves.

use std::{
    hash::{BuildHasher, RandomState},
    net::TcpListener,
};

/// The range: below the ports of outgoing connections, and below those of [`crate::postgres`].
const FIRST: u16 = 10_000;
const COUNT: u16 = 10_000;

/// A free port of 127.0.0.1.
///
/// # Panics
/// When none of a hundred is free.
#[must_use]
pub fn free() -> u16 {
    let random = || FIRST + u16::try_from(RandomState::new().hash_one(()) % u64::from(COUNT)).unwrap_or_default();
    let free = std::iter::repeat_with(random).take(100).find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.expect("a free port")
}
