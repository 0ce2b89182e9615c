//! How agents are, on its way to the disk.
//!
//! Each record stands in the place of the one before, so that only the last of each agent waits:
//! the number of agents bounds what is here, however fast they come and go.

use std::collections::BTreeMap;

use desk::change::AgentRecord;
use desk::id::UserId;
use media_engine_net::clock;
use store::Store;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// What is not handed over to the keeper yet.
#[derive(Debug)]
pub struct Presences {
    keeper: mpsc::Sender<Vec<AgentRecord>>,
    waiting: BTreeMap<UserId, AgentRecord>,
}

impl Presences {
    /// Starts the keeper as a task of the current runtime. It ends when this is dropped and
    /// everything that was handed over is written.
    pub fn start(store: Store) -> (Self, JoinHandle<()>) {
        let (keeper, handed) = mpsc::channel(1);
        let task = tokio::spawn(keep(store, handed));
        let waiting = BTreeMap::new();
        (Self { keeper, waiting }, task)
    }

    /// An agent is so now.
    pub fn keep(&mut self, record: AgentRecord) {
        self.waiting.insert(record.id.clone(), record);
    }

    /// Gives the keeper all that waits, as soon as it is done with what it had before.
    pub fn hand_over(&mut self) {
        if self.is_waiting()
            && let Ok(place) = self.keeper.try_reserve()
        {
            place.send(std::mem::take(&mut self.waiting).into_values().collect());
        }
    }

    /// Whether something waits.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Gives the keeper the last of it.
    pub async fn finish(&mut self) {
        let last = std::mem::take(&mut self.waiting);
        // A keeper that is gone has nothing more to keep for anybody.
        let _ = self.keeper.send(last.into_values().collect()).await;
    }
}

async fn keep(store: Store, mut handed: mpsc::Receiver<Vec<AgentRecord>>) {
    while let Some(records) = handed.recv().await {
        if let Err(error) = write(&store, &records).await {
            // The next change of each brings it anew.
            tracing::error!(%error, agents = records.len(), "how agents are was not kept");
        }
    }
}

async fn write(store: &Store, records: &[AgentRecord]) -> Result<(), store::Error> {
    let at_ms = clock::wall().as_millisecond();
    let mut db = store.begin().await?;
    for record in records {
        store::agents::keep_state(&mut *db, record, at_ms).await?;
    }
    db.commit().await
}
