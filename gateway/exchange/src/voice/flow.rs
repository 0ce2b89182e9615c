//! Doing what a flow wants done, for one caller.

use std::time::{Duration, Instant};

use desk::id::{PromptId, ServiceId, VoiceMessageId, WorkId};
use desk::record::{
    Change, InteractionState, InteractionUpdate, Medium, TrailKind, VoiceMessageLeft,
};
use desk::work::{Priority, SkillWanted, Work};
use ivr::machine::{
    DialResult, FetchFailure, Fetched, Output as Wish, QueueResult, Session, Spoken, Ticket,
};
use ivr::{Destination, Key, Language, Now};
use media_engine::leg::{LegId, PlayId};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::json;

use crate::clip::Clip;
use crate::outbound;

use super::Shared;
use super::facts::{Facts, Origin};
use super::line::Purpose;
use super::output::{MediaCommand, Message, Output, Recording};
use super::waiting::{Answer, Heard, Waiting};

/// A caller on the way through a flow.
#[derive(Debug)]
pub(super) struct Walk {
    /// None where nobody but the desk has anything for the caller.
    session: Option<Session>,
    playing: Option<Playing>,
    plays: u64,
    doing: Doing,
}

/// What plays, and who wants to know when it has been played.
#[derive(Debug)]
struct Playing {
    play: PlayId,
    by: Player,
}

#[derive(Debug, Clone, Copy)]
enum Player {
    Flow(Ticket),
    Wait,
    /// The last words to who will be called back.
    Farewell,
    /// The last words of a wait without success.
    Unanswered(Option<Ticket>),
    RingingTone,
}

/// What goes on beside the prompts. The flow wants one thing at a time.
#[derive(Debug)]
enum Doing {
    Nothing,
    Waiting(Box<Waiting>),
    Dialling { leg: LegId },
    Recording { ticket: Ticket },
}

impl Walk {
    pub(super) fn new(session: Session) -> Self {
        Self {
            session: Some(session),
            ..Self::of_nobody()
        }
    }

    /// No flow has anything to say.
    pub(super) fn of_nobody() -> Self {
        Self {
            session: None,
            playing: None,
            plays: 0,
            doing: Doing::Nothing,
        }
    }

    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.doing, Doing::Waiting(_))
    }

    /// The next thing that the flow wants done.
    pub(super) fn poll_output(&mut self) -> Option<Wish> {
        self.session.as_mut()?.poll_output()
    }

    /// A key was pressed. Returns the number at which the caller wants to be called back.
    pub(super) fn handle_key(
        &mut self,
        now: Now,
        key: Key,
        call: &Facts,
        shared: &mut Shared,
    ) -> Option<String> {
        let Doing::Waiting(waiting) = &mut self.doing else {
            self.tell(|session| session.handle_key(now, key));
            return None;
        };
        let (at, from) = (now.instant, call.from());
        let number = || shared.callable(now, call, from);
        let answer = waiting.handle_key(at, key, number, |typed| shared.callable(now, call, typed));
        self.take(answer, call.leg, shared)
    }

    fn take(&mut self, answer: Answer, leg: LegId, shared: &mut Shared) -> Option<String> {
        match answer {
            Answer::Hear(heard) => self.play(Player::Wait, heard, leg, shared),
            Answer::Nothing => {}
            Answer::Promise(number) => return Some(number),
        }
        None
    }

    /// The desk would have the caller called back.
    pub(super) fn suggest_callback(&mut self, now: Now) {
        if let Doing::Waiting(waiting) = &mut self.doing {
            waiting.suggest_callback(now.instant);
        }
    }

    /// The caller will be called back: they hear so, and need not stay. Returns the work that goes
    /// on waiting for them, and whose it is.
    pub(super) fn promise(
        &mut self,
        leg: LegId,
        shared: &mut Shared,
    ) -> Option<(WorkId, ServiceId)> {
        let Doing::Waiting(waited) = std::mem::replace(&mut self.doing, Doing::Nothing) else {
            return None;
        };
        self.session = None;
        self.play(Player::Farewell, waited.farewell(), leg, shared);
        Some((waited.work.clone(), waited.service_id().clone()))
    }

    pub(super) fn handle_fetched(
        &mut self,
        now: Now,
        ticket: Ticket,
        answer: Result<Fetched, FetchFailure>,
    ) {
        self.tell(|session| session.handle_fetched(now, ticket, answer));
    }

    /// The caller is gone before the flow's end.
    pub(super) fn handle_left(&mut self, now: Now) {
        self.tell(|session| session.handle_left(now));
    }

    fn tell(&mut self, what: impl FnOnce(&mut Session)) {
        if let Some(session) = &mut self.session {
            what(session);
        }
    }

    fn tell_queued(&mut self, now: Now, ticket: Option<Ticket>, result: QueueResult) {
        if let Some(ticket) = ticket {
            self.tell(|session| session.handle_queued(now, ticket, result));
        }
    }

    /// Does one thing that the flow wants done.
    pub(super) fn perform(&mut self, now: Now, wish: Wish, call: &mut Facts, shared: &mut Shared) {
        match wish {
            Wish::Play {
                ticket,
                language,
                items,
            } => {
                let clips = items
                    .into_iter()
                    .filter_map(|item| clip(language, item))
                    .collect();
                self.play(
                    Player::Flow(ticket),
                    Heard {
                        clips,
                        repeat: false,
                    },
                    call.leg,
                    shared,
                );
            }
            Wish::StopPlaying { .. } => self.stop(call.leg, shared),
            Wish::Queue {
                ticket,
                service,
                skills,
            } => self.enqueue(now, ticket, (&service, &skills), call, shared),
            Wish::LeaveQueue { .. } => self.stop_doing(now, call, shared),
            Wish::Dial { ticket, to, ring } => {
                let leg = shared.dial(now, call, ticket, &to, ring);
                self.doing = leg.map_or(Doing::Nothing, |leg| Doing::Dialling { leg });
                if leg.is_none() {
                    let failed = DialResult::Failed;
                    self.tell(|session| session.handle_dialled(now, ticket, failed));
                }
            }
            Wish::CancelDial { .. } => self.stop_doing(now, call, shared),
            Wish::Fetch { ticket, request } => {
                let request = Box::new(request);
                shared.outputs.push_back(Output::Fetch {
                    call: call.key,
                    ticket,
                    request,
                });
            }
            Wish::Record {
                ticket,
                service,
                max,
            } => {
                self.stop(call.leg, shared);
                call.messages.push(Message {
                    ticket,
                    service: service.as_str().parse().ok(),
                    told: false,
                });
                self.doing = Doing::Recording { ticket };
                shared.media(call.leg, MediaCommand::Record { ticket, max });
            }
            Wish::StopRecording { .. } => self.stop_doing(now, call, shared),
            // An answer that comes after all has an old ticket, and is ignored.
            Wish::CancelFetch { .. } => {}
            // The call itself does these.
            Wish::HangUp { .. } | Wish::Step(_) => {}
        }
    }

    /// A play has ended by itself.
    pub(super) fn handle_played(
        &mut self,
        now: Now,
        play: PlayId,
        leg: LegId,
        shared: &mut Shared,
    ) {
        let Some(playing) = self.playing.take_if(|playing| playing.play == play) else {
            return;
        };
        match (playing.by, &mut self.doing) {
            (Player::Flow(ticket), _) => self.tell(|session| session.handle_played(now, ticket)),
            (Player::Unanswered(ticket), _) => {
                self.tell_queued(now, ticket, QueueResult::Unanswered);
            }
            (Player::Wait, Doing::Waiting(waiting)) => {
                if let Some(heard) = waiting.handle_played(now.instant) {
                    self.play(Player::Wait, heard, leg, shared);
                }
            }
            (Player::Wait | Player::RingingTone | Player::Farewell, _) => {}
        }
    }

    /// An agent took the call: the music is over, and so is the flow. Returns whose work it is, and
    /// what the caller is yet to hear of recording.
    pub(super) fn handle_agent(
        &mut self,
        now: Now,
        leg: LegId,
        shared: &mut Shared,
    ) -> Option<(ServiceId, Option<PromptId>)> {
        let Doing::Waiting(waited) = std::mem::replace(&mut self.doing, Doing::Nothing) else {
            return None;
        };
        self.stop(leg, shared);
        self.tell_queued(now, waited.ticket, QueueResult::Answered);
        Some((waited.service_id().clone(), waited.notice_owed()))
    }

    /// The work that waits.
    pub(super) fn work(&self) -> Option<&WorkId> {
        match &self.doing {
            Doing::Waiting(waiting) => Some(&waiting.work),
            Doing::Nothing | Doing::Dialling { .. } | Doing::Recording { .. } => None,
        }
    }

    /// Whether nobody has anything more to say to the caller.
    pub(super) fn is_at_its_end(&self) -> bool {
        let is_over = self.session.as_ref().is_none_or(Session::is_over);
        is_over && self.playing.is_none() && matches!(self.doing, Doing::Nothing)
    }

    /// Nobody answered within the service's limit.
    pub(super) fn handle_unanswered(&mut self, now: Now, leg: LegId, shared: &mut Shared) {
        let Doing::Waiting(waiting) = &self.doing else {
            return;
        };
        let (ticket, last_words) = (waiting.ticket, waiting.unanswered());
        self.doing = Doing::Nothing;
        match last_words {
            Some(heard) => self.play(Player::Unanswered(ticket), heard, leg, shared),
            None if self.session.as_ref().is_none_or(Session::is_over) => self.stop(leg, shared),
            None => self.tell_queued(now, ticket, QueueResult::Unanswered),
        }
    }

    /// A message was kept, or was not when it has no length.
    pub(super) fn handle_recorded(&mut self, now: Now, ticket: Ticket, length: Duration) {
        if matches!(self.doing, Doing::Recording { ticket: current } if current == ticket) {
            self.doing = Doing::Nothing; // It ended by itself.
        }
        self.tell(|session| session.handle_recorded(now, ticket, length));
    }

    /// The called telephone rings.
    pub(super) fn handle_ringing(&mut self, leg: LegId, shared: &mut Shared) {
        if matches!(self.doing, Doing::Dialling { .. }) && self.playing.is_none() {
            let heard = Heard {
                clips: vec![Clip::RingingTone],
                repeat: true,
            };
            self.play(Player::RingingTone, heard, leg, shared);
        }
    }

    /// What became of a call that we place.
    pub(super) fn handle_dialled(
        &mut self,
        now: Now,
        ticket: Ticket,
        result: DialResult,
        leg: LegId,
        shared: &mut Shared,
    ) {
        self.silence_ringing(leg, shared);
        if result != DialResult::Answered {
            self.doing = Doing::Nothing;
        }
        self.tell(|session| session.handle_dialled(now, ticket, result));
    }

    /// The caller hears the other side itself from here on.
    pub(super) fn silence_ringing(&mut self, leg: LegId, shared: &mut Shared) {
        let playing = self.playing.as_ref();
        if playing.is_some_and(|playing| matches!(playing.by, Player::RingingTone)) {
            self.stop(leg, shared);
        }
    }

    /// Time has come to [`Walk::poll_timeout`].
    pub(super) fn handle_timeout(&mut self, now: Now, call: &mut Facts, shared: &mut Shared) {
        self.tell(|session| session.handle_timeout(now));
        if let Doing::Waiting(waiting) = &mut self.doing {
            let standing = shared.standing(call, &waiting.work);
            let asks = waiting.asks();
            let callable = |typed: &str| shared.callable(now, call, typed);
            let answer = waiting.handle_timeout(now.instant, standing, callable);
            if !asks && answer != Answer::Nothing {
                announced(now, call, standing.position);
            }
            // Silence promises nothing.
            self.take(answer, call.leg, shared);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let waiting = match &self.doing {
            Doing::Waiting(waiting) => waiting.poll_timeout(),
            Doing::Nothing | Doing::Dialling { .. } | Doing::Recording { .. } => None,
        };
        let session = self.session.as_ref().and_then(Session::poll_timeout);
        [session, waiting].into_iter().flatten().min()
    }

    /// The call is over, or leaves the flow: whatever had begun ends.
    pub(super) fn leave(&mut self, now: Now, call: &mut Facts, shared: &mut Shared) {
        self.stop_doing(now, call, shared);
        self.stop(call.leg, shared);
    }

    fn enqueue(
        &mut self,
        now: Now,
        ticket: Ticket,
        (service, skills): (&ivr::ServiceId, &[ivr::SkillWanted]),
        call: &mut Facts,
        shared: &mut Shared,
    ) {
        let known = service.as_str().parse::<ServiceId>().ok();
        let known = known.and_then(|id| Some((call.company.services.get(&id)?.clone(), id)));
        let Some((rules, id)) = known else {
            return self.tell_queued(now, Some(ticket), QueueResult::Closed);
        };
        let closed = rules
            .calendar
            .as_ref()
            .is_some_and(|calendar| !calendar.is_open(now.wall));
        let entered = match closed {
            true => None,
            false => shared.enqueue(now, call, &id, wanted(skills)).ok(),
        };
        let Some(work) = entered else {
            return self.tell_queued(now, Some(ticket), QueueResult::Closed);
        };
        let queued = InteractionUpdate {
            state: Some(InteractionState::Waiting),
            service: Some(id.clone()),
            queued_ms: Some(now.wall.as_millisecond()),
            ..Default::default()
        };
        call.record.learn(now, &queued);
        let language = call.company.language;
        let waiting = Waiting::new(work, Some(ticket), id, rules, language);
        self.wait(now, waiting, call, shared);
    }

    /// The caller waits for a person.
    pub(super) fn wait(
        &mut self,
        now: Now,
        mut waiting: Waiting,
        call: &mut Facts,
        shared: &mut Shared,
    ) {
        let standing = shared.standing(call, &waiting.work);
        let heard = waiting.begin(now.instant, standing);
        self.doing = Doing::Waiting(Box::new(waiting));
        if !heard.repeat {
            announced(now, call, standing.position);
        }
        self.play(Player::Wait, heard, call.leg, shared);
    }

    fn play(&mut self, by: Player, heard: Heard, leg: LegId, shared: &mut Shared) {
        self.plays += 1;
        let play = PlayId(self.plays);
        self.playing = Some(Playing { play, by });
        let Heard { clips, repeat } = heard;
        shared.media(
            leg,
            MediaCommand::Play {
                play,
                clips,
                repeat,
            },
        );
    }

    fn stop(&mut self, leg: LegId, shared: &mut Shared) {
        if self.playing.take().is_some() {
            shared.media(leg, MediaCommand::Stop);
        }
    }

    fn stop_doing(&mut self, now: Now, call: &mut Facts, shared: &mut Shared) {
        match std::mem::replace(&mut self.doing, Doing::Nothing) {
            Doing::Waiting(waiting) => {
                shared.work_over(now, &call.company.id, &waiting.work);
                self.stop(call.leg, shared);
            }
            Doing::Dialling { leg } => {
                call.others.remove(&leg);
                if let Some(left) = shared.take_back(now, leg) {
                    call.left.insert(leg, left);
                }
                self.stop(call.leg, shared);
            }
            // Who hangs up after the beep has left a message: what was said is kept.
            Doing::Recording { .. } => shared.media(call.leg, MediaCommand::StopRecording),
            Doing::Nothing => {}
        }
    }
}

impl Shared {
    /// What a number stands for, where it can be called back.
    fn callable(&self, now: Now, call: &Facts, dialled: &str) -> Option<String> {
        let wish = outbound::Wish {
            dialled,
            ..Default::default()
        };
        // Nothing is called yet: no chance is drawn on.
        let mut nowhere = StdRng::from_seed([0; 32]);
        let plan = outbound::plan(call.company(), &wish, &self.usage, now, &mut nowhere);
        Some(plan.ok()?.callee.number)
    }

    /// Begins to call somebody for a flow; nothing when there is nobody to call or no way to them.
    fn dial(
        &mut self,
        now: Now,
        call: &mut Facts,
        ticket: Ticket,
        to: &Destination,
        ring: Duration,
    ) -> Option<LegId> {
        let company = call.company();
        let leg = match to {
            Destination::Extension(extension) => {
                let device = company.extensions.get(extension.as_str())?;
                self.ring_phone(now, call, Purpose::Flow(ticket), device, ring)?
            }
            Destination::Number(number) => {
                let wish = outbound::Wish {
                    dialled: number,
                    ..Default::default()
                };
                let interaction = call.record.interaction();
                let plan = self.plan(now, company, &wish, interaction).ok()?;
                self.place_outside(now, call, Purpose::Flow(ticket), (&plan, ring))?
            }
        };
        call.others.insert(leg);
        Some(leg)
    }

    /// Remembers a message that a caller left.
    pub(super) fn keep(
        &mut self,
        now: Now,
        recording: Recording,
        service: Option<ServiceId>,
        origin: Origin,
    ) {
        let left_ms = now.wall.as_millisecond();
        if let Some(service) = service.clone() {
            self.entrust(now, &origin, service);
        }
        let message = VoiceMessageLeft {
            id: VoiceMessageId::new(left_ms, &mut self.random),
            company: origin.company,
            interaction: origin.interaction,
            service,
            file: recording.file,
            bytes: recording.bytes,
            duration_ms: u64::try_from(recording.length.as_millis()).unwrap_or(u64::MAX),
            left_ms,
        };
        self.save(Change::VoiceMessageLeft(Box::new(message)));
    }
}

impl Shared {
    /// A message is work for its service: somebody listens to it, and calls back. Where the service
    /// has no room or is gone, it stands in the list of messages alone.
    fn entrust(&mut self, now: Now, origin: &Origin, service: ServiceId) {
        let arrived_ms = now.wall.as_millisecond();
        let work = Work {
            id: WorkId::new(arrived_ms, &mut self.random),
            interaction: origin.interaction.clone(),
            medium: Medium::Task,
            service,
            contact: None,
            number: None,
            arrived_ms,
            priority: Priority::default(),
            skills: vec![],
            preferred: None,
        };
        if let Some(desk) = self.desk(now, &origin.company) {
            let _ = desk.enqueue(now.instant, work);
        }
    }
}

fn announced(now: Now, call: &mut Facts, position: Option<usize>) {
    let detail = json!({ "position": position });
    call.record.note(now, TrailKind::Announced, detail);
}

/// What an agent must be able to do, in the words of the desk.
pub(super) fn wanted(skills: &[ivr::SkillWanted]) -> Vec<SkillWanted> {
    let wanted = skills.iter().filter_map(|wanted| {
        Some(SkillWanted {
            // No skill has an id that is none; validation told so when the flow was published.
            skill: wanted.skill.as_str().parse().ok()?,
            level: wanted.level,
            fixed: wanted.fixed,
        })
    });
    wanted.collect()
}

fn clip(language: Language, item: Spoken) -> Option<Clip> {
    Some(match item {
        // No prompt has an id that is none; validation told so when the flow was published.
        Spoken::Prompt(id) => return id.as_str().parse().ok().map(Clip::Prompt),
        Spoken::Text { text, voice } => Clip::Speech {
            language,
            voice: voice.map(|voice| voice.as_str().to_owned()),
            text,
        },
        Spoken::Word(word) => crate::words::clip(language, word),
    })
}
