//! Errors that end the program: one line for a person, and an exit code.

use std::{io::Write, process::ExitCode};

use crate::terminal::Line;

/// An error that ends the program.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    /// The work failed: exit code 1.
    pub(crate) fn failed(message: impl ToString) -> Self {
        Self { message: message.to_string(), code: 1 }
    }

    /// The configuration is wrong: exit code 2, as for a wrong command line.
    pub(crate) fn configuration(message: impl ToString) -> Self {
        Self { message: message.to_string(), code: 2 }
    }

    /// The value of a flag is wrong. The error begins with the flag's name.
    pub(crate) fn flag(error: impl std::fmt::Display) -> Self {
        Self::configuration(format!("--{error}"))
    }

    /// Prints the message on one line.
    pub(crate) fn report(&self) -> ExitCode {
        let line = self.message.replace('\n', " ");
        // Without a standard error there is nowhere to report it.
        let _ = writeln!(std::io::stderr(), "patron: {}", Line(line));
        ExitCode::from(self.code)
    }

    #[cfg(test)]
    pub(crate) fn message(&self) -> &str {
        &self.message
    }
}
