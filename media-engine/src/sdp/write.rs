//! Writing our side of a session description.

use std::{fmt, net::IpAddr};

use crate::codec::Codec;

use super::{
    Direction,
    browser::Lines,
    crypto::Crypto,
    read::{Format, Stream},
};

/// The longest packet that we accept, in ms: what the jitter buffer is laid out for.
const MAXPTIME_MS: u32 = 60;

/// A whole description of ours.
pub(super) struct Written<'a> {
    pub(super) session_id: u64,
    pub(super) version: u64,
    pub(super) address: IpAddr,
    pub(super) bundle: bool,
    pub(super) slots: &'a [Slot],
    pub(super) audio: &'a Audio,
}

/// One `m=` line: its place never changes during a session (RFC 3264 section 8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// The stream that we speak and hear on.
    Audio {
        /// Its name, when the peer gave it one.
        mid: Option<String>,
    },
    /// A stream that we refuse, answered with port 0.
    Refused {
        media: String,
        profile: String,
        format: String,
        mid: Option<String>,
    },
}

impl Slot {
    pub(super) fn refused(stream: &Stream) -> Self {
        Self::Refused {
            media: stream.media.clone(),
            profile: stream.profile.clone(),
            format: stream.first_format.clone(),
            mid: stream.mid.clone(),
        }
    }
}

/// Our audio stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Audio {
    pub(super) port: u16,
    pub(super) profile: String,
    pub(super) formats: Vec<Format>,
    /// Payload type and clock of each kind of telephone event.
    pub(super) events: Vec<(u8, u32)>,
    pub(super) ptime_ms: u32,
    pub(super) direction: Direction,
    pub(super) rtcp_mux: bool,
    pub(super) crypto: Option<Crypto>,
    pub(super) browser: Option<Lines>,
}

impl fmt::Display for Written<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let family = if self.address.is_ipv4() { "IP4" } else { "IP6" };
        write!(
            out,
            "v=0\r\no=- {} {} IN {family} {}\r\ns=-\r\n",
            self.session_id, self.version, self.address
        )?;
        write!(out, "c=IN {family} {}\r\nt=0 0\r\n", self.address)?;
        let own_name = self.slots.iter().find_map(|slot| match slot {
            Slot::Audio { mid } => mid.as_deref(),
            Slot::Refused { .. } => None,
        });
        if let (true, Some(name)) = (self.bundle, own_name) {
            write!(out, "a=group:BUNDLE {name}\r\n")?;
        }
        if self.audio.browser.is_some() {
            out.write_str("a=ice-lite\r\n")?;
        }
        for slot in self.slots {
            let mid = match slot {
                Slot::Audio { mid } => {
                    self.audio.write(out)?;
                    mid
                }
                Slot::Refused {
                    media,
                    profile,
                    format,
                    mid,
                } => {
                    write!(out, "m={media} 0 {profile} {format}\r\n")?;
                    mid
                }
            };
            if let Some(mid) = mid {
                write!(out, "a=mid:{mid}\r\n")?;
            }
        }
        Ok(())
    }
}

impl Audio {
    fn write(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "m=audio {} {}", self.port, self.profile)?;
        for format in &self.formats {
            write!(out, " {}", format.payload_type)?;
        }
        for (number, _) in &self.events {
            write!(out, " {number}")?;
        }
        out.write_str("\r\n")?;
        for format in &self.formats {
            write_codec(out, *format)?;
        }
        for (number, clock) in &self.events {
            // Keys 0 to 9, *, #, A to D (RFC 4733 section 3.2), and the hook flash.
            write!(
                out,
                "a=rtpmap:{number} telephone-event/{clock}\r\na=fmtp:{number} 0-16\r\n"
            )?;
        }
        write!(
            out,
            "a=ptime:{}\r\na=maxptime:{MAXPTIME_MS}\r\n",
            self.ptime_ms
        )?;
        write!(out, "a={}\r\n", self.direction.name())?;
        if self.rtcp_mux {
            out.write_str("a=rtcp-mux\r\n")?;
        }
        if let Some(crypto) = &self.crypto {
            write!(out, "a=crypto:{}\r\n", crypto.write())?;
        }
        if let Some(browser) = &self.browser {
            write!(out, "{browser}")?;
        }
        Ok(())
    }
}

fn write_codec(out: &mut fmt::Formatter<'_>, format: Format) -> fmt::Result {
    let Format {
        payload_type: number,
        codec,
    } = format;
    // RFC 7587 section 7: Opus always says two channels.
    let channels = if codec == Codec::Opus { "/2" } else { "" };
    write!(
        out,
        "a=rtpmap:{number} {codec}/{}{channels}\r\n",
        codec.rtp_clock()
    )?;
    match codec {
        Codec::Pcma | Codec::Pcmu | Codec::G722 => Ok(()),
        // No silence compression (RFC 4856): a gap must mean loss.
        Codec::G729 => write!(out, "a=fmtp:{number} annexb=no\r\n"),
        // What our encoder does, and what it makes sense to send us (RFC 7587 section 6.1).
        Codec::Opus => write!(
            out,
            "a=fmtp:{number} maxplaybackrate=16000;sprop-maxcapturerate=16000;stereo=0;\
             useinbandfec=0;usedtx=0\r\n"
        ),
    }
}
