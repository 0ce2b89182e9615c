//! Legs of browsers: nothing before both are known.

use rand::SeedableRng as _;

use super::*;
use crate::dtls::{Fingerprint, Role};
use crate::ice::agent::Credentials;
use crate::rtp::packet::Header;
use crate::rtp::srtp::Keys;
use crate::sdp::browser::Pairing;

/// A browser has to say where it is and to prove who it is, in either order, before a byte goes out.
#[test]
fn a_browser_is_neither_sent_nor_heard_before_it_is_known() {
    let start = origin();
    let mut random = rand::rngs::StdRng::seed_from_u64(3);
    let [ours, theirs] = [(); 2].map(|()| MasterKey::draw(Suite::Aes256Gcm, &mut random));
    let keys = Keys {
        local: ours,
        remote: theirs,
    };
    let pairing = Pairing {
        ours: Credentials::draw(&mut random),
        theirs: Credentials::draw(&mut random),
        role: Role::Server,
        fingerprint: Fingerprint::of(b"x"),
    };
    let browser: SocketAddr = "198.51.100.7:5000".parse().expect("an address");
    let config = LegConfig {
        browser: Some(Box::new(pairing)),
        rtcp_mux: true,
        signalling_host: Some(browser.ip()),
        ..LegConfig::new(Codec::Pcma, 8, None)
    };
    for address_first in [true, false] {
        let mut leg = Leg::new(start, config.clone(), 1);
        let mut datagram = [0; DATAGRAM];
        let mut now = start;
        let mut sends = |leg: &mut Leg| {
            now += Duration::from_millis(20);
            leg.poll_packet(now, &mut datagram).map(|sent| sent.to)
        };
        assert_eq!(sends(&mut leg), None);
        for turn in 0..2 {
            if (turn == 0) == address_first {
                leg.select(start, Some(browser));
            } else {
                leg.secure(start, &keys);
            }
            assert_eq!(sends(&mut leg), (turn == 1).then_some(browser));
        }
        // A hold keeps what is known, and whoever wants to hear nothing is sent nothing.
        leg.reconfigure(start, config.clone());
        assert_eq!(sends(&mut leg), Some(browser));
        leg.select(start, None);
        assert_eq!(sends(&mut leg), None);
        leg.select(start, Some(browser));

        let mut theirs = crate::rtp::srtp::Protector::new(&keys.remote);
        let mut packet = [0; DATAGRAM];
        let header = Header {
            marker: false,
            payload_type: 8,
            sequence: 1,
            timestamp: 0,
            ssrc: 5,
        };
        header.write(&mut packet);
        let length = theirs.protect(&mut packet, HEADER + 160);
        let stranger = "198.51.100.7:5001".parse().expect("an address");
        leg.handle_packet(start, start, stranger, &mut { packet }[..length]);
        assert_eq!(leg.report().received, 0);
        leg.handle_packet(start, start, browser, &mut packet[..length]);
        let report = leg.report();
        assert_eq!(report.received, 1, "{report:?}");
    }
}
