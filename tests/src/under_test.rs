//! The program as shipped, built with the tests so that they always run the current code.

use std::process::ExitCode;

fn main() -> ExitCode {
    patron::main()
}
