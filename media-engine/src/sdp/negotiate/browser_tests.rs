//! Offers and answers with browsers.

use super::*;
use crate::dtls::{Fingerprint, Role};

/// What a browser offers: trimmed of most of its codecs and header extensions.
const CHROMIUM: &str = "v=0\r\no=- 4611 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
    a=group:BUNDLE 0\r\na=extmap-allow-mixed\r\na=msid-semantic: WMS 5f0c\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r\nc=IN IP4 0.0.0.0\r\n\
    a=rtcp:9 IN IP4 0.0.0.0\r\n\
    a=candidate:1 1 udp 2122260223 0e4f.local 51234 typ host generation 0\r\n\
    a=ice-ufrag:Fg5k\r\na=ice-pwd:theirpasswordoftheice24\r\na=ice-options:trickle\r\n\
    a=fingerprint:sha-256 AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:\
    22:33:44:55:66:77:88:99\r\n\
    a=setup:actpass\r\na=mid:0\r\na=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n\
    a=sendrecv\r\na=msid:5f0c 77d1\r\na=rtcp-mux\r\na=rtcp-rsize\r\n\
    a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\n\
    a=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n\
    a=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
    a=rtpmap:13 CN/8000\r\na=rtpmap:110 telephone-event/48000\r\n\
    a=rtpmap:126 telephone-event/8000\r\na=ssrc:1234 cname:x\r\n";

fn entrance() -> Entrance {
    Entrance::new(Fingerprint::of(b"ours"), [7; browser::SECRET])
}

fn local() -> LocalMedia {
    LocalMedia {
        session_id: 7,
        address: "198.51.100.5".parse().expect("an address"),
        port: 20_000,
        rtcp_mux: false,
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
        browser: Some(entrance()),
        signalling: "192.0.2.1".parse().expect("an address"),
    }
}

fn answer(negotiation: &mut Negotiation, offer: &str) -> (String, MediaParameters) {
    let Answer { sdp, media } = negotiation.answer(offer.as_bytes()).expect("an answer");
    let text = String::from_utf8(sdp.to_vec()).expect("ASCII");
    (text, media)
}

fn pairing(media: &MediaParameters) -> &Pairing {
    media.browser.as_deref().expect("a browser")
}

#[test]
fn the_answer_to_a_browser_is_this_to_the_letter() {
    let mut negotiation = Negotiation::new(local());
    let (text, media) = answer(&mut negotiation, CHROMIUM);
    let ours = entrance().credentials(0);
    assert_eq!(
        text,
        format!(
            "v=0\r\no=- 7 1 IN IP4 198.51.100.5\r\ns=-\r\nc=IN IP4 198.51.100.5\r\nt=0 0\r\n\
             a=group:BUNDLE 0\r\na=ice-lite\r\n\
             m=audio 20000 UDP/TLS/RTP/SAVPF 111 110\r\na=rtpmap:111 opus/48000/2\r\n\
             a=fmtp:111 maxplaybackrate=16000;sprop-maxcapturerate=16000;stereo=0;\
             useinbandfec=0;usedtx=0\r\n\
             a=rtpmap:110 telephone-event/48000\r\na=fmtp:110 0-16\r\n\
             a=ptime:20\r\na=maxptime:60\r\na=sendrecv\r\na=rtcp-mux\r\n\
             a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n\
             a=candidate:1 1 udp 2130706431 198.51.100.5 20000 typ host\r\n\
             a=end-of-candidates\r\na=fingerprint:{}\r\na=setup:passive\r\n\
             a=msid:ramal audio\r\na=mid:0\r\n",
            ours.ufrag,
            ours.password,
            Fingerprint::of(b"ours")
        )
    );
    let pairing = pairing(&media);
    assert_eq!((&pairing.ours, pairing.role), (&ours, Role::Server));
    assert_eq!(pairing.theirs.ufrag, "Fg5k");
    assert!(
        pairing
            .fingerprint
            .to_string()
            .starts_with("sha-256 AA:BB:CC")
    );
    assert_eq!(
        (media.remote, media.remote_rtcp, media.srtp),
        (None, None, None)
    );
    assert!(media.rtcp_mux && media.send && media.receive && !media.held);
}

#[test]
fn what_needs_no_transcoding_is_chosen_of_what_a_browser_has() {
    for (prefer, codec) in [
        (None, Codec::Opus),
        (Some(Codec::Pcma), Codec::Pcma),
        (Some(Codec::Pcmu), Codec::Pcmu),
        (Some(Codec::G722), Codec::G722),
        (Some(Codec::G729), Codec::Opus),
    ] {
        let local = LocalMedia { prefer, ..local() };
        let (_, media) = answer(&mut Negotiation::new(local), CHROMIUM);
        assert_eq!(media.codec, codec, "{prefer:?}");
    }
}

#[test]
fn our_offer_to_a_browser_leaves_the_roles_to_it_and_its_answer_decides() {
    let prefer = Some(Codec::Pcma);
    let mut negotiation = Negotiation::new(LocalMedia { prefer, ..local() });
    let offer = String::from_utf8(negotiation.offer().to_vec()).expect("ASCII");
    assert!(
        offer.contains("m=audio 20000 UDP/TLS/RTP/SAVPF 8 111 9 0 101 110\r\n"),
        "{offer}"
    );
    for line in [
        "a=setup:actpass",
        "a=mid:0",
        "a=group:BUNDLE 0",
        "a=rtcp-mux",
        "a=ice-lite",
    ] {
        assert!(offer.contains(&format!("{line}\r\n")), "{line}: {offer}");
    }
    for (setup, role) in [("active", Role::Server), ("passive", Role::Client)] {
        let mut negotiation = negotiation.clone();
        let answer = CHROMIUM.replace("actpass", setup);
        let media = negotiation
            .read_answer(answer.as_bytes())
            .expect("an answer");
        assert_eq!(pairing(&media).role, role);
        assert_eq!(media.codec, Codec::Pcma);
        // Whoever speaks first keeps to it.
        let (text, media) = answer_again(&mut negotiation);
        assert_eq!(pairing(&media).role, role);
        let ours = if role == Role::Server {
            "passive"
        } else {
            "active"
        };
        assert!(text.contains(&format!("a=setup:{ours}\r\n")), "{text}");
    }
}

fn answer_again(negotiation: &mut Negotiation) -> (String, MediaParameters) {
    answer(negotiation, CHROMIUM)
}

#[test]
fn a_hold_changes_neither_names_nor_roles() {
    let mut negotiation = Negotiation::new(local());
    let (_, before) = answer(&mut negotiation, CHROMIUM);
    let hold = CHROMIUM.replace("a=sendrecv", "a=sendonly");
    let (text, held) = answer(&mut negotiation, &hold);
    assert!(held.held && !held.send && held.receive);
    assert!(text.contains("a=recvonly\r\n") && text.starts_with("v=0\r\no=- 7 2 "));
    assert_eq!(before.browser, held.browser);
    assert_eq!(before.codec, held.codec);
}

#[test]
fn ice_begun_anew_is_answered_with_new_names_each_time() {
    let mut negotiation = Negotiation::new(local());
    let (_, first) = answer(&mut negotiation, CHROMIUM);
    let anew = CHROMIUM.replace("Fg5k", "Hh6l");
    let (text, second) = answer(&mut negotiation, &anew);
    assert_eq!(pairing(&second).ours, entrance().credentials(1));
    assert_ne!(pairing(&first).ours, pairing(&second).ours);
    assert!(text.contains(&pairing(&second).ours.password));
    let (_, same) = answer(&mut negotiation, &anew);
    assert_eq!(second.browser, same.browser);
    let offer = negotiation.offer();
    assert!(String::from_utf8_lossy(&offer).contains(&pairing(&second).ours.ufrag));
    let (_, third) = answer(&mut negotiation, CHROMIUM);
    assert_eq!(pairing(&third).ours, entrance().credentials(2));
}

#[test]
fn what_is_missing_for_trust_means_no_media() {
    for (with, without) in [
        ("a=fingerprint:sha-256", "a=fingerprint:sha-1"),
        ("a=setup:actpass", "a=setup:holdconn"),
        ("a=ice-ufrag:Fg5k", "a=ice-ufrag:F"),
        ("a=ice-pwd:", "a=nothing:"),
        ("a=rtcp-mux", "a=nothing"),
        ("UDP/TLS/RTP/SAVPF", "RTP/SAVPF"),
        ("UDP/TLS/RTP/SAVPF", "RTP/AVP"),
    ] {
        let offer = CHROMIUM.replace(with, without);
        let refused = Negotiation::new(local()).answer(offer.as_bytes());
        assert_eq!(refused, Err(SdpError::NoCommonEncryption), "{without}");
    }
    let plain = LocalMedia {
        browser: None,
        encryption: Encryption::Optional(Secret::from_bytes([1; Secret::BYTES])),
        ..local()
    };
    let refused = Negotiation::new(plain).answer(CHROMIUM.as_bytes());
    assert_eq!(refused, Err(SdpError::NoCommonEncryption));
}

#[test]
fn what_the_session_says_of_ice_and_dtls_holds_for_its_streams() {
    let mut lines: Vec<&str> = CHROMIUM.split_inclusive("\r\n").collect();
    let is_common = |line: &&str| {
        ["a=ice-ufrag", "a=ice-pwd", "a=fingerprint", "a=setup"]
            .iter()
            .any(|name| line.starts_with(name))
    };
    let common: String = lines
        .iter()
        .filter(|line| is_common(line))
        .copied()
        .collect();
    lines.retain(|line| !is_common(line));
    let offer = lines
        .concat()
        .replace("t=0 0\r\n", &format!("t=0 0\r\n{common}"));
    let (_, moved) = answer(&mut Negotiation::new(local()), &offer);
    let (_, media) = answer(&mut Negotiation::new(local()), CHROMIUM);
    assert_eq!(moved.browser, media.browser);
}

#[test]
fn a_browser_is_told_from_a_telephone_by_its_offer() {
    assert!(browser::is_browser(CHROMIUM.as_bytes()));
    let (text, _) = answer(&mut Negotiation::new(local()), CHROMIUM);
    assert!(browser::is_browser(text.as_bytes()));
    for other in [
        CHROMIUM.replace("UDP/TLS/RTP/SAVPF", "RTP/SAVPF"),
        CHROMIUM.replace("m=audio", "m=video"),
        "m=audio".to_owned(),
        String::new(),
    ] {
        assert!(!browser::is_browser(other.as_bytes()), "{other}");
    }
}

#[test]
fn two_of_us_agree_as_browsers() {
    let mut theirs = Negotiation::new(LocalMedia {
        browser: Some(Entrance::new(
            Fingerprint::of(b"theirs"),
            [9; browser::SECRET],
        )),
        ..local()
    });
    let mut ours = Negotiation::new(local());
    let offer = ours.offer();
    let answer = theirs.answer(&offer).expect("an answer");
    let media = ours.read_answer(&answer.sdp).expect("agreed");
    let (ours, theirs) = (pairing(&media), pairing(&answer.media));
    assert_eq!((&ours.ours, &ours.theirs), (&theirs.theirs, &theirs.ours));
    assert_eq!(ours.fingerprint, Fingerprint::of(b"theirs"));
    assert_eq!((ours.role, theirs.role), (Role::Client, Role::Server));
    assert_eq!(media.codec, Codec::Opus);
}
