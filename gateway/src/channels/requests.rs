//! Writes down what other systems asked, a moment later and many at once: nobody waits for it.

use std::time::Duration;

use media_engine_net::clock;
use store::requests::{self, Request};
use store::{Error, Store};
use tokio::sync::mpsc;

/// Goes on until nobody can ask anything any more.
pub(super) async fn run(store: Store, mut asked: mpsc::Receiver<Request>) {
    let mut forget_ms = 0;
    let mut group = Vec::with_capacity(GROUP_MAX);
    while asked.recv_many(&mut group, GROUP_MAX).await > 0 {
        let now_ms = clock::wall().as_millisecond();
        let is_time = now_ms >= forget_ms;
        if is_time {
            forget_ms = now_ms + FORGET_EVERY_MS;
        }
        if let Err(error) = write(&store, &group, is_time.then_some(now_ms)).await {
            tracing::warn!(%error, requests = group.len(), "requests are not in the log");
        }
        group.clear();
        // Others gather meanwhile.
        tokio::time::sleep(GATHER).await;
    }
}

async fn write(store: &Store, group: &[Request], forget_ms: Option<i64>) -> Result<(), Error> {
    let mut db = store.begin().await?;
    requests::insert(&mut db, group).await?;
    if let Some(now_ms) = forget_ms {
        requests::forget(&mut db, now_ms - KEEP_MS, KEEP_MAX).await?;
    }
    db.commit().await
}

/// Requests in one commit.
const GROUP_MAX: usize = 512;

/// Requests that may wait to be written down: beyond them, the log has gaps rather than memory.
pub(super) const WAITING_MAX: usize = 4_096;

/// How long requests gather: who looks at the log does not notice it, and the disk has little to do.
const GATHER: Duration = Duration::from_millis(200);

/// A month, for who asks why something did not arrive.
const KEEP_MS: i64 = 30 * 24 * 3_600_000;

/// Of each channel no more than so many, some 20 MB.
const KEEP_MAX: u32 = 100_000;

/// How often old requests are looked for.
const FORGET_EVERY_MS: i64 = 3_600_000;
