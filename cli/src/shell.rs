//! `faultlayer completions` and `faultlayer man`: what a shell and a manual's reader want of the command, made from its own arguments.

use std::fs;
use std::io::{Write, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::{Cli, Outcome};

/// Arguments of `faultlayer completions`.
#[derive(clap::Args)]
#[command(after_help = "  bash: faultlayer completions bash > ~/.local/share/bash-completion/completions/faultlayer
  zsh:  faultlayer completions zsh > \"${fpath[1]}/_faultlayer\"
  fish: faultlayer completions fish > ~/.config/fish/completions/faultlayer.fish")]
pub struct CompletionsArgs {
    /// The shell whose script is printed
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Arguments of `faultlayer man`.
#[derive(clap::Args)]
pub struct ManArgs {
    /// A folder for the pages of the command and of all its subcommands; without it the command's own page is printed
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Prints the script.
pub fn completions(args: &CompletionsArgs) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "faultlayer", &mut script);
    stdout().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints or writes the manual.
pub fn man(args: &ManArgs) -> Outcome {
    let command = Cli::command();
    let Some(folder) = &args.out else {
        clap_mangen::Man::new(command).render(&mut stdout().lock())?;
        return Ok(ExitCode::SUCCESS);
    };
    let said = |error: std::io::Error| format!("--out: cannot write to `{}`: {error}", folder.display());
    fs::create_dir_all(folder).map_err(said)?;
    clap_mangen::generate_to(command, folder).map_err(said)?;
    Ok(ExitCode::SUCCESS)
}
