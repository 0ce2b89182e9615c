//! `cargo xtask run`: from a clone to a ringing telephone.

use crate::needs;
use crate::shell::{Error, program, run as execute};
use crate::widget;

/// Builds the program and starts it on `./data` with the demo company.
pub(crate) fn run(arguments: &[String]) -> Result<(), Error> {
    needs::to_run()?;
    widget::build()?;
    let mut ramal = program(
        "cargo",
        &[
            "run",
            "--profile",
            "quick",
            "--package",
            "ramal",
            "--",
            "serve",
            "--demo",
        ],
    );
    let arguments = arguments.iter().skip_while(|argument| *argument == "--");
    execute(ramal.args(arguments))
}
