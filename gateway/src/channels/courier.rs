//! Tells webhooks what happened: of each interaction one thing at a time, of each channel a few
//! interactions at once, so that a dead webhook holds up nobody but itself.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use channels::generic::delivery::{self, Answer};
use channels::generic::notice::NoticeAttachment;
use channels::generic::signature;
use channels::send::Response;
use desk::id::ChannelId;
use ivr::machine::{FetchFailure, Request};
use media_engine_net::clock;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::json;
use store::channels::Channel;
use store::deliveries::{self, Delivery};
use store::messages::Message;
use store::{Error, Store, attachments, messages};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::secrets::Secrets;
use gateway_net::fetch::{Fetcher, Limits};

use super::settings::SigningSecrets;
use super::{Needs, media_links, notice};

pub(super) struct Courier {
    post: Post,
    random: StdRng,
    wake: Arc<Notify>,
    /// What is under way, by channel.
    under_way: HashMap<ChannelId, usize>,
    tasks: JoinSet<ChannelId>,
}

/// What one delivery needs.
#[derive(Clone)]
struct Post {
    store: Store,
    secrets: Arc<Secrets>,
    fetcher: Fetcher,
    /// Before the path of each link; nothing where nobody said how the world reaches us.
    public_url: String,
}

impl Courier {
    pub(super) fn new(needs: &Needs, seed: [u8; 32], wake: Arc<Notify>) -> Self {
        Self {
            post: Post {
                store: needs.store.clone(),
                secrets: needs.secrets.clone(),
                fetcher: needs.fetcher.clone(),
                public_url: needs.public_url.clone().unwrap_or_default(),
            },
            random: StdRng::from_seed(seed),
            wake,
            under_way: HashMap::new(),
            tasks: JoinSet::new(),
        }
    }

    /// Goes on until it is cut off: what was under way is tried again later, under the same id.
    pub(super) async fn run(mut self) {
        loop {
            if let Err(error) = self.send_what_is_due().await {
                tracing::warn!(%error, "what webhooks are to be told cannot be read");
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
            if *count == 0 {
                self.under_way.remove(&channel);
            }
        }
    }

    async fn send_what_is_due(&mut self) -> Result<(), Error> {
        let now_ms = clock::wall().as_millisecond();
        let pool = self.post.store.pool().clone();
        for id in deliveries::channels_due(&pool, now_ms).await? {
            let busy = self.under_way.get(&id).copied().unwrap_or_default();
            let room = CHANNEL_MAX.saturating_sub(busy);
            let room = room.min(TASKS_MAX.saturating_sub(self.tasks.len()));
            if room == 0 {
                continue;
            }
            let Some(channel) = store::channels::of_work(&pool, &id).await? else {
                continue;
            };
            let channel = Arc::new(channel);
            // Few: it fits.
            let room = u32::try_from(room).unwrap_or(u32::MAX);
            for due in deliveries::due(&pool, &id, now_ms, room).await? {
                let (post, channel) = (self.post.clone(), channel.clone());
                let wait_ms = delivery::wait_ms(due.attempts + 1, &mut self.random);
                *self.under_way.entry(id.clone()).or_default() += 1;
                self.tasks.spawn(async move {
                    let event = due.id.clone();
                    if let Err(error) = post.deliver(&channel, due, wait_ms).await {
                        tracing::warn!(%event, %error, "what came of a delivery is not known");
                    }
                    channel.id.clone()
                });
            }
        }
        Ok(())
    }
}

impl Post {
    async fn deliver(&self, channel: &Channel, due: Delivery, wait_ms: u64) -> Result<(), Error> {
        let pool = self.store.pool();
        let body = match &due.body {
            Some(body) => Some(body.clone()),
            None => self.body(channel, &due).await?,
        };
        let Some(body) = body else {
            // Nothing that this program knows how to say.
            let now_ms = clock::wall().as_millisecond();
            return self.note(&due, ("parked", now_ms), None, "not known").await;
        };
        let due = Delivery {
            body: Some(body.clone()),
            ..due
        };
        let lease_ms = clock::wall().as_millisecond() + LEASE_MS;
        if !deliveries::claim(pool, &due, lease_ms).await? {
            return Ok(()); // Another process has it.
        }
        let answer = self.ask(channel, &due.id, body).await;
        self.answered(channel, &due, answer, wait_ms).await
    }

    async fn body(&self, channel: &Channel, due: &Delivery) -> Result<Option<String>, Error> {
        let pool = self.store.pool();
        let Some(about) = deliveries::about(pool, due).await? else {
            return Ok(None);
        };
        let message = about.detail["message"].as_str();
        let message = match message.and_then(|id| id.parse().ok()) {
            Some(id) => messages::by_id(pool, &channel.company, &id).await?,
            None => None,
        };
        let message = match &message {
            Some(message) => Some((message, self.files(message).await?)),
            None => None,
        };
        Ok(notice::of(due, &about, message))
    }

    /// The files of a message, each with a link that lasts as long as the delivery is tried.
    async fn files(&self, message: &Message) -> Result<Vec<NoticeAttachment>, Error> {
        let until_ms = clock::wall().as_millisecond() + 2 * delivery::PARKED_AFTER_MS;
        let pool = self.store.pool();
        let rows = attachments::in_message(pool, &message.interaction, &message.id).await?;
        let told = rows.into_iter().filter_map(|row| {
            let path = media_links::link(&self.secrets, &row.company, &row.id, until_ms).ok()?;
            notice::file(row, format!("{}{path}", self.public_url))
        });
        Ok(told.collect())
    }

    async fn ask(&self, channel: &Channel, id: &str, body: String) -> Result<Response, String> {
        let url = channel.webhook.clone().unwrap_or_default();
        let sealed = channel.secrets.as_deref().unwrap_or_default();
        let secrets = SigningSecrets::open(&self.secrets, channel.id.as_str(), sealed);
        let secrets = secrets.map_err(|error| error.to_string())?;
        let now_ms = clock::wall().as_millisecond();
        let signing = secrets.signing(now_ms);
        let headers = signature::headers(&signing, id, now_ms / 1_000, body.as_bytes());
        let headers = headers.map(|(name, value)| (name.to_owned(), value));
        let request = Request {
            method: ivr::Method::Post,
            url,
            headers: headers.into(),
            body: Some(body),
            timeout: LIMITS.time,
        };
        let fetched = self.fetcher.fetch_within(&request, LIMITS).await;
        match fetched {
            Ok(fetched) => Ok(Response {
                status: fetched.status,
                retry_after_ms: None,
                body: fetched.body,
            }),
            Err(why) => Err(reason(&why).to_owned()),
        }
    }

    async fn answered(
        &self,
        channel: &Channel,
        due: &Delivery,
        answer: Result<Response, String>,
        wait_ms: u64,
    ) -> Result<(), Error> {
        let now_ms = clock::wall().as_millisecond();
        let (status, text) = match &answer {
            Ok(response) => (Some(response.status), beginning(&response.body)),
            Err(why) => (None, why.clone()),
        };
        let means = answer.as_ref().map(delivery::answered);
        let after_ms = match means {
            Ok(Answer::Done { .. }) => {
                self.note(due, ("done", now_ms), status, &text).await?;
                return self.message(due, "accepted", None).await;
            }
            Ok(Answer::SwitchOff) => {
                tracing::warn!(channel = %channel.id, "the webhook says that it is no more");
                store::channels::webhook_gone(self.store.pool(), &channel.id, now_ms).await?;
                0
            }
            Ok(Answer::Again { after_ms }) => after_ms.max(wait_ms),
            Err(_) => wait_ms,
        };
        let next_ms = now_ms.saturating_add(i64::try_from(after_ms).unwrap_or(i64::MAX));
        if next_ms - due.since_ms <= delivery::PARKED_AFTER_MS {
            return self.note(due, ("waiting", next_ms), status, &text).await;
        }
        tracing::warn!(event = %due.id, "a webhook did not take it for too long");
        self.note(due, ("parked", now_ms), status, &text).await?;
        let failure = json!({ "code": "not_delivered", "status": status, "text": text });
        self.message(due, "failed", Some(failure)).await
    }

    async fn note(
        &self,
        due: &Delivery,
        next: (&str, i64),
        status: Option<u16>,
        answer: &str,
    ) -> Result<(), Error> {
        let now_ms = clock::wall().as_millisecond();
        let pool = self.store.pool();
        deliveries::tried(pool, &due.id, next, now_ms, (status, answer)).await
    }

    /// On the generic channel a message has gone where its delivery has.
    async fn message(
        &self,
        due: &Delivery,
        state: &str,
        failure: Option<serde_json::Value>,
    ) -> Result<(), Error> {
        let pool = self.store.pool();
        let id = deliveries::about(pool, due).await?;
        let id = id.and_then(|about| about.detail["message"].as_str()?.parse().ok());
        match id {
            Some(id) => messages::advance(pool, &id, ("queued", state), failure.as_ref())
                .await
                .map(drop),
            None => Ok(()),
        }
    }
}

fn reason(why: &FetchFailure) -> &'static str {
    match why {
        FetchFailure::Refused => "the address may not be asked",
        FetchFailure::Unreachable => "nobody answers there",
        FetchFailure::TimedOut => "no answer in time",
        FetchFailure::TooLarge => "the answer is too large",
    }
}

/// What the log shows of an answer.
fn beginning(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    text.chars()
        .filter(|one| *one != '\0')
        .take(ANSWER_CHARS_MAX)
        .collect()
}

/// How long an answer may take, and how large it may be.
const LIMITS: Limits = Limits {
    time: Duration::from_millis(delivery::ANSWER_WITHIN_MS),
    bytes: 64 * 1024,
};

/// A person reads the reason in it, not a page.
const ANSWER_CHARS_MAX: usize = 1_000;

/// Who has a delivery in hand has it for so long: three times as long as an answer may take.
const LEASE_MS: i64 = 30_000;

/// Interactions of one channel that are told at once.
const CHANNEL_MAX: usize = 4;

/// Interactions of all channels that are told at once: sockets, and a connection of the database each.
const TASKS_MAX: usize = 64;

/// How often we look for what is due, beside what we are told of.
const LOOK_EVERY: Duration = Duration::from_millis(250);
