//! Makes of what came in what it says: many receipts in one transaction, in the order in which they
//! came; then tells the desk.

use std::sync::Arc;
use std::time::Duration;

use desk::id::{CompanyId, InstanceId, InteractionId};
use desk::identity::CpfKey;
use desk::output::DeskError;
use exchange::voice::Holder;
use media_engine_net::clock;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use store::{Error, Store};
use store::{notices, receipts};
use tokio::sync::{Notify, mpsc};

use crate::secrets::Secrets;
use crate::telephony::Telephony;

use super::matter::{Made, Maker, Told};
use super::{Arrival, Needs, Outcome, Waits};

pub(super) struct Worker {
    store: Store,
    telephony: Telephony,
    instance: InstanceId,
    secrets: Arc<Secrets>,
    cpf_key: CpfKey,
    random: StdRng,
    wake: Arc<Notify>,
    /// What the desk could not take yet: a line is full, a service is not known to it.
    later: Vec<(CompanyId, Told)>,
    /// When receipts are next forgotten, milliseconds since 1970.
    forget_ms: i64,
}

impl Worker {
    pub(super) fn new(needs: &Needs, seed: [u8; 32], wake: Arc<Notify>) -> Self {
        Self {
            store: needs.store.clone(),
            telephony: needs.telephony.clone(),
            instance: needs.instance.clone(),
            secrets: needs.secrets.clone(),
            cpf_key: needs.secrets.cpf_key(),
            random: StdRng::from_seed(seed),
            wake,
            later: vec![],
            forget_ms: 0,
        }
    }

    /// Ends when nobody can bring anything any more.
    pub(super) async fn run(mut self, mut arrivals: mpsc::Receiver<Arrival>) {
        self.begin_again().await;
        let mut group = Vec::with_capacity(GROUP_MAX);
        loop {
            let pause = if self.later.is_empty() { IDLE } else { LATER };
            let came = arrivals.recv_many(&mut group, GROUP_MAX);
            match tokio::time::timeout(pause, came).await {
                Ok(0) => return,
                Ok(_) => self.take(std::mem::take(&mut group)).await,
                Err(_) => {
                    let later = std::mem::take(&mut self.later);
                    self.hand_over(later).await;
                }
            }
            self.forget().await;
        }
    }

    /// What the last run of this process received and did nothing about, and what it made of it and did
    /// not tell the desk.
    async fn begin_again(&mut self) {
        loop {
            let open = receipts::open(self.store.pool(), &self.instance, GROUP_ROWS_MAX).await;
            match open {
                Ok(open) if open.is_empty() => break,
                Ok(open) => {
                    tracing::info!(receipts = open.len(), "received before the start");
                    let nobody = |receipt| Arrival {
                        receipt,
                        waits: Waits::Nobody,
                    };
                    self.take(open.into_iter().map(nobody).collect()).await;
                }
                Err(error) => self.wait(&error).await,
            }
        }
        let left = loop {
            match self.left().await {
                Ok(left) => break left,
                Err(error) => self.wait(&error).await,
            }
        };
        if !left.is_empty() {
            tracing::info!(
                interactions = left.len(),
                "written ones go to the desk again"
            );
            self.hand_over(left).await;
        }
    }

    async fn left(&mut self) -> Result<Vec<(CompanyId, Told)>, Error> {
        let mut db = self.store.begin().await?;
        let left = store::conversations::without_work(&mut *db, &self.instance).await?;
        let mut maker = Maker {
            db: &mut db,
            instance: &self.instance,
            secrets: &self.secrets,
            cpf_key: &self.cpf_key,
            random: &mut self.random,
        };
        let mut written = Vec::with_capacity(left.len());
        for unknown in left {
            let again = maker.again(&unknown.company, &unknown.interaction).await?;
            written.extend(again.map(|again| (unknown.company, Told::Written(again))));
        }
        Ok(written)
    }

    async fn take(&mut self, group: Vec<Arrival>) {
        let made = self.make(&group).await;
        let told = made.iter().flat_map(|made| made.told.iter().cloned());
        let held = self.hand_over(told.collect()).await;
        for (arrival, made) in group.into_iter().zip(made) {
            let outcome = match made.outcome {
                Outcome::Taken(mut taken) => {
                    taken.has_agent = held.contains(&taken.interaction);
                    Outcome::Taken(taken)
                }
                other @ (Outcome::Done
                | Outcome::Reused
                | Outcome::Refused(_)
                | Outcome::Blocked) => other,
            };
            if let Waits::Made(answer) = arrival.waits {
                // Who went away does not want to know.
                let _ = answer.send(outcome);
            }
        }
        self.wake.notify_one();
    }

    /// One for each of the group.
    async fn make(&mut self, group: &[Arrival]) -> Vec<Made> {
        let mut met = 0;
        loop {
            match self.make_at_once(group).await {
                Ok(made) => return made,
                Err(error) if error.is_temporary() => self.wait(&error).await,
                // Somebody else took a place in the same moment.
                Err(Error::Taken) if met < MEETINGS_MAX => met += 1,
                Err(error) if group.len() == 1 => {
                    return self.give_up(&group[0], &error).await;
                }
                Err(error) => {
                    tracing::warn!(%error, "a group was refused; now one by one");
                    let mut made = Vec::with_capacity(group.len());
                    for one in group {
                        made.extend(Box::pin(self.make(std::slice::from_ref(one))).await);
                    }
                    return made;
                }
            }
        }
    }

    async fn make_at_once(&mut self, group: &[Arrival]) -> Result<Vec<Made>, Error> {
        let mut db = self.store.begin().await?;
        let mut made = Vec::with_capacity(group.len());
        let mut maker = Maker {
            db: &mut db,
            instance: &self.instance,
            secrets: &self.secrets,
            cpf_key: &self.cpf_key,
            random: &mut self.random,
        };
        for arrival in group {
            made.push(maker.make(&arrival.receipt).await?);
        }
        db.commit().await?;
        Ok(made)
    }

    /// The database will never take it: a mistake of ours. The receipt keeps all of it.
    async fn give_up(&mut self, arrival: &Arrival, error: &Error) -> Vec<Made> {
        let id = &arrival.receipt.id;
        tracing::error!(receipt = %id, %error, "nothing can be made of what was received");
        let now_ms = clock::wall().as_millisecond();
        let why = Some("refused by the database");
        let done = receipts::done(self.store.pool(), id, now_ms, why).await;
        if let Err(error) = done {
            tracing::error!(receipt = %id, %error, "it is tried again at the next start");
        }
        vec![Made {
            outcome: Outcome::Refused(""),
            told: vec![],
        }]
    }

    /// Tells the desk; returns what agents have in hand of it.
    async fn hand_over(&mut self, told: Vec<(CompanyId, Told)>) -> Vec<InteractionId> {
        if told.is_empty() {
            return vec![];
        }
        let all = told.clone();
        let answers = self.telephony.look(move |voice, now| {
            let tell = |(company, told): (CompanyId, Told)| match told {
                Told::Written(written) => voice.handle_written(now, &company, written).map(Some),
                Told::Changed(interaction, seq) => {
                    voice.tell_message(now, &company, &interaction, seq);
                    Ok(None)
                }
                Told::Closed(interaction) => {
                    voice.handle_written_closed(now, &company, &interaction);
                    Ok(None)
                }
            };
            all.into_iter().map(tell).collect::<Vec<_>>()
        });
        let Ok(answers) = answers.await else {
            return vec![]; // The program ends; the next start tells.
        };
        let mut held = vec![];
        for (one, answer) in told.into_iter().zip(answers) {
            match (&one.1, answer) {
                (Told::Written(written), Ok(Some(Holder::Agent(_)))) => {
                    held.push(written.interaction.clone());
                }
                (_, Ok(_)) => {}
                (_, Err(error)) => self.postpone(one, &error),
            }
        }
        held
    }

    fn postpone(&mut self, one: (CompanyId, Told), error: &DeskError) {
        let Told::Written(written) = &one.1 else {
            return;
        };
        let interaction = &written.interaction;
        let known = |(_, other): &(CompanyId, Told)| matches!(other, Told::Written(other) if other.interaction == *interaction);
        if !self.later.iter().any(known) {
            tracing::warn!(%interaction, %error, "the desk takes it later");
            self.later.push(one);
        }
    }

    async fn wait(&self, error: &Error) {
        tracing::warn!(%error, "the database is away; trying again");
        tokio::time::sleep(RETRY_INTERVAL).await;
    }

    async fn forget_old(&self, now_ms: i64) -> Result<(), Error> {
        receipts::forget(self.store.pool(), now_ms - KEEP_MS).await?;
        notices::forget(self.store.pool(), now_ms - KEEP_NOTICES_MS).await?;
        let mut db = self.store.begin().await?;
        store::early_events::forget(&mut db, now_ms - KEEP_MS).await?;
        db.commit().await
    }

    /// Receipts are kept for a while, for who asks what exactly came.
    async fn forget(&mut self) {
        let now_ms = clock::wall().as_millisecond();
        if now_ms < self.forget_ms {
            return;
        }
        self.forget_ms = now_ms + FORGET_EVERY_MS;
        if let Err(error) = self.forget_old(now_ms).await {
            tracing::warn!(%error, "what is old stays for now");
        }
    }
}

/// Receipts in one transaction: bounds how long the first waits for the last.
const GROUP_MAX: usize = 64;

/// The same, of what was left.
const GROUP_ROWS_MAX: u32 = 64;

/// Who meets another so often does not: something of it can never be written.
const MEETINGS_MAX: u32 = 5;

/// Between two tries: short beside a restart of PostgreSQL, long beside a busy loop.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// How soon the desk is told again what it could not take.
const LATER: Duration = Duration::from_secs(1);

/// Without anything to do we look around now and then all the same.
const IDLE: Duration = Duration::from_secs(600);

/// How often old receipts are looked for.
const FORGET_EVERY_MS: i64 = 3_600_000;

/// A month of what webhooks were told, for who has it told again.
const KEEP_NOTICES_MS: i64 = 30 * 24 * 3_600_000;

/// A week: as long as providers send again what was not taken.
const KEEP_MS: i64 = 7 * 24 * 3_600_000;
