//! The command line, the commands of the documentation, and the examples.

mod chain;
mod cli;
mod database;
mod deploy;
mod event_commands;
mod examples;
mod files;
mod first_start;
mod generate;
mod messages;
mod pages;

use std::process::Output;

/// One clear line on standard error, and the exit code.
#[track_caller]
fn assert_refused(output: &Output, code: i32, words: &[&str]) {
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let lines: Vec<_> = told.lines().filter(|line| !line.starts_with('{')).collect();
    assert_eq!(output.status.code(), Some(code), "{told}");
    assert_eq!(lines.len(), 1, "{told}");
    for word in words {
        assert!(lines[0].contains(word), "{word:?} is missing in: {told}");
    }
}
