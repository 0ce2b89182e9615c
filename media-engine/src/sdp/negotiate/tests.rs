//! Offers and answers to the letter, and damaged ones by seed.

use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};

use super::*;
use crate::rtp::srtp::KeyIdentifier;

const PEER: &str = "192.0.2.1";

fn secret(byte: u8) -> Secret {
    Secret::from_bytes([byte; Secret::BYTES])
}

fn crypto(tag: u32, suite: Suite, byte: u8) -> Crypto {
    Crypto {
        tag,
        key: secret(byte).key(suite),
    }
}

fn local() -> LocalMedia {
    LocalMedia {
        session_id: 7,
        address: "198.51.100.5".parse().expect("an address"),
        port: 30_000,
        rtcp_mux: true,
        codecs: vec![
            Codec::Pcma,
            Codec::Pcmu,
            Codec::G722,
            Codec::Opus,
            Codec::G729,
        ],
        prefer: None,
        direction: Direction::SendRecv,
        encryption: Encryption::Off,
        browser: None,
        signalling: PEER.parse().expect("an address"),
    }
}

/// An offer whose audio stream has these formats and attribute lines.
fn offer(formats: &str, attributes: &[&str]) -> String {
    let lines: String = attributes
        .iter()
        .map(|line| format!("a={line}\r\n"))
        .collect();
    format!(
        "v=0\r\no=- 1 1 IN IP4 {PEER}\r\ns=-\r\nc=IN IP4 {PEER}\r\nt=0 0\r\n\
         m=audio 40000 RTP/AVP {formats}\r\n{lines}"
    )
}

fn answer(local: LocalMedia, offer: &str) -> Answer {
    Negotiation::new(local)
        .answer(offer.as_bytes())
        .expect("an answer")
}

fn refusal(local: LocalMedia, offer: &str) -> SdpError {
    Negotiation::new(local)
        .answer(offer.as_bytes())
        .expect_err("a refusal")
}

fn text(sdp: &Bytes) -> &str {
    std::str::from_utf8(sdp).expect("ASCII")
}

#[test]
fn the_answer_to_a_desk_telephone_is_this_to_the_letter() {
    let offer = offer("0 8 101", &["rtpmap:101 telephone-event/8000", "ptime:20"]);
    let answer = answer(local(), &offer);
    assert_eq!(
        text(&answer.sdp),
        "v=0\r\no=- 7 1 IN IP4 198.51.100.5\r\ns=-\r\nc=IN IP4 198.51.100.5\r\nt=0 0\r\n\
         m=audio 30000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\n\
         a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n\
         a=ptime:20\r\na=maxptime:60\r\na=sendrecv\r\n"
    );
    assert_eq!(
        answer.media,
        MediaParameters {
            codec: Codec::Pcma,
            payload_type: 8,
            payload_type_in: 8,
            alternatives: vec![],
            telephone_event: Some(TelephoneEvent {
                payload_type: 101,
                payload_type_in: 101,
                clock: 8_000
            }),
            ptime: Duration::from_millis(20),
            remote: Some("192.0.2.1:40000".parse().expect("an address")),
            remote_rtcp: Some("192.0.2.1:40001".parse().expect("an address")),
            rtcp_mux: false,
            srtp: None,
            browser: None,
            send: true,
            receive: true,
            held: false,
        }
    );
}

#[test]
fn the_codec_is_ours_in_order_unless_another_saves_transcoding() {
    let offer = offer(
        "96 18 9 0",
        &["rtpmap:96 opus/48000/2", "rtpmap:18 G729/8000"],
    );
    for (ours, prefer, expected) in [
        (
            vec![Codec::Pcma, Codec::Pcmu, Codec::Opus],
            None,
            Codec::Pcmu,
        ),
        (
            vec![Codec::Pcma, Codec::Pcmu, Codec::Opus],
            Some(Codec::Opus),
            Codec::Opus,
        ),
        (
            vec![Codec::Pcma, Codec::Pcmu],
            Some(Codec::Pcma),
            Codec::Pcmu,
        ),
        (vec![Codec::Pcmu], Some(Codec::Opus), Codec::Pcmu),
        (vec![Codec::G729, Codec::Pcmu], None, Codec::G729),
    ] {
        let answer = answer(
            LocalMedia {
                codecs: ours,
                prefer,
                ..local()
            },
            &offer,
        );
        assert_eq!(answer.media.codec, expected);
    }
}

#[test]
fn opus_and_g729_are_answered_with_what_we_do() {
    let offer = offer("96 18", &["rtpmap:96 OPUS/48000/2", "fmtp:18 annexb=yes"]);
    let opus = answer(
        LocalMedia {
            codecs: vec![Codec::Opus],
            ..local()
        },
        &offer,
    );
    assert!(text(&opus.sdp).contains("m=audio 30000 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\n"));
    assert!(text(&opus.sdp).contains("a=fmtp:96 maxplaybackrate=16000;"));
    let g729 = answer(
        LocalMedia {
            codecs: vec![Codec::G729],
            ..local()
        },
        &offer,
    );
    assert!(text(&g729.sdp).contains("a=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\n"));
}

#[test]
fn telephone_events_have_the_clock_of_the_codec_where_the_peer_has_it() {
    let both = [
        "rtpmap:96 opus/48000/2",
        "rtpmap:97 telephone-event/8000",
        "rtpmap:98 telephone-event/48000",
    ];
    for (codec, attributes, expected) in [
        (Codec::Opus, &both[..], Some((98, 48_000))),
        (Codec::Pcmu, &both[..], Some((97, 8_000))),
        (Codec::Opus, &both[..2], Some((97, 8_000))),
        (Codec::Opus, &both[..1], None),
    ] {
        let offer = offer("96 0 97 98", attributes);
        let answer = answer(
            LocalMedia {
                codecs: vec![codec],
                ..local()
            },
            &offer,
        );
        let event = answer
            .media
            .telephone_event
            .map(|event| (event.payload_type, event.clock));
        assert_eq!(event, expected);
    }
}

#[test]
fn the_packet_time_is_what_the_peer_wants_in_whole_steps_of_10_ms() {
    for (attributes, expected) in [
        (vec![], 20),
        (vec!["ptime:10"], 10),
        (vec!["ptime:30"], 30),
        (vec!["ptime:60"], 60),
        (vec!["ptime:35"], 30),
        (vec!["ptime:5"], 10),
        (vec!["ptime:0"], 20),
        (vec!["ptime:200"], 60),
        (vec!["ptime:4294967295"], 60),
        (vec!["ptime:40", "maxptime:20"], 20),
        (vec!["maxptime:10"], 10),
        (vec!["maxptime:3"], 20),
        (vec!["ptime:20.0"], 20),
    ] {
        let answer = answer(local(), &offer("8", &attributes));
        assert_eq!(
            answer.media.ptime,
            Duration::from_millis(expected),
            "{attributes:?}"
        );
        assert!(text(&answer.sdp).contains(&format!("a=ptime:{expected}\r\n")));
    }
    let opus = offer("96", &["rtpmap:96 opus/48000/2", "ptime:60"]);
    assert_eq!(
        answer(local(), &opus).media.ptime,
        Duration::from_millis(20)
    );
}

#[test]
fn hold_in_each_of_its_forms_is_answered_in_kind() {
    // What the peer says, what we answer, and whether we send, receive, and are held.
    for (theirs, ours, flags) in [
        ("sendrecv", "sendrecv", (true, true, false)),
        ("sendonly", "recvonly", (false, true, true)),
        ("recvonly", "sendonly", (true, false, false)),
        ("inactive", "inactive", (false, false, true)),
    ] {
        let answer = answer(local(), &offer("8", &[theirs]));
        assert!(
            text(&answer.sdp).contains(&format!("a={ours}\r\n")),
            "{theirs}"
        );
        let media = answer.media;
        assert_eq!((media.send, media.receive, media.held), flags, "{theirs}");
    }
    let old_way = offer("8", &[]).replace(&format!("c=IN IP4 {PEER}"), "c=IN IP4 0.0.0.0");
    let answer = answer(local(), &old_way);
    assert!(text(&answer.sdp).contains("a=recvonly\r\n"));
    assert_eq!(answer.media.remote, None);
    assert_eq!(answer.media.remote_rtcp, None);
    assert!(answer.media.held && !answer.media.send);
}

#[test]
fn our_own_hold_is_kept_against_what_the_peer_offers() {
    let holding = LocalMedia {
        direction: Direction::SendOnly,
        ..local()
    };
    for (theirs, ours) in [
        ("sendrecv", "sendonly"),
        ("sendonly", "inactive"),
        ("recvonly", "sendonly"),
    ] {
        let answer = answer(holding.clone(), &offer("8", &[theirs]));
        assert!(
            text(&answer.sdp).contains(&format!("a={ours}\r\n")),
            "{theirs}"
        );
    }
}

#[test]
fn streams_that_we_refuse_keep_their_place_with_port_zero() {
    let offer = format!(
        "v=0\r\nc=IN IP4 {PEER}\r\na=group:BUNDLE v a\r\n\
         m=video 41000 RTP/AVP 31 34\r\na=mid:v\r\n\
         m=audio 40000 RTP/AVP 8\r\na=mid:a\r\n\
         m=audio 42000 RTP/AVP 0\r\n\
         m=application 43000 UDP/BFCP *\r\n"
    );
    let answer = answer(local(), &offer);
    let lines: Vec<_> = text(&answer.sdp)
        .lines()
        .filter(|l| l.starts_with("m=") || l.contains("BUNDLE"))
        .collect();
    assert_eq!(
        lines,
        [
            "a=group:BUNDLE a",
            "m=video 0 RTP/AVP 31",
            "m=audio 30000 RTP/AVP 8",
            "m=audio 0 RTP/AVP 0",
            "m=application 0 UDP/BFCP *"
        ]
    );
    assert!(text(&answer.sdp).contains("m=video 0 RTP/AVP 31\r\na=mid:v\r\n"));
    assert!(text(&answer.sdp).ends_with("m=application 0 UDP/BFCP *\r\n"));
}

#[test]
fn the_first_stream_that_works_is_taken() {
    let offer = format!(
        "v=0\r\nc=IN IP4 {PEER}\r\nm=audio 0 RTP/AVP 8\r\nm=audio 40000 RTP/AVP 3\r\n\
         m=audio 40002 RTP/SAVP 8\r\nm=audio 40004 RTP/AVP 8\r\n"
    );
    let answer = answer(local(), &offer);
    assert_eq!(
        answer.media.remote.map(|remote| remote.port()),
        Some(40_004)
    );
}

#[test]
fn without_anything_in_common_the_answer_is_488() {
    for (offer, expected) in [
        (offer("3 4", &[]), SdpError::NoCommonCodec),
        (offer("8", &[]).replace("40000", "0"), SdpError::NoAudio),
        (
            offer("8", &[]).replace("m=audio", "m=image"),
            SdpError::NoAudio,
        ),
        (
            offer("8", &[]).replace("RTP/AVP", "RTP/SAVP"),
            SdpError::NoCommonEncryption,
        ),
        (
            offer("8", &[]).replace("RTP/AVP", "UDP/TLS/RTP/SAVPF"),
            SdpError::NoCommonEncryption,
        ),
        ("v=0\r\n".to_owned(), SdpError::NoAudio),
    ] {
        let error = refusal(local(), &offer);
        assert_eq!((error.status(), &error), (488, &expected), "{offer}");
    }
    assert_eq!(refusal(local(), "hello").status(), 400);
}

#[test]
fn media_targets_that_would_hit_a_third_party_are_refused() {
    for (address, port, expected) in [
        ("127.0.0.1", 40_000, Refused::Loopback),
        ("224.0.0.5", 40_000, Refused::Group),
        ("255.255.255.255", 40_000, Refused::Group),
        ("169.254.169.254", 40_000, Refused::LinkLocal),
        ("media.example.com", 40_000, Refused::Unusable),
        (PEER, 1, Refused::Port(1)),
        (PEER, 5_060, Refused::Port(5_060)),
    ] {
        let offer = offer("8", &[])
            .replace(&format!("c=IN IP4 {PEER}"), &format!("c=IN IP4 {address}"))
            .replace("40000", &port.to_string());
        assert_eq!(
            refusal(local(), &offer),
            SdpError::Target(expected),
            "{address}:{port}"
        );
    }
    let other_family = offer("8", &[]).replace(&format!("c=IN IP4 {PEER}"), "c=IN IP6 2001:db8::1");
    assert_eq!(
        refusal(local(), &other_family),
        SdpError::Target(Refused::Unusable)
    );
}

#[test]
fn a_private_address_seen_from_outside_is_learnt_from_the_first_packet() {
    let offer = offer("8", &[]).replace(&format!("c=IN IP4 {PEER}"), "c=IN IP4 10.1.2.3");
    let media = answer(local(), &offer).media;
    assert_eq!((media.remote, media.remote_rtcp), (None, None));
    assert!(media.send && media.receive && !media.held);
}

#[test]
fn ipv6_is_spoken_as_well() {
    let ours = LocalMedia {
        address: "2001:db8::5".parse().expect("an address"),
        signalling: "2001:db8::1".parse().expect("an address"),
        ..local()
    };
    let offer = offer("8", &[]).replace(&format!("c=IN IP4 {PEER}"), "c=IN IP6 2001:db8::1");
    let answer = answer(ours, &offer);
    assert!(text(&answer.sdp).contains("c=IN IP6 2001:db8::5\r\n"));
    assert_eq!(
        answer.media.remote,
        Some("[2001:db8::1]:40000".parse().expect("an address"))
    );
}

#[test]
fn rtcp_goes_where_the_peer_says_if_that_may_be_sent_to() {
    for (attributes, expected) in [
        (vec![], "192.0.2.1:40001"),
        (vec!["rtcp:40500"], "192.0.2.1:40500"),
        (vec!["rtcp:40500 IN IP4 203.0.113.8"], "203.0.113.8:40500"),
        (vec!["rtcp:53"], "192.0.2.1:40001"),
        (vec!["rtcp:40500 IN IP4 127.0.0.1"], "192.0.2.1:40001"),
        (vec!["rtcp-mux", "rtcp:40500"], "192.0.2.1:40000"),
    ] {
        let answer = answer(local(), &offer("8", &attributes));
        assert_eq!(
            answer.media.remote_rtcp,
            Some(expected.parse().expect("an address"))
        );
        assert_eq!(
            text(&answer.sdp).contains("a=rtcp-mux"),
            attributes.contains(&"rtcp-mux")
        );
    }
    let alone = LocalMedia {
        rtcp_mux: false,
        ..local()
    };
    assert!(!answer(alone, &offer("8", &["rtcp-mux"])).media.rtcp_mux);
}

#[test]
fn keys_are_exchanged_where_both_sides_want_encryption() {
    let theirs = crypto(4, Suite::Aes128Sha1_32, 1);
    let ours = crypto(4, Suite::Aes128Sha1_32, 2);
    let line = format!("crypto:{}", theirs.write());
    let other = "crypto:3 AES_256_CM_HMAC_SHA1_80 inline:xyz";
    let with = offer("8", &[other, &line]);
    let secure = with.replace("RTP/AVP", "RTP/SAVP");
    let (off, optional, required) = (
        Encryption::Off,
        Encryption::Optional(secret(2)),
        Encryption::Required(secret(2)),
    );
    for (encryption, offer, encrypted) in [
        (off, &with, Ok(false)),
        (optional, &with, Ok(true)),
        (required, &with, Ok(true)),
        (off, &secure, Err(())),
        (optional, &secure, Ok(true)),
        (required, &secure, Ok(true)),
        (optional, &offer("8", &[]), Ok(false)),
        (required, &offer("8", &[]), Err(())),
        (required, &secure.replace(&line, "x"), Err(())),
    ] {
        let answer = Negotiation::new(LocalMedia {
            encryption,
            ..local()
        })
        .answer(offer.as_bytes());
        match (answer, encrypted) {
            (Ok(answer), Ok(true)) => {
                let keys = answer.media.srtp.expect("keys");
                assert_eq!((keys.local, keys.remote), (ours.key, theirs.key));
                assert!(text(&answer.sdp).contains(&format!("a=crypto:{}\r\n", ours.write())));
            }
            (Ok(answer), Ok(false)) => {
                assert_eq!(answer.media.srtp, None);
                assert!(!text(&answer.sdp).contains("crypto"));
            }
            (Err(error), Err(())) => assert_eq!(error, SdpError::NoCommonEncryption),
            (answer, _) => panic!("{encryption:?} {offer}: {answer:?}"),
        }
    }
}

#[test]
fn a_peer_that_names_its_key_in_each_packet_gets_the_same_from_us() {
    let identifier = KeyIdentifier::new(7, 4);
    let mut theirs = crypto(1, Suite::Aes128Sha1_80, 1);
    theirs.key = theirs.key.identified(identifier);
    let line = format!("crypto:{}", theirs.write());
    assert!(line.ends_with("|7:4"), "{line}");
    let mut negotiation = Negotiation::new(LocalMedia {
        encryption: Encryption::Optional(secret(2)),
        ..local()
    });
    let secure = offer("8", &[&line]).replace("RTP/AVP", "RTP/SAVP");
    let answer = negotiation.answer(secure.as_bytes()).expect("keys");
    let keys = answer.media.srtp.expect("keys");
    let ours = secret(2).key(Suite::Aes128Sha1_80).identified(identifier);
    assert_eq!((keys.local, keys.remote), (ours, theirs.key));
    let own = format!("a=crypto:{}\r\n", Crypto { tag: 1, key: ours }.write());
    assert!(text(&answer.sdp).contains(&own), "{}", text(&answer.sdp));

    // A hold of ours neither changes our key nor its name.
    negotiation.local_mut().direction = Direction::SendOnly;
    let hold = negotiation.offer();
    assert!(text(&hold).contains(&own), "{}", text(&hold));
}

#[test]
fn only_the_peer_may_name_its_key() {
    let mut theirs = crypto(1, Suite::Aes128Sha1_80, 1);
    theirs.key = theirs.key.identified(KeyIdentifier::new(1, 1));
    let mut negotiation = Negotiation::new(LocalMedia {
        encryption: Encryption::Required(secret(2)),
        ..local()
    });
    negotiation.offer();
    let line = format!("crypto:{}", theirs.write());
    let answer = offer("8", &[&line]).replace("RTP/AVP", "RTP/SAVP");
    let media = negotiation.read_answer(answer.as_bytes()).expect("keys");
    let keys = media.srtp.expect("keys");
    assert_eq!(keys.local, secret(2).key(Suite::Aes128Sha1_80));
    assert_eq!(keys.remote, theirs.key);
}

/// A re-INVITE of ours speaks of the suite that the call has, not of our favourite.
#[test]
fn a_hold_of_ours_keeps_the_suite_that_the_peer_chose() {
    for suite in Suite::ALL {
        let line = format!("crypto:{}", crypto(1, suite, 1).write());
        let mut negotiation = Negotiation::new(LocalMedia {
            encryption: Encryption::Optional(secret(2)),
            ..local()
        });
        negotiation
            .answer(offer("8", &[&line]).as_bytes())
            .expect("keys");
        let again = negotiation.offer();
        assert!(
            text(&again).contains(&crypto(1, suite, 2).write()),
            "{suite:?}"
        );
    }
}

#[test]
fn the_version_goes_up_when_our_description_changes_and_only_then() {
    let mut negotiation = Negotiation::new(local());
    let version = |sdp: &Bytes| {
        let line = text(sdp).lines().nth(1).expect("o=").to_owned();
        line.split(' ')
            .nth(2)
            .expect("a version")
            .parse::<u64>()
            .expect("a number")
    };
    let plain = offer("8", &[]);
    let first = negotiation.answer(plain.as_bytes()).expect("an answer");
    let again = negotiation.answer(plain.as_bytes()).expect("an answer");
    assert_eq!(first.sdp, again.sdp);
    let held = negotiation
        .answer(offer("8", &["sendonly"]).as_bytes())
        .expect("an answer");
    let back = negotiation.answer(plain.as_bytes()).expect("an answer");
    let versions = [&first.sdp, &again.sdp, &held.sdp, &back.sdp].map(version);
    assert_eq!(versions, [1, 1, 2, 3]);
}

#[test]
fn a_change_keeps_the_codec_that_is_spoken_and_a_refused_one_changes_nothing() {
    let mut negotiation = Negotiation::new(local());
    negotiation
        .answer(offer("0", &[]).as_bytes())
        .expect("an answer");
    let more = negotiation
        .answer(offer("8 0", &["sendonly"]).as_bytes())
        .expect("an answer");
    assert_eq!(more.media.codec, Codec::Pcmu);
    negotiation
        .answer(offer("3", &[]).as_bytes())
        .expect_err("no codec");
    assert_eq!(negotiation.agreed(), Some(&more.media));
}

#[test]
fn our_offer_lists_what_we_have_in_order() {
    let mut negotiation = Negotiation::new(LocalMedia {
        encryption: Encryption::Optional(secret(9)),
        prefer: Some(Codec::Opus),
        ..local()
    });
    let sdp = negotiation.offer();
    let crypto = crypto(1, Suite::Aes128Sha1_80, 9);
    assert_eq!(
        text(&sdp),
        format!(
            "v=0\r\no=- 7 1 IN IP4 198.51.100.5\r\ns=-\r\nc=IN IP4 198.51.100.5\r\nt=0 0\r\n\
             m=audio 30000 RTP/AVP 111 8 0 9 18 101 110\r\n\
             a=rtpmap:111 opus/48000/2\r\n\
             a=fmtp:111 maxplaybackrate=16000;sprop-maxcapturerate=16000;stereo=0;useinbandfec=0;usedtx=0\r\n\
             a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:9 G722/8000\r\n\
             a=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\n\
             a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n\
             a=rtpmap:110 telephone-event/48000\r\na=fmtp:110 0-16\r\n\
             a=ptime:20\r\na=maxptime:60\r\na=sendrecv\r\na=rtcp-mux\r\na=crypto:{}\r\n",
            crypto.write()
        )
    );
}

#[test]
fn the_answer_to_our_offer_decides_and_may_number_differently() {
    let mut negotiation = Negotiation::new(local());
    negotiation.offer();
    let answer = offer(
        "96 0 97",
        &["rtpmap:96 opus/48000/2", "rtpmap:97 telephone-event/48000"],
    );
    let media = negotiation
        .read_answer(answer.as_bytes())
        .expect("an agreement");
    assert_eq!(
        (media.codec, media.payload_type, media.payload_type_in),
        (Codec::Opus, 96, 111)
    );
    let event = media.telephone_event.expect("events");
    assert_eq!(
        (event.payload_type, event.payload_type_in, event.clock),
        (97, 110, 48_000)
    );
    assert_eq!(
        negotiation.read_answer(answer.as_bytes()),
        Ok(media.clone())
    );

    negotiation.local_mut().prefer = Some(Codec::Pcmu);
    let media = negotiation
        .read_answer(answer.as_bytes())
        .expect("an agreement");
    assert_eq!(media.codec, Codec::Pcmu);
}

#[test]
fn our_answer_offered_again_may_be_answered() {
    let peer = offer("8 101", &["rtpmap:101 telephone-event/8000"]);
    let mut negotiation = Negotiation::new(local());
    let agreed = negotiation.answer(peer.as_bytes()).expect("an agreement");
    let again = negotiation.read_answer(peer.as_bytes());
    assert_eq!(again, Ok(agreed.media));
    let held = peer.replace("sendrecv", "sendonly") + "a=sendonly\r\n";
    let media = negotiation.answer(held.as_bytes()).expect("a hold").media;
    assert_eq!(negotiation.read_answer(held.as_bytes()), Ok(media));
}

#[test]
fn an_answer_that_is_none_is_told_apart() {
    let good = offer("8", &[]);
    let nothing = Negotiation::new(local()).read_answer(good.as_bytes());
    assert_eq!(nothing, Err(SdpError::NotAnAnswer("nothing was offered")));
    for (answer, expected) in [
        (good.replace("40000", "0"), SdpError::NoAudio),
        (
            good.replace("m=audio", "m=video"),
            SdpError::NotAnAnswer("our audio stream is missing"),
        ),
        (
            "v=0\r\n".into(),
            SdpError::NotAnAnswer("our audio stream is missing"),
        ),
        (offer("3", &[]), SdpError::NoCommonCodec),
        (
            good.replace("RTP/AVP", "RTP/SAVP"),
            SdpError::NoCommonEncryption,
        ),
    ] {
        let mut negotiation = Negotiation::new(local());
        negotiation.offer();
        assert_eq!(
            negotiation.read_answer(answer.as_bytes()),
            Err(expected),
            "{answer}"
        );
    }
}

#[test]
fn offered_keys_count_only_when_they_come_back_with_their_tag() {
    let theirs = |tag| crypto(tag, Suite::Aes128Sha1_80, 1).write();
    for (encryption, tag, expected) in [
        (Encryption::Optional(secret(2)), Some(1), Ok(true)),
        (Encryption::Optional(secret(2)), Some(2), Ok(false)),
        (Encryption::Optional(secret(2)), None, Ok(false)),
        (Encryption::Required(secret(2)), Some(1), Ok(true)),
        (
            Encryption::Required(secret(2)),
            None,
            Err(SdpError::NoCommonEncryption),
        ),
    ] {
        let mut negotiation = Negotiation::new(LocalMedia {
            encryption,
            ..local()
        });
        negotiation.offer();
        let line = tag.map(|tag| format!("crypto:{}", theirs(tag)));
        let answer = offer("8", &line.iter().map(String::as_str).collect::<Vec<_>>());
        let media = negotiation.read_answer(answer.as_bytes());
        assert_eq!(media.map(|media| media.srtp.is_some()), expected);
    }
}

#[test]
fn a_peer_that_takes_several_codecs_may_send_any_of_them_under_our_numbers() {
    let mut negotiation = Negotiation::new(local());
    negotiation.offer();
    let answer = offer("96 0 8 3", &["rtpmap:96 opus/48000/2"]);
    let media = negotiation.read_answer(answer.as_bytes()).expect("media");
    assert_eq!((media.codec, media.payload_type), (Codec::Opus, 96));
    assert_eq!(media.payload_type_in, 111);
    let alternatives: Vec<_> = media
        .alternatives
        .iter()
        .map(|format| (format.codec, format.payload_type))
        .collect();
    assert_eq!(alternatives, [(Codec::Pcma, 8), (Codec::Pcmu, 0)]);
    // Our own answers name one codec, so nothing else may come.
    let answer = negotiation
        .answer(offer("8 0", &[]).as_bytes())
        .expect("media");
    assert_eq!(answer.media.alternatives, []);
}

#[test]
fn our_hold_is_answered_without_being_taken_for_theirs() {
    let mut negotiation = Negotiation::new(local());
    negotiation
        .answer(offer("0 101", &["rtpmap:101 telephone-event/8000"]).as_bytes())
        .expect("ok");
    negotiation.local_mut().direction = Direction::SendOnly;
    let sdp = negotiation.offer();
    assert!(text(&sdp).contains("o=- 7 2 "), "the second version");
    assert!(
        text(&sdp).contains("m=audio 30000 RTP/AVP 0 8 9 111 18 101"),
        "{}",
        text(&sdp)
    );
    let media = negotiation
        .read_answer(offer("0", &["recvonly"]).as_bytes())
        .expect("ok");
    assert_eq!(
        (media.send, media.receive, media.held),
        (true, false, false)
    );

    negotiation.local_mut().direction = Direction::Inactive;
    negotiation.offer();
    let media = negotiation
        .read_answer(offer("0", &["inactive"]).as_bytes())
        .expect("ok");
    assert_eq!(
        (media.send, media.receive, media.held),
        (false, false, false)
    );
}

#[test]
fn later_offers_of_ours_keep_the_refused_streams_and_the_numbers_of_the_peer() {
    let mut negotiation = Negotiation::new(local());
    let offer = format!(
        "v=0\r\nc=IN IP4 {PEER}\r\nm=video 41000 RTP/AVP 31\r\nm=audio 40000 RTP/AVP 96 97\r\n\
         a=rtpmap:96 opus/48000/2\r\na=rtpmap:97 telephone-event/48000\r\n"
    );
    negotiation.answer(offer.as_bytes()).expect("an answer");
    let sdp = negotiation.offer();
    assert!(
        text(&sdp).contains("m=video 0 RTP/AVP 31\r\nm=audio 30000 RTP/AVP 96 8 0 9 18 101 97\r\n")
    );
    let media = negotiation
        .read_answer(offer.as_bytes())
        .expect("an agreement");
    assert_eq!((media.codec, media.payload_type_in), (Codec::Opus, 96));
}

/// Two negotiations that talk to each other agree, whoever offers.
#[test]
fn two_of_us_agree() {
    for encryption in [
        Encryption::Off,
        Encryption::Optional(secret(3)),
        Encryption::Required(secret(3)),
    ] {
        for codec in Codec::ALL {
            let mut alice = Negotiation::new(LocalMedia {
                encryption,
                signalling: "198.51.100.6".parse().expect("an address"),
                ..local()
            });
            let mut bob = Negotiation::new(LocalMedia {
                address: "198.51.100.6".parse().expect("an address"),
                signalling: "198.51.100.5".parse().expect("an address"),
                codecs: vec![codec],
                encryption,
                ..local()
            });
            let answer = bob.answer(&alice.offer()).expect("an answer");
            let media = alice.read_answer(&answer.sdp).expect("an agreement");
            assert_eq!((media.codec, answer.media.codec), (codec, codec));
            assert_eq!(media.payload_type, answer.media.payload_type_in);
            assert_eq!(
                media.srtp.map(|k| k.local),
                answer.media.srtp.map(|k| k.remote)
            );
            assert_eq!(media.srtp.is_some(), encryption != Encryption::Off);
            assert!(media.rtcp_mux && answer.media.rtcp_mux);
            let again = alice.answer(&bob.offer()).expect("a second round");
            assert_eq!(
                bob.read_answer(&again.sdp).expect("an agreement").codec,
                codec
            );
        }
    }
}

/// What a browser, a desk telephone with SRTP and a conference system offer.
const SEEDS: [&str; 3] = [
    "v=0\r\no=- 46117 2 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
     m=audio 40000 RTP/AVPF 111 63 9 0 8 13 110 126\r\nc=IN IP4 192.0.2.1\r\na=rtcp:9 IN IP4 0.0.0.0\r\n\
     a=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10\r\n\
     a=rtpmap:110 telephone-event/48000\r\na=rtpmap:126 telephone-event/8000\r\n",
    "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
     m=audio 40000 RTP/AVP 8 18 101\r\na=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\na=ptime:20\r\n\
     a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA|2^31\r\n\
     a=rtpmap:101 telephone-event/8000\r\na=rtcp:40003\r\na=maxptime:60\r\na=sendonly\r\n",
    "v=0\r\no=- 1 1 IN IP6 2001:db8::1\r\ns=-\r\nc=IN IP6 2001:db8::1/127\r\nt=0 0\r\n\
     m=video 41000 RTP/AVP 31\r\nm=audio 40000/2 RTP/AVP 0\r\nm=application 5000 UDP/BFCP *\r\n",
];

fn damage(bytes: &mut Vec<u8>, random: &mut SmallRng) {
    let at = random.random_range(0..bytes.len());
    match random.random_range(0..6) {
        0 => bytes[at] = random.random(),
        1 => bytes[at] = b" \r\n:/=*09?"[random.random_range(0..10)],
        2 => {
            bytes.remove(at);
        }
        3 => {
            let end = (at + random.random_range(1..80)).min(bytes.len());
            let piece = bytes[at..end].to_vec();
            bytes.splice(at..at, piece.repeat(random.random_range(1..20)));
        }
        4 => bytes.truncate(at),
        _ => {
            let number = random.random::<u64>().to_string();
            bytes.splice(at..at, number.into_bytes());
        }
    }
    bytes.push(b'\n');
}

/// Whatever arrives: no panic, the answer is a description that we can read ourselves, with a line for
/// each stream, and it is never more than a little longer than the offer.
#[test]
fn damaged_offers_are_answered_or_refused_and_nothing_else_happens() {
    let mut random = SmallRng::seed_from_u64(3_264);
    let mut answered = 0;
    for round in 0..50_000 {
        let mut bytes = SEEDS[round % SEEDS.len()].as_bytes().to_vec();
        for _ in 0..random.random_range(1..6) {
            damage(&mut bytes, &mut random);
        }
        let mut negotiation = Negotiation::new(LocalMedia {
            encryption: Encryption::Optional(secret(5)),
            ..local()
        });
        if let Ok(answer) = negotiation.answer(&bytes) {
            answered += 1;
            let offer = Description::read(&bytes).expect("it was answered");
            let ours = Description::read(&answer.sdp).expect("our own description");
            assert_eq!(ours.streams.len(), offer.streams.len(), "round {round}");
            assert_eq!(
                ours.streams
                    .iter()
                    .filter(|stream| stream.port != 0)
                    .count(),
                1
            );
            assert!(answer.sdp.len() <= bytes.len() + 500, "round {round}");
        }
        negotiation.offer();
        let _ = negotiation.read_answer(&bytes);
    }
    assert!(
        (5_000..45_000).contains(&answered),
        "{answered} of 50,000 answered"
    );
}
