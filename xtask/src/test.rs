//! `cargo xtask test`: everything that must hold, in the order in which it is cheapest to fail.

use crate::needs;
use crate::pages;
use crate::shell::{Error, program, run, say, succeeds};

/// Runs it all; the first thing that fails ends the run.
pub(crate) fn test() -> Result<(), Error> {
    needs::to_test()?;
    run(&mut program("cargo", &["fmt", "--all", "--check"]))?;
    licences()?;
    pages::build()?;
    pages::check()?;
    run(&mut program(
        "cargo",
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ],
    ))?;
    // The whole workspace, so that its crates have the same features as in the tests.
    run(&mut program("cargo", &["build", "--workspace", "--locked"]))?;
    let mut tests = program("cargo", &["nextest", "run", "--workspace", "--locked"]);
    // Here PostgreSQL and the peers of the interop tests are needs, so their absence is a failure;
    // a bare `cargo nextest run` on a laptop may go without.
    tests
        .env("RAMAL_TEST_POSTGRES", "require")
        .env("RAMAL_TEST_INTEROP", "require");
    if let Ok(xtask) = std::env::current_exe() {
        // Both were built by the same cargo into the same folder.
        tests.env("RAMAL_TEST_PROGRAM", xtask.with_file_name("ramal"));
    }
    run(&mut tests)?;
    run(&mut program(
        "cargo",
        &["test", "--workspace", "--doc", "--locked", "--quiet"],
    ))?;
    let mut documentation = program(
        "cargo",
        &["doc", "--workspace", "--no-deps", "--locked", "--quiet"],
    );
    run(documentation.env("RUSTDOCFLAGS", "-D warnings"))
}

/// Licences, bans and sources always; advisories where their database can be reached.
fn licences() -> Result<(), Error> {
    run(&mut program(
        "cargo",
        &["deny", "check", "bans", "licenses", "sources"],
    ))?;
    if succeeds(&mut program("cargo", &["deny", "fetch", "db"])) {
        run(&mut program("cargo", &["deny", "check", "advisories"]))
    } else {
        say("advisories were not checked: their database cannot be reached from here");
        Ok(())
    }
}
