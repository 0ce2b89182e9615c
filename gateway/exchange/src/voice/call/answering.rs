//! Answering a call that came in, and what is agreed on about its media.

use bytes::Bytes;
use desk::record::{InteractionState, InteractionUpdate, TrailKind};
use ivr::Now;
use media_engine::codec::Codec;
use media_engine::leg::LegId;
use media_engine::sdp::MediaParameters;
use media_engine::sip::call::Cause;
use serde_json::json;

use super::super::Shared;
use super::super::ending::Ending;
use super::super::output::SipCommand;
use super::super::record::{self, Party};
use super::super::talk::{self, Place, Role};
use super::{ANSWERING_MAX, Call, Stage, Then};

impl Call {
    /// Answers as soon as the port is open.
    pub(super) fn answer(&mut self, now: Now, shared: &mut Shared) {
        let leg = self.facts.leg;
        let (Some(call), Some(answered)) = (self.sip(shared), shared.answer_line(leg)) else {
            return;
        };
        let (sdp, media) = match answered {
            Ok(answered) => answered,
            Err(error) => return self.refuse(now, error.status(), "no_common_media", shared),
        };
        if let Some(media) = media {
            self.agreed(now, &media, shared);
        }
        shared.answer_sent(leg);
        if let Stage::Opening {
            then: Then::Serve(serves),
            ..
        } = &self.stage
        {
            self.stage = Stage::Answering {
                serves: serves.clone(),
                until: now.instant + ANSWERING_MAX,
            };
        }
        shared.sip(SipCommand::Answer { call, sdp });
    }

    /// The ACK is here: the caller listens.
    pub(in crate::voice) fn handle_confirmed(
        &mut self,
        now: Now,
        leg: LegId,
        sdp: Option<&Bytes>,
        shared: &mut Shared,
    ) {
        shared.come_up(now, leg);
        if let Some(sdp) = sdp {
            self.handle_answer(now, leg, sdp, shared);
        }
        let Stage::Answering { serves, .. } = &self.stage else {
            return;
        };
        if leg != self.facts.leg {
            return;
        }
        if !shared.lines.get(&leg).is_some_and(super::Line::is_started) {
            let ending = Ending::ours("no_common_media");
            return self.hang_up(now, ending, Cause::Media, shared);
        }
        if !self.begin_flow(now, &serves.clone(), shared) {
            self.hang_up(now, Ending::ours("no_flow"), Cause::Failure, shared);
        }
    }

    /// The other side answered an offer of ours that stood in an answer.
    pub(in crate::voice) fn handle_answer(
        &mut self,
        now: Now,
        leg: LegId,
        sdp: &Bytes,
        shared: &mut Shared,
    ) {
        match shared.read_answer(leg, sdp) {
            Some((before, media)) if before.is_some() || leg != self.facts.leg => {
                let party = shared
                    .lines
                    .get(&leg)
                    .map_or(Party::Caller, |line| line.party());
                shared.run(leg, &media);
                let news = super::super::line::news(party, before.as_ref(), &media);
                self.handle_news(now, leg, news, shared);
            }
            Some((_, media)) => self.agreed(now, &media, shared),
            None if leg == self.facts.leg => {
                let ending = Ending::ours("no_common_media");
                self.hang_up(now, ending, Cause::Media, shared);
            }
            None => {}
        }
    }

    /// The customer's media begin.
    pub(super) fn agreed(&mut self, now: Now, media: &MediaParameters, shared: &mut Shared) {
        let leg = self.facts.leg;
        if !shared.run(leg, media) {
            return;
        }
        let party = talk::Party::new(Role::Customer, Place::Together);
        self.talk.enter(leg, party);
        let answered = InteractionUpdate {
            state: Some(InteractionState::Flow),
            answered_ms: Some(now.wall.as_millisecond()),
            codec: Some(media.codec.name().to_owned()),
            ..Default::default()
        };
        let detail = record::media(Party::Caller, media);
        self.facts.record.learn(now, &answered);
        self.note(now, TrailKind::Answered, detail);
    }

    /// The customer, or somebody else, speaks another of the codecs agreed on.
    pub(in crate::voice) fn handle_codec(&mut self, now: Now, leg: LegId, codec: Codec) {
        let party = if leg == self.facts.leg {
            self.learn_codec(now, codec);
            Party::Caller
        } else {
            Party::Dialled
        };
        let detail = party.of(json!({ "codec": codec.name() }));
        self.note(now, TrailKind::MediaChanged, detail);
    }

    pub(super) fn learn_codec(&mut self, now: Now, codec: Codec) {
        let update = InteractionUpdate {
            codec: Some(codec.name().to_owned()),
            ..Default::default()
        };
        self.facts.record.learn(now, &update);
    }
}
