//! What one receipt says: a message in a conversation, of an interaction that goes on, comes back or
//! begins. All of it in the transaction of whoever calls.

use channels::connector::{Headers, Webhook};
use channels::event::{Content, Event, EventKind, Incoming, Media};
use channels::generic::events::{self, Told as ToldOf};
use channels::generic::receive::{self, Received};
use channels::peer::PeerId;
use channels::whatsapp::window::Facts;
use desk::contact::OwnerFallback;
use desk::id::{
    CompanyId, ContactId, ConversationId, IdentityId, InstanceId, InteractionId, MessageId,
    ServiceId,
};
use desk::identity::{CpfKey, Identity, IdentityKind, Reading};
use desk::kept::{LateLine, Step};
use desk::numbering::Place;
use desk::record::{Direction, InteractionOpened, InteractionUpdate, Medium, TrailKind};
use desk::work::Customer;
use exchange::voice::Written;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rand::rngs::StdRng;
use serde::Serialize;
use serde_json::{Value, json};
use store::channel_health::{self, Happened};
use store::channels::Channel;
use store::contacts::{self, Contact};
use store::conversations::{self, Conversation, Newcomer, Window};
use store::interactions::{self, Interaction};
use store::messages::{self, Message};
use store::receipts::{self, Known, Receipt};
use store::{Error, Transaction};

use crate::telephony::LAST_AGENT_MS;

use super::advertising;
use super::attachments;
use super::settings::{self, Rules};
use super::webchat::{Brought, WEBCHAT};
use super::{Outcome, Taken};
use crate::secrets::Secrets;

/// What was made of a receipt.
pub(super) struct Made {
    pub(super) outcome: Outcome,
    /// What the desk is to hear, in this order.
    pub(super) told: Vec<(CompanyId, Told)>,
}

/// What the desk is to hear.
#[derive(Clone, Debug)]
pub(super) enum Told {
    /// A customer wrote.
    Written(Box<Written>),
    /// Something about a message changed: those who have it on their screens look again.
    Changed(InteractionId, u32),
    /// The customer ended it.
    Closed(InteractionId),
}

impl Made {
    pub(super) fn nothing(outcome: Outcome) -> Self {
        Self {
            outcome,
            told: vec![],
        }
    }
}

pub(super) struct Maker<'a> {
    pub(super) db: &'a mut Transaction,
    pub(super) instance: &'a InstanceId,
    pub(super) secrets: &'a Secrets,
    pub(super) cpf_key: &'a CpfKey,
    pub(super) random: &'a mut StdRng,
}

/// A message as any channel brings it.
pub(super) struct Arriving {
    /// The channel's name of the thread; none where a thread is whoever is in it.
    pub(super) thread: Option<String>,
    /// Under which it is told again.
    pub(super) key: String,
    /// Of all of it: another under the same key is another message.
    pub(super) fingerprint: String,
    pub(super) message: Incoming,
    pub(super) sent_ms: Option<i64>,
    pub(super) service: Option<ServiceId>,
    pub(super) priority: i16,
    pub(super) attributes: Value,
}

impl From<Received> for Arriving {
    fn from(received: Received) -> Self {
        Self {
            thread: Some(received.conversation),
            key: received.message.id.clone(),
            fingerprint: received.fingerprint,
            message: received.message,
            sent_ms: received.sent_at_ms,
            service: received.service,
            // It fits: from -10 to 10.
            priority: i16::try_from(received.priority).unwrap_or_default(),
            attributes: json!(received.attributes),
        }
    }
}

/// A message on its way into its conversation.
pub(super) struct Passing<'a> {
    pub(super) channel: &'a Channel,
    pub(super) arriving: &'a Arriving,
    pub(super) contact: Contact,
    pub(super) at_ms: i64,
}

/// The interaction that a message belongs to.
pub(super) struct Matter {
    interaction: InteractionId,
    protocol: String,
    medium: Medium,
    service: ServiceId,
    arrived_ms: i64,
    /// Whether nobody has had it yet.
    is_new: bool,
    /// Who had it before, when it comes back.
    returns_to: Option<desk::id::UserId>,
}

/// What is kept and shown of a message.
#[derive(Serialize)]
pub(super) struct Kept<'a> {
    #[serde(flatten)]
    pub(super) content: &'a Content,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) attachments: &'a [Media],
}

impl Maker<'_> {
    /// Makes of a receipt what it says, and notes on it that this was done.
    pub(super) async fn make(&mut self, receipt: &Receipt) -> Result<Made, Error> {
        let channel = store::channels::of_work(&mut **self.db, &receipt.channel).await?;
        let made = match channel {
            Some(channel) if channel.kind == settings::GENERIC => {
                self.of_generic(&channel, receipt).await?
            }
            Some(channel) if channel.kind == settings::EMAIL => {
                self.of_mailbox(&channel, receipt).await?
            }
            Some(channel) if channel.kind == WEBCHAT => self.of_webchat(&channel, receipt).await?,
            Some(channel) => self.of_provider(&channel, receipt).await?,
            None => Made::nothing(Outcome::Refused("")),
        };
        let why = match &made.outcome {
            Outcome::Taken(_) | Outcome::Done => None,
            Outcome::Reused => Some("the key was used for another message"),
            Outcome::Refused(field) => Some(*field),
            Outcome::Blocked => Some("the contact is blocked"),
        };
        receipts::done(&mut **self.db, &receipt.id, receipt.received_ms, why).await?;
        Ok(made)
    }

    async fn of_generic(&mut self, channel: &Channel, receipt: &Receipt) -> Result<Made, Error> {
        let at_ms = receipt.received_ms;
        if let Ok(received) = receive::read(&receipt.body, receipt.channel.as_str()) {
            return self.take(channel, &received.into(), at_ms).await;
        }
        // The handler reads it first: what is neither is of another program.
        match events::read(&receipt.body) {
            Ok(told) => self.told_of(channel, told, at_ms).await,
            Err(_) => Ok(Made::nothing(Outcome::Refused(""))),
        }
    }

    /// What another system tells besides messages.
    async fn told_of(
        &mut self,
        channel: &Channel,
        told: ToldOf,
        at_ms: i64,
    ) -> Result<Made, Error> {
        let outcome = Outcome::Done;
        let Event { key, kind, .. } = told.event;
        let thread = told.conversation.as_str();
        let is_end = matches!(kind, EventKind::Closed { .. });
        if is_end && !conversations::is_known(&mut **self.db, &channel.id, thread).await? {
            // What is told of a message may come before the message; there is nothing to end before it begins.
            return Ok(Made::nothing(Outcome::Refused("external_conversation_id")));
        }
        let known = Known {
            hash: key.clone(),
            message: MessageId::new(at_ms, self.random),
        };
        if receipts::take_in(self.db, &channel.id, &key, &known)
            .await?
            .is_some()
        {
            return Ok(Made::nothing(outcome));
        }
        let told = if is_end {
            let open = interactions::open_in(&mut **self.db, &channel.id, thread).await?;
            open.map(Told::Closed).into_iter().collect()
        } else {
            self.happened(channel, (&key, kind), at_ms).await?
        };
        let told = told
            .into_iter()
            .map(|told| (channel.company.clone(), told))
            .collect();
        Ok(Made { outcome, told })
    }

    async fn of_webchat(&mut self, channel: &Channel, receipt: &Receipt) -> Result<Made, Error> {
        match Brought::received(&receipt.body, receipt.channel.as_str()) {
            Some(received) => {
                self.take(channel, &received.into(), receipt.received_ms)
                    .await
            }
            // We made it: it is of another program.
            None => Ok(Made::nothing(Outcome::Refused(""))),
        }
    }

    /// A webhook of a provider, which may tell of many things. It was proved before it was stored.
    async fn of_provider(&mut self, channel: &Channel, receipt: &Receipt) -> Result<Made, Error> {
        let at_ms = receipt.received_ms;
        let Ok(connector) = settings::connector(channel, self.secrets) else {
            return Ok(Made::nothing(Outcome::Refused("the channel is not set up")));
        };
        let webhook = Webhook {
            url: "",
            headers: &Headers::default(),
            body: &receipt.body,
        };
        let events = match connector.read(&webhook) {
            Ok(events) => events,
            Err(error) => {
                tracing::warn!(channel = %channel.id, %error, "a webhook cannot be read");
                channel_health::note(self.db, &channel.id, Happened::Unreadable, at_ms).await?;
                return Ok(Made::nothing(Outcome::Refused("unreadable")));
            }
        };
        channel_health::note(self.db, &channel.id, Happened::Event, at_ms).await?;
        let mut told = vec![];
        for event in events {
            let other = connector.account().zip(event.account.as_deref());
            if other.is_some_and(|(own, account)| own != account) {
                continue; // Another number of the same account, which has a channel of its own.
            }
            told.extend(self.event(channel, event, at_ms).await?);
        }
        let outcome = Outcome::Done;
        Ok(Made { outcome, told })
    }

    /// What one event says; nothing of one that was told before.
    pub(super) async fn event(
        &mut self,
        channel: &Channel,
        event: Event,
        at_ms: i64,
    ) -> Result<Vec<(CompanyId, Told)>, Error> {
        let Event {
            key,
            at_ms: sent_ms,
            kind,
            ..
        } = event;
        if let EventKind::Message(message) = kind {
            let arriving = Arriving {
                thread: None,
                fingerprint: key.clone(),
                key,
                message,
                sent_ms,
                service: None,
                priority: 0,
                attributes: json!({}),
            };
            return Ok(self.take(channel, &arriving, at_ms).await?.told);
        }
        let known = Known {
            hash: key.clone(),
            message: MessageId::new(at_ms, self.random),
        };
        if receipts::take_in(self.db, &channel.id, &key, &known)
            .await?
            .is_some()
        {
            return Ok(vec![]);
        }
        let told = self
            .happened(channel, (&key, kind), sent_ms.unwrap_or(at_ms))
            .await?;
        Ok(told
            .into_iter()
            .map(|told| (channel.company.clone(), told))
            .collect())
    }

    pub(super) async fn take(
        &mut self,
        channel: &Channel,
        arriving: &Arriving,
        at_ms: i64,
    ) -> Result<Made, Error> {
        if let Some(service) = &arriving.service
            && !self.has_service(&channel.company, service).await?
        {
            return Ok(Made::nothing(Outcome::Refused("service_id")));
        }
        let ids = self.identities(&arriving.message.from.ids, at_ms);
        if ids.is_empty() {
            return Ok(Made::nothing(Outcome::Refused("customer")));
        }
        let message = MessageId::new(at_ms, self.random);
        let event = Known {
            hash: arriving.fingerprint.clone(),
            message: message.clone(),
        };
        let known = receipts::take_in(self.db, &channel.id, &arriving.key, &event).await?;
        if let Some(known) = known {
            return self.again_told(channel, &event, known).await;
        }
        let name = arriving.message.from.name.as_deref();
        let contact = self.contact(channel, name, &ids, at_ms).await?;
        if contact.blocked_in {
            return Ok(Made::nothing(Outcome::Blocked));
        }
        let passing = Passing {
            channel,
            arriving,
            contact,
            at_ms,
        };
        self.append(message, &passing).await
    }

    /// The same was taken in before, or something else under its key.
    async fn again_told(
        &mut self,
        channel: &Channel,
        event: &Known,
        known: Known,
    ) -> Result<Made, Error> {
        if known.hash != event.hash {
            return Ok(Made::nothing(Outcome::Reused));
        }
        let company = &channel.company;
        let message = messages::by_id(&mut **self.db, company, &known.message).await?;
        let Some(message) = message else {
            return Ok(Made::nothing(Outcome::Blocked)); // It was told by one who is blocked.
        };
        let found = interactions::by_id(&mut **self.db, company, &message.interaction).await?;
        let protocol = found.map(|found| found.protocol).unwrap_or_default();
        Ok(Made::nothing(Outcome::Taken(Taken {
            message: message.id,
            interaction: message.interaction,
            protocol,
            has_agent: false,
            is_over: false,
            is_duplicate: true,
        })))
    }

    async fn append(&mut self, message: MessageId, passing: &Passing<'_>) -> Result<Made, Error> {
        let (channel, at_ms) = (passing.channel, passing.at_ms);
        let thread = match &passing.arriving.thread {
            Some(thread) => thread.clone(),
            None => self.thread(channel, &passing.contact).await?,
        };
        let newcomer = Newcomer {
            id: &ConversationId::new(at_ms, self.random),
            company: &channel.company,
            channel: &channel.id,
            thread: &thread,
            now_ms: at_ms,
        };
        let talk = conversations::next(&mut **self.db, &newcomer).await?;
        let talk = self.seen(talk, passing).await?;
        if let Some(answered) = self.survey_answer(&talk, passing).await? {
            return self.answered(message, &talk, answered, passing).await;
        }
        let said = shown(&passing.arriving.message.content);
        advertising::note_refusal(self.db, &talk, said, at_ms).await?;
        let matter = self.matter(&talk, passing).await?;
        let row = self.row(&message, &talk, &matter, passing);
        messages::insert(&mut **self.db, &row).await?;
        attachments::of(self.db, self.random, channel, &row).await?;
        let told = (TrailKind::MessageReceived, &message, talk.seq);
        conversations::say(self.db, &matter.interaction, told, at_ms).await?;
        let customer = self.customer(&passing.contact, at_ms).await?;
        let written = Written {
            interaction: matter.interaction.clone(),
            channel: channel.id.clone(),
            protocol: matter.protocol.clone(),
            language: language(&passing.contact),
            text: words(&passing.arriving.message.content).to_owned(),
            is_new: matter.is_new,
            medium: matter.medium,
            service: matter.service,
            customer: Some(customer),
            returns_to: matter.returns_to,
            arrived_ms: matter.arrived_ms,
            priority: passing.arriving.priority,
            seq: talk.seq,
        };
        let early = &passing.arriving.message.id;
        let told = Told::Written(Box::new(written));
        let mut told = vec![(channel.company.clone(), told)];
        told.extend(self.early(channel, early).await?);
        let taken = Taken {
            message,
            interaction: matter.interaction,
            protocol: matter.protocol,
            has_agent: false,
            is_over: false,
            is_duplicate: false,
        };
        Ok(Made {
            outcome: Outcome::Taken(taken),
            told,
        })
    }

    /// The name of the thread with a contact, where the channel has no names for threads.
    pub(super) async fn thread(
        &mut self,
        channel: &Channel,
        contact: &Contact,
    ) -> Result<String, Error> {
        let known = conversations::with_contact(&mut **self.db, &channel.id, &contact.id).await?;
        Ok(known.unwrap_or_else(|| contact.id.to_string()))
    }

    /// What a message says of the conversation itself: who is there, and since when they may be answered.
    async fn seen(
        &mut self,
        talk: Conversation,
        passing: &Passing<'_>,
    ) -> Result<Conversation, Error> {
        let arriving = passing.arriving;
        let mut facts = facts(&talk.window);
        // The kind alone decides: nothing of it is kept here.
        let event = EventKind::Message(arriving.message.clone());
        facts.saw(&event, arriving.sent_ms, passing.at_ms);
        let talk = Conversation {
            contact: Some(passing.contact.id.clone()),
            peer: Some(json!(arriving.message.from.ids)),
            window: window(&facts),
            ..talk
        };
        conversations::know(&mut **self.db, &talk).await?;
        Ok(talk)
    }

    pub(super) fn row(
        &self,
        id: &MessageId,
        talk: &Conversation,
        matter: &Matter,
        passing: &Passing<'_>,
    ) -> Message {
        let Incoming {
            id: external_id,
            from,
            content,
            attachments,
            reply_to,
            ..
        } = &passing.arriving.message;
        let kept = Kept {
            content,
            attachments,
        };
        let external = from.id(channels::peer::IdentityKind::Generic);
        Message {
            id: id.clone(),
            company: talk.company.clone(),
            conversation: talk.id.clone(),
            seq: talk.seq,
            interaction: matter.interaction.clone(),
            direction: Direction::Inbound,
            author: json!({
                "kind": "customer", "id": passing.contact.id, "name": passing.contact.name,
                "external_id": external.map(|id| &id.value),
            }),
            // Text always becomes JSON.
            content: serde_json::to_value(kept).unwrap_or(Value::Null),
            client_id: None,
            external_id: Some(external_id.clone()),
            reply_to: reply_to.clone(),
            sent_ms: passing.arriving.sent_ms,
            at_ms: passing.at_ms,
            state: None,
            failure: None,
            reactions: None,
            edits: None,
            revoked_ms: None,
        }
    }

    /// The interaction of a conversation that is open, comes back, or begins now.
    async fn matter(
        &mut self,
        talk: &Conversation,
        passing: &Passing<'_>,
    ) -> Result<Matter, Error> {
        let last = match &talk.interaction {
            Some(last) => interactions::by_id(&mut **self.db, &talk.company, last).await?,
            None => None,
        };
        match last {
            Some(last) if last.ended_ms.is_none() => self.goes_on(last, passing).await,
            Some(last) if may_come_back(&last, passing) => self.comes_back(last, passing).await,
            Some(_) | None => self.begins(talk, passing).await,
        }
    }

    pub(super) async fn goes_on(
        &mut self,
        last: Interaction,
        passing: &Passing<'_>,
    ) -> Result<Matter, Error> {
        Ok(Matter {
            service: self.service(&last, passing.channel).await?,
            interaction: last.id,
            medium: last.medium,
            protocol: last.protocol,
            arrived_ms: passing.at_ms,
            is_new: last.agent.is_none(),
            returns_to: last.agent,
        })
    }

    async fn comes_back(
        &mut self,
        last: Interaction,
        passing: &Passing<'_>,
    ) -> Result<Matter, Error> {
        let matter = self.goes_on(last, passing).await?;
        let line = LateLine {
            interaction: matter.interaction.clone(),
            at_ms: passing.at_ms,
            kind: TrailKind::Reopened,
            detail: json!({ "why": "customer_wrote" }),
        };
        let step = Step::open(line, conversations::waits(&matter.service));
        conversations::take(self.db, step).await?;
        Ok(matter)
    }

    async fn begins(
        &mut self,
        talk: &Conversation,
        passing: &Passing<'_>,
    ) -> Result<Matter, Error> {
        let (channel, contact, at_ms) = (passing.channel, &passing.contact, passing.at_ms);
        let wanted = passing.arriving.service.as_ref();
        let service = wanted.unwrap_or(&channel.service).clone();
        let from = passing.arriving.message.from.ids.first();
        let opened = InteractionOpened {
            id: InteractionId::new(at_ms, self.random),
            company: channel.company.clone(),
            instance: Some(self.instance.clone()),
            medium: Rules::of(channel).medium,
            direction: Direction::Inbound,
            from: from.map(|id| id.value.clone()).unwrap_or_default(),
            from_name: contact.name.clone(),
            to: channel.name.clone(),
            number: None,
            trunk: None,
            device: None,
            flow: None,
            sip_call_id: String::new(),
            started_ms: at_ms,
            protocol_day: self.day(&channel.company, at_ms).await?,
        };
        let line = LateLine {
            interaction: opened.id.clone(),
            at_ms,
            kind: TrailKind::Arrived,
            detail: json!({
                "channel": channel.id, "channel_name": channel.name, "thread": talk.thread,
                "contact": contact.id, "attributes": passing.arriving.attributes,
            }),
        };
        let update = InteractionUpdate {
            contact: Some(contact.id.clone()),
            ..conversations::waits(&service)
        };
        let step = Step::open(line, update);
        let protocol = conversations::open(self.db, &talk.id, &opened, step).await?;
        Ok(Matter {
            interaction: opened.id,
            medium: opened.medium,
            protocol,
            service,
            arrived_ms: at_ms,
            is_new: true,
            returns_to: None,
        })
    }

    /// An open interaction, as the desk is told of it again; nothing of one that is gone.
    pub(super) async fn again(
        &mut self,
        company: &CompanyId,
        interaction: &InteractionId,
    ) -> Result<Option<Written>, Error> {
        let Some(found) = interactions::by_id(&mut **self.db, company, interaction).await? else {
            return Ok(None);
        };
        let Some(channel) = conversations::channel_of(&mut **self.db, interaction).await? else {
            return Ok(None);
        };
        let contact = match &found.contact {
            Some(contact) => contacts::by_id(&mut **self.db, company, contact).await?,
            None => None,
        };
        let customer = match &contact {
            Some(contact) => Some(self.customer(contact, found.started_ms).await?),
            None => None,
        };
        Ok(Some(Written {
            channel: channel.id.clone(),
            protocol: found.protocol.clone(),
            language: contact.as_ref().and_then(language),
            text: String::new(),
            is_new: found.agent.is_none(),
            service: self.service(&found, &channel).await?,
            interaction: found.id,
            medium: found.medium,
            customer,
            returns_to: found.agent,
            arrived_ms: found.started_ms,
            priority: 0,
            seq: 0,
        }))
    }

    /// Where an interaction is; at the channel's service where that one is no more.
    async fn service(&mut self, last: &Interaction, channel: &Channel) -> Result<ServiceId, Error> {
        match &last.service {
            Some(service) if self.has_service(&channel.company, service).await? => {
                Ok(service.clone())
            }
            Some(_) | None => Ok(channel.service.clone()),
        }
    }

    pub(super) async fn has_service(
        &mut self,
        company: &CompanyId,
        id: &ServiceId,
    ) -> Result<bool, Error> {
        let found = store::services::by_id(&mut **self.db, company, id).await?;
        Ok(found.is_some_and(|service| !service.disabled))
    }

    /// The ids that can be read. One that cannot, such as a telephone with a digit too few, does not
    /// keep the customer from being heard.
    pub(super) fn identities(&mut self, ids: &[PeerId], at_ms: i64) -> Vec<(IdentityId, Identity)> {
        let place = Place {
            country: COUNTRY_CODE,
            area: None,
        };
        let reading = Reading {
            place,
            cpf_key: self.cpf_key,
        };
        let read = ids.iter().filter_map(|id| {
            let kind: IdentityKind = id.kind.as_str().parse().ok()?;
            Identity::read(kind, &id.scope, &id.value, reading).ok()
        });
        read.map(|identity| (IdentityId::new(at_ms, &mut *self.random), identity))
            .collect()
    }

    pub(super) async fn contact(
        &mut self,
        channel: &Channel,
        name: Option<&str>,
        ids: &[(IdentityId, Identity)],
        at_ms: i64,
    ) -> Result<Contact, Error> {
        let first = ids.first().map(|(_, identity)| identity.external_id());
        let name = name.or(first);
        let newcomer = Contact {
            id: ContactId::new(at_ms, self.random),
            company: channel.company.clone(),
            name: name.unwrap_or_default().to_owned(),
            owner: None,
            owner_fallback: OwnerFallback::default(),
            priority: 0,
            language: None,
            notes: String::new(),
            fields: std::collections::BTreeMap::new(),
            blocked_in: false,
            blocked_out: false,
            anonymised_ms: None,
            merged_into: None,
            created_ms: at_ms,
            updated_ms: at_ms,
        };
        let met = contacts::find_or_create(self.db, &newcomer, ids).await?;
        Ok(met.contact)
    }

    /// The customer as the desk sees them.
    async fn customer(&mut self, contact: &Contact, at_ms: i64) -> Result<Customer, Error> {
        let since_ms = at_ms - LAST_AGENT_MS;
        let company = &contact.company;
        let last = interactions::last_agent(&mut **self.db, company, &contact.id, since_ms);
        Ok(Customer {
            contact: contact.id.clone(),
            name: contact.name.clone(),
            priority: contact.priority,
            owner: contact.owner.clone(),
            owner_fallback: contact.owner_fallback.clone(),
            last_agent: last.await?,
            blocked_in: contact.blocked_in,
            blocked_out: contact.blocked_out,
        })
    }

    /// The day of a company, as it begins a protocol number.
    pub(super) async fn day(&mut self, company: &CompanyId, at_ms: i64) -> Result<u32, Error> {
        let found = store::companies::by_id(&mut **self.db, company).await?;
        let zone = found.and_then(|found| TimeZone::get(&found.time_zone).ok());
        let at = Timestamp::from_millisecond(at_ms).unwrap_or_default();
        let date = at.to_zoned(zone.unwrap_or(TimeZone::UTC)).date();
        let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
        Ok(
            u32::from(date.year().unsigned_abs()) * 10_000
                + u32::from(month) * 100
                + u32::from(day),
        )
    }
}

/// What a message says in words, for who reads answers of customers.
pub(super) fn words(content: &Content) -> &str {
    match content {
        Content::Text { text } => text,
        Content::Choice(choice) => &choice.id,
        Content::Media(media) => media.caption.as_deref().unwrap_or_default(),
        Content::Location(_)
        | Content::Contacts { .. }
        | Content::Order(_)
        | Content::Unsupported { .. } => "",
    }
}

/// What the customer sees of what they say: of a choice its title, where [`words`] has our id.
fn shown(content: &Content) -> &str {
    match content {
        Content::Choice(choice) => &choice.title,
        Content::Text { .. }
        | Content::Media(_)
        | Content::Location(_)
        | Content::Contacts { .. }
        | Content::Order(_)
        | Content::Unsupported { .. } => words(content),
    }
}

/// The language of a contact, among those that we speak.
pub(super) fn language(contact: &Contact) -> Option<ivr::Language> {
    language_of(contact.language.as_deref()?)
}

/// The language of a tag, among those that we speak.
pub(super) fn language_of(tag: &str) -> Option<ivr::Language> {
    // `pt`, `pt-PT` and `pt_BR` all read Portuguese.
    let same = |known: &ivr::Language| {
        let primary = |tag: &str| tag.split(['-', '_']).next().map(str::to_ascii_lowercase);
        primary(known.tag()) == primary(tag)
    };
    ivr::Language::ALL.into_iter().find(same)
}

/// The window of a conversation in the channels' words.
pub fn facts(window: &Window) -> Facts {
    Facts {
        customer_at_ms: window.customer_ms,
        ad_at_ms: window.ad_ms,
        ad_answered_at_ms: window.ad_answered_ms,
    }
}

/// And as it is stored.
pub(super) fn window(facts: &Facts) -> Window {
    Window {
        customer_ms: facts.customer_at_ms,
        ad_ms: facts.ad_at_ms,
        ad_answered_ms: facts.ad_answered_at_ms,
    }
}

/// Whether an interaction that is over is the same matter still.
fn may_come_back(last: &Interaction, passing: &Passing<'_>) -> bool {
    let bot = settings::life(passing.channel).bot;
    if bot.is_some_and(|bot| bot.returns) {
        return false; // Whatever it is, the bot hears it first.
    }
    let ended_ms = last.ended_ms.unwrap_or(i64::MAX);
    let reopen_ms = Rules::of(passing.channel).reopen_ms;
    reopen_ms > 0 && passing.at_ms.saturating_sub(ended_ms) < reopen_ms
}

/// Where telephones without a country are.
const COUNTRY_CODE: &str = "55";
