//! The group-commit writer: many callers, one transaction.
//!
//! ```text
//!   save ─┐
//!   save ─┼─▶ bounded queue ─▶ all that wait ─▶ BEGIN … COMMIT ─▶ every caller is told
//!   save ─┘
//! ```
//!
//! The disk is asked to sync once for everybody who waited while it was busy: the busier, the
//! larger the groups. Changes that nobody waits for gather a little, and where several waited for
//! the last group, the next gathers as well. A save that the database
//! refuses does not take the others of its group with it: the group is then written save by save.

use std::time::Duration;

use desk::id::InteractionId;
use desk::kept::Kept;
use desk::record::Change;
use sqlx::{AnyConnection, Connection};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::changes::{self, Protocol};
use crate::{Error, Store, desks};

/// Hands changes to the writer. Clones share it; it stops when the last is dropped, after all
/// that was handed over is written.
#[derive(Debug, Clone)]
pub struct Writer {
    queue: mpsc::Sender<Save>,
    durable: broadcast::Sender<InteractionId>,
}

/// Why changes were not saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// Too many saves wait for the disk: the call is to be refused with 503.
    #[error("{QUEUE_MAX} saves wait already")]
    Overloaded,
    /// The database was away for longer than a caller waits, or does not work at all.
    #[error("the database is away")]
    Away,
    /// The database refused these very changes: a bug of ours.
    #[error("the database refused the changes")]
    Refused(#[source] Error),
    /// The writer is gone: the program is stopping.
    #[error("the writer has stopped")]
    Stopped,
}

/// The changes of one turn, and who waits for them.
struct Save {
    changes: Vec<Change>,
    /// What is kept of desks.
    kept: Vec<Kept>,
    /// `None` when nobody waits.
    done: Option<oneshot::Sender<Result<Vec<Protocol>, SaveError>>>,
}

impl Writer {
    /// Starts the writer of `store` as a task of the current runtime. The handle ends when the
    /// last clone is dropped and everything is written.
    pub fn start(store: Store) -> (Self, tokio::task::JoinHandle<()>) {
        let (queue, saves) = mpsc::channel(QUEUE_MAX);
        let durable = broadcast::Sender::new(DURABLE_MAX);
        let task = tokio::spawn(run(store, saves, durable.clone()));
        (Self { queue, durable }, task)
    }

    /// Hears of which interactions a step, or something that was said, has just become durable. Who is too
    /// slow hears that they missed some.
    pub fn listen(&self) -> broadcast::Receiver<InteractionId> {
        self.durable.subscribe()
    }

    /// Makes changes durable, in their order; all or none of them. Returns the protocol numbers
    /// of the interactions that they opened.
    pub async fn save(&self, changes: Vec<Change>) -> Result<Vec<Protocol>, SaveError> {
        self.hand_over(changes)?.wait().await
    }

    /// Puts changes in the queue now, so that saves of one caller keep their order without one
    /// waiting for the other.
    pub fn hand_over(&self, changes: Vec<Change>) -> Result<Pending, SaveError> {
        let (done, pending) = oneshot::channel();
        self.enqueue(Save {
            changes,
            kept: vec![],
            done: Some(done),
        })?;
        Ok(Pending(pending))
    }

    /// Puts what is kept of desks in the queue now; for when somebody waits until it is durable.
    pub fn keep(&self, kept: Vec<Kept>) -> Result<Pending, SaveError> {
        let (done, pending) = oneshot::channel();
        self.enqueue(Save {
            changes: vec![],
            kept,
            done: Some(done),
        })?;
        Ok(Pending(pending))
    }

    /// Writes what is kept of desks down soon, like [`Writer::note`].
    pub fn keep_soon(&self, kept: Vec<Kept>) -> Result<(), SaveError> {
        self.enqueue(Save {
            changes: vec![],
            kept,
            done: None,
        })
    }

    /// Writes changes down soon: with the next save, or [`LINGER`] later at most.
    ///
    /// For changes with no output behind them, such as most lines of a trail. Their order with
    /// all other saves stays. In a large group a change costs a small part of what it costs alone.
    pub fn note(&self, changes: Vec<Change>) -> Result<(), SaveError> {
        self.enqueue(Save {
            changes,
            kept: vec![],
            done: None,
        })
    }

    /// Whether the queue takes another save. With one caller it then surely does.
    pub fn has_room(&self) -> bool {
        self.queue.capacity() > 0
    }

    fn enqueue(&self, save: Save) -> Result<(), SaveError> {
        self.queue.try_send(save).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SaveError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => SaveError::Stopped,
        })
    }
}

/// A save on its way to the disk. Dropping it does not take the save back.
#[derive(Debug)]
pub struct Pending(oneshot::Receiver<Result<Vec<Protocol>, SaveError>>);

impl Pending {
    /// Waits until the changes are durable.
    pub async fn wait(self) -> Result<Vec<Protocol>, SaveError> {
        self.0.await.unwrap_or(Err(SaveError::Stopped))
    }
}

async fn run(
    store: Store,
    mut saves: mpsc::Receiver<Save>,
    durable: broadcast::Sender<InteractionId>,
) {
    let mut group = Vec::with_capacity(GROUP_MAX);
    let mut busy = false;
    while saves.recv_many(&mut group, GROUP_MAX).await > 0 {
        linger(&mut saves, &mut group, busy).await;
        busy = group.iter().filter(|save| save.done.is_some()).count() >= BUSY;
        match write_patiently(&store, &group).await {
            Ok(outcomes) => {
                spread(&group, &durable);
                for (save, outcome) in group.drain(..).zip(outcomes) {
                    tell(save.done, outcome.map_err(SaveError::Refused));
                }
            }
            Err(error) => {
                tracing::error!(%error, saves = group.len(), "the database is away; saves failed");
                for save in group.drain(..) {
                    tell(save.done, Err(SaveError::Away));
                }
            }
        }
    }
}

/// Tells who listens what has become durable.
fn spread(group: &[Save], durable: &broadcast::Sender<InteractionId>) {
    if durable.receiver_count() == 0 {
        return;
    }
    for kept in group.iter().flat_map(|save| &save.kept) {
        let interaction = match kept {
            Kept::Step(step) => &step.line.interaction,
            Kept::Said(said) => &said.interaction,
            Kept::Agent { .. }
            | Kept::Service(_)
            | Kept::Work { .. }
            | Kept::WorkRemoved(_)
            | Kept::Decision(_)
            | Kept::Fact(_)
            | Kept::Line(_)
            | Kept::Life { .. }
            | Kept::LifeRemoved(_) => continue,
        };
        // Who listened is gone.
        let _ = durable.send(interaction.clone());
    }
}

/// What came of one save: the numbers of what it opened, or why the database refused it.
type Outcome = Result<Vec<Protocol>, Error>;

/// Lets a group grow as long as nobody in it waits, and for a moment more when the hour is busy.
async fn linger(saves: &mut mpsc::Receiver<Save>, group: &mut Vec<Save>, busy: bool) {
    let mut until = Instant::now() + LINGER;
    let (mut seen, mut awaited) = (0, false);
    while group.len() < GROUP_MAX {
        if !awaited && group.iter().skip(seen).any(|save| save.done.is_some()) {
            awaited = true;
            until = until.min(Instant::now() + GATHER);
        }
        if awaited && !busy {
            return;
        }
        seen = group.len();
        match timeout_at(until, saves.recv_many(group, GROUP_MAX - seen)).await {
            Ok(1..) => {}
            Ok(0) | Err(_) => return, // Stopping, or time to write.
        }
    }
}

/// Writes a group, again and again while the database is only away for a moment. Where the
/// answer to a commit was lost, writing it twice is harmless.
async fn write_patiently(store: &Store, group: &[Save]) -> Result<Vec<Outcome>, Error> {
    let begun = Instant::now();
    loop {
        match write(store, group).await {
            Err(error) if error.is_temporary() && begun.elapsed() < PATIENCE => {
                tracing::warn!(%error, "the database is away; trying again");
                tokio::time::sleep(RETRY_INTERVAL).await;
            }
            result => return result,
        }
    }
}

/// Writes a group in one transaction, all at once; where the database refuses something of it,
/// save by save.
async fn write(store: &Store, group: &[Save]) -> Result<Vec<Outcome>, Error> {
    match write_at_once(store, group).await {
        Err(error) if !error.is_temporary() => {
            tracing::warn!(%error, saves = group.len(), "a group was refused; now save by save");
            write_one_by_one(store, group).await
        }
        result => result,
    }
}

async fn write_at_once(store: &Store, group: &[Save]) -> Result<Vec<Outcome>, Error> {
    let mut db = store.begin().await?;
    let changes = group.iter().flat_map(|save| &save.changes);
    let mut protocols = changes::apply(&mut db, changes).await?.into_iter();
    desks::apply(&mut db, group.iter().flat_map(|save| &save.kept)).await?;
    db.commit().await?;
    let opened = |save: &Save| {
        save.changes
            .iter()
            .filter(|change| matches!(change, Change::InteractionOpened(_)))
            .count()
    };
    Ok(group
        .iter()
        .map(|save| Ok(protocols.by_ref().take(opened(save)).collect()))
        .collect())
}

/// Still one transaction, so that one bad save costs the others no sync of the disk each.
async fn write_one_by_one(store: &Store, group: &[Save]) -> Result<Vec<Outcome>, Error> {
    let mut db = store.begin().await?;
    let mut outcomes = Vec::with_capacity(group.len());
    for save in group {
        let mut part = db.begin().await?;
        let outcome = write_alone(&mut part, save).await;
        match outcome {
            Ok(_) => part.commit().await?,
            Err(error) if error.is_temporary() => return Err(error),
            Err(_) => part.rollback().await?,
        }
        outcomes.push(outcome);
    }
    db.commit().await?;
    Ok(outcomes)
}

async fn write_alone(db: &mut AnyConnection, save: &Save) -> Outcome {
    let protocols = changes::apply(db, &save.changes).await?;
    desks::apply(db, &save.kept).await?;
    Ok(protocols)
}

fn tell(
    done: Option<oneshot::Sender<Result<Vec<Protocol>, SaveError>>>,
    result: Result<Vec<Protocol>, SaveError>,
) {
    match (done, result) {
        // A caller that went away does not take its save back.
        (Some(done), result) => drop(done.send(result)),
        (None, Ok(_)) => {}
        (None, Err(error)) => tracing::error!(%error, "changes that nobody waited for are lost"),
    }
}

/// Saves that may wait for the disk: some seconds of a busy system on a slow disk. Beyond it
/// calls are refused rather than remembered in memory only.
const QUEUE_MAX: usize = 16_384;

/// What has become durable and was not heard of yet: some groups of a busy hour.
const DURABLE_MAX: usize = 4_096;

/// Saves in one transaction: bounds how long the first of a group waits for the last.
const GROUP_MAX: usize = 1_024;

/// How long changes that nobody waits for gather: at a thousand calls a second some twenty calls
/// share a group, and a crash takes no more than a blink of their trail.
pub const LINGER: Duration = Duration::from_millis(20);

/// So many who waited for one group make the next one gather: a caller alone is never held up.
const BUSY: usize = 2;

/// How long a group gathers in a busy hour. A group costs as much as a dozen of its rows, so fewer of
/// them leave more of the machine for calls; a caller does not notice a thousandth of a second.
const GATHER: Duration = Duration::from_millis(1);

/// How long a save waits for a database that is away: as long as a caller bears silence.
const PATIENCE: Duration = Duration::from_secs(5);

/// Between two tries. Short beside a restart of PostgreSQL, long beside a busy loop.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);
