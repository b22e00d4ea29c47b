//! The command line, the commands of the documentation, and the examples.

mod cli;
mod event_commands;
mod examples;
mod generate;
mod guide;
