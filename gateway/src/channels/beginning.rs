//! A conversation that we begin: the customer may never have written.

use channels::peer::PeerId;
use channels::send::OutContent;
use desk::id::{ContactId, ConversationId, InteractionId, MessageId, ServiceId};
use desk::kept::{LateLine, Step};
use desk::record::{Direction, InteractionOpened, InteractionUpdate, TrailKind};
use serde_json::{Value, json};
use store::channels::Channel;
use store::conversations::{self, Conversation, Newcomer};
use store::interactions::{self, Interaction};
use store::{Error, Transaction};

use super::advertising;
use super::matter::Maker;
use super::outbound::{self, Writing};
use super::settings::Rules;

/// What is to be written first, and to whom.
#[derive(Debug)]
pub struct Beginning<'a> {
    /// By which channel.
    pub channel: &'a Channel,
    /// To whom.
    pub to: PeerId,
    /// What they are called, if they are new.
    pub name: Option<String>,
    /// Where it belongs; none is the channel's own.
    pub service: Option<ServiceId>,
    /// Who writes, in the gateway's words.
    pub author: Value,
    /// What.
    pub content: OutContent,
    /// Whether the interaction stays open for the answer, rather than ending with what is sent.
    pub opens: bool,
    /// When, milliseconds since 1970 (UTC).
    pub at_ms: i64,
}

/// What came of it.
#[derive(Debug)]
pub enum Begun {
    /// It is on its way.
    Done(BegunTalk),
    /// Nobody can be called so.
    Unreadable,
    /// The company has no such service.
    NoService,
    /// Nothing may be sent to them.
    Blocked,
    /// They want no advertising.
    Unwanted,
}

/// A conversation that was begun.
#[derive(Debug)]
pub struct BegunTalk {
    /// Which.
    pub conversation: ConversationId,
    /// With whom.
    pub contact: ContactId,
    /// Of which interaction.
    pub interaction: InteractionId,
    /// The message.
    pub message: MessageId,
    /// The number that is read to the customer.
    pub protocol: String,
}

impl Maker<'_> {
    /// Begins a conversation, or writes into the one that is open.
    pub(super) async fn write_first(&mut self, asked: Beginning<'_>) -> Result<Begun, Error> {
        let (channel, at_ms) = (asked.channel, asked.at_ms);
        let service = asked.service.as_ref().unwrap_or(&channel.service).clone();
        if !self.has_service(&channel.company, &service).await? {
            return Ok(Begun::NoService);
        }
        let ids = self.identities(std::slice::from_ref(&asked.to), at_ms);
        let Some((_, first)) = ids.first() else {
            return Ok(Begun::Unreadable);
        };
        let to = PeerId::new(asked.to.kind, first.external_id());
        let contact = self
            .contact(channel, asked.name.as_deref(), &ids, at_ms)
            .await?;
        if contact.blocked_out {
            return Ok(Begun::Blocked);
        }
        let whose = (&channel.company, Some(&contact.id));
        if advertising::is_unwanted(self.db, whose, &asked.content).await? {
            return Ok(Begun::Unwanted);
        }
        let thread = self.thread(channel, &contact).await?;
        let newcomer = Newcomer {
            id: &ConversationId::new(at_ms, self.random),
            company: &channel.company,
            channel: &channel.id,
            thread: &thread,
            now_ms: at_ms,
        };
        let talk = conversations::next(&mut **self.db, &newcomer).await?;
        let talk = self.reached(talk, (&contact.id, to)).await?;
        let matter = self
            .opened(&talk, (&asked, &service), &contact.name)
            .await?;
        let writing = Writing {
            id: MessageId::new(at_ms, self.random),
            interaction: matter.0.clone(),
            author: asked.author,
            content: asked.content,
            mail: None,
            client_id: None,
            reply_to: None,
            at_ms,
        };
        let message = outbound::write(self.db, &talk, writing).await?;
        Ok(Begun::Done(BegunTalk {
            conversation: talk.id,
            contact: contact.id,
            interaction: matter.0,
            message: message.id,
            protocol: matter.1,
        }))
    }

    /// How the customer of a conversation is reached, where nobody knew.
    async fn reached(
        &mut self,
        talk: Conversation,
        (contact, to): (&ContactId, PeerId),
    ) -> Result<Conversation, Error> {
        let talk = Conversation {
            contact: Some(contact.clone()),
            peer: talk.peer.or_else(|| Some(json!([to]))),
            ..talk
        };
        conversations::know(&mut **self.db, &talk).await?;
        Ok(talk)
    }

    /// The interaction that is open there, or a new one; with its protocol number.
    async fn opened(
        &mut self,
        talk: &Conversation,
        (asked, service): (&Beginning<'_>, &ServiceId),
        name: &str,
    ) -> Result<(InteractionId, String), Error> {
        let last: Option<Interaction> = match &talk.interaction {
            Some(last) => interactions::by_id(&mut **self.db, &talk.company, last).await?,
            None => None,
        };
        if let Some(open) = last.filter(|last| last.ended_ms.is_none()) {
            return Ok((open.id, open.protocol));
        }
        let channel = asked.channel;
        let opened = InteractionOpened {
            id: InteractionId::new(asked.at_ms, self.random),
            company: channel.company.clone(),
            instance: Some(self.instance.clone()),
            medium: Rules::of(channel).medium,
            direction: Direction::Outbound,
            from: channel.name.clone(),
            from_name: name.to_owned(),
            to: asked.to.value.clone(),
            number: None,
            trunk: None,
            device: None,
            flow: None,
            sip_call_id: String::new(),
            started_ms: asked.at_ms,
            protocol_day: self.day(&channel.company, asked.at_ms).await?,
        };
        let line = LateLine {
            interaction: opened.id.clone(),
            at_ms: asked.at_ms,
            kind: TrailKind::Arrived,
            detail: json!({ "channel": channel.id, "channel_name": channel.name, "begun": true }),
        };
        let update = InteractionUpdate {
            contact: talk.contact.clone(),
            ..conversations::waits(service)
        };
        let step = Step::open(line, update);
        let protocol = conversations::open(self.db, &talk.id, &opened, step).await?;
        Ok((opened.id, protocol))
    }
}

/// Whoever begins writes in a transaction of their own.
pub(super) async fn begin(
    maker: (
        &mut Transaction,
        &desk::id::InstanceId,
        &crate::secrets::Secrets,
    ),
    random: &mut rand::rngs::StdRng,
    beginning: Beginning<'_>,
) -> Result<Begun, Error> {
    let (db, instance, secrets) = maker;
    let cpf_key = secrets.cpf_key();
    let mut maker = Maker {
        db,
        instance,
        secrets,
        cpf_key: &cpf_key,
        random,
    };
    maker.write_first(beginning).await
}
