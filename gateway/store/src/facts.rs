//! SQL of what reports count. Facts are added and never changed; [`crate::reports`] counts them.

use std::collections::BTreeMap;

use desk::fact::{Fact, Handled, Present, Waited};
use desk::id::{DispositionId, UserId};
use sqlx::{AnyConnection, AssertSqlSafe};

use crate::Error;
use crate::changes::{parts, values};

/// Adds facts, each once, many rows in a statement.
pub(crate) async fn insert(db: &mut AnyConnection, facts: &[&Fact]) -> Result<(), Error> {
    let (mut waits, mut handlings) = (vec![], vec![]);
    let mut presences = BTreeMap::new();
    for fact in facts {
        match fact {
            Fact::Waited(waited) => waits.push(waited),
            Fact::Handled(handled) => handlings.push(handled),
            Fact::Present(present) => {
                // Of one moment the last.
                presences.insert((&present.agent, present.at_ms), present);
            }
        }
    }
    for part in parts(&waits) {
        insert_waits(db, &part).await?;
    }
    for part in parts(&handlings) {
        insert_handlings(db, &part).await?;
    }
    for present in presences.into_values() {
        insert_presence(db, present).await?;
    }
    Ok(())
}

async fn insert_waits(db: &mut AnyConnection, part: &[&&Waited]) -> Result<(), Error> {
    let sql = format!(
        "INSERT INTO waits (work, service, entered_ms, company, interaction, medium, ended_ms, result,
                            agent, in_target, channel)
         SELECT v.column1, v.column2, v.column3, v.column4, v.column5, v.column6, v.column7, v.column8,
                v.column9, v.column10, COALESCE(c.channel, i.number)
           FROM (VALUES {}) AS v LEFT JOIN interactions i ON i.id = v.column5
                LEFT JOIN conversations c ON c.id = i.conversation WHERE true
             ON CONFLICT (work, service, entered_ms) DO NOTHING",
        values(db, part.len(), 10),
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for waited in part {
        query = query
            .bind(waited.work.as_str())
            .bind(waited.service.as_str())
            .bind(waited.entered_ms)
            .bind(waited.company.as_str())
            .bind(waited.interaction.as_str())
            .bind(waited.medium.as_str())
            .bind(waited.ended_ms)
            .bind(waited.result.as_str())
            .bind(waited.agent.as_ref().map(UserId::as_str))
            .bind(waited.in_target.map(i64::from));
    }
    query.execute(db).await?;
    Ok(())
}

async fn insert_handlings(db: &mut AnyConnection, part: &[&&Handled]) -> Result<(), Error> {
    let sql = format!(
        "INSERT INTO handlings (work, agent, began_ms, company, interaction, service, medium,
                                talked_until_ms, ended_ms, held_ms, result, disposition, channel)
         SELECT v.column1, v.column2, v.column3, v.column4, v.column5, v.column6, v.column7, v.column8,
                v.column9, v.column10, v.column11, v.column12, COALESCE(c.channel, i.number)
           FROM (VALUES {}) AS v LEFT JOIN interactions i ON i.id = v.column5
                LEFT JOIN conversations c ON c.id = i.conversation WHERE true
             ON CONFLICT (work, agent, began_ms) DO NOTHING",
        values(db, part.len(), 12),
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for handled in part {
        query = query
            .bind(handled.work.as_str())
            .bind(handled.agent.as_str())
            .bind(handled.began_ms)
            .bind(handled.company.as_str())
            .bind(handled.interaction.as_str())
            .bind(handled.service.as_str())
            .bind(handled.medium.as_str())
            .bind(handled.talked_until_ms)
            .bind(handled.ended_ms)
            .bind(handled.held_ms)
            .bind(handled.result.as_str())
            .bind(handled.disposition.as_ref().map(DispositionId::as_str));
    }
    query.execute(db).await?;
    Ok(())
}

async fn insert_presence(db: &mut AnyConnection, present: &Present) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO presences (agent, at_ms, company, state, reason) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (agent, at_ms) DO UPDATE
            SET state = excluded.state, reason = excluded.reason",
    )
    .bind(present.agent.as_str())
    .bind(present.at_ms)
    .bind(present.company.as_str())
    .bind(present.state.as_str())
    .bind(present.reason.as_deref())
    .execute(db)
    .await?;
    Ok(())
}
