//! What is remembered of an interaction, as plain data.
//!
//! `exchange` emits a [`Change`] for everything that must survive a crash; the store writes all
//! changes of one turn in one transaction, and the output behind a change is performed only when
//! it is durable. Applying a change twice is harmless: each has a key of its own.
//!
//! Times are milliseconds since 1970 (UTC), told by the shell.

use serde::{Deserialize, Serialize};

use crate::id::{
    AuditId, CompanyId, ContactId, DeviceId, FlowId, InstanceId, InteractionId, NumberId,
    OutboundCallId, ServiceId, TrunkId, UserId, VoiceMessageId,
};
use crate::words;

/// Something that happened to an interaction and must be remembered.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// An interaction began. The store gives it its protocol number.
    InteractionOpened(Box<InteractionOpened>),
    /// More became known of an open interaction.
    InteractionUpdated {
        /// Which one.
        interaction: InteractionId,
        /// What is known now; `None` leaves what was known. Ignored once it has ended.
        update: Box<InteractionUpdate>,
        /// The next lines of its trail, in order. The pair (interaction, `seq`) is a line's key.
        trail: Vec<TrailEntry>,
    },
    /// An interaction is over. The first end wins; a second one is ignored.
    InteractionEnded {
        /// Which one.
        interaction: InteractionId,
        /// What became known and was not told before.
        update: Box<InteractionUpdate>,
        /// How and when.
        end: Box<InteractionEnd>,
        /// The last lines of its trail.
        trail: Vec<TrailEntry>,
    },
    /// A caller left a message; its sound is already on disk.
    VoiceMessageLeft(Box<VoiceMessageLeft>),
    /// A customer answered a question after a call.
    SurveyAnswered(Box<SurveyAnswer>),
    /// Something that outbound calls are judged by.
    Outbound(Box<Outbound>),
    /// A leg of a call is over: what it said and heard.
    SipLadder(Box<SipLadder>),
}

/// How an interaction begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InteractionOpened {
    /// Its id; opening it twice opens it once.
    pub id: InteractionId,
    /// Whose it is.
    pub company: CompanyId,
    /// The process that handles it: when that begins again and it is open, it died with it.
    pub instance: Option<InstanceId>,
    /// How the two sides talk.
    pub medium: Medium,
    /// Who began it.
    pub direction: Direction,
    /// The customer's or caller's address: a number, or empty when withheld.
    pub from: String,
    /// The name that came with it, or empty.
    pub from_name: String,
    /// What was dialled.
    pub to: String,
    /// The number it came in on or went out by.
    pub number: Option<NumberId>,
    /// The carrier it came or went through.
    pub trunk: Option<TrunkId>,
    /// The device that dialled.
    pub device: Option<DeviceId>,
    /// The flow that serves it, and which published version; none where a device dials another.
    pub flow: Option<(FlowId, u32)>,
    /// The peer's Call-ID header, by which a trace is found.
    pub sip_call_id: String,
    /// When it began.
    pub started_ms: i64,
    /// The day that begins its protocol number, as YYYYMMDD in the company's time zone.
    pub protocol_day: u32,
}

/// Facts that became known; `None` changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InteractionUpdate {
    /// What it is doing now.
    pub state: Option<InteractionState>,
    /// The flow that serves it, and which published version.
    pub flow: Option<(FlowId, u32)>,
    /// What the customer chose.
    pub service: Option<ServiceId>,
    /// Who the customer is.
    pub contact: Option<ContactId>,
    /// The agent who has it in hand.
    pub agent: Option<UserId>,
    /// When it was answered (by the flow or a person).
    pub answered_ms: Option<i64>,
    /// When it began to wait for a person.
    pub queued_ms: Option<i64>,
    /// The codec that was agreed, as in SDP (`PCMA`, `opus`).
    pub codec: Option<String>,
}

impl InteractionUpdate {
    /// Whether nothing became known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Takes in what became known `later`: it stands where both know something.
    pub fn merge(&mut self, later: &Self) {
        let Self {
            state,
            flow,
            service,
            contact,
            agent,
            answered_ms,
            queued_ms,
            codec,
        } = later;
        self.state = state.or(self.state);
        self.flow = flow.clone().or(self.flow.take());
        self.service = service.clone().or(self.service.take());
        self.contact = contact.clone().or(self.contact.take());
        self.agent = agent.clone().or(self.agent.take());
        self.answered_ms = answered_ms.or(self.answered_ms);
        self.queued_ms = queued_ms.or(self.queued_ms);
        self.codec = codec.clone().or(self.codec.take());
    }
}

/// How an interaction ends.
#[derive(Debug, Clone, PartialEq)]
pub struct InteractionEnd {
    /// When.
    pub ended_ms: i64,
    /// Who ended it.
    pub by: EndedBy,
    /// Why, in one word of ours (`hung_up`, `cancelled`, `flow_ended`, `time_limit`, `no_media`,
    /// `shut_down`, `connection_lost`, `peer_error` …).
    pub cause: String,
    /// The SIP status of the end, or of a Reason header that names one (RFC 3326).
    pub sip_status: Option<u16>,
    /// How it sounded, where there was sound.
    pub quality: Option<Quality>,
}

/// How a call sounded at our side, over its whole length.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// Packets that arrived.
    pub packets_received: u64,
    /// Packets that were sent.
    pub packets_sent: u64,
    /// Packets lost on the way to us (RFC 3550 section 6.4.1).
    pub packets_lost: u64,
    /// Packets that the peer reported lost on the way to it.
    pub packets_lost_by_peer: Option<u64>,
    /// Mean interarrival jitter (RFC 3550 section 6.4.1), in milliseconds.
    pub jitter_ms: f64,
    /// Round trip by RTCP, in milliseconds.
    pub round_trip_ms: Option<f64>,
    /// Opinion score by the E-model (ITU-T G.107) of what came to us, 1.0 to 4.5; none where nothing was
    /// heard.
    pub mos: Option<f64>,
    /// The same of what came to the peer, if it reports by RTCP.
    #[serde(default)]
    pub mos_at_peer: Option<f64>,
    /// What came to us from moment to moment: at most 64, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub course: Vec<QualityPoint>,
    /// How far they are apart, in milliseconds.
    #[serde(default)]
    pub course_every_ms: u64,
}

/// How a stretch of a call sounded at our side.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct QualityPoint {
    /// Share of packets that were lost or came too late, 0 to 1.
    pub loss: f64,
    /// Interarrival jitter (RFC 3550 section 6.4.1), in milliseconds.
    pub jitter_ms: f64,
    /// Round trip by RTCP, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_trip_ms: Option<f64>,
    /// Opinion score by the E-model (ITU-T G.107), 1.0 to 4.5; none where nothing was heard.
    pub mos: Option<f64>,
}

/// A line of the trail of an interaction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrailEntry {
    /// Its place, counted from 0 by the one owner of the interaction.
    pub seq: u32,
    /// When it happened.
    pub at_ms: i64,
    /// What happened.
    pub kind: TrailKind,
    /// The particulars: an object whose fields belong to the kind, or null.
    pub detail: serde_json::Value,
}

/// A message that a caller left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoiceMessageLeft {
    /// Its id; leaving it twice leaves it once.
    pub id: VoiceMessageId,
    /// Whose it is.
    pub company: CompanyId,
    /// The call in which it was left.
    pub interaction: InteractionId,
    /// The service it is for.
    pub service: Option<ServiceId>,
    /// The name of the sound file, which is this message's alone.
    pub file: String,
    /// The size of the file, in bytes.
    pub bytes: u64,
    /// How long it is.
    pub duration_ms: u64,
    /// When it was left.
    pub left_ms: i64,
}

/// What a customer answered to a question after a call; asked again, the last answer stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SurveyAnswer {
    /// Whose customer.
    pub company: CompanyId,
    /// The call.
    pub interaction: InteractionId,
    /// The service that had it.
    pub service: ServiceId,
    /// The agent who had it last.
    pub agent: Option<UserId>,
    /// The flow that asked.
    pub flow: String,
    /// The node of the flow, which names the question.
    pub question: String,
    /// The key, or the digits.
    pub answer: String,
    /// When.
    pub at_ms: i64,
}

/// Something that outbound calls are judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outbound {
    /// A call left by a carrier and was answered, or is over: what is known of it now.
    Call(OutboundCall),
    /// A rule refused one, and somebody must hear of it.
    Alarm(OutboundAlarm),
}

impl Outbound {
    /// The interaction it belongs to.
    pub fn interaction(&self) -> &InteractionId {
        match self {
            Self::Call(call) => &call.interaction,
            Self::Alarm(alarm) => &alarm.interaction,
        }
    }
}

/// What one leg of a call said and heard in SIP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SipLadder {
    /// Whose.
    pub company: CompanyId,
    /// The interaction that the call is.
    pub interaction: InteractionId,
    /// Which of its legs: the one that began later has a higher number.
    pub leg: u64,
    /// The messages, in order.
    pub messages: Vec<SipMessage>,
    /// How many of the middle were too many to keep.
    pub left_out: u32,
}

/// A SIP message, without what is secret in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SipMessage {
    /// When it was sent or received.
    pub at_ms: i64,
    /// Whether we sent it.
    pub sent: bool,
    /// Over what (`UDP`).
    pub transport: String,
    /// The address at the other end.
    pub peer: String,
    /// All of it.
    pub text: String,
}

/// A call that left by a carrier, as far as limits and bills need to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboundCall {
    /// Its id; what is told later stands.
    pub id: OutboundCallId,
    /// Whose it is.
    pub company: CompanyId,
    /// The interaction it belongs to.
    pub interaction: InteractionId,
    /// The agent who dialled; a flow where there is none.
    pub user: Option<UserId>,
    /// The service for which they called.
    pub service: Option<ServiceId>,
    /// The carrier that was tried last.
    pub trunk: Option<TrunkId>,
    /// Who was called: `+` and digits, or a service's digits.
    pub number: String,
    /// What a minute costs there, in thousandths of the currency.
    pub cost_per_minute: u32,
    /// When it began.
    pub started_ms: i64,
    /// When it was answered.
    pub answered_ms: Option<i64>,
    /// When it was over.
    pub ended_ms: Option<i64>,
    /// What it cost, in thousandths of the currency.
    pub cost: u64,
}

/// A rule about outbound calls refused one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboundAlarm {
    /// The id of its line in the audit log.
    pub id: AuditId,
    /// Whose rule.
    pub company: CompanyId,
    /// The interaction in which it was dialled.
    pub interaction: InteractionId,
    /// The agent who dialled; a flow where there is none.
    pub user: Option<UserId>,
    /// When.
    pub at_ms: i64,
    /// The rule, in one word.
    pub rule: String,
    /// What was dialled.
    pub dialled: String,
}

words! {
    /// How the two sides of an interaction talk.
    Medium {
        /// A phone call.
        Phone = "phone",
        /// Written, with a customer who waits for each answer: web chat, WhatsApp.
        Chat = "chat",
        /// Written, with a customer who reads the answer later.
        Email = "email",
        /// Something to do without a customer on the line: a voice message, a ticket.
        Task = "task",
    }
}

words! {
    /// Who began an interaction.
    Direction {
        /// The customer.
        Inbound = "inbound",
        /// Us.
        Outbound = "outbound",
    }
}

words! {
    /// What an interaction is doing.
    InteractionState {
        /// It rings, at our side or theirs.
        Ringing = "ringing",
        /// A flow talks with the caller.
        Flow = "flow",
        /// It waits for a person.
        Waiting = "waiting",
        /// It is connected to a person or another number.
        Talking = "talking",
        /// It is over.
        Ended = "ended",
    }
}

words! {
    /// Who ended an interaction.
    EndedBy {
        /// The customer or caller.
        Customer = "customer",
        /// The one who was called by us, or the agent.
        Agent = "agent",
        /// Ramal itself: the flow, a limit, an administrator.
        Ramal = "ramal",
        /// The network: a time-out, a lost connection, a failing carrier.
        Network = "network",
        /// Ramal stopped while it was open; found at the next start.
        Restart = "restart",
    }
}

words! {
    /// What a line of the trail tells.
    TrailKind {
        /// A call came in, or was dialled.
        Arrived = "arrived",
        /// It was refused; the detail has the status.
        Refused = "refused",
        /// It was answered; the detail has the codec.
        Answered = "answered",
        /// A flow began; the detail has flow and version.
        FlowEntered = "flow_entered",
        /// The flow is over. The place where it ended stands in the last line instead, which comes
        /// with it.
        FlowLeft = "flow_left",
        /// A node of the flow was reached; the detail has its name and kind.
        NodeEntered = "node_entered",
        /// The hours were asked; the detail has the answer.
        HoursChecked = "hours_checked",
        /// A prompt began to play.
        PromptStarted = "prompt_started",
        /// A prompt ended or was cut short by a key.
        PromptEnded = "prompt_ended",
        /// The caller pressed a key; the detail has the key and how it came.
        KeyPressed = "key_pressed",
        /// The caller entered digits; secret ones are never in the detail.
        DigitsEntered = "digits_entered",
        /// The caller chose an option of a menu.
        OptionChosen = "option_chosen",
        /// No key came in time.
        NoInput = "no_input",
        /// A key came that means nothing here.
        InvalidInput = "invalid_input",
        /// A variable got a value.
        VariableSet = "variable_set",
        /// A condition chose a branch.
        ConditionChecked = "condition_checked",
        /// Another system was asked; the detail has status and time taken.
        Fetched = "fetched",
        /// The caller waits for a service.
        Queued = "queued",
        /// An announcement was played to one who waits.
        Announced = "announced",
        /// The wait is over; the detail says whether somebody came.
        QueueEnded = "queue_ended",
        /// It is offered to an agent, whose phones ring; the detail names them.
        Offered = "offered",
        /// An offer is over; the detail has whose it was and why.
        OfferEnded = "offer_ended",
        /// An agent answered, and talks with the caller; the detail names them.
        AgentAnswered = "agent_answered",
        /// Another number or extension is being dialled.
        Dialled = "dialled",
        /// The dialled one answered, refused or did not answer.
        DialEnded = "dial_ended",
        /// The dialled one is off the line; the detail has who ended it, why, codec and quality.
        DialledLeft = "dialled_left",
        /// The caller left a message.
        MessageLeft = "message_left",
        /// The caller put the call on hold, or the dialled one when the detail says so.
        Held = "held",
        /// Who had put the call on hold took it back.
        Resumed = "resumed",
        /// The codec or the encryption of a party was agreed on anew; the detail has both.
        MediaChanged = "media_changed",
        /// The call was handed on.
        Transferred = "transferred",
        /// The customer was not reached; the detail has until when nobody tries again.
        CallbackResting = "callback_resting",
        /// Somebody is asked about the call; the detail has whom.
        Consulted = "consulted",
        /// Those who were asked, the agent and the customer are together.
        Joined = "joined",
        /// A supervisor takes part; the detail has who and how.
        Supervised = "supervised",
        /// The recording of the call began, is silent, goes on or ended; the detail has who wanted it.
        Recording = "recording",
        /// Somebody wrote a note.
        Noted = "noted",
        /// The customer said what they think; the detail has the answers, none where they would rather not.
        SurveyAnswered = "survey_answered",
        /// The customer wrote; the detail names the message.
        MessageReceived = "message_received",
        /// The customer was written to; the detail names the message.
        MessageSent = "message_sent",
        /// It waits for another service, because it waited too long or too many did; the detail names
        /// both.
        Moved = "moved",
        /// The skills that an agent must have to be offered it are fewer or lower, for the wait.
        SkillsRelaxed = "skills_relaxed",
        /// A target of the service was missed; the detail says which.
        TargetMissed = "target_missed",
        /// The talk is over, and the agent writes down what came of it; the detail names them and
        /// the time they have.
        WrapUpBegan = "wrap_up_began",
        /// The agent is done with it; the detail has the disposition.
        Finished = "finished",
        /// It was closed with a date, and has come back.
        Reopened = "reopened",
        /// The customer is called back later and keeps the place; the detail says how often that was
        /// tried.
        CallbackPromised = "callback_promised",
        /// An agent is there, and the customer is being called back; the detail names them.
        CalledBack = "called_back",
        /// A recording of the call was put away; the detail has its id and length.
        Recorded = "recorded",
        /// Somebody listened to a recording; the detail has who, and which.
        RecordingHeard = "recording_heard",
        /// A recording was deleted; the detail has which, and who did it or by which rule.
        RecordingDeleted = "recording_deleted",
        /// Something of ours failed; the detail says what the caller got instead.
        Failed = "failed",
        /// It is over; the detail has who ended it, why, and where the flow was.
        Ended = "ended",
    }
}

/// The protocol number that is read to the customer: the day, then the count of that day.
///
/// Six digits of count keep all numbers of a usual day alike in length; beyond 999,999 the
/// number grows by a digit and stays unique.
pub fn protocol(day: u32, count: i64) -> String {
    format!("{day:08}{count:06}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_to_text_and_back() {
        for kind in TrailKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
            let json = serde_json::to_value(kind).unwrap();
            assert_eq!(json, serde_json::json!(kind.as_str()));
        }
        assert_eq!("nothing".parse::<EndedBy>(), Err(crate::words::UnknownWord));
    }

    #[test]
    fn protocol_numbers_of_a_day_stay_unique_beyond_a_million() {
        assert_eq!(protocol(20_261_122, 1), "20261122000001");
        assert_eq!(protocol(20_261_122, 999_999), "20261122999999");
        assert_eq!(protocol(20_261_122, 1_000_000), "202611221000000");
    }
}
