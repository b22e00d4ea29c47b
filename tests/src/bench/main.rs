//! `patron-bench`: the figures by which Patron is judged. `tests/bench` builds and runs it; `docs/benchmarks.md` explains.
//!
//! Both sides of a ratio are measured in one run, in turns. Nothing here judges: a missed target is printed, no failure.

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
