//! Replays the committed fuzz corpus, so that what was found once is never lost again.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sim::fuzz::TARGETS;

#[test]
fn the_corpus_of_each_target_passes() {
    for (name, target) in TARGETS {
        let files = entries(&fuzz().join("corpus").join(name));
        assert!(!files.is_empty(), "{name} has no corpus");
        for file in files {
            // Captured unless the test fails: the last name is the culprit.
            println!("{}", file.display());
            target(&fs::read(&file).expect("a readable file"));
        }
    }
}

#[test]
fn each_target_has_a_program_and_a_corpus_and_the_other_way_round() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(targets, stems(&fuzz().join("corpus")));
    assert_eq!(targets, stems(&fuzz().join("fuzz_targets")));
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).expect("a manifest");
    for name in targets {
        assert!(
            manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")),
            "{name} is no [[bin]]"
        );
    }
}

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths
}

fn stems(folder: &Path) -> BTreeSet<String> {
    let names = entries(folder).into_iter();
    names
        .map(|path| {
            path.file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect()
}
