//! What a visitor is asked when a matter is over.

use std::collections::BTreeSet;

use desk::words;
use serde::{Deserialize, Serialize};

use super::ANSWER_CHARS_MAX;

words! {
    /// How a question is answered.
    QuestionKind {
        /// With one to five stars.
        Stars = "stars",
        /// With a number from 0 to 10.
        Nps = "nps",
        /// With one of the choices.
        Choice = "choice",
        /// In words.
        Text = "text",
    }
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Survey {
    /// Its id.
    pub id: String,
    /// The questions.
    pub questions: Vec<Question>,
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Its id within the survey.
    pub id: String,
    /// How it is answered.
    pub kind: QuestionKind,
    /// The question.
    pub text: String,
    /// Whether it must be answered, if any is.
    #[serde(default)]
    pub required: bool,
    /// What to choose from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Pick>,
}

/// Something to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pick {
    /// What comes back when it is chosen.
    pub id: String,
    /// What people see.
    pub title: String,
}

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The id of the question.
    pub question: String,
    /// The answer: digits of stars and of a number, the id of a choice, or words.
    pub value: String,
}

/// The most answers of one survey.
pub const ANSWERS_MAX: usize = 20;

/// As many as a list of WhatsApp holds.
const CHOICES_MAX: usize = 10;

/// What WhatsApp carries above a list.
const QUESTION_CHARS_MAX: usize = 1_000;

/// What stands in a row of a list of WhatsApp.
const TITLE_CHARS_MAX: usize = 24;

/// Of a survey, a question, a choice.
const ID_BYTES_MAX: usize = 64;

fn is_text(text: &str, chars_max: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= chars_max && !text.contains('\0')
}

impl Survey {
    /// Whether it can be asked: it has a name and questions, each of which is one of its own and can be
    /// answered.
    pub fn is_sound(&self) -> bool {
        let ids = |ids: Vec<&str>| {
            let known: BTreeSet<&str> = ids.iter().copied().collect();
            let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            let is_id =
                |id: &str| (1..=ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(is_word);
            let are_ids = ids.iter().all(|id| is_id(id));
            are_ids && known.len() == ids.len()
        };
        let questions = self.questions.iter();
        ids(vec![&self.id])
            && (1..=ANSWERS_MAX).contains(&self.questions.len())
            && ids(questions.clone().map(|question| &*question.id).collect())
            && questions.clone().all(|question| {
                let choices = question.choices.iter();
                let many = match question.kind {
                    QuestionKind::Choice => 2..=CHOICES_MAX,
                    QuestionKind::Stars | QuestionKind::Nps | QuestionKind::Text => 0..=0,
                };
                is_text(&question.text, QUESTION_CHARS_MAX)
                    && many.contains(&question.choices.len())
                    && ids(choices.clone().map(|choice| &*choice.id).collect())
                    && choices
                        .clone()
                        .all(|choice| is_text(&choice.title, TITLE_CHARS_MAX))
            })
    }

    /// Checks answers: each question once, in its form, and all that must be answered. No answers at
    /// all are right: the visitor would rather not.
    ///
    /// # Errors
    ///
    /// The ids of the questions that are not rightly answered.
    pub fn check(&self, answers: &[Answer]) -> Result<(), Vec<String>> {
        if answers.is_empty() {
            return Ok(());
        }
        let of = |question: &Question| {
            let mut answers = answers
                .iter()
                .filter(|answer| answer.question == question.id);
            (answers.next(), answers.next().is_some())
        };
        let is_wrong = |question: &&Question| match of(question) {
            (_, true) => true,
            (Some(answer), false) => !question.takes(&answer.value),
            (None, false) => question.required,
        };
        let wrong = self.questions.iter().filter(is_wrong);
        let is_unknown = |answer: &&Answer| {
            !self
                .questions
                .iter()
                .any(|question| question.id == answer.question)
        };
        let unknown = answers.iter().filter(is_unknown);
        let mut fields: Vec<String> = wrong.map(|question| question.id.clone()).collect();
        fields.extend(unknown.map(|answer| answer.question.clone()));
        if fields.is_empty() {
            Ok(())
        } else {
            Err(fields)
        }
    }
}

impl Question {
    /// Whether this can be an answer to it.
    pub fn takes(&self, value: &str) -> bool {
        // One answer has one spelling: `5`, not `05` or `+5`.
        let number = || {
            value
                .parse::<u8>()
                .ok()
                .filter(|number| number.to_string() == value)
        };
        match self.kind {
            QuestionKind::Stars => number().is_some_and(|stars| (1..=5).contains(&stars)),
            QuestionKind::Nps => number().is_some_and(|number| number <= 10),
            QuestionKind::Choice => self.choices.iter().any(|choice| choice.id == value),
            QuestionKind::Text => {
                !value.trim().is_empty() && value.chars().count() <= ANSWER_CHARS_MAX
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(id: &str, kind: QuestionKind, required: bool) -> Question {
        let choice = |id: &str| Pick {
            id: id.to_owned(),
            title: id.to_uppercase(),
        };
        Question {
            id: id.to_owned(),
            kind,
            text: "Como foi?".to_owned(),
            required,
            choices: match kind {
                QuestionKind::Choice => vec![choice("a"), choice("b")],
                QuestionKind::Stars | QuestionKind::Nps | QuestionKind::Text => vec![],
            },
        }
    }

    fn survey() -> Survey {
        Survey {
            id: "s".to_owned(),
            questions: vec![
                question("csat", QuestionKind::Stars, true),
                question("nps", QuestionKind::Nps, false),
                question("why", QuestionKind::Choice, false),
                question("more", QuestionKind::Text, false),
            ],
        }
    }

    fn check(answers: &[(&str, &str)]) -> Result<(), Vec<String>> {
        let answer = |(question, value): &(&str, &str)| Answer {
            question: (*question).to_owned(),
            value: (*value).to_owned(),
        };
        survey().check(&answers.iter().map(answer).collect::<Vec<_>>())
    }

    #[test]
    fn each_kind_of_question_takes_its_answers_and_no_others() {
        let long = "é".repeat(ANSWER_CHARS_MAX);
        let longer = "é".repeat(ANSWER_CHARS_MAX + 1);
        #[rustfmt::skip]
        let rows: [(QuestionKind, &[&str], &[&str]); 4] = [
            (QuestionKind::Stars, &["1", "5"], &["0", "6", "", "05", "+5", "5.0", " 5", "-1", "256", "cinco"]),
            (QuestionKind::Nps, &["0", "10"], &["11", "00", "-0", ""]),
            (QuestionKind::Choice, &["a", "b"], &["", "A", "c"]),
            (QuestionKind::Text, &["ótimo", &long], &["", " \n", &longer]),
        ];
        for (kind, good, bad) in rows {
            let question = question("q", kind, false);
            assert!(good.iter().all(|value| question.takes(value)), "{kind}");
            assert!(!bad.iter().any(|value| question.takes(value)), "{kind}");
        }
    }

    #[test]
    fn what_must_be_answered_is_unless_nothing_is() {
        let wrong = |ids: &[&str]| Err(ids.iter().map(|id| (*id).to_owned()).collect());
        assert_eq!(check(&[]), Ok(()));
        assert_eq!(check(&[("csat", "5")]), Ok(()));
        assert_eq!(
            check(&[("more", "bom"), ("csat", "4"), ("why", "b")]),
            Ok(())
        );
        assert_eq!(check(&[("nps", "9")]), wrong(&["csat"]));
        assert_eq!(check(&[("csat", "5"), ("csat", "4")]), wrong(&["csat"]));
        assert_eq!(
            check(&[("csat", "6"), ("nps", "x")]),
            wrong(&["csat", "nps"])
        );
        assert_eq!(check(&[("csat", "5"), ("who", "x")]), wrong(&["who"]));
    }

    #[test]
    fn a_survey_that_cannot_be_asked_is_known() {
        let good = survey();
        assert!(good.is_sound());
        let changed = |change: &dyn Fn(&mut Survey)| {
            let mut survey = survey();
            change(&mut survey);
            survey
        };
        for bad in [
            changed(&|survey| survey.id.clear()),
            changed(&|survey| survey.questions.clear()),
            changed(&|survey| survey.questions[0].text = " ".to_owned()),
            changed(&|survey| survey.questions[1].id = survey.questions[0].id.clone()),
            changed(&|survey| {
                survey.questions[0].choices = vec![Pick {
                    id: "a".to_owned(),
                    title: "A".to_owned(),
                }]
            }),
            changed(&|survey| {
                for question in &mut survey.questions {
                    question.kind = QuestionKind::Choice;
                    question.choices.clear();
                }
            }),
        ] {
            assert!(!bad.is_sound(), "{bad:?}");
        }
    }
}
