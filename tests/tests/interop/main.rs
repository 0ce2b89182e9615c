//! The program itself, called over real sockets by peers that are not ours: sipp, baresip, linphone
//! and a browser.
//!
//! ```text
//!  sipp, baresip, Chromium ══SIP and RTP══▶ ramal serve --demo ──▶ SQLite ◀── the test reads the records
//! ```
//!
//! Each test starts a server of its own on free ports and an empty folder, so they run beside each
//! other. They wait for conditions, never for luck. Where a peer is not installed a test says so
//! and passes; `cargo xtask test` sets `RAMAL_TEST_INTEROP=require`, and then its absence is a
//! failure.

#![allow(
    clippy::print_stderr,
    reason = "a test that fails says what the other programs said"
)]

mod agents;
mod baresip;
mod browser;
mod cable;
mod calls;
mod cast;
mod chromium;
mod console;
mod day;
mod dialling;
mod ear;
mod endings;
mod handing_on;
mod handling;
mod keys;
mod killed;
mod linphone;
mod recording;
mod server;
mod sipp;
mod story;
mod supervision;
mod tones;
mod ura;
mod watching;
mod webchat;

/// Whether these programs of the machine are there. Says what to install where they are not.
///
/// # Panics
///
/// When they are not and the environment has `RAMAL_TEST_INTEROP=require`.
fn peers(programs: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_missing = |program: &&&str| {
        !std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
    };
    let missing: Vec<_> = programs.iter().filter(is_missing).collect();
    if missing.is_empty() {
        return true;
    }
    let text = format!(
        "{missing:?} missing; on Debian or Ubuntu: apt-get install sip-tester baresip-core linphone-cli sox multimon-ng chromium"
    );
    assert!(
        std::env::var("RAMAL_TEST_INTEROP").as_deref() != Ok("require"),
        "{text}"
    );
    eprintln!("{text}");
    false
}
