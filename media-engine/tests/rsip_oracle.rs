//! What `rsip` can parse, we parse alike: another reader's opinion on each message.
//!
//! Where only one of the two accepts, the rules below say why that is as it should be; where both
//! do, they must have read the same.

mod mutate;

use std::collections::BTreeMap;

use bytes::Bytes;
use media_engine::sip::headers::{Name, NameAddr, text};
use media_engine::sip::message::Message;
use media_engine::sip::parse::{ParseError, Parsed, parse};
use media_engine::sip::uri::Scheme;
use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use rsip::message::HasHeaders as _;
use rsip::prelude::*;

/// Damaged messages that are shown to both.
const ROUNDS: usize = 60_000;

/// What `rsip` lets pass and we refuse, each for the reason that stands beside it in the parser.
const STRICTER: &[&str] = &[
    "CSeq has no method",
    "CSeq has no number below 2^31",
    "CSeq names another method",
    "Content-Length is not a possible length",
    "Via, From, To, Call-ID or CSeq is missing",
    "a response of an unknown version",
    "a status code is not 100 to 699",
    "an unknown SIP version",
    "a header that must stand once stands twice",
    "a line ends with CR or LF alone",
    "the body is shorter than Content-Length",
    "the Request-URI is not one word",
    "the headers have no end",
    "the start line is neither request nor response",
    "too many headers",
    "two Content-Length disagree",
    "white space around the request line",
];

#[test]
fn ordinary_messages_are_read_alike_in_every_part() {
    let corpus = mutate::corpus();
    let ordinary = corpus.iter().filter(|(name, _)| !is_torture(name));
    let mut read = 0;
    for (name, bytes) in ordinary {
        let theirs = rsip::SipMessage::try_from(bytes.as_slice())
            .unwrap_or_else(|error| panic!("rsip reads {name}: {error}"));
        let ours = ours(bytes).unwrap_or_else(|what| panic!("we refuse {name}: {what}"));
        assert_eq!(compare(&ours, &theirs), Ok(()), "{name}");
        assert_eq!(compare_addresses(&ours, &theirs), Ok(true), "{name}");
        read += 1;
    }
    assert_eq!(read, 7);
}

#[test]
fn damaged_messages_are_read_alike_or_refused_for_a_known_reason() {
    let corpus = mutate::corpus();
    let mut random = SmallRng::seed_from_u64(3);
    let mut both = 0;
    let mut differences = vec![];
    let mut refused: BTreeMap<&str, usize> = BTreeMap::new();
    for round in 0..ROUNDS {
        let (name, original) = &corpus[round % corpus.len()];
        let mut bytes = original.clone();
        mutate::mutate(&mut bytes, &corpus, &mut random);
        let Ok(theirs) = rsip::SipMessage::try_from(bytes.as_slice()) else {
            continue;
        };
        match ours(&bytes) {
            Ok(ours) => {
                both += 1;
                let outcome =
                    compare(&ours, &theirs).and_then(|()| compare_addresses(&ours, &theirs));
                if let Err(difference) = outcome {
                    differences.push(format!(
                        "{name}, round {round}: {difference} in {}",
                        String::from_utf8_lossy(&bytes[..bytes.len().min(400)])
                    ));
                }
            }
            Err(what) => *refused.entry(what).or_default() += 1,
        }
    }
    assert!(
        differences.is_empty(),
        "{}: {:#?}",
        differences.len(),
        &differences[..differences.len().min(10)]
    );
    for what in refused.keys() {
        assert!(
            STRICTER.contains(what),
            "rsip accepts, we refuse: {what} ({refused:?})"
        );
    }
    assert!(
        both > ROUNDS / 20,
        "only {both} read by both, refused: {refused:?}"
    );
}

fn is_torture(name: &str) -> bool {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/torture");
    folder.join(name).with_extension("dat").exists()
}

fn ours(bytes: &[u8]) -> Result<Message, &'static str> {
    match parse(Bytes::copy_from_slice(bytes)) {
        Ok(Parsed::Message(message)) => Ok(message),
        Ok(Parsed::Keepalive) => Err("a keepalive"),
        Err(ParseError::Rejected(rejected)) => Err(rejected.fault.what),
        Err(ParseError::Garbage(what)) => Err(what),
    }
}

/// Start line, headers in order, and body.
fn compare(ours: &Message, theirs: &rsip::SipMessage) -> Result<(), String> {
    if ours.is_request() && !ours.request_uri_bytes().contains(&b':') {
        return Ok(()); // they look for the colon of the scheme in the headers
    }
    match theirs {
        rsip::SipMessage::Request(request) => {
            let method = ours.method().map(ToString::to_string).unwrap_or_default();
            same("method", method, request.method.to_string())?;
        }
        rsip::SipMessage::Response(response) => {
            let status = ours.status().unwrap_or_default().to_string();
            same("status", status, response.status_code.code().to_string())?;
        }
    }
    let headers = ours.all_headers();
    let headers: Vec<String> = headers
        .map(|(_, name, value)| line(&text(name), &text(value)))
        .collect();
    let others: Vec<String> = theirs
        .headers()
        .iter()
        .map(|header| {
            let header = header.to_string();
            let (name, value) = header.split_once(": ").unwrap_or((&header, ""));
            line(name, value.trim_matches([' ', '\t']))
        })
        .collect();
    same("headers", headers.join("\n"), others.join("\n"))?;
    let body = ours.body();
    // They keep what stands behind Content-Length; we cut it off.
    if !theirs.body().starts_with(&body) {
        return Err(format!("body: {body:?} and {:?}", theirs.body()));
    }
    Ok(())
}

/// A header line with its name in one spelling: they write the canonical one.
fn line(name: &str, value: &str) -> String {
    let known = Name::from_bytes(name.as_bytes());
    let name = if known == Name::Other {
        name
    } else {
        known.as_str()
    };
    format!("{}:{value}", name.to_ascii_lowercase())
}

/// From, To and the top Via, where both can read them. Whether all were.
fn compare_addresses(ours: &Message, theirs: &rsip::SipMessage) -> Result<bool, String> {
    let from = theirs.from_header().ok().and_then(|from| from.typed().ok());
    let to = theirs.to_header().ok().and_then(|to| to.typed().ok());
    let via = theirs.via_header().ok().and_then(|via| via.typed().ok());
    let mut read = 0;
    if let (Ok(from), Some(theirs), true) = (ours.from(), from, is_plain(ours, Name::From)) {
        let tag = theirs.tag().map(|tag| tag.value().to_owned());
        compare_address("From", &from, &theirs.uri, tag)?;
        read += 1;
    }
    if let (Ok(to), Some(theirs), true) = (ours.to(), to, is_plain(ours, Name::To)) {
        let tag = theirs.tag().map(|tag| tag.value().to_owned());
        compare_address("To", &to, &theirs.uri, tag)?;
        read += 1;
    }
    if let (Ok(via), Some(theirs), true) = (ours.top_via(), via, is_plain(ours, Name::Via)) {
        let branch = theirs.branch().map(|branch| branch.value().to_owned());
        same("Via branch", via.branch().map(owned), branch)?;
        same(
            "Via port",
            via.port(),
            theirs.uri.port().map(|port| *port.value()),
        )?;
        read += 1;
    }
    Ok(read == 3)
}

/// Whether `rsip` can read all of the first header of this name.
///
/// It knows no compact names, no lists in a Via, no dot in a user part, no bracket in a display
/// name, and stops at the first character of a parameter that is no token's: what stands behind it
/// is lost.
fn is_plain(message: &Message, name: Name) -> bool {
    let mut all = message.all_headers();
    let Some((_, spelling, line)) = all.find(|(found, ..)| *found == name) else {
        return false;
    };
    let mut pieces = line.split(|byte| *byte == b';');
    let front = pieces.next().unwrap_or_default();
    let user = &front[..front.iter().position(|byte| *byte == b'@').unwrap_or(0)];
    let count = |wanted: u8| line.iter().filter(|byte| **byte == wanted).count();
    spelling.len() > 1
        && front
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b" \"<>@:.-+_/".contains(byte))
        && !user.contains(&b'.')
        && !user.ends_with(b" ")
        && (!front.contains(&b'/') || name == Name::Via)
        && !front.windows(2).any(|pair| pair == b" \"" || pair == b" :")
        && count(b'<') < 2
        && !front.ends_with(b" ")
        && pieces.all(|param| {
            let param = param.strip_suffix(b">").unwrap_or(param);
            let mut halves = param.split(|byte| *byte == b'=');
            let (name, value) = (halves.next().unwrap_or_default(), halves.next());
            is_token(name)
                && halves.next().is_none()
                && (value.is_some_and(is_token) || (value.is_none() && name == b"rport"))
        })
}

fn is_token(bytes: &[u8]) -> bool {
    let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(byte);
    !bytes.is_empty() && bytes.iter().all(token)
}

fn compare_address(
    what: &str,
    ours: &NameAddr,
    theirs: &rsip::Uri,
    tag: Option<String>,
) -> Result<(), String> {
    let uri = ours.uri();
    if !matches!(uri.scheme(), Scheme::Sip | Scheme::Sips) {
        return Ok(()); // they look for a host in any URI
    }
    same(
        &format!("{what} user"),
        uri.user().map(owned),
        theirs.user().map(str::to_owned),
    )?;
    same(
        &format!("{what} host"),
        uri.host().map(ToString::to_string),
        Some(theirs.host().to_string()),
    )?;
    same(
        &format!("{what} tag"),
        ours.tag().as_deref().map(owned),
        tag,
    )
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, ours: T, theirs: T) -> Result<(), String> {
    if ours == theirs {
        Ok(())
    } else {
        Err(format!("{what}: {ours:?} and {theirs:?}"))
    }
}

fn owned(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
