//! Written interactions at the desk.

use desk::change::PauseReason;
use desk::disposition::{Disposed, Disposition};
use desk::id::{InteractionId, UserId, WorkId};
use desk::kept::{Standing, Step};
use desk::output::DeskError;
use desk::record::{InteractionState, Medium};

use super::agents::*;
use super::*;
use crate::voice::{Holder, Written};

pub(super) fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("an id")
}

impl Scene {
    /// An agent comes and has a page open: who has none sees nothing that is written.
    pub(super) fn sits_down(&mut self, name: &str) {
        self.page(name, true);
        self.comes(name);
    }

    pub(super) fn writes(&mut self, interaction: &str, seq: u32) -> Result<Holder, DeskError> {
        self.writes_to("sales", interaction, seq)
    }

    fn writes_to(
        &mut self,
        service: &str,
        interaction: &str,
        seq: u32,
    ) -> Result<Holder, DeskError> {
        self.writes_words(Medium::Email, (service, interaction), seq, "")
    }

    pub(super) fn writes_words(
        &mut self,
        medium: Medium,
        (service, interaction): (&str, &str),
        seq: u32,
        text: &str,
    ) -> Result<Holder, DeskError> {
        let written = Written {
            interaction: id(interaction),
            channel: id("erp"),
            protocol: "20261123000001".into(),
            language: None,
            text: text.into(),
            is_new: seq == 1,
            medium,
            service: id(service),
            customer: None,
            returns_to: None,
            arrived_ms: self.now.wall.as_millisecond(),
            priority: 0,
            seq,
        };
        let done = self.voice.handle_written(self.now, &company(), written);
        self.settle();
        done
    }

    fn work_at(&mut self, name: &str) -> WorkId {
        let seen = self.voice.work_of(self.now, &company(), &agent(name));
        let mut seen = seen.expect("an agent");
        seen.remove(0).work
    }

    pub(super) fn takes(&mut self, name: &str) -> WorkId {
        let work = self.work_at(name);
        let done = self
            .voice
            .answer_offer(self.now, &company(), &agent(name), &work, true);
        done.expect("it is offered");
        self.settle();
        work
    }

    pub(super) fn closes(&mut self, name: &str, work: &WorkId) {
        let disposed = Disposed {
            id: id("done"),
            fields: BTreeMap::new(),
            reopen_ms: None,
            note: String::new(),
        };
        let done = self
            .voice
            .dispose(self.now, &company(), &agent(name), work, disposed);
        done.expect("it is in hand");
        self.settle();
    }

    pub(super) fn steps(&self) -> Vec<&Step> {
        let steps = self.kept.iter().filter_map(|kept| match kept {
            desk::kept::Kept::Step(step) => Some(&**step),
            _ => None,
        });
        steps.collect()
    }

    /// Line, state and whether it is over, of each step.
    pub(super) fn story(&self) -> Vec<(TrailKind, Option<InteractionState>, bool)> {
        let steps = self.steps().into_iter();
        let told = |step: &Step| {
            let over = matches!(step.standing, Standing::Ended(_));
            (step.line.kind, step.update.state, over)
        };
        steps.map(told).collect()
    }

    fn messages_told(&self) -> Vec<(u32, Vec<UserId>)> {
        let told = self.live.iter().filter_map(|(_, event)| match event {
            LiveEvent::Message { seq, users, .. } => Some((*seq, users.iter().cloned().collect())),
            _ => None,
        });
        told.collect()
    }
}

pub(super) fn written_desk() -> Scene {
    let mut scene = staffed(&[("ana", &[]), ("bruno", &[])]);
    scene.change(|company| {
        let code = Disposition {
            id: id("done"),
            name: "Done".into(),
            children: vec![],
            fields: vec![],
            actions: vec![],
        };
        let service = company.services.values_mut().next().expect("one");
        service.rules.wrap_up.dispositions = vec![code];
    });
    scene
}

#[test]
fn what_is_written_is_offered_taken_and_closed_and_each_step_is_kept_once() {
    let mut scene = written_desk();
    assert_eq!(scene.writes("i1", 1), Ok(Holder::Nobody));
    scene.sits_down("ana");
    assert_eq!(
        scene.writes("i1", 2),
        Ok(Holder::Offered(vec![agent("ana")]))
    );
    let work = scene.takes("ana");
    assert_eq!(scene.writes("i1", 3), Ok(Holder::Agent(agent("ana"))));
    let answered = scene.steps()[1];
    assert_eq!(answered.update.agent, Some(agent("ana")));
    assert_eq!(answered.line.detail["agent"], "ana");
    scene
        .voice
        .handle_reply(scene.now, &company(), &id("i1"), 4);
    scene.settle();
    scene.closes("ana", &work);
    let (waits, talks) = (InteractionState::Waiting, InteractionState::Talking);
    let story = [
        (TrailKind::Queued, Some(waits), false),
        (TrailKind::AgentAnswered, Some(talks), false),
        (TrailKind::Ended, None, true),
    ];
    assert_eq!(scene.story(), story);
    assert_eq!(scene.late_lines(TrailKind::Finished).len(), 1);
    let holder = scene
        .voice
        .holder(scene.now, &company(), &id::<InteractionId>("i1"));
    assert_eq!(holder, Holder::Nobody);
    let ana = || vec![agent("ana")];
    assert_eq!(
        scene.messages_told(),
        [(1, vec![]), (2, ana()), (3, ana()), (4, ana())]
    );

    // Who writes again is in the line again: the same interaction, another work.
    assert_eq!(scene.writes("i1", 5), Ok(Holder::Offered(ana())));
    assert_ne!(scene.work_at("ana"), work);
    assert_eq!(
        scene.story()[3..],
        [(TrailKind::Queued, Some(waits), false)]
    );
}

#[test]
fn what_an_agent_who_is_gone_had_waits_again() {
    let mut scene = written_desk();
    scene.sits_down("ana");
    scene.writes("i1", 1).expect("room");
    scene.takes("ana");
    // The page is closed and does not come back.
    scene.page("ana", false);
    scene.until(Duration::from_secs(120));
    assert_eq!(scene.story()[2].0, TrailKind::Queued);
    assert_eq!(scene.steps()[2].line.detail["why"], "agent_left");
    scene.sits_down("bruno");
    assert_eq!(
        scene.writes("i1", 2),
        Ok(Holder::Offered(vec![agent("bruno")]))
    );
}

#[test]
fn who_reads_the_answer_later_waits_however_long_it_takes() {
    let mut scene = written_desk();
    scene.writes("i1", 1).expect("room");
    scene.until(Duration::from_secs(3_600));
    assert_eq!(scene.story().len(), 1);
    assert_eq!(scene.writes("i2", 1), Err(DeskError::Full));
    assert_eq!(
        scene.writes_to("nowhere", "i3", 1),
        Err(DeskError::NoSuchService)
    );
    scene.sits_down("ana");
    assert_eq!(
        scene.writes("i1", 2),
        Ok(Holder::Offered(vec![agent("ana")]))
    );
    assert_eq!(scene.paused("ana"), None::<PauseReason>);
}

#[test]
fn a_written_interaction_goes_on_where_it_was_when_the_program_begins_again() {
    let mut scene = written_desk();
    scene.sits_down("ana");
    scene.writes("i1", 1).expect("room");
    let work = scene.takes("ana");
    let mut scene = scene.started_later(&[("ana", &[])], Duration::from_secs(5));
    assert_eq!(scene.writes("i1", 2), Ok(Holder::Agent(agent("ana"))));
    assert_eq!(scene.work_at("ana"), work);
    assert_eq!(scene.story(), []);
}
