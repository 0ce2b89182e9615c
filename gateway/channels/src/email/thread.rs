//! Where a mail belongs, whether it makes work, and whether a program may answer it.
//!
//! The shell looks up the [`keys`] of a mail, all at once, and tells [`place`] what it found, in their
//! order. Mails are never joined by their subject alone: that is offered to the agent.

use desk::words;

use super::mail::{FileKind, Kind, Mail, Mark};
use super::subject::{base_subject, is_forward, protocol};
use super::token;
use crate::secret::Secret;

/// What is ours in mails.
#[derive(Debug, Clone, Copy)]
pub struct Ours<'a> {
    /// The addresses of all channels of the company, in any case.
    pub addresses: &'a [String],
    /// What proves our tokens.
    pub secret: &'a Secret,
}

impl Ours<'_> {
    /// Whether an address is one of ours, whatever stands behind its plus.
    pub fn is(&self, address: &str) -> bool {
        let bare = token::without_plus(address);
        self.addresses
            .iter()
            .any(|ours| token::without_plus(ours) == bare)
    }
}

/// By what a conversation may be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// The id of a mail of the same channel.
    MessageId(String),
    /// The conversation that a token of ours names.
    Conversation(String),
    /// A protocol number. Anybody can write one: it counts for participants alone.
    Protocol(String),
}

/// The keys of a mail, the most certain first.
pub fn keys(mail: &Mail, ours: &Ours<'_>) -> Vec<Key> {
    let mut keys = vec![];
    let mut add = |key: Key| {
        if !keys.contains(&key) && keys.len() < KEYS_MAX {
            keys.push(key);
        }
    };
    let answered = || mail.in_reply_to.iter().chain(mail.references.iter().rev());
    for id in answered().take(IDS_MAX) {
        add(Key::MessageId(id.clone()));
    }
    let recipients = mail.to.iter().chain(&mail.cc).chain(&mail.delivered_to);
    for conversation in recipients.filter_map(|address| token::of_address(address, ours.secret)) {
        add(Key::Conversation(conversation));
    }
    // The mail may be gone from our store; its id still names the conversation.
    for conversation in answered().filter_map(|id| token::of_message_id(id, ours.secret)) {
        add(Key::Conversation(conversation));
    }
    if let Some(number) = protocol(&mail.subject) {
        add(Key::Protocol(number));
    }
    keys
}

/// Under what a conversation is found that may be the same matter: the author and the subject. For an
/// offer to the agent, never for joining.
pub fn alike(mail: &Mail) -> Option<(String, String)> {
    let subject = base_subject(&mail.subject).to_lowercase();
    let author = mail.author()?.address.to_lowercase();
    (subject.chars().count() >= ALIKE_CHARS_MIN).then_some((author, subject))
}

/// A conversation that was found by a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<C> {
    /// By which.
    pub key: Key,
    /// The conversation.
    pub conversation: C,
    /// When its last interaction was closed, in milliseconds since 1970 (UTC); none while one is open.
    pub closed_at_ms: Option<i64>,
    /// The subject that it has now.
    pub subject: String,
    /// The addresses of who wrote in it or had a copy.
    pub participants: Vec<String>,
}

/// How a company wants its mail to be sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// For how long after closing an answer brings the matter back with its protocol, in milliseconds.
    pub reopen_ms: i64,
    /// Whether bounces make work.
    pub bounces_make_work: bool,
    /// Whether answers of the absent make work.
    pub auto_replies_make_work: bool,
    /// How many automatic answers an address gets in 24 hours.
    pub answers_a_day_max: u32,
    /// From how many mails an hour of one address on it is taken for a loop.
    pub received_an_hour_max: u32,
}

impl Default for Rules {
    /// As the trade has it: a week to come back, no work from machines about
    /// machines, one automatic answer a day.
    fn default() -> Self {
        Self {
            reopen_ms: 7 * 24 * 3_600_000,
            bounces_make_work: false,
            auto_replies_make_work: false,
            answers_a_day_max: 1,
            received_an_hour_max: 30,
        }
    }
}

/// Where a mail belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place<C> {
    /// To a conversation with an open interaction.
    Join {
        /// Which.
        conversation: C,
        /// The subject to remember, if it changed.
        subject: Option<String>,
        /// Whether its author had not been part of it.
        newcomer: bool,
    },
    /// To a conversation that is closed: a new interaction with the same protocol.
    Reopen {
        /// Which.
        conversation: C,
        /// Whether its author had not been part of it.
        newcomer: bool,
    },
    /// To none: a new interaction with a protocol of its own, linked to an old one.
    Follow {
        /// Which.
        of: C,
        /// Why it is not the same matter.
        why: Apart,
    },
    /// To none.
    New,
}

words! {
    /// Why a mail that answers is not the same matter.
    Apart {
        /// It has another subject, and the old matter is closed.
        OtherSubject = "other_subject",
        /// The old matter was closed too long ago.
        TooLate = "too_late",
        /// It was passed on by somebody who had no part in it.
        PassedOn = "passed_on",
    }
}

/// Where a mail belongs, by what was found for its keys, in their order.
pub fn place<C: Clone>(mail: &Mail, found: &[Found<C>], now_ms: i64, rules: &Rules) -> Place<C> {
    let author = mail
        .author()
        .map(|author| author.address.to_lowercase())
        .unwrap_or_default();
    let takes_part = |found: &Found<C>| {
        found
            .participants
            .iter()
            .any(|one| one.eq_ignore_ascii_case(&author))
    };
    let counts = |found: &&Found<C>| !matches!(found.key, Key::Protocol(_)) || takes_part(found);
    let Some(first) = found.iter().find(counts) else {
        return Place::New;
    };
    let conversation = first.conversation.clone();
    let newcomer = !takes_part(first);
    if newcomer && is_passed_on(mail) {
        return Place::Follow {
            of: conversation,
            why: Apart::PassedOn,
        };
    }
    let other_subject =
        base_subject(&mail.subject).to_lowercase() != base_subject(&first.subject).to_lowercase();
    match first.closed_at_ms {
        None => Place::Join {
            conversation,
            subject: other_subject.then(|| mail.subject.clone()),
            newcomer,
        },
        Some(_) if other_subject => Place::Follow {
            of: conversation,
            why: Apart::OtherSubject,
        },
        Some(closed_at_ms) if now_ms.saturating_sub(closed_at_ms) > rules.reopen_ms => {
            Place::Follow {
                of: conversation,
                why: Apart::TooLate,
            }
        }
        Some(_) => Place::Reopen {
            conversation,
            newcomer,
        },
    }
}

/// Whether a mail passes another on, rather than answering it.
fn is_passed_on(mail: &Mail) -> bool {
    is_forward(&mail.subject)
        || mail
            .files
            .iter()
            .any(|file| matches!(file.kind, FileKind::Mail { .. }))
}

/// What the shell counted of an address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Automatic answers to it in the last 24 hours, by the rule that would answer.
    pub answers_in_day: u32,
    /// Mails from it in the last hour.
    pub received_in_hour: u32,
}

words! {
    /// Why a mail makes no work. It is kept in the history all the same.
    NoWork {
        /// A mail of ours did not arrive: it is told at that mail.
        Bounce = "bounce",
        /// Somebody called a mail of ours spam.
        Complaint = "complaint",
        /// A mail of ours was opened.
        Receipt = "receipt",
        /// A program answered.
        AutoReply = "auto_reply",
        /// We sent it ourselves.
        OwnMail = "own_mail",
        /// Too many in a time: two programs answer each other.
        Flood = "flood",
    }
}

/// Whether a mail makes work for people.
pub fn makes_work(
    mail: &Mail,
    ours: &Ours<'_>,
    traffic: Traffic,
    rules: &Rules,
) -> Result<(), NoWork> {
    match &mail.kind {
        Kind::Bounce(_) if !rules.bounces_make_work => return Err(NoWork::Bounce),
        Kind::Complaint(_) => return Err(NoWork::Complaint),
        Kind::Receipt { .. } => return Err(NoWork::Receipt),
        Kind::AutoReply if !rules.auto_replies_make_work => return Err(NoWork::AutoReply),
        Kind::Bounce(_) | Kind::AutoReply | Kind::Ordinary => {}
    }
    if is_own(mail, ours) {
        return Err(NoWork::OwnMail);
    }
    if traffic.received_in_hour > rules.received_an_hour_max {
        return Err(NoWork::Flood);
    }
    Ok(())
}

/// Whether we sent a mail: it bears our token, or comes from an address of ours and from no person.
pub fn is_own(mail: &Mail, ours: &Ours<'_>) -> bool {
    let token = mail
        .message_id
        .as_ref()
        .and_then(|id| token::of_message_id(id, ours.secret));
    let from_us = mail.author().is_some_and(|author| ours.is(&author.address));
    token.is_some() || (from_us && (mail.protocol.is_some() || !mail.marks.is_empty()))
}

/// Why no program may answer a mail (RFC 3834 section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    /// It bears the mark of a machine.
    Marked(Mark),
    /// A program answered, or it is a report.
    Machine,
    /// It comes from an address of ours.
    OwnMail,
    /// The address had its answers for the day, or writes too much.
    TooOften,
    /// It does not say from whom it comes.
    NoSender,
}

/// Whether a program may answer a mail.
pub fn may_answer(
    mail: &Mail,
    ours: &Ours<'_>,
    traffic: Traffic,
    rules: &Rules,
) -> Result<(), Silence> {
    if let Some(mark) = mail.marks.first() {
        return Err(Silence::Marked(*mark));
    }
    if mail.kind != Kind::Ordinary {
        return Err(Silence::Machine);
    }
    let Some(author) = mail.author() else {
        return Err(Silence::NoSender);
    };
    let answers_go_to = mail.reply_to.first().unwrap_or(author);
    if ours.is(&author.address) || ours.is(&answers_go_to.address) || is_own(mail, ours) {
        return Err(Silence::OwnMail);
    }
    let too_often = traffic.answers_in_day >= rules.answers_a_day_max;
    if too_often || traffic.received_in_hour > rules.received_an_hour_max {
        return Err(Silence::TooOften);
    }
    Ok(())
}

/// One look-up asks for all of them.
const KEYS_MAX: usize = 40;
/// The newest references tell it; older ones are the same thread.
const IDS_MAX: usize = 25;
/// Shorter subjects (`oi`, `nota`) say nothing.
const ALIKE_CHARS_MIN: usize = 5;
