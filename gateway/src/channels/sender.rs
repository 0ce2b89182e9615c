//! Sends what stands in the outbox: of each conversation one message at a time, of each channel a few
//! conversations at once, no faster than the provider allows.
//!
//! `sending` is on disk before a provider is asked. So what a crash leaves is never sent twice: nobody
//! knows whether it went, and a person decides.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use channels::capabilities::{Capabilities, Rate};
use channels::connector::{Connector, Refusal};
use channels::event::{Delivery, Side};
use channels::failure::{Advice, Failure, FailureClass};
use channels::peer::PeerId;
use channels::send::{Accepted, OutContent, Outgoing};
use channels::whatsapp::number;
use desk::id::{ChannelId, ConversationId};
use gateway_net::fetch::{Fetcher, Limits, Unanswered};
use media_engine_net::clock;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::json;
use store::channel_health::{self, Happened};
use store::channels::Channel;
use store::conversations::{self, Conversation};
use store::messages::{self, Message};
use store::outbox::{self, Due};
use store::{Error, Store, Transaction};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::secrets::Secrets;
use crate::telephony::Telephony;

use super::Needs;
use super::email::sending;
use super::happened::{reach, react};
use super::matter::{Maker, facts, window};
use super::outbound;
use super::outgoing_files::OutgoingFiles;
use super::settings::{self, EMAIL, NotSetUp};

pub(super) struct Sender {
    post: Post,
    random: StdRng,
    wake: Arc<Notify>,
    /// What is under way, by channel.
    under_way: HashMap<ChannelId, usize>,
    tasks: JoinSet<ChannelId>,
    pace: Pace,
}

/// What sending one message needs.
#[derive(Clone)]
struct Post {
    store: Store,
    secrets: Arc<Secrets>,
    fetcher: Fetcher,
    telephony: Telephony,
    files: OutgoingFiles,
    instance: desk::id::InstanceId,
    mail: sending::Post,
}

impl Sender {
    pub(super) fn new(needs: &Needs, seed: [u8; 32], wake: Arc<Notify>) -> Self {
        Self {
            post: Post {
                store: needs.store.clone(),
                secrets: needs.secrets.clone(),
                fetcher: needs.fetcher.clone(),
                telephony: needs.telephony.clone(),
                files: OutgoingFiles::new(needs),
                instance: needs.instance.clone(),
                mail: needs.mail.clone(),
            },
            random: StdRng::from_seed(seed),
            wake,
            under_way: HashMap::new(),
            tasks: JoinSet::new(),
            pace: Pace::default(),
        }
    }

    /// Goes on until it is cut off.
    pub(super) async fn run(mut self) {
        loop {
            if let Err(error) = self.send_what_is_due().await {
                tracing::warn!(%error, "what is to be sent cannot be read");
            }
            tokio::select! {
                Some(done) = self.tasks.join_next() => self.count(done),
                () = self.wake.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            while let Some(done) = self.tasks.try_join_next() {
                self.count(done);
            }
        }
    }

    fn count(&mut self, done: Result<ChannelId, tokio::task::JoinError>) {
        let Ok(channel) = done else {
            // Who of them panicked is not told: nobody is under way more than there are tasks.
            return self.under_way.clear();
        };
        if let Some(count) = self.under_way.get_mut(&channel) {
            *count = count.saturating_sub(1);
        }
    }

    async fn send_what_is_due(&mut self) -> Result<(), Error> {
        let now_ms = clock::wall().as_millisecond();
        let pool = self.post.store.pool().clone();
        for lost in outbox::lost(&pool, now_ms).await? {
            tracing::warn!(message = %lost.message, "nobody knows whether it was sent");
            self.post.uncertain(&lost).await?;
        }
        for id in outbox::channels_due(&pool, now_ms).await? {
            let busy = self.under_way.get(&id).copied().unwrap_or_default();
            let room = CHANNEL_MAX.saturating_sub(busy);
            let room = room.min(TASKS_MAX.saturating_sub(self.tasks.len()));
            if room == 0 {
                continue;
            }
            let Some(channel) = store::channels::of_work(&pool, &id).await? else {
                continue;
            };
            let carrier = match self.post.carrier(&channel) {
                Ok(carrier) => Arc::new(carrier),
                Err(error) => {
                    tracing::warn!(channel = %id, %error, "a channel cannot be spoken through");
                    continue;
                }
            };
            let channel = Arc::new(channel);
            // Few: it fits.
            let room = u32::try_from(room).unwrap_or(u32::MAX);
            for due in outbox::due(&pool, &id, now_ms, room).await? {
                self.begin(&channel, &carrier, due);
            }
        }
        self.pace.forget(now_us());
        Ok(())
    }

    fn begin(&mut self, channel: &Arc<Channel>, carrier: &Arc<Carrier>, due: Due) {
        let rates = carrier.capabilities().rates;
        if !self
            .pace
            .may(&due, (rates.identity, rates.recipient), now_us())
        {
            return; // It is looked at again soon.
        }
        let (post, channel, carrier) = (self.post.clone(), channel.clone(), carrier.clone());
        let seed = self.random.random();
        *self.under_way.entry(due.channel.clone()).or_default() += 1;
        self.tasks.spawn(async move {
            let message = due.message.clone();
            if let Err(error) = post.send(&channel, &carrier, due, seed).await {
                tracing::warn!(%message, %error, "what came of a message is not known");
            }
            channel.id.clone()
        });
    }
}

/// Who carries the messages of a channel.
enum Carrier {
    /// A provider, over HTTP.
    Provider(Box<dyn Connector>),
    /// A mail server.
    Mail,
}

impl Carrier {
    fn capabilities(&self) -> &Capabilities {
        match self {
            Self::Provider(connector) => connector.capabilities(),
            Self::Mail => &channels::email::EMAIL,
        }
    }

    fn lease_ms(&self) -> i64 {
        match self {
            Self::Provider(_) => LEASE_MS,
            Self::Mail => sending::LEASE_MS,
        }
    }
}

impl Post {
    fn carrier(&self, channel: &Channel) -> Result<Carrier, NotSetUp> {
        if channel.kind == EMAIL {
            return Ok(Carrier::Mail);
        }
        settings::connector(channel, &self.secrets).map(Carrier::Provider)
    }

    async fn send(
        &self,
        channel: &Channel,
        carrier: &Carrier,
        due: Due,
        seed: [u8; 32],
    ) -> Result<(), Error> {
        let pool = self.store.pool();
        let Some(message) = messages::of_work(pool, &due.message).await? else {
            return outbox::remove(pool, &due.message).await.map(drop);
        };
        let Some(talk) = conversations::by_id(pool, &due.conversation).await? else {
            return outbox::remove(pool, &due.message).await.map(drop);
        };
        let lease_ms = clock::wall().as_millisecond() + carrier.lease_ms();
        if !outbox::claim(pool, &due, lease_ms).await? {
            return Ok(()); // Another process has it.
        }
        let done = match carrier {
            Carrier::Provider(connector) => match outgoing(connector.as_ref(), &message, &talk) {
                Ok(outgoing) => self.ask(connector.as_ref(), &message, outgoing).await,
                Err(failure) => Err(failure),
            },
            Carrier::Mail => {
                self.mail
                    .send(channel, &message, &talk, &peers(&talk))
                    .await
            }
        };
        match done {
            Ok(accepted) => self.accepted(channel, &message, talk, accepted, seed).await,
            Err(failure) => {
                self.failed(channel, (&due, &message), talk, failure, seed)
                    .await
            }
        }
    }

    async fn ask(
        &self,
        connector: &dyn Connector,
        message: &Message,
        outgoing: Outgoing,
    ) -> Result<Accepted, Failure> {
        let outgoing = self.files.lay_down(connector, message, outgoing).await?;
        let request = connector
            .send(&outgoing)
            .map_err(|refusal| refused(&refusal))?;
        let now_ms = clock::wall().as_millisecond();
        match self.fetcher.carry_out(&request, LIMITS, now_ms).await {
            Ok(response) => connector.answered(&response),
            Err(Unanswered::NotSent(why)) => Err(Failure::not_connected(&format!("{why:?}"))),
            Err(Unanswered::Unknown(_)) => Err(Failure::no_answer()),
        }
    }

    async fn accepted(
        &self,
        channel: &Channel,
        message: &Message,
        talk: Conversation,
        accepted: Accepted,
        seed: [u8; 32],
    ) -> Result<(), Error> {
        let now_ms = clock::wall().as_millisecond();
        let cpf_key = self.secrets.cpf_key();
        let mut db = self.store.begin().await?;
        messages::given_id(&mut *db, &message.id, &accepted.id).await?;
        reach(&mut db, message, (Delivery::Accepted, None)).await?;
        outbox::remove(&mut *db, &message.id).await?;
        channel_health::note(&mut db, &channel.id, Happened::Sent, now_ms).await?;
        if let Ok(OutContent::Reaction { message, emoji }) =
            serde_json::from_value(message.content.clone())
        {
            self.reacted(&mut db, channel, &message, emoji.as_deref())
                .await?;
        }
        let mut facts = facts(&talk.window);
        facts.answered(now_ms);
        let talk = Conversation {
            window: window(&facts),
            ..talk
        };
        conversations::know(&mut *db, &talk).await?;
        let mut random = StdRng::from_seed(seed);
        let mut maker = Maker {
            db: &mut db,
            instance: &self.instance,
            secrets: &self.secrets,
            cpf_key: &cpf_key,
            random: &mut random,
        };
        maker.learn(&talk.id, &accepted.learned, now_ms).await?;
        // Statuses may have been faster than the answer.
        maker.early(channel, &accepted.id).await?;
        db.commit().await?;
        self.changed(message).await;
        Ok(())
    }

    async fn failed(
        &self,
        channel: &Channel,
        (due, message): (&Due, &Message),
        talk: Conversation,
        failure: Failure,
        seed: [u8; 32],
    ) -> Result<(), Error> {
        let now_ms = clock::wall().as_millisecond();
        let mut db = self.store.begin().await?;
        let alarm = failure.class == FailureClass::ChannelBroken;
        let told = (&json!(failure), alarm);
        channel_health::failed(&mut db, &channel.id, told, now_ms).await?;
        let tries = due.attempts + 1;
        let other = (due.attempts == 0)
            .then(|| other_form(&talk, &failure))
            .flatten();
        let wait_ms = match failure.class {
            _ if other.is_some() => Some(0),
            FailureClass::Retry if tries <= failure.retries_max.unwrap_or(RETRIES_MAX) => {
                let own_ms = backoff_ms(tries, &mut StdRng::from_seed(seed));
                Some(failure.retry_after_ms.unwrap_or_default().max(own_ms))
            }
            // The message waits with the channel, until somebody mends it; not for ever.
            FailureClass::ChannelBroken | FailureClass::RetryWithNewToken
                if now_ms - message.at_ms < BROKEN_MS_MAX =>
            {
                Some(BROKEN_EVERY_MS)
            }
            FailureClass::Retry
            | FailureClass::RetryWithNewToken
            | FailureClass::Permanent
            | FailureClass::NeedsTemplate
            | FailureClass::BlockedByCustomer
            | FailureClass::ChannelBroken
            | FailureClass::Uncertain => None,
        };
        if let Some(peer) = other {
            let talk = Conversation {
                peer: Some(json!(peer)),
                ..talk
            };
            conversations::know(&mut *db, &talk).await?;
        }
        match wait_ms {
            Some(wait_ms) => {
                let wait_ms = i64::try_from(wait_ms).unwrap_or(i64::MAX);
                let due_ms = now_ms.saturating_add(wait_ms);
                outbox::again(&mut *db, &message.id, due_ms).await?;
            }
            None => {
                let state = if failure.class == FailureClass::Uncertain {
                    Delivery::Uncertain
                } else {
                    Delivery::Failed
                };
                reach(&mut db, message, (state, Some(&failure))).await?;
                outbox::remove(&mut *db, &message.id).await?;
            }
        }
        db.commit().await?;
        self.changed(message).await;
        Ok(())
    }

    /// The customer sees our reaction at their message, and so do we.
    async fn reacted(
        &self,
        db: &mut Transaction,
        channel: &Channel,
        message: &str,
        emoji: Option<&str>,
    ) -> Result<(), Error> {
        let known = messages::by_external(&mut **db, &channel.id, message).await?;
        if let Some(mut known) = known {
            react(&mut known, Side::Company, emoji);
            messages::change(db, &known, clock::wall().as_millisecond()).await?;
        }
        Ok(())
    }

    async fn uncertain(&self, lost: &Due) -> Result<(), Error> {
        let mut db = self.store.begin().await?;
        let message = messages::of_work(&mut *db, &lost.message).await?;
        if let Some(message) = &message {
            let failure = Failure::no_answer();
            reach(&mut db, message, (Delivery::Uncertain, Some(&failure))).await?;
        }
        outbox::remove(&mut *db, &lost.message).await?;
        db.commit().await?;
        if let Some(message) = &message {
            self.changed(message).await;
        }
        Ok(())
    }

    /// Those who have the message on their screens look again.
    async fn changed(&self, message: &Message) {
        let (company, interaction) = (message.company.clone(), message.interaction.clone());
        let seq = message.seq;
        let told = self.telephony.look(move |voice, now| {
            voice.tell_message(now, &company, &interaction, seq);
        });
        if let Err(error) = told.await {
            tracing::debug!(%error, "nobody is told of a message");
        }
    }
}

/// A message as its connector takes it, if it may go now.
fn outgoing(
    connector: &dyn Connector,
    message: &Message,
    talk: &Conversation,
) -> Result<Outgoing, Failure> {
    let content: OutContent = serde_json::from_value(message.content.clone()).map_err(|error| {
        Failure::new(
            FailureClass::Permanent,
            Advice::OurMistake,
            "content",
            &error.to_string(),
        )
    })?;
    let content = match outbound::offered(&message.content) {
        // Buttons where they fit; else the answers stand in the words.
        Some(choices) if connector.capabilities().check(&choices).is_ok() => choices,
        Some(_) | None => content,
    };
    // It may have waited until the window was closed.
    if connector.capabilities().window_ms.is_some() {
        facts(&talk.window).guard(&content, clock::wall().as_millisecond())?;
    }
    let ids = peers(talk);
    let to = connector.address(&ids).cloned();
    let to = to.ok_or_else(|| refused(&Refusal::Address))?;
    Ok(Outgoing {
        message: message.id.to_string(),
        to,
        content,
        reply_to: message.reply_to.clone(),
    })
}

/// The ids by which the customer of a conversation is reached.
pub(super) fn peers(talk: &Conversation) -> Vec<PeerId> {
    let peer = talk.peer.clone().unwrap_or_default();
    serde_json::from_value(peer).unwrap_or_default()
}

/// The ids with the other form of a Brazilian mobile, where the provider does not know the one.
fn other_form(talk: &Conversation, failure: &Failure) -> Option<Vec<PeerId>> {
    let mut ids = peers(talk);
    let place = ids
        .iter()
        .position(|id| number::second_try(id, failure).is_some())?;
    ids[place] = number::second_try(&ids[place], failure)?;
    Some(ids)
}

fn refused(refusal: &Refusal) -> Failure {
    let (class, advice) = (FailureClass::Permanent, Advice::KindRefused);
    Failure::new(class, advice, refusal.code(), &refusal.to_string())
}

/// How long to wait before the next try: twice as long each time, and not all at the same moment.
fn backoff_ms(tries: u32, random: &mut StdRng) -> u64 {
    let base = BACKOFF_MS << tries.min(BACKOFF_DOUBLINGS_MAX);
    base / 2 + random.random_range(0..=base / 2)
}

/// How fast messages leave, by channel and by customer: when the next may (generic cell rate).
#[derive(Debug, Default)]
struct Pace {
    channels: HashMap<ChannelId, u64>,
    customers: HashMap<ConversationId, u64>,
}

impl Pace {
    /// Whether a message may leave now; if so it is counted.
    fn may(&mut self, due: &Due, (identity, recipient): (Rate, Option<Rate>), now_us: u64) -> bool {
        let channel = self.channels.get(&due.channel).copied();
        let customer = self.customers.get(&due.conversation).copied();
        let Some(channel) = next(channel, identity, now_us) else {
            return false;
        };
        if let Some(rate) = recipient {
            let Some(customer) = next(customer, rate, now_us) else {
                return false;
            };
            self.customers.insert(due.conversation.clone(), customer);
        }
        self.channels.insert(due.channel.clone(), channel);
        true
    }

    /// Who may write as fast as ever again needs no place.
    fn forget(&mut self, now_us: u64) {
        if self.customers.len() > CUSTOMERS_KEPT {
            self.customers.retain(|_, free_us| *free_us > now_us);
        }
    }
}

/// When the bucket is full again if one leaves now; none if none may.
fn next(free_us: Option<u64>, rate: Rate, now_us: u64) -> Option<u64> {
    let free_us = free_us.unwrap_or_default().max(now_us);
    let room_us = rate
        .every_us
        .saturating_mul(u64::from(rate.burst.max(1) - 1));
    (free_us - now_us <= room_us).then(|| free_us.saturating_add(rate.every_us))
}

fn now_us() -> u64 {
    u64::try_from(clock::wall().as_microsecond()).unwrap_or_default()
}

/// How long an answer may take, and how large it may be. Meta answers within seconds even when it is
/// slow.
const LIMITS: Limits = Limits {
    time: Duration::from_secs(20),
    bytes: 256 * 1024,
};

/// Who has a message in hand has it for so long: as long as its file may wait and go up, and twice as long
/// as an answer may take.
const LEASE_MS: i64 = 160_000;

/// Conversations of one channel that are written to at once.
const CHANNEL_MAX: usize = 16;

/// Conversations of all channels that are written to at once: sockets, and a connection of the database
/// each.
const TASKS_MAX: usize = 64;

/// How often we look for what is due, beside what we are told of.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The first wait, doubled with each try: 2 s, 4 s …
const BACKOFF_MS: u64 = 1_000;

/// And no longer than 17 minutes.
const BACKOFF_DOUBLINGS_MAX: u32 = 10;

/// After so many tries, some hours, the agent is told that it did not go.
const RETRIES_MAX: u32 = 15;

/// How often a channel that is broken is tried.
const BROKEN_EVERY_MS: u64 = 60_000;

/// A day later nobody waits for the message any more.
const BROKEN_MS_MAX: i64 = 24 * 3_600_000;

/// Customers whose pace is remembered before those at rest are forgotten.
const CUSTOMERS_KEPT: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate {
        every_us: 1_000,
        burst: 3,
    };

    #[test]
    fn as_many_leave_at_once_as_the_bucket_holds_and_then_one_by_one() {
        let mut free = None;
        let mut leave = |now_us| {
            let next = next(free, RATE, now_us);
            free = next.or(free);
            next.is_some()
        };
        let at_once = [leave(0), leave(0), leave(0), leave(0)];
        assert_eq!(at_once, [true, true, true, false]);
        assert_eq!(
            [leave(999), leave(1_000), leave(1_001)],
            [false, true, false]
        );
        // After a rest the bucket is full, and not fuller.
        let rested = [leave(50_000), leave(50_000), leave(50_000), leave(50_000)];
        assert_eq!(rested, [true, true, true, false]);
    }

    #[test]
    fn each_wait_is_longer_than_the_one_before_and_the_last_bounded() {
        let mut random = StdRng::seed_from_u64(1);
        for tries in 1..40 {
            let wait_ms = backoff_ms(tries, &mut random);
            let base = 1_000 << tries.min(10);
            assert!((base / 2..=base).contains(&wait_ms), "{tries}: {wait_ms}");
        }
    }
}
