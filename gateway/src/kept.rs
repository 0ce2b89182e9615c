//! What is kept of the desks, on its way to the writer.
//!
//! Each record stands in the place of the one before, so that while the writer is full the number of
//! agents and works bounds what waits here, however fast they change.

use std::collections::BTreeMap;

use desk::id::{InteractionId, ServiceId, UserId, WorkId};
use desk::kept::Kept;
use store::Writer;
use store::writer::Pending;

/// What is not handed over to the writer yet.
#[derive(Debug)]
pub struct Keeper {
    writer: Writer,
    waiting: BTreeMap<Key, Kept>,
    lines: u64,
    lost: usize,
}

/// What stands in the place of what came before.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Agent(UserId),
    Service(ServiceId),
    Work(WorkId),
    Decision(WorkId, u32),
    Life(InteractionId),
    Line(u64),
}

impl Keeper {
    /// Nothing yet, and a writer that takes it.
    pub fn new(writer: Writer) -> Self {
        Self {
            writer,
            waiting: BTreeMap::new(),
            lines: 0,
            lost: 0,
        }
    }

    /// Something is so now. Beyond the limit what only people read is lost, and counted.
    pub fn keep(&mut self, kept: Kept) {
        let key = match &kept {
            Kept::Agent { record, .. } => Key::Agent(record.id.clone()),
            Kept::Service(record) => Key::Service(record.id.clone()),
            Kept::Work { record, .. } => Key::Work(record.work.id.clone()),
            Kept::WorkRemoved(work) => Key::Work(work.clone()),
            Kept::Decision(_) | Kept::Line(_) | Kept::Fact(_)
                if self.waiting.len() >= WAITING_MAX =>
            {
                self.lost += 1;
                return;
            }
            Kept::Decision(made) => Key::Decision(made.decision.work.clone(), made.slot),
            Kept::Life { interaction, .. } | Kept::LifeRemoved(interaction) => {
                Key::Life(interaction.clone())
            }
            // A step is never lost, nor what is said: who writes and who answers bound them.
            Kept::Line(_) | Kept::Fact(_) | Kept::Step(_) | Kept::Said(_) => {
                self.lines += 1;
                Key::Line(self.lines)
            }
        };
        self.waiting.insert(key, kept);
    }

    /// Gives the writer all that waits, when it has room; where somebody waits for it, what tells
    /// when it is durable.
    pub fn hand_over(&mut self, is_awaited: bool) -> Option<Pending> {
        if self.waiting.is_empty() || !self.writer.has_room() {
            return None;
        }
        let kept = std::mem::take(&mut self.waiting).into_values().collect();
        let handed = if is_awaited {
            self.writer.keep(kept).map(Some)
        } else {
            self.writer.keep_soon(kept).map(|()| None)
        };
        handed
            .inspect_err(|error| tracing::error!(%error, "what desks keep was lost"))
            .unwrap_or_default()
    }

    /// Whether something waits.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Decisions, facts and lines that were lost because too much waited, since the start.
    pub fn lost(&self) -> usize {
        self.lost
    }
}

/// Records that wait while the writer is full before what only people read is lost.
const WAITING_MAX: usize = 50_000;

#[cfg(test)]
mod tests {
    use desk::change::ServiceRecord;
    use desk::kept::LateLine;
    use desk::record::TrailKind;
    use store::{Store, sqlite_url};

    use super::*;

    fn learnt(ms: i64) -> Kept {
        Kept::Service(ServiceRecord {
            id: "sales".parse().expect("an id"),
            lasts_ms: vec![Some(ms)],
        })
    }

    fn line(at_ms: i64) -> Kept {
        Kept::Line(LateLine {
            interaction: "one".parse().expect("an id"),
            at_ms,
            kind: TrailKind::Offered,
            detail: serde_json::Value::Null,
        })
    }

    #[tokio::test]
    async fn while_the_writer_is_full_only_the_last_of_each_waits() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&sqlite_url(&folder.path().join("ramal.db"))).await;
        let store = store.expect("a store");
        let writer = Writer::start(store.clone()).0;
        let mut keeper = Keeper::new(writer.clone());
        let busy = store.begin().await.expect("the one turn to write");
        while writer.has_room() {
            writer.note(vec![]).expect("there is room");
        }
        for ms in 0..1_000 {
            keeper.keep(learnt(ms));
        }
        keeper.keep(line(1));
        keeper.keep(line(2));
        assert!(keeper.hand_over(true).is_none());
        assert_eq!((keeper.waiting.len(), keeper.lost()), (3, 0));
        assert_eq!(
            keeper.waiting[&Key::Service("sales".parse().expect("an id"))],
            learnt(999)
        );

        drop(busy);
        let pending = loop {
            if let Some(pending) = keeper.hand_over(true) {
                break pending;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        };
        pending.wait().await.expect("durable");
        assert!(!keeper.is_waiting());
    }

    #[tokio::test]
    async fn beyond_the_limit_what_only_people_read_is_lost_and_counted() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&sqlite_url(&folder.path().join("ramal.db"))).await;
        let mut keeper = Keeper::new(Writer::start(store.expect("a store")).0);
        for at_ms in 0..50_003 {
            keeper.keep(line(at_ms));
        }
        keeper.keep(learnt(1));
        assert_eq!((keeper.waiting.len(), keeper.lost()), (50_001, 3));
    }
}
