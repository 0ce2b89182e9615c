//! The chat widget: built by its own tool chain, embedded by the program.

use std::fs;

use crate::shell::{Error, program, root, run};

/// Makes `console/widget/dist`, which the program embeds.
pub(crate) fn build() -> Result<(), Error> {
    packages()?;
    run(&mut npm(&["run", "--silent", "build"]))
}

/// Format, lints, types, tests; some of them in a browser. What was built is what is tested.
pub(crate) fn check() -> Result<(), Error> {
    let mut check = npm(&["run", "--silent", "check"]);
    run(check.env("RAMAL_TEST_INTEROP", "require"))
}

/// What `package-lock.json` names, unless it was installed already.
fn packages() -> Result<(), Error> {
    let folder = root().join(FOLDER);
    let lock = folder.join("package-lock.json");
    let installed = folder.join(INSTALLED);
    let failed = |error| Error::File(lock.display().to_string(), error);
    let wanted = fs::read(&lock).map_err(failed)?;
    if fs::read(&installed).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    run(&mut npm(&["ci", "--no-audit", "--no-fund"]))?;
    let failed = |error| Error::File(installed.display().to_string(), error);
    fs::write(&installed, wanted).map_err(failed)
}

fn npm(arguments: &[&str]) -> std::process::Command {
    let mut npm = program("npm", &["--prefix", FOLDER]);
    npm.args(arguments);
    npm
}

/// Where it is.
const FOLDER: &str = "console/widget";

/// The lock file as it was installed; `npm ci` empties the folder first.
const INSTALLED: &str = "node_modules/.installed.json";
