//! What it costs the desk to decide an offer: 500 agents, 10,000 waiting works, 200 services.
//!
//! The goal is 50 µs for a whole turn that ends in an offer: the command, the choice among all
//! that waits or all who are free, the decision with its reasons, and what is to be saved.

#![allow(
    missing_docs,
    clippy::wildcard_enum_match_arm,
    reason = "criterion's macro writes no documentation; a bench looks for one state"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use desk::Desk;
use desk::change::WorkState;
use desk::decision::OfferId;
use desk::id::{SkillId, UserId, WorkId};
use desk::output::Output;
use desk::rules::{AgentRules, Routing, Rules, ServiceRules};
use desk::work::{Medium, Priority, SkillWanted, Work};
use nix::time::{ClockId, clock_gettime};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

const AGENTS: usize = 500;
const WORKS: usize = 10_000;
const SERVICES: usize = 200;
const SKILLS: usize = 8;
const START_MS: i64 = 1_790_000_000_000;

fn id<T: std::str::FromStr>(kind: &str, number: usize) -> T
where
    T::Err: std::fmt::Debug,
{
    // As long as a real one.
    format!("{kind}-0123456789abcdef-{number:06}")
        .parse()
        .expect("an id")
}

/// What this thread has computed so far: other programs on the machine do not count.
fn cpu() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)
        .expect("the kernel counts")
        .into()
}

/// A contact centre in which every agent serves `each` of the services.
struct House {
    desk: Desk,
    now: Instant,
    random: SmallRng,
    made: usize,
}

impl House {
    fn new(each: usize) -> Self {
        let mut random = SmallRng::seed_from_u64(1);
        let now = Instant::now();
        let rules = rules(each, &mut random);
        Self {
            desk: Desk::new(now, START_MS, rules),
            now,
            random,
            made: 0,
        }
    }

    fn work(&mut self) -> Work {
        self.made += 1;
        let mut skills = vec![];
        if self.random.random_ratio(1, 2) {
            skills.push(SkillWanted {
                skill: id("skill", self.random.random_range(0..SKILLS)),
                level: self.random.random_range(1..4),
                fixed: false,
            });
        }
        Work {
            id: id("work", self.made),
            interaction: id("work", self.made),
            medium: *[Medium::Phone, Medium::Phone, Medium::Chat]
                .choose(&mut self.random)
                .expect("media"),
            service: id("service", self.random.random_range(0..SERVICES)),
            contact: None,
            arrived_ms: i64::MAX,
            priority: Priority {
                contact: self.random.random_range(0..3),
                number: 0,
            },
            skills,
            number: None,
            preferred: None,
        }
    }

    fn enqueue(&mut self) -> WorkId {
        self.now += Duration::from_millis(1);
        let work = self.work();
        let id = work.id.clone();
        self.desk.enqueue(self.now, work).expect("room");
        id
    }

    /// Takes all outputs of a turn, and returns the offers among them.
    fn drain(&mut self) -> Vec<OfferId> {
        let mut offers = vec![];
        while let Some(output) = self.desk.poll_output() {
            if let Output::Offered { offer, .. } = &output {
                offers.push(*offer);
            }
            black_box(output);
        }
        offers
    }

    fn all_come(&mut self) {
        for number in 0..AGENTS {
            let agent: UserId = id("agent", number);
            self.desk.log_in(self.now, &agent).expect("an agent");
        }
        self.drain();
    }

    /// Fills every agent's hands, with all works waiting behind.
    fn all_busy(&mut self) -> Vec<WorkId> {
        while self.made < WORKS {
            self.enqueue();
        }
        self.all_come();
        let mut held = vec![];
        loop {
            let works = self.desk.snapshot().works;
            let offered = works.iter().filter_map(|record| match &record.state {
                WorkState::Offered(offers) => Some((record.work.id.clone(), offers[0].id)),
                _ => None,
            });
            let offered: Vec<(WorkId, OfferId)> = offered.collect();
            if offered.is_empty() {
                break;
            }
            for (work, offer) in offered {
                self.desk.accept(self.now, offer).expect("it stands");
                held.push(work);
            }
            self.drain();
        }
        while self.desk.snapshot().works.len() < WORKS + held.len() {
            for _ in 0..100 {
                self.enqueue();
            }
            self.drain();
        }
        held
    }
}

fn rules(each: usize, random: &mut SmallRng) -> Rules {
    let mut rules = Rules::default();
    for number in 0..SERVICES {
        let service = ServiceRules {
            routing: Routing::ALL[number % 4],
            weight: 1 + u32::from(number % 7 == 0),
            ..ServiceRules::default()
        };
        rules.services.insert(id("service", number), service);
    }
    for number in 0..AGENTS {
        let mut agent = AgentRules::default();
        while agent.services.len() < each {
            let service = random.random_range(0..SERVICES);
            agent.services.insert(id("service", service));
        }
        for skill in 0..SKILLS {
            if random.random_ratio(1, 2) {
                let level = random.random_range(1..4);
                agent.skills.insert(id::<SkillId>("skill", skill), level);
            }
        }
        rules.agents.insert(id("agent", number), agent);
    }
    rules.check().expect("rules that can work");
    rules
}

/// An agent becomes free while 10,000 works wait: which one do they get?
fn agent_free(criterion: &mut Criterion) {
    for each in [20, SERVICES] {
        let mut house = House::new(each);
        let mut held = house.all_busy();
        let name = format!("an agent of {each} services becomes free");
        criterion.bench_function(&name, |bencher| {
            bencher.iter_custom(|times| {
                let mut took = Duration::ZERO;
                for _ in 0..times {
                    let turn = house.random.random_range(0..held.len());
                    let work = held.swap_remove(turn);
                    house.now += Duration::from_micros(100);
                    let began = cpu();
                    house.desk.handle_over(house.now, &work).expect("held");
                    let mut offers = house.drain();
                    took += cpu() - began;
                    // Back to where we were; several chats may follow a call.
                    while let Some(offer) = offers.pop() {
                        house.desk.accept(house.now, offer).expect("it stands");
                        offers.extend(house.drain());
                    }
                    keep_enough(&house, &mut held);
                    house.enqueue();
                    house.drain();
                }
                took
            });
        });
    }
}

/// Learns anew what is in hand when half of what was is over.
fn keep_enough(house: &House, held: &mut Vec<WorkId>) {
    if held.len() < AGENTS / 2 {
        let works = house.desk.snapshot().works.into_iter();
        let handled = works.filter(|record| matches!(record.state, WorkState::Handling { .. }));
        *held = handled.map(|record| record.work.id).collect();
    }
}

/// Work comes while all 500 agents are free: who gets it?
fn work_comes(criterion: &mut Criterion) {
    for each in [20, SERVICES] {
        let mut house = House::new(each);
        house.all_come();
        let name = format!("work comes, all agents free, each of {each} services");
        criterion.bench_function(&name, |bencher| {
            bencher.iter_custom(|times| {
                let mut took = Duration::ZERO;
                for _ in 0..times {
                    let work = house.work();
                    let id = work.id.clone();
                    house.now += Duration::from_micros(100);
                    let began = cpu();
                    house.desk.enqueue(house.now, work).expect("room");
                    house.drain();
                    took += cpu() - began;
                    house.desk.handle_over(house.now, &id).expect("it is here");
                    house.drain();
                }
                took
            });
        });
    }
}

/// Work comes while 10,000 wait and nobody is free.
fn work_waits(criterion: &mut Criterion) {
    let mut house = House::new(20);
    house.all_busy();
    criterion.bench_function("work comes and waits, and its place is told", |bencher| {
        bencher.iter_custom(|times| {
            let mut took = Duration::ZERO;
            for _ in 0..times {
                let work = house.work();
                let id = work.id.clone();
                house.now += Duration::from_micros(100);
                let began = cpu();
                house.desk.enqueue(house.now, work).expect("room");
                house.drain();
                black_box(house.desk.position(&id));
                took += cpu() - began;
                house.desk.handle_over(house.now, &id).expect("it is here");
                house.drain();
            }
            took
        });
    });
}

criterion_group!(benches, agent_free, work_comes, work_waits);
criterion_main!(benches);
