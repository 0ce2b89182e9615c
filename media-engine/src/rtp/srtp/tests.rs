#![allow(clippy::cast_possible_truncation)] // sequence numbers wrap

use rand::{Rng, SeedableRng, rngs::SmallRng};
use webrtc_srtp::{context::Context, protection_profile::ProtectionProfile};

use super::*;
use crate::rtp::packet::{HEADER, Header};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("text"), 16).expect("hex"))
        .collect()
}

fn master(suite: Suite, seed: u64) -> MasterKey {
    MasterKey::draw(suite, &mut rand::rngs::StdRng::seed_from_u64(seed))
}

fn rtp(sequence: u16, ssrc: u32, payload: &[u8]) -> Vec<u8> {
    let mut datagram = vec![0; HEADER];
    Header {
        marker: false,
        payload_type: 8,
        sequence,
        timestamp: 160,
        ssrc,
    }
    .write(&mut datagram);
    datagram.extend_from_slice(payload);
    datagram
}

fn protected(protector: &mut Protector, packet: &[u8]) -> Vec<u8> {
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + TRAILER_MAX, 0);
    let length = protector.protect(&mut buffer, packet.len());
    buffer.truncate(length);
    buffer
}

fn opened(unprotector: &mut Unprotector, packet: &[u8]) -> Result<Vec<u8>, Rejected> {
    let mut copy = packet.to_vec();
    let length = unprotector.unprotect(&mut copy)?;
    copy.truncate(length);
    Ok(copy)
}

/// RFC 3711 appendix B.2: the key stream for one session key and salt.
#[test]
fn the_key_stream_of_the_standard() {
    let cipher = Cipher::new(&hex("2B7E151628AED2A6ABF7158809CF4F3C"));
    let mut counter = [0; 16];
    counter[..14].copy_from_slice(&hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD"));
    let mut stream = [0; 48];
    cipher.apply(&counter, &mut stream);
    let expected = "E03EAD0935C95E80E166B16DD92B4EB4
                    D23513162B02D0F72A43A2FE4A5F97AB
                    41E95B3BB0A2E8DD477901E4FCA894C0";
    assert_eq!(stream.to_vec(), hex(expected));
}

/// RFC 3711 appendix B.3: session keys from a master key and salt.
#[test]
fn the_key_derivation_of_the_standard() {
    let key_and_salt = hex("E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6");
    let master = MasterKey::new(Suite::Aes128Sha1_80, &key_and_salt).expect("30 bytes");
    let keys = SessionKeys::derive(&master, Label::Rtp);
    assert_eq!(keys.salt.to_vec(), hex("30CBBC08863D8C85D49DB34A9AE1"));
    let expected = Cipher::new(&hex("C61E7A93744F39EE10734AFE3FF7A087"));
    let (mut ours, mut theirs) = ([0; 16], [0; 16]);
    keys.cipher.apply(&[0; 16], &mut ours);
    expected.apply(&[0; 16], &mut theirs);
    assert_eq!(ours, theirs);
    let secret = hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4");
    let mut authenticator = <Hmac<Sha1> as Mac>::new_from_slice(&secret).expect("a key");
    authenticator.update(b"any message");
    let expected: [u8; 20] = authenticator.finalize().into_bytes().into();
    assert_eq!(keys.tag(b"any ", b"message"), expected);
}

/// Those that the oracle has.
const COMMON: [Suite; 4] = [
    Suite::Aes128Sha1_80,
    Suite::Aes128Sha1_32,
    Suite::Aes128Gcm,
    Suite::Aes256Gcm,
];

fn oracle(master: &MasterKey, suite: Suite) -> Context {
    let profile = match suite {
        Suite::Aes128Sha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
        Suite::Aes128Sha1_32 => ProtectionProfile::Aes128CmHmacSha1_32,
        Suite::Aes128Gcm => ProtectionProfile::AeadAes128Gcm,
        Suite::Aes256Gcm => ProtectionProfile::AeadAes256Gcm,
        Suite::Aes256Sha1_80 | Suite::Aes256Sha1_32 => panic!("it has no AES-256 with SHA-1"),
    };
    Context::new(master.key(), master.salt(), profile, None, None).expect("a context")
}

#[test]
fn webrtc_srtp_writes_what_we_write_across_the_rollover() {
    let mut random = SmallRng::seed_from_u64(1);
    for suite in COMMON {
        let master = master(suite, 7);
        let mut ours = Protector::new(&master);
        let mut theirs = oracle(&master, suite);
        for turn in 0..200_000_u32 {
            // Four cycles of sequence numbers in big steps, and small ones about the rollover.
            let sequence = (turn.wrapping_mul(if turn % 65_536 < 100 { 1 } else { 7 })) as u16;
            if turn % 65_536 > 300 && !turn.is_multiple_of(97) {
                continue;
            }
            let payload: Vec<u8> = (0..random.random_range(0..200))
                .map(|_| random.random())
                .collect();
            let packet = rtp(sequence, 0xcafe_babe, &payload);
            let expected = theirs.encrypt_rtp(&packet).expect("the oracle protects");
            assert_eq!(protected(&mut ours, &packet), &expected[..], "turn {turn}");
        }
    }
}

#[test]
fn what_webrtc_srtp_protects_we_open() {
    for suite in COMMON {
        let master = master(suite, 8);
        let mut theirs = oracle(&master, suite);
        let mut ours = Unprotector::new(&master);
        for turn in 65_000..67_000_u32 {
            let packet = rtp(turn as u16, 9, &turn.to_be_bytes());
            let sent = theirs.encrypt_rtp(&packet).expect("the oracle protects");
            assert_eq!(opened(&mut ours, &sent), Ok(packet), "turn {turn}");
        }
    }
}

#[test]
fn rtcp_goes_both_ways_with_webrtc_srtp() {
    for suite in COMMON {
        rtcp_goes_both_ways(suite);
    }
}

fn rtcp_goes_both_ways(suite: Suite) {
    let master = master(suite, 9);
    let mut theirs = oracle(&master, suite);
    let mut protector = Protector::new(&master);
    let mut unprotector = Unprotector::new(&master);
    let compound = crate::rtp::rtcp::Compound {
        ssrc: 0x1234_5678,
        sender: Some(crate::rtp::rtcp::SenderInfo::default()),
        block: None,
        cname: "someone",
        bye: false,
    };
    for _ in 0..5 {
        let mut buffer = [0; 200];
        let length = compound.write(&mut buffer);
        let plain = buffer[..length].to_vec();
        let length = protector.protect_rtcp(&mut buffer, length);
        let read = theirs
            .decrypt_rtcp(&buffer[..length])
            .expect("the oracle opens ours");
        assert_eq!(&read[..], plain);
        let mut sent = theirs
            .encrypt_rtcp(&plain)
            .expect("the oracle protects")
            .to_vec();
        let length = unprotector
            .unprotect_rtcp(&mut sent)
            .expect("we open the oracle's");
        assert_eq!(sent[..length], plain);
    }
}

#[test]
fn all_suites_open_what_they_protect() {
    for suite in Suite::ALL {
        assert_eq!(Suite::from_name(suite.name()), Some(suite));
        let master = master(suite, 10);
        let mut protector = Protector::new(&master);
        let mut unprotector = Unprotector::new(&master);
        for sequence in 0..100 {
            let packet = rtp(sequence, 1, b"some audio, more than one block of it");
            let sent = protected(&mut protector, &packet);
            assert_eq!(sent.len(), packet.len() + suite.rtp_tag());
            assert_ne!(sent[HEADER..packet.len()], packet[HEADER..]);
            assert_eq!(opened(&mut unprotector, &sent), Ok(packet));
        }
    }
}

#[test]
fn a_replayed_packet_is_refused_and_a_late_one_taken_once() {
    let master = master(Suite::Aes128Sha1_80, 11);
    let mut protector = Protector::new(&master);
    let mut unprotector = Unprotector::new(&master);
    let sent: Vec<Vec<u8>> = (65_400..65_400 + 300_u32)
        .map(|n| protected(&mut protector, &rtp(n as u16, 1, b"x")))
        .collect();
    for packet in &sent[..290] {
        if packet != &sent[280] {
            assert!(opened(&mut unprotector, packet).is_ok());
        }
    }
    assert!(opened(&mut unprotector, &sent[280]).is_ok(), "late");
    for packet in &sent[..290] {
        assert_eq!(opened(&mut unprotector, packet), Err(Rejected::Replayed));
    }
    assert!(opened(&mut unprotector, &sent[299]).is_ok());
}

#[test]
fn a_single_wrong_bit_anywhere_is_refused_and_changes_nothing() {
    for suite in Suite::ALL {
        refuses_each_wrong_bit(suite);
    }
}

fn refuses_each_wrong_bit(suite: Suite) {
    let master = master(suite, 12);
    let mut protector = Protector::new(&master);
    let mut unprotector = Unprotector::new(&master);
    let good = protected(&mut protector, &rtp(1, 1, b"audio"));
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(opened(&mut unprotector, &bad).is_err(), "bit {bit}");
    }
    assert!(opened(&mut unprotector, &good).is_ok());
}

#[test]
fn a_stream_that_wrapped_before_it_was_heard_is_opened() {
    let master = master(Suite::Aes128Sha1_80, 16);
    let mut protector = Protector::new(&master);
    let mut unprotector = Unprotector::new(&master);
    let packets: Vec<_> = (65_500..65_600_u32)
        .map(|turn| rtp(turn as u16, 1, &turn.to_be_bytes()))
        .collect();
    let sent: Vec<_> = packets
        .iter()
        .map(|packet| protected(&mut protector, packet))
        .collect();
    // The first that is heard comes behind the wrap; one from before it arrives late.
    for at in [50, 51, 30, 52, 99] {
        let opened = opened(&mut unprotector, &sent[at]);
        assert_eq!(opened.as_ref(), Ok(&packets[at]), "packet {at}");
    }
    assert_eq!(opened(&mut unprotector, &sent[30]), Err(Rejected::Replayed));
}

/// The packets of one source from the sequence number 65,500 on, across the wrap.
fn wrapping(protector: &mut Protector, count: u32) -> Vec<Vec<u8>> {
    (65_500..65_500 + count)
        .map(|turn| protected(protector, &rtp(turn as u16, 1, &turn.to_be_bytes())))
        .collect()
}

#[test]
fn a_source_that_is_heard_is_tried_with_no_other_rollover() {
    let master = master(Suite::Aes128Sha1_80, 17);
    let sent = wrapping(&mut Protector::new(&master), 70_000);
    let mut unprotector = Unprotector::new(&master);
    assert!(opened(&mut unprotector, &sent[0]).is_ok());
    assert!(opened(&mut unprotector, &sent[40]).is_ok());
    // 65,536 further on the number is nearly the same, and the rollover is not.
    let far = &sent[50 + 65_536];
    assert_eq!(opened(&mut unprotector, far), Err(Rejected::BadTag));
    assert!(opened(&mut unprotector, &sent[41]).is_ok());
}

#[test]
fn a_packet_of_the_cycle_before_is_not_taken_for_one_behind_the_wrap() {
    let master = master(Suite::Aes128Sha1_80, 18);
    let mut protector = Protector::new(&master);
    let first = protected(&mut protector, &rtp(20, 1, b"first"));
    for sequence in (0..=u16::MAX).step_by(20_000) {
        protected(&mut protector, &rtp(sequence, 1, b"between"));
    }
    let behind = protected(&mut protector, &rtp(21, 1, b"behind"));
    let mut unprotector = Unprotector::new(&master);
    assert!(opened(&mut unprotector, &behind).is_ok(), "tried with 1");
    assert_eq!(opened(&mut unprotector, &first), Err(Rejected::BadTag));
    assert_eq!(opened(&mut unprotector, &behind), Err(Rejected::Replayed));
}

#[test]
fn far_behind_the_wrap_nothing_is_tried() {
    let master = master(Suite::Aes128Sha1_80, 19);
    let sent = wrapping(&mut Protector::new(&master), 32_900);
    let at = |sequence: usize| &sent[36 + sequence];
    let mut unprotector = Unprotector::new(&master);
    assert_eq!(
        opened(&mut unprotector, at(0x8000)),
        Err(Rejected::BadTag),
        "half a cycle"
    );
    assert!(opened(&mut unprotector, at(0x7fff)).is_ok());
    assert!(opened(&mut unprotector, at(0x8000)).is_ok(), "heard by now");
}

#[test]
fn forged_sources_beside_a_wrapped_stream_change_nothing() {
    let master = master(Suite::Aes128Sha1_80, 20);
    let sent = wrapping(&mut Protector::new(&master), 200);
    let mut unprotector = Unprotector::new(&master);
    for (turn, good) in sent[40..].iter().enumerate() {
        for ssrc in [1, 2 + turn as u32] {
            let mut forged = good.clone();
            forged[8..12].copy_from_slice(&ssrc.to_be_bytes());
            *forged.last_mut().expect("a tag") ^= 1;
            assert_eq!(opened(&mut unprotector, &forged), Err(Rejected::BadTag));
        }
        assert!(opened(&mut unprotector, good).is_ok(), "packet {turn}");
    }
}

#[test]
fn a_forged_far_sequence_does_not_move_the_rollover() {
    let master = master(Suite::Aes128Sha1_80, 13);
    let mut protector = Protector::new(&master);
    let mut unprotector = Unprotector::new(&master);
    for sequence in 0..1_000 {
        let mut forged = rtp(sequence + 30_000, 1, b"forged");
        forged.extend([0; 10]);
        assert_eq!(opened(&mut unprotector, &forged), Err(Rejected::BadTag));
        let good = protected(&mut protector, &rtp(sequence, 1, b"audio"));
        assert!(opened(&mut unprotector, &good).is_ok());
    }
}

/// RFC 3711 section 3.1: the identifier stands between what is authenticated and the tag.
#[test]
fn a_key_identifier_stands_before_the_tag_and_changes_nothing_else() {
    for (suite, tag) in [(Suite::Aes128Sha1_80, 10), (Suite::Aes256Sha1_32, 4)] {
        let plain = master(suite, 21);
        for (length, field) in [
            (1, vec![9]),
            (4, vec![0, 0, 0, 9]),
            (128, [vec![0; 127], vec![9]].concat()),
        ] {
            let named = plain.identified(KeyIdentifier::new(9, length));
            let packet = rtp(5, 1, b"audio");
            let without = protected(&mut Protector::new(&plain), &packet);
            let with = protected(&mut Protector::new(&named), &packet);
            let (head, trailer) = without.split_at(without.len() - tag);
            assert_eq!(with, [head, &field, trailer].concat());
            assert_eq!(opened(&mut Unprotector::new(&named), &with), Ok(packet));

            let report =
                hex("81c90007 00000001 00000002 00000000 00000000 00000000 00000000 00000000");
            let mut without = [report.clone(), vec![0; TRAILER_MAX]].concat();
            let mut with = without.clone();
            let end = Protector::new(&plain).protect_rtcp(&mut without, report.len());
            let named_end = Protector::new(&named).protect_rtcp(&mut with, report.len());
            let (head, trailer) = without[..end].split_at(end - TAG_RTCP);
            assert_eq!(with[..named_end], [head, &field, trailer].concat());
            let opened = Unprotector::new(&named).unprotect_rtcp(&mut with[..named_end]);
            assert_eq!(opened, Ok(report.len()));
            assert_eq!(with[..report.len()], report);
        }
    }
}

/// RFC 7714 sections 8.3 and 9.4: with AES-GCM the identifier is the last of all.
#[test]
fn a_key_identifier_stands_behind_the_tag_of_aes_gcm() {
    for suite in [Suite::Aes128Gcm, Suite::Aes256Gcm] {
        let plain = master(suite, 21);
        let named = plain.identified(KeyIdentifier::new(9, 4));
        let packet = rtp(5, 1, b"audio");
        let without = protected(&mut Protector::new(&plain), &packet);
        let with = protected(&mut Protector::new(&named), &packet);
        assert_eq!(with, [&without[..], &[0, 0, 0, 9]].concat());
        assert_eq!(opened(&mut Unprotector::new(&named), &with), Ok(packet));

        let report = hex("81c90007 00000001 00000002 00000000 00000000 00000000 00000000 00000000");
        let mut buffer = [report.clone(), vec![0; TRAILER_MAX]].concat();
        let end = Protector::new(&named).protect_rtcp(&mut buffer, report.len());
        assert_eq!(end, report.len() + 16 + 4 + 4);
        assert_eq!(buffer[end - 8..end], [0x80, 0, 0, 1, 0, 0, 0, 9]);
        let opened = Unprotector::new(&named).unprotect_rtcp(&mut buffer[..end]);
        assert_eq!(opened, Ok(report.len()));
        assert_eq!(buffer[..report.len()], report);
    }
}

#[test]
fn a_report_that_says_it_is_not_encrypted_is_refused_under_aes_gcm() {
    let master = master(Suite::Aes128Gcm, 5);
    let report = hex("81c90007 00000001 00000002 00000000 00000000 00000000 00000000 00000000");
    let mut buffer = [report.clone(), vec![0; TRAILER_MAX]].concat();
    let end = Protector::new(&master).protect_rtcp(&mut buffer, report.len());
    buffer[end - 4] = 0;
    let opened = Unprotector::new(&master).unprotect_rtcp(&mut buffer[..end]);
    assert_eq!(opened, Err(Rejected::BadTag));
}

#[test]
fn packets_under_another_key_identifier_or_none_are_refused() {
    let plain = master(Suite::Aes128Sha1_80, 22);
    let named = plain.identified(KeyIdentifier::new(0x0102, 2));
    let other = plain.identified(KeyIdentifier::new(0x0201, 2));
    let mut unprotector = Unprotector::new(&named);
    for wrong in [plain, other] {
        let sent = protected(&mut Protector::new(&wrong), &rtp(5, 1, b"audio"));
        assert_eq!(opened(&mut unprotector, &sent), Err(Rejected::OtherKey));
    }
    for length in 0..12 {
        let short = vec![0x80; length];
        assert_eq!(opened(&mut unprotector, &short), Err(Rejected::Malformed));
    }
    let sent = protected(&mut Protector::new(&named), &rtp(5, 1, b"audio"));
    assert_eq!(sent[sent.len() - 12..sent.len() - 10], [1, 2]);
    assert!(opened(&mut unprotector, &sent).is_ok());
    unprotector.rename(other.identifier());
    assert_eq!(opened(&mut unprotector, &sent), Err(Rejected::OtherKey));
}

#[test]
fn mutated_packets_never_panic() {
    let mut random = SmallRng::seed_from_u64(14);
    let master = master(Suite::Aes128Sha1_32, 15);
    let mut protector = Protector::new(&master);
    for turn in 0..100_000_u32 {
        let mut packet = protected(&mut protector, &rtp(turn as u16, 1, &[5; 40]));
        for _ in 0..random.random_range(1..6) {
            let place = random.random_range(0..packet.len());
            packet[place] = random.random();
        }
        packet.truncate(random.random_range(0..=packet.len()));
        fuzz(&packet);
    }
}

#[test]
fn a_key_is_not_printed() {
    let text = format!("{:?}", master(Suite::Aes128Sha1_80, 1));
    assert_eq!(text, "MasterKey(AES_CM_128_HMAC_SHA1_80)");
}
