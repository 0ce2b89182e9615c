//! The program itself, as a person starts it.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

fn program(data: &std::path::Path) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_ramal"));
    for (name, value) in [
        ("RAMAL_HTTP", "127.0.0.1:0"),
        ("RAMAL_SIP", "127.0.0.1:0"),
        ("RAMAL_RTP_PORTS", "41200-41299"),
        ("RAMAL_BROWSER_MEDIA", "127.0.0.1:0"),
        ("RAMAL_LOG", "debug"),
    ] {
        program.env(name, value);
    }
    program.env("RAMAL_DATA", data);
    program
}

#[test]
fn a_log_that_no_terminal_shows_has_no_colours() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut serving = program(folder.path())
        .arg("serve")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program");
    let mut line = String::new();
    let mut log = BufReader::new(serving.stderr.take().expect("a log"));
    log.read_line(&mut line).expect("a line");
    serving.kill().expect("killed");
    serving.wait().expect("its end");
    assert!(line.contains("DEBUG") || line.contains("INFO"), "{line:?}");
    assert!(!line.contains('\x1b'), "{line:?}");
}

#[test]
fn check_refuses_the_log_that_serve_would_refuse() {
    let folder = tempfile::tempdir().expect("a folder");
    for command in ["check", "serve"] {
        let ended = program(folder.path())
            .arg(command)
            .env("RAMAL_LOG", "ramal=loud")
            .output()
            .expect("the program");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(!ended.status.success(), "{command}");
        assert!(said.starts_with("ramal: log: "), "{command}: {said}");
    }
}
