//! SQL of second factors: the secret that a user shares with an authenticator app, and codes on paper.

use std::collections::BTreeSet;

use desk::id::{CompanyId, UserId};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyExecutor};

use crate::Error;
use crate::row::Columns;

/// What a user shares with an authenticator app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondFactor {
    /// The secret, encrypted.
    pub secret: Vec<u8>,
    /// Since when it is asked for; nothing until its owner has shown that they have it.
    pub since_ms: Option<i64>,
    /// The step of time (RFC 6238) of the last code that counted.
    pub last_step: i64,
}

/// The second factor of a user.
pub async fn of_user(
    db: impl AnyExecutor<'_>,
    user: &UserId,
) -> Result<Option<SecondFactor>, Error> {
    let found = sqlx::query("SELECT * FROM second_factors WHERE user_id = $1")
        .bind(user.as_str())
        .try_map(|row: AnyRow| {
            Ok(SecondFactor {
                secret: row.bytes("secret")?,
                since_ms: row.whole_maybe("since_ms")?,
                last_step: row.whole("last_step")?,
            })
        })
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// Offers a user a secret, in place of one that they never used. Returns whether it is theirs: not where
/// one counts already.
pub async fn offer(db: impl AnyExecutor<'_>, user: &UserId, secret: &[u8]) -> Result<bool, Error> {
    let done = sqlx::query(
        "INSERT INTO second_factors (user_id, secret, since_ms, last_step) VALUES ($1, $2, NULL, 0)
             ON CONFLICT (user_id) DO UPDATE SET secret = $2 WHERE second_factors.since_ms IS NULL",
    )
    .bind(user.as_str())
    .bind(secret.to_vec())
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// From now on the second factor of a user counts; `hashes` are those of its codes on paper. Returns
/// whether it was offered and did not count yet.
pub async fn begin(
    db: &mut AnyConnection,
    user: &UserId,
    step: i64,
    hashes: &[String],
    now_ms: i64,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE second_factors SET since_ms = $2, last_step = $3
          WHERE user_id = $1 AND since_ms IS NULL",
    )
    .bind(user.as_str())
    .bind(now_ms)
    .bind(step)
    .execute(&mut *db)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    for hash in hashes {
        sqlx::query("INSERT INTO recovery_codes (user_id, hash) VALUES ($1, $2)")
            .bind(user.as_str())
            .bind(hash)
            .execute(&mut *db)
            .await?;
    }
    Ok(true)
}

/// Uses the code of a step of time. Returns whether it counts: it, and any behind it, was not used.
pub async fn use_step(db: impl AnyExecutor<'_>, user: &UserId, step: i64) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE second_factors SET last_step = $2 WHERE user_id = $1 AND last_step < $2",
    )
    .bind(user.as_str())
    .bind(step)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Uses a code on paper. Returns whether there was such a one.
pub async fn use_recovery(
    db: impl AnyExecutor<'_>,
    user: &UserId,
    hash: &str,
) -> Result<bool, Error> {
    let done = sqlx::query("DELETE FROM recovery_codes WHERE user_id = $1 AND hash = $2")
        .bind(user.as_str())
        .bind(hash)
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// How many codes on paper a user has left.
pub async fn recovery_left(db: impl AnyExecutor<'_>, user: &UserId) -> Result<u32, Error> {
    let left = sqlx::query("SELECT COUNT(*) AS n FROM recovery_codes WHERE user_id = $1")
        .bind(user.as_str())
        .try_map(|row: AnyRow| row.count("n"))
        .fetch_one(db)
        .await?;
    Ok(left)
}

/// Lists who of a company (`None`: of the installation) is asked for a second factor.
pub async fn asked(
    db: impl AnyExecutor<'_>,
    company: Option<&CompanyId>,
) -> Result<BTreeSet<UserId>, Error> {
    let found = sqlx::query(
        "SELECT f.user_id FROM second_factors f JOIN users u ON u.id = f.user_id
          WHERE u.company IS NOT DISTINCT FROM $1 AND f.since_ms IS NOT NULL",
    )
    .bind(company.map(CompanyId::as_str))
    .try_map(|row: AnyRow| row.parsed("user_id"))
    .fetch_all(db)
    .await?;
    Ok(found.into_iter().collect())
}

/// Takes the second factor from a user. Returns whether they had one.
pub async fn remove(db: impl AnyExecutor<'_>, user: &UserId) -> Result<bool, Error> {
    let done = sqlx::query("DELETE FROM second_factors WHERE user_id = $1")
        .bind(user.as_str())
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}
