//! The media of a call: what was offered, what is agreed on, what changed.

use bytes::Bytes;
use desk::record::{InteractionState, InteractionUpdate, TrailKind};
use ivr::Now;
use media_engine::codec::Codec;
use media_engine::leg::LegId;
use media_engine::sdp::MediaParameters;
use media_engine::sdp::negotiate::Negotiation;
use media_engine::sip::call::Cause;
use serde_json::json;

use super::super::Shared;
use super::super::ending::Ending;
use super::super::facts::{leg_config, local_media, offer_plain};
use super::super::output::{MediaCommand, SipCommand};
use super::super::record::{self, Party};
use super::{ANSWERING_MAX, Call, Stage};

impl Call {
    /// Answers as soon as the record is durable and the port open.
    pub(super) fn answer(&mut self, now: Now, shared: &mut Shared) {
        let Stage::Opening {
            offer,
            recorded: true,
            address: Some(address),
            ..
        } = &self.stage
        else {
            return;
        };
        let offer = offer.clone();
        let mut negotiation = Negotiation::new(local_media(*address, self.peer.ip(), shared));
        let sdp = match offer {
            None => offer_plain(&mut negotiation),
            Some(offer) => match negotiation.answer(&offer) {
                Ok(answer) => {
                    self.agreed(now, &answer.media, shared);
                    answer.sdp
                }
                Err(error) => return self.refuse(now, error.status(), "no_common_media", shared),
            },
        };
        self.negotiation = Some(Box::new(negotiation));
        self.stage = Stage::Answering {
            until: now.instant + ANSWERING_MAX,
        };
        shared.sip(SipCommand::Answer {
            call: self.facts.id,
            sdp,
        });
    }

    /// The peer answered an offer of ours.
    pub(super) fn agree(&mut self, now: Now, sdp: &Bytes, shared: &mut Shared) {
        let Some(negotiation) = &mut self.negotiation else {
            return;
        };
        let before = negotiation.agreed().cloned();
        match negotiation.read_answer(sdp) {
            Ok(media) => {
                self.agreed(now, &media, shared);
                self.changed(now, before.as_ref(), &media);
            }
            Err(_) => {
                let ending = Ending::ours("no_common_media");
                self.hang_up(now, ending, Cause::Media, shared);
            }
        }
    }

    /// The peer wants other media, or to hold us, or an offer of ours.
    pub(super) fn offered(&mut self, now: Now, sdp: Option<&Bytes>, shared: &mut Shared) {
        let call = self.facts.id;
        let Some(negotiation) = &mut self.negotiation else {
            return shared.sip(SipCommand::RejectOffer { call, status: 488 });
        };
        let Some(sdp) = sdp else {
            let sdp = offer_plain(negotiation);
            return shared.sip(SipCommand::AcceptOffer { call, sdp });
        };
        let before = negotiation.agreed().cloned();
        match negotiation.answer(sdp) {
            Ok(answer) => {
                shared.sip(SipCommand::AcceptOffer {
                    call,
                    sdp: answer.sdp,
                });
                self.agreed(now, &answer.media, shared);
                self.changed(now, before.as_ref(), &answer.media);
            }
            Err(error) => shared.sip(SipCommand::RejectOffer {
                call,
                status: error.status(),
            }),
        }
    }

    /// Tells the media what was agreed on.
    fn agreed(&mut self, now: Now, media: &MediaParameters, shared: &mut Shared) {
        let config = Box::new(leg_config(media, Some(self.peer), shared));
        if std::mem::replace(&mut self.started, true) {
            return shared.media(self.facts.leg, MediaCommand::Reconfigure(config));
        }
        shared.media(self.facts.leg, MediaCommand::Start(config));
        let answered = InteractionUpdate {
            state: Some(InteractionState::Flow),
            answered_ms: Some(now.wall.as_millisecond()),
            codec: Some(media.codec.name().to_owned()),
            ..Default::default()
        };
        let record = &mut self.facts.record;
        record.learn(now, &answered);
        record.note(
            now,
            TrailKind::Answered,
            record::media(Party::Caller, media),
        );
    }

    /// The caller, or whoever was dialled for it, speaks another of the codecs agreed on.
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

    fn learn_codec(&mut self, now: Now, codec: Codec) {
        let update = InteractionUpdate {
            codec: Some(codec.name().to_owned()),
            ..Default::default()
        };
        self.facts.record.learn(now, &update);
    }

    /// Writes down what another agreement changed, whoever proposed it.
    fn changed(&mut self, now: Now, before: Option<&MediaParameters>, after: &MediaParameters) {
        let Some(before) = before else {
            return;
        };
        if before.codec != after.codec {
            self.learn_codec(now, after.codec);
        }
        for (kind, detail) in record::media_changes(Party::Caller, before, after) {
            self.note(now, kind, detail);
        }
    }
}
