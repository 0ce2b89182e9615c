//! SQL of templates: what a channel's provider listed last.

use desk::id::ChannelId;
use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyExecutor};

use crate::Error;
use crate::row::{Columns, json};

/// A template as it was listed.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// Its name.
    pub name: String,
    /// Its language, as the provider writes it.
    pub language: String,
    /// All of it, in the channels' words.
    pub template: Value,
    /// When it was listed.
    pub listed_ms: i64,
}

/// Puts a whole list in the place of the one before.
pub async fn replace(
    db: &mut AnyConnection,
    channel: &ChannelId,
    list: &[Template],
) -> Result<(), Error> {
    sqlx::query("DELETE FROM templates WHERE channel = $1")
        .bind(channel.as_str())
        .execute(&mut *db)
        .await?;
    for one in list {
        sqlx::query(
            "INSERT INTO templates (channel, name, language, template, listed_ms)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (channel, name, language) DO NOTHING",
        )
        .bind(channel.as_str())
        .bind(&one.name)
        .bind(&one.language)
        .bind(json(&one.template)?)
        .bind(one.listed_ms)
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

/// The templates of a channel, by name and language.
pub async fn list(db: impl AnyExecutor<'_>, channel: &ChannelId) -> Result<Vec<Template>, Error> {
    let found = sqlx::query("SELECT * FROM templates WHERE channel = $1 ORDER BY name, language")
        .bind(channel.as_str())
        .try_map(|row: AnyRow| {
            Ok(Template {
                name: row.text("name")?,
                language: row.text("language")?,
                template: row.json("template")?,
                listed_ms: row.whole("listed_ms")?,
            })
        })
        .fetch_all(db)
        .await?;
    Ok(found)
}
