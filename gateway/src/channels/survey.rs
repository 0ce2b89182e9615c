//! Surveys in writing: the desk asks the first question when an agent has closed, each answer brings the
//! next one. A few words that are no answer (an "obrigado!" most of the time) have it asked once more; what
//! says more, or is none again, is a message like any other.
//!
//! What is asked stands in the message that asks it, so nothing else is kept of a survey under way: it is
//! over when anything else was written.

use channels::webchat::ANSWER_CHARS_MAX;
use channels::webchat::survey::{Question, QuestionKind, Survey};
use desk::id::{ConversationId, MessageId};
use desk::record::{Change, Direction, SurveyAnswer, TrailKind};
use exchange::text::{Purpose, Values, Words};
use ivr::Language;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::conversations::{self, Conversation, Newcomer};
use store::interactions::{self, Interaction};
use store::messages::{self, Message};
use store::{Error, changes};

use super::matter::{Made, Maker, Passing, Told, language, language_of, words};
use super::webchat::WEBCHAT;
use super::{Outcome, Taken, attachments, outbound, settings};

/// What a message asks, beside its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Asked {
    /// Of which survey.
    survey: String,
    /// Which question.
    question: String,
    /// Whether it is asked for the second time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    again: bool,
}

/// What somebody says to a question.
pub(super) struct Answered {
    last: Interaction,
    survey: Survey,
    /// The place of the question.
    place: usize,
    /// Nothing where it is to be asked again.
    answer: Option<String>,
}

/// How a question is written. What it offers to choose from stands below it, and beside it for channels
/// that show buttons.
pub(super) fn content(survey: &Survey, place: usize) -> Option<Value> {
    let question = survey.questions.get(place)?;
    let asked = Asked {
        survey: survey.id.clone(),
        question: question.id.clone(),
        again: false,
    };
    let offered: Vec<(String, String)> = match question.kind {
        QuestionKind::Stars => (1..=5)
            .map(|stars| (stars.to_string(), "⭐".repeat(stars)))
            .collect(),
        QuestionKind::Choice => question
            .choices
            .iter()
            .map(|choice| (choice.id.clone(), choice.title.clone()))
            .collect(),
        QuestionKind::Nps | QuestionKind::Text => vec![],
    };
    let mut text = question.text.clone();
    match question.kind {
        QuestionKind::Stars => text.push_str(" (1–5)"),
        QuestionKind::Nps => text.push_str(" (0–10)"),
        QuestionKind::Choice => {
            for (number, (_, title)) in (1..).zip(&offered) {
                text.push_str(&format!("\n{number} - {title}"));
            }
        }
        QuestionKind::Text => {}
    }
    let mut content = json!({ "kind": "text", "text": text, "survey": asked });
    if !offered.is_empty() {
        let choices = offered.into_iter();
        let choices = choices.map(|(id, title)| json!({ "id": id, "title": title }));
        content["body"] = json!(question.text);
        content["choices"] = Value::Array(choices.collect());
    }
    Some(content)
}

/// The same question once more.
fn content_again(survey: &Survey, place: usize, language: Option<Language>) -> Option<Value> {
    let mut content = content(survey, place)?;
    content["survey"]["again"] = json!(true);
    let sorry = match language.unwrap_or(Language::PtBr) {
        Language::PtBr => "Não entendi a resposta. Se precisar de outra coisa, é só escrever.",
        Language::En => "I did not understand the answer. If you need anything else, just write.",
        Language::Es => "No entendí la respuesta. Si necesita otra cosa, escríbanos.",
    };
    for field in ["text", "body"] {
        if let Some(text) = content[field].as_str() {
            content[field] = json!(format!("{sorry}\n{text}"));
        }
    }
    Some(content)
}

/// The answer that somebody's words are; none where they say something else.
fn reading(question: &Question, words: &str) -> Option<String> {
    let words = words.trim();
    let stars = words
        .chars()
        .filter(|letter| "⭐★".contains(*letter))
        .count();
    let answer = match question.kind {
        QuestionKind::Stars if stars > 0 => stars.to_string(),
        QuestionKind::Stars | QuestionKind::Nps => number(words)?,
        QuestionKind::Choice => {
            let lower = words.to_lowercase();
            let is_it = |(number, id, title): &(usize, &str, &str)| {
                *id == words || title.to_lowercase() == lower || number.to_string() == words
            };
            let choices = question.choices.iter().zip(1..);
            let mut choices = choices.map(|(one, number)| (number, &*one.id, &*one.title));
            choices.find(is_it).map(|(_, id, _)| id.to_owned())?
        }
        QuestionKind::Text => words.chars().take(ANSWER_CHARS_MAX).collect(),
    };
    question.takes(&answer).then_some(answer)
}

/// The one number in a few words (`nota 9`).
fn number(words: &str) -> Option<String> {
    if words.chars().count() > FEW_CHARS {
        return None;
    }
    let mut numbers = words
        .split(|letter: char| !letter.is_ascii_digit())
        .filter(|part| !part.is_empty());
    let only = numbers.next()?;
    let number: u8 = only.parse().ok()?;
    numbers.next().is_none().then(|| number.to_string())
}

/// Whether words are too few to be another matter.
fn is_remark(words: &str) -> bool {
    (1..=REMARK_WORDS_MAX).contains(&words.split_whitespace().count())
}

impl Maker<'_> {
    /// What a message answers, where the message before it is a question of a survey of an interaction
    /// that is over.
    pub(super) async fn survey_answer(
        &mut self,
        talk: &Conversation,
        passing: &Passing<'_>,
    ) -> Result<Option<Answered>, Error> {
        let Some(survey) = settings::life(passing.channel).survey else {
            return Ok(None);
        };
        let before = talk.seq.saturating_sub(1);
        let before = messages::by_seq(&mut **self.db, &talk.id, before).await?;
        let asks = before.filter(|before| passing.at_ms - before.at_ms < ANSWER_WITHIN_MS);
        let asked = asks.and_then(|before| Some((asked(&before)?, before.interaction)));
        let Some((asked, interaction)) = asked.filter(|(asked, _)| asked.survey == survey.id)
        else {
            return Ok(None);
        };
        let mut questions = survey.questions.iter();
        let place = questions.position(|question| question.id == asked.question);
        let Some(place) = place else {
            return Ok(None);
        };
        let said = words(&passing.arriving.message.content);
        let answer = reading(&survey.questions[place], said);
        // A chat has a form: what is written beside it is no answer to it.
        let is_asked_again = !asked.again && passing.channel.kind != WEBCHAT && is_remark(said);
        if answer.is_none() && !is_asked_again {
            return Ok(None);
        }
        let last = interactions::by_id(&mut **self.db, &talk.company, &interaction).await?;
        let last = last.filter(|last| last.ended_ms.is_some());
        Ok(last.map(|last| Answered {
            last,
            survey,
            place,
            answer,
        }))
    }

    /// Keeps an answer with the interaction that it is about, which stays over, and asks what comes next.
    pub(super) async fn answered(
        &mut self,
        message: MessageId,
        talk: &Conversation,
        answered: Answered,
        passing: &Passing<'_>,
    ) -> Result<Made, Error> {
        let (channel, at_ms) = (passing.channel, passing.at_ms);
        let Answered {
            last,
            survey,
            place,
            answer,
        } = answered;
        let protocol = last.protocol.clone();
        let given = answer.map(|answer| SurveyAnswer {
            company: channel.company.clone(),
            interaction: last.id.clone(),
            service: last
                .service
                .clone()
                .unwrap_or_else(|| channel.service.clone()),
            agent: last.agent.clone(),
            flow: format!("survey:{}", survey.id),
            question: survey.questions[place].id.clone(),
            answer,
            at_ms,
        });
        let matter = self.goes_on(last, passing).await?;
        let row = self.row(&message, talk, &matter, passing);
        messages::insert(&mut **self.db, &row).await?;
        attachments::of(self.db, self.random, channel, &row).await?;
        let told = (TrailKind::MessageReceived, &message, talk.seq);
        conversations::say(self.db, &row.interaction, told, at_ms).await?;
        let company = store::companies::by_id(&mut **self.db, &channel.company).await?;
        let usual = company
            .as_ref()
            .and_then(|known| language_of(&known.language));
        let language = language(&passing.contact).or(usual);
        let question = match given {
            Some(given) => {
                let change = Change::SurveyAnswered(Box::new(given));
                changes::apply(self.db, [&change]).await?;
                content(&survey, place + 1)
            }
            None => content_again(&survey, place, language),
        };
        let (content, purpose) = match question {
            Some(question) => (question, "survey"),
            None => (thanks(language), Purpose::SurveyThanks.as_str()),
        };
        let name = company.map(|company| company.name);
        let newcomer = Newcomer {
            id: &ConversationId::new(at_ms, self.random),
            company: &channel.company,
            channel: &channel.id,
            thread: &talk.thread,
            now_ms: at_ms,
        };
        let talk = conversations::next(&mut **self.db, &newcomer).await?;
        let id = MessageId::new(at_ms, self.random);
        let author = json!({ "kind": "system", "name": name });
        let said = outbound::row(
            &talk,
            (id, row.interaction.clone()),
            (author, content),
            at_ms,
        );
        conversations::write(self.db, &said, Some(purpose)).await?;
        let taken = Taken {
            message,
            interaction: row.interaction.clone(),
            protocol,
            has_agent: false,
            is_over: true,
            is_duplicate: false,
        };
        let told = Told::Changed(row.interaction, said.seq);
        Ok(Made {
            outcome: Outcome::Taken(taken),
            told: vec![(channel.company.clone(), told)],
        })
    }
}

fn thanks(language: Option<Language>) -> Value {
    let words = Words::default();
    let language = language.unwrap_or(Language::PtBr);
    let text = words.text(Purpose::SurveyThanks, language, &Values::default());
    json!({ "kind": "text", "text": text })
}

/// What a message of ours asks.
fn asked(message: &Message) -> Option<Asked> {
    let asked = message.content.get("survey").cloned()?;
    let asked = serde_json::from_value(asked).ok()?;
    (message.direction == Direction::Outbound).then_some(asked)
}

/// A day: who writes later has something else to say.
const ANSWER_WITHIN_MS: i64 = 24 * 3_600_000;

/// `minha nota é 10, obrigada!` is an answer; a story with a number in it is none.
const FEW_CHARS: usize = 40;

/// `muito obrigada`, `ok`; whoever needs something says what it is.
const REMARK_WORDS_MAX: usize = 2;

#[cfg(test)]
mod tests {
    use channels::webchat::survey::Pick;

    use super::*;

    fn question(kind: QuestionKind) -> Question {
        let pick = |id: &str, title: &str| Pick {
            id: id.to_owned(),
            title: title.to_owned(),
        };
        Question {
            id: "q".to_owned(),
            kind,
            text: "Como foi?".to_owned(),
            required: false,
            choices: match kind {
                QuestionKind::Choice => vec![pick("s", "Sim"), pick("n", "Não")],
                QuestionKind::Stars | QuestionKind::Nps | QuestionKind::Text => vec![],
            },
        }
    }

    #[test]
    fn an_answer_is_read_as_people_write_it_and_nothing_else_is_one() {
        use QuestionKind::{Choice, Nps, Stars, Text};
        #[rustfmt::skip]
        let rows = [
            (Stars, "5", Some("5")), (Stars, " nota 4! ", Some("4")), (Stars, "⭐⭐⭐", Some("3")),
            (Stars, "0", None), (Stars, "6", None), (Stars, "", None), (Stars, "de 4 a 5", None),
            (Stars, "⭐⭐⭐⭐⭐⭐", None), (Stars, "preciso de ajuda", None),
            (Nps, "10", Some("10")), (Nps, "0", Some("0")), (Nps, "11", None), (Nps, "999", None),
            (Nps, "o meu pedido de número 7 ainda não chegou, podem ver?", None),
            (Choice, "n", Some("n")), (Choice, "SIM", Some("s")), (Choice, "2", Some("n")), (Choice, "3", None),
            (Text, " Tudo ótimo. ", Some("Tudo ótimo.")), (Text, "  ", None),
        ];
        for (kind, words, answer) in rows {
            assert_eq!(
                reading(&question(kind), words).as_deref(),
                answer,
                "{kind:?} {words}"
            );
        }
    }

    #[test]
    fn a_question_says_how_it_is_answered() {
        let survey = Survey {
            id: "s".to_owned(),
            questions: vec![question(QuestionKind::Choice), question(QuestionKind::Nps)],
        };
        let first = content(&survey, 0).expect("a question");
        assert_eq!(first["text"], "Como foi?\n1 - Sim\n2 - Não");
        assert_eq!(first["choices"][1], json!({ "id": "n", "title": "Não" }));
        assert_eq!(first["survey"], json!({ "survey": "s", "question": "q" }));
        let second = content(&survey, 1).expect("a question");
        assert_eq!(second["text"], "Como foi? (0–10)");
        assert_eq!(content(&survey, 2), None);
        let again = content_again(&survey, 0, Some(Language::En)).expect("a question");
        let text = again["text"].as_str().expect("text");
        assert!(text.ends_with("\nComo foi?\n1 - Sim\n2 - Não"), "{text}");
        assert_eq!(again["survey"]["again"], true);
    }
}
