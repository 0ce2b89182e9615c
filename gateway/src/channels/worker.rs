//! Makes of what came in what it says: many receipts in one transaction, in the order in which they
//! came; then tells the desk.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use desk::id::{CompanyId, InstanceId, InteractionId, ReceiptId};
use desk::identity::CpfKey;
use desk::output::DeskError;
use exchange::voice::Holder;
use media_engine_net::clock;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use store::receipts::{self, Receipt};
use store::{Error, Store, notices};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::secrets::Secrets;
use crate::telephony::Telephony;

use super::intake::Waiting;
use super::matter::{Made, Maker, Told};
use super::{Needs, Outcome};

pub(super) struct Worker {
    store: Store,
    telephony: Telephony,
    instance: InstanceId,
    secrets: Arc<Secrets>,
    cpf_key: CpfKey,
    random: StdRng,
    wake: Arc<Notify>,
    /// There is more on disk.
    more: Arc<Notify>,
    /// Who waits for what is made of a receipt, on their way here.
    waiting: mpsc::Receiver<Waiting>,
    /// And those who are here.
    waits: HashMap<ReceiptId, oneshot::Sender<Outcome>>,
    /// What the desk could not take yet: a line is full, a service is not known to it.
    later: Vec<(CompanyId, Told)>,
    /// When receipts are next forgotten, milliseconds since 1970.
    forget_ms: i64,
}

impl Worker {
    pub(super) fn new(
        needs: &Needs,
        seed: [u8; 32],
        (wake, more): (Arc<Notify>, Arc<Notify>),
        waiting: mpsc::Receiver<Waiting>,
    ) -> Self {
        Self {
            store: needs.store.clone(),
            telephony: needs.telephony.clone(),
            instance: needs.instance.clone(),
            secrets: needs.secrets.clone(),
            cpf_key: needs.secrets.cpf_key(),
            random: StdRng::from_seed(seed),
            wake,
            more,
            waiting,
            waits: HashMap::new(),
            later: vec![],
            forget_ms: 0,
        }
    }

    /// Ends when nobody can bring anything any more; what is left is made at the next start.
    pub(super) async fn run(mut self) {
        self.go_on_with_what_is_left().await;
        loop {
            match receipts::open(self.store.pool(), &self.instance, GROUP_MAX).await {
                Ok(open) if !open.is_empty() => {
                    self.take(open).await;
                    self.forget().await;
                    continue;
                }
                Ok(_) => {}
                Err(error) => {
                    self.wait(&error).await;
                    continue;
                }
            }
            let pause = if self.later.is_empty() { IDLE } else { LATER };
            tokio::select! {
                () = self.more.notified() => {}
                came = self.waiting.recv() => match came {
                    Some((receipt, answer)) => drop(self.waits.insert(receipt, answer)),
                    None => return,
                },
                () = tokio::time::sleep(pause) => {
                    self.waits.retain(|_, answer| !answer.is_closed());
                    let later = std::mem::take(&mut self.later);
                    self.hand_over(later).await;
                }
            }
            self.forget().await;
        }
    }

    /// First what the last run of this process received and did nothing about; then what it made of it and
    /// did not tell the desk.
    async fn go_on_with_what_is_left(&mut self) {
        loop {
            match receipts::open(self.store.pool(), &self.instance, GROUP_MAX).await {
                Ok(open) if open.is_empty() => break,
                Ok(open) => self.take(open).await,
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
            let again = again.map(Box::new).map(Told::Written);
            written.extend(again.map(|again| (unknown.company, again)));
        }
        Ok(written)
    }

    /// Makes of the first of a group what they say; the others stay where they are.
    async fn take(&mut self, group: Vec<Receipt>) {
        // Who waits for what is on disk was told of before it was there.
        while let Ok((receipt, answer)) = self.waiting.try_recv() {
            self.waits.insert(receipt, answer);
        }
        let made = self.make(&group).await;
        let told = made.iter().flat_map(|made| made.told.iter().cloned());
        let held = self.hand_over(told.collect()).await;
        for (receipt, made) in group.into_iter().zip(made) {
            let Some(answer) = self.waits.remove(&receipt.id) else {
                continue;
            };
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
            // Who went away does not want to know.
            let _ = answer.send(outcome);
        }
        self.wake.notify_one();
    }

    /// One for each of the group, or of the first of it.
    async fn make(&mut self, group: &[Receipt]) -> Vec<Made> {
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

    /// As many as fit into a turn of the database, of which others have need as well.
    async fn make_at_once(&mut self, group: &[Receipt]) -> Result<Vec<Made>, Error> {
        let mut db = self.store.begin().await?;
        let until = clock::now() + TURN;
        let mut made = Vec::with_capacity(group.len());
        let mut maker = Maker {
            db: &mut db,
            instance: &self.instance,
            secrets: &self.secrets,
            cpf_key: &self.cpf_key,
            random: &mut self.random,
        };
        for receipt in group {
            made.push(maker.make(receipt).await?);
            if clock::now() >= until {
                break;
            }
        }
        db.commit().await?;
        Ok(made)
    }

    /// The database will never take it: a mistake of ours. The receipt keeps all of it.
    async fn give_up(&mut self, receipt: &Receipt, error: &Error) -> Vec<Made> {
        let id = &receipt.id;
        tracing::error!(receipt = %id, %error, "nothing can be made of what was received");
        let now_ms = clock::wall().as_millisecond();
        let why = Some("refused by the database");
        while let Err(error) = receipts::done(self.store.pool(), id, now_ms, why).await {
            self.wait(&error).await;
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
            let mut unassigned = vec![];
            let tell = |(company, told): (CompanyId, Told)| match told {
                Told::Written(mut written) => {
                    let unassigns = voice.unassigns(now, &company, &written);
                    if let (Some(_), Some(customer)) = (&unassigns, &mut written.customer) {
                        customer.owner = None;
                    }
                    let company_id = company.clone();
                    unassigned
                        .extend(unassigns.map(|(contact, owner)| (company_id, contact, owner)));
                    voice.handle_written(now, &company, *written).map(Some)
                }
                Told::Changed(interaction, seq) => {
                    voice.tell_message(now, &company, &interaction, seq);
                    Ok(None)
                }
                Told::Closed(interaction) => {
                    voice.handle_written_closed(now, &company, &interaction);
                    Ok(None)
                }
            };
            (all.into_iter().map(tell).collect::<Vec<_>>(), unassigned)
        });
        let Ok((answers, unassigned)) = answers.await else {
            return vec![]; // The program ends; the next start tells.
        };
        for (company, contact, owner) in unassigned {
            let whose = (&company, &contact);
            let done = store::contacts::unassign(self.store.pool(), whose, &owner).await;
            if let Err(error) = done {
                tracing::warn!(%contact, %error, "a contact keeps its owner");
            }
        }
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

/// Receipts that are read at once.
const GROUP_MAX: u32 = 64;

/// How long one transaction goes on: what comes in meanwhile waits for it, and is to be answered soon.
const TURN: Duration = Duration::from_millis(10);

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
