//! `patron completions` and `patron man`: generated from the definition of the command line.

use std::{fs, path::Path};

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man as Page;

use super::output;
use crate::{
    cli::{Cli, Man},
    failure::Failure,
};

const NAME: &str = "patron";

/// Prints the completion script for a shell.
pub(super) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), NAME, &mut script);
    output::text(&script)
}

/// Prints the manual page of a command, or writes the pages of all commands.
pub(super) fn man(man: &Man) -> Result<(), Failure> {
    if let Some(folder) = &man.folder {
        return write_all(folder);
    }
    let mut root = Cli::command();
    root.build();
    let mut command = &root;
    for name in man.command.iter().skip_while(|name| *name == NAME) {
        let below = command.find_subcommand(name).filter(|below| below.get_name() != "help");
        command = below.ok_or_else(|| {
            let known: Vec<_> = command.get_subcommands().map(clap::Command::get_name).collect();
            let known = known.into_iter().filter(|known| *known != "help").collect::<Vec<_>>().join(", ");
            let parent = command.get_bin_name().unwrap_or(NAME);
            Failure::configuration(if known.is_empty() {
                format!(
                    "`{parent}` has no commands below it: `patron man` takes the name of a command, such as keys create"
                )
            } else {
                format!("`{parent}` has no command {name}; its commands are {known}")
            })
        })?;
    }
    let mut page = Vec::new();
    Page::new(command.clone()).render(&mut page).map_err(Failure::failed)?;
    output::text(&page)
}

fn write_all(folder: &Path) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        let folder = folder.display();
        Failure::failed(format!(
            "cannot write the manual pages to {folder}: {error}; choose another folder with --folder"
        ))
    };
    fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(Cli::command(), folder).map_err(failed)?;
    output::line(format_args!("the manual pages are in {}", folder.display()))
}
