//! SQL of desks: what they go on from when the program begins again, and why they chose.
//!
//! Like the changes of interactions, what is kept of desks is written kind by kind, many rows in a
//! statement; of several with one key the last.

use std::collections::BTreeMap;

use desk::change::{AgentRecord, ServiceRecord, Snapshot, WorkRecord};
use desk::fact::Fact;
use desk::id::{CompanyId, ContactId, InstanceId, InteractionId, ServiceId, UserId, WorkId};
use desk::kept::{DecisionKept, Kept, LateLine, Said, Standing, Step};
use desk::record::{EndedBy, InteractionEnd, InteractionState, TrailKind};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyExecutor, AssertSqlSafe};

use crate::changes::{parts, values};
use crate::notices::{self, Happened, Seen};
use crate::row::{Columns, json};
use crate::{Error, PAGE_MAX, conversations, facts, lives, transcripts};

/// A decision as it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What was offered.
    pub work: WorkId,
    /// When.
    pub at_ms: i64,
    /// Why, in the words of that time.
    pub sentence: String,
    /// What was looked at.
    pub decision: desk::decision::Decision,
}

/// Writes what is kept of desks. To be called in a transaction, after the changes of interactions
/// that were told before.
pub async fn apply<'a>(
    db: &mut AnyConnection,
    kept: impl IntoIterator<Item = &'a Kept>,
) -> Result<(), Error> {
    let group = Group::of(kept);
    for part in halves(&group.works) {
        save_works(db, part).await?;
    }
    for part in parts(&group.removed) {
        remove_works(db, &part).await?;
    }
    for part in halves(&group.agents) {
        save_agents(db, part).await?;
    }
    for part in halves(&group.services) {
        save_services(db, part).await?;
    }
    for part in halves(&group.decisions) {
        save_decisions(db, part).await?;
    }
    facts::insert(db, &group.facts).await?;
    for (interaction, kept) in group.lives {
        lives::save(db, interaction, kept).await?;
    }
    for one in group.lines {
        match one {
            Told::Line(line) => append(db, line).await?,
            Told::Step(step) => take_step(db, step).await?,
            // The trail is told of it by the same road as of what people write.
            Told::Said(said) => Box::pin(conversations::say_for_nobody(db, said)).await?,
        }
    }
    Ok(())
}

/// What is kept, by its kind; each key once.
#[derive(Default)]
struct Group<'a> {
    works: Vec<&'a Kept>,
    removed: Vec<&'a WorkId>,
    agents: Vec<(&'a AgentRecord, i64)>,
    services: Vec<&'a ServiceRecord>,
    decisions: Vec<&'a DecisionKept>,
    facts: Vec<&'a Fact>,
    lives: BTreeMap<&'a InteractionId, &'a Kept>,
    /// In their order.
    lines: Vec<Told<'a>>,
}

/// What goes into the trail of an interaction.
enum Told<'a> {
    Line(&'a LateLine),
    Step(&'a Step),
    Said(&'a Said),
}

impl<'a> Group<'a> {
    fn of(kept: impl IntoIterator<Item = &'a Kept>) -> Self {
        let mut works = BTreeMap::<&WorkId, Option<&Kept>>::new();
        let mut agents = BTreeMap::<&UserId, (&AgentRecord, i64)>::new();
        let mut services = BTreeMap::<&ServiceId, &ServiceRecord>::new();
        let mut decisions = BTreeMap::<(&WorkId, u32), &DecisionKept>::new();
        let mut lives = BTreeMap::new();
        let (mut facts, mut lines) = (Vec::new(), Vec::new());
        for one in kept {
            match one {
                Kept::Work { record, .. } => {
                    works.insert(&record.work.id, Some(one));
                }
                Kept::WorkRemoved(work) => {
                    works.insert(work, None);
                }
                Kept::Agent { record, at_ms } => {
                    agents.insert(&record.id, (&**record, *at_ms));
                }
                Kept::Service(record) => {
                    services.insert(&record.id, record);
                }
                Kept::Decision(made) => {
                    decisions.insert((&made.decision.work, made.slot), made);
                }
                Kept::Fact(fact) => facts.push(&**fact),
                Kept::Line(line) => lines.push(Told::Line(line)),
                Kept::Step(step) => lines.push(Told::Step(step)),
                Kept::Said(said) => lines.push(Told::Said(said)),
                Kept::Life { interaction, .. } | Kept::LifeRemoved(interaction) => {
                    lives.insert(interaction, one);
                }
            }
        }
        let gone = works.iter().filter(|(_, now)| now.is_none());
        Self {
            removed: gone.map(|(work, _)| *work).collect(),
            works: works.values().copied().flatten().collect(),
            agents: agents.into_values().collect(),
            services: services.into_values().collect(),
            decisions: decisions.into_values().collect(),
            facts,
            lives,
            lines,
        }
    }
}

async fn save_works(db: &mut AnyConnection, part: &[&Kept]) -> Result<(), Error> {
    let sql = format!(
        "INSERT INTO desk_works (work, company, instance, interaction, needs_call, record)
         VALUES {} ON CONFLICT (work) DO UPDATE
            SET needs_call = excluded.needs_call, record = excluded.record",
        values(db, part.len(), 6),
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for kept in part {
        let Kept::Work {
            company,
            instance,
            record,
        } = kept
        else {
            continue; // None comes: the group has works alone here.
        };
        query = query
            .bind(record.work.id.as_str())
            .bind(company.as_str())
            .bind(instance.as_ref().map(InstanceId::as_str))
            .bind(record.work.interaction.as_str())
            .bind(i64::from(record.needs_call()))
            .bind(json(record)?);
    }
    query.execute(db).await?;
    Ok(())
}

async fn remove_works(db: &mut AnyConnection, part: &[&&WorkId]) -> Result<(), Error> {
    let sql = format!(
        "DELETE FROM desk_works WHERE work IN ({})",
        values(db, part.len(), 1)
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for work in part {
        query = query.bind(work.as_str());
    }
    query.execute(db).await?;
    Ok(())
}

/// Nothing of a person who is gone.
async fn save_agents(db: &mut AnyConnection, part: &[(&AgentRecord, i64)]) -> Result<(), Error> {
    let sql = format!(
        "INSERT INTO agent_states (user_id, record, updated_ms)
         SELECT u.id, v.column2, v.column3
           FROM (VALUES {}) AS v JOIN users u ON u.id = v.column1 WHERE true
             ON CONFLICT (user_id) DO UPDATE
            SET record = excluded.record, updated_ms = excluded.updated_ms",
        values(db, part.len(), 3),
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for (record, at_ms) in part {
        query = query
            .bind(record.id.as_str())
            .bind(json(record)?)
            .bind(at_ms);
    }
    query.execute(db).await?;
    Ok(())
}

/// Nothing of a service that is gone.
async fn save_services(db: &mut AnyConnection, part: &[&ServiceRecord]) -> Result<(), Error> {
    let sql = format!(
        "INSERT INTO desk_services (service, record)
         SELECT s.id, v.column2
           FROM (VALUES {}) AS v JOIN services s ON s.id = v.column1 WHERE true
             ON CONFLICT (service) DO UPDATE SET record = excluded.record",
        values(db, part.len(), 2),
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for record in part {
        query = query.bind(record.id.as_str()).bind(json(record)?);
    }
    query.execute(db).await?;
    Ok(())
}

async fn save_decisions(db: &mut AnyConnection, part: &[&DecisionKept]) -> Result<(), Error> {
    let sql = format!(
        "INSERT INTO decisions (work, slot, company, interaction, at_ms, sentence, decision)
         VALUES {} ON CONFLICT (work, slot) DO UPDATE
            SET at_ms = excluded.at_ms, sentence = excluded.sentence, decision = excluded.decision",
        values(db, part.len(), 7),
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for kept in part {
        query = query
            .bind(kept.decision.work.as_str())
            .bind(i64::from(kept.slot))
            .bind(kept.company.as_str())
            .bind(kept.interaction.as_str())
            .bind(kept.decision.at_ms)
            .bind(kept.sentence.as_str())
            .bind(json(&kept.decision)?);
    }
    query.execute(db).await?;
    Ok(())
}

/// What is known of a written interaction with its line. Who ended it first did; it may come back.
async fn take_step(db: &mut AnyConnection, step: &Step) -> Result<(), Error> {
    let (state, end) = match &step.standing {
        Standing::Open => (step.update.state, None),
        Standing::Ended(end) => (Some(InteractionState::Ended), Some(&**end)),
    };
    let update = &step.update;
    sqlx::query(
        "UPDATE interactions
            SET state = COALESCE($2, state), service = COALESCE($3, service),
                answered_ms = COALESCE(answered_ms, $4), queued_ms = COALESCE(queued_ms, $5),
                contact = COALESCE($6, contact), agent = COALESCE($7, agent),
                ended_ms = $8, ended_by = $9, cause = $10
          WHERE id = $1 AND ($8 IS NULL OR ended_ms IS NULL)",
    )
    .bind(step.line.interaction.as_str())
    .bind(state.map(InteractionState::as_str))
    .bind(update.service.as_ref().map(ServiceId::as_str))
    .bind(update.answered_ms)
    .bind(update.queued_ms)
    .bind(update.contact.as_ref().map(ContactId::as_str))
    .bind(update.agent.as_ref().map(UserId::as_str))
    .bind(end.map(|end: &InteractionEnd| end.ended_ms))
    .bind(end.map(|end| EndedBy::as_str(end.by)))
    .bind(end.map(|end| end.cause.as_str()))
    .execute(&mut *db)
    .await?;
    if let Some(end) = end {
        transcripts::put(db, &step.line.interaction, end.ended_ms).await?;
    }
    append(db, &step.line).await
}

/// Puts a line behind all others of its trail, unless it stands there word by word; webhooks are to be
/// told of it. Where somebody else takes the place in the same moment, the next is tried.
async fn append(db: &mut AnyConnection, line: &LateLine) -> Result<(), Error> {
    for _ in 0..PLACES_TRIED_MAX {
        let taken = sqlx::query(
            "INSERT INTO trail (interaction, seq, at_ms, kind, detail)
             SELECT $1, COALESCE(MAX(seq) + 1, 0), $2, $3, $4 FROM trail WHERE interaction = $1
             HAVING NOT EXISTS (SELECT 1 FROM trail t WHERE t.interaction = $1 AND t.at_ms = $2
                                                        AND t.kind = $3 AND t.detail = $4)
                 ON CONFLICT (interaction, seq) DO NOTHING",
        )
        .bind(line.interaction.as_str())
        .bind(line.at_ms)
        .bind(line.kind.as_str())
        .bind(json(&line.detail)?)
        .execute(&mut *db)
        .await?;
        if taken.rows_affected() == 1 {
            return tell(db, line).await;
        }
        if stands(db, line).await? {
            return Ok(());
        }
    }
    Err(Error::Taken)
}

async fn tell(db: &mut AnyConnection, line: &LateLine) -> Result<(), Error> {
    let Some(event) = line.kind.event(&line.detail) else {
        return Ok(());
    };
    let happened = Happened {
        interaction: &line.interaction,
        at_ms: line.at_ms,
        event,
        detail: &line.detail,
    };
    let seen = match line.kind == TrailKind::MessageReceived {
        true => Seen::There,
        false => Seen::Here,
    };
    notices::tell(db, happened, seen).await
}

/// Whether a line stands in its trail word by word.
async fn stands(db: &mut AnyConnection, line: &LateLine) -> Result<bool, Error> {
    let found = sqlx::query(
        "SELECT 1 AS one FROM trail WHERE interaction = $1 AND at_ms = $2 AND kind = $3 AND detail = $4",
    )
    .bind(line.interaction.as_str())
    .bind(line.at_ms)
    .bind(line.kind.as_str())
    .bind(json(&line.detail)?)
    .fetch_optional(db)
    .await?;
    Ok(found.is_some())
}

/// Everything that the desks of this process go on from, by their companies. Work that was kept
/// before processes had names belongs to whoever comes first. A record that is not understood, of a
/// newer program, is left out and said in the log.
pub async fn snapshots(
    db: &mut AnyConnection,
    instance: &InstanceId,
) -> Result<BTreeMap<CompanyId, Snapshot>, Error> {
    let mut snapshots = BTreeMap::<CompanyId, Snapshot>::new();
    let works = sqlx::query(
        "SELECT company, record FROM desk_works WHERE instance = $1 OR instance IS NULL
          ORDER BY work",
    )
    .bind(instance.as_str())
    .try_map(read::<WorkRecord>)
    .fetch_all(&mut *db)
    .await?;
    for (company, record) in works.into_iter().flatten() {
        snapshots.entry(company).or_default().works.push(record);
    }
    let agents = sqlx::query(
        "SELECT u.company, a.record FROM agent_states a JOIN users u ON u.id = a.user_id
          WHERE u.company IS NOT NULL ORDER BY a.user_id",
    )
    .try_map(read::<AgentRecord>)
    .fetch_all(&mut *db)
    .await?;
    for (company, record) in agents.into_iter().flatten() {
        let snapshot = snapshots.entry(company).or_default();
        snapshot.offer_last = snapshot.offer_last.max(record.last_offer);
        snapshot.agents.push(record);
    }
    let services = sqlx::query(
        "SELECT s.company, d.record FROM desk_services d JOIN services s ON s.id = d.service
          ORDER BY d.service",
    )
    .try_map(read::<ServiceRecord>)
    .fetch_all(db)
    .await?;
    for (company, record) in services.into_iter().flatten() {
        snapshots.entry(company).or_default().services.push(record);
    }
    for snapshot in snapshots.values_mut() {
        snapshot.works.sort_by_key(|record| record.seq);
    }
    Ok(snapshots)
}

/// Lists why the works of an interaction were offered to whom, the first first.
pub async fn decisions(
    db: impl AnyExecutor<'_>,
    company: &CompanyId,
    interaction: &InteractionId,
) -> Result<Vec<Decision>, Error> {
    let found = sqlx::query(
        "SELECT work, at_ms, sentence, decision FROM decisions
          WHERE interaction = $1 AND company = $2 ORDER BY at_ms, work, slot LIMIT $3",
    )
    .bind(interaction.as_str())
    .bind(company.as_str())
    .bind(i64::from(PAGE_MAX))
    .try_map(|row: AnyRow| {
        Ok(Decision {
            work: row.parsed("work")?,
            at_ms: row.whole("at_ms")?,
            sentence: row.text("sentence")?,
            decision: row.json("decision")?,
        })
    })
    .fetch_all(db)
    .await?;
    Ok(found)
}

fn read<T: serde::de::DeserializeOwned>(row: AnyRow) -> sqlx::Result<Option<(CompanyId, T)>> {
    let company = row.parsed("company")?;
    let record = row.json("record");
    let record = record
        .inspect_err(|error| tracing::error!(%company, %error, "a record of a desk is left out"))
        .ok();
    Ok(record.map(|record| (company, record)))
}

/// Cuts rows into parts of so few lengths that each statement is prepared once: powers of two, each
/// row once, for statements in which no key may stand twice.
fn halves<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let most = rest.len().min(ROWS_MAX);
        let length = 1 << most.checked_ilog2()?;
        let (part, after) = rest.split_at(length);
        rest = after;
        Some(part)
    })
}

/// Rows in one statement: a power of two.
const ROWS_MAX: usize = 64;

/// Each try that fails is a line that somebody else wrote in the same moment: more than so many at once
/// is a mistake of ours.
const PLACES_TRIED_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_hold_every_row_once_and_have_few_lengths() {
        let rows: Vec<usize> = (0..200).collect();
        for many in 0..rows.len() {
            let held: Vec<usize> = halves(&rows[..many]).flatten().copied().collect();
            assert_eq!(held, rows[..many]);
            assert!(halves(&rows[..many]).all(|part| part.len().is_power_of_two()));
        }
    }
}
