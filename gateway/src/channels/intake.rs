//! What came in goes to disk as it came: many receipts in one commit, as many as came while the disk
//! was busy with those before.

use std::time::Duration;

use media_engine_net::clock;
use store::receipts::{self, Receipt};
use store::{Error, Store};
use tokio::sync::mpsc;

use super::Arrival;

pub(super) struct Intake {
    store: Store,
    stored: mpsc::Sender<Arrival>,
}

impl Intake {
    pub(super) fn new(store: Store, stored: mpsc::Sender<Arrival>) -> Self {
        Self { store, stored }
    }

    /// Ends when nobody can bring anything any more.
    pub(super) async fn run(self, mut arrivals: mpsc::Receiver<Arrival>) {
        let mut group = Vec::with_capacity(GROUP_MAX);
        while arrivals.recv_many(&mut group, GROUP_MAX).await > 0 {
            for arrival in self.keep(std::mem::take(&mut group)).await {
                let arrival = arrival.kept();
                if self.stored.send(arrival).await.is_err() {
                    return; // The worker is gone; at the next start it finds them.
                }
            }
        }
    }

    /// Those that are on disk. Who waits for another hears nothing, and asks again.
    async fn keep(&self, group: Vec<Arrival>) -> Vec<Arrival> {
        let rows: Vec<Receipt> = group.iter().map(|one| one.receipt.clone()).collect();
        match self.insert_patiently(&rows).await {
            Ok(()) => group,
            Err(error) if error.is_temporary() => {
                tracing::error!(%error, messages = group.len(), "the database is away; not received");
                vec![]
            }
            Err(error) => {
                // A channel was deleted in the meantime: the others are not to suffer from it.
                tracing::warn!(%error, "a group was refused; now one by one");
                let mut kept = vec![];
                for arrival in group {
                    match self.insert(std::slice::from_ref(&arrival.receipt)).await {
                        Ok(()) => kept.push(arrival),
                        Err(error) => tracing::warn!(%error, "a message was not received"),
                    }
                }
                kept
            }
        }
    }

    async fn insert_patiently(&self, rows: &[Receipt]) -> Result<(), Error> {
        let until = clock::now() + PATIENCE;
        loop {
            match self.insert(rows).await {
                Err(error) if error.is_temporary() && clock::now() < until => {
                    tracing::warn!(%error, "the database is away; trying again");
                    tokio::time::sleep(RETRY_INTERVAL).await;
                }
                result => return result,
            }
        }
    }

    async fn insert(&self, rows: &[Receipt]) -> Result<(), Error> {
        let mut db = self.store.begin().await?;
        receipts::insert(&mut db, rows).await?;
        db.commit().await
    }
}

/// Receipts in one commit: bounds how long the first waits for the last.
const GROUP_MAX: usize = 512;

/// How long a database may be away before who waits is told to come again.
const PATIENCE: Duration = Duration::from_secs(5);

/// Between two tries: short beside a restart of PostgreSQL, long beside a busy loop.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);
