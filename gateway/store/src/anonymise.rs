//! SQL that makes a contact nobody: what tells who they were is replaced, for good; that something was
//! handled, when, by whom and how it ended stays.
//!
//! The sound of recordings and voice messages is files, which have rules and a deletion of their own.

use desk::id::{CompanyId, ContactId, InteractionId};
use desk::record::{TrailEntry, TrailKind};
use serde_json::{Value, json};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::row::{self, Columns};
use crate::{Error, messages};

/// What became of the wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anonymised {
    /// It is done.
    Done,
    /// There is no such contact, or it is anonymised or merged into another already.
    NotFound,
    /// Something of theirs is open: an interaction, a wrap-up, a date.
    Open,
}

/// Replaces what tells who a contact was, and who those were that were merged into it, by `mask`,
/// which must be chance: nobody can find back from it. To be called in a transaction.
pub async fn anonymise(
    db: &mut AnyConnection,
    company: &CompanyId,
    contact: &ContactId,
    mask: &str,
    now_ms: i64,
) -> Result<Anonymised, Error> {
    let done = sqlx::query(
        "UPDATE contacts SET anonymised_ms = $3
          WHERE id = $1 AND company = $2 AND anonymised_ms IS NULL AND merged_into IS NULL
            AND NOT EXISTS (SELECT 1 FROM interactions
                             WHERE contact = $1 AND ended_ms IS NULL)
            AND NOT EXISTS (SELECT 1 FROM interactions i JOIN desk_works w ON w.interaction = i.id
                             WHERE i.contact = $1)",
    )
    .bind(contact.as_str())
    .bind(company.as_str())
    .bind(now_ms)
    .execute(&mut *db)
    .await?;
    if done.rows_affected() != 1 {
        return why_not(db, company, contact).await;
    }
    for one in absorbed(db, company, contact).await? {
        empty(db, company, &one, mask, now_ms).await?;
        blur(db, company, &one, mask).await?;
    }
    Ok(Anonymised::Done)
}

async fn why_not(
    db: &mut AnyConnection,
    company: &CompanyId,
    contact: &ContactId,
) -> Result<Anonymised, Error> {
    let found = crate::contacts::by_id(db, company, contact).await?;
    let is_there =
        found.is_some_and(|one| one.anonymised_ms.is_none() && one.merged_into.is_none());
    Ok(match is_there {
        true => Anonymised::Open,
        false => Anonymised::NotFound,
    })
}

/// A contact and all that went into it.
async fn absorbed(
    db: &mut AnyConnection,
    company: &CompanyId,
    contact: &ContactId,
) -> Result<Vec<ContactId>, Error> {
    let found = sqlx::query(
        "WITH RECURSIVE them (id) AS (
             SELECT id FROM contacts WHERE company = $1 AND id = $2
             UNION
             SELECT c.id FROM contacts c JOIN them t ON c.company = $1 AND c.merged_into = t.id)
         SELECT id FROM them",
    )
    .bind(company.as_str())
    .bind(contact.as_str())
    .try_map(|row: AnyRow| row.parsed("id"))
    .fetch_all(db)
    .await?;
    Ok(found)
}

async fn empty(
    db: &mut AnyConnection,
    company: &CompanyId,
    contact: &ContactId,
    mask: &str,
    now_ms: i64,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE contacts
            SET name = $3, name_key = $4, owner = NULL, owner_fallback = '{\"kind\":\"queue\"}',
                priority = 0, language = NULL, notes = '', fields = '{}', anonymised_ms = $5,
                updated_ms = $5
          WHERE id = $1 AND company = $2",
    )
    .bind(contact.as_str())
    .bind(company.as_str())
    .bind(mask)
    .bind(mask.as_bytes().to_vec())
    .bind(now_ms)
    .execute(&mut *db)
    .await?;
    sqlx::query("DELETE FROM identities WHERE company = $1 AND contact = $2")
        .bind(company.as_str())
        .bind(contact.as_str())
        .execute(&mut *db)
        .await?;
    Ok(())
}

/// Takes out of the interactions of a contact who they were with.
async fn blur(
    db: &mut AnyConnection,
    company: &CompanyId,
    contact: &ContactId,
    mask: &str,
) -> Result<(), Error> {
    for statement in [
        "UPDATE outbound_calls SET number = $1
          WHERE interaction IN (SELECT id FROM interactions WHERE contact = $2 AND company = $3)",
        "UPDATE interactions SET from_address = $1, from_name = ''
          WHERE contact = $2 AND company = $3 AND direction = 'inbound'",
        "UPDATE interactions SET to_address = $1
          WHERE contact = $2 AND company = $3 AND direction = 'outbound'",
    ] {
        sqlx::query(statement)
            .bind(mask)
            .bind(contact.as_str())
            .bind(company.as_str())
            .execute(&mut *db)
            .await?;
    }
    sqlx::query(
        "DELETE FROM sip_ladders
          WHERE interaction IN (SELECT id FROM interactions WHERE contact = $1 AND company = $2)",
    )
    .bind(contact.as_str())
    .bind(company.as_str())
    .execute(&mut *db)
    .await?;
    sqlx::query(
        "DELETE FROM webchat_visitors
          WHERE EXISTS (SELECT 1 FROM conversations v JOIN interactions i ON i.conversation = v.id
                         WHERE v.channel = webchat_visitors.channel AND v.thread = webchat_visitors.id
                           AND i.contact = $1 AND i.company = $2)",
    )
    .bind(contact.as_str())
    .bind(company.as_str())
    .execute(&mut *db)
    .await?;
    let theirs: Vec<InteractionId> =
        sqlx::query("SELECT id FROM interactions WHERE contact = $1 AND company = $2")
            .bind(contact.as_str())
            .bind(company.as_str())
            .try_map(|row: AnyRow| row.parsed("id"))
            .fetch_all(&mut *db)
            .await?;
    for interaction in &theirs {
        blur_trail(db, interaction).await?;
        messages::empty(db, interaction).await?;
    }
    Ok(())
}

/// Empties what lines of a trail say of the customer.
async fn blur_trail(db: &mut AnyConnection, interaction: &InteractionId) -> Result<(), Error> {
    let rows: Vec<(i64, TrailKind, Value)> =
        sqlx::query("SELECT seq, kind, detail FROM trail WHERE interaction = $1 ORDER BY seq")
            .bind(interaction.as_str())
            .try_map(|row: AnyRow| {
                Ok((row.whole("seq")?, row.parsed("kind")?, row.json("detail")?))
            })
            .fetch_all(&mut *db)
            .await?;
    for (seq, kind, detail) in rows {
        let Some(blurred) = blurred(kind, &detail) else {
            continue;
        };
        sqlx::query("UPDATE trail SET detail = $3 WHERE interaction = $1 AND seq = $2")
            .bind(interaction.as_str())
            .bind(seq)
            .bind(row::json(&blurred)?)
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}

/// A row of a trail without the customer: one line's detail, or lines that came together. None where
/// nothing changes.
fn blurred(kind: TrailKind, detail: &Value) -> Option<Value> {
    if let Ok(mut lines) = serde_json::from_value::<Vec<TrailEntry>>(detail.clone()) {
        for line in lines.iter_mut().filter(|line| !is_ours(line.kind)) {
            line.detail = json!({});
        }
        return serde_json::to_value(lines).ok();
    }
    (!is_ours(kind)).then(|| json!({}))
}

/// Whether a line tells of us alone: of our agents, queues, rules and files. All others may hold what
/// the customer said, typed or is.
fn is_ours(kind: TrailKind) -> bool {
    matches!(
        kind,
        TrailKind::NodeEntered
            | TrailKind::HoursChecked
            | TrailKind::Queued
            | TrailKind::QueueEnded
            | TrailKind::Offered
            | TrailKind::OfferEnded
            | TrailKind::AgentAnswered
            | TrailKind::Moved
            | TrailKind::MessageReceived
            | TrailKind::MessageSent
            | TrailKind::SkillsRelaxed
            | TrailKind::TargetMissed
            | TrailKind::WrapUpBegan
            | TrailKind::Supervised
            | TrailKind::Recording
            | TrailKind::Recorded
            | TrailKind::RecordingHeard
            | TrailKind::RecordingDeleted
            | TrailKind::Ended
    )
}
