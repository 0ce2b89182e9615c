//! What came in goes to disk as it came: many receipts in one commit, as many as came while the disk
//! was busy with those before. Nothing of it waits in memory for what is made of it: the worker reads it
//! from there, in the same order.

use std::time::Duration;

use desk::id::{InstanceId, ReceiptId};
use media_engine_net::clock;
use store::receipts::{self, Receipt};
use store::{Error, Store};
use tokio::sync::{Notify, mpsc, oneshot};

use super::{Arrival, Outcome, Waits};

/// Who waits for what is made of a receipt.
pub(super) type Waiting = (ReceiptId, oneshot::Sender<Outcome>);

pub(super) struct Intake {
    pub(super) store: Store,
    pub(super) instance: InstanceId,
    /// To the worker: who waits.
    pub(super) waiting: mpsc::Sender<Waiting>,
    /// To the worker: there is more on disk.
    pub(super) more: std::sync::Arc<Notify>,
}

impl Intake {
    /// Ends when nobody can bring anything any more.
    pub(super) async fn run(self, mut arrivals: mpsc::Receiver<Arrival>) {
        let mut seq = self.first_seq().await;
        let mut group = Vec::with_capacity(GROUP_MAX);
        while arrivals.recv_many(&mut group, GROUP_MAX).await > 0 {
            let (rows, waits) = self.split(std::mem::take(&mut group));
            let many = waits.len();
            self.keep(rows, waits, seq).await;
            // Numbers of what was refused stay free.
            seq += i64::try_from(many).unwrap_or_default();
        }
    }

    async fn first_seq(&self) -> i64 {
        loop {
            match receipts::next_seq(self.store.pool(), &self.instance).await {
                Ok(seq) => return seq,
                Err(error) => {
                    tracing::warn!(%error, "the database is away; trying again");
                    tokio::time::sleep(RETRY_INTERVAL).await;
                }
            }
        }
    }

    /// The worker knows who waits before there is anything for it to work on.
    fn split(&self, group: Vec<Arrival>) -> (Vec<Receipt>, Vec<Option<oneshot::Sender<()>>>) {
        let one = |arrival: Arrival| {
            let wait = match arrival.waits {
                Waits::Durable(answer) => Some(answer),
                Waits::Made(answer) => {
                    // Beyond what it can remember they wait in vain, and ask again.
                    let _ = self.waiting.try_send((arrival.receipt.id.clone(), answer));
                    None
                }
            };
            (arrival.receipt, wait)
        };
        group.into_iter().map(one).unzip()
    }

    /// Those who wait until it is on disk hear so. Who hears nothing asks again.
    async fn keep(&self, rows: Vec<Receipt>, waits: Vec<Option<oneshot::Sender<()>>>, seq: i64) {
        match self.insert_patiently(&rows, seq).await {
            Ok(()) => {
                self.more.notify_one();
                waits.into_iter().flatten().for_each(answer);
            }
            Err(error) if error.is_temporary() => {
                tracing::error!(%error, messages = rows.len(), "the database is away; not received");
            }
            Err(error) => {
                // A channel was deleted in the meantime: the others are not to suffer from it.
                tracing::warn!(%error, "a group was refused; now one by one");
                for ((row, wait), seq) in rows.iter().zip(waits).zip(seq..) {
                    match self.insert(std::slice::from_ref(row), seq).await {
                        Ok(()) => wait.into_iter().for_each(answer),
                        Err(error) => tracing::warn!(%error, "a message was not received"),
                    }
                }
                self.more.notify_one();
            }
        }
    }

    async fn insert_patiently(&self, rows: &[Receipt], seq: i64) -> Result<(), Error> {
        let until = clock::now() + PATIENCE;
        loop {
            match self.insert(rows, seq).await {
                Err(error) if error.is_temporary() && clock::now() < until => {
                    tracing::warn!(%error, "the database is away; trying again");
                    tokio::time::sleep(RETRY_INTERVAL).await;
                }
                result => return result,
            }
        }
    }

    async fn insert(&self, rows: &[Receipt], seq: i64) -> Result<(), Error> {
        let mut db = self.store.begin().await?;
        receipts::insert(&mut db, rows, seq).await?;
        db.commit().await
    }
}

/// Who went away tells it again.
fn answer(wait: oneshot::Sender<()>) {
    let _ = wait.send(());
}

/// Receipts in one commit: bounds how long the first waits for the last.
const GROUP_MAX: usize = 512;

/// How long a database may be away before who waits is told to come again.
const PATIENCE: Duration = Duration::from_secs(5);

/// Between two tries: short beside a restart of PostgreSQL, long beside a busy loop.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);
