//! A flow as data: what a caller (or a chat visitor) hears and presses.
//!
//! A flow is a graph of nodes. Each node does one thing and names the nodes that may follow.
//! The types here are the JSON of the API; [`crate::schema::flow`] is their published JSON Schema.
//! [`crate::validate`] says what is wrong with a flow, [`crate::machine`] walks it.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::hours::Calendar;
use crate::{CalendarId, FlowId, Key, Language, NodeId, Say, ServiceId, SkillId, VoiceId};

/// The version of the format that this program reads and writes.
pub const FORMAT: u32 = 1;

/// What a caller hears and presses, from the first word to a queue or the end of the call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    /// The version of the format: [`FORMAT`].
    pub format: u32,
    /// The language that numbers, dates and the sentences that ship are said in.
    #[serde(default)]
    pub language: Language,
    /// The voice of texts that name none. Without it the company's default voice speaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voice: Option<VoiceId>,
    /// Where the flow begins.
    pub entry: NodeId,
    /// Where the flow goes on when something fails that has no branch of its own, or when a limit
    /// is met. Without it the flow that called this one handles it, and without any the call ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<NodeId>,
    /// The flow's variables and their values at the beginning.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
    /// The nodes by their ids.
    #[serde(deserialize_with = "unique_nodes")]
    pub nodes: BTreeMap<NodeId, Node>,
    /// Where an editor draws the nodes. It means nothing to the caller.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub layout: BTreeMap<NodeId, Position>,
}

/// Where an editor draws a node, and what it calls it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Pixels from the left.
    pub x: f64,
    /// Pixels from the top.
    pub y: f64,
    /// What people call the node.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
}

/// One node: one thing that is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Node {
    /// Branches by the opening hours.
    Hours(Hours),
    /// Says something.
    Prompt(Prompt),
    /// Says something and takes one key.
    Menu(Menu),
    /// Says something and takes several digits.
    Collect(Collect),
    /// Goes to a service: the caller waits for an agent.
    Queue(Queue),
    /// Goes to another flow.
    Flow(GoToFlow),
    /// Goes back to the flow that came here by a [`Node::Flow`].
    Return(Return),
    /// Dials a number or an extension and joins the two parties.
    Dial(Dial),
    /// Asks a system of the company over HTTP.
    Lookup(Lookup),
    /// Sets a variable.
    Set(Set),
    /// Branches by the values of variables.
    Condition(Condition),
    /// Takes a spoken message.
    Record(Record),
    /// Ends the call.
    HangUp(HangUp),
}

/// Branches by the opening hours. Sets `hours.opens_at`, `hours.closes_at` and `hours.holiday`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// Whose hours.
    pub calendar: CalendarRef,
    /// Where to go while open.
    pub open: NodeId,
    /// Where to go while closed.
    pub closed: NodeId,
    /// Where to go when closed for a holiday or a date of the company's own; else to `closed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holiday: Option<NodeId>,
}

/// A calendar of the company, or one that is written into the flow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CalendarRef {
    /// A calendar of the company.
    Id(CalendarId),
    /// A calendar of this node alone.
    Inline(Box<Calendar>),
}

/// Says something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    /// What is said, in order.
    pub say: Vec<Say>,
    /// Whether a key ends the prompt; the key is kept for the next question. Where it is `false`,
    /// keys pressed before the prompt's end are discarded.
    #[serde(default = "yes")]
    pub barge_in: bool,
    /// What follows.
    pub next: NodeId,
}

/// Says something and takes one key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Menu {
    /// The question.
    pub say: Vec<Say>,
    /// What each key leads to, in the order of the menu.
    pub choices: Vec<Choice>,
    /// Whether a key is taken while the question is being said.
    #[serde(default = "yes")]
    pub barge_in: bool,
    /// How long the caller may be silent once the question has ended, milliseconds.
    #[serde(default = "first_digit_ms")]
    pub first_digit_ms: u32,
    /// What happens when the caller presses a key that leads nowhere.
    #[serde(default = "Retry::invalid")]
    pub invalid: Retry,
    /// What happens when the caller presses nothing.
    #[serde(default = "Retry::no_input")]
    pub no_input: Retry,
    /// The key that says the question again. It is no attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_key: Option<Key>,
    /// Where to go after the last attempt; without it the flow's failure exit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<NodeId>,
}

/// A key and where it leads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// The key.
    pub key: Key,
    /// Where it leads.
    pub to: NodeId,
}

/// What happens when an answer is wrong or missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// What is said before the question is asked again.
    pub say: Vec<Say>,
    /// How often the question is asked in all: with 3, the third wrong answer gives up.
    pub attempts: u8,
}

/// Says something and takes several digits into a variable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Collect {
    /// The question.
    pub say: Vec<Say>,
    /// The variable that takes the digits.
    pub variable: String,
    /// The least number of digits.
    pub min: u8,
    /// The greatest number of digits: the last one ends the answer.
    pub max: u8,
    /// The key that ends the answer early; `null` for none.
    #[serde(default = "hash")]
    pub terminator: Option<Key>,
    /// Whether keys are taken while the question is being said.
    #[serde(default = "yes")]
    pub barge_in: bool,
    /// How long the caller may be silent before the first digit, milliseconds after the question.
    #[serde(default = "first_digit_ms")]
    pub first_digit_ms: u32,
    /// How long the caller may be silent after a digit, milliseconds. Then the answer is complete.
    #[serde(default = "inter_digit_ms")]
    pub inter_digit_ms: u32,
    /// Whether the digits are a secret: they are masked in the trail wherever they go.
    #[serde(default)]
    pub sensitive: bool,
    /// What the digits must be, beside their number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept: Option<Accept>,
    /// Whether the caller must confirm the digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<Confirm>,
    /// What happens when the digits are not what is asked for.
    #[serde(default = "Retry::invalid")]
    pub invalid: Retry,
    /// What happens when the caller presses nothing.
    #[serde(default = "Retry::no_input")]
    pub no_input: Retry,
    /// What follows.
    pub next: NodeId,
    /// Where to go after the last attempt; without it the flow's failure exit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<NodeId>,
}

/// What collected digits must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Accept {
    /// The digits must have the form of the text: `X` is any digit, `Z` is 1–9, `N` is 2–9, a
    /// digit is itself.
    Pattern(String),
    /// A CPF: 11 digits whose last two check the others.
    Cpf,
    /// A CNPJ of digits: 14 of them, the last two check the others.
    Cnpj,
    /// Either of the two.
    CpfOrCnpj,
    /// A card number: the last digit checks the others (ISO/IEC 7812-1, the Luhn formula).
    Card,
    /// A date as day, month and year: `24122026` or `241226`.
    Date,
}

/// The caller hears the digits and confirms them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Confirm {
    /// The question; the variable of the node already holds the digits.
    pub say: Vec<Say>,
    /// The key that confirms.
    pub yes: Key,
    /// The key that asks for the digits again; it is an invalid attempt.
    pub no: Key,
}

/// A skill that an agent must have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SkillWanted {
    /// Which.
    pub skill: SkillId,
    /// The least level.
    #[schemars(range(min = 1))]
    pub level: u8,
    /// Whether it is wanted however long the caller waits: a language, a licence.
    #[serde(default)]
    pub fixed: bool,
}

/// Goes to a service.
///
/// An agent who takes the call ends the flow. Otherwise the flow goes on where a branch says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// The service.
    pub service: ServiceId,
    /// What an agent must be able to do to take the call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<SkillWanted>,
    /// Where to go when nobody answered in the service's time limit; else the failure exit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unanswered: Option<NodeId>,
    /// Where to go when the service takes nobody at this hour or is full; else to `unanswered`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<NodeId>,
    /// Keys by which a waiting caller leaves the queue.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leave: Vec<Choice>,
}

/// Goes to another flow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GoToFlow {
    /// The flow.
    pub flow: FlowId,
    /// Where to go on when that flow returns. Without it this flow is left for good, and a return
    /// goes to the flow that called this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NodeId>,
}

/// Goes back to the flow that came here; in the first flow of a call it ends the call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Return {}

/// Dials and joins the two parties.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dial {
    /// Whom.
    pub to: Destination,
    /// How long it may ring, milliseconds.
    #[serde(default = "ring_ms")]
    pub ring_ms: u32,
    /// Where to go when the other party is busy; else to `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy: Option<NodeId>,
    /// Where to go when nobody answers in time; else to `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_answer: Option<NodeId>,
    /// Where to go when the call cannot be made; else the failure exit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<NodeId>,
    /// Where to go when the other party has hung up; else the call ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<NodeId>,
}

/// Whom a dial node dials. The text may hold variables.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Destination {
    /// A telephone number, reached through a trunk.
    Number(String),
    /// A device of the company.
    Extension(String),
}

/// Asks a system of the company over HTTP. Sets `lookup.status`.
///
/// It succeeds when a 2xx answer came in time and, where values are taken, its body is JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    /// The method.
    #[serde(default)]
    pub method: Method,
    /// The address; values of variables are percent-encoded.
    pub url: String,
    /// Header fields; values may hold variables.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The JSON body; values of variables are escaped to stand inside JSON strings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// How long the answer may take, milliseconds.
    #[serde(default = "lookup_ms")]
    pub timeout_ms: u32,
    /// Which variable takes what: variable → JSON pointer (RFC 6901). What is missing is empty.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
    /// Where to go when it succeeded.
    pub success: NodeId,
    /// Where to go when it did not; else the failure exit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<NodeId>,
}

/// An HTTP method.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// GET.
    #[default]
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
}

/// Sets a variable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Set {
    /// The variable.
    pub variable: String,
    /// Its new value, which may hold variables.
    pub value: String,
    /// What follows.
    pub next: NodeId,
}

/// Branches by the values of variables: the first case that holds is taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The cases, in order.
    pub cases: Vec<Case>,
    /// Where to go when none holds.
    pub otherwise: NodeId,
}

/// One case of a condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// All of these must hold.
    pub all: Vec<Comparison>,
    /// Where to go then.
    pub to: NodeId,
}

/// A comparison of a variable with a text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// The variable, or a name of the call such as `call.from`.
    pub variable: String,
    /// How they are compared.
    pub is: Operator,
    /// With what; it may hold variables.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub value: String,
}

/// How two values are compared.
///
/// The four with an order compare numbers, and hold for nothing that is not a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Operator {
    /// The same text: `007` is not `7`.
    Equal,
    /// Not that.
    NotEqual,
    /// A smaller number.
    Less,
    /// A number that is not greater.
    AtMost,
    /// A greater number.
    Greater,
    /// A number that is not smaller.
    AtLeast,
    /// The text begins so.
    StartsWith,
    /// The text ends so.
    EndsWith,
    /// The text has this in it.
    Contains,
    /// There is nothing in the variable.
    Empty,
    /// There is something in the variable.
    NotEmpty,
}

/// Takes a spoken message. Sets `record.seconds`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// What is said before.
    pub say: Vec<Say>,
    /// Whether a beep follows.
    #[serde(default = "yes")]
    pub beep: bool,
    /// How long the message may be, seconds.
    #[serde(default = "record_seconds")]
    pub max_seconds: u16,
    /// The key that ends the message; `null` for none.
    #[serde(default = "hash")]
    pub terminator: Option<Key>,
    /// The service that gets the message.
    pub service: ServiceId,
    /// What follows.
    pub next: NodeId,
}

/// Ends the call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HangUp {
    /// What is said before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub say: Vec<Say>,
    /// What the network is told.
    #[serde(default)]
    pub cause: Cause,
}

/// Why a call is ended, as the network is told.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// All is said. ITU-T Q.850 cause 16.
    #[default]
    Normal,
    /// Nobody is free. ITU-T Q.850 cause 17.
    Busy,
    /// Nobody answered. ITU-T Q.850 cause 19.
    NoAnswer,
    /// The caller is not wanted. ITU-T Q.850 cause 21.
    Rejected,
    /// Something failed on our side. ITU-T Q.850 cause 41.
    Failure,
}

impl Cause {
    /// The cause value of ITU-T Q.850, for a `Reason` header (RFC 3326).
    #[must_use]
    pub fn q850(self) -> u8 {
        match self {
            Self::Normal => 16,
            Self::Busy => 17,
            Self::NoAnswer => 19,
            Self::Rejected => 21,
            Self::Failure => 41,
        }
    }
}

impl Flow {
    /// A flow without nodes, which is not valid.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            format: FORMAT,
            language: Language::default(),
            voice: None,
            entry: NodeId::new(""),
            failure: None,
            variables: BTreeMap::new(),
            nodes: BTreeMap::new(),
            layout: BTreeMap::new(),
        }
    }
}

impl Retry {
    /// How often a question is asked where the flow does not say.
    pub const ATTEMPTS: u8 = 3;

    /// The sentence that ships, three attempts.
    #[must_use]
    pub fn invalid() -> Self {
        Self {
            say: vec![Say::sound("sentences/invalid-key")],
            attempts: Self::ATTEMPTS,
        }
    }

    /// The sentence that ships, three attempts.
    #[must_use]
    pub fn no_input() -> Self {
        Self {
            say: vec![Say::sound("sentences/no-input")],
            attempts: Self::ATTEMPTS,
        }
    }
}

impl Node {
    /// The word that the JSON has in `kind`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Hours(_) => "hours",
            Self::Prompt(_) => "prompt",
            Self::Menu(_) => "menu",
            Self::Collect(_) => "collect",
            Self::Queue(_) => "queue",
            Self::Flow(_) => "flow",
            Self::Return(_) => "return",
            Self::Dial(_) => "dial",
            Self::Lookup(_) => "lookup",
            Self::Set(_) => "set",
            Self::Condition(_) => "condition",
            Self::Record(_) => "record",
            Self::HangUp(_) => "hang-up",
        }
    }
}

/// Reads the nodes and refuses an id that stands twice, which a map would swallow.
fn unique_nodes<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<NodeId, Node>, D::Error> {
    struct Nodes;

    impl<'de> Visitor<'de> for Nodes {
        type Value = BTreeMap<NodeId, Node>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("nodes by their ids")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut nodes = BTreeMap::new();
            while let Some((id, node)) = map.next_entry::<NodeId, Node>()? {
                if nodes.insert(id.clone(), node).is_some() {
                    return Err(A::Error::custom(format_args!(
                        "node id {id:?} stands twice"
                    )));
                }
            }
            Ok(nodes)
        }
    }

    from.deserialize_map(Nodes)
}

fn yes() -> bool {
    true
}

fn hash() -> Option<Key> {
    Some(Key::HASH)
}

/// Five seconds: long enough to look at a telephone's keys, short enough not to seem dead.
fn first_digit_ms() -> u32 {
    5_000
}

/// Three seconds: somebody who reads a number from a card pauses between its groups.
fn inter_digit_ms() -> u32 {
    3_000
}

/// Half a minute: about six rings.
fn ring_ms() -> u32 {
    30_000
}

/// Five seconds: the caller hears nothing meanwhile.
fn lookup_ms() -> u32 {
    5_000
}

/// Two minutes: most messages are under one.
fn record_seconds() -> u16 {
    120
}
