//! `patron-bench`: Patron's benchmarks. `tests/bench` builds and runs it; `docs/benchmarks.md` explains the figures.
//!
//! Both sides of a ratio are measured in one run, in turns. A missed target is printed and is not a failure.

mod bare;
mod cli;
mod client;
mod figures;
mod fill;
mod histogram;
mod load;
mod pgbench;
mod rows;
mod server;
mod sink;
mod sqlite_loop;
mod stage;
mod table;
mod tables;
mod template;
mod turns;

fn main() {
    cli::run();
}
