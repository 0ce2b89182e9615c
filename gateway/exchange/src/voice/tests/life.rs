//! What customers who write are told without anybody writing it, and when they are not waited for.

use desk::id::{CompanyId, InteractionId};
use desk::kept::{Said, Standing};
use ivr::hours::Calendar;
use serde_json::Value;

use super::agents::*;
use super::written::{id, written_desk};
use super::*;
use crate::text::{Expiry, Settings, Words};
use crate::voice::Holder;

const MINUTE: u64 = 60;

/// From Monday to Friday from 13:00 to 18:00 UTC; the scene begins on a Monday at 12:00.
const AFTERNOONS: &str = r#"{ "time_zone": "UTC", "schedule": { "weekly": {
    "monday": [{ "from": "13:00", "to": "18:00" }] } }, "holidays": "none" }"#;

impl Scene {
    /// What nobody wrote, and the lines beside it, in order.
    fn lines_said(&self) -> Vec<String> {
        let told = self.kept.iter().filter_map(|kept| match kept {
            Kept::Said(said) => Some(said.purpose.to_owned()),
            Kept::Step(step) => Some(match &step.standing {
                Standing::Open => step.line.kind.as_str().to_owned(),
                Standing::Ended(end) => format!("{} {}", end.by.as_str(), end.cause),
            }),
            _ => None,
        });
        told.collect()
    }

    fn said(&self) -> Vec<&Said> {
        let said = self.kept.iter().filter_map(|kept| match kept {
            Kept::Said(said) => Some(&**said),
            _ => None,
        });
        said.collect()
    }

    /// The lives that the store would have.
    pub(super) fn lives(&self) -> Vec<(CompanyId, InteractionId, Value)> {
        let mut lives = BTreeMap::new();
        for kept in &self.kept {
            match kept {
                Kept::Life {
                    company,
                    interaction,
                    record,
                    ..
                } => {
                    let life = (company.clone(), interaction.clone(), record.clone());
                    lives.insert(interaction.clone(), life);
                }
                Kept::LifeRemoved(interaction) => {
                    lives.remove(interaction);
                }
                _ => {}
            }
        }
        lives.into_values().collect()
    }

    fn replies(&mut self, interaction: &str, seq: u32) {
        self.voice
            .handle_reply(self.now, &company(), &id(interaction), seq);
        self.settle();
    }

    fn minutes(&mut self, minutes: u64) {
        let passed = self.now.instant - self.start.instant;
        self.until(passed + Duration::from_secs(minutes * MINUTE));
    }
}

fn lively() -> Scene {
    let mut scene = written_desk();
    scene.change(|company| {
        let words = Words::default;
        let settings = Settings {
            greeting: Some(words()),
            absence: Some(words()),
            expiry: Some(Expiry {
                warning: Some((Duration::from_secs(10 * MINUTE), words())),
                after: Duration::from_secs(15 * MINUTE),
                farewell: words(),
            }),
            closing: Some(words()),
        };
        company.channels.insert(id("erp"), settings);
    });
    scene
}

fn closed_until_13(scene: &mut Scene) {
    scene.change(|company| {
        let calendar: Calendar = serde_json::from_str(AFTERNOONS).expect("a calendar");
        let service = company.services.values_mut().next().expect("one");
        service.calendar = Some(Arc::new(calendar));
    });
}

#[test]
fn who_writes_is_greeted_after_the_line_of_the_queue_and_hears_the_last_words_before_the_end() {
    let mut scene = lively();
    scene.sits_down("ana");
    scene.writes("i1", 1).expect("room");
    let work = scene.takes("ana");
    scene.writes("i1", 2).expect("it is in hand");
    scene.closes("ana", &work);
    let told = [
        "queued",
        "greeting",
        "agent_answered",
        "closing",
        "agent closed",
    ];
    assert_eq!(scene.lines_said(), told);
    let greeting = scene.said()[0];
    assert_eq!(
        greeting.author,
        serde_json::json!({ "kind": "system", "name": "Demo" })
    );
    let text = greeting.content["text"].as_str().expect("text");
    assert!(text.ends_with("Seu protocolo é 20261123000001."), "{text}");
    assert!(scene.lives().is_empty());
}

#[test]
fn who_writes_while_it_is_closed_is_told_when_it_opens() {
    let mut scene = lively();
    closed_until_13(&mut scene);
    scene.writes("i1", 1).expect("it waits all the same");
    scene.writes("i1", 2).expect("it waits");
    assert_eq!(scene.lines_said(), ["queued", "absence"]);
    let text = scene.said()[0].content["text"].as_str().expect("text");
    assert!(text.contains("voltamos em 23/11 13:00."), "{text}");
}

#[test]
fn who_does_not_answer_the_agent_is_warned_and_left_and_may_come_back() {
    let mut scene = lively();
    scene.writes("i1", 1).expect("room");
    scene.minutes(30);
    scene.sits_down("ana");
    scene.takes("ana");
    scene.minutes(60);
    assert_eq!(
        scene.lines_said().last().map(String::as_str),
        Some("agent_answered")
    );
    scene.replies("i1", 2);
    scene.minutes(9);
    assert_eq!(scene.lines_said().len(), 3, "{:?}", scene.lines_said());
    scene.minutes(1);
    assert_eq!(scene.lines_said()[3..], ["expiry_warning"]);
    scene.minutes(5);
    assert_eq!(scene.lines_said()[4..], ["expired", "ramal expired"]);
    assert!(scene.lives().is_empty());
    assert_eq!(scene.doing("ana"), ["wrapping up"]);
    let passed = scene.now.instant - scene.start.instant;
    scene.until(passed + Duration::from_secs(11));
    assert_eq!(scene.doing("ana"), [""; 0]);
    assert_eq!(scene.lines_said().len(), 6, "it ended once");
    assert_eq!(
        scene.writes("i1", 3),
        Ok(Holder::Offered(vec![agent("ana")]))
    );
    let back = scene.takes("ana");
    scene.closes("ana", &back);
    assert_eq!(
        scene.lines_said().last().map(String::as_str),
        Some("agent closed")
    );
}

#[test]
fn the_time_of_a_customer_runs_on_while_the_program_begins_again() {
    let mut scene = lively();
    scene.sits_down("ana");
    scene.writes("i1", 1).expect("room");
    scene.takes("ana");
    scene.replies("i1", 2);
    scene.minutes(4);
    let mut scene = scene.started_later(&[("ana", &[])], Duration::from_secs(MINUTE));
    let settings = lively().voice.shared.directory.companies[&company()]
        .channels
        .clone();
    scene.change(|company| company.channels = settings);
    scene.sits_down("ana");
    assert_eq!(scene.lines_said(), [""; 0]);
    scene.minutes(4);
    assert_eq!(scene.lines_said(), [""; 0]);
    scene.minutes(1);
    assert_eq!(scene.lines_said(), ["expiry_warning"]);
    scene.writes("i1", 3).expect("it is in hand");
    scene.minutes(60);
    assert_eq!(
        scene.lines_said(),
        ["expiry_warning"],
        "the agent is to answer"
    );
}

#[test]
fn a_channel_without_settings_says_nothing_and_keeps_nothing() {
    let mut scene = written_desk();
    scene.sits_down("ana");
    scene.writes("i1", 1).expect("room");
    scene.takes("ana");
    scene.replies("i1", 2);
    scene.minutes(600);
    assert_eq!(scene.lines_said(), ["queued", "agent_answered"]);
    assert!(scene.lives().is_empty());
}
