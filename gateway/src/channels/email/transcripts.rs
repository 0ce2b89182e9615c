//! Sends customers what was written, once it is over, by the mailbox that the channel names.
//!
//! What is due was written down with the end of the interaction; it is taken, sent, and then no more. After
//! a crash in between it is sent again as the very same mail, under the same id; one that a server may
//! have taken without saying so is not.

use std::time::Duration;

use channels::email::Address;
use channels::email::compose::{self, Automatic, Draft, Enclosed, Stamp};
use channels::email::document::Document;
use channels::email::token;
use channels::failure::{Failure, FailureClass};
use desk::explain::Language;
use desk::id::{CompanyId, ContactId, InteractionId};
use desk::identity::IdentityKind;
use media_engine_net::clock;
use serde_json::json;
use store::channels::{self as rows, Channel};
use store::transcripts::{self, Due};
use store::{Error, channel_health, companies, identities};
use tokio::task::{JoinHandle, JoinSet};

use super::sending::{LEASE_MS, Post, away, broken, from, language, refused};
use super::settings::EmailSettings;
use crate::transcript::Transcript;

/// Starts sending, and goes on until it is cut off, which may be at any time.
pub fn start(post: Post) -> JoinHandle<()> {
    tokio::spawn(run(post))
}

async fn run(post: Post) {
    let mut tasks = JoinSet::new();
    loop {
        match due(&post).await {
            Ok(all) => {
                for due in all {
                    tasks.spawn(one(post.clone(), due));
                }
            }
            Err(error) => tracing::warn!(%error, "it is not known which transcripts are due"),
        }
        tokio::time::sleep(LOOK_EVERY).await;
        while tasks.try_join_next().is_some() {}
    }
}

async fn due(post: &Post) -> Result<Vec<Due>, Error> {
    let (pool, now_ms) = (post.store.pool(), clock::wall().as_millisecond());
    let mut all = vec![];
    for mailbox in transcripts::mailboxes(pool, now_ms).await? {
        all.extend(transcripts::due(pool, &mailbox, now_ms, AT_ONCE_MAX).await?);
    }
    Ok(all)
}

async fn one(post: Post, due: Due) {
    let interaction = due.interaction.clone();
    if let Err(error) = post.send_due(due).await {
        tracing::warn!(%interaction, %error, "what came of a transcript is not known");
    }
}

impl Post {
    async fn send_due(&self, due: Due) -> Result<(), Error> {
        let pool = self.store.pool();
        let now_ms = clock::wall().as_millisecond();
        if !transcripts::claim(pool, &due, now_ms + LEASE_MS).await? {
            return Ok(()); // Another process has it.
        }
        let Some(mailbox) = rows::of_work(pool, &due.mailbox).await? else {
            return Ok(()); // It went with its mailbox.
        };
        match self.transcript(&mailbox, &due.interaction).await {
            Ok(true) => transcripts::ended(pool, &due.interaction, ("sent", None)).await,
            Ok(false) => transcripts::ended(pool, &due.interaction, ("nobody", None)).await,
            Err(failure) => self.not_sent(&mailbox, &due, failure, now_ms).await,
        }
    }

    /// What may pass is tried again; the health of the mailbox says why.
    async fn not_sent(
        &self,
        mailbox: &Channel,
        due: &Due,
        failure: Failure,
        now_ms: i64,
    ) -> Result<(), Error> {
        let may_pass = match failure.class {
            FailureClass::Retry | FailureClass::RetryWithNewToken | FailureClass::ChannelBroken => {
                due.attempts + 1 < ATTEMPTS_MAX
            }
            FailureClass::Permanent
            | FailureClass::NeedsTemplate
            | FailureClass::BlockedByCustomer
            | FailureClass::Uncertain => false,
        };
        let (told, alarm) = (json!(failure), failure.class == FailureClass::ChannelBroken);
        let mut db = self.store.begin().await?;
        channel_health::failed(&mut db, &mailbox.id, (&told, alarm), now_ms).await?;
        if may_pass {
            transcripts::later(&mut *db, &due.interaction, now_ms + AGAIN_MS).await?;
        } else {
            transcripts::ended(&mut *db, &due.interaction, ("failed", Some(&told))).await?;
        }
        db.commit().await?;
        Ok(())
    }

    /// Sends what was written; not where nobody knows an address.
    async fn transcript(
        &self,
        mailbox: &Channel,
        interaction: &InteractionId,
    ) -> Result<bool, Failure> {
        let settings = EmailSettings::of(mailbox);
        let settings = settings.ok_or_else(|| broken("settings", "the settings cannot be read"))?;
        let found = Transcript::of(&self.store, &mailbox.company, interaction).await;
        let found = found.map_err(|error| away(&error))?;
        let Some((transcript, to)) = self.addressed(&mailbox.company, found).await? else {
            return Ok(false);
        };
        let company = companies::by_id(self.store.pool(), &mailbox.company).await;
        let company = company.map_err(|error| away(&error))?;
        let about = transcript.about();
        let [subject, sentence] = words(language(company.as_ref()), &about.protocol);
        let (text, enclosed) = said(&about.protocol, &transcript);
        let draft = Draft {
            from: from(mailbox, &settings).ok_or_else(|| broken("address", "no address"))?,
            reply_to: None,
            to: vec![to],
            cc: vec![],
            bcc: vec![],
            subject,
            body: Document::from_text(&format!("{sentence}\n\n{text}")),
            signature: Some(settings.signature.clone()),
            quoted: None,
            parent: None,
            protocol: Some(about.protocol.clone()),
            automatic: Some(Automatic::Generated),
        };
        let key = self.accounts.thread_key(mailbox);
        let key = key.map_err(|error| broken("secrets", &error.to_string()))?;
        let token = token::token(interaction.as_str(), &key);
        let token = token.ok_or_else(|| broken("secrets", "no key for threads"))?;
        let domain = settings
            .address
            .rsplit_once('@')
            .map_or("", |(_, domain)| domain);
        let stamp = Stamp {
            message_id: token::message_id(interaction.as_str(), &token, domain),
            date_ms: about.ended_ms.unwrap_or(about.started_ms),
        };
        let made = compose::compose(&draft, &stamp, &settings.enclosed(), &enclosed);
        let made = made.map_err(|refusal| refused(&refusal))?;
        let login = self.login(mailbox, &settings).await?;
        let server = settings.sending();
        let server = server.ok_or_else(|| broken("server", "no server"))?;
        let sent = self.hand_over(&server, login.as_ref(), &settings, &made);
        let sent = sent.await.inspect_err(|failure| {
            if failure.class == FailureClass::RetryWithNewToken {
                self.accounts.refused(&mailbox.id);
            }
        })?;
        match sent.refused.into_iter().next() {
            Some(refused) => Err(refused.failure),
            None => Ok(true),
        }
    }

    /// To whom a transcript goes: the first address of the contact.
    async fn addressed(
        &self,
        company: &CompanyId,
        found: Option<Transcript>,
    ) -> Result<Option<(Transcript, Address)>, Failure> {
        let Some(transcript) = found else {
            return Ok(None);
        };
        let Some(contact) = transcript.about().contact.clone() else {
            return Ok(None);
        };
        let address = self.address(company, &contact).await;
        let address = address.map_err(|error| away(&error))?;
        Ok(address.map(|address| (transcript, address)))
    }

    async fn address(
        &self,
        company: &CompanyId,
        contact: &ContactId,
    ) -> Result<Option<Address>, Error> {
        let known = identities::of_contact(self.store.pool(), company, contact).await?;
        let mut addresses = known
            .iter()
            .filter(|identity| identity.kind == IdentityKind::Email)
            .filter_map(|identity| Address::parse(&identity.external_id));
        Ok(addresses.next())
    }
}

/// The words of a mail, and what goes along where they are too many.
fn said(protocol: &str, transcript: &Transcript) -> (String, Vec<Enclosed>) {
    let text = transcript.text();
    if text.len() <= TEXT_BYTES_MAX {
        return (text, vec![]);
    }
    let page = Enclosed {
        name: format!("{protocol}.html"),
        mime: "text/html".to_owned(),
        bytes: transcript.html().into_bytes(),
    };
    (String::new(), vec![page])
}

fn words(language: Language, protocol: &str) -> [String; 2] {
    match language {
        Language::PtBr => [
            format!("Seu atendimento {protocol}"),
            "Segue uma cópia do que foi escrito no seu atendimento.".to_owned(),
        ],
        Language::En => [
            format!("Your conversation {protocol}"),
            "Here is a copy of what was written in your conversation.".to_owned(),
        ],
        Language::Es => [
            format!("Su atención {protocol}"),
            "Aquí tiene una copia de lo que se escribió en su atención.".to_owned(),
        ],
    }
}

/// Nobody waits for it.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Of one mailbox in one look: the strictest of the large providers takes 30 mails a minute.
const AT_ONCE_MAX: u32 = 2;

/// From one try to the next.
const AGAIN_MS: i64 = 10 * 60_000;

/// Half a day: then nobody expects it any more.
const ATTEMPTS_MAX: u32 = 72;

/// More is a file: programs for mail cut long texts off.
const TEXT_BYTES_MAX: usize = 100_000;
