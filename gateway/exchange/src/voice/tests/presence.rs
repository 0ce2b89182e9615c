//! Agents who come and go: pages, phones, supervisors, days.

use desk::change::{PauseReason, Presence};

use super::agents::*;
use super::*;
use crate::voice::Wish;

impl Scene {
    fn registers(&mut self, device: &str, is_there: bool) {
        let device = device.parse().expect("an id");
        match is_there {
            true => self.voice.handle_registered(self.now, &device),
            false => self.voice.handle_unregistered(self.now, &device),
        }
        self.settle();
    }

    pub(in crate::voice::tests) fn page(&mut self, name: &str, is_open: bool) {
        let (company, agent) = (company(), agent(name));
        match is_open {
            true => self.voice.agent_connected(self.now, &company, &agent),
            false => self.voice.agent_connection_lost(self.now, &company, &agent),
        }
        self.settle();
    }

    fn is_lost(&mut self, name: &str) -> bool {
        let mut all = self.voice.agents(self.now, &company()).into_iter();
        let found = all.find(|seen| seen.id == agent(name)).expect("an agent");
        found.status.lost_until_ms.is_some()
    }

    fn handled(&mut self, name: &str) -> u32 {
        let last = self.kept.iter().rev().find_map(|kept| match kept {
            Kept::Agent { record, .. } if record.id == agent(name) => Some(record.handled),
            _ => None,
        });
        last.expect("she was kept")
    }
}

#[test]
fn an_agent_is_lost_with_the_last_link_and_gone_after_the_grace_time() {
    let mut scene = staffed(&[("ana", &["desk-phone", "mobile"])]);
    scene.comes("ana");
    scene.registers("desk-phone", true);
    scene.registers("mobile", true);
    scene.page("ana", true);
    scene.registers("desk-phone", false);
    scene.registers("mobile", false);
    assert!(!scene.is_lost("ana"), "the page is open");
    scene.page("ana", true);
    scene.page("ana", false);
    assert!(!scene.is_lost("ana"), "another page is open");
    scene.page("ana", false);
    assert!(scene.is_lost("ana"));
    scene.until(Duration::from_secs(29));
    scene.page("ana", true);
    assert!(!scene.is_lost("ana"));
    scene.until(Duration::from_secs(120));
    assert_eq!(scene.presence("ana"), Presence::Available);
    scene.page("ana", false);
    let begun = scene.now.instant;
    while scene.presence("ana") == Presence::Available {
        scene.tick();
    }
    assert_eq!(scene.now.instant - begun, Duration::from_secs(30));
    assert_eq!(scene.presence("ana"), Presence::Offline);
}

#[test]
fn who_talks_when_the_last_link_breaks_is_lost_when_the_talk_is_over_and_the_caller_stays() {
    let mut scene = staffed(&[("ana", &["ana-phone"])]);
    scene.comes("ana");
    scene.registers("ana-phone", true);
    scene.waits();
    let phone = scene.phone();
    scene.picks_up(phone);
    scene.registers("ana-phone", false);
    assert!(!scene.is_lost("ana"));
    scene.until(Duration::from_secs(600));
    assert_eq!(scene.doing("ana"), ["handling"]);
    scene.ended(Party::Peer);
    assert!(scene.is_lost("ana"));
}

#[test]
fn a_stranger_who_opens_a_page_changes_nothing() {
    let mut scene = staffed(&[("ana", &["ana-phone"])]);
    scene.page("nobody", true);
    scene.page("nobody", false);
    scene.page("nobody", false);
    scene.registers("nothing", true);
    scene.registers("nothing", false);
    assert_eq!(scene.presence("ana"), Presence::Offline);
    assert_eq!(scene.voice.poll_timeout(), None);
}

#[test]
fn who_leaves_with_a_customer_on_the_line_is_gone_after_the_call_and_its_wrap_up() {
    let mut scene = staffed(&[("ana", &["ana-phone"])]);
    scene.comes("ana");
    scene.waits();
    let phone = scene.phone();
    scene.picks_up(phone);
    scene.wish("ana", Wish::Offline).expect("she may go");
    assert_eq!(scene.doing("ana"), ["handling"]);
    assert_eq!(scene.paused("ana"), Some(PauseReason::Leaving));
    scene.ended(Party::Peer);
    assert_eq!(scene.doing("ana"), ["wrapping up"]);
    while scene.presence("ana") != Presence::Offline {
        scene.tick();
    }
    assert_eq!(scene.doing("ana"), [""; 0]);
}

#[test]
fn a_supervisor_has_an_agent_pause_come_back_and_leave() {
    let mut scene = staffed(&[("ana", &["ana-phone"])]);
    scene.comes("ana");
    let lunch: desk::id::PauseId = "almoco".parse().expect("an id");
    let order = |scene: &mut Scene, wish| {
        let done = scene
            .voice
            .order_presence(scene.now, &company(), &agent("ana"), wish);
        scene.settle();
        done
    };
    order(&mut scene, Wish::Paused(lunch.clone())).expect("known");
    assert_eq!(scene.paused("ana"), Some(PauseReason::Forced(lunch)));
    order(&mut scene, Wish::Available).expect("an agent");
    assert_eq!(scene.presence("ana"), Presence::Available);
    order(&mut scene, Wish::Offline).expect("an agent");
    assert_eq!(scene.presence("ana"), Presence::Offline);
    let unknown = Wish::Paused("praia".parse().expect("an id"));
    order(&mut scene, unknown).expect_err("no such reason");
}

#[test]
fn the_counts_of_the_day_begin_anew_at_midnight_where_the_company_is() {
    let mut scene = staffed(&[("ana", &["ana-phone"])]);
    scene.change(|company| company.zone = TimeZone::get("America/Sao_Paulo").expect("a zone"));
    scene.comes("ana");
    scene.waits();
    let phone = scene.phone();
    scene.picks_up(phone);
    scene.ended(Party::Peer);
    assert_eq!(scene.handled("ana"), 1);
    // It is 12:00 in Greenwich, 9:00 in São Paulo.
    let midnight = Duration::from_secs(15 * 3_600);
    scene.until(midnight - Duration::from_secs(1));
    assert_eq!(scene.handled("ana"), 1);
    scene.until(midnight);
    assert_eq!(scene.handled("ana"), 0);
    assert_eq!(scene.voice.poll_timeout(), None, "nothing to count");
}

#[test]
fn a_program_that_begins_on_another_day_begins_the_counts_anew() {
    let mut scene = staffed(&[("ana", &["ana-phone"])]);
    scene.comes("ana");
    scene.waits();
    let phone = scene.phone();
    scene.picks_up(phone);
    scene.ended(Party::Peer);
    for (hours, handled) in [(1, 1), (13, 0)] {
        let mut after = scene.started_later(
            &[("ana", &["ana-phone"])],
            Duration::from_secs(hours * 3_600),
        );
        assert_eq!(after.handled("ana"), handled, "{hours} h later");
    }
}
