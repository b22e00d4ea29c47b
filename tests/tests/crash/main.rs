//! Patron, its database and the network between them fail under load: nothing that was acknowledged is lost. A few rounds
//! each; `tests/crash` runs more, and chooses by the names of these modules.

mod database;
mod durability;
mod server;
mod webhooks;
