//! Opening the database, and transactions.

use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::{AnyConnection, AnyPool, Executor};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::Error;

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file in the data folder; the default.
    Sqlite,
    /// A server.
    Postgres,
}

/// The database, opened and migrated. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Store {
    pool: AnyPool,
    kind: Kind,
    /// SQLite has one writer at a time. Taking turns here is fair and wakes the next at once;
    /// SQLite's own waiting polls and can starve a handler behind the writer of calls.
    turn: Arc<Mutex<()>>,
}

impl Store {
    /// Opens the database at `url` and brings its structure up to date.
    ///
    /// `sqlite:PATH` (made when missing; its folder must exist) or `postgres://…`.
    pub async fn open(url: &str) -> Result<Self, Error> {
        sqlx::any::install_default_drivers();
        let (kind, url) = address(url)?;
        let pool = AnyPoolOptions::new()
            .max_connections(CONNECTIONS_MAX)
            .acquire_timeout(CONNECTION_WAIT_MAX)
            // A server may have gone since; a file has not, and asking costs as much as a row.
            .test_before_acquire(kind == Kind::Postgres)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if kind == Kind::Sqlite {
                        connection.execute(SQLITE_SETTINGS).await?;
                    }
                    Ok(())
                })
            })
            .connect(&url)
            .await?;
        MIGRATIONS.run(&pool).await?;
        Ok(Self {
            pool,
            kind,
            turn: Arc::default(),
        })
    }

    /// Which database it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The connections, for statements that only read. Writes go through [`Store::begin`].
    pub fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// Begins a transaction that may write. Dropped without a commit, it never was.
    pub async fn begin(&self) -> Result<Transaction, Error> {
        match self.kind {
            Kind::Sqlite => {
                let turn = Arc::clone(&self.turn).lock_owned().await;
                // IMMEDIATE takes the write lock now: a transaction that read first and then
                // found another writer would fail at once instead of waiting.
                let inner = self.pool.begin_with("BEGIN IMMEDIATE").await?;
                Ok(Transaction {
                    inner,
                    _turn: Some(turn),
                })
            }
            Kind::Postgres => Ok(Transaction {
                inner: self.pool.begin().await?,
                _turn: None,
            }),
        }
    }

    /// Closes all connections; SQLite then folds its log into the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Whether the database answers, for `/health`.
    pub async fn ping(&self) -> Result<(), Error> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }
}

/// A transaction that may write. Give `&mut *transaction` to the functions of the nouns.
#[derive(Debug)]
pub struct Transaction {
    // Before the turn: dropped first, so that the roll-back is under way when the next begins.
    inner: sqlx::Transaction<'static, sqlx::Any>,
    _turn: Option<OwnedMutexGuard<()>>,
}

impl Transaction {
    /// Makes all of it durable and seen by others.
    pub async fn commit(self) -> Result<(), Error> {
        Ok(self.inner.commit().await?)
    }
}

impl Deref for Transaction {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.inner
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }
}

/// The address of a SQLite file for [`Store::open`], whatever characters its path has.
pub fn sqlite_url(path: &Path) -> String {
    let mut url = "sqlite:".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'~' => url.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => url.push(char::from(*byte)),
            byte => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url
}

fn address(url: &str) -> Result<(Kind, String), Error> {
    let scheme = url.split(':').next().unwrap_or_default();
    match scheme {
        "sqlite" if url.contains("mode=") => Ok((Kind::Sqlite, url.to_owned())),
        "sqlite" => {
            let joint = if url.contains('?') { '&' } else { '?' };
            Ok((Kind::Sqlite, format!("{url}{joint}mode=rwc")))
        }
        "postgres" | "postgresql" => Ok((Kind::Postgres, url.to_owned())),
        _ => Err(Error::Address {
            scheme: scheme.to_owned(),
        }),
    }
}

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations");

/// A log beside the file lets readers go on while one writes; FULL puts each commit on disk
/// before it is acknowledged.
const SQLITE_SETTINGS: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; \
    PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";

/// Connections of one process: a handful of handlers at once, the writer, and no more than a
/// tenth of what a PostgreSQL server allows by default.
const CONNECTIONS_MAX: u32 = 10;

/// How long a handler waits for a connection before it answers 503.
const CONNECTION_WAIT_MAX: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_its_database() {
        let told = |url: &str| address(url).ok();
        assert_eq!(
            told("sqlite:a.db"),
            Some((Kind::Sqlite, "sqlite:a.db?mode=rwc".into()))
        );
        assert_eq!(
            told("sqlite:a.db?mode=ro"),
            Some((Kind::Sqlite, "sqlite:a.db?mode=ro".into()))
        );
        assert_eq!(
            told("postgres://h/d"),
            Some((Kind::Postgres, "postgres://h/d".into()))
        );
        let odd = sqlite_url(Path::new("/a b/?.db"));
        assert_eq!(odd, "sqlite:/a%20b/%3F.db");
        assert!(told("mysql://h/d").is_none() && told("").is_none());
    }
}
