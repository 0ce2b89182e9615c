//! SQL of settings of the whole installation.

use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

use crate::Error;
use crate::row::{Columns, json};

/// Reads a setting.
pub async fn by_name(
    db: impl AnyExecutor<'_>,
    name: &str,
) -> Result<Option<serde_json::Value>, Error> {
    let found = sqlx::query("SELECT value FROM settings WHERE name = $1")
        .bind(name)
        .try_map(|row: AnyRow| row.json("value"))
        .fetch_optional(db)
        .await?;
    Ok(found)
}

/// Sets a setting, whether it was there or not.
pub async fn put(
    db: impl AnyExecutor<'_>,
    name: &str,
    value: &serde_json::Value,
    at_ms: i64,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO settings (name, value, updated_ms) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET value = $2, updated_ms = $3",
    )
    .bind(name)
    .bind(json(value)?)
    .bind(at_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Sets a setting that is not there yet, and returns what is in force.
///
/// Of two processes that start at once, one sets it and both get the same.
pub async fn put_first(
    db: impl AnyExecutor<'_>,
    name: &str,
    value: &serde_json::Value,
    at_ms: i64,
) -> Result<serde_json::Value, Error> {
    // An update that changes nothing makes RETURNING give the row that was there.
    let kept = sqlx::query(
        "INSERT INTO settings (name, value, updated_ms) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET updated_ms = settings.updated_ms
         RETURNING value",
    )
    .bind(name)
    .bind(json(value)?)
    .bind(at_ms)
    .try_map(|row: AnyRow| row.json("value"))
    .fetch_one(db)
    .await?;
    Ok(kept)
}
