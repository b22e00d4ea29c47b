//! The program as it is shipped, built with the tests so that they always run today's code.

use std::process::ExitCode;

fn main() -> ExitCode {
    patron::main()
}
