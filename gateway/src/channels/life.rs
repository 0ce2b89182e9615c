//! What can be set of the automatic life of a written interaction.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use channels::webchat::survey::Survey;
use desk::id::FlowId;
use exchange::text::{self, Words};
use ivr::Language;
use ivr::template::{self, Part};
use serde::{Deserialize, Serialize};

use super::survey;

/// What a channel does by itself. Texts are given by language (`pt-BR`, `en`, `es`); where none is given
/// (`{}`) ours are said. They may hold `{{name}}`, `{{protocol}}`, `{{service}}`, `{{company}}`,
/// `{{opens_at}}` and `{{position}}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"greeting": {"pt-BR": "Olá, {{name}}! Já vamos atender você."}, "absence": {},
    "expiry": {"warn_minutes": 10, "close_minutes": 15}, "closing": {}}))]
pub struct LifeSettings {
    /// The flow that asks who comes what it is about, before they wait for anybody: a menu is answered by
    /// the key or by what stands beside it. It is published.
    #[schema(value_type = Option<String>)]
    pub flow: Option<FlowId>,
    /// Another system that talks with who comes before they wait for anybody, in the place of a flow.
    pub bot: Option<BotSettings>,
    /// What who comes is told first.
    #[schema(value_type = Option<Object>)]
    pub greeting: Option<Texts>,
    /// What who writes is told while the service is closed by its calendar.
    #[schema(value_type = Option<Object>)]
    pub absence: Option<Texts>,
    /// How often who waits is told their place in the line, and how; never when not set.
    pub position: Option<PositionSettings>,
    /// What who waits is told one after the other; nothing when not set.
    pub waiting: Option<WaitingSettings>,
    /// When a customer who does not answer is not waited for any longer; always when not set.
    pub expiry: Option<ExpirySettings>,
    /// What is said when an agent closed it.
    #[schema(value_type = Option<Object>)]
    pub closing: Option<Texts>,
    /// What the customer is asked then, one question after the other: `id`, and `questions` with `id`,
    /// `kind` (`stars`, `nps`, `choice` or `text`), `text`, and `choices` (`id`, `title`) to choose from.
    #[schema(value_type = Option<Object>)]
    pub survey: Option<Survey>,
}

/// Another system that talks with customers: it is asked by `POST` about each message, with what is known
/// of the interaction and a token (`bot-token` of the channel), and answers with `messages` (`text`,
/// `choices`), `variables` that it wants to have back, and `hand_over` (`service`, `note`, `variables`) or
/// `close`. Without an answer, twice, the customer goes to the channel's service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BotSettings {
    /// Where it is asked.
    pub url: String,
    /// By which name: one system may be several bots.
    #[serde(default)]
    pub id: String,
    /// Whether who writes after an interaction has ended comes to the bot again (*Retorno para BOT*),
    /// rather than to the agent who had it.
    #[serde(default)]
    pub returns: bool,
}

/// When a customer who does not answer is not waited for any longer. A customer who waits for the agent
/// is never left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpirySettings {
    /// After how many minutes of silence they are warned; not at all when not set.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 43_200)]
    pub warn_minutes: Option<u32>,
    /// After how many minutes of silence it is over: more than until the warning.
    #[schema(minimum = 1, maximum = 43_200)]
    pub close_minutes: u32,
    /// What the warning says.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub warning: Texts,
    /// What is said at the end.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub farewell: Texts,
}

/// How often who waits is told their place in the line (`{{position}}`): only when it has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PositionSettings {
    /// Seconds from one time to the next at least.
    #[schema(minimum = 10, maximum = 3_600)]
    pub every_seconds: u32,
    /// What is said.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub text: Texts,
}

/// What who waits is told one after the other, and from the first again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitingSettings {
    /// Minutes before each.
    #[schema(minimum = 1, maximum = 1_440)]
    pub every_minutes: u32,
    /// What is said.
    #[schema(value_type = Vec<Object>, min_items = 1, max_items = 20)]
    pub texts: Vec<Texts>,
}

/// A text by language.
pub type Texts = BTreeMap<Language, String>;

impl LifeSettings {
    /// The first field that cannot be taken, if any.
    pub(super) fn wrong(&self) -> Option<&'static str> {
        let expiry = self.expiry.as_ref();
        let texts = [
            ("life.greeting", self.greeting.as_ref()),
            ("life.absence", self.absence.as_ref()),
            ("life.closing", self.closing.as_ref()),
            ("life.expiry.warning", expiry.map(|expiry| &expiry.warning)),
            (
                "life.expiry.farewell",
                expiry.map(|expiry| &expiry.farewell),
            ),
        ];
        let position = self.position.as_ref();
        let place = [(
            "life.position.text",
            position.map(|position| &position.text),
        )];
        let waiting = self.waiting.iter().flat_map(|waiting| &waiting.texts);
        let waiting = waiting.map(|texts| ("life.waiting.texts", Some(texts)));
        let odd = texts
            .into_iter()
            .chain(place)
            .chain(waiting)
            .find(|(_, texts)| {
                let mut texts = texts.iter().flat_map(|texts| texts.values());
                texts.any(|text| !can_be_said(text))
            });
        let often = |position: &PositionSettings| !POSITION_S.contains(&position.every_seconds);
        let rare = |waiting: &WaitingSettings| !WAITING_MIN.contains(&waiting.every_minutes);
        let many = |waiting: &WaitingSettings| !(1..=WAITING_MAX).contains(&waiting.texts.len());
        let waiting = self.waiting.as_ref();
        let odd = odd.map(|(field, _)| field);
        let survey = self.survey.as_ref();
        let bot = self.bot.as_ref();
        let odd = odd.or(bot
            .is_some_and(|bot| !bot.is_sound())
            .then_some("life.bot.url"));
        let both = bot.is_some() && self.flow.is_some();
        let odd = odd.or(both.then_some("life.bot"));
        let odd = odd.or(survey
            .is_some_and(|survey| !survey.is_sound())
            .then_some("life.survey"));
        odd.or_else(|| {
            position
                .is_some_and(often)
                .then_some("life.position.every_seconds")
        })
        .or_else(|| {
            waiting
                .is_some_and(rare)
                .then_some("life.waiting.every_minutes")
        })
        .or_else(|| waiting.is_some_and(many).then_some("life.waiting.texts"))
        .or_else(|| expiry.and_then(ExpirySettings::wrong))
    }

    /// The same as the exchange takes them. `token` proves to the bot that we ask.
    pub(crate) fn settings(&self, token: impl FnOnce() -> String) -> text::Settings {
        let words = |texts: &Texts| Words(texts.clone());
        let expiry = self.expiry.as_ref().map(|expiry| {
            let warn = expiry.warn_minutes.map(minutes);
            text::Expiry {
                warning: warn.map(|after| (after, words(&expiry.warning))),
                after: minutes(expiry.close_minutes),
                farewell: words(&expiry.farewell),
            }
        });
        text::Settings {
            flow: self.flow.as_ref().map(|id| ivr::FlowId::new(id.as_str())),
            bot: self.bot.as_ref().map(|bot| text::BotSettings {
                url: bot.url.clone(),
                id: bot.id.clone(),
                token: token(),
            }),
            greeting: self.greeting.as_ref().map(words),
            absence: self.absence.as_ref().map(words),
            position: self.position.as_ref().map(|position| {
                let every = Duration::from_secs(u64::from(position.every_seconds));
                (every, words(&position.text))
            }),
            waiting: self.waiting.as_ref().map(|waiting| {
                let texts = waiting.texts.iter().map(words);
                (minutes(waiting.every_minutes), texts.collect())
            }),
            expiry,
            closing: self.closing.as_ref().map(words),
            survey: self
                .survey
                .as_ref()
                .and_then(|survey| survey::content(survey, 0)),
        }
    }
}

impl BotSettings {
    fn is_sound(&self) -> bool {
        channels::send::host(&self.url).is_some()
            && self.url.len() <= URL_BYTES_MAX
            && self.id.len() <= BOT_ID_BYTES_MAX
    }
}

impl ExpirySettings {
    fn wrong(&self) -> Option<&'static str> {
        let range = 1..=MINUTES_MAX;
        if !range.contains(&self.close_minutes) {
            return Some("life.expiry.close_minutes");
        }
        let odd = |warn: u32| !(1..self.close_minutes).contains(&warn);
        self.warn_minutes
            .is_some_and(odd)
            .then_some("life.expiry.warn_minutes")
    }
}

fn can_be_said(text: &str) -> bool {
    let is_known = |part: &Part<'_>| match part {
        Part::Text(_) => true,
        Part::Variable(name) => text::NAMES.contains(name),
    };
    let parts = template::parts(text);
    let is_right = parts.is_ok_and(|parts| parts.iter().all(is_known));
    is_right && !text.trim().is_empty() && text.len() <= TEXT_BYTES_MAX && !text.contains('\0')
}

fn minutes(count: u32) -> Duration {
    Duration::from_secs(u64::from(count) * 60)
}

/// How often somebody may be told their place: less is noise, more is no news.
const POSITION_S: RangeInclusive<u32> = 10..=3_600;

/// How often somebody may be told that they wait: a minute to a day.
const WAITING_MIN: RangeInclusive<u32> = 1..=1_440;

/// Different things to say to who waits.
const WAITING_MAX: usize = 20;

/// What every program takes.
const URL_BYTES_MAX: usize = 2_000;

/// Of a bot, as the other system calls it.
const BOT_ID_BYTES_MAX: usize = 100;

/// A month: who has not answered by then does not.
const MINUTES_MAX: u32 = 43_200;

/// What every channel carries in one message.
const TEXT_BYTES_MAX: usize = 4_096;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn wrong(settings: Value) -> Option<&'static str> {
        let settings: LifeSettings = serde_json::from_value(settings).expect("the right form");
        settings.wrong()
    }

    #[test]
    fn what_cannot_be_said_or_waited_for_is_refused_by_its_field() {
        let good = json!({ "greeting": { "pt-BR": "Olá, {{name}}" }, "absence": {},
            "expiry": { "warn_minutes": 1, "close_minutes": 2 } });
        assert_eq!(wrong(good), None);
        for (settings, field) in [
            (
                json!({ "greeting": { "en": "Hi {{nome}}" } }),
                "life.greeting",
            ),
            (json!({ "absence": { "en": "Hi {{name" } }), "life.absence"),
            (json!({ "closing": { "en": " " } }), "life.closing"),
            (
                json!({ "closing": { "en": "a".repeat(4_097) } }),
                "life.closing",
            ),
            (
                json!({ "expiry": { "close_minutes": 9, "farewell": { "es": "\0" } } }),
                "life.expiry.farewell",
            ),
            (json!({ "bot": { "url": "erp.example" } }), "life.bot.url"),
            (
                json!({ "bot": { "url": "https://erp.example/bot" }, "flow": "menu" }),
                "life.bot",
            ),
            (
                json!({ "expiry": { "close_minutes": 0 } }),
                "life.expiry.close_minutes",
            ),
            (
                json!({ "position": { "every_seconds": 9 } }),
                "life.position.every_seconds",
            ),
            (
                json!({ "position": { "every_seconds": 10, "text": { "en": "{{place}}" } } }),
                "life.position.text",
            ),
            (
                json!({ "waiting": { "every_minutes": 0, "texts": [{}] } }),
                "life.waiting.every_minutes",
            ),
            (
                json!({ "waiting": { "every_minutes": 1, "texts": [] } }),
                "life.waiting.texts",
            ),
            (
                json!({ "waiting": { "every_minutes": 1, "texts": [{ "es": "" }] } }),
                "life.waiting.texts",
            ),
            (
                json!({ "expiry": { "close_minutes": 9, "warn_minutes": 9 } }),
                "life.expiry.warn_minutes",
            ),
        ] {
            assert_eq!(wrong(settings.clone()), Some(field), "{settings}");
        }
    }

    #[test]
    fn minutes_are_minutes_and_nothing_set_is_nothing_done() {
        let expiry = json!({ "expiry": { "warn_minutes": 10, "close_minutes": 15 } });
        let settings: LifeSettings = serde_json::from_value(expiry).expect("the right form");
        let expiry = settings.settings(String::new).expiry.expect("set");
        assert_eq!(expiry.after, Duration::from_secs(900));
        assert_eq!(expiry.warning.expect("set").0, Duration::from_secs(600));
        assert!(LifeSettings::default().settings(String::new).is_empty());
    }
}
