//! SQL of what people set for themselves.

use desk::id::UserId;
use serde_json::Value;
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

use crate::Error;
use crate::row::{Columns, json};

/// Reads what somebody set under a name.
pub async fn by_name(
    db: impl AnyExecutor<'_>,
    user: &UserId,
    name: &str,
) -> Result<Option<Value>, Error> {
    let found = sqlx::query("SELECT value FROM user_settings WHERE user_id = $1 AND name = $2")
        .bind(user.as_str())
        .bind(name)
        .try_map(|row: AnyRow| row.json("value"))
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// Sets it, whether it was there or not, where that is not one name more than `names_max`. Returns whether.
pub async fn put(
    db: impl AnyExecutor<'_>,
    user: &UserId,
    (name, value): (&str, &Value),
    names_max: u32,
    at_ms: i64,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "INSERT INTO user_settings (user_id, name, value, updated_ms)
         SELECT $1, $2, $3, $4
          WHERE (SELECT COUNT(*) FROM user_settings WHERE user_id = $1 AND name <> $2) < $5
         ON CONFLICT (user_id, name) DO UPDATE SET value = $3, updated_ms = $4",
    )
    .bind(user.as_str())
    .bind(name)
    .bind(json(value)?)
    .bind(at_ms)
    .bind(i64::from(names_max))
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets it.
pub async fn delete(db: impl AnyExecutor<'_>, user: &UserId, name: &str) -> Result<(), Error> {
    sqlx::query("DELETE FROM user_settings WHERE user_id = $1 AND name = $2")
        .bind(user.as_str())
        .bind(name)
        .execute(db)
        .await?;
    Ok(())
}
