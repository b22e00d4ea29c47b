//! Has the linker put the functions of `at-rest.txt` next to each other: those that `patron serve` runs from its start until
//! it rests.
//!
//! The system maps a program's file 16 pages at a time around each that is used. What runs at rest is a sixth of the code and
//! was spread over all of it, so 11.2 of 14.3 MiB were in memory. Side by side they are 5.4: VmRSS at rest is 5.6 MiB less.
//!
//! The names in the list bear no hashes, so it serves other versions of the compiler and of the libraries too; a name that no
//! function has any more is passed over, and a function that is missing costs at most 64 KiB. `tests/at-rest` writes the list.

use std::{env, error::Error, fmt::Write, fs, path::Path};

const LIST: &str = "at-rest.txt";
/// Linkers that are left alone: `INSERT`, by which a script adds to the linker's own rather than to replace it, is refused by
/// gold, and was not tried with mold.
const WITHOUT_INSERT: [&str; 2] = ["mold", "gold"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={LIST}");
    println!("cargo::rerun-if-env-changed=RUSTC_LINKER");
    let variable = |name| env::var(name).unwrap_or_default();
    // How a linker is chosen: RUSTFLAGS and their like in Cargo's configuration, or its `linker`.
    let linker = variable("CARGO_ENCODED_RUSTFLAGS") + &variable("RUSTC_LINKER");
    let serves = variable("CARGO_CFG_TARGET_OS") == "linux" && !WITHOUT_INSERT.iter().any(|name| linker.contains(name));
    if serves && variable("PROFILE") == "release" {
        let script = Path::new(&env::var("OUT_DIR")?).join("at-rest.ld");
        fs::write(&script, section(&fs::read_to_string(LIST)?)?)?;
        println!("cargo::rustc-link-arg-bins=-T{}", script.display());
    }
    Ok(())
}

/// The linker's script: every function is in a section of its own, which is named after it, and differently when the compiler
/// holds it unlikely to run.
fn section(list: &str) -> Result<String, std::fmt::Error> {
    let mut script = "SECTIONS\n{\n.text.at_rest :\n{\n".to_owned();
    for name in list.lines().filter(|line| !line.starts_with('#')) {
        writeln!(script, "*(.text.{name} .text.unlikely.{name})")?;
    }
    script += "}\n}\nINSERT BEFORE .text;\n";
    Ok(script)
}
