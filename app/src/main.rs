//! The binary `patron`. Everything is in the library beside it, so the tests can build the same program.

use std::process::ExitCode;

fn main() -> ExitCode {
    patron::main()
}
