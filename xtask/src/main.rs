//! The project's own commands, in Rust so that they run wherever the project builds.
//!
//! `cargo xtask` without a word prints what there is. Each command is a module; what the machine
//! must have is in [`needs`], so that a new machine and a developer's laptop are treated by the
//! same list.

mod music;
mod needs;
mod pages;
mod run;
mod shell;
mod sounds;
mod test;
mod voices;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask <command>

  run [-- ARGS]   build the program and start it on SQLite in ./data with a demo company, and beside
                  it the simulator of WhatsApp's providers, to which the company is connected
  console         build the console, which the program embeds
  widget          build the chat widget, which the program embeds
  test            everything that must hold: format, lints, licences, tests, documentation
  sounds          make sounds/ again: words, sentences and the waiting music
                  (--data DIR: where neural voices are; --espeak: without them)
  voices          fetch the neural voice Kokoro-82M, 130 MB (--data DIR: into which data folder)
";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    let outcome = match command.as_str() {
        "run" => run::run(&rest),
        "test" => test::test(),
        "console" => needs::to_run().and_then(|()| pages::console()),
        "widget" => needs::to_run().and_then(|()| pages::widget()),
        "sounds" => sounds::sounds(&rest),
        "voices" => voices::voices(&rest),
        _ => {
            shell::say(USAGE);
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            shell::say(&format!("\nxtask {command}: {error}"));
            ExitCode::FAILURE
        }
    }
}
