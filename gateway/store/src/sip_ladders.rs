//! SQL of SIP ladders: what each leg of a call said and heard.

use desk::id::{CompanyId, InteractionId};
use desk::record::SipLadder;
use sqlx::AnyExecutor;
use sqlx::any::AnyRow;

use crate::Error;
use crate::row::{Columns, json, whole};

/// Keeps a ladder, once.
pub(crate) async fn insert(db: impl AnyExecutor<'_>, ladder: &SipLadder) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO sip_ladders (interaction, leg, company, messages, left_out)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (interaction, leg) DO NOTHING",
    )
    .bind(ladder.interaction.as_str())
    .bind(whole(ladder.leg))
    .bind(ladder.company.as_str())
    .bind(json(&ladder.messages)?)
    .bind(i64::from(ladder.left_out))
    .execute(db)
    .await?;
    Ok(())
}

/// The ladders of an interaction of a company, the leg that began first before the others.
pub async fn of_interaction(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    interaction: &InteractionId,
) -> Result<Vec<SipLadder>, Error> {
    let found = sqlx::query(
        "SELECT * FROM sip_ladders WHERE interaction = $1 AND company = $2 ORDER BY leg",
    )
    .bind(interaction.as_str())
    .bind(company.as_str())
    .try_map(read)
    .fetch_all(db)
    .await?;
    Ok(found)
}

/// Deletes the ladders of some interactions that sort before this one; returns how many are gone. Called
/// again until there are none, so that no statement holds up the writer for long.
pub async fn delete_before(
    db: impl AnyExecutor<'_>,
    interaction: &InteractionId,
) -> Result<u64, Error> {
    let done = sqlx::query(
        "DELETE FROM sip_ladders WHERE interaction IN
         (SELECT interaction FROM sip_ladders WHERE interaction < $1 ORDER BY interaction LIMIT 500)",
    )
    .bind(interaction.as_str())
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

fn read(row: AnyRow) -> sqlx::Result<SipLadder> {
    Ok(SipLadder {
        company: row.parsed("company")?,
        interaction: row.parsed("interaction")?,
        leg: row.count("leg")?,
        messages: row.json("messages")?,
        left_out: row.count("left_out")?,
    })
}
