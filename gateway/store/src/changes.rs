//! SQL of changes: what `exchange` decided, written so that writing it twice is harmless.

use desk::id::{DeviceId, InteractionId, NumberId, ServiceId, TrunkId};
use desk::record::{
    Change, EndedBy, InteractionEnd, InteractionOpened, InteractionState, InteractionUpdate,
    TrailEntry, TrailKind, VoiceMessageLeft, protocol,
};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::Error;
use crate::row::{Columns, json, whole};

/// The number that an interaction was given when it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protocol {
    /// Which interaction.
    pub interaction: InteractionId,
    /// The number that is read to the customer.
    pub number: String,
}

/// Writes one change. To be called in a transaction. Returns the protocol number, when an
/// interaction was opened.
pub async fn apply(db: &mut AnyConnection, change: &Change) -> Result<Option<Protocol>, Error> {
    match change {
        Change::InteractionOpened(opened) => open(db, opened).await.map(Some),
        Change::InteractionUpdated {
            interaction,
            update,
        } => update_open(db, interaction, update).await.map(|()| None),
        Change::TrailAppended { interaction, entry } => {
            append(db, interaction, entry).await.map(|()| None)
        }
        Change::InteractionEnded {
            interaction,
            end: how,
        } => end(db, interaction, how).await.map(|()| None),
        Change::VoiceMessageLeft(left) => leave(db, left).await.map(|()| None),
    }
}

/// Closes what a crash left open, as of the last that is known of it, and says so in its trail.
/// Returns how many there were. To be called in a transaction, before the first change.
pub async fn close_left_open(db: &mut AnyConnection, now_ms: i64) -> Result<usize, Error> {
    let closed: Vec<InteractionId> = sqlx::query(
        "UPDATE interactions
            SET state = 'ended', ended_by = 'restart', cause = 'closed_by_restart',
                ended_ms = COALESCE(
                    (SELECT MAX(t.at_ms) FROM trail t WHERE t.interaction = interactions.id),
                    started_ms)
          WHERE ended_ms IS NULL
         RETURNING id",
    )
    .try_map(|row: AnyRow| row.parsed("id"))
    .fetch_all(&mut *db)
    .await?;
    for interaction in &closed {
        sqlx::query(
            "INSERT INTO trail (interaction, seq, at_ms, kind, detail)
             SELECT $1, COALESCE(MAX(seq) + 1, 0), $2, $3, $4 FROM trail WHERE interaction = $1",
        )
        .bind(interaction.as_str())
        .bind(now_ms)
        .bind(TrailKind::Ended.as_str())
        .bind(json(
            &serde_json::json!({ "by": EndedBy::Restart, "cause": "closed_by_restart" }),
        )?)
        .execute(&mut *db)
        .await?;
    }
    Ok(closed.len())
}

async fn open(db: &mut AnyConnection, opened: &InteractionOpened) -> Result<Protocol, Error> {
    let number = match count(db, opened).await? {
        Some(count) => {
            let number = protocol(opened.protocol_day, count);
            insert(db, opened, &number).await?;
            number
        }
        None => protocol_of(db, &opened.id).await?,
    };
    Ok(Protocol {
        interaction: opened.id.clone(),
        number,
    })
}

/// Takes the next count of the day, unless the interaction was opened before.
///
/// The row of the day is locked from here to the commit: two that open at once get two counts,
/// on either database.
async fn count(db: &mut AnyConnection, opened: &InteractionOpened) -> Result<Option<i64>, Error> {
    let count = sqlx::query(
        "INSERT INTO protocol_counts (company, day, count)
         SELECT $1, $2, 1 WHERE NOT EXISTS (SELECT 1 FROM interactions WHERE id = $3)
         ON CONFLICT (company, day) DO UPDATE SET count = protocol_counts.count + 1
         RETURNING count",
    )
    .bind(opened.company.as_str())
    .bind(i64::from(opened.protocol_day))
    .bind(opened.id.as_str())
    .try_map(|row: AnyRow| row.whole("count"))
    .fetch_optional(db)
    .await?;
    Ok(count)
}

async fn protocol_of(db: &mut AnyConnection, id: &InteractionId) -> Result<String, Error> {
    let number = sqlx::query("SELECT protocol FROM interactions WHERE id = $1")
        .bind(id.as_str())
        .try_map(|row: AnyRow| row.text("protocol"))
        .fetch_one(db)
        .await?;
    Ok(number)
}

async fn insert(
    db: &mut AnyConnection,
    opened: &InteractionOpened,
    protocol: &str,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO interactions (id, company, protocol, medium, direction, state, from_address,
                                   from_name, to_address, number, trunk, device, sip_call_id,
                                   started_ms)
         VALUES ($1, $2, $3, $4, $5, 'ringing', $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(opened.id.as_str())
    .bind(opened.company.as_str())
    .bind(protocol)
    .bind(opened.medium.as_str())
    .bind(opened.direction.as_str())
    .bind(&opened.from)
    .bind(&opened.from_name)
    .bind(&opened.to)
    .bind(opened.number.as_ref().map(NumberId::as_str))
    .bind(opened.trunk.as_ref().map(TrunkId::as_str))
    .bind(opened.device.as_ref().map(DeviceId::as_str))
    .bind(&opened.sip_call_id)
    .bind(opened.started_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// The `WHERE` keeps what has ended as it ended.
async fn update_open(
    db: &mut AnyConnection,
    interaction: &InteractionId,
    update: &InteractionUpdate,
) -> Result<(), Error> {
    let (flow, version) = update
        .flow
        .as_ref()
        .map(|(flow, version)| (flow.as_str(), *version))
        .unzip();
    sqlx::query(
        "UPDATE interactions
            SET state = COALESCE($2, state), flow = COALESCE($3, flow),
                flow_version = COALESCE($4, flow_version), service = COALESCE($5, service),
                answered_ms = COALESCE($6, answered_ms), queued_ms = COALESCE($7, queued_ms),
                codec = COALESCE($8, codec)
          WHERE id = $1 AND ended_ms IS NULL",
    )
    .bind(interaction.as_str())
    .bind(update.state.map(InteractionState::as_str))
    .bind(flow)
    .bind(version.map(i64::from))
    .bind(update.service.as_ref().map(ServiceId::as_str))
    .bind(update.answered_ms)
    .bind(update.queued_ms)
    .bind(update.codec.as_deref())
    .execute(db)
    .await?;
    Ok(())
}

async fn append(
    db: &mut AnyConnection,
    interaction: &InteractionId,
    entry: &TrailEntry,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO trail (interaction, seq, at_ms, kind, detail) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (interaction, seq) DO NOTHING",
    )
    .bind(interaction.as_str())
    .bind(i64::from(entry.seq))
    .bind(entry.at_ms)
    .bind(entry.kind.as_str())
    .bind(json(&entry.detail)?)
    .execute(db)
    .await?;
    Ok(())
}

/// The `WHERE` lets the first end win.
async fn end(
    db: &mut AnyConnection,
    interaction: &InteractionId,
    end: &InteractionEnd,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE interactions
            SET state = 'ended', ended_ms = $2, ended_by = $3, cause = $4, sip_status = $5,
                quality = $6
          WHERE id = $1 AND ended_ms IS NULL",
    )
    .bind(interaction.as_str())
    .bind(end.ended_ms)
    .bind(end.by.as_str())
    .bind(&end.cause)
    .bind(end.sip_status.map(i64::from))
    .bind(end.quality.as_ref().map(json).transpose()?)
    .execute(db)
    .await?;
    Ok(())
}

async fn leave(db: &mut AnyConnection, left: &VoiceMessageLeft) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO voice_messages (id, company, interaction, service, file, bytes, duration_ms,
                                     left_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING",
    )
    .bind(left.id.as_str())
    .bind(left.company.as_str())
    .bind(left.interaction.as_str())
    .bind(left.service.as_ref().map(ServiceId::as_str))
    .bind(&left.file)
    .bind(whole(left.bytes))
    .bind(whole(left.duration_ms))
    .bind(left.left_ms)
    .execute(db)
    .await?;
    Ok(())
}
