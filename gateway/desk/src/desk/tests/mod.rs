//! The desk, rule by rule, in virtual time.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one kind of output among all of them"
)]

mod callback;
mod capacity;
mod complaints;
mod handing;
mod offers;
mod overflow;
mod presence;
mod restart;
mod routing;
mod words;
mod wrap_up;

use std::time::{Duration, Instant};

use super::Desk;
use crate::change::{Change, OfferEnd};
use crate::decision::{Decision, OfferId};
use crate::id::{ServiceId, UserId, WorkId};
use crate::output::{DeskError, Output};
use crate::rules::{AgentRules, Rules, ServiceRules};
use crate::work::{Medium, Priority, SkillWanted, Work};

/// When every test begins, in milliseconds since 1970 (UTC).
const START_MS: i64 = 1_790_000_000_000;

/// A desk, the time, and what it told.
struct Floor {
    desk: Desk,
    start: Instant,
    at_ms: i64,
    told: Vec<Output>,
}

#[allow(clippy::disallowed_methods)] // the one clock read of these tests: only differences count
fn origin() -> Instant {
    Instant::now()
}

fn id<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().expect("an id")
}

/// An agent: a name, services, skills with their levels.
type Person<'a> = (&'a str, &'a [&'a str], &'a [(&'a str, u8)]);

/// Rules with these services as they usually are, and these agents.
fn rules(services: &[&str], agents: &[Person]) -> Rules {
    let mut rules = Rules::default();
    for service in services {
        rules.services.insert(id(service), ServiceRules::default());
    }
    for (name, services, skills) in agents {
        let agent = AgentRules {
            services: services.iter().map(|service| id(service)).collect(),
            skills: skills
                .iter()
                .map(|(skill, level)| (id(skill), *level))
                .collect(),
            ..AgentRules::default()
        };
        rules.agents.insert(id(name), agent);
    }
    rules.pauses.insert(id("almoco"), Default::default());
    rules.check().expect("rules that can work");
    rules
}

/// Rules with one service, `vendas`, changed so, and these agents in it.
fn sales(agents: &[&str], change: impl FnOnce(&mut ServiceRules)) -> Rules {
    let vendas: &[&str] = &["vendas"];
    let agents: Vec<_> = agents.iter().map(|name| (*name, vendas, &[][..])).collect();
    let mut rules = rules(vendas, &agents);
    change(rules.services.get_mut(&id("vendas")).expect("it is there"));
    rules
}

fn work(name: &str) -> Work {
    Work {
        id: id(name),
        interaction: id(name),
        medium: Medium::Phone,
        service: id("vendas"),
        contact: None,
        arrived_ms: i64::MAX,
        priority: Priority::default(),
        skills: vec![],
        number: None,
        preferred: None,
    }
}

fn wanted(skill: &str, level: u8) -> SkillWanted {
    SkillWanted {
        skill: id(skill),
        level,
        fixed: false,
    }
}

impl Floor {
    fn new(rules: Rules) -> Self {
        let start = origin();
        Self {
            desk: Desk::new(start, START_MS, rules),
            start,
            at_ms: 0,
            told: vec![],
        }
    }

    fn now(&self) -> Instant {
        self.start + Duration::from_millis(u64::try_from(self.at_ms).expect("forward"))
    }

    fn collect(&mut self) {
        while let Some(output) = self.desk.poll_output() {
            self.told.push(output);
        }
    }

    /// Does something, and keeps what it brings about.
    fn does<T>(&mut self, command: impl FnOnce(&mut Desk, Instant) -> T) -> T {
        let now = self.now();
        let result = command(&mut self.desk, now);
        self.collect();
        result
    }

    /// Lets `ms` milliseconds pass, waking the desk when it asks to be.
    fn passes(&mut self, ms: i64) {
        let until = self.at_ms + ms;
        for _ in 0..1_000 {
            let Some(due) = self.desk.poll_timeout() else {
                break;
            };
            let due = due.saturating_duration_since(self.start).as_millis();
            let due = i64::try_from(due).expect("near");
            if due > until {
                break;
            }
            self.at_ms = self.at_ms.max(due);
            self.does(Desk::handle_timeout);
        }
        self.at_ms = until;
        self.does(Desk::handle_timeout);
    }

    fn comes(&mut self, agent: &str) {
        self.does(|desk, now| desk.log_in(now, &id(agent)))
            .expect("an agent");
    }

    fn waits(&mut self, work: Work) {
        self.does(|desk, now| desk.enqueue(now, work))
            .expect("room");
    }

    fn leaves(&mut self, work: &str) {
        self.does(|desk, now| desk.handle_over(now, &id(work)))
            .expect("work");
    }

    fn accepts(&mut self, offer: OfferId) {
        self.does(|desk, now| desk.accept(now, offer))
            .expect("it stands");
    }

    /// The agent takes what is offered and is done with it at once.
    fn handles(&mut self, work: &str) {
        let offer = self.offer_of(work);
        self.accepts(offer);
        self.leaves(work);
    }

    /// What was told since the last time it was asked, without what is to be saved.
    fn events(&mut self) -> Vec<Output> {
        let told = std::mem::take(&mut self.told);
        told.into_iter()
            .filter(|output| !matches!(output, Output::Save(_)))
            .collect()
    }

    fn decisions(&mut self) -> Vec<Decision> {
        let told = std::mem::take(&mut self.told);
        told.into_iter()
            .filter_map(|output| match output {
                Output::Save(Change::Decided(decision)) => Some(*decision),
                _ => None,
            })
            .collect()
    }

    /// Who is offered what since the last time it was asked.
    fn offers(&mut self) -> Vec<(String, String)> {
        self.events()
            .into_iter()
            .filter_map(|event| match event {
                Output::Offered { work, agent, .. } => Some((work.to_string(), agent.to_string())),
                _ => None,
            })
            .collect()
    }

    /// The first offer of a work that stands.
    fn offer_of(&self, name: &str) -> OfferId {
        match &self.desk.work(&id(name)).expect("it is here").state {
            crate::change::WorkState::Offered(offers) => offers[0].id,
            other => panic!("{name} is {other:?}"),
        }
    }

    fn doing(&self, name: &str) -> &'static str {
        self.desk
            .work(&id(name))
            .map_or("gone", |record| record.state.name())
    }

    /// Who has a work in hand.
    fn holder(&self, name: &str) -> Option<String> {
        let record = self.desk.work(&id(name))?;
        record.state.holder().map(ToString::to_string)
    }
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected
        .iter()
        .map(|(work, agent)| ((*work).to_owned(), (*agent).to_owned()))
        .collect()
}
