//! The console and the chat widget: built by their own tool chain, embedded by the program.

use std::fs;

use crate::shell::{Error, program, root, run};

/// Makes the `dist` of all, which the program embeds.
pub(crate) fn build() -> Result<(), Error> {
    console()?;
    widget()
}

/// Makes `console/app/dist`.
pub(crate) fn console() -> Result<(), Error> {
    build_in(CONSOLE)
}

/// Makes `console/widget/dist`.
pub(crate) fn widget() -> Result<(), Error> {
    build_in(WIDGET)
}

fn build_in(folder: &str) -> Result<(), Error> {
    packages(folder)?;
    run(&mut npm(folder, &["run", "--silent", "build"]))
}

/// Format, lints, types, tests; some of them in a browser. What was built is what is tested.
pub(crate) fn check() -> Result<(), Error> {
    for folder in [CONSOLE, WIDGET] {
        let mut check = npm(folder, &["run", "--silent", "check"]);
        run(check.env("RAMAL_TEST_INTEROP", "require"))?;
    }
    Ok(())
}

/// What `package-lock.json` names, unless it was installed already.
fn packages(of: &str) -> Result<(), Error> {
    let folder = root().join(of);
    let lock = folder.join("package-lock.json");
    let installed = folder.join(INSTALLED);
    let failed = |error| Error::File(lock.display().to_string(), error);
    let wanted = fs::read(&lock).map_err(failed)?;
    if fs::read(&installed).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    run(&mut npm(of, &["ci", "--no-audit", "--no-fund"]))?;
    let failed = |error| Error::File(installed.display().to_string(), error);
    fs::write(&installed, wanted).map_err(failed)
}

fn npm(folder: &str, arguments: &[&str]) -> std::process::Command {
    let mut npm = program("npm", &["--prefix", folder]);
    npm.args(arguments);
    npm
}

/// Where the console is.
const CONSOLE: &str = "console/app";

/// Where the chat widget is.
const WIDGET: &str = "console/widget";

/// The lock file as it was installed; `npm ci` empties the folder first.
const INSTALLED: &str = "node_modules/.installed.json";
