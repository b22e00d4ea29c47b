//! `patron-bench`: the figures by which Patron is judged. `tests/bench` builds and runs it; `docs/benchmarks.md` explains.
//!
//! Both sides of a ratio are measured in one run, in turns. Nothing here judges: a missed target is printed, no failure.

mod bare;
mod cli;
mod client;
mod figures;
mod histogram;
mod load;
mod pgbench;
mod rows;
mod rows_postgres;
mod rows_sqlite;
mod server;
mod sink;
mod sqlite_loop;
mod stage;
mod table;
mod template;
mod turns;

fn main() {
    cli::run();
}
