//! The automatic life of a written interaction: what customers are told without anybody writing it, and
//! when who has fallen silent is not waited for any longer.
//!
//! ```text
//!            (Flow asks, Waiting when it has found a service)
//!  begins ─▶ Waiting ─ taken ─▶ Held ─ the agent wrote ─▶ Held, the customer is silent
//!  greeting,   ▲ │               ▲ │                        │       │         │
//!  absence     │ └─ closed ─▶ closing message ◀─ closed ────┘   warning   farewell,
//!              └─── returned ────┘ └──── the customer wrote ◀───────┘     Expire
//! ```
//!
//! [`Life`] decides what is said and when; the [`Settings`] of the channel say what there is to say, and
//! are passed in each time, so that a change of them is so at once. Times are milliseconds since 1970
//! (UTC): a life is kept, and goes on in the next run of the program.
//!
//! Invariant: an agent's silence ends nothing. Only who owes an answer to an agent is left.

mod words;

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use ivr::FlowId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use words::{NAMES, Values, Words};

/// What a channel has set up. What is not set is not done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// What asks who comes what it is about, before they wait for anybody. It says which service.
    pub flow: Option<FlowId>,
    /// Another system that talks with who comes before they wait for anybody.
    pub bot: Option<BotSettings>,
    /// What who comes is told first.
    pub greeting: Option<Words>,
    /// What who writes is told while the service is closed, in place of the greeting.
    pub absence: Option<Words>,
    /// How often who waits is told their place in the line at most, and how; only when it has changed.
    pub position: Option<(Duration, Words)>,
    /// What who waits is told, one after the other, and how long before each.
    pub waiting: Option<(Duration, Vec<Words>)>,
    /// When who does not answer is not waited for any longer.
    pub expiry: Option<Expiry>,
    /// What is said when the interaction was closed.
    pub closing: Option<Words>,
    /// What is asked then of who was with an agent: the first question of a survey, in the gateway's
    /// words. The gateway takes the answers.
    pub survey: Option<Value>,
}

/// Another system that talks with customers.
#[derive(Clone, PartialEq, Eq)]
pub struct BotSettings {
    /// Where it is asked.
    pub url: String,
    /// By which of its names it is asked: one system may be several bots.
    pub id: String,
    /// What proves to it that we ask.
    pub token: String,
}

impl fmt::Debug for BotSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "BotSettings ({})", self.id)
    }
}

/// When a customer who does not answer is not waited for any longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// After how long they are warned, and how; not at all when not set.
    pub warning: Option<(Duration, Words)>,
    /// After how long without a word of theirs the interaction is over. Longer than until the warning.
    pub after: Duration,
    /// What is said then.
    pub farewell: Words,
}

/// Why something is said that nobody wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// The customer has come.
    Greeting,
    /// The service is closed.
    Absence,
    /// The customer waits at another place in the line.
    Position(u32),
    /// The customer waits; the how-manieth time they are told so, from 0.
    Waiting(u32),
    /// The customer has been silent for long.
    ExpiryWarning,
    /// The customer has been silent for too long.
    Expired,
    /// The interaction was closed.
    Closing,
    /// The survey was answered.
    SurveyThanks,
}

impl Purpose {
    /// What the trail calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Greeting => "greeting",
            Self::Absence => "absence",
            Self::Position(_) => "position",
            Self::Waiting(_) => "waiting",
            Self::ExpiryWarning => "expiry_warning",
            Self::Expired => "expired",
            Self::Closing => "closing",
            Self::SurveyThanks => "survey_thanks",
        }
    }
}

/// What a life wants done, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Write to the customer.
    Say(Purpose),
    /// Ask the customer how it was.
    Survey,
    /// End the interaction.
    Expire,
}

/// How far the automatic life of an interaction is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Life {
    state: State,
    /// Whether the customer was told that the service is closed, since it was last open.
    absence_told: bool,
    #[serde(skip)]
    outputs: VecDeque<Output>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// A flow talks with the customer, and waits for an answer where `silence` is set.
    Flow { silence: Option<Silence> },
    /// It waits for an agent.
    Waiting(Wait),
    /// An agent has it. Nobody waits for the customer unless the agent wrote last.
    Held { silence: Option<Silence> },
    /// There is nothing more to do.
    Over,
}

/// A customer who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Wait {
    /// When they were last told so, or when the wait began.
    waiting_ms: i64,
    /// How often they were told so.
    told: u32,
    /// When the place was last looked at.
    looked_ms: Option<i64>,
    /// The place that they were told last.
    position: Option<u32>,
    /// Since when.
    since_ms: i64,
}

/// A customer who owes an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Silence {
    /// Since when.
    since_ms: i64,
    /// When they were warned.
    warned_ms: Option<i64>,
}

impl Life {
    /// An interaction waits for an agent: a new one, or one that has come back. `is_open` is whether its
    /// service is.
    pub fn begin(now_ms: i64, settings: &Settings, is_new: bool, is_open: bool) -> Self {
        let mut life = Self {
            state: State::Waiting(Wait::since(now_ms)),
            absence_told: false,
            outputs: VecDeque::new(),
        };
        life.tell_absence(settings, is_open);
        if is_new && !life.absence_told && settings.greeting.is_some() {
            life.say(Purpose::Greeting);
        }
        life
    }

    /// A flow talks with the customer first.
    pub fn begin_flow(settings: &Settings, is_new: bool) -> Self {
        let mut life = Self {
            state: State::Flow { silence: None },
            absence_told: false,
            outputs: VecDeque::new(),
        };
        if is_new && settings.greeting.is_some() {
            life.say(Purpose::Greeting);
        }
        life
    }

    /// The flow has asked the customer something.
    pub fn handle_asked(&mut self, now_ms: i64) {
        if let State::Flow { silence } = &mut self.state {
            *silence = Some(Silence {
                since_ms: now_ms,
                warned_ms: None,
            });
        }
    }

    /// The flow has found a service, and the customer waits there.
    pub fn handle_queued(&mut self, now_ms: i64, settings: &Settings, is_open: bool) {
        self.handle_returned(now_ms);
        self.tell_absence(settings, is_open);
    }

    /// Nobody came, and the flow goes on.
    pub fn handle_unanswered(&mut self) {
        if let State::Waiting(_) = self.state {
            self.state = State::Flow { silence: None };
        }
    }

    /// The customer wrote.
    pub fn handle_customer(&mut self, settings: &Settings, is_open: bool) {
        match &mut self.state {
            State::Held { silence } | State::Flow { silence } => *silence = None,
            State::Waiting(_) => self.tell_absence(settings, is_open),
            State::Over => {}
        }
    }

    /// The agent wrote, or another system in their place.
    pub fn handle_agent(&mut self, now_ms: i64) {
        if let State::Held { silence } | State::Flow { silence } = &mut self.state {
            // Who was warned and is written to again has all their time again.
            *silence = Some(Silence {
                since_ms: now_ms,
                warned_ms: None,
            });
        }
    }

    /// An agent has it.
    pub fn handle_taken(&mut self) {
        if let State::Waiting(_) = self.state {
            self.state = State::Held { silence: None };
        }
    }

    /// It waits again.
    pub fn handle_returned(&mut self, now_ms: i64) {
        if self.state != State::Over {
            self.state = State::Waiting(Wait::since(now_ms));
        }
    }

    /// It was closed.
    pub fn handle_closed(&mut self, settings: &Settings) {
        let state = std::mem::replace(&mut self.state, State::Over);
        if state != State::Over && settings.closing.is_some() {
            self.say(Purpose::Closing);
        }
        if matches!(state, State::Held { .. }) && settings.survey.is_some() {
            self.outputs.push_back(Output::Survey);
        }
    }

    /// Time has come to [`Life::poll_timeout`]. Firing early is harmless. `position` is the place of the
    /// customer in the line, 1 being the next; nothing while they are in none.
    pub fn handle_timeout(&mut self, now_ms: i64, settings: &Settings, position: Option<u32>) {
        if let State::Waiting(wait) = &mut self.state {
            let says = wait.handle_timeout(now_ms, settings, position);
            self.outputs.extend(says.map(Output::Say));
            return;
        }
        let Some(due) = self.due(settings).filter(|due| due.at_ms <= now_ms) else {
            return;
        };
        match (&mut self.state, due.what) {
            (
                State::Held {
                    silence: Some(silence),
                }
                | State::Flow {
                    silence: Some(silence),
                },
                Output::Say(purpose),
            ) => {
                silence.warned_ms = Some(now_ms);
                self.say(purpose);
            }
            (_, Output::Expire) => {
                self.state = State::Over;
                self.say(Purpose::Expired);
                self.outputs.push_back(Output::Expire);
            }
            (
                State::Flow { .. } | State::Waiting(_) | State::Held { .. } | State::Over,
                Output::Say(_) | Output::Survey,
            ) => {}
        }
    }

    /// When [`Life::handle_timeout`] wants to be called, milliseconds since 1970 (UTC).
    pub fn poll_timeout(&self, settings: &Settings) -> Option<i64> {
        if let State::Waiting(wait) = &self.state {
            return wait.poll_timeout(settings);
        }
        self.due(settings).map(|due| due.at_ms)
    }

    /// Whether there is nothing more to do: it was closed, or [`Output::Expire`] was said.
    pub fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// The next thing to be done.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn due(&self, settings: &Settings) -> Option<Due> {
        let (State::Held {
            silence: Some(silence),
        }
        | State::Flow {
            silence: Some(silence),
        }) = &self.state
        else {
            return None;
        };
        let Some(expiry) = &settings.expiry else {
            // Whoever an agent waits for may take their time; a flow has nobody who would end it.
            let is_flow = matches!(self.state, State::Flow { .. });
            return is_flow.then(|| Due {
                at_ms: silence.since_ms.saturating_add(FLOW_SILENCE_MAX_MS),
                what: Output::Expire,
            });
        };
        let (since_ms, left, what) = match (&expiry.warning, silence.warned_ms) {
            (Some((warn, _)), None) => {
                let warning = Output::Say(Purpose::ExpiryWarning);
                (silence.since_ms, *warn, warning)
            }
            // Who was warned late, because the program stood still, has the rest of the time all the same.
            (Some((warn, _)), Some(warned_ms)) => {
                let left = expiry.after.saturating_sub(*warn);
                (warned_ms, left, Output::Expire)
            }
            (None, _) => (silence.since_ms, expiry.after, Output::Expire),
        };
        Some(Due {
            at_ms: later(since_ms, left),
            what,
        })
    }

    fn tell_absence(&mut self, settings: &Settings, is_open: bool) {
        if is_open {
            self.absence_told = false;
        } else if !self.absence_told && settings.absence.is_some() {
            self.absence_told = true;
            self.say(Purpose::Absence);
        }
    }

    fn say(&mut self, purpose: Purpose) {
        self.outputs.push_back(Output::Say(purpose));
    }
}

impl Wait {
    fn since(now_ms: i64) -> Self {
        Self {
            waiting_ms: now_ms,
            told: 0,
            looked_ms: None,
            position: None,
            since_ms: now_ms,
        }
    }

    /// What is said now: the place before the words that make the wait shorter.
    fn handle_timeout(
        &mut self,
        now_ms: i64,
        settings: &Settings,
        position: Option<u32>,
    ) -> impl Iterator<Item = Purpose> + use<> {
        let is_due = |due: Option<i64>| due.is_some_and(|due| due <= now_ms);
        let mut place = None;
        if is_due(self.position_due(settings)) {
            self.looked_ms = Some(now_ms);
            let changed = position.filter(|position| self.position != Some(*position));
            self.position = changed.or(self.position);
            place = changed.map(Purpose::Position);
        }
        let mut words = None;
        if is_due(self.waiting_due(settings)) {
            self.waiting_ms = now_ms;
            words = Some(Purpose::Waiting(self.told));
            self.told = self.told.saturating_add(1);
        }
        place.into_iter().chain(words)
    }

    fn poll_timeout(&self, settings: &Settings) -> Option<i64> {
        let both = [self.position_due(settings), self.waiting_due(settings)];
        both.into_iter().flatten().min()
    }

    fn position_due(&self, settings: &Settings) -> Option<i64> {
        let (every, _) = settings.position.as_ref()?;
        let looked_ms = self.looked_ms.map(|looked| later(looked, *every));
        Some(looked_ms.unwrap_or(self.since_ms))
    }

    fn waiting_due(&self, settings: &Settings) -> Option<i64> {
        let (every, all) = settings.waiting.as_ref()?;
        let goes_on = !all.is_empty() && self.told < WAITING_TOLD_MAX;
        goes_on.then(|| later(self.waiting_ms, *every))
    }
}

fn later(at_ms: i64, by: Duration) -> i64 {
    at_ms.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX))
}

/// So often one who waits is told so in one wait: who reads the answer tomorrow has understood.
const WAITING_TOLD_MAX: u32 = 20;

/// A day: who has not answered a machine by then began to write to somebody else.
const FLOW_SILENCE_MAX_MS: i64 = 24 * 3_600_000;

/// What is to be done when.
struct Due {
    at_ms: i64,
    what: Output,
}

impl Settings {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What is said for a purpose; nothing where it is not set.
    pub fn words(&self, purpose: Purpose) -> Option<&Words> {
        let expiry = self.expiry.as_ref();
        match purpose {
            Purpose::Greeting => self.greeting.as_ref(),
            Purpose::Absence => self.absence.as_ref(),
            Purpose::Position(_) => self.position.as_ref().map(|(_, words)| words),
            Purpose::Waiting(turn) => {
                let (_, all) = self.waiting.as_ref()?;
                let turn = usize::try_from(turn).ok()?;
                all.get(turn.checked_rem(all.len())?)
            }
            Purpose::ExpiryWarning => expiry?.warning.as_ref().map(|(_, words)| words),
            Purpose::Expired => expiry.map(|expiry| &expiry.farewell),
            Purpose::Closing => self.closing.as_ref(),
            Purpose::SurveyThanks => None, // Ours, always.
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    fn settings() -> Settings {
        let words = Words::default;
        Settings {
            flow: None,
            bot: None,
            greeting: Some(words()),
            absence: Some(words()),
            position: None,
            waiting: None,
            expiry: Some(Expiry {
                warning: Some((Duration::from_secs(600), words())),
                after: Duration::from_secs(900),
                farewell: words(),
            }),
            closing: Some(words()),
            survey: None,
        }
    }

    #[test]
    fn only_who_was_with_an_agent_is_asked_how_it_was() {
        let asks = Settings {
            survey: Some(Value::Null),
            ..settings()
        };
        let mut waits = Life::begin(0, &asks, false, true);
        waits.handle_closed(&asks);
        assert_eq!(said(&mut waits), [say(Purpose::Closing)]);
        let mut held = Life::begin(0, &asks, false, true);
        held.handle_taken();
        held.handle_closed(&asks);
        let both = [say(Purpose::Closing), Output::Survey];
        assert_eq!(said(&mut held), both);
        held.handle_closed(&asks);
        assert_eq!(said(&mut held), []);
    }

    fn said(life: &mut Life) -> Vec<Output> {
        std::iter::from_fn(|| life.poll_output()).collect()
    }

    fn say(purpose: Purpose) -> Output {
        Output::Say(purpose)
    }

    #[test]
    fn who_comes_is_greeted_once_and_who_comes_while_it_is_closed_is_told_so() {
        let all = settings();
        let mut open = Life::begin(0, &all, true, true);
        assert_eq!(said(&mut open), [say(Purpose::Greeting)]);
        open.handle_customer(&all, true);
        assert_eq!(said(&mut open), []);
        assert_eq!(
            said(&mut Life::begin(0, &all, false, true)),
            [],
            "it came back"
        );
        let mut closed = Life::begin(0, &all, true, false);
        assert_eq!(said(&mut closed), [say(Purpose::Absence)]);
        closed.handle_customer(&all, false);
        assert_eq!(said(&mut closed), [], "told once");
        closed.handle_customer(&all, true);
        closed.handle_customer(&all, false);
        assert_eq!(
            said(&mut closed),
            [say(Purpose::Absence)],
            "another evening"
        );
        let nothing = Settings::default();
        assert!(nothing.is_empty());
        assert_eq!(said(&mut Life::begin(0, &nothing, true, false)), []);
    }

    #[test]
    fn who_owes_an_answer_is_warned_and_then_not_waited_for() {
        let all = settings();
        let mut life = Life::begin(0, &all, false, true);
        life.handle_agent(0);
        assert_eq!(life.poll_timeout(&all), None, "nobody has it");
        life.handle_taken();
        assert_eq!(
            life.poll_timeout(&all),
            None,
            "the customer waits for the agent"
        );
        life.handle_agent(MINUTE);
        assert_eq!(life.poll_timeout(&all), Some(11 * MINUTE));
        life.handle_customer(&all, true);
        assert_eq!(life.poll_timeout(&all), None, "the agent is to answer");
        life.handle_agent(2 * MINUTE);
        life.handle_timeout(12 * MINUTE - 1, &all, None);
        assert_eq!(said(&mut life), [], "too early");
        life.handle_timeout(12 * MINUTE, &all, None);
        assert_eq!(said(&mut life), [say(Purpose::ExpiryWarning)]);
        assert_eq!(life.poll_timeout(&all), Some(17 * MINUTE));
        life.handle_timeout(17 * MINUTE, &all, None);
        assert_eq!(said(&mut life), [say(Purpose::Expired), Output::Expire]);
        assert_eq!(life.poll_timeout(&all), None);
        life.handle_closed(&all);
        assert_eq!(said(&mut life), [], "it has taken leave already");
    }

    #[test]
    fn who_was_warned_late_has_the_rest_of_the_time_and_an_answer_takes_the_warning_back() {
        let all = settings();
        let mut life = Life::begin(0, &all, false, true);
        life.handle_taken();
        life.handle_agent(0);
        // The program stood still for a day.
        life.handle_timeout(1_440 * MINUTE, &all, None);
        assert_eq!(said(&mut life), [say(Purpose::ExpiryWarning)]);
        assert_eq!(life.poll_timeout(&all), Some(1_445 * MINUTE));
        life.handle_customer(&all, true);
        assert_eq!(life.poll_timeout(&all), None);
        let kept = serde_json::to_value(&life).expect("JSON");
        let life: Life = serde_json::from_value(kept).expect("the same");
        assert_eq!(life.state, State::Held { silence: None });
    }

    #[test]
    fn without_a_warning_the_end_comes_at_once_and_what_waits_does_not_end() {
        let mut all = settings();
        if let Some(expiry) = &mut all.expiry {
            expiry.warning = None;
        }
        let mut life = Life::begin(0, &all, false, true);
        life.handle_taken();
        life.handle_agent(0);
        assert_eq!(life.poll_timeout(&all), Some(15 * MINUTE));
        life.handle_returned(0);
        assert_eq!(life.poll_timeout(&all), None);
        life.handle_closed(&all);
        assert_eq!(said(&mut life), [say(Purpose::Closing)]);
    }

    #[test]
    fn a_question_of_a_flow_is_not_waited_on_for_ever_and_the_service_decides_about_absence() {
        let all = settings();
        let mut life = Life::begin_flow(&all, true);
        assert_eq!(said(&mut life), [say(Purpose::Greeting)]);
        assert_eq!(life.poll_timeout(&all), None, "nothing was asked");
        life.handle_asked(0);
        assert_eq!(life.poll_timeout(&all), Some(10 * MINUTE));
        let nothing = Settings::default();
        assert_eq!(life.poll_timeout(&nothing), Some(1_440 * MINUTE));
        life.handle_customer(&all, false);
        assert_eq!((life.poll_timeout(&all), said(&mut life)), (None, vec![]));
        life.handle_queued(0, &all, false);
        assert_eq!(said(&mut life), [say(Purpose::Absence)]);
        life.handle_unanswered();
        life.handle_asked(0);
        life.handle_timeout(1_440 * MINUTE, &nothing, None);
        assert_eq!(said(&mut life), [say(Purpose::Expired), Output::Expire]);
    }

    #[test]
    fn who_waits_is_told_the_place_when_it_changes_and_the_words_in_their_turn() {
        let mut all = settings();
        all.position = Some((Duration::from_secs(30), Words::default()));
        all.waiting = Some((Duration::from_secs(60), vec![Words::default(); 2]));
        let mut life = Life::begin(0, &all, false, true);
        let mut told = vec![];
        for (due, place) in [(0, 3), (30, 3), (60, 2), (90, 2), (120, 2), (150, 1)] {
            assert_eq!(life.poll_timeout(&all), Some(due * 1_000));
            life.handle_timeout(due * 1_000 - 1, &all, Some(place));
            assert_eq!(said(&mut life), [], "too early");
            life.handle_timeout(due * 1_000, &all, Some(place));
            told.extend(said(&mut life).into_iter().map(|said| (due, said)));
        }
        let expected = [
            (0, say(Purpose::Position(3))),
            (60, say(Purpose::Position(2))),
            (60, say(Purpose::Waiting(0))),
            (120, say(Purpose::Waiting(1))),
            (150, say(Purpose::Position(1))),
        ];
        assert_eq!(told, expected);
        assert!(all.words(Purpose::Waiting(2)).is_some(), "it begins again");
        life.handle_timeout(200_000, &all, None);
        assert_eq!(said(&mut life), [say(Purpose::Waiting(2))], "in no line");
        life.handle_taken();
        assert_eq!(life.poll_timeout(&all), None);
    }

    #[test]
    fn who_waits_for_days_is_not_told_so_for_days() {
        let mut all = settings();
        all.waiting = Some((Duration::from_secs(60), vec![Words::default()]));
        let mut life = Life::begin(0, &all, false, true);
        let mut told = 0;
        while let Some(due) = life.poll_timeout(&all) {
            life.handle_timeout(due, &all, None);
            told += said(&mut life).len();
        }
        assert_eq!(told, 20);
    }
}
