//! Offer and answer (RFC 3264): from two descriptions to what a leg must do.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use bytes::Bytes;

use crate::{
    codec::Codec,
    ice::agent::Credentials,
    rtp::srtp::{Keys, MasterKey, Secret, Suite},
};

use super::{
    Direction, MediaParameters, SdpError, TelephoneEvent,
    browser::{self, Entrance, Pairing, Setup},
    crypto::Crypto,
    read::{Description, Format, Stream},
    target::{self, Refused, Target},
    write::{Audio, Slot, Written},
};

/// Our side of a session's media.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalMedia {
    /// The number of the session in `o=` lines: the same for the whole call.
    pub session_id: u64,
    /// The address that the peer shall send to: public where we sit behind address translation.
    pub address: IpAddr,
    /// The port of RTP; RTCP has the next one, unless both share this.
    pub port: u16,
    /// Whether RTP and RTCP may share the port (RFC 5761).
    pub rtcp_mux: bool,
    /// What we speak, best first.
    pub codecs: Vec<Codec>,
    /// What the other leg of the call speaks: chosen wherever the peer has it, so that nothing is
    /// transcoded.
    pub prefer: Option<Codec>,
    /// What we want: [`Direction::SendOnly`] holds the peer.
    pub direction: Direction,
    /// Whether media is encrypted; a browser's always are, by keys of their own.
    pub encryption: Encryption,
    /// Present where the other side is a browser.
    pub browser: Option<Entrance>,
    /// Where the peer's signalling comes from: what it may name as media address depends on it.
    pub signalling: IpAddr,
}

/// SRTP with keys in the description (RFC 4568). The key that we send with is made of the secret, which
/// is drawn for each call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// Never.
    Off,
    /// Where the peer has it: also inside a plain `RTP/AVP` offer, as many telephones do it.
    Optional(Secret),
    /// Always; who does not have it is refused.
    Required(Secret),
}

/// The agreement of one session, over its first and all later offers from either side.
///
/// It keeps what must not change between them: the order of streams, the numbers of payload types,
/// and the version in the `o=` line, which goes up by one whenever our description changes.
#[derive(Clone, Debug)]
pub struct Negotiation {
    local: LocalMedia,
    version: u64,
    written: String,
    slots: Vec<Slot>,
    bundle: bool,
    /// How often a browser has begun ICE anew.
    restarts: u32,
    /// Our description in force: what we offered last, or answered.
    offered: Option<Audio>,
    agreed: Option<MediaParameters>,
}

/// An answer to an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What to send back.
    pub sdp: Bytes,
    /// What the leg shall do.
    pub media: MediaParameters,
}

/// Our number for Opus, as browsers have it.
const OPUS_PAYLOAD_TYPE: u8 = 111;

/// Our numbers for telephone events, each with its clock rate (RFC 4733 section 2.1: that of the audio).
const EVENT_PAYLOAD_TYPES: [(u8, u32); 2] = [(101, 8_000), (110, 48_000)];

/// What browsers have, the best first.
const BROWSER_CODECS: [Codec; 4] = [Codec::Opus, Codec::G722, Codec::Pcmu, Codec::Pcma];

/// The packet time that we ask for: one frame.
const PTIME_MS: u32 = 20;

/// The packet times that we send, in ms, in steps of the first.
const PTIMES_MS: (u32, u32) = (10, 60);

/// The tag of our one crypto attribute in offers.
const CRYPTO_TAG: u32 = 1;

/// The suite that everybody has (RFC 4568 section 6.2.1).
const SUITE_OFFERED: Suite = Suite::Aes128Sha1_80;

impl Negotiation {
    /// Starts with what we have and want; nothing is agreed yet.
    #[must_use]
    pub fn new(local: LocalMedia) -> Self {
        Self {
            local,
            version: 0,
            written: String::new(),
            slots: vec![],
            bundle: false,
            restarts: 0,
            offered: None,
            agreed: None,
        }
    }

    /// What we have and want.
    #[must_use]
    pub fn local(&self) -> &LocalMedia {
        &self.local
    }

    /// Changes what we want from the next offer or answer on: another direction to hold, another
    /// preference once the other leg's codec is known.
    pub fn local_mut(&mut self) -> &mut LocalMedia {
        &mut self.local
    }

    /// What is agreed, if anything is.
    #[must_use]
    pub fn agreed(&self) -> Option<&MediaParameters> {
        self.agreed.as_ref()
    }

    /// Answers an offer: the first, or one that changes the session.
    ///
    /// # Errors
    ///
    /// [`SdpError`], with [`SdpError::status`] for the refusal. What was agreed before stays so.
    pub fn answer(&mut self, offer: &[u8]) -> Result<Answer, SdpError> {
        let offer = Description::read(offer)?;
        let (index, choice) = self.choose(&offer.streams)?;
        let stream = &offer.streams[index];
        let media = self.parameters(stream, &choice)?;
        self.slots = offer.streams.iter().map(Slot::refused).collect();
        self.slots[index] = Slot::Audio {
            mid: stream.mid.clone(),
        };
        self.bundle = stream
            .mid
            .as_ref()
            .is_some_and(|mid| offer.bundle.contains(mid));
        let audio = Audio {
            port: self.local.port,
            profile: stream.profile.clone(),
            formats: vec![choice.format],
            events: media
                .telephone_event
                .map(|e| (e.payload_type, e.clock))
                .into_iter()
                .collect(),
            ptime_ms: u32::try_from(media.ptime.as_millis()).unwrap_or(PTIME_MS),
            direction: Direction::new(media.send, media.receive),
            rtcp_mux: media.rtcp_mux,
            crypto: choice.crypto.map(|(theirs, ours)| Crypto {
                key: ours,
                tag: theirs.tag,
            }),
            browser: media.browser.as_deref().and_then(|pairing| {
                self.browser_lines(&pairing.ours, browser::setup_of(pairing.role))
            }),
        };
        self.restarts += u32::from(self.is_restarted_by(media.browser.as_deref()));
        let sdp = self.write(&audio);
        // A refresh of the session by re-INVITE offers it again as it stands (RFC 4028 section 7.4).
        self.offered = Some(audio);
        self.agreed = Some(media.clone());
        Ok(Answer { sdp, media })
    }

    /// Writes an offer: of a new session, of an answer that comes late (in the 2xx to an INVITE
    /// without one), or of a change.
    pub fn offer(&mut self) -> Bytes {
        if self.slots.is_empty() {
            let mid = self.local.browser.map(|_| browser::MID.to_owned());
            self.bundle = mid.is_some();
            self.slots.push(Slot::Audio { mid });
        }
        let formats = self.offered_formats();
        let wanted = |clock| {
            formats
                .iter()
                .any(|format| format.codec.rtp_clock() == clock)
        };
        let mut events: Vec<_> = EVENT_PAYLOAD_TYPES
            .into_iter()
            .filter(|(_, clock)| wanted(*clock))
            .collect();
        if let Some(event) = self.agreed.as_ref().and_then(|media| media.telephone_event) {
            for known in events.iter_mut().filter(|known| known.1 == event.clock) {
                known.0 = event.payload_type_in;
            }
        }
        let (profile, secret) = match (self.local.browser, self.local.encryption) {
            (Some(_), _) => (browser::PROFILE, None),
            (None, Encryption::Off) => ("RTP/AVP", None),
            (None, Encryption::Optional(secret)) => ("RTP/AVP", Some(secret)),
            (None, Encryption::Required(secret)) => ("RTP/SAVP", Some(secret)),
        };
        let credentials = self.browser_credentials();
        let audio = Audio {
            port: self.local.port,
            profile: profile.to_owned(),
            formats,
            events,
            ptime_ms: PTIME_MS,
            direction: self.local.direction,
            rtcp_mux: self.local.rtcp_mux || self.local.browser.is_some(),
            crypto: secret.map(|secret| Crypto {
                tag: CRYPTO_TAG,
                key: self.offered_key(&secret),
            }),
            browser: credentials.and_then(|ours| self.browser_lines(&ours, Setup::ActPass)),
        };
        let sdp = self.write(&audio);
        self.offered = Some(audio);
        sdp
    }

    /// Reads the answer to our [`Negotiation::offer`], or to our last answer when that was offered again
    /// to refresh the session. The answer of an early response may come again in
    /// a later one, so this may be called more than once.
    ///
    /// # Errors
    ///
    /// [`SdpError`] when there is no media: the call must end, or go on as agreed before.
    pub fn read_answer(&mut self, answer: &[u8]) -> Result<MediaParameters, SdpError> {
        let offered = self
            .offered
            .clone()
            .ok_or(SdpError::NotAnAnswer("nothing was offered"))?;
        let answer = Description::read(answer)?;
        let index = self
            .slots
            .iter()
            .position(|slot| matches!(slot, Slot::Audio { .. }));
        let stream = index
            .and_then(|index| answer.streams.get(index))
            .filter(|stream| stream.is_audio())
            .ok_or(SdpError::NotAnAnswer("our audio stream is missing"))?;
        if stream.port == 0 {
            return Err(SdpError::NoAudio);
        }
        let pairing = self.pairing(stream, self.browser_credentials())?;
        let crypto = if pairing.is_some() {
            None
        } else {
            self.answered_crypto(&offered, stream)?
        };
        let format = self
            .answered_format(&offered, stream)
            .ok_or(SdpError::NoCommonCodec)?;
        let choice = Choice {
            format,
            crypto,
            pairing,
        };
        let mut media = self.parameters(stream, &choice)?;
        // What they do not receive because we did not want to send is no hold.
        media.held &= self.local.direction.sends();
        Self::number_as_offered(&offered, &stream.codecs, &mut media);
        self.agreed = Some(media.clone());
        Ok(media)
    }

    /// Writes our description; its version goes up when anything else in it has changed (RFC 3264
    /// section 8).
    fn write(&mut self, audio: &Audio) -> Bytes {
        let mut written = Written {
            session_id: self.local.session_id,
            version: self.version,
            address: self.local.address,
            bundle: self.bundle,
            slots: &self.slots,
            audio,
        };
        let mut text = written.to_string();
        if text != self.written {
            self.version += 1;
            written.version = self.version;
            text = written.to_string();
            self.written.clone_from(&text);
        }
        Bytes::from(text)
    }

    /// The first stream that we can speak on. Without one, the error is that of the stream that came
    /// closest.
    fn choose(&self, streams: &[Stream]) -> Result<(usize, Choice), SdpError> {
        let mut reason = SdpError::NoAudio;
        for (index, stream) in streams.iter().enumerate() {
            if !stream.is_audio() || stream.port == 0 {
                continue;
            }
            let (crypto, pairing) = match self.offered_keys(stream) {
                Ok(keys) => keys,
                Err(error) => {
                    reason = error;
                    continue;
                }
            };
            match self.best_format(stream) {
                Some(format) => {
                    let choice = Choice {
                        format,
                        crypto,
                        pairing,
                    };
                    return Ok((index, choice));
                }
                None => reason = SdpError::NoCommonCodec,
            }
        }
        Err(reason)
    }

    /// How an offered stream is protected: by what its attributes say, or with a browser.
    fn offered_keys(&self, stream: &Stream) -> Result<OfferedKeys, SdpError> {
        match self.pairing(stream, self.credentials_for(stream))? {
            Some(pairing) => Ok((None, Some(pairing))),
            None => Ok((self.offered_crypto(stream)?, None)),
        }
    }

    /// What a stream of a browser says of it; nothing where the other side is none.
    fn pairing(
        &self,
        stream: &Stream,
        ours: Option<Credentials>,
    ) -> Result<Option<Pairing>, SdpError> {
        let agreed = self.paired().map(|pairing| pairing.role);
        ours.map(|ours| browser::pairing(stream, ours, agreed))
            .transpose()
    }

    /// Our name and password for a browser, as they are in force.
    fn browser_credentials(&self) -> Option<Credentials> {
        let entrance = self.local.browser?;
        Some(entrance.credentials(self.restarts))
    }

    /// Ours for an offer of a browser: new ones where it begins ICE anew (RFC 8445 section 9).
    fn credentials_for(&self, stream: &Stream) -> Option<Credentials> {
        let known = self.paired().map(|pairing| &pairing.theirs);
        let anew = known.is_some() && known != stream.ice.as_ref();
        let entrance = self.local.browser?;
        Some(entrance.credentials(self.restarts + u32::from(anew)))
    }

    fn is_restarted_by(&self, pairing: Option<&Pairing>) -> bool {
        pairing.is_some_and(|pairing| Some(&pairing.ours) != self.browser_credentials().as_ref())
    }

    fn paired(&self) -> Option<&Pairing> {
        self.agreed.as_ref()?.browser.as_deref()
    }

    fn browser_lines(&self, ours: &Credentials, setup: Setup) -> Option<browser::Lines> {
        let entrance = self.local.browser?;
        Some(browser::Lines {
            credentials: ours.clone(),
            fingerprint: entrance.fingerprint,
            setup,
            address: SocketAddr::new(self.local.address, self.local.port),
        })
    }

    /// What we speak with the other side, best first.
    fn codecs(&self) -> Vec<Codec> {
        let ours = &self.local.codecs;
        if self.local.browser.is_none() {
            return ours.clone();
        }
        let mut codecs = BROWSER_CODECS.to_vec();
        codecs.retain(|codec| ours.contains(codec));
        codecs
    }

    /// Encryption as the profile and the attributes of an offered stream allow it.
    fn offered_crypto(&self, stream: &Stream) -> Result<Option<(Crypto, MasterKey)>, SdpError> {
        let both = |secret: Secret| {
            let theirs = *stream.crypto.first()?;
            // Whoever names its key in each packet expects the same of us.
            let ours = secret.key(theirs.key.suite());
            Some((theirs, ours.identified(theirs.key.identifier())))
        };
        match (Profile::of(stream), self.local.encryption) {
            (Some(Profile::Plain), Encryption::Off) => Ok(None),
            (Some(Profile::Plain), Encryption::Optional(secret)) => Ok(both(secret)),
            (Some(Profile::Plain), Encryption::Required(secret))
            | (
                Some(Profile::Secure),
                Encryption::Optional(secret) | Encryption::Required(secret),
            ) => both(secret).map(Some).ok_or(SdpError::NoCommonEncryption),
            (Some(Profile::Secure), Encryption::Off) | (None, _) => {
                Err(SdpError::NoCommonEncryption)
            }
        }
    }

    /// Nothing to transcode is best; then what is spoken already, so that a hold does not change it;
    /// then our own order.
    fn best_format(&self, stream: &Stream) -> Option<Format> {
        let spoken = self.agreed.as_ref().map(|media| media.codec);
        let first = self.local.prefer.into_iter().chain(spoken);
        let ours = self.codecs();
        first
            .filter(|codec| ours.contains(codec))
            .chain(ours.iter().copied())
            .find_map(|codec| {
                stream
                    .codecs
                    .iter()
                    .find(|format| format.codec == codec)
                    .copied()
            })
    }

    fn offered_formats(&self) -> Vec<Format> {
        let spoken = self
            .agreed
            .as_ref()
            .map(|media| (media.codec, media.payload_type_in));
        let mut codecs: Vec<Codec> = self
            .local
            .prefer
            .into_iter()
            .chain(spoken.map(|(codec, _)| codec))
            .collect();
        let ours = self.codecs();
        codecs.retain(|codec| ours.contains(codec));
        codecs.extend(ours);
        let mut formats: Vec<Format> = vec![];
        for codec in codecs {
            let payload_type = match spoken {
                Some((spoken, number)) if spoken == codec => number,
                _ => codec.static_payload_type().unwrap_or(OPUS_PAYLOAD_TYPE),
            };
            if formats.iter().all(|format| format.codec != codec) {
                formats.push(Format {
                    payload_type,
                    codec,
                });
            }
        }
        formats
    }

    /// The key that we send with already, so that a hold does not change it.
    fn offered_key(&self, secret: &Secret) -> MasterKey {
        match self.agreed.as_ref().and_then(|media| media.srtp) {
            Some(keys) => secret
                .key(keys.local.suite())
                .identified(keys.local.identifier()),
            None => secret.key(SUITE_OFFERED),
        }
    }

    /// The peer may have taken several of our codecs: then what needs no transcoding, else its first.
    fn answered_format(&self, offered: &Audio, stream: &Stream) -> Option<Format> {
        let was_offered = |format: &&Format| {
            offered
                .formats
                .iter()
                .any(|ours| ours.codec == format.codec)
        };
        let mut taken = stream.codecs.iter().filter(was_offered);
        let preferred = taken
            .clone()
            .find(|format| Some(format.codec) == self.local.prefer);
        preferred.or_else(|| taken.next()).copied()
    }

    fn answered_crypto(
        &self,
        offered: &Audio,
        stream: &Stream,
    ) -> Result<Option<(Crypto, MasterKey)>, SdpError> {
        let theirs = offered.crypto.and_then(|ours| {
            let fits =
                |theirs: &&Crypto| (theirs.tag, theirs.key.suite()) == (ours.tag, ours.key.suite());
            stream
                .crypto
                .iter()
                .find(fits)
                .map(|theirs| (*theirs, ours.key))
        });
        let must = matches!(self.local.encryption, Encryption::Required(_))
            || Profile::of(stream) != Some(Profile::Plain);
        match theirs {
            None if must => Err(SdpError::NoCommonEncryption),
            Some(_) | None => Ok(theirs),
        }
    }

    /// In packets that come to us, our own numbers stand (RFC 3264 section 5.1), and any of the codecs
    /// that they took.
    fn number_as_offered(offered: &Audio, theirs: &[Format], media: &mut MediaParameters) {
        if let Some(ours) = offered
            .formats
            .iter()
            .find(|format| format.codec == media.codec)
        {
            media.payload_type_in = ours.payload_type;
        }
        let taken = |ours: &&Format| {
            ours.codec != media.codec && theirs.iter().any(|theirs| theirs.codec == ours.codec)
        };
        media.alternatives = offered.formats.iter().filter(taken).copied().collect();
        if let Some(event) = &mut media.telephone_event {
            match offered
                .events
                .iter()
                .find(|(_, clock)| *clock == event.clock)
            {
                Some((number, _)) => event.payload_type_in = *number,
                None => media.telephone_event = None,
            }
        }
    }

    fn parameters(&self, stream: &Stream, choice: &Choice) -> Result<MediaParameters, SdpError> {
        let codec = choice.format.codec;
        // Where a browser is, its checks tell; until it knows itself it writes 0.0.0.0.
        let is_browser = choice.pairing.is_some();
        let address = match stream.address {
            _ if is_browser => None,
            None => return Err(Refused::Unusable.into()),
            address => address,
        };
        // The old way to hold: an address that cannot be sent to (RFC 3264 section 8.4).
        let nowhere = address.is_some_and(|address| address.is_unspecified());
        let theirs = Direction::new(
            stream.direction.sends(),
            stream.direction.receives() && !nowhere,
        );
        let ours = self.local.direction.answering(theirs);
        let rtcp_mux = is_browser || self.local.rtcp_mux && stream.rtcp_mux;
        let remote = match address.filter(|_| !nowhere) {
            Some(address) => self.remote(address, stream.port)?,
            None => None,
        };
        Ok(MediaParameters {
            codec,
            payload_type: choice.format.payload_type,
            payload_type_in: choice.format.payload_type,
            alternatives: vec![],
            telephone_event: telephone_event(stream, codec),
            ptime: ptime(stream, codec),
            remote,
            remote_rtcp: if rtcp_mux {
                remote
            } else {
                self.remote_rtcp(stream, remote)
            },
            rtcp_mux,
            srtp: choice.crypto.map(|(theirs, ours)| Keys {
                local: ours,
                remote: theirs.key,
            }),
            browser: choice.pairing.clone().map(Box::new),
            send: ours.sends(),
            receive: ours.receives(),
            held: !theirs.receives(),
        })
    }

    fn remote(&self, address: IpAddr, port: u16) -> Result<Option<SocketAddr>, Refused> {
        match target::judge(SocketAddr::new(address, port), self.local.signalling)? {
            Target::Learn => Ok(None),
            Target::Send(remote) if remote.is_ipv4() == self.local.address.is_ipv4() => {
                Ok(Some(remote))
            }
            Target::Send(_) => Err(Refused::Unusable),
        }
    }

    /// The port after that of RTP, unless the peer says another (RFC 3605) that may be sent to.
    fn remote_rtcp(&self, stream: &Stream, remote: Option<SocketAddr>) -> Option<SocketAddr> {
        let remote = remote?;
        let named = stream
            .rtcp
            .and_then(|rtcp| self.remote(rtcp.ip(), rtcp.port()).ok().flatten());
        let next = || Some(SocketAddr::new(remote.ip(), remote.port().checked_add(1)?));
        named.or_else(next)
    }
}

/// What was chosen of an offered or answered stream.
struct Choice {
    format: Format,
    /// Their attribute, and our key.
    crypto: Option<(Crypto, MasterKey)>,
    /// How a browser is known.
    pairing: Option<Pairing>,
}

/// An attribute of theirs with our key, or how a browser is known.
type OfferedKeys = (Option<(Crypto, MasterKey)>, Option<Pairing>);

/// The transport profiles that we speak, with or without feedback messages.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Profile {
    Plain,
    Secure,
}

impl Profile {
    fn of(stream: &Stream) -> Option<Self> {
        match stream.profile.to_ascii_uppercase().as_str() {
            "RTP/AVP" | "RTP/AVPF" => Some(Self::Plain),
            "RTP/SAVP" | "RTP/SAVPF" => Some(Self::Secure),
            _ => None,
        }
    }
}

/// Events with the clock of the audio (RFC 4733 section 2.1). Some peers offer 8,000 alone beside
/// Opus: better keys with the wrong clock than none.
fn telephone_event(stream: &Stream, codec: Codec) -> Option<TelephoneEvent> {
    let same_clock = stream
        .telephone_events
        .iter()
        .find(|(_, clock)| *clock == codec.rtp_clock());
    let (payload_type, clock) = *same_clock.or(stream.telephone_events.first())?;
    Some(TelephoneEvent {
        payload_type,
        payload_type_in: payload_type,
        clock,
    })
}

/// What the peer wants to receive, within what we send.
fn ptime(stream: &Stream, codec: Codec) -> Duration {
    let (step, longest) = PTIMES_MS;
    let wanted = match stream.ptime {
        // An Opus packet holds what was encoded at once, and that is one frame.
        _ if codec == Codec::Opus => PTIME_MS,
        None | Some(0) => PTIME_MS,
        Some(ptime) => ptime,
    };
    let most = stream
        .maxptime
        .filter(|most| *most >= step && codec != Codec::Opus);
    let ms = wanted.min(most.unwrap_or(longest)).clamp(step, longest) / step * step;
    Duration::from_millis(u64::from(ms))
}

#[cfg(test)]
mod browser_tests;
#[cfg(test)]
mod tests;
