//! What only PostgreSQL can suffer: lost connections, other instances, locks, and how the store takes it.

mod connections;
mod errors;
mod locks;
mod plans;
mod poolers;
mod standby;
mod start;
mod turns;
mod world;
