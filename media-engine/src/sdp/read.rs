//! Reading a session description from bytes that anybody may have sent.
//!
//! First the bytes are cut down to the lines that matter, within limits and in plain ASCII; only that
//! goes through `sdp-types`. Descriptions in the wild break rules that do no harm (odd `o=` lines,
//! Latin-1 in names, attributes of strangers): all that is dropped here instead of failing the call.

use std::net::{IpAddr, SocketAddr};

use crate::codec::Codec;
use crate::dtls::Fingerprint;
use crate::ice::agent::Credentials;

use super::{Direction, SdpError, browser::Setup, crypto::Crypto};

/// Bytes of a description. A browser's audio offer with all its candidates has about 5,000; video
/// beside it makes 12,000.
pub const SIZE_MAX: usize = 32 * 1_024;

/// Lines of a description, for the same offers: about 100 and 300.
pub const LINES_MAX: usize = 1_000;

/// Streams (`m=` lines). A telephone offers one or two, a conference system perhaps eight.
pub const STREAMS_MAX: usize = 16;

/// Bytes of a line that matters to us; a crypto attribute has about 120. Longer ones are ignored
/// like unknown ones, but a longer `m=` line spoils the description.
pub const LINE_MAX: usize = 512;

/// Formats of one stream. There are 128 payload types, and no telephone offers 30.
pub const FORMATS_MAX: usize = 32;

/// A description, as far as it concerns us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The streams in their order.
    pub streams: Vec<Stream>,
    /// The names of streams that share one transport (RFC 9143), if any are to.
    pub bundle: Vec<String>,
}

/// One `m=` line and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// `audio`, or something that we refuse.
    pub media: String,
    /// Where the writer receives; 0 when the stream is switched off.
    pub port: u16,
    /// The transport profile.
    pub profile: String,
    /// The first format, as text: a refused stream is answered with it.
    pub first_format: String,
    /// The codecs among the formats that we have, in the writer's order.
    pub codecs: Vec<Format>,
    /// Payload types of telephone events, each with its clock rate.
    pub telephone_events: Vec<(u8, u32)>,
    /// The address of the stream or else of the session; `None` when there is none that is an IP
    /// address (we resolve no names here).
    pub address: Option<IpAddr>,
    /// Who may send.
    pub direction: Direction,
    /// The packet time that the writer wants to receive, in ms.
    pub ptime: Option<u32>,
    /// The longest packet time that the writer accepts, in ms.
    pub maxptime: Option<u32>,
    /// Where the writer receives RTCP, when it says so (RFC 3605).
    pub rtcp: Option<SocketAddr>,
    /// RTCP may come on the RTP port.
    pub rtcp_mux: bool,
    /// Keys that we can use.
    pub crypto: Vec<Crypto>,
    /// The name of the stream (RFC 5888).
    pub mid: Option<String>,
    /// How the writer's checks are named and signed (RFC 8839 section 5.4).
    pub ice: Option<Credentials>,
    /// Of the certificate that the writer shows.
    pub fingerprint: Option<Fingerprint>,
    /// Who begins the handshake.
    pub setup: Option<Setup>,
}

/// A codec and the number that stands for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// The payload type, 0 to 127.
    pub payload_type: u8,
    /// The codec.
    pub codec: Codec,
}

impl Description {
    /// Reads a description.
    ///
    /// # Errors
    ///
    /// [`SdpError::TooLarge`] beyond the limits of this module, [`SdpError::Malformed`] when it is no
    /// description.
    pub fn read(bytes: &[u8]) -> Result<Self, SdpError> {
        let plain = reduce(bytes)?;
        let session = sdp_types::Session::parse(&plain)
            .map_err(|error| SdpError::Malformed(error.to_string()))?;
        let common = Common {
            address: session.connection.as_ref().and_then(address),
            direction: direction(&session.attributes),
            ice: ice(&session.attributes),
            fingerprint: fingerprint(&session.attributes),
            setup: setup(&session.attributes),
        };
        let streams = session
            .medias
            .iter()
            .map(|media| Stream::read(media, &common))
            .collect();
        Ok(Self {
            streams,
            bundle: bundle(&session.attributes),
        })
    }
}

/// What the session says for streams that do not say it themselves.
struct Common {
    address: Option<IpAddr>,
    direction: Option<Direction>,
    ice: Option<Credentials>,
    fingerprint: Option<Fingerprint>,
    setup: Option<Setup>,
}

/// The attributes that change what we do.
const KNOWN_ATTRIBUTES: [&[u8]; 17] = [
    b"rtpmap",
    b"fmtp",
    b"ptime",
    b"maxptime",
    b"sendrecv",
    b"sendonly",
    b"recvonly",
    b"inactive",
    b"rtcp",
    b"rtcp-mux",
    b"crypto",
    b"mid",
    b"group",
    b"ice-ufrag",
    b"ice-pwd",
    b"fingerprint",
    b"setup",
];

/// Keeps the lines that matter, in printable ASCII, within the limits.
fn reduce(bytes: &[u8]) -> Result<Vec<u8>, SdpError> {
    too_large("bytes", bytes.len(), SIZE_MAX)?;
    let mut plain = Vec::with_capacity(bytes.len());
    let mut streams = 0;
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        too_large("lines", index, LINES_MAX)?;
        let line = line.trim_ascii();
        let keep = match line {
            [b'v', b'=', ..] => true,
            [b'm', b'=', ..] => {
                streams += 1;
                too_large("streams", streams, STREAMS_MAX)?;
                too_large("bytes of an m= line", line.len(), LINE_MAX)?;
                true
            }
            [b'c', b'=', ..] => line.len() <= LINE_MAX,
            [b'a', b'=', attribute @ ..] => line.len() <= LINE_MAX && is_known(attribute),
            _ => false,
        };
        if keep {
            let mut before = b'=';
            for byte in line {
                let byte = if matches!(byte, b' '..=b'~') {
                    *byte
                } else {
                    b'?'
                };
                // Some write two blanks where the grammar has one.
                if (byte, before) != (b' ', b' ') {
                    plain.push(byte);
                }
                before = byte;
            }
            plain.extend_from_slice(b"\r\n");
        }
    }
    Ok(plain)
}

fn too_large(what: &'static str, found: usize, limit: usize) -> Result<(), SdpError> {
    if found > limit {
        return Err(SdpError::TooLarge { what, found, limit });
    }
    Ok(())
}

fn is_known(attribute: &[u8]) -> bool {
    let name = attribute
        .split(|byte| *byte == b':')
        .next()
        .unwrap_or_default();
    KNOWN_ATTRIBUTES
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
}

impl Stream {
    fn read(media: &sdp_types::Media, common: &Common) -> Self {
        let attributes = &media.attributes;
        let address = media.connections.first().map_or(common.address, address);
        let formats = || media.fmt.split_ascii_whitespace().take(FORMATS_MAX);
        let mut stream = Self {
            media: media.media.clone(),
            port: media.port,
            profile: media.proto.clone(),
            first_format: formats().next().unwrap_or("0").to_owned(),
            codecs: vec![],
            telephone_events: vec![],
            address,
            direction: direction(attributes)
                .or(common.direction)
                .unwrap_or_default(),
            ptime: value(attributes, "ptime").and_then(whole_milliseconds),
            maxptime: value(attributes, "maxptime").and_then(whole_milliseconds),
            rtcp: value(attributes, "rtcp").and_then(|value| rtcp(value, address)),
            rtcp_mux: attributes
                .iter()
                .any(|a| a.attribute.eq_ignore_ascii_case("rtcp-mux")),
            crypto: values(attributes, "crypto")
                .filter_map(Crypto::read)
                .collect(),
            mid: value(attributes, "mid").map(str::to_owned),
            ice: ice(attributes).or_else(|| common.ice.clone()),
            fingerprint: fingerprint(attributes).or(common.fingerprint),
            setup: setup(attributes).or(common.setup),
        };
        if stream.is_audio() {
            stream.read_formats(formats(), attributes);
        }
        stream
    }

    /// Whether it is audio over RTP.
    #[must_use]
    pub fn is_audio(&self) -> bool {
        self.media.eq_ignore_ascii_case("audio")
    }

    fn read_formats<'a>(
        &mut self,
        formats: impl Iterator<Item = &'a str>,
        attributes: &[sdp_types::Attribute],
    ) {
        for format in formats {
            let Some(payload_type) = format.parse::<u8>().ok().filter(|number| *number < 128)
            else {
                continue;
            };
            let map = values(attributes, "rtpmap").find_map(|value| {
                let (number, map) = value.split_once(' ')?;
                (number.parse() == Ok(payload_type)).then_some(map.trim())
            });
            match map.map_or_else(|| Meaning::of_static(payload_type), Meaning::read) {
                Some(Meaning::Codec(codec)) => self.codecs.push(Format {
                    payload_type,
                    codec,
                }),
                Some(Meaning::TelephoneEvent(clock)) => {
                    self.telephone_events.push((payload_type, clock));
                }
                None => {}
            }
        }
    }
}

/// What a payload type stands for.
enum Meaning {
    Codec(Codec),
    TelephoneEvent(u32),
}

impl Meaning {
    /// Reads `name/clock[/channels]` (RFC 8866 section 6.6).
    fn read(map: &str) -> Option<Self> {
        let mut parts = map.split('/');
        let name = parts.next()?;
        let clock = parts.next()?.trim().parse::<u32>().ok()?;
        let channels = match parts.next() {
            None => 1,
            Some(channels) => channels.trim().parse::<u8>().ok()?,
        };
        if name.eq_ignore_ascii_case("telephone-event") {
            return matches!(clock, 8_000 | 48_000).then_some(Self::TelephoneEvent(clock));
        }
        let codec = Codec::ALL
            .into_iter()
            .find(|codec| codec.name().eq_ignore_ascii_case(name))?;
        // RFC 7587 section 7: Opus always says two channels, whatever it carries.
        let expected = if codec == Codec::Opus { 2 } else { 1 };
        (clock == codec.rtp_clock() && channels == expected).then_some(Self::Codec(codec))
    }

    /// RFC 3551 section 6: these need no rtpmap.
    fn of_static(payload_type: u8) -> Option<Self> {
        let codec = Codec::ALL
            .into_iter()
            .find(|codec| codec.static_payload_type() == Some(payload_type))?;
        Some(Self::Codec(codec))
    }
}

fn values<'a>(
    attributes: &'a [sdp_types::Attribute],
    name: &'static str,
) -> impl Iterator<Item = &'a str> {
    attributes
        .iter()
        .filter(move |attribute| attribute.attribute.eq_ignore_ascii_case(name))
        .filter_map(|attribute| attribute.value.as_deref())
        .map(str::trim)
}

fn value<'a>(attributes: &'a [sdp_types::Attribute], name: &'static str) -> Option<&'a str> {
    values(attributes, name).next()
}

fn direction(attributes: &[sdp_types::Attribute]) -> Option<Direction> {
    attributes.iter().find_map(|attribute| {
        [
            Direction::SendRecv,
            Direction::SendOnly,
            Direction::RecvOnly,
            Direction::Inactive,
        ]
        .into_iter()
        .find(|direction| direction.name().eq_ignore_ascii_case(&attribute.attribute))
    })
}

/// The address of a `c=` line, without the time-to-live that only groups have.
fn address(connection: &sdp_types::Connection) -> Option<IpAddr> {
    connection
        .connection_address
        .split('/')
        .next()?
        .parse()
        .ok()
}

/// Some write `ptime:20.0`.
fn whole_milliseconds(value: &str) -> Option<u32> {
    value.split('.').next()?.parse().ok()
}

/// `port [IN IP4 address]` (RFC 3605 section 2.1).
fn rtcp(value: &str, stream: Option<IpAddr>) -> Option<SocketAddr> {
    let mut words = value.split_ascii_whitespace();
    let port = words.next()?.parse().ok()?;
    let address = words
        .nth(2)
        .and_then(|address| address.parse().ok())
        .or(stream)?;
    Some(SocketAddr::new(address, port))
}

/// RFC 8839 section 5.4: names have 4 to 256 characters, passwords 22 to 256.
fn ice(attributes: &[sdp_types::Attribute]) -> Option<Credentials> {
    let ufrag = value(attributes, "ice-ufrag").filter(|name| (4..=256).contains(&name.len()))?;
    let password = value(attributes, "ice-pwd").filter(|word| (22..=256).contains(&word.len()))?;
    Some(Credentials {
        ufrag: ufrag.to_owned(),
        password: password.to_owned(),
    })
}

/// The first that we can check, where there are several (RFC 8122 section 5).
fn fingerprint(attributes: &[sdp_types::Attribute]) -> Option<Fingerprint> {
    values(attributes, "fingerprint").find_map(Fingerprint::read)
}

fn setup(attributes: &[sdp_types::Attribute]) -> Option<Setup> {
    value(attributes, "setup").and_then(Setup::read)
}

fn bundle(attributes: &[sdp_types::Attribute]) -> Vec<String> {
    values(attributes, "group")
        .find_map(|value| value.strip_prefix("BUNDLE"))
        .map(|names| {
            names
                .split_ascii_whitespace()
                .take(STREAMS_MAX)
                .map(str::to_owned)
                .collect()
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Description {
        Description::read(text.as_bytes()).expect("a description")
    }

    #[test]
    fn a_softphone_offer_is_read() {
        let description = read(
            "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
             m=audio 40000 RTP/AVP 96 9 8 0 18 101 100\r\n\
             a=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1\r\n\
             a=rtpmap:101 telephone-event/8000\r\na=rtpmap:100 telephone-event/48000\r\n\
             a=ptime:30\r\na=maxptime:60\r\na=rtcp:40002 IN IP4 192.0.2.2\r\na=rtcp-mux\r\n\
             a=sendonly\r\na=mid:audio0\r\nm=video 0 RTP/AVP 31 32\r\n",
        );
        let [audio, video] = &description.streams[..] else {
            panic!("two streams")
        };
        let codecs: Vec<_> = audio
            .codecs
            .iter()
            .map(|f| (f.payload_type, f.codec))
            .collect();
        assert_eq!(
            codecs,
            [
                (96, Codec::Opus),
                (9, Codec::G722),
                (8, Codec::Pcma),
                (0, Codec::Pcmu),
                (18, Codec::G729)
            ]
        );
        assert_eq!(audio.telephone_events, [(101, 8_000), (100, 48_000)]);
        assert_eq!((audio.ptime, audio.maxptime), (Some(30), Some(60)));
        assert_eq!(
            audio.rtcp,
            Some("192.0.2.2:40002".parse().expect("an address"))
        );
        assert!(audio.rtcp_mux && audio.direction == Direction::SendOnly);
        assert_eq!(audio.mid.as_deref(), Some("audio0"));
        assert_eq!(
            audio.address,
            Some("192.0.2.1".parse().expect("an address"))
        );
        assert_eq!((video.media.as_str(), video.port), ("video", 0));
        assert_eq!(video.first_format, "31");
    }

    #[test]
    fn what_a_stream_says_goes_before_what_the_session_says() {
        let description = read(
            "v=0\nc=IN IP4 192.0.2.1\na=inactive\nm=audio 4000 RTP/AVP 0\n\
             m=audio 4002 RTP/AVP 0\nc=IN IP6 2001:db8::1\na=sendrecv\n",
        );
        assert_eq!(description.streams[0].direction, Direction::Inactive);
        assert_eq!(
            description.streams[0].address,
            Some("192.0.2.1".parse().expect("v4"))
        );
        assert_eq!(description.streams[1].direction, Direction::SendRecv);
        assert_eq!(
            description.streams[1].address,
            Some("2001:db8::1".parse().expect("v6"))
        );
    }

    #[test]
    fn a_map_may_give_a_static_number_another_meaning_and_wrong_clocks_mean_nothing() {
        let description = read(
            "v=0\nm=audio 4000 RTP/AVP 8 0 97 98 99\na=rtpmap:8 PCMU/8000\na=rtpmap:0 L16/8000\n\
             a=rtpmap:97 G722/16000\na=rtpmap:98 opus/48000\na=rtpmap:99 pcma/8000/1\n",
        );
        let codecs: Vec<_> = description.streams[0]
            .codecs
            .iter()
            .map(|f| (f.payload_type, f.codec))
            .collect();
        assert_eq!(codecs, [(8, Codec::Pcmu), (99, Codec::Pcma)]);
    }

    #[test]
    fn non_ascii_bytes_cost_nothing_but_the_stream_that_has_them() {
        let bytes =
            b"v=0\r\no=jos\xE9 1 1 IN IP4 192.0.2.1\r\ns=\xFF\xFE\r\nc=IN IP4 192.0.2.1\r\n\
            m=audio 4000 RTP/\xC3\x28\xF0 0\r\nm=audio 4002 RTP/AVP 0 \xFF\r\n";
        let description = Description::read(bytes).expect("a description");
        assert_eq!(description.streams[0].profile, "RTP/?(?");
        assert_eq!(description.streams[1].codecs.len(), 1);
    }

    #[test]
    fn each_limit_has_its_answer() {
        let many_streams = format!("v=0\r\n{}", "m=audio 4000 RTP/AVP 0\r\n".repeat(500));
        let large = format!("v=0\r\n{}", "a=x:y\r\n".repeat(9_400));
        let many_lines = format!("v=0\r\n{}", "x\n".repeat(1_100));
        let long_m = format!("v=0\r\nm=audio 4000 RTP/AVP {}\r\n", "0 ".repeat(400));
        for (what, text) in [
            ("streams", many_streams),
            ("bytes", large),
            ("lines", many_lines),
            ("bytes of an m= line", long_m),
        ] {
            match Description::read(text.as_bytes()) {
                Err(error @ SdpError::TooLarge { .. }) => {
                    assert!(error.to_string().starts_with(what), "{error}");
                    assert_eq!(error.status(), 488);
                }
                other => panic!("{what}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_bad_fmtp_and_a_long_attribute_are_left_out() {
        let long = "0".repeat(8_000);
        let description = read(&format!(
            "v=0\r\nm=audio 4000 RTP/AVP 18\r\na=fmtp:18 annexb=%n%n\r\na=fmtp:\r\na=rtpmap:18 {long}/8000\r\n\
             a=rtpmap:\r\na=ptime:99999999999\r\na=rtcp:70000\r\na=crypto:1\r\n"
        ));
        assert_eq!(description.streams[0].codecs[0].codec, Codec::G729);
        assert_eq!(description.streams[0].ptime, None);
    }

    #[test]
    fn blanks_too_many_and_line_ends_too_short_do_no_harm() {
        let description = read(
            "\n v=0\no=x\nm=audio  40000/2  RTP/AVP  8   0 \n\nc=IN  IP4 192.0.2.1\na= ptime:30\n",
        );
        let stream = &description.streams[0];
        assert_eq!((stream.port, stream.codecs.len()), (40_000, 2));
        assert!(stream.address.is_some());
    }

    #[test]
    fn what_is_no_description_is_malformed() {
        for text in [
            "",
            "hello",
            "v=1\r\n",
            "m=audio 1 RTP/AVP 0\r\n",
            "v=0\r\nm=audio x RTP/AVP 0\r\n",
        ] {
            assert!(
                matches!(
                    Description::read(text.as_bytes()),
                    Err(SdpError::Malformed(_))
                ),
                "{text:?}"
            );
        }
    }
}
