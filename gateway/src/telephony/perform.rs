//! Doing what the exchange wants done.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use desk::id::PromptId;
use desk::record::{Change, Outbound};
use exchange::clip::Clip;
use exchange::voice::{MediaCommand, Output, SipCommand, Toward};
use ivr::Now;
use ivr::machine::Ticket;
use media_engine::audio::prompt::Frames;
use media_engine::codec::Codec;
use media_engine::leg::{LegConfig, LegId, PlayId, Playlist};
use media_engine::sdp::browser::Inlet;
use media_engine::sip::Transport;
use media_engine::sip::call::Target;
use media_engine_net::route::Routes;
use media_engine_net::{clock, media};

use crate::playback::Sources;
use crate::recordings;
use crate::records::HandedOver;

use super::{Answer, Leg, Owner, Playing, Prompts, is_current};

impl Owner {
    pub(super) fn perform(&mut self, now: Now, output: Output) {
        match output {
            Output::Open { call, opened } => {
                let country = self.voice.country_of(&opened.company);
                self.customers.ask(call, &opened, &country);
                self.records.open(call, opened);
            }
            Output::Save(change) => {
                self.sound(&change);
                self.records.save(change);
            }
            Output::Live {
                company,
                seq,
                event,
            } => self.live.tell(company, seq, event),
            Output::Kept(kept) => self.keeper.keep(kept),
            Output::Sip(command) => self.perform_command(now, command),
            Output::Media(leg, command) => self.perform_media(now, leg, command),
            Output::Ask {
                interaction,
                ticket,
                request,
            } => {
                let (fetcher, answers) = (self.fetcher.clone(), self.answers.0.clone());
                tokio::spawn(async move {
                    let answer = fetcher.fetch(&request).await;
                    let _ = answers.send(Answer::Asked {
                        interaction,
                        ticket,
                        answer,
                    });
                });
            }
            Output::Fetch {
                call,
                ticket,
                request,
            } => {
                let (fetcher, answers) = (self.fetcher.clone(), self.answers.0.clone());
                tokio::spawn(async move {
                    let answer = fetcher.fetch(&request).await;
                    let _ = answers.send(Answer::Fetched {
                        call,
                        ticket,
                        answer,
                    });
                });
            }
        }
    }

    /// Lets people hear of a call that the rules refused.
    fn sound(&mut self, change: &Change) {
        if let Change::Outbound(outbound) = change
            && let Outbound::Alarm(alarm) = outbound.as_ref()
        {
            self.statistics.outbound_alarms += 1;
            let (company, rule) = (&alarm.company, &alarm.rule);
            let user = alarm.user.as_ref().map_or("", |user| user.as_str());
            tracing::warn!(%company, rule, user, "a call out was refused; the audit log has what was dialled");
        }
    }

    fn perform_command(&mut self, now: Now, command: SipCommand) {
        let at = now.instant;
        let endpoint = &mut self.endpoint;
        let done = match command {
            SipCommand::Answer { call, sdp } => endpoint.answer(at, call, sdp),
            SipCommand::Reject {
                call,
                status,
                retry_after,
            } => {
                self.statistics.refused += 1;
                endpoint.reject(at, call, status, retry_after)
            }
            SipCommand::AcceptOffer { call, sdp } => endpoint.accept_offer(at, call, sdp),
            SipCommand::RejectOffer { call, status } => endpoint.reject_offer(at, call, status),
            SipCommand::Ring(call) => endpoint.ring(at, call),
            SipCommand::EarlyMedia { call, sdp } => endpoint.early_media(at, call, sdp),
            SipCommand::AcceptTransfer(call) => endpoint.accept_transfer(at, call),
            SipCommand::ReportTransfer { call, status } => {
                endpoint.report_transfer(at, call, status)
            }
            SipCommand::RefuseTransfer { call, status } => {
                endpoint.refuse_transfer(at, call, status)
            }
            SipCommand::HangUp { call, cause } => endpoint.hang_up(at, call, cause),
            SipCommand::Dial { leg, dial } => {
                let call = endpoint.dial(at, *dial);
                let begun = call.as_ref().ok().copied();
                self.voice.handle_dialling(now, leg, call);
                if let Some(call) = begun {
                    self.know(call);
                }
                Ok(())
            }
        };
        // The call may have ended between the wish and the deed: its end is on its way to us.
        if let Err(misuse) = done {
            tracing::debug!(%misuse, "a call did not take a command");
        }
    }

    fn perform_media(&mut self, now: Now, leg: LegId, command: MediaCommand) {
        let done = match command {
            MediaCommand::Open { toward, beside } => {
                let is_browser = self.is_browser(now, &toward);
                let peer = self.address_of(now, toward);
                let address = self.open(leg, peer, is_browser, beside);
                self.voice.handle_leg_opened(now, leg, address);
                Ok(())
            }
            MediaCommand::Start(config) => self.start(leg, *config),
            MediaCommand::Reconfigure(config) => self.media.configure(leg, *config),
            MediaCommand::Play {
                play,
                clips,
                repeat,
            } => {
                if let Some(state) = self.legs.get_mut(&leg) {
                    let codec = state.codec;
                    state.playing = Some(Playing {
                        play,
                        clips,
                        repeat,
                        awaits: None,
                    });
                    self.play(now, leg, codec);
                }
                Ok(())
            }
            MediaCommand::Stop => {
                if let Some(state) = self.legs.get_mut(&leg) {
                    state.playing = None;
                }
                self.media.stop(leg)
            }
            // The flow itself ends it by its longest time.
            MediaCommand::Record { ticket, .. } => self.record(now, leg, ticket),
            MediaCommand::StopRecording => self.media.stop_recording(leg),
            MediaCommand::RecordCall(call) => {
                let begun_ms = now.wall.as_millisecond();
                let file = recordings::unfinished(&self.calls, &call, begun_ms, leg.0);
                self.media.record_call(leg, file)
            }
            MediaCommand::PauseRecording => self.media.pause_recording(leg),
            MediaCommand::ResumeRecording => self.media.resume_recording(leg),
            MediaCommand::Hear(sources) => self.media.hear(leg, sources),
            MediaCommand::Press(key) => self.media.press(leg, key),
            MediaCommand::Close => self.close(now, leg),
        };
        if let Err(error) = done {
            self.not_taken(now, leg, &error);
        }
    }

    /// A leg did not take a command. One that is gone has told so, or never ran; one that cannot be
    /// reached any more would leave its caller in silence for ever.
    fn not_taken(&mut self, now: Now, leg: LegId, error: &media::CommandError) {
        match error {
            media::CommandError::Unknown(_)
            | media::CommandError::NotConfigured(_)
            | media::CommandError::TooMany(_) => {
                tracing::debug!(leg = leg.0, %error, "a leg did not take a command");
            }
            media::CommandError::Sockets(_) | media::CommandError::Stuck => {
                tracing::error!(leg = leg.0, %error, "a leg did not take a command: it is given up");
                // Its thread does not end a recording either.
                if let Some(state) = self.legs.get_mut(&leg) {
                    state.recording.clear();
                }
                self.give_up(now, leg);
            }
        }
    }

    /// Ends a leg whose media are over without anybody having asked for it.
    pub(super) fn give_up(&mut self, now: Now, leg: LegId) {
        self.statistics.legs_failed += 1;
        let _ = self.media.close(leg);
        self.leg_closed(now, leg, None);
    }

    /// Where the media of a leg will come from, as far as it is known before the peer says it.
    fn address_of(&self, now: Now, toward: Toward) -> IpAddr {
        let known = match toward {
            Toward::Address(address) | Toward::Browser(address) => Some(address),
            Toward::Target(Target::Device(account)) => {
                let bound = self.endpoint.registrar().targets(now.instant, &account);
                bound.first().map(|target| target.flow.remote.ip())
            }
            Toward::Target(Target::Trunk { trunk, .. }) => {
                let trunk = self.endpoint.trunks().find(&trunk);
                let host = trunk.and_then(|trunk| trunk.host.as_deref());
                host.and_then(address_in)
            }
            Toward::Target(Target::Uri(_)) => None,
        };
        known.unwrap_or(ANYBODY)
    }

    /// Whether a leg leads to a browser: by its offer, or by what the device registered over, the
    /// latest of them if there are several.
    fn is_browser(&self, now: Now, toward: &Toward) -> bool {
        match toward {
            Toward::Browser(_) => true,
            Toward::Target(Target::Device(account)) => {
                let bound = self.endpoint.registrar().targets(now.instant, account);
                let transport = bound.first().map(|target| target.flow.transport);
                matches!(transport, Some(Transport::Ws | Transport::Wss))
            }
            Toward::Address(_) | Toward::Target(Target::Trunk { .. } | Target::Uri(_)) => false,
        }
    }

    /// Opens a port; returns where the peer shall send to.
    fn open(
        &mut self,
        leg: LegId,
        peer: IpAddr,
        is_browser: bool,
        beside: Option<LegId>,
    ) -> Option<Inlet> {
        let local = match self.routes.local_address(clock::now(), peer) {
            Ok(local) => local,
            Err(error) => {
                tracing::warn!(%peer, %error, "there is no way to this peer");
                return None;
            }
        };
        let opened = if is_browser {
            let opened = self.media.open_browser(leg, beside);
            opened.map(|(bound, entrance)| Inlet {
                address: SocketAddr::new(self.shown_to_browsers(bound.ip(), local), bound.port()),
                browser: Some(entrance),
            })
        } else {
            let opened = self.media.open(leg, local, beside);
            opened.map(|address| {
                let ip = self.public_address.filter(|_| !local.is_loopback());
                SocketAddr::new(ip.unwrap_or(local), address.port()).into()
            })
        };
        match opened {
            Ok(inlet) => Some(inlet),
            Err(error) => {
                tracing::warn!(%error, "no media for a call");
                self.statistics.without_media += 1;
                None
            }
        }
    }

    /// The address that browsers send to. Their signalling may come through a proxy on this machine, and
    /// then tells nothing; and one on this machine does not speak from the loopback.
    fn shown_to_browsers(&mut self, bound: IpAddr, local: IpAddr) -> IpAddr {
        let outside = |routes: &mut Routes| routes.local_address(clock::now(), ANYBODY).ok();
        match self.public_address {
            Some(public) => public,
            None if !bound.is_unspecified() => bound,
            None if local.is_loopback() => outside(&mut self.routes).unwrap_or(local),
            None => local,
        }
    }

    fn start(&mut self, leg: LegId, config: LegConfig) -> Result<(), media::CommandError> {
        let codec = config.codec;
        self.legs.insert(
            leg,
            Leg {
                codec,
                playing: None,
                recording: VecDeque::new(),
                keeping: 0,
                last: None,
            },
        );
        self.media.configure(leg, config)
    }

    /// Records under a name that no process before used: a crash leaves its files behind. Nor does
    /// another recording: its message keeps the name.
    fn record(&mut self, now: Now, leg: LegId, ticket: Ticket) -> Result<(), media::CommandError> {
        let name = format!("{}-{}-{}", self.begun_ms, leg.0, ticket.0);
        let file = crate::messages::unfinished(&self.messages, &name);
        let begun = self.media.record(leg, file);
        match self.legs.get_mut(&leg).filter(|_| begun.is_ok()) {
            Some(state) => state.recording.push_back(ticket),
            None => self.voice.handle_recorded(now, leg, ticket, None),
        }
        begun
    }

    fn close(&mut self, now: Now, leg: LegId) -> Result<(), media::CommandError> {
        let started = self.legs.contains_key(&leg);
        let closed = self.media.close(leg);
        if !started {
            self.voice.handle_leg_closed(now, leg, None);
        }
        closed
    }

    /// Plays what the leg is to play: at once when all of it is in memory.
    fn play(&mut self, now: Now, leg: LegId, codec: Codec) {
        let Some(Playing {
            play,
            clips,
            repeat,
            awaits,
        }) = self.legs.get_mut(&leg).and_then(|leg| leg.playing.as_mut())
        else {
            return;
        };
        let (play, repeat) = (*play, *repeat);
        *awaits = None;
        if let Some(items) = self.shelf.take(clips, codec) {
            return self.begin(now, leg, play, items, repeat);
        }
        let missing: Vec<Clip> = clips
            .iter()
            .filter(|clip| !self.shelf.has(clip, codec))
            .cloned()
            .collect();
        *awaits = Some(codec);
        // Nothing is heard while it is fetched; what played before must not go on.
        let _ = self.media.stop(leg);
        let (sources, prompts, answers) = (
            self.sources.clone(),
            self.prompts.clone(),
            self.answers.0.clone(),
        );
        tokio::spawn(async move {
            let mut loaded = Vec::with_capacity(missing.len());
            for clip in missing {
                let frames = bring(&sources, &clip, &prompts, codec).await;
                loaded.extend(frames.map(|frames| (clip, frames)));
            }
            let _ = answers.send(Answer::Loaded {
                leg,
                play,
                codec,
                clips: loaded,
                by: prompts,
            });
        });
    }

    /// Prompts were published or taken back. What changed is forgotten, and what is new is brought
    /// into memory before somebody calls.
    pub(super) fn take_prompts(&mut self, prompts: BTreeMap<PromptId, String>) {
        let before = std::mem::replace(&mut self.prompts, Arc::new(prompts));
        let prompts = self.prompts.clone();
        let changed = |id: &PromptId| prompts.get(id) != before.get(id);
        self.shelf.forget_prompts(changed);
        let new: Vec<PromptId> = prompts
            .keys()
            .filter(|id| changed(id))
            .take(WARM_MAX)
            .cloned()
            .collect();
        let (sources, answers) = (self.sources.clone(), self.answers.0.clone());
        tokio::spawn(async move {
            for id in new {
                let clip = Clip::Prompt(id);
                if let Some(frames) = bring(&sources, &clip, &prompts, WARM_CODEC).await {
                    let by = prompts.clone();
                    let _ = answers.send(Answer::Warmed { clip, frames, by });
                }
            }
        });
    }

    /// Clips came: the leg plays them, if that is still what it is to play.
    pub(super) fn loaded(
        &mut self,
        now: Now,
        (leg, play, loaded): (LegId, PlayId, Codec),
        clips: Vec<(Clip, Arc<Frames>)>,
        by: &Prompts,
    ) {
        let mut is_old = false;
        for (clip, frames) in clips {
            if is_current(&clip, by, &self.prompts) {
                self.shelf.keep(clip, frames);
            } else {
                is_old = true;
            }
        }
        let Some(state) = self.legs.get_mut(&leg) else {
            return;
        };
        let codec = state.codec;
        let Some(playing) = state
            .playing
            .as_mut()
            .filter(|playing| playing.play == play && playing.awaits == Some(loaded))
        else {
            return;
        };
        playing.awaits = None;
        if loaded != codec || is_old {
            // The codec or a prompt changed meanwhile: these clips are not to be heard any more.
            return self.play(now, leg, codec);
        }
        // What could not be had is left out; the flow goes on.
        let items = playing
            .clips
            .iter()
            .filter_map(|clip| self.shelf.take(std::slice::from_ref(clip), codec))
            .flatten()
            .collect();
        let repeat = playing.repeat;
        self.begin(now, leg, play, items, repeat);
    }

    /// The codec changed in the middle of a play.
    pub(super) fn play_again(&mut self, now: Now, leg: LegId, play: PlayId, codec: Codec) {
        if let Some(state) = self.legs.get_mut(&leg) {
            state.codec = codec;
            if state
                .playing
                .as_ref()
                .is_some_and(|playing| playing.play == play)
            {
                self.play(now, leg, codec);
            }
        }
    }

    fn begin(&mut self, now: Now, leg: LegId, play: PlayId, items: Vec<Arc<Frames>>, repeat: bool) {
        if items.is_empty() {
            // Music that cannot be had is silence; a sentence that cannot be had is over.
            if !repeat {
                self.voice.handle_played(now, leg, play);
            }
        } else if let Err(error) = self.media.play(leg, play, Playlist { items, repeat }) {
            self.not_taken(now, leg, &error);
        }
    }

    /// Keeps a finished recording; the flow goes on when that is done.
    pub(super) fn put_away(&mut self, leg: LegId, recording: media::Recording) {
        if recording.path.parent() == Some(&self.calls) {
            if let Some(error) = &recording.error {
                tracing::error!(leg = leg.0, %error, "a recording of a call ends early");
            }
            return self.archive.put_away(recording.path);
        }
        let Some(state) = self.legs.get_mut(&leg) else {
            return;
        };
        let Some(ticket) = state.recording.pop_front() else {
            return;
        };
        state.keeping += 1;
        let (answers, folder) = (self.answers.0.clone(), self.messages.clone());
        tokio::spawn(async move {
            let kept = crate::messages::keep(&folder, &recording.path, recording.duration).await;
            let recording = kept
                .inspect_err(|error| tracing::error!(%error, "a message was lost"))
                .ok()
                .flatten();
            let _ = answers.send(Answer::Recorded {
                leg,
                ticket,
                recording,
            });
        });
    }

    /// Gives what the desks go on from to the writer, and lets who waits for it know when it is
    /// durable.
    fn keep(&mut self) {
        let pending = self.keeper.hand_over(!self.awaiting.is_empty());
        if self.keeper.is_waiting() || self.awaiting.is_empty() {
            return;
        }
        let awaiting = std::mem::take(&mut self.awaiting);
        tokio::spawn(async move {
            let is_kept = match pending {
                Some(pending) => pending.wait().await.is_ok(),
                None => true, // Nothing changed.
            };
            for waits in awaiting {
                // Who went away does not take back what they decided.
                let _ = waits.send(is_kept);
            }
        });
    }

    /// Gives what calls left behind in this turn to the writer.
    pub(super) fn hand_over(&mut self) {
        let HandedOver { opening, refused } = self.records.hand_over();
        if self.records.waiting() > 0 {
            self.statistics.saves_refused += 1;
        } else {
            // What is kept of a call's work comes behind the call's own lines.
            self.keep();
        }
        if !refused.is_empty() {
            for call in &refused {
                self.customers.take(*call);
            }
            let _ = self.answers.0.send(Answer::NotOpened(refused));
        }
        if opening.is_empty() {
            return;
        }
        let answers = self.answers.0.clone();
        let opening = opening.into_iter();
        let opening: Vec<_> = opening
            .map(|(call, pending)| (call, pending, self.customers.take(call)))
            .collect();
        tokio::spawn(async move {
            let (mut opened, mut refused) = (Vec::new(), Vec::new());
            for (call, pending, asked) in opening {
                match pending.wait().await {
                    Ok(given) => {
                        let customer = match asked {
                            Some(asked) => asked.await.ok().flatten(),
                            None => None,
                        };
                        // One number: a call has one opening.
                        let given = given.into_iter().next();
                        opened.extend(given.map(|given| (call, given.number, customer)));
                    }
                    Err(error) => {
                        tracing::error!(%error, "a call is refused: its record cannot be written");
                        refused.push(call);
                    }
                }
            }
            let _ = answers.send(Answer::Opened(opened));
            if !refused.is_empty() {
                let _ = answers.send(Answer::NotOpened(refused));
            }
        });
    }
}

/// The address in a trunk's host, where it is one and no name: `host`, `host:port`, `[v6]:port`.
fn address_in(host: &str) -> Option<IpAddr> {
    let with_port = host.parse::<SocketAddr>().map(|address| address.ip());
    let alone = || host.trim_matches(['[', ']']).parse();
    with_port.or_else(|_| alone()).ok()
}

/// A documentation address (RFC 5737): the route to it is the route to anybody whose address is
/// not known yet.
const ANYBODY: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// One clip in one codec, whatever it takes; nothing when it cannot be had.
async fn bring(
    sources: &Sources,
    clip: &Clip,
    prompts: &BTreeMap<PromptId, String>,
    codec: Codec,
) -> Option<Arc<Frames>> {
    match sources.load(clip, prompts).await {
        Ok(prompt) => tokio::task::spawn_blocking(move || Arc::new(prompt.frames(codec)))
            .await
            .ok(),
        Err(error) => {
            // The clip itself may hold what a caller typed: its kind must do.
            let kind = clip.kind();
            tracing::error!(kind, %error, "a clip cannot be heard; it is left out");
            None
        }
    }
}

/// Prompts that are brought into memory when they are published: the menus of a company, not the
/// archive of years. Others come when they are first played.
const WARM_MAX: usize = 500;

/// What carriers in Brazil deliver.
const WARM_CODEC: Codec = Codec::Pcma;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_carriers_address_is_found_in_its_host_and_a_name_is_none() {
        for (host, address) in [
            ("203.0.113.7", Some("203.0.113.7")),
            ("203.0.113.7:5080", Some("203.0.113.7")),
            ("[2001:db8::1]:5060", Some("2001:db8::1")),
            ("[2001:db8::1]", Some("2001:db8::1")),
            ("carrier.example:5060", None),
        ] {
            let address = address.map(|text| text.parse().expect("an address"));
            assert_eq!(address_in(host), address, "{host}");
        }
    }
}
