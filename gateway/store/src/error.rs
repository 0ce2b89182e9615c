//! What can go wrong with a statement, by whose fault it is.

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A name, number or address that must be unique is taken. The asker's fault: 409.
    #[error("it exists already")]
    Taken,
    /// It refers to something that does not exist, or something refers to what was to be
    /// deleted. The asker's fault: 409 or 422.
    #[error("what it refers to does not exist, or something refers to it")]
    Reference,
    /// The database cannot be reached, is full or is broken. Not the asker's fault: 503; the
    /// cause goes to the log and not on the wire.
    #[error("the database failed")]
    Storage(#[source] sqlx::Error),
    /// The database's structure could not be brought up to date.
    #[error("the database could not be migrated")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The configured address of the database is none.
    #[error("a database is `sqlite:PATH` or `postgres://…`, not {scheme:?}")]
    Address {
        /// What stood before the colon.
        scheme: String,
    },
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error() {
            Some(cause) if cause.is_unique_violation() => Self::Taken,
            Some(cause) if cause.is_foreign_key_violation() => Self::Reference,
            _ => Self::Storage(error),
        }
    }
}

impl Error {
    /// Whether the same statement may succeed later, as nothing was wrong with it.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Storage(sqlx::Error::Database(cause)) => {
                // SQLite: busy, locked. PostgreSQL: serialization failure, deadlock, shutting
                // down, starting up, too many connections, disk full.
                const CODES: &[&str] = &[
                    "5", "6", "517", "261", "40001", "40P01", "57P01", "57P02", "57P03", "53300",
                    "53100",
                ];
                cause
                    .code()
                    .is_some_and(|code| CODES.contains(&code.as_ref()))
            }
            Self::Storage(cause) => matches!(
                cause,
                sqlx::Error::Io(_)
                    | sqlx::Error::PoolTimedOut
                    | sqlx::Error::Protocol(_)
                    | sqlx::Error::WorkerCrashed
            ),
            Self::Taken | Self::Reference | Self::Migration(_) | Self::Address { .. } => false,
        }
    }
}
