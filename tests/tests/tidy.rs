//! Rules about the code, held by a test so that nobody has to remember them.
//!
//! The arrows of the house (README, "Map of the code"), the purity of the cores, SQL in one place,
//! and what a reader should never meet in a tree that is to last.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What a crate may do to the world outside its memory.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Io {
    /// Nothing: time and chance are told.
    Pure,
    /// The database.
    Sql,
    /// Sockets, threads and clocks.
    Sockets,
    /// All of it.
    Everything,
}

/// Each crate of the product: its folder, which of ours it may depend on, what it may do.
const LAYERS: &[(&str, &[&str], Io)] = &[
    ("media-engine", &[], Io::Pure),
    ("ivr", &[], Io::Pure),
    ("gateway/desk", &[], Io::Pure),
    ("gateway/channels", &["desk"], Io::Pure),
    (
        "gateway/exchange",
        &["media-engine", "ivr", "desk"],
        Io::Pure,
    ),
    ("gateway/store", &["desk"], Io::Sql),
    ("media-engine/net", &["media-engine"], Io::Sockets),
    ("gateway/net", &["desk", "channels", "ivr"], Io::Sockets),
    (
        "gateway",
        &[
            "media-engine",
            "media-engine-net",
            "gateway-net",
            "ivr",
            "desk",
            "channels",
            "exchange",
            "store",
        ],
        Io::Everything,
    ),
    // A second opinion of the providers' formats: it must not share a line with the first.
    ("tests/simulators", &[], Io::Sockets),
];

/// Crates through which a pure crate could reach the world.
const IMPURE: &[&str] = &[
    "async-std",
    "axum",
    "hickory-resolver",
    "mio",
    "nix",
    "reqwest",
    "rustix",
    "smol",
    "socket2",
    "sqlx",
    "tokio",
];

/// What must not stand in a source file, and why.
const BANNED: &[(&str, &str)] = &[
    (
        concat!("FIX", "ME"),
        "a known gap is asserted as it is, by a test",
    ),
    (concat!("TO", "DO"), "open an issue, or do it"),
    (
        concat!("#[ign", "ore"),
        "a test that never runs proves nothing",
    ),
    (concat!("unimple", "mented!"), "a stub is a defect"),
];

/// A guide, not a gate, says the style; far beyond it a file surely holds two subjects.
const FILE_LINES_MAX: usize = 1_200;

#[test]
fn nothing_points_up() {
    let ours: BTreeSet<&str> = LAYERS
        .iter()
        .map(|(folder, ..)| crate_name(folder))
        .collect();
    for (folder, allowed, _) in LAYERS {
        for dependency in dependencies(folder) {
            assert!(
                !ours.contains(dependency.as_str()) || allowed.contains(&dependency.as_str()),
                "{folder} must not depend on {dependency}"
            );
        }
    }
}

#[test]
fn pure_crates_cannot_reach_the_world() {
    for (folder, _, io) in LAYERS {
        if *io != Io::Pure {
            continue;
        }
        for dependency in dependencies(folder) {
            assert!(
                !IMPURE.contains(&dependency.as_str()),
                "{folder} is pure and must not depend on {dependency}"
            );
        }
        let lints = read(&root().join(folder).join("clippy.toml"));
        for banned in [
            "Instant::now",
            "SystemTime::now",
            "Timestamp::now",
            "thread::sleep",
            "rand::rng",
        ] {
            assert!(
                lints.contains(banned),
                "{folder}/clippy.toml must forbid {banned}"
            );
        }
    }
}

#[test]
fn pure_crates_read_no_clock_outside_their_tests() {
    for (folder, _, io) in LAYERS {
        if *io != Io::Pure {
            continue;
        }
        for file in sources(&root().join(folder).join("src")) {
            if file.ends_with("tests.rs")
                || file.components().any(|part| part.as_os_str() == "tests")
            {
                continue;
            }
            let text = read(&file);
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for (at, line) in code.lines().enumerate() {
                let line = line.trim_start();
                let clock = ["Instant::now()", "SystemTime::now()", "Timestamp::now()"]
                    .iter()
                    .any(|clock| line.contains(clock));
                assert!(
                    line.starts_with("//") || !clock,
                    "{}:{} reads a clock",
                    file.display(),
                    at + 1
                );
            }
        }
    }
}

#[test]
fn sql_stands_in_the_store_alone() {
    for (folder, _, io) in LAYERS {
        if *io == Io::Sql {
            continue;
        }
        assert!(
            !dependencies(folder).contains("sqlx"),
            "{folder} must go through the store"
        );
    }
}

#[test]
fn no_file_holds_what_a_reader_should_not_meet() {
    for file in sources(&root()) {
        let text = read(&file);
        for (word, why) in BANNED {
            assert!(!text.contains(word), "{} has {word}: {why}", file.display());
        }
        let lines = text.lines().count();
        assert!(
            lines <= FILE_LINES_MAX,
            "{} has {lines} lines: split it by subject",
            file.display()
        );
    }
}

#[test]
fn every_module_says_what_it_is() {
    for file in sources(&root()) {
        let text = read(&file);
        let first = text.lines().next().unwrap_or_default();
        assert!(
            // Tests are about the module beside them, and say so by their name.
            first.starts_with("//!") || file.ends_with("tests.rs"),
            "{} must begin with a module comment",
            file.display()
        );
    }
}

#[test]
fn each_complaint_has_its_test() {
    let complaints = read(&root().join("tests/complaints.md"));
    let rows = complaints
        .lines()
        .filter_map(|line| line.strip_prefix("| "))
        .filter(|row| !row.starts_with("**") && !row.starts_with("fault"));
    let code: String = sources(&root()).iter().map(|file| read(file)).collect();
    let mut faults = 0;
    for row in rows {
        let tests: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "no test is named: {row}");
        for test in tests {
            let stands = code.contains(&format!("fn {test}("));
            assert!(stands, "there is no test {test}: {row}");
        }
        faults += 1;
    }
    assert!(faults >= 25, "{faults} rows were read");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ stands in the checkout")
        .to_path_buf()
}

fn crate_name(folder: &str) -> &str {
    match folder {
        "media-engine/net" => "media-engine-net",
        "gateway/net" => "gateway-net",
        "gateway" => "ramal",
        "tests/simulators" => "ramal-sim",
        other => other.rsplit('/').next().unwrap_or(other),
    }
}

/// The names under `[dependencies]` of the crate in `folder`.
fn dependencies(folder: &str) -> BTreeSet<String> {
    let manifest = read(&root().join(folder).join("Cargo.toml"));
    let mut inside = false;
    let mut names = BTreeSet::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line == "[dependencies]";
        } else if inside {
            let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
            if !name.is_empty() && !name.starts_with('#') {
                names.insert(name.to_owned());
            }
        }
    }
    names
}

/// Every Rust file below `folder` that is ours.
fn sources(folder: &Path) -> Vec<PathBuf> {
    const NOT_OURS: [&str; 5] = ["target", "node_modules", ".git", "data", "dist"];
    let mut files = vec![];
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if path.is_dir() && !NOT_OURS.contains(&name.as_str()) {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
