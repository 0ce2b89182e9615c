//! SQL of changes: what `exchange` decided, written so that writing it twice is harmless.
//!
//! The changes of a whole group are written kind by kind, many rows in a statement: a statement
//! costs some ten times more on its way to the database and back than a row costs in it. Within
//! one transaction the outcome is the same as change by change, in their order.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use desk::id::{
    CompanyId, ContactId, DeviceId, InstanceId, InteractionId, NumberId, ServiceId, TrunkId, UserId,
};
use desk::record::{
    Change, EndedBy, InteractionEnd, InteractionOpened, InteractionState, InteractionUpdate,
    Outbound, SipLadder, SurveyAnswer, TrailEntry, TrailKind, VoiceMessageLeft, protocol,
};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe};

use crate::notices::{self, Happened, Seen};
use crate::row::{Columns, json, whole};
use crate::{Error, outbound, sip_ladders, surveys};

/// The number that an interaction was given when it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protocol {
    /// Which interaction.
    pub interaction: InteractionId,
    /// The number that is read to the customer.
    pub number: String,
}

/// Writes changes. To be called in a transaction. Returns a protocol number for each
/// [`Change::InteractionOpened`], in their order.
pub async fn apply<'a>(
    db: &mut AnyConnection,
    changes: impl IntoIterator<Item = &'a Change>,
) -> Result<Vec<Protocol>, Error> {
    let group = Group::of(changes);
    let numbers = open(db, &group.opened).await?;
    for part in parts(&group.updated) {
        update(db, &part).await?;
    }
    for part in parts(&group.ended) {
        end(db, &part).await?;
    }
    let is_told = group.has_news() && notices::any(db).await?;
    for part in parts(&group.trail) {
        append(db, &part, is_told).await?;
    }
    for part in parts(&group.voice_messages) {
        leave(db, &part).await?;
    }
    for answer in group.answers {
        surveys::keep(&mut *db, answer).await?;
    }
    for ladder in group.ladders {
        sip_ladders::insert(&mut *db, ladder).await?;
    }
    for outbound in group.outbound {
        match outbound {
            Outbound::Call(call) => outbound::keep_call(&mut *db, call).await?,
            Outbound::Alarm(alarm) => outbound::keep_alarm(&mut *db, alarm).await?,
        }
    }
    let number = |opened: &&InteractionOpened| {
        let number = numbers.get(&opened.id)?.clone();
        Some(Protocol {
            interaction: opened.id.clone(),
            number,
        })
    };
    Ok(group.opened.iter().filter_map(number).collect())
}

/// Changes by their kind.
#[derive(Default)]
struct Group<'a> {
    opened: Vec<&'a InteractionOpened>,
    /// One for each interaction, with all that became known before its end.
    updated: Vec<(&'a InteractionId, InteractionUpdate)>,
    /// The first for each interaction, with all that became known before it.
    ended: Vec<(&'a InteractionId, InteractionUpdate, &'a InteractionEnd)>,
    /// Lines that came together, never none.
    trail: Vec<(&'a InteractionId, &'a [TrailEntry])>,
    voice_messages: Vec<&'a VoiceMessageLeft>,
    outbound: Vec<&'a Outbound>,
    answers: Vec<&'a SurveyAnswer>,
    ladders: Vec<&'a SipLadder>,
}

impl<'a> Group<'a> {
    fn of(changes: impl IntoIterator<Item = &'a Change>) -> Self {
        let mut group = Self::default();
        let mut updated = BTreeMap::<&InteractionId, InteractionUpdate>::new();
        let mut over = BTreeSet::new();
        let mut lines = Vec::new();
        for change in changes {
            match change {
                Change::InteractionOpened(opened) => group.opened.push(opened),
                Change::InteractionUpdated {
                    interaction,
                    update,
                    trail,
                } => {
                    lines.push((interaction, trail.as_slice()));
                    if !over.contains(interaction) && !update.is_empty() {
                        updated.entry(interaction).or_default().merge(update);
                    }
                }
                Change::InteractionEnded {
                    interaction,
                    update,
                    end,
                    trail,
                } => {
                    lines.push((interaction, trail.as_slice()));
                    if over.insert(interaction) {
                        let mut known = updated.remove(interaction).unwrap_or_default();
                        known.merge(update);
                        group.ended.push((interaction, known, end));
                    }
                }
                Change::VoiceMessageLeft(left) => group.voice_messages.push(left),
                Change::Outbound(outbound) => group.outbound.push(outbound),
                Change::SurveyAnswered(answer) => group.answers.push(answer),
                Change::SipLadder(ladder) => group.ladders.push(ladder),
            }
        }
        group.updated = updated.into_iter().collect();
        lines.retain(|(_, lines)| !lines.is_empty());
        group.trail = lines;
        group
    }
}

impl Group<'_> {
    /// Whether other systems may want to know of a line in it.
    fn has_news(&self) -> bool {
        let mut lines = self.trail.iter().flat_map(|(_, lines)| *lines);
        lines.any(|line| line.kind.event(&line.detail).is_some())
    }
}

/// Closes what a crash of this process left open, as of the last that is known of it, and says so
/// in its trail; what other processes handle stays as it is, and so does what goes on without its
/// call: who was promised a callback still is, and what is written waits for its answer. What was
/// opened before processes had names belongs to whoever comes first. Returns how many there were. To
/// be called in a transaction, before the first change.
pub async fn close_left_open(
    db: &mut AnyConnection,
    instance: &InstanceId,
    now_ms: i64,
) -> Result<usize, Error> {
    let closed: Vec<InteractionId> = sqlx::query(
        "UPDATE interactions
            SET state = 'ended', ended_by = 'restart', cause = 'closed_by_restart',
                ended_ms = COALESCE(
                    (SELECT MAX(t.at_ms) FROM trail t WHERE t.interaction = interactions.id),
                    started_ms)
          WHERE ended_ms IS NULL AND (instance = $1 OR instance IS NULL) AND conversation IS NULL
            AND id NOT IN (SELECT interaction FROM desk_works WHERE needs_call = 0)
         RETURNING id",
    )
    .bind(instance.as_str())
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

/// Opens interactions; returns the number of each.
async fn open(
    db: &mut AnyConnection,
    opened: &[&InteractionOpened],
) -> Result<BTreeMap<InteractionId, String>, Error> {
    let mut days = BTreeMap::<(&CompanyId, u32), Vec<&InteractionOpened>>::new();
    let mut met = BTreeSet::new();
    for opened in opened.iter().filter(|opened| met.insert(&opened.id)) {
        days.entry((&opened.company, opened.protocol_day))
            .or_default()
            .push(opened);
    }
    let mut numbered = vec![];
    for ((company, day), opened) in days {
        let first = count(db, company, day, opened.len()).await?;
        numbered.extend(
            (first..)
                .zip(opened)
                .map(|(count, opened)| (opened, protocol(day, count))),
        );
    }
    let mut inserted = BTreeSet::new();
    for part in parts(&numbered) {
        inserted.extend(insert(db, &part).await?);
    }
    let mut numbers = BTreeMap::new();
    for (opened, number) in numbered {
        let known = inserted.contains(&opened.id);
        let number = if known {
            number
        } else {
            protocol_of(db, &opened.id).await?
        };
        numbers.insert(opened.id.clone(), number);
    }
    Ok(numbers)
}

/// Takes the next `many` counts of a company's day; returns the first.
///
/// The row of the day is locked from here to the commit: two that open at once get different
/// counts, on either database. Opening again what is open already wastes a count, no more.
async fn count(
    db: &mut AnyConnection,
    company: &CompanyId,
    day: u32,
    many: usize,
) -> Result<i64, Error> {
    let many = i64::try_from(many).unwrap_or(i64::MAX);
    let last: i64 = sqlx::query(
        "INSERT INTO protocol_counts (company, day, count) VALUES ($1, $2, $3)
         ON CONFLICT (company, day) DO UPDATE SET count = protocol_counts.count + $3
         RETURNING count",
    )
    .bind(company.as_str())
    .bind(i64::from(day))
    .bind(many)
    .try_map(|row: AnyRow| row.whole("count"))
    .fetch_one(db)
    .await?;
    Ok(last - many + 1)
}

/// Returns which of them were not there before.
async fn insert(
    db: &mut AnyConnection,
    part: &[&(&InteractionOpened, String)],
) -> Result<Vec<InteractionId>, Error> {
    let sql = format!(
        "INSERT INTO interactions (id, company, protocol, medium, direction, state, from_address,
                                   from_name, to_address, number, trunk, device, sip_call_id,
                                   started_ms, flow, flow_version, instance)
         VALUES {} ON CONFLICT (id) DO NOTHING RETURNING id",
        values(db, part.len(), 17),
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for (opened, number) in part {
        query = query
            .bind(opened.id.as_str())
            .bind(opened.company.as_str())
            .bind(number.as_str())
            .bind(opened.medium.as_str())
            .bind(opened.direction.as_str())
            .bind(InteractionState::Ringing.as_str())
            .bind(opened.from.as_str())
            .bind(opened.from_name.as_str())
            .bind(opened.to.as_str())
            .bind(opened.number.as_ref().map(NumberId::as_str))
            .bind(opened.trunk.as_ref().map(TrunkId::as_str))
            .bind(opened.device.as_ref().map(DeviceId::as_str))
            .bind(opened.sip_call_id.as_str())
            .bind(opened.started_ms)
            .bind(opened.flow.as_ref().map(|(flow, _)| flow.as_str()))
            .bind(opened.flow.as_ref().map(|(_, version)| i64::from(*version)))
            .bind(opened.instance.as_ref().map(InstanceId::as_str));
    }
    Ok(query
        .try_map(|row: AnyRow| row.parsed("id"))
        .fetch_all(db)
        .await?)
}

async fn protocol_of(db: &mut AnyConnection, id: &InteractionId) -> Result<String, Error> {
    let number = sqlx::query("SELECT protocol FROM interactions WHERE id = $1")
        .bind(id.as_str())
        .try_map(|row: AnyRow| row.text("protocol"))
        .fetch_one(db)
        .await?;
    Ok(number)
}

/// The `WHERE` keeps what has ended as it ended.
async fn update(
    db: &mut AnyConnection,
    part: &[&(&InteractionId, InteractionUpdate)],
) -> Result<(), Error> {
    let sql = format!(
        "UPDATE interactions
            SET state = COALESCE(v.column2, state), flow = COALESCE(v.column3, flow),
                flow_version = COALESCE(v.column4, flow_version),
                service = COALESCE(v.column5, service),
                answered_ms = COALESCE(v.column6, answered_ms),
                queued_ms = COALESCE(v.column7, queued_ms), codec = COALESCE(v.column8, codec),
                contact = COALESCE(v.column9, contact), agent = COALESCE(v.column10, agent)
           FROM (VALUES {}) AS v
          WHERE id = v.column1 AND ended_ms IS NULL",
        values(db, part.len(), 10),
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for (interaction, update) in part {
        query = query
            .bind(interaction.as_str())
            .bind(update.state.map(InteractionState::as_str))
            .bind(update.flow.as_ref().map(|(flow, _)| flow.as_str()))
            .bind(update.flow.as_ref().map(|(_, version)| i64::from(*version)))
            .bind(update.service.as_ref().map(ServiceId::as_str))
            .bind(update.answered_ms)
            .bind(update.queued_ms)
            .bind(update.codec.as_deref())
            .bind(update.contact.as_ref().map(ContactId::as_str))
            .bind(update.agent.as_ref().map(UserId::as_str));
    }
    query.execute(db).await?;
    Ok(())
}

/// The `WHERE` lets the first end win.
async fn end(
    db: &mut AnyConnection,
    part: &[&(&InteractionId, InteractionUpdate, &InteractionEnd)],
) -> Result<(), Error> {
    let sql = format!(
        "UPDATE interactions
            SET state = 'ended', ended_ms = v.column2, ended_by = v.column3, cause = v.column4,
                sip_status = v.column5, quality = v.column6, flow = COALESCE(v.column7, flow),
                flow_version = COALESCE(v.column8, flow_version),
                service = COALESCE(v.column9, service),
                answered_ms = COALESCE(v.column10, answered_ms),
                queued_ms = COALESCE(v.column11, queued_ms), codec = COALESCE(v.column12, codec),
                contact = COALESCE(v.column13, contact), agent = COALESCE(v.column14, agent)
           FROM (VALUES {}) AS v
          WHERE id = v.column1 AND ended_ms IS NULL",
        values(db, part.len(), 14),
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for (interaction, update, end) in part {
        query = query
            .bind(interaction.as_str())
            .bind(end.ended_ms)
            .bind(end.by.as_str())
            .bind(end.cause.as_str())
            .bind(end.sip_status.map(i64::from))
            .bind(end.quality.as_ref().map(json).transpose()?)
            .bind(update.flow.as_ref().map(|(flow, _)| flow.as_str()))
            .bind(update.flow.as_ref().map(|(_, version)| i64::from(*version)))
            .bind(update.service.as_ref().map(ServiceId::as_str))
            .bind(update.answered_ms)
            .bind(update.queued_ms)
            .bind(update.codec.as_deref())
            .bind(update.contact.as_ref().map(ContactId::as_str))
            .bind(update.agent.as_ref().map(UserId::as_str));
    }
    query.execute(db).await?;
    Ok(())
}

/// Lines that came together are one row: the last line's, with all of them in its detail as an
/// array. A line that came alone has its own detail, which never is an array. Webhooks are told of what was
/// not there before, if there are any (`is_told`).
async fn append(
    db: &mut AnyConnection,
    part: &[&(&InteractionId, &[TrailEntry])],
    is_told: bool,
) -> Result<(), Error> {
    let sql = format!(
        "INSERT INTO trail (interaction, seq, at_ms, kind, detail) VALUES {}
         ON CONFLICT (interaction, seq) DO NOTHING {}",
        values(db, part.len(), 5),
        if is_told {
            "RETURNING interaction, seq"
        } else {
            ""
        },
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for (interaction, lines) in part {
        let Some(last) = lines.last() else {
            continue; // None comes: the group has no empty ones.
        };
        let detail = match lines {
            [alone] => json(&alone.detail)?,
            _ => json(lines)?,
        };
        query = query
            .bind(interaction.as_str())
            .bind(i64::from(last.seq))
            .bind(last.at_ms)
            .bind(last.kind.as_str())
            .bind(detail);
    }
    if !is_told {
        query.execute(db).await?;
        return Ok(());
    }
    let written = query
        .try_map(|row: AnyRow| Ok((row.parsed("interaction")?, row.count("seq")?)))
        .fetch_all(&mut *db)
        .await?;
    tell(db, part, written.into_iter().collect()).await
}

/// Webhooks are to be told of the lines in the rows that were not there before.
async fn tell(
    db: &mut AnyConnection,
    part: &[&(&InteractionId, &[TrailEntry])],
    mut new: BTreeSet<(InteractionId, u32)>,
) -> Result<(), Error> {
    for (interaction, lines) in part {
        let row = lines.last().map(|last| ((*interaction).clone(), last.seq));
        if !row.is_some_and(|row| new.remove(&row)) {
            continue;
        }
        for line in *lines {
            let Some(event) = line.kind.event(&line.detail) else {
                continue;
            };
            let happened = Happened {
                interaction,
                at_ms: line.at_ms,
                event,
                detail: &line.detail,
            };
            notices::tell(db, happened, Seen::Here).await?;
        }
    }
    Ok(())
}

async fn leave(db: &mut AnyConnection, part: &[&&VoiceMessageLeft]) -> Result<(), Error> {
    let sql = format!(
        "INSERT INTO voice_messages (id, company, interaction, service, file, bytes, duration_ms,
                                     left_ms)
         VALUES {} ON CONFLICT (id) DO NOTHING",
        values(db, part.len(), 8),
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for left in part {
        query = query
            .bind(left.id.as_str())
            .bind(left.company.as_str())
            .bind(left.interaction.as_str())
            .bind(left.service.as_ref().map(ServiceId::as_str))
            .bind(left.file.as_str())
            .bind(whole(left.bytes))
            .bind(whole(left.duration_ms))
            .bind(left.left_ms);
    }
    query.execute(db).await?;
    Ok(())
}

/// Cuts rows into parts, each for one statement, of so few lengths that each statement is prepared
/// once: 1, 2, 3, 4, 6, 8, 12 … [`ROWS_MAX`]. The last row is repeated where a part is too short:
/// every statement here takes a repeated row without harm.
pub(crate) fn parts<T>(rows: &[T]) -> impl Iterator<Item = Vec<&T>> {
    rows.chunks(ROWS_MAX).map(|part| {
        part.iter()
            .chain(part.last().into_iter().cycle())
            .take(length(part.len()))
            .collect()
    })
}

/// The length of the statement for so many rows: a power of two, or one and a half of one.
fn length(rows: usize) -> usize {
    let above = rows.next_power_of_two();
    let between = above / 4 * 3;
    if rows <= between { between } else { above }
}

/// The parameters of so many rows, as the database likes them best.
pub(crate) fn values(db: &AnyConnection, rows: usize, columns: usize) -> String {
    if db.backend_name() == SQLITE {
        bare(rows, columns)
    } else {
        numbered(rows, columns)
    }
}

/// `(?, ?), (?, ?)`. SQLite finds a parameter that has a name, as `$1` is one, by going through
/// all names, at every binding: a long statement would take time in the square of its length.
fn bare(rows: usize, columns: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(", "));
    vec![row; rows].join(", ")
}

/// `($1, $2), ($3, $4)`.
fn numbered(rows: usize, columns: usize) -> String {
    let mut text = String::new();
    for parameter in 0..rows * columns {
        let before = match parameter % columns {
            0 if parameter == 0 => "(",
            0 => "), (",
            _ => ", ",
        };
        // Writing to a String cannot fail.
        let _ = write!(text, "{before}${}", parameter + 1);
    }
    text.push(')');
    text
}

/// What sqlx calls it.
const SQLITE: &str = "SQLite";

/// Rows in one statement. A power of two; with 17 columns well below the 32,766 parameters that
/// SQLite takes and the 65,535 of PostgreSQL.
const ROWS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_hold_every_row_and_have_few_lengths() {
        let rows: Vec<usize> = (0..150).collect();
        let mut lengths = BTreeSet::new();
        for many in 0..rows.len() {
            let parts: Vec<_> = parts(&rows[..many]).collect();
            lengths.extend(parts.iter().map(Vec::len));
            let held: BTreeSet<_> = parts.into_iter().flatten().collect();
            assert_eq!(held.len(), many);
        }
        assert_eq!(
            lengths,
            BTreeSet::from([1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64])
        );
    }

    #[test]
    fn parameters_are_bare_for_sqlite_and_numbered_for_postgresql() {
        assert_eq!(bare(2, 3), "(?, ?, ?), (?, ?, ?)");
        assert_eq!(numbered(2, 3), "($1, $2, $3), ($4, $5, $6)");
        assert_eq!(bare(1, 1), "(?)");
        assert_eq!(numbered(1, 1), "($1)");
    }
}
