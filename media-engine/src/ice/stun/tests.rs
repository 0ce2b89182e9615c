//! The test vectors of RFC 5769, and messages that break each rule.

use rand::{Rng, SeedableRng, rngs::SmallRng};

use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("text"), 16).expect("hex"))
        .collect()
}

const PASSWORD: &[u8] = b"VOkJxbRl1RmTxUk/WvJxBt";

/// RFC 5769 section 2.1
const REQUEST: &str = "00010058 2112a442 b7e7a701bc34d686fa87dfae
    80220010 5354554e207465737420636c69656e74
    00240004 6e0001ff
    80290008 932ff9b151263b36
    00060009 6576746a3a68367659202020
    00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2
    80280004 e57a3bcf";

/// RFC 5769 sections 2.2 and 2.3
const RESPONSES: [&str; 2] = [
    "0101003c 2112a442 b7e7a701bc34d686fa87dfae
    8022000b 7465737420766563746f7220
    00200008 0001a147e112a643
    00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7
    80280004 c07d4c96",
    "01010048 2112a442 b7e7a701bc34d686fa87dfae
    8022000b 7465737420766563746f7220
    00200014 0002a147 0113a9faa5d3f179bc25f4b5bed2b9d9
    00080014 a382954e4be67bf11784c97c8292c275bfe3ed41
    80280004 c8fb0b4c",
];

const TRANSACTION: TransactionId = TransactionId([
    0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae,
]);

/// A header for this body, without signature and fingerprint.
fn framed(kind: u16, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).expect("short").to_be_bytes();
    let cookie = COOKIE.to_be_bytes();
    [
        &kind.to_be_bytes()[..],
        &length,
        &cookie,
        &TRANSACTION.0,
        body,
    ]
    .concat()
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).expect("short").to_be_bytes();
    let mut bytes = [&kind.to_be_bytes()[..], &length, value].concat();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

#[test]
fn the_sample_request_of_the_standard_is_read_and_signed() {
    let bytes = hex(REQUEST);
    let message = Message::read(&bytes).expect("a message");
    assert_eq!((message.class, message.method), (Class::Request, BINDING));
    assert_eq!(message.transaction, TRANSACTION);
    assert_eq!(message.username, Some(&b"evtj:h6vY"[..]));
    assert_eq!(message.priority, Some(0x6e00_01ff));
    assert_eq!(message.role, Some(Role::Controlled(0x932f_f9b1_5126_3b36)));
    assert!(!message.is_nominated && message.has_fingerprint);
    assert_eq!(message.unknown(), []);
    assert!(message.is_signed_with(PASSWORD));
    assert!(!message.is_signed_with(b"VOkJxbRl1RmTxUk/WvJxBs"));
}

#[test]
fn the_sample_responses_of_the_standard_are_read_and_signed() {
    let addresses = [
        "192.0.2.1:32853",
        "[2001:db8:1234:5678:11:2233:4455:6677]:32853",
    ];
    for (text, address) in RESPONSES.into_iter().zip(addresses) {
        let bytes = hex(text);
        let message = Message::read(&bytes).expect("a message");
        assert_eq!((message.class, message.method), (Class::Success, BINDING));
        assert_eq!(message.mapped, Some(address.parse().expect("an address")));
        assert!(message.is_signed_with(PASSWORD) && message.has_fingerprint);
    }
}

/// The samples but for SOFTWARE, which we do not send, and blanks as padding: written by us, signed
/// the same way, they are read alike.
#[test]
fn what_is_written_is_read_alike() {
    let written = Writer::new(Class::Request, TRANSACTION)
        .username("evtj:h6vY")
        .priority(0x6e00_01ff)
        .role(Role::Controlling(1))
        .nominate()
        .finish(PASSWORD);
    let message = Message::read(&written).expect("a message");
    assert_eq!(message.username, Some(&b"evtj:h6vY"[..]));
    assert_eq!(message.priority, Some(0x6e00_01ff));
    assert_eq!(message.role, Some(Role::Controlling(1)));
    assert!(message.is_nominated && message.is_signed_with(PASSWORD) && message.has_fingerprint);
    for text in RESPONSES {
        let sample = hex(text);
        let mapped = Message::read(&sample).expect("a message").mapped;
        let mapped = mapped.expect("an address");
        let ours = Writer::new(Class::Success, TRANSACTION).mapped(mapped);
        let attribute = &ours.bytes[HEADER..];
        assert!(
            sample
                .windows(attribute.len())
                .any(|part| part == attribute)
        );
    }
    let written = Writer::new(Class::Error, TRANSACTION)
        .error(420, "Unknown Attribute")
        .unknown(&[0x1c, 0x7fff])
        .finish(PASSWORD);
    let message = Message::read(&written).expect("a message");
    let error = message.error.expect("an error");
    assert_eq!((error.code, error.reason), (420, &b"Unknown Attribute"[..]));
    assert_eq!(message.class, Class::Error);
}

#[test]
fn a_single_wrong_bit_is_noticed() {
    let good = hex(REQUEST);
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        // One makes the user name swallow the fingerprint, which then is missing.
        let passes = Message::read(&bad).is_ok_and(|message| message.has_fingerprint);
        assert!(!passes, "bit {bit}");
    }
    // Without a fingerprint the signature notices it.
    let mut bare = good[..good.len() - 8].to_vec();
    bare[3] -= 8;
    assert!(
        Message::read(&bare)
            .expect("a message")
            .is_signed_with(PASSWORD)
    );
    for bit in 0..bare.len() * 8 {
        let mut bad = bare.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        let believed = Message::read(&bad).is_ok_and(|message| message.is_signed_with(PASSWORD));
        assert!(!believed, "bit {bit}");
    }
}

#[test]
fn each_broken_rule_has_its_name() {
    let long_name = attribute(USERNAME, &[b'x'; USERNAME_MAX + 1]);
    let many = attribute(0x8022, b"x").repeat(ATTRIBUTES_MAX + 1);
    for (what, body, expected) in [
        (
            "an attribute without end",
            vec![0, 6, 0, 9, 1, 2, 3, 4],
            Malformed::Short,
        ),
        ("half an attribute", vec![0, 6], Malformed::Short),
        ("a long name", long_name, Malformed::Attribute(USERNAME)),
        (
            "a short priority",
            attribute(PRIORITY, &[1, 2, 3]),
            Malformed::Attribute(PRIORITY),
        ),
        (
            "a nomination of something",
            attribute(USE_CANDIDATE, &[1]),
            Malformed::Attribute(USE_CANDIDATE),
        ),
        (
            "a short number",
            attribute(ICE_CONTROLLED, &[1; 7]),
            Malformed::Attribute(ICE_CONTROLLED),
        ),
        (
            "family 3",
            attribute(XOR_MAPPED_ADDRESS, &[0, 3, 1, 1, 1, 1, 1, 1]),
            Malformed::Attribute(XOR_MAPPED_ADDRESS),
        ),
        (
            "too short for IPv6",
            attribute(XOR_MAPPED_ADDRESS, &[0, 2, 1, 1, 1, 1, 1, 1]),
            Malformed::Attribute(XOR_MAPPED_ADDRESS),
        ),
        (
            "error 299",
            attribute(ERROR_CODE, &[0, 0, 2, 99]),
            Malformed::Attribute(ERROR_CODE),
        ),
        (
            "a short signature",
            attribute(MESSAGE_INTEGRITY, &[0; 19]),
            Malformed::Attribute(MESSAGE_INTEGRITY),
        ),
        (
            "a wrong checksum",
            attribute(FINGERPRINT, &[0; 4]),
            Malformed::Fingerprint,
        ),
        (
            "a long checksum",
            attribute(FINGERPRINT, &[0; 8]),
            Malformed::Attribute(FINGERPRINT),
        ),
        ("many", many, Malformed::TooMany),
    ] {
        let padded = body.len().next_multiple_of(4);
        let mut bytes = framed(1, &body);
        bytes.resize(HEADER + padded, 0);
        let [.., high, low] = padded.to_be_bytes();
        bytes[2..4].copy_from_slice(&[high, low]);
        let found = Message::read(&bytes).err();
        let expected = if what == "half an attribute" {
            None
        } else {
            Some(expected)
        };
        assert_eq!(found, expected, "{what}");
    }
    let good = hex(REQUEST);
    for (bytes, expected) in [
        (vec![], Malformed::NotStun),
        (good[..19].to_vec(), Malformed::NotStun),
        (good[..40].to_vec(), Malformed::Short),
        ([good.clone(), vec![0; 4]].concat(), Malformed::Short),
        (framed(0x4001, &[]), Malformed::NotStun),
        ([&[0x80; 20][..]].concat(), Malformed::NotStun),
    ] {
        assert_eq!(Message::read(&bytes).err(), Some(expected), "{bytes:02x?}");
    }
}

#[test]
fn what_stands_behind_the_signature_is_ignored_but_for_the_fingerprint() {
    let signed = Writer::new(Class::Request, TRANSACTION).username("a:b");
    let mac: [u8; SIGNATURE] = signing(b"key", &signed.bytes)
        .finalize()
        .into_bytes()
        .into();
    let smuggled = signed
        .attribute(MESSAGE_INTEGRITY, &mac)
        .nominate()
        .priority(1)
        .attribute(0x1c, &[0; 32])
        .finish_unsigned();
    let message = Message::read(&smuggled).expect("a message");
    assert!(message.is_signed_with(b"key"));
    assert!(!message.is_nominated && message.priority.is_none());
    assert_eq!(message.unknown(), []);

    let mut behind = Writer::new(Class::Request, TRANSACTION).finish_unsigned();
    behind.extend(attribute(USERNAME, b"late"));
    behind[3] += 8;
    assert!(
        Message::read(&behind).is_err(),
        "the fingerprint is the last"
    );
}

#[test]
fn attributes_that_must_be_understood_are_named_and_others_are_not() {
    let body: Vec<u8> = (0x7000..0x7000 + 20_u16)
        .chain([0x8000, 0xc001])
        .flat_map(|kind| attribute(kind, b"xyz"))
        .collect();
    let bytes = framed(1, &body);
    let message = Message::read(&bytes).expect("a message");
    let first: Vec<u16> = (0x7000..0x7008).collect();
    assert_eq!(message.unknown(), first);
    assert!(!message.is_signed_with(b""));
}

#[test]
fn of_two_the_first_counts() {
    let body = [
        attribute(PRIORITY, &[0, 0, 0, 1]),
        attribute(PRIORITY, &[0, 0, 0, 2]),
    ]
    .concat();
    let bytes = framed(1, &body);
    assert_eq!(Message::read(&bytes).expect("a message").priority, Some(1));
}

#[test]
fn classes_and_methods_are_told_apart() {
    for class in [
        Class::Request,
        Class::Indication,
        Class::Success,
        Class::Error,
    ] {
        for method in [0, 1, 9, 0xff, 0xbc] {
            let spread = method & 0xf | (method & 0x70) << 1 | (method & 0x80) << 2;
            let bytes = framed(spread | class_bits(class), &[]);
            let message = Message::read(&bytes).expect("a message");
            assert_eq!((message.class, message.method), (class, method));
        }
    }
}

#[test]
fn mutated_messages_never_panic() {
    let mut random = SmallRng::seed_from_u64(1);
    let samples = [hex(REQUEST), hex(RESPONSES[0]), hex(RESPONSES[1])];
    let mut read = 0;
    for turn in 0..100_000 {
        let mut bytes = samples[turn % 3].clone();
        // Without the fingerprint more of the damage gets through.
        bytes.truncate(bytes.len() - 8);
        bytes[3] -= 8;
        for _ in 0..random.random_range(0..4) {
            let place = random.random_range(HEADER..bytes.len());
            bytes[place] = random.random();
        }
        fuzz(&bytes);
        read += usize::from(Message::read(&bytes).is_ok());
    }
    assert!((10_000..90_000).contains(&read), "{read}");
}
