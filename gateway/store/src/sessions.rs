//! SQL of sessions: log-ins of people, each in one browser.

use desk::id::{SessionId, UserId};
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

use crate::row::Columns;
use crate::{Error, users};

/// A log-in. The secret in the cookie is not here, only its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id, by which an administrator ends it.
    pub id: SessionId,
    /// Who logged in.
    pub user: UserId,
    /// SHA-256 of the secret in the cookie, in lower-case hexadecimal.
    pub token_hash: String,
    /// What unsafe requests must carry beside the cookie.
    pub csrf: String,
    /// When they logged in.
    pub created_ms: i64,
    /// When it was last used, as coarsely as the gateway tells it.
    pub last_seen_ms: i64,
    /// When it ends by itself.
    pub expires_ms: i64,
    /// The address they logged in from.
    pub remote: String,
    /// The browser they logged in with.
    pub user_agent: String,
}

/// Adds a session.
pub async fn insert(db: impl AnyExecutor<'_>, session: &Session) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO sessions (id, user_id, token_hash, csrf, created_ms, last_seen_ms,
                               expires_ms, remote, user_agent)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(session.id.as_str())
    .bind(session.user.as_str())
    .bind(&session.token_hash)
    .bind(&session.csrf)
    .bind(session.created_ms)
    .bind(session.last_seen_ms)
    .bind(session.expires_ms)
    .bind(&session.remote)
    .bind(&session.user_agent)
    .execute(db)
    .await?;
    Ok(())
}

/// Finds the session of a cookie and its user, when it has not ended and the user is not
/// disabled.
pub async fn by_token(
    db: impl AnyExecutor<'_>,
    token_hash: &str,
    now_ms: i64,
) -> Result<Option<(Session, users::User)>, Error> {
    let found = sqlx::query(
        "SELECT u.*, s.id AS session, s.user_id, s.token_hash, s.csrf,
                s.created_ms AS session_created_ms, s.last_seen_ms, s.expires_ms, s.remote,
                s.user_agent
           FROM sessions s JOIN users u ON u.id = s.user_id
          WHERE s.token_hash = $1 AND s.expires_ms > $2 AND u.disabled = 0",
    )
    .bind(token_hash)
    .bind(now_ms)
    .try_map(|row: AnyRow| {
        Ok((
            read(&row, "session", "session_created_ms")?,
            users::read(row)?,
        ))
    })
    .fetch_optional(db)
    .await?;
    Ok(found)
}

/// Lists the sessions of a user that have not ended, the newest first.
pub async fn of_user(
    db: impl AnyExecutor<'_>,
    user: &UserId,
    now_ms: i64,
) -> Result<Vec<Session>, Error> {
    let found = sqlx::query(
        "SELECT * FROM sessions WHERE user_id = $1 AND expires_ms > $2
          ORDER BY id DESC LIMIT $3",
    )
    .bind(user.as_str())
    .bind(now_ms)
    .bind(i64::from(crate::PAGE_MAX))
    .try_map(|row: AnyRow| read(&row, "id", "created_ms"))
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// Remembers that a session is in use, and until when it lasts now.
pub async fn seen(
    db: impl AnyExecutor<'_>,
    id: &SessionId,
    now_ms: i64,
    expires_ms: i64,
) -> Result<(), Error> {
    sqlx::query("UPDATE sessions SET last_seen_ms = $2, expires_ms = $3 WHERE id = $1")
        .bind(id.as_str())
        .bind(now_ms)
        .bind(expires_ms)
        .execute(db)
        .await?;
    Ok(())
}

/// Ends a session of a user. Returns whether it was there.
pub async fn end(db: impl AnyExecutor<'_>, user: &UserId, id: &SessionId) -> Result<bool, Error> {
    let done = sqlx::query("DELETE FROM sessions WHERE id = $1 AND user_id = $2")
        .bind(id.as_str())
        .bind(user.as_str())
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends all sessions of a user but one (`None`: all), as after a change of password.
pub async fn end_others(
    db: impl AnyExecutor<'_>,
    user: &UserId,
    but: Option<&SessionId>,
) -> Result<u64, Error> {
    let done = sqlx::query("DELETE FROM sessions WHERE user_id = $1 AND id <> COALESCE($2, '')")
        .bind(user.as_str())
        .bind(but.map(SessionId::as_str))
        .execute(db)
        .await?;
    Ok(done.rows_affected())
}

/// Forgets sessions that have ended by themselves. Returns how many.
pub async fn sweep(db: impl AnyExecutor<'_>, now_ms: i64) -> Result<u64, Error> {
    let done = sqlx::query("DELETE FROM sessions WHERE expires_ms <= $1")
        .bind(now_ms)
        .execute(db)
        .await?;
    Ok(done.rows_affected())
}

fn read(row: &AnyRow, id: &str, created: &str) -> sqlx::Result<Session> {
    Ok(Session {
        id: row.parsed(id)?,
        user: row.parsed("user_id")?,
        token_hash: row.text("token_hash")?,
        csrf: row.text("csrf")?,
        created_ms: row.whole(created)?,
        last_seen_ms: row.whole("last_seen_ms")?,
        expires_ms: row.whole("expires_ms")?,
        remote: row.text("remote")?,
        user_agent: row.text("user_agent")?,
    })
}
