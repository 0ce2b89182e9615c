//! What those who watch are told.

use desk::output::{Output as Told, WaitEnd};
use desk::record::InteractionState;

use super::agents::{agent, company, staffed};
use super::*;
use crate::voice::Wish;
use crate::voice::live::Today;

impl Scene {
    /// Whether nothing is waited for, once the last figures have been told.
    pub(super) fn rests(&mut self) -> bool {
        self.pass(Duration::from_secs(1));
        self.voice.handle_timeout(self.now);
        self.settle();
        self.voice.poll_timeout().is_none()
    }

    /// What was told since this was asked last, in short.
    fn live_told(&mut self) -> Vec<String> {
        let told = std::mem::take(&mut self.live).into_iter();
        told.map(|(_, event)| short(&event)).collect()
    }

    /// The figures of the one service that were told last.
    fn queue(&mut self) -> Option<QueueSeen> {
        let told = std::mem::take(&mut self.live).into_iter().rev();
        told.map(|(_, event)| event).find_map(|event| match event {
            LiveEvent::Queue(seen) => Some(seen),
            _ => None,
        })
    }
}

fn short(event: &LiveEvent) -> String {
    match event {
        LiveEvent::Agent(seen) => {
            let doing: Vec<_> = seen.status.in_hand.iter().map(|held| held.doing).collect();
            format!("{} {:?} {}", seen.id, seen.status.presence, doing.join(" "))
        }
        LiveEvent::Queue(seen) => format!("{} has {} waiting", seen.service, seen.waiting),
        LiveEvent::Waiting { service, seen } => {
            format!("in {service}, offered to {:?}", seen.offered_to.len())
        }
        LiveEvent::Call { seen, .. } => format!("call {}", seen.state),
        LiveEvent::CallEnded { .. } => "call over".to_owned(),
        LiveEvent::Message { seq, .. } => format!("message {seq}"),
        LiveEvent::Noted { mentions, .. } => format!("noted for {}", mentions.len()),
        LiveEvent::Typing { on, .. } => format!("typing {on}"),
        LiveEvent::Beside { doing, .. } => format!("beside {doing}"),
        LiveEvent::Offered(seen) => format!("offered to {}", seen.agent),
        LiveEvent::Happened(told) => match &**told {
            Told::WaitEnded { end, .. } => match end {
                WaitEnd::Answered { agent, .. } => format!("answered by {agent}"),
                other => format!("{other:?}"),
            },
            Told::OfferEnded { end, .. } => format!("offer {}", end.as_str()),
            Told::PresenceChanged { agent, .. } => format!("{agent} changed"),
            other => format!("{other:?}"),
        },
    }
}

fn count(told: &[String], wanted: &str) -> usize {
    told.iter().filter(|told| told.contains(wanted)).count()
}

#[test]
fn a_call_is_told_from_the_line_to_its_end_and_each_thing_has_the_next_count() {
    let mut scene = staffed(&[("bruno", &["desk"])]);
    scene.live.clear();
    scene.waits();
    let told = scene.live.clone();
    for pair in told.windows(2) {
        assert_eq!(pair[0].0 + 1, pair[1].0);
    }
    let waiting = scene.live_told();
    assert_eq!(count(&waiting, "in sales, offered to 0"), 1, "{waiting:?}");
    assert_eq!(count(&waiting, "call waiting"), 1, "{waiting:?}");
    assert_eq!(count(&waiting, "sales has 1 waiting"), 1, "{waiting:?}");
    scene.comes("bruno");
    let offered = scene.live_told();
    assert_eq!(count(&offered, "offered to bruno"), 1, "{offered:?}");
    assert_eq!(count(&offered, "bruno Available offered"), 1, "{offered:?}");
    let phone = scene.phone();
    scene.picks_up(phone);
    let taken = scene.live_told();
    assert_eq!(count(&taken, "offer accepted"), 1, "{taken:?}");
    assert_eq!(count(&taken, "answered by bruno"), 1, "{taken:?}");
    assert_eq!(count(&taken, "bruno Available handling"), 1, "{taken:?}");
    assert_eq!(count(&taken, "call talking"), 1, "{taken:?}");
    scene.tell(CallEvent::Ended {
        call: CALL,
        end: End {
            by: Party::Peer,
            status: None,
            reason: None,
        },
    });
    scene.until(Duration::from_secs(60));
    let over = scene.live_told();
    assert_eq!(count(&over, "call over"), 1, "{over:?}");
    assert_eq!(
        over.last().map(String::as_str),
        Some("sales has 0 waiting"),
        "{over:?}"
    );
}

#[test]
fn a_call_that_looks_the_same_is_not_told_again() {
    let mut scene = staffed(&[]);
    scene.answered("4000");
    scene.live.clear();
    for _ in 0..10 {
        scene.pass(Duration::from_millis(20));
        scene.voice.handle_timeout(scene.now);
        scene.settle();
    }
    assert_eq!(scene.live_told(), Vec::<String>::new());
}

#[test]
fn the_figures_of_a_service_are_told_once_a_second_and_the_last_ones_are_never_held_back() {
    let mut scene = staffed(&[("bruno", &["desk"])]);
    scene.until(Duration::from_secs(5));
    scene.live.clear();
    for _ in 0..5 {
        scene.comes("bruno");
        scene
            .wish("bruno", Wish::Paused("almoco".parse().expect("an id")))
            .expect("a pause");
        scene.pass(Duration::from_millis(10));
    }
    let told = scene.live_told();
    assert_eq!(count(&told, "sales has"), 1, "{told:?}");
    assert!(count(&told, "bruno Paused") >= 5, "{told:?}");
    let due = scene.voice.poll_timeout().expect("figures are due");
    assert_eq!(due, scene.start.instant + Duration::from_secs(6));
    scene.until(Duration::from_secs(10));
    let queue = scene.queue().expect("the figures are told");
    assert_eq!((queue.available, queue.paused), (0, 1));
    assert_eq!(count(&scene.live_told(), "sales has"), 0);
}

#[test]
fn what_came_of_those_who_waited_is_counted_by_the_day() {
    let mut scene = staffed(&[("bruno", &["desk"])]);
    scene.waits();
    scene.until(Duration::from_secs(8));
    scene.tell(CallEvent::Ended {
        call: CALL,
        end: End {
            by: Party::Peer,
            status: None,
            reason: None,
        },
    });
    scene.until(Duration::from_secs(10));
    let queue = scene.queue().expect("the figures are told");
    let counted = Today {
        abandoned: 1,
        ..Today::default()
    };
    assert_eq!(queue.today, counted);
    // 13 hours on it is another day.
    scene.pass(Duration::from_secs(13 * 3_600));
    let seen = scene.voice.live(scene.now, &company());
    assert_eq!(seen.queues[0].today, Today::default());
}

#[test]
fn a_snapshot_is_everything_at_its_count() {
    let mut scene = staffed(&[("ana", &["other"]), ("bruno", &["desk"])]);
    scene.waits();
    scene.comes("bruno");
    let seen = scene.voice.live(scene.now, &company());
    scene.settle();
    let last = scene.live.last().expect("something was told").0;
    assert_eq!(seen.seq, last);
    assert_eq!(seen.agents.len(), 2);
    assert_eq!(seen.calls.len(), 1);
    assert_eq!(seen.calls[0].state, InteractionState::Waiting);
    let [(service, waiting)] = seen.waiting.as_slice() else {
        panic!("{:?}", seen.waiting);
    };
    assert_eq!(service.as_str(), "sales");
    assert_eq!(waiting.offered_to, [agent("bruno")]);
    let [offer] = seen.offers.as_slice() else {
        panic!("{:?}", seen.offers);
    };
    assert_eq!(offer.agent, agent("bruno"));
    assert_eq!(offer.interaction, waiting.interaction);
    assert_eq!(seen.queues[0].waiting, 1);
    assert_eq!(seen.queues[0].oldest_ms, Some(waiting.arrived_ms));
    scene.live.clear();
    scene.wish("ana", Wish::Available).expect("an agent");
    assert_eq!(scene.live.first().expect("told").0, last + 1);
}

#[test]
fn everybody_is_told_their_own_even_of_leaving_it() {
    let mut scene = staffed(&[("bruno", &["desk"])]);
    scene.waits();
    scene.comes("bruno");
    let phone = scene.phone();
    scene.picks_up(phone);
    let bruno = agent("bruno");
    let own = |scene: &mut Scene| -> Vec<String> {
        let told = std::mem::take(&mut scene.live).into_iter();
        let own = told.filter(|(_, event)| event.users().contains(&bruno));
        own.map(|(_, event)| short(&event)).collect()
    };
    let talking = own(&mut scene);
    assert_eq!(count(&talking, "call talking"), 1, "{talking:?}");
    assert_eq!(count(&talking, "in sales"), 0, "{talking:?}");
    assert_eq!(count(&talking, "sales has"), 0, "{talking:?}");
    scene.leaves(phone, Party::Peer, None);
    let left = own(&mut scene);
    assert!(count(&left, "call") >= 1, "{left:?}");
}

#[test]
fn an_agent_whose_console_is_lost_is_gone_after_the_grace_time() {
    let mut scene = staffed(&[("bruno", &["desk"])]);
    scene.comes("bruno");
    scene
        .voice
        .agent_connection_lost(scene.now, &company(), &agent("bruno"));
    scene.settle();
    assert!(matches!(
        scene.presence("bruno"),
        desk::change::Presence::Available
    ));
    scene
        .voice
        .agent_connected(scene.now, &company(), &agent("bruno"));
    scene.until(Duration::from_secs(3_600));
    assert!(matches!(
        scene.presence("bruno"),
        desk::change::Presence::Available
    ));
    scene
        .voice
        .agent_connection_lost(scene.now, &company(), &agent("bruno"));
    scene.until(Duration::from_secs(7_200));
    assert!(matches!(
        scene.presence("bruno"),
        desk::change::Presence::Offline
    ));
}
