//! Running other programs, and saying so.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Why a command of ours stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The program ran and said no.
    #[error("`{0}` failed ({1})")]
    Failed(String, std::process::ExitStatus),
    /// The program could not be started.
    #[error("`{0}` could not be started: {1}")]
    NotStarted(String, std::io::Error),
    /// A file could not be read or written.
    #[error("{0}: {1}")]
    File(String, std::io::Error),
    /// The machine lacks something; the text says how to get it.
    #[error("{0}")]
    Missing(String),
}

/// Prints one text to the person at the terminal.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// The root of the checkout: the folder above `xtask/`.
pub(crate) fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_path_buf()
}

/// A program to be run in the root of the checkout.
pub(crate) fn program(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(root());
    command
}

/// Says what is run, runs it, and fails when it does.
pub(crate) fn run(command: &mut Command) -> Result<(), Error> {
    let words = words(command);
    say(&format!("\n» {words}"));
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Error::Failed(words, status)),
        Err(error) => Err(Error::NotStarted(words, error)),
    }
}

/// Whether the program runs at all and succeeds, quietly.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

fn words(command: &Command) -> String {
    let mut words = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        words.push(' ');
        words.push_str(&argument.to_string_lossy());
    }
    words
}
