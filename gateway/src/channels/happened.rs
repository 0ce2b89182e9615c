//! What providers tell besides messages: what became of ours, reactions, edits, news of the account.

use channels::event::{
    Billed, Consent, Delivery, Echo, EventKind, Health, HealthLevel, Identified, Side, Status,
    TemplateChange, TemplateNews,
};
use channels::failure::{Advice, Failure, FailureClass};
use channels::peer::{IdentityKind, PeerId};
use channels::whatsapp::number::calling_code;
use desk::id::{CompanyId, ConversationId, MessageId};
use desk::record::{Direction, TrailKind};
use media_engine_net::clock;
use serde_json::{Value, json};
use store::channel_health::{self, News};
use store::channels::Channel;
use store::conversations::{self, Conversation, Newcomer};
use store::message_costs::{self, MessageCost};
use store::messages::{self, Message};
use store::{Error, Transaction, early_events, outbox};

use super::matter::{Maker, Told, facts, window};
use super::sender::peers;
use super::{advertising, settings};

impl Maker<'_> {
    /// What an event other than a message says. `at_ms` is by the provider's clock where it told it.
    pub(super) async fn happened(
        &mut self,
        channel: &Channel,
        (key, kind): (&str, EventKind),
        at_ms: i64,
    ) -> Result<Vec<Told>, Error> {
        let about = about(&kind).map(str::to_owned);
        let message = match &about {
            Some(external) => self.message(channel, external, correlation(&kind)).await?,
            None => None,
        };
        match (about, message) {
            (_, Some(message)) => self.about(message, kind, at_ms).await,
            (Some(_), None) if matches!(kind, EventKind::Echo(_)) => {
                self.alone(channel, key, kind, at_ms).await
            }
            (Some(external), None) => {
                // It may be told of before it is known.
                let event = json!(kind);
                early_events::keep(self.db, &channel.id, &external, (key, &event), at_ms).await?;
                Ok(vec![])
            }
            (None, None) => self.alone(channel, key, kind, at_ms).await,
        }
    }

    /// What was told of a message before it was known.
    pub(super) async fn early(
        &mut self,
        channel: &Channel,
        external_id: &str,
    ) -> Result<Vec<(CompanyId, Told)>, Error> {
        let mut told = vec![];
        for event in early_events::take(self.db, &channel.id, external_id).await? {
            let Ok(kind) = serde_json::from_value::<EventKind>(event) else {
                continue; // Of another program.
            };
            let message = self
                .message(channel, external_id, correlation(&kind))
                .await?;
            if let Some(message) = message {
                let at_ms = message.at_ms;
                told.extend(self.about(message, kind, at_ms).await?);
            }
        }
        let company = &channel.company;
        Ok(told
            .into_iter()
            .map(|told| (company.clone(), told))
            .collect())
    }

    async fn message(
        &mut self,
        channel: &Channel,
        external: &str,
        correlation: Option<&str>,
    ) -> Result<Option<Message>, Error> {
        // Other systems know our messages by our own ids.
        let own: Option<MessageId> = correlation.unwrap_or(external).parse().ok();
        if let Some(own) = own
            && let Some(found) = messages::on_channel(&mut **self.db, &channel.id, &own).await?
        {
            return Ok(Some(found));
        }
        messages::by_external(&mut **self.db, &channel.id, external).await
    }

    /// Something about a message that is known.
    async fn about(
        &mut self,
        mut message: Message,
        kind: EventKind,
        at_ms: i64,
    ) -> Result<Vec<Told>, Error> {
        match kind {
            EventKind::Status(status) => return self.status(message, status, at_ms).await,
            // It is ours: what became of it is told by statuses.
            EventKind::Echo(echo) => {
                messages::given_id(&mut **self.db, &message.id, &echo.id).await?;
                return Ok(vec![]);
            }
            EventKind::Billed(billed) => return self.billed(&message, billed, at_ms).await,
            EventKind::Reaction(reaction) => {
                react(&mut message, reaction.by, reaction.emoji.as_deref());
            }
            EventKind::Edited(edited) => {
                let was = json!({ "content": message.content, "until_ms": at_ms });
                let edits = message.edits.get_or_insert_with(|| json!([]));
                if let Some(edits) = edits.as_array_mut() {
                    edits.push(was);
                }
                message.content = json!(edited.content);
            }
            // What it said is kept: the agent may have read it, and the trail is to be believed.
            EventKind::Revoked(_) => message.revoked_ms = Some(at_ms),
            EventKind::Read(_) => return self.read_until(&message).await,
            EventKind::Message(_)
            | EventKind::Typing(_)
            | EventKind::Arrived { .. }
            | EventKind::Closed { .. }
            | EventKind::Identified(_)
            | EventKind::Consent(_)
            | EventKind::Template(_)
            | EventKind::Health(_)
            | EventKind::Call(_)
            | EventKind::Unsupported { .. } => return Ok(vec![]),
        }
        messages::change(self.db, &message, at_ms).await?;
        Ok(vec![Told::Changed(message.interaction, message.seq)])
    }

    /// Everything of ours up to a message is read.
    async fn read_until(&mut self, message: &Message) -> Result<Vec<Told>, Error> {
        let unread = messages::unread(&mut **self.db, &message.conversation, message.at_ms).await?;
        let mut told = vec![];
        for one in unread {
            if reach(self.db, &one, (Delivery::Read, None)).await? {
                told.push(Told::Changed(one.interaction, one.seq));
            }
        }
        Ok(told)
    }

    async fn status(
        &mut self,
        message: Message,
        status: Status,
        at_ms: i64,
    ) -> Result<Vec<Told>, Error> {
        messages::given_id(&mut **self.db, &message.id, &status.message).await?;
        if !status.learned.is_empty() {
            self.learn(&message.conversation, &status.learned, at_ms)
                .await?;
        }
        let reached = (status.state, status.failure.as_ref());
        if !reach(self.db, &message, reached).await? {
            return Ok(vec![]);
        }
        Ok(vec![Told::Changed(message.interaction, message.seq)])
    }

    /// Ids of the customer of a conversation that we did not know.
    pub(super) async fn learn(
        &mut self,
        conversation: &ConversationId,
        learned: &[PeerId],
        at_ms: i64,
    ) -> Result<(), Error> {
        let Some(talk) = conversations::by_id(&mut **self.db, conversation).await? else {
            return Ok(());
        };
        let mut peers = peers(&talk);
        let new: Vec<PeerId> = learned
            .iter()
            .filter(|id| !peers.contains(id))
            .cloned()
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        // What the provider calls them is what it wants to be told.
        peers.retain(|id| {
            !new.iter()
                .any(|new| new.kind == id.kind && new.scope == id.scope)
        });
        peers.extend(new);
        let ids = self.identities(&peers, at_ms);
        if let Some(channel) = store::channels::of_work(&mut **self.db, &talk.channel).await?
            && !ids.is_empty()
        {
            self.contact(&channel, None, &ids, at_ms).await?;
        }
        let talk = conversations::Conversation {
            peer: Some(json!(peers)),
            ..talk
        };
        conversations::know(&mut **self.db, &talk).await
    }

    async fn billed(
        &mut self,
        message: &Message,
        billed: Billed,
        at_ms: i64,
    ) -> Result<Vec<Told>, Error> {
        let talk = conversations::by_id(&mut **self.db, &message.conversation).await?;
        let Some(talk) = talk else {
            return Ok(vec![]);
        };
        let peers = peers(&talk);
        let digits = peers.iter().find(|id| id.kind == IdentityKind::WaId);
        let number = digits.map(|id| id.value.as_str());
        let channel = store::channels::of_work(&mut **self.db, &talk.channel).await?;
        let prices = channel.as_ref().map(settings::prices).unwrap_or_default();
        let cost = number.and_then(|number| prices.cost(number, &billed, at_ms));
        let cost = MessageCost {
            message: message.id.clone(),
            company: message.company.clone(),
            channel: talk.channel,
            category: billed.category,
            billable: billed.billable,
            model: billed.model,
            country: number.and_then(calling_code).map(str::to_owned),
            cost: cost.map(|cost| (cost.currency, cost.micros)),
            at_ms,
        };
        message_costs::insert(&mut **self.db, &cost).await?;
        Ok(vec![])
    }

    /// What is about no message that we know.
    async fn alone(
        &mut self,
        channel: &Channel,
        key: &str,
        kind: EventKind,
        at_ms: i64,
    ) -> Result<Vec<Told>, Error> {
        match kind {
            EventKind::Echo(echo) => self.elsewhere(channel, echo, at_ms).await,
            EventKind::Closed { peer } => {
                let ids = self.identities(&peer.ids, at_ms);
                Ok(self
                    .open(channel, &ids, at_ms)
                    .await?
                    .map(Told::Closed)
                    .into_iter()
                    .collect())
            }
            EventKind::Identified(Identified { peer, was, .. }) => {
                let all: Vec<PeerId> = was.into_iter().chain(peer.ids).collect();
                let ids = self.identities(&all, at_ms);
                if !ids.is_empty() {
                    self.contact(channel, peer.name.as_deref(), &ids, at_ms)
                        .await?;
                }
                Ok(vec![])
            }
            EventKind::Consent(Consent { peer, marketing }) => {
                let ids = self.identities(&peer.ids, at_ms);
                if !ids.is_empty() {
                    let name = peer.name.as_deref();
                    let contact = self.contact(channel, name, &ids, at_ms).await?;
                    let whose = (&channel.company, &contact.id);
                    advertising::note(self.db, whose, &peer.ids, (!marketing).then_some(at_ms))
                        .await?;
                }
                Ok(vec![])
            }
            EventKind::Template(news) => self.template(channel, key, &news, at_ms).await,
            EventKind::Health(Health {
                level,
                what,
                text,
                raw,
            }) => {
                self.news(channel, key, (level, what, text, raw), at_ms)
                    .await
            }
            EventKind::Unsupported { kind, raw } => {
                let news = (HealthLevel::Note, kind, String::new(), raw);
                self.news(channel, key, news, at_ms).await
            }
            other @ (EventKind::Message(_)
            | EventKind::Status(_)
            | EventKind::Billed(_)
            | EventKind::Reaction(_)
            | EventKind::Edited(_)
            | EventKind::Revoked(_)
            | EventKind::Read(_)
            | EventKind::Typing(_)
            | EventKind::Arrived { .. }
            | EventKind::Call(_)) => {
                let raw = json!(other);
                let what = raw["event"].as_str().unwrap_or_default().to_owned();
                let news = (HealthLevel::Note, what, String::new(), raw);
                self.news(channel, key, news, at_ms).await
            }
        }
    }

    async fn template(
        &mut self,
        channel: &Channel,
        key: &str,
        news: &TemplateNews,
        at_ms: i64,
    ) -> Result<Vec<Told>, Error> {
        let level = match &news.change {
            TemplateChange::State { state, .. } if state.as_str() == "approved" => {
                HealthLevel::Note
            }
            TemplateChange::State { .. }
            | TemplateChange::Quality(_)
            | TemplateChange::Category(_) => HealthLevel::Warning,
            TemplateChange::Contents => HealthLevel::Note,
        };
        let said = (level, "template".to_owned(), news.name.clone(), json!(news));
        self.news(channel, key, said, at_ms).await
    }

    async fn news(
        &mut self,
        channel: &Channel,
        key: &str,
        (level, what, text, raw): (HealthLevel, String, String, Value),
        at_ms: i64,
    ) -> Result<Vec<Told>, Error> {
        let news = News {
            key: key.to_owned(),
            at_ms,
            level: level.as_str().to_owned(),
            what,
            text,
            raw,
        };
        channel_health::tell(self.db, &channel.id, &news).await?;
        Ok(vec![])
    }

    /// A person of the company wrote in the provider's own app: it is shown, and never sent again.
    async fn elsewhere(
        &mut self,
        channel: &Channel,
        echo: Echo,
        at_ms: i64,
    ) -> Result<Vec<Told>, Error> {
        let ids = self.identities(&echo.to.ids, at_ms);
        let Some(interaction) = self.open(channel, &ids, at_ms).await? else {
            return Ok(vec![]); // Nothing is open here: they talk in the app alone.
        };
        let contact = self.contact(channel, None, &ids, at_ms).await?;
        let thread = self.thread(channel, &contact).await?;
        let newcomer = Newcomer {
            id: &ConversationId::new(at_ms, self.random),
            company: &channel.company,
            channel: &channel.id,
            thread: &thread,
            now_ms: at_ms,
        };
        let talk = conversations::next(&mut **self.db, &newcomer).await?;
        let message = Message {
            id: MessageId::new(at_ms, self.random),
            company: channel.company.clone(),
            conversation: talk.id,
            seq: talk.seq,
            interaction: interaction.clone(),
            direction: Direction::Outbound,
            author: json!({ "kind": "external_app" }),
            content: json!(echo.content),
            client_id: None,
            external_id: Some(echo.id.clone()),
            reply_to: echo.reply_to,
            sent_ms: Some(at_ms),
            at_ms,
            state: Some(Delivery::Sent.as_str().to_owned()),
            failure: None,
            reactions: None,
            edits: None,
            revoked_ms: None,
        };
        messages::insert(&mut **self.db, &message).await?;
        let said = (TrailKind::MessageSent, &message.id, message.seq);
        conversations::say(self.db, &interaction, said, at_ms).await?;
        Ok(vec![Told::Changed(interaction, message.seq)])
    }

    /// The interaction that is open with a customer on a channel.
    async fn open(
        &mut self,
        channel: &Channel,
        ids: &[(desk::id::IdentityId, desk::identity::Identity)],
        at_ms: i64,
    ) -> Result<Option<desk::id::InteractionId>, Error> {
        if ids.is_empty() {
            return Ok(None);
        }
        let contact = self.contact(channel, None, ids, at_ms).await?;
        let thread = self.thread(channel, &contact).await?;
        store::interactions::open_in(&mut **self.db, &channel.id, &thread).await
    }
}

/// A message of ours has come so far, whatever was told before and in whatever order. Returns whether
/// that is news.
pub(super) async fn reach(
    db: &mut Transaction,
    message: &Message,
    (state, failure): (Delivery, Option<&Failure>),
) -> Result<bool, Error> {
    let mut known = message.state.clone();
    let shuts = failure.is_some_and(|failure| failure.class == FailureClass::NeedsTemplate);
    let unwanted = failure.is_some_and(|failure| failure.advice == Advice::MarketingStopped);
    for _ in 0..MEETINGS_MAX {
        let Some(before) = known.as_deref() else {
            return Ok(false); // The customer's own.
        };
        let was: Delivery = before.parse().unwrap_or(Delivery::Queued);
        let now = was.merge(state);
        if now == was {
            return Ok(false);
        }
        let failure = failure
            .filter(|_| matches!(now, Delivery::Failed | Delivery::Uncertain))
            .map(|failure| json!(failure));
        let step = (before, now.as_str());
        let now_ms = clock::wall().as_millisecond();
        if messages::advance(db, message, step, failure.as_ref(), now_ms).await? {
            if now == Delivery::Failed && shuts {
                shut(db, message).await?;
            }
            if now == Delivery::Failed && unwanted {
                advertising::refused(db, message, now_ms).await?;
            }
            if now >= Delivery::Accepted {
                // What was not known is known now.
                outbox::remove(&mut **db, &message.id).await?;
            }
            return Ok(true);
        }
        let again = messages::of_work(&mut **db, &message.id).await?;
        known = again.and_then(|message| message.state);
    }
    Err(Error::Taken)
}

/// The provider says that the window was closed when a message came there, whatever our clock says.
async fn shut(db: &mut Transaction, message: &Message) -> Result<(), Error> {
    let talk = conversations::by_id(&mut **db, &message.conversation).await?;
    if let Some(talk) = talk {
        let mut facts = facts(&talk.window);
        facts.shut(message.at_ms);
        let talk = Conversation {
            window: window(&facts),
            ..talk
        };
        conversations::know(&mut **db, &talk).await?;
    }
    Ok(())
}

pub(super) fn react(message: &mut Message, by: Side, emoji: Option<&str>) {
    let by = match by {
        Side::Customer => "customer",
        Side::Company => "company",
    };
    let reactions = message.reactions.get_or_insert_with(|| json!({}));
    if let Some(reactions) = reactions.as_object_mut() {
        match emoji {
            Some(emoji) => reactions.insert(by.to_owned(), json!(emoji)),
            None => reactions.remove(by),
        };
    }
}

/// The provider's id of the message that an event is about.
fn about(kind: &EventKind) -> Option<&str> {
    match kind {
        EventKind::Echo(echo) => Some(&echo.id),
        EventKind::Status(status) => Some(&status.message),
        EventKind::Billed(billed) => Some(&billed.message),
        EventKind::Reaction(reaction) => Some(&reaction.message),
        EventKind::Edited(edited) => Some(&edited.message),
        EventKind::Revoked(revoked) => Some(&revoked.message),
        EventKind::Read(read) => read.message.as_deref(),
        EventKind::Message(_)
        | EventKind::Typing(_)
        | EventKind::Arrived { .. }
        | EventKind::Closed { .. }
        | EventKind::Identified(_)
        | EventKind::Consent(_)
        | EventKind::Template(_)
        | EventKind::Health(_)
        | EventKind::Call(_)
        | EventKind::Unsupported { .. } => None,
    }
}

/// Our own id of it, where they give it back.
fn correlation(kind: &EventKind) -> Option<&str> {
    match kind {
        EventKind::Echo(echo) => echo.correlation.as_deref(),
        EventKind::Status(status) => status.correlation.as_deref(),
        EventKind::Billed(billed) => billed.correlation.as_deref(),
        EventKind::Reaction(_)
        | EventKind::Edited(_)
        | EventKind::Revoked(_)
        | EventKind::Read(_)
        | EventKind::Message(_)
        | EventKind::Typing(_)
        | EventKind::Arrived { .. }
        | EventKind::Closed { .. }
        | EventKind::Identified(_)
        | EventKind::Consent(_)
        | EventKind::Template(_)
        | EventKind::Health(_)
        | EventKind::Call(_)
        | EventKind::Unsupported { .. } => None,
    }
}

/// Who meets another so often does not: something is wrong with the row.
const MEETINGS_MAX: u32 = 5;
