//! Tells webhooks what happened: of each interaction one thing at a time, of each target a few
//! interactions at once, so that a dead webhook holds up nobody but itself.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use channels::generic::delivery::{self, Answer};
use channels::generic::notice::NoticeAttachment;
use channels::generic::signature;
use channels::send::Response;
use ivr::machine::{FetchFailure, Request};
use media_engine_net::clock;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::json;
use store::deliveries::{self, Delivery, Target, Tried};
use store::messages::Message;
use store::notices::{self, Notice};
use store::{Error, Store, attachments, messages};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::secrets::Secrets;
use gateway_net::fetch::{Fetcher, Limits};

use super::settings::{GENERIC, SigningSecrets};
use super::{Needs, media_links, notice};

pub(super) struct Courier {
    post: Post,
    random: StdRng,
    wake: Arc<Notify>,
    /// What is under way, by target.
    under_way: HashMap<String, usize>,
    /// Targets that did not take the last that they were told.
    failing: HashSet<String>,
    tasks: JoinSet<Came>,
}

/// What came of telling a target something.
struct Came {
    target: String,
    is_taken: bool,
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
            failing: HashSet::new(),
            tasks: JoinSet::new(),
        }
    }

    /// Goes on until it is cut off: what was under way is tried again later, under the same id.
    pub(super) async fn run(mut self) {
        loop {
            if let Err(error) = self.tell_what_is_due().await {
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

    fn count(&mut self, done: Result<Came, tokio::task::JoinError>) {
        let Ok(Came { target, is_taken }) = done else {
            // Who of them panicked is not told: nobody is under way more than there are tasks.
            return self.under_way.clear();
        };
        if let Some(count) = self.under_way.get_mut(&target) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.under_way.remove(&target);
            }
        }
        match is_taken {
            true => self.failing.remove(&target),
            false => self.failing.insert(target),
        };
    }

    /// How many interactions more a target may be told of at once.
    fn room(&self, target: &str) -> usize {
        let is_failing = self.failing.contains(target);
        let (own, all) = match is_failing {
            true => (1, FAILING_TASKS_MAX),
            false => (TARGET_MAX, TASKS_MAX),
        };
        let busy = self.under_way.get(target).copied().unwrap_or_default();
        let all_busy = match is_failing {
            true => self
                .under_way
                .iter()
                .filter(|(target, _)| self.failing.contains(*target))
                .map(|(_, busy)| busy)
                .sum(),
            false => self.tasks.len(),
        };
        own.saturating_sub(busy).min(all.saturating_sub(all_busy))
    }

    async fn tell_what_is_due(&mut self) -> Result<(), Error> {
        let now_ms = clock::wall().as_millisecond();
        let pool = self.post.store.pool().clone();
        for target in deliveries::targets_due(&pool, now_ms).await? {
            let room = self.room(&target.id);
            if room == 0 {
                continue;
            }
            let target = Arc::new(target);
            // Few: it fits.
            let room = u32::try_from(room).unwrap_or(u32::MAX);
            for due in deliveries::due(&pool, &target.id, now_ms, room).await? {
                let (post, target) = (self.post.clone(), target.clone());
                let wait_ms = delivery::wait_ms(due.attempts + 1, &mut self.random);
                *self.under_way.entry(target.id.clone()).or_default() += 1;
                self.tasks.spawn(async move {
                    let delivered = post.deliver(&target, &due, wait_ms).await;
                    let is_taken = delivered.unwrap_or_else(|error| {
                        tracing::warn!(notice = %due.notice, %error, "what came of a delivery is not known");
                        true // The database is away, not the target.
                    });
                    Came {
                        target: target.id.clone(),
                        is_taken,
                    }
                });
            }
        }
        Ok(())
    }
}

impl Post {
    /// Returns whether the target is well.
    async fn deliver(&self, target: &Target, due: &Delivery, wait_ms: u64) -> Result<bool, Error> {
        let pool = self.store.pool();
        let Some(notice) = notices::by_id(pool, &due.notice).await? else {
            return Ok(true); // It was forgotten meanwhile.
        };
        let body = self.body(&notice).await?;
        let Some(body) = self.claim(due, body).await? else {
            return Ok(true); // Another process has it, or there is nothing to say.
        };
        let answer = self.ask(target, &due.notice, body).await;
        self.answered(target, (due, &notice), answer, wait_ms).await
    }

    /// Takes a delivery, and settles what is told. Nothing where another process has it, or nothing is to
    /// be said.
    async fn claim(&self, due: &Delivery, body: Option<String>) -> Result<Option<String>, Error> {
        let Some(body) = body else {
            self.note(due, ("parked", due.due_ms), None, "not known")
                .await?;
            return Ok(None);
        };
        let lease_ms = clock::wall().as_millisecond() + LEASE_MS;
        let mut db = self.store.begin().await?;
        if !deliveries::claim(&mut *db, due, lease_ms).await? {
            return Ok(None);
        }
        let body = notices::word(&mut *db, &due.notice, &body).await?;
        db.commit().await?;
        Ok(Some(body))
    }

    /// What is told of it; nothing of what this program does not know.
    async fn body(&self, notice: &Notice) -> Result<Option<String>, Error> {
        if let Some(body) = &notice.body {
            return Ok(Some(body.clone()));
        }
        let pool = self.store.pool();
        let message = notice.detail["message"].as_str();
        let message = match message.and_then(|id| id.parse().ok()) {
            Some(id) => messages::by_id(pool, &notice.company, &id).await?,
            None => None,
        };
        let message = match &message {
            Some(message) => Some((message, self.files(message).await?)),
            None => None,
        };
        Ok(notice::of(notice, message))
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

    async fn ask(&self, target: &Target, id: &str, body: String) -> Result<Response, String> {
        let secrets = SigningSecrets::open(&self.secrets, &target.id, &target.secrets);
        let secrets = secrets.map_err(|error| error.to_string())?;
        let now_ms = clock::wall().as_millisecond();
        tell(&self.fetcher, &target.url, (&secrets, id), body, now_ms).await
    }

    async fn answered(
        &self,
        target: &Target,
        (due, notice): (&Delivery, &Notice),
        answer: Result<Response, String>,
        wait_ms: u64,
    ) -> Result<bool, Error> {
        let now_ms = clock::wall().as_millisecond();
        let (status, text) = what_came(&answer);
        let means = answer.as_ref().map(delivery::answered);
        let after_ms = match means {
            Ok(Answer::Done { .. }) => {
                self.note(due, ("done", now_ms), status, &text).await?;
                self.message(target, notice, "accepted", None).await?;
                return Ok(true);
            }
            Ok(Answer::SwitchOff) => {
                tracing::warn!(target = %target.id, "the webhook says that it is no more");
                let mut db = self.store.begin().await?;
                deliveries::gone(&mut db, target, now_ms).await?;
                db.commit().await?;
                0
            }
            Ok(Answer::Again { after_ms }) => after_ms.max(wait_ms),
            Err(_) => wait_ms,
        };
        let next_ms = now_ms.saturating_add(i64::try_from(after_ms).unwrap_or(i64::MAX));
        if next_ms - due.since_ms <= delivery::PARKED_AFTER_MS {
            self.note(due, ("waiting", next_ms), status, &text).await?;
            return Ok(false);
        }
        tracing::warn!(notice = %due.notice, target = %target.id, "a webhook did not take it for too long");
        self.note(due, ("parked", now_ms), status, &text).await?;
        let failure = json!({ "code": "not_delivered", "status": status, "text": text });
        self.message(target, notice, "failed", Some(failure))
            .await?;
        Ok(false)
    }

    async fn note(
        &self,
        due: &Delivery,
        (state, due_ms): (&str, i64),
        status: Option<u16>,
        answer: &str,
    ) -> Result<(), Error> {
        let tried = Tried {
            state,
            due_ms,
            at_ms: clock::wall().as_millisecond(),
            status,
            answer,
        };
        let mut db = self.store.begin().await?;
        deliveries::tried(&mut db, due, tried).await?;
        db.commit().await
    }

    /// On the generic channel a message has gone where its delivery to the channel's own webhook has.
    async fn message(
        &self,
        target: &Target,
        notice: &Notice,
        state: &str,
        failure: Option<serde_json::Value>,
    ) -> Result<(), Error> {
        let is_generic = target.is_channel
            && notice.event == "message.created"
            && notice
                .channel
                .as_ref()
                .is_some_and(|channel| channel.kind == GENERIC);
        let id = notice.detail["message"].as_str();
        let Some(id) = id.filter(|_| is_generic).and_then(|id| id.parse().ok()) else {
            return Ok(());
        };
        let mut db = self.store.begin().await?;
        if let Some(message) = messages::of_work(&mut *db, &id).await? {
            let now_ms = clock::wall().as_millisecond();
            let step = ("queued", state);
            messages::advance(&mut db, &message, step, failure.as_ref(), now_ms).await?;
        }
        db.commit().await
    }
}

/// Tells a webhook something, signed; who is not there is an error in words.
pub(crate) async fn tell(
    fetcher: &Fetcher,
    url: &str,
    (secrets, id): (&SigningSecrets, &str),
    body: String,
    now_ms: i64,
) -> Result<Response, String> {
    let signing = secrets.signing(now_ms);
    let headers = signature::headers(&signing, id, now_ms / 1_000, body.as_bytes());
    let headers = headers.map(|(name, value)| (name.to_owned(), value));
    let request = Request {
        method: ivr::Method::Post,
        url: url.to_owned(),
        headers: headers.into(),
        body: Some(body),
        timeout: LIMITS.time,
    };
    match fetcher.fetch_within(&request, LIMITS).await {
        Ok(fetched) => Ok(Response {
            status: fetched.status,
            retry_after_ms: None,
            body: fetched.body,
        }),
        Err(why) => Err(reason(&why).to_owned()),
    }
}

/// The status and the beginning of an answer, or why there is none.
pub(crate) fn what_came(answer: &Result<Response, String>) -> (Option<u16>, String) {
    match answer {
        Ok(response) => (Some(response.status), beginning(&response.body)),
        Err(why) => (None, why.clone()),
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

/// Interactions of which one target is told at once; of one that fails, one.
const TARGET_MAX: usize = 4;

/// Interactions of which all targets are told at once: sockets, and now and then a connection of the
/// database each.
const TASKS_MAX: usize = 128;

/// The same for all targets that fail: however many are dead, half is there for those that are well.
const FAILING_TASKS_MAX: usize = TASKS_MAX / 2;

/// How often we look for what is due, beside what we are told of.
const LOOK_EVERY: Duration = Duration::from_millis(250);
