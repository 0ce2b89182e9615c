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
                cause.code().is_some_and(|code| is_temporary_code(&code))
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

/// A code of PostgreSQL has five characters, the first two or three its class; one of SQLite is a
/// smaller number, whose low byte is its class.
fn is_temporary_code(code: &str) -> bool {
    if code.len() == 5 {
        // Connection lost, transaction rolled back, out of resources, server shutting down.
        return ["08", "40", "53", "57P"]
            .iter()
            .any(|class| code.starts_with(class));
    }
    // Busy, locked, input or output failed, disk full.
    code.parse::<u32>()
        .is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 10 | 13))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_or_absent_database_is_temporary_and_a_broken_rule_is_not() {
        for code in [
            "5", "517", "261", "6", "13", "778", "40001", "57P01", "08006", "53300",
        ] {
            assert!(is_temporary_code(code), "{code}");
        }
        for code in ["1", "787", "2067", "23505", "42P01", "22P02", ""] {
            assert!(!is_temporary_code(code), "{code}");
        }
    }
}
