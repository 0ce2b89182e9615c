//! What comes and goes by written channels, between HTTP and the store.
//!
//! ```text
//!  HTTP ─ receive ─▶ Intake ─ receipts, one commit for many ─▶ disk ─▶ Worker ─ conversation, message,
//!    ◀──────────────────── answer ──────────────────────────────────────┘    interaction, one commit
//!                                                                 └──▶ desk (telephony)
//!  trail ─ what is told outside ─▶ notice, a delivery a webhook ─▶ Courier ─▶ webhooks
//! ```
//!
//! Invariants:
//! - Nothing is made of what came in, and nothing is answered, before it is on disk as it came.
//! - What is made of it is one transaction: after a crash it was made or it was not, and then the
//!   receipt says so and it is made at the next start.
//! - The desk hears of it afterwards, and at the next start if it did not.
//! - A delivery is tried until its webhook has taken it, in order within an interaction, always under the
//!   id of its notice.

mod advertising;
pub mod attachments;
mod beginning;
mod courier;
pub mod email;
mod happened;
mod intake;
mod life;
pub mod located;
mod matter;
pub mod media_links;
mod notice;
pub mod outbound;
mod outgoing_files;
mod requests;
mod sender;
pub mod settings;
mod survey;
pub mod webchat;
mod worker;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use desk::id::{InstanceId, InteractionId, MessageId};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use store::Store;
use store::receipts::Receipt;
use store::requests::Request;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::secrets::Secrets;
use crate::telephony::Telephony;
use gateway_net::fetch::Fetcher;
use gateway_net::files::Files;

pub(crate) use advertising::is_unwanted;
pub use beginning::{Beginning, Begun, BegunTalk};
use courier::Courier;
pub(crate) use courier::{tell, what_came};
use intake::Intake;
pub use life::{ExpirySettings, LifeSettings, PositionSettings, Texts, WaitingSettings};
pub use matter::facts;
pub(crate) use notice::ping_text;
use sender::Sender;
pub use settings::{GenericSettings, SigningSecrets, WhatsAppSettings};
use worker::Worker;

/// What the workers need of the rest of the program.
#[derive(Debug)]
pub struct Needs {
    /// The state.
    pub store: Store,
    /// The desk is there.
    pub telephony: Telephony,
    /// The secrets of webhooks, and how ids of customers are hashed.
    pub secrets: Arc<Secrets>,
    /// Asks webhooks.
    pub fetcher: Fetcher,
    /// Sends mails.
    pub mail: email::sending::Post,
    /// Where the files of messages are.
    pub files: Files,
    /// Under which address the world reaches us, if it does, without a slash at its end.
    pub public_url: Option<String>,
    /// Which process this is.
    pub instance: InstanceId,
    /// What ids are made with.
    pub seed: [u8; 32],
}

/// A handle to the workers; clones are handles to the same. The last that is dropped lets them end.
#[derive(Clone, Debug)]
pub struct Channels {
    instance: InstanceId,
    arrivals: mpsc::Sender<Arrival>,
    /// The one who tells webhooks.
    wake: Arc<Notify>,
    /// The one who sends.
    hurry: Arc<Notify>,
    /// What other systems asked, on its way to the log.
    asked: mpsc::Sender<Request>,
    /// Makes ids.
    chance: Arc<Mutex<StdRng>>,
}

/// Something that came in, and who waits to hear what was made of it.
#[derive(Debug)]
struct Arrival {
    receipt: Receipt,
    waits: Waits,
}

/// Who waits for what becomes of something that came in.
#[derive(Debug)]
enum Waits {
    /// Until it is on disk: a provider, which wants to hear no more.
    Durable(oneshot::Sender<()>),
    /// Until something was made of it.
    Made(oneshot::Sender<Outcome>),
}

/// What was made of something that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A message.
    Taken(Taken),
    /// What a webhook tells, which may be nothing new.
    Done,
    /// Nothing: another message was taken in under the same key.
    Reused,
    /// Nothing: this field names what the company does not have.
    Refused(&'static str),
    /// Nothing: the company does not hear this contact.
    Blocked,
}

/// A message that was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its id.
    pub message: MessageId,
    /// The interaction that it belongs to.
    pub interaction: InteractionId,
    /// The number that is read to the customer.
    pub protocol: String,
    /// Whether an agent has it in hand.
    pub has_agent: bool,
    /// Whether the interaction is over and stays so: the message answered its survey.
    pub is_over: bool,
    /// Whether it was taken in before.
    pub is_duplicate: bool,
}

/// Why something was not received. To be sent again, under the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReceived {
    /// Too much waits already.
    #[error("{ARRIVALS_MAX} messages wait already")]
    Overloaded,
    /// The database is away, or slow.
    #[error("it could not be written down in time")]
    Away,
}

impl Channels {
    /// Starts the workers with what the last run of this process left undone. The task is the one that
    /// tells webhooks; it may be cut off at any time.
    pub fn start(needs: Needs) -> (Self, JoinHandle<()>) {
        let mut chance = StdRng::from_seed(needs.seed);
        let wake = Arc::new(Notify::new());
        let (arrivals, incoming) = mpsc::channel(ARRIVALS_MAX);
        let (waiting, to_answer) = mpsc::channel(ARRIVALS_MAX);
        let more = Arc::new(Notify::new());
        let intake = Intake {
            store: needs.store.clone(),
            instance: needs.instance.clone(),
            waiting,
            more: more.clone(),
        };
        tokio::spawn(intake.run(incoming));
        let worker = Worker::new(&needs, chance.random(), (wake.clone(), more), to_answer);
        tokio::spawn(worker.run());
        let courier = Courier::new(&needs, chance.random(), wake.clone());
        let hurry = Arc::new(Notify::new());
        let sender = Sender::new(&needs, chance.random(), hurry.clone());
        let telling = tokio::spawn(async move {
            tokio::join!(courier.run(), sender.run());
        });
        let (asked, to_log) = mpsc::channel(requests::WAITING_MAX);
        tokio::spawn(requests::run(needs.store.clone(), to_log));
        let channels = Self {
            instance: needs.instance,
            arrivals,
            wake,
            hurry,
            asked,
            chance: Arc::new(Mutex::new(chance)),
        };
        (channels, telling)
    }

    /// Which process this is.
    pub fn instance(&self) -> &InstanceId {
        &self.instance
    }

    /// Makes something durable, and what it says a part of its conversation.
    ///
    /// # Errors
    ///
    /// [`NotReceived`].
    pub async fn receive(&self, receipt: Receipt) -> Result<Outcome, NotReceived> {
        let (answer, answered) = oneshot::channel();
        self.bring(receipt, Waits::Made(answer))?;
        let answer = tokio::time::timeout(ANSWER_WITHIN, answered).await;
        answer.ok().and_then(Result::ok).ok_or(NotReceived::Away)
    }

    /// Makes something durable, and no more: something is made of it afterwards.
    ///
    /// # Errors
    ///
    /// [`NotReceived`].
    pub async fn keep(&self, receipt: Receipt) -> Result<(), NotReceived> {
        let (answer, answered) = oneshot::channel();
        self.bring(receipt, Waits::Durable(answer))?;
        let answer = tokio::time::timeout(ANSWER_WITHIN, answered).await;
        answer.ok().and_then(Result::ok).ok_or(NotReceived::Away)
    }

    fn bring(&self, receipt: Receipt, waits: Waits) -> Result<(), NotReceived> {
        let arrival = Arrival { receipt, waits };
        let sent = self.arrivals.try_send(arrival);
        sent.map_err(|_| NotReceived::Overloaded)
    }

    /// Begins a conversation in the transaction of whoever calls; [`Self::wake`] afterwards.
    ///
    /// # Errors
    ///
    /// Of the store, or of chance.
    pub async fn begin(
        &self,
        db: &mut store::Transaction,
        secrets: &Secrets,
        beginning: Beginning<'_>,
    ) -> Result<Begun, store::Error> {
        let mut random = StdRng::from_seed(self.seed());
        let maker = (db, &self.instance, secrets);
        beginning::begin(maker, &mut random, beginning).await
    }

    fn seed(&self) -> [u8; 32] {
        // The generator is whole whatever happened to who held it.
        let mut chance = self.chance.lock().unwrap_or_else(PoisonError::into_inner);
        chance.random()
    }

    /// Writes down soon what another system asked.
    pub(crate) fn log(&self, asked: Request) {
        if self.asked.try_send(asked).is_err() {
            tracing::warn!("more is asked than the log of requests can take");
        }
    }

    /// There may be something to send, or to tell a webhook.
    pub fn wake(&self) {
        self.wake.notify_one();
        self.hurry.notify_one();
    }
}

/// Messages that wait to be written down: some seconds of a busy system. Beyond them other systems are
/// told to come again.
const ARRIVALS_MAX: usize = 4_096;

/// How long another system waits for its answer. It may have been received all the same: asked again
/// under the same key, it is told so.
const ANSWER_WITHIN: Duration = Duration::from_secs(8);
