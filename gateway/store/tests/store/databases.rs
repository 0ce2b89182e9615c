//! A fresh database for each test: a SQLite file, or a database on a PostgreSQL server that is
//! started for the test run.
//!
//! PostgreSQL: its programs are looked for in `PATH` and `/usr/lib/postgresql/*/bin`
//! (`apt-get install postgresql`). Where they are missing, the tests on PostgreSQL say so and
//! pass, unless `RAMAL_TEST_POSTGRES=require`, as in CI. One server in the temporary folder, on a
//! Unix socket only, serves all test processes; the last that ends stops it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// Declares a test that runs on both databases.
macro_rules! on_both {
    ($(#[$meta:meta])* async fn $name:ident($store:ident: &Store) $body:block) => {
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn check($store: &store::Store) $body

            #[tokio::test]
            async fn on_sqlite() {
                let database = $crate::databases::Sqlite::new();
                let store = store::Store::open(&database.url()).await.unwrap();
                check(&store).await;
                store.close().await;
            }

            #[tokio::test]
            async fn on_postgresql() {
                let Some(database) = $crate::databases::Postgres::new() else { return };
                let store = store::Store::open(&database.url()).await.unwrap();
                check(&store).await;
                store.close().await;
            }
        }
    };
}
pub(crate) use on_both;

/// A SQLite file in a folder of its own, removed in the end.
pub(crate) struct Sqlite(PathBuf);

impl Sqlite {
    pub(crate) fn new() -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(unique());
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn url(&self) -> String {
        store::sqlite_url(&self.0.join("ramal.db"))
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A database of its own on the shared server, dropped in the end.
pub(crate) struct Postgres {
    name: String,
    server: Server,
}

impl Postgres {
    /// `None` when PostgreSQL is not installed and not required.
    pub(crate) fn new() -> Option<Self> {
        let Some(programs) = programs() else {
            let required = std::env::var("RAMAL_TEST_POSTGRES").is_ok_and(|rule| rule == "require");
            assert!(
                !required,
                "PostgreSQL is required: apt-get install postgresql"
            );
            eprintln!("not tested on PostgreSQL: apt-get install postgresql");
            return None;
        };
        let server = Server::join(programs);
        let name = unique();
        server.sql(&format!("CREATE DATABASE {name}"));
        Some(Self { name, server })
    }

    pub(crate) fn url(&self) -> String {
        format!(
            "postgres://postgres@localhost/{}?host={}",
            self.name,
            self.server.folder.display()
        )
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.server
            .sql(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

/// A share in the server. Two locks in its folder: `gate` is held while somebody starts or stops
/// it, `users` by everybody who uses it; the kernel frees them whatever becomes of a process.
struct Server {
    programs: PathBuf,
    folder: PathBuf,
    gate: File,
    users: File,
}

impl Server {
    fn join(programs: PathBuf) -> Self {
        let version = programs
            .parent()
            .and_then(Path::file_name)
            .unwrap_or_default();
        let root = is_root();
        let folder = std::env::temp_dir().join(format!(
            "ramal-test-postgresql-{}-{}",
            version.to_string_lossy(),
            if root { "root" } else { "user" },
        ));
        fs::create_dir_all(&folder).unwrap();
        let gate = File::create(folder.join("gate")).unwrap();
        let users = File::create(folder.join("users")).unwrap();
        let server = Self {
            programs,
            folder,
            gate,
            users,
        };
        server.gate.lock().unwrap();
        if root {
            run(Command::new("chown").arg("postgres").arg(&server.folder));
        }
        if !server.control(&["status"]).status().unwrap().success() {
            server.start();
        }
        server.users.lock_shared().unwrap();
        server.gate.unlock().unwrap();
        server
    }

    fn start(&self) {
        let data = self.folder.join("data");
        if !data.join("PG_VERSION").exists() {
            let mut initdb = as_postgres(&self.programs.join("initdb"));
            run(initdb
                .args(["--auth=trust", "--username=postgres", "--encoding=UTF8"])
                .args([
                    "--locale=C.UTF-8".as_ref(),
                    "--pgdata".as_ref(),
                    data.as_os_str(),
                ]));
        }
        // Nothing on a network; tests need no sync, the server itself is never killed.
        let options = format!(
            "-c listen_addresses= -c unix_socket_directories={} -c fsync=off -c max_connections=200",
            self.folder.display()
        );
        let log = self.folder.join("log");
        let mut control = self.control(&["start", "--wait", "--silent", "--options", &options]);
        run(control.arg("--log").arg(log));
    }

    fn control(&self, arguments: &[&str]) -> Command {
        let mut command = as_postgres(&self.programs.join("pg_ctl"));
        command
            .args(arguments)
            .arg("--pgdata")
            .arg(self.folder.join("data"));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn sql(&self, statement: &str) {
        run(as_postgres(&self.programs.join("psql"))
            .args([
                "--quiet",
                "--no-psqlrc",
                "--username=postgres",
                "--dbname=postgres",
            ])
            .arg("--host")
            .arg(&self.folder)
            .args(["--command", statement]));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.gate.lock();
        let _ = self.users.unlock();
        if self.users.try_lock().is_ok() {
            let _ = self
                .control(&["stop", "--wait", "--mode=immediate"])
                .status();
        }
        let _ = self.gate.unlock();
    }
}

/// The folder with PostgreSQL's programs, the newest version first.
fn programs() -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|entries| {
            entries
                .flatten()
                .map(|entry| entry.path().join("bin"))
                .collect()
        })
        .unwrap_or_default();
    folders.sort();
    folders.reverse();
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    folders
        .into_iter()
        .find(|folder| folder.join("initdb").exists())
}

/// PostgreSQL refuses to run as root.
fn as_postgres(program: &Path) -> Command {
    if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command.current_dir("/");
        command
    } else {
        Command::new(program)
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

fn run(command: &mut Command) {
    // Not through pipes: the server that a command starts would hold them open for ever.
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{command:?}: {status}");
}

fn unique() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!(
        "store_{}_{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    )
}
