//! What calls leave behind, on its way to the writer.
//!
//! ```text
//!  turn ─ open, save ─▶ a unit for each interaction ─ hand over ─▶ writer ─▶ disk
//!                       (waits here while the writer is full)
//! ```
//!
//! The changes of one interaction are one save: what the database refuses of one call takes
//! nothing of another with it. While the writer is full new calls are refused, and what the calls
//! that run leave behind waits here, within a limit.

use std::collections::{BTreeMap, HashSet};

use desk::id::InteractionId;
use desk::record::{Change, InteractionOpened, InteractionUpdate, TrailEntry};
use exchange::voice::CallKey;
use store::Writer;
use store::writer::Pending;

/// The changes that are not handed over to the writer.
#[derive(Debug)]
pub struct Records {
    writer: Writer,
    /// The oldest interaction first: ids begin with their time.
    waiting: BTreeMap<InteractionId, Unit>,
    /// Changes and lines that wait.
    count: usize,
    /// How many may, [`CHANGES_MAX`] but in tests.
    count_max: usize,
    /// Calls that came when there was no place even for their beginning; until they end.
    unrecorded: HashSet<InteractionId>,
    /// Those of them who are not told yet.
    refused: Vec<CallKey>,
    lost: usize,
}

/// What one interaction leaves behind.
#[derive(Debug, Default)]
struct Unit {
    changes: Vec<Change>,
    /// The call that waits until its beginning is on disk.
    opening: Option<CallKey>,
}

/// What came of handing over.
#[derive(Debug)]
pub struct HandedOver {
    /// Calls whose beginning is on its way to the disk.
    pub opening: Vec<(CallKey, Pending)>,
    /// Calls that are to be refused: the disk does not keep up.
    pub refused: Vec<CallKey>,
}

impl Records {
    /// Nothing yet, and a writer that takes it.
    pub fn new(writer: Writer) -> Self {
        Self {
            writer,
            waiting: BTreeMap::new(),
            count: 0,
            count_max: CHANGES_MAX,
            unrecorded: HashSet::new(),
            refused: Vec::new(),
            lost: 0,
        }
    }

    /// A call begins, and waits until that is on disk.
    ///
    /// Beyond the limit nothing is remembered of it, neither now nor of how it is refused.
    pub fn open(&mut self, call: CallKey, opened: Box<InteractionOpened>) {
        let id = opened.id.clone();
        if self.count >= self.count_max {
            self.lost += 1;
            self.refused.push(call);
            self.unrecorded.insert(id);
            return;
        }
        self.count += 1;
        let unit = self.waiting.entry(id).or_default();
        unit.changes.push(Change::InteractionOpened(opened));
        unit.opening = Some(call);
    }

    /// Something happened to an interaction.
    ///
    /// Beyond the limit the lines of trails are lost, and counted. What makes the record itself is
    /// kept: the number of calls bounds it.
    pub fn save(&mut self, mut change: Change) {
        let id = interaction(&change);
        if self.unrecorded.contains(id) {
            if let Change::InteractionEnded { .. } = change {
                self.unrecorded.remove(id);
            }
            self.lost += weight(&change);
            return;
        }
        if let Change::SipLadder(_) = change
            && self.count >= self.count_max / LADDERS_SHARE
        {
            self.lost += 1;
            return;
        }
        if self.count >= self.count_max {
            self.lost += trail(&mut change).map_or(0, |lines| std::mem::take(lines).len());
            if self.merge(&change) {
                return;
            }
        }
        self.count += weight(&change);
        let unit = self.waiting.entry(interaction(&change).clone());
        unit.or_default().changes.push(change);
    }

    /// Puts what became known to what waits already, where it can.
    fn merge(&mut self, change: &Change) -> bool {
        let Change::InteractionUpdated {
            interaction,
            update,
            ..
        } = change
        else {
            return false;
        };
        let unit = self.waiting.get_mut(interaction);
        let known = unit.and_then(Unit::last_update);
        if let Some(known) = known {
            known.merge(update);
            return true;
        }
        update.is_empty()
    }

    /// Gives the writer what it has room for. What it has none for stays; calls that wait for
    /// it are refused.
    pub fn hand_over(&mut self) -> HandedOver {
        let mut opening = Vec::new();
        let mut refused = std::mem::take(&mut self.refused);
        while self.writer.has_room()
            && let Some((_, unit)) = self.waiting.pop_first()
        {
            self.count -= unit.changes.iter().map(weight).sum::<usize>();
            let handed = match unit.opening {
                Some(call) => match self.writer.hand_over(unit.changes) {
                    Ok(pending) => {
                        opening.push((call, pending));
                        Ok(())
                    }
                    Err(error) => {
                        refused.push(call);
                        Err(error)
                    }
                },
                None => self.writer.note(unit.changes),
            };
            if let Err(error) = handed {
                tracing::error!(%error, "records were lost");
            }
        }
        // Their record stays, and comes with a number of its own later.
        refused.extend(
            self.waiting
                .values_mut()
                .filter_map(|unit| unit.opening.take()),
        );
        HandedOver { opening, refused }
    }

    /// Changes and lines that the writer had no room for.
    pub fn waiting(&self) -> usize {
        self.count
    }

    /// Changes and lines that were lost because too many waited, since the start.
    pub fn lost(&self) -> usize {
        self.lost
    }
}

impl Unit {
    fn last_update(&mut self) -> Option<&mut InteractionUpdate> {
        self.changes
            .iter_mut()
            .rev()
            .find_map(|change| match change {
                Change::InteractionUpdated { update, .. } => Some(&mut **update),
                Change::InteractionOpened(_)
                | Change::InteractionEnded { .. }
                | Change::VoiceMessageLeft(_)
                | Change::SurveyAnswered(_)
                | Change::Outbound(_)
                | Change::SipLadder(_) => None,
            })
    }
}

/// What a change belongs to.
fn interaction(change: &Change) -> &InteractionId {
    match change {
        Change::InteractionOpened(opened) => &opened.id,
        Change::InteractionUpdated { interaction, .. }
        | Change::InteractionEnded { interaction, .. } => interaction,
        Change::VoiceMessageLeft(left) => &left.interaction,
        Change::SurveyAnswered(answer) => &answer.interaction,
        Change::Outbound(outbound) => outbound.interaction(),
        Change::SipLadder(ladder) => &ladder.interaction,
    }
}

/// The lines of the trail that come with a change.
fn trail(change: &mut Change) -> Option<&mut Vec<TrailEntry>> {
    match change {
        Change::InteractionUpdated { trail, .. } | Change::InteractionEnded { trail, .. } => {
            Some(trail)
        }
        Change::InteractionOpened(_)
        | Change::VoiceMessageLeft(_)
        | Change::SurveyAnswered(_)
        | Change::Outbound(_)
        | Change::SipLadder(_) => None,
    }
}

/// How much a change counts: itself, and each line that comes with it.
fn weight(change: &Change) -> usize {
    match change {
        Change::InteractionUpdated { trail, .. } | Change::InteractionEnded { trail, .. } => {
            1 + trail.len()
        }
        Change::InteractionOpened(_)
        | Change::VoiceMessageLeft(_)
        | Change::SurveyAnswered(_)
        | Change::Outbound(_)
        | Change::SipLadder(_) => 1,
    }
}

/// From which part of the limit on the ladders of calls are lost: each weighs as much as many lines.
const LADDERS_SHARE: usize = 20;

/// Changes and lines that wait while the writer is full: some 50 MB, and several seconds of a busy system.
const CHANGES_MAX: usize = 100_000;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use desk::id::CompanyId;
    use desk::record::{Direction, EndedBy, InteractionEnd, InteractionState, Medium, TrailKind};
    use store::companies::{self, Company};
    use store::{Store, interactions, sqlite_url, trail};

    use super::*;

    struct Scene {
        _folder: tempfile::TempDir,
        store: Store,
        company: CompanyId,
        records: Records,
        calls: u64,
    }

    impl Scene {
        async fn new(count_max: usize) -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let url = sqlite_url(&folder.path().join("ramal.db"));
            let store = Store::open(&url).await.expect("a store");
            let company: CompanyId = "a".parse().expect("an id");
            let row = Company {
                id: company.clone(),
                name: "A".into(),
                language: "pt-BR".into(),
                time_zone: "America/Sao_Paulo".into(),
                settings: serde_json::Value::Null,
                disabled: false,
                created_ms: 1,
            };
            companies::insert(store.pool(), &row).await.expect("a row");
            let mut records = Records::new(Writer::start(store.clone()).0);
            records.count_max = count_max;
            Self {
                _folder: folder,
                store,
                company,
                records,
                calls: 0,
            }
        }

        fn open(&mut self, company: &CompanyId, id: &str) -> CallKey {
            self.calls += 1;
            let opened = InteractionOpened {
                id: id.parse().expect("an id"),
                company: company.clone(),
                instance: None,
                medium: Medium::Phone,
                direction: Direction::Inbound,
                from: "+5511999990000".into(),
                from_name: String::new(),
                to: "4000".into(),
                number: None,
                trunk: None,
                device: None,
                flow: None,
                sip_call_id: "a@b".into(),
                started_ms: 1,
                protocol_day: 20_261_122,
            };
            let call = CallKey(self.calls);
            self.records.open(call, Box::new(opened));
            call
        }

        async fn state(&self, id: &str) -> Option<(InteractionState, Option<i64>)> {
            let id = id.parse().expect("an id");
            let found = interactions::by_id(self.store.pool(), &self.company, &id).await;
            let found = found.expect("an answer")?;
            Some((found.state, found.answered_ms))
        }
    }

    fn entry(seq: u32) -> TrailEntry {
        TrailEntry {
            seq,
            at_ms: 1,
            kind: TrailKind::KeyPressed,
            detail: serde_json::Value::Null,
        }
    }

    fn updated(id: &str, answered_ms: Option<i64>, trail: Vec<TrailEntry>) -> Change {
        Change::InteractionUpdated {
            interaction: id.parse().expect("an id"),
            update: Box::new(InteractionUpdate {
                answered_ms,
                ..InteractionUpdate::default()
            }),
            trail,
        }
    }

    fn line(id: &str, seq: u32) -> Change {
        updated(id, None, vec![entry(seq)])
    }

    fn ended(id: &str, trail: Vec<TrailEntry>) -> Change {
        Change::InteractionEnded {
            interaction: id.parse().expect("an id"),
            update: Box::default(),
            end: Box::new(InteractionEnd {
                ended_ms: 9,
                by: EndedBy::Customer,
                cause: "hung_up".into(),
                sip_status: None,
                quality: None,
            }),
            trail,
        }
    }

    #[tokio::test]
    async fn a_call_that_cannot_be_recorded_takes_no_other_of_its_turn_with_it() {
        let mut scene = Scene::new(100).await;
        let company = scene.company.clone();
        let nobody: CompanyId = "nobody".parse().expect("an id");
        let calls = [
            scene.open(&company, "one"),
            scene.open(&nobody, "two"),
            scene.open(&company, "zee"),
        ];
        scene.records.save(line("two", 0));
        scene.records.save(line("zee", 0));
        let HandedOver { opening, refused } = scene.records.hand_over();
        assert_eq!((scene.records.waiting(), refused.len()), (0, 0));
        let mut told = vec![];
        for (call, pending) in opening {
            told.push((call, pending.wait().await.is_ok()));
        }
        assert_eq!(
            told,
            [(calls[0], true), (calls[1], false), (calls[2], true)]
        );
        assert!(scene.state("two").await.is_none());
    }

    #[tokio::test]
    async fn a_full_writer_refuses_new_calls_and_what_waits_has_a_limit() {
        let mut scene = Scene::new(10).await;
        let company = scene.company.clone();
        scene.open(&company, "runs");
        for (_, pending) in scene.records.hand_over().opening {
            pending.wait().await.expect("a record");
        }

        // The disk does not keep up: the writer is filled to the brim.
        let busy = scene.store.begin().await.expect("the one turn to write");
        while scene.records.writer.has_room() {
            let noted = scene.records.writer.note(vec![]);
            noted.expect("there is room");
        }
        let refused = scene.open(&company, "refused");
        assert_eq!(scene.records.hand_over().refused, [refused]);
        assert!(scene.records.hand_over().refused.is_empty(), "told once");
        scene.records.save(updated("runs", Some(4), vec![]));
        for seq in 0..4 {
            scene.records.save(line("runs", seq));
        }
        assert_eq!((scene.records.waiting(), scene.records.lost()), (10, 0));
        scene.records.save(line("runs", 4));
        assert_eq!((scene.records.waiting(), scene.records.lost()), (10, 1));

        // Beyond the limit nothing is kept of a new call, and of the others their record alone.
        let stranger = scene.open(&company, "stranger");
        scene.records.save(line("stranger", 0));
        scene.records.save(ended("stranger", vec![entry(1)]));
        assert_eq!((scene.records.waiting(), scene.records.lost()), (10, 6));
        for answered_ms in [5, 6] {
            let update = updated("runs", Some(answered_ms), vec![]);
            scene.records.save(update);
        }
        scene.records.save(ended("runs", vec![entry(5)]));
        assert_eq!((scene.records.waiting(), scene.records.lost()), (11, 7));
        assert_eq!(scene.records.hand_over().refused, [stranger]);
        assert!(scene.records.unrecorded.is_empty());

        drop(busy);
        while scene.records.waiting() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            scene.records.hand_over();
        }
        scene.open(&company, "next");
        for (_, pending) in scene.records.hand_over().opening {
            pending.wait().await.expect("a record");
        }
        let ended = InteractionState::Ended;
        assert_eq!(scene.state("runs").await, Some((ended, Some(6))));
        assert_eq!(
            scene.state("refused").await,
            Some((InteractionState::Ringing, None))
        );
        assert_eq!(scene.state("stranger").await, None);
        let id = "runs".parse().expect("an id");
        let lines = trail::list(scene.store.pool(), &company, &id, 0, 500).await;
        assert_eq!(lines.expect("a trail").len(), 4);
    }
}
