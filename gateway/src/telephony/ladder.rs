//! What each SIP call says and hears, kept until it is over, then put to its interaction.
//!
//! A message is shared with whoever sends or reads it, not copied; text is made of it once, at the
//! end, without what is secret in it.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use desk::id::{CompanyId, InteractionId};
use desk::record::{SipLadder, SipMessage};
use media_engine::sip::endpoint::TracedWay;
use media_engine::sip::{CallId, Flow};
use media_engine_net::clock;
use store::{Store, sip_ladders};

/// The ladders of the calls that are not over.
#[derive(Debug, Default)]
pub(super) struct Ladders(HashMap<CallId, Ladder>);

#[derive(Debug, Default)]
struct Ladder {
    owner: Option<(CompanyId, InteractionId)>,
    /// How it began.
    first: Vec<Rung>,
    first_bytes: usize,
    /// How it went last.
    last: VecDeque<Rung>,
    last_bytes: usize,
    left_out: u32,
}

#[derive(Debug)]
struct Rung {
    at_ms: i64,
    way: TracedWay,
    flow: Flow,
    bytes: Bytes,
}

impl Ladders {
    /// A message of a call. Of a call that is over nobody wants to know: `is_up` tells it.
    pub(super) fn hear(
        &mut self,
        at_ms: i64,
        call: CallId,
        (way, flow, bytes): (TracedWay, Flow, Bytes),
        is_up: impl FnOnce() -> bool,
    ) {
        let rung = Rung {
            at_ms,
            way,
            flow,
            bytes,
        };
        match self.0.get_mut(&call) {
            Some(ladder) => ladder.push(rung),
            None if is_up() => self.0.entry(call).or_default().push(rung),
            None => {}
        }
    }

    /// Whose call it is.
    pub(super) fn belong(
        &mut self,
        call: CallId,
        (company, interaction): (CompanyId, InteractionId),
    ) {
        self.0.entry(call).or_default().owner = Some((company, interaction));
    }

    /// A call is over: what is to be kept of it. Nothing of a call that was nobody's.
    pub(super) fn end(&mut self, call: CallId) -> Option<SipLadder> {
        let ladder = self.0.remove(&call)?;
        let (company, interaction) = ladder.owner?;
        let rungs = ladder.first.iter().chain(&ladder.last);
        Some(SipLadder {
            company,
            interaction,
            leg: call.0,
            messages: rungs.map(Rung::message).collect(),
            left_out: ladder.left_out,
        })
    }
}

impl Ladder {
    /// The beginning and the end are kept: between them is what repeats.
    fn push(&mut self, rung: Rung) {
        let length = rung.bytes.len();
        let is_first = self.last.is_empty()
            && self.first.len() < FIRST_MAX
            && self.first_bytes + length <= FIRST_BYTES_MAX;
        if is_first {
            self.first_bytes += length;
            return self.first.push(rung);
        }
        self.last_bytes += length;
        self.last.push_back(rung);
        while self.last.len() > LAST_MAX || self.last_bytes > LAST_BYTES_MAX {
            let Some(oldest) = self.last.pop_front() else {
                return;
            };
            self.last_bytes -= oldest.bytes.len();
            self.left_out = self.left_out.saturating_add(1);
        }
    }
}

impl Rung {
    fn message(&self) -> SipMessage {
        SipMessage {
            at_ms: self.at_ms,
            sent: self.way == TracedWay::Sent,
            transport: self.flow.transport.to_string(),
            peer: self.flow.remote.to_string(),
            text: blanked(&String::from_utf8_lossy(&self.bytes)),
        }
    }
}

/// A message without what is secret in it: what proves who somebody is, the keys of media, the keys
/// that a caller pressed.
fn blanked(message: &str) -> String {
    let mut text = String::with_capacity(message.len());
    let (head, body) = message.split_once("\r\n\r\n").unwrap_or((message, ""));
    let is_pressed = |line: &str| {
        let line = line.to_ascii_lowercase();
        (line.starts_with("content-type") || line.starts_with("c:")) && line.contains(PRESSED)
    };
    let pressed = head.lines().any(is_pressed);
    // Whether the line before was one of which nothing is shown: a header may go on in the next.
    let mut is_secret = false;
    for line in head.lines().chain([""]) {
        let goes_on = line.starts_with([' ', '\t']);
        is_secret = (goes_on && is_secret) || is_secret_line(line);
        show(&mut text, line, is_secret, goes_on);
    }
    if pressed {
        text.push_str(BLANK);
        return text;
    }
    for line in body.lines() {
        show(&mut text, line, is_secret_line(line), false);
    }
    text
}

fn show(text: &mut String, line: &str, is_secret: bool, goes_on: bool) {
    match line.find(':').or_else(|| line.find('=')) {
        Some(_) | None if !is_secret => text.push_str(line),
        Some(name) if !goes_on => {
            text.push_str(&line[..=name]);
            text.push_str(BLANK);
        }
        Some(_) | None => text.push_str(BLANK),
    }
    text.push_str("\r\n");
}

fn is_secret_line(line: &str) -> bool {
    SECRETS.iter().any(|secret| {
        line.get(..secret.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(secret))
    })
}

/// What stands in the place of a secret.
const BLANK: &str = "\u{2026}";

/// What a body is that tells the keys pressed, a card's number among them: `application/dtmf` and
/// `application/dtmf-relay`.
const PRESSED: &str = "application/dtmf";

/// How lines begin that hold a secret: proofs of passwords (RFC 3261 section 22), and the keys of SRTP
/// (RFC 4568 section 9.1, RFC 4567, RFC 8866 section 5.12).
const SECRETS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "a=crypto:",
    "a=key-mgmt:",
    "k=",
];

/// Messages from the beginning: a call with its transfer.
const FIRST_MAX: usize = 64;

/// Bytes of these: each message some 1,000.
const FIRST_BYTES_MAX: usize = 96 * 1_024;

/// Messages before the end.
const LAST_MAX: usize = 32;

/// Bytes of these.
const LAST_BYTES_MAX: usize = 32 * 1_024;

/// Deletes the ladders of calls that began more than so many days ago, now and every hour.
pub async fn retain(store: Store, days: u32) {
    let mut hours = tokio::time::interval(Duration::from_secs(3600));
    loop {
        hours.tick().await;
        let oldest_ms = clock::wall().as_millisecond() - i64::from(days) * 24 * 3_600_000;
        let oldest = InteractionId::earliest(oldest_ms);
        loop {
            match sip_ladders::delete_before(store.pool(), &oldest).await {
                Ok(0) => break,
                Ok(deleted) => tracing::info!(deleted, "old SIP ladders were deleted"),
                Err(error) => {
                    tracing::error!(%error, "old SIP ladders wait an hour to be deleted");
                    break;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use media_engine::sip::Transport;

    use super::*;

    const CALL: CallId = CallId(7);

    fn hear(ladders: &mut Ladders, at_ms: i64, text: &str) {
        let remote = SocketAddr::from(([192, 0, 2, 9], 5060));
        let flow = Flow {
            transport: Transport::Udp,
            local: remote,
            remote,
            connection: None,
        };
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        ladders.hear(at_ms, CALL, (TracedWay::Received, flow, bytes), || true);
    }

    fn owner() -> (CompanyId, InteractionId) {
        let id = |text: &str| text.parse().ok();
        (id("demo").expect("an id"), "i".parse().expect("an id"))
    }

    #[test]
    fn the_beginning_and_the_end_of_a_long_call_are_kept_and_the_rest_is_counted() {
        let mut ladders = Ladders::default();
        for at_ms in 0..1_000 {
            hear(&mut ladders, at_ms, "OPTIONS sip:a@b SIP/2.0\r\n\r\n");
        }
        ladders.belong(CALL, owner());
        let kept = ladders.end(CALL).expect("it is somebody's");
        let times: Vec<i64> = kept.messages.iter().map(|message| message.at_ms).collect();
        let expected: Vec<i64> = (0..64).chain(968..1_000).collect();
        assert_eq!(times, expected);
        assert_eq!(kept.left_out, 1_000 - 96);
        assert_eq!(kept.leg, 7);
        assert!(ladders.end(CALL).is_none());
    }

    #[test]
    fn large_messages_are_bounded_by_their_bytes() {
        let mut ladders = Ladders::default();
        let large = "x".repeat(60_000);
        for at_ms in 0..100 {
            hear(&mut ladders, at_ms, &large);
        }
        let ladder = &ladders.0[&CALL];
        assert!(ladder.first_bytes <= FIRST_BYTES_MAX && ladder.last_bytes <= LAST_BYTES_MAX);
        assert_eq!(ladder.first.len(), 1);
        assert_eq!(ladder.left_out, 99);
    }

    #[test]
    fn nothing_is_kept_of_a_call_that_is_nobodys_or_over() {
        let mut ladders = Ladders::default();
        hear(&mut ladders, 1, "INVITE sip:a@b SIP/2.0\r\n\r\n");
        assert!(ladders.end(CALL).is_none());
        let remote = SocketAddr::from(([192, 0, 2, 9], 5060));
        let flow = Flow {
            transport: Transport::Udp,
            local: remote,
            remote,
            connection: None,
        };
        let copy = (
            TracedWay::Sent,
            flow,
            Bytes::from_static(b"SIP/2.0 200 OK\r\n\r\n"),
        );
        ladders.hear(2, CALL, copy, || false);
        assert!(ladders.0.is_empty());
    }

    #[test]
    fn what_is_secret_is_not_kept() {
        let message = "INVITE sip:a@b SIP/2.0\r\n\
            From: <sip:c@d>\r\n\
            authorization: Digest username=\"ana\",\r\n response=\"0123\"\r\n\
            Proxy-Authorization: Digest response=\"4567\"\r\n\
            \tnonce=\"89\"\r\n\
            CSeq: 1 INVITE\r\n\r\n\
            v=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0\r\nm=audio 1 RTP/SAVP 8\r\n";
        let text = blanked(message);
        for secret in ["0123", "4567", "89", "c2VjcmV0", "ana"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
        for shown in [
            "From: <sip:c@d>\r\n",
            "CSeq: 1 INVITE\r\n\r\nv=0",
            "a=crypto:…\r\n",
            "authorization:…\r\n",
            "m=audio 1",
        ] {
            assert!(text.contains(shown), "{shown}: {text}");
        }
        for (kind, body) in [
            ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n"),
            ("application/dtmf", "5"),
        ] {
            let head = format!("INFO sip:a@b SIP/2.0\r\nContent-Type: {kind}\r\n\r\n");
            let message = format!("{head}{body}");
            assert_eq!(blanked(&message), format!("{head}…"));
        }
    }
}
