//! `cargo xtask run`: from a clone to a ringing telephone, and to customers who write.

use std::process::{Child, Command};

use crate::needs;
use crate::pages;
use crate::shell::{Error, program, run as execute, say};

/// Builds the program and the simulator of WhatsApp's providers, and starts both: the program on `./data`
/// with the demo company, which is connected to the simulator.
pub(crate) fn run(arguments: &[String]) -> Result<(), Error> {
    needs::to_run()?;
    pages::build()?;
    let build = [
        "build",
        "--profile",
        "quick",
        "-p",
        "ramal",
        "-p",
        "ramal-sim",
    ];
    execute(&mut program("cargo", &build))?;
    let simulator = Simulator::start()?;
    let mut ramal = built("ramal", &["serve", "--demo"])?;
    // The simulator is on this machine, which nobody else may have the program ask.
    let known = std::env::var("RAMAL_INSIDE").ok();
    let inside = known.map_or_else(
        || SIMULATOR.to_owned(),
        |known| format!("{known},{SIMULATOR}"),
    );
    let arguments = arguments.iter().skip_while(|argument| *argument == "--");
    if std::env::var_os("RAMAL_PUBLIC_URL").is_none() {
        ramal.env("RAMAL_PUBLIC_URL", format!("http://{}", listening()));
    }
    let ended = execute(ramal.env("RAMAL_INSIDE", inside).args(arguments));
    drop(simulator);
    ended
}

/// The simulator, until it is dropped.
struct Simulator(Child);

impl Simulator {
    fn start() -> Result<Self, Error> {
        let target = format!("http://{}", listening());
        let data = std::env::var("RAMAL_DATA").unwrap_or_else(|_| "data".to_owned());
        let logins = format!("{data}/demo-logins.json");
        let words = [
            "--listen", SIMULATOR, "--target", &target, "--demo", &logins,
        ];
        say(&format!("\n» ramal-sim {}", words.join(" ")));
        let started = built("ramal-sim", &words)?.spawn();
        let started = started.map_err(|error| Error::NotStarted("ramal-sim".to_owned(), error));
        started.map(Self)
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // It may have ended by itself, because somebody pressed Ctrl-C.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A program of ours that was built: it lies beside this one.
fn built(name: &str, arguments: &[&str]) -> Result<Command, Error> {
    let ourselves = std::env::current_exe();
    let ourselves = ourselves.map_err(|error| Error::NotStarted(name.to_owned(), error))?;
    let folder = ourselves.ancestors().nth(2).unwrap_or(&ourselves);
    let program = folder.join("quick").join(name);
    Ok(self::program(&program.to_string_lossy(), arguments))
}

/// Where the program listens.
fn listening() -> String {
    std::env::var("RAMAL_HTTP").unwrap_or_else(|_| "127.0.0.1:8080".to_owned())
}

/// Where the simulator listens.
const SIMULATOR: &str = "127.0.0.1:8090";
