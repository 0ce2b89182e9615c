//! SQL of the automatic lives of written interactions: how far each is.

use desk::id::{CompanyId, InstanceId, InteractionId};
use desk::kept::Kept;
use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyExecutor};

use crate::Error;
use crate::row::{Columns, json};

/// How far the life of an interaction is.
#[derive(Debug, Clone, PartialEq)]
pub struct Life {
    /// Whose.
    pub company: CompanyId,
    /// Which.
    pub interaction: InteractionId,
    /// How far, in the words of whoever leads it.
    pub record: Value,
}

/// Lists the lives that this process led.
pub async fn of(db: impl AnyExecutor<'_>, instance: &InstanceId) -> Result<Vec<Life>, Error> {
    let found = sqlx::query(
        "SELECT interaction, company, record FROM written_lives
          WHERE instance = $1 OR instance IS NULL ORDER BY interaction",
    )
    .bind(instance.as_str())
    .try_map(|row: AnyRow| {
        Ok(Life {
            company: row.parsed("company")?,
            interaction: row.parsed("interaction")?,
            record: row.json("record")?,
        })
    })
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// Writes down how far a life is, or that it is over; nothing of anything else.
pub(crate) async fn save(
    db: &mut AnyConnection,
    interaction: &InteractionId,
    kept: &Kept,
) -> Result<(), Error> {
    let Kept::Life {
        company,
        instance,
        record,
        ..
    } = kept
    else {
        sqlx::query("DELETE FROM written_lives WHERE interaction = $1")
            .bind(interaction.as_str())
            .execute(db)
            .await?;
        return Ok(());
    };
    sqlx::query(
        "INSERT INTO written_lives (interaction, company, instance, record)
         VALUES ($1, $2, $3, $4)
             ON CONFLICT (interaction) DO UPDATE SET record = excluded.record",
    )
    .bind(interaction.as_str())
    .bind(company.as_str())
    .bind(instance.as_ref().map(InstanceId::as_str))
    .bind(json(record)?)
    .execute(db)
    .await?;
    Ok(())
}
