//! Somebody with a browser of their own: a script of Node that drives Chromium by orders.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::peers;

/// A browser, and who sits before it. Dropped, they are killed.
pub(crate) struct Browser {
    process: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Browser {
    /// Starts the script `test/…` of a package of the console.
    pub(crate) fn starts(package: &str, script: &str) -> Self {
        let mut process = Command::new("node")
            .arg(folder(package).join("test").join(script))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts");
        let orders = process.stdin.take().expect("a pipe");
        let answers = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        Self {
            process,
            orders,
            answers,
        }
    }

    /// Does something, or sees it.
    ///
    /// # Panics
    ///
    /// When that cannot be done.
    pub(crate) fn does(&mut self, order: Value) {
        writeln!(self.orders, "{order}").expect("somebody is there");
        let answer = self.answers.next().expect("an answer").expect("text");
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        assert_eq!(answer["done"], order["do"], "{answer}");
    }

    /// A picture of what they see, where `RAMAL_TEST_SCREENS` names a folder for it.
    pub(crate) fn shot(&mut self, name: &str) {
        if let Some(folder) = std::env::var_os("RAMAL_TEST_SCREENS") {
            let path = Path::new(&folder).join(format!("{name}.png"));
            self.does(json!({ "do": "shot", "path": path }));
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Whether a browser, Node and what drives it are there, and the package was built.
///
/// # Panics
///
/// When they are not and the environment has `RAMAL_TEST_INTEROP=require`.
pub(crate) fn can_browse(package: &str, made: &str) -> bool {
    if !peers(&["chromium", "node"]) {
        return false;
    }
    let needed = ["node_modules/playwright-core", made];
    if needed
        .iter()
        .all(|path| folder(package).join(path).exists())
    {
        return true;
    }
    let text = format!("console/{package} is not built; `cargo xtask console` and `widget` do it");
    assert!(
        std::env::var("RAMAL_TEST_INTEROP").as_deref() != Ok("require"),
        "{text}"
    );
    eprintln!("{text}");
    false
}

fn folder(package: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../console")
        .join(package)
}
