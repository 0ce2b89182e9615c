//! Session timers (RFC 4028): a call whose peer vanished ends all the same.
//!
//! One side refreshes the session at half the interval; the other hangs up when it was not
//! refreshed shortly before the interval is over. Who does what is agreed anew in each 2xx.

use std::time::{Duration, Instant};

use crate::sip::endpoint::EndpointConfig;
use crate::sip::headers::{Name, Refresher, SessionExpires};
use crate::sip::message::Message;
use crate::sip::write::Writer;

/// What two sides agreed on in a request and its 2xx.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sip) struct Agreed {
    /// The interval, in seconds.
    pub(super) seconds: u32,
    /// Who refreshes: whoever sent the request, or whoever answered it.
    pub(super) refresher: Refresher,
    /// Whether the sender of the request knows session timers.
    is_known: bool,
}

/// The interval that a request asks for is too short: answered with 422 and this Min-SE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sip) struct TooSmall {
    pub(in crate::sip) min_s: u64,
}

/// The timer of one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SessionTimer {
    interval: Duration,
    /// When we refresh next; `None` when the peer does that.
    refresh_at: Option<Instant>,
    expires_at: Instant,
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    Refresh,
    Expired,
}

impl Agreed {
    /// What we answer to a request of the peer, if it is accepted (RFC 4028 section 9). `None` is no
    /// timer.
    ///
    /// # Errors
    ///
    /// Where the interval is below ours and the peer can ask again with a longer one.
    pub(in crate::sip) fn as_callee(
        request: &Message,
        config: &EndpointConfig,
    ) -> Result<Option<Self>, TooSmall> {
        let is_known = request.has_token(Name::Supported, "timer")
            || request.has_token(Name::Require, "timer");
        let asked = read(request, Name::SessionExpires);
        if asked.is_none() && !is_known {
            return Ok(None);
        }
        let min = config.session_expires_min.as_secs();
        let their_min = read(request, Name::MinSe).map_or(0, |min| min.seconds);
        let ours = seconds(config.session_expires);
        let wanted = asked.map_or(ours, |asked| asked.seconds);
        if is_known && u64::from(wanted) < min {
            return Err(TooSmall { min_s: min });
        }
        // We may shorten what the peer asks for, not below what anybody on the way allows.
        let floor = their_min.max(seconds(config.session_expires_min));
        let seconds = wanted.min(ours).max(floor);
        let refresher = match asked.and_then(|asked| asked.refresher) {
            Some(chosen) if is_known => chosen,
            // Whoever promises most to keep it is ourselves.
            Some(_) | None => Refresher::Uas,
        };
        Ok(Some(Self {
            seconds,
            refresher,
            is_known,
        }))
    }

    /// What the peer's 2xx to a request of ours says (RFC 4028 section 7.2). Without Session-Expires
    /// there is no timer.
    pub(super) fn as_caller(response: &Message) -> Option<Self> {
        let granted = read(response, Name::SessionExpires)?;
        Some(Self {
            seconds: granted.seconds.max(SECONDS_MIN),
            refresher: granted.refresher.unwrap_or(Refresher::Uac),
            is_known: true,
        })
    }

    /// Adds what our 2xx has to say.
    pub(super) fn write(self, writer: Writer) -> Writer {
        let (seconds, refresher) = (self.seconds, self.refresher.as_str());
        let writer = writer.header_display(
            Name::SessionExpires,
            format_args!("{seconds};refresher={refresher}"),
        );
        if self.is_known {
            writer.header(Name::Require, "timer") // RFC 4028 section 9
        } else {
            writer
        }
    }
}

impl SessionTimer {
    /// The timer after a 2xx at `now`. `we_asked` says who sent the request.
    pub(super) fn new(now: Instant, agreed: Agreed, we_asked: bool) -> Self {
        let interval = Duration::from_secs(agreed.seconds.into());
        let we_refresh = match agreed.refresher {
            Refresher::Uac => we_asked,
            Refresher::Uas => !we_asked,
        };
        let margin = MARGIN_MAX.min(interval / 3); // RFC 4028 section 10
        Self {
            interval,
            refresh_at: we_refresh.then(|| now + interval / 2),
            expires_at: now + (interval - margin),
        }
    }

    /// The interval, in seconds.
    pub(super) fn seconds(&self) -> u32 {
        seconds(self.interval)
    }

    pub(super) fn poll_timeout(&self) -> Instant {
        self.refresh_at
            .map_or(self.expires_at, |at| at.min(self.expires_at))
    }

    /// What is due at `now`. A refresh that is due is due again a little later, until a new timer
    /// takes the place of this one.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Due {
        if self.expires_at <= now {
            return Due::Expired;
        }
        match &mut self.refresh_at {
            Some(at) if *at <= now => {
                *at = now + REFRESH_AGAIN;
                Due::Refresh
            }
            Some(_) | None => Due::Nothing,
        }
    }
}

/// The interval that a 422 asks for (RFC 4028 section 7.3), where it is one that we would take.
pub(super) fn min_se(response: &Message) -> Option<u32> {
    read(response, Name::MinSe)
        .map(|min| min.seconds)
        .filter(|seconds| *seconds <= SECONDS_MAX)
}

/// Adds what a request of ours asks for: `seconds`, under the least that we accept.
pub(super) fn ask(writer: Writer, min: Duration, seconds: u32, ours: bool) -> Writer {
    let refresher = if ours { ";refresher=uac" } else { "" };
    let min = min.as_secs();
    writer
        .header_display(Name::SessionExpires, format_args!("{seconds}{refresher}"))
        .header_display(Name::MinSe, min)
}

fn read(message: &Message, name: Name) -> Option<SessionExpires> {
    SessionExpires::parse(&message.header_bytes(name)?).ok()
}

pub(super) fn seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

/// How long before the end of the interval the call ends, at most (RFC 4028 section 10).
const MARGIN_MAX: Duration = Duration::from_secs(32);

/// A refresh that failed for a passing reason is tried again after this time.
const REFRESH_AGAIN: Duration = Duration::from_secs(10);

/// No 2xx makes us refresh more often than RFC 4028 section 4 allows anybody to ask.
const SECONDS_MIN: u32 = 90;

/// A peer that wants a longer interval than a day wants none.
const SECONDS_MAX: u32 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::parse::{Parsed, parse};
    use bytes::Bytes;

    /// The one clock read of these tests: only differences count.
    #[allow(clippy::disallowed_methods)]
    fn origin() -> Instant {
        Instant::now()
    }

    fn invite(extra: &str) -> Message {
        let text = format!(
            "INVITE sip:a@b SIP/2.0\nVia: SIP/2.0/UDP c;branch=z9hG4bKa\nFrom: <sip:d@e>;tag=f\n\
             To: <sip:a@b>\nCall-ID: g\nCSeq: 1 INVITE\n{extra}Content-Length: 0\n\n"
        );
        match parse(Bytes::from(text.replace('\n', "\r\n"))).expect("a message") {
            Parsed::Message(message) => message,
            Parsed::Keepalive => panic!("no message"),
        }
    }

    fn answer(extra: &str) -> Result<Option<(u32, Refresher)>, TooSmall> {
        let agreed = Agreed::as_callee(&invite(extra), &EndpointConfig::default())?;
        Ok(agreed.map(|agreed| (agreed.seconds, agreed.refresher)))
    }

    #[test]
    fn the_answer_follows_the_table_of_rfc_4028_section_9() {
        assert_eq!(answer(""), Ok(None));
        assert_eq!(
            answer("Supported: timer\n"),
            Ok(Some((1800, Refresher::Uas)))
        );
        assert_eq!(
            answer("Supported: timer\nSession-Expires: 300;refresher=uac\n"),
            Ok(Some((300, Refresher::Uac)))
        );
        assert_eq!(
            answer("Supported: timer\nSession-Expires: 300;refresher=uas\n"),
            Ok(Some((300, Refresher::Uas)))
        );
        // A proxy asked for it, and the caller does not know what it is.
        assert_eq!(
            answer("Session-Expires: 300;refresher=uac\n"),
            Ok(Some((300, Refresher::Uas)))
        );
        assert_eq!(
            answer("Supported: timer\nSession-Expires: 7200\n"),
            Ok(Some((1800, Refresher::Uas)))
        );
        assert_eq!(
            answer("Supported: timer\nSession-Expires: 7200\nMin-SE: 3600\n"),
            Ok(Some((3600, Refresher::Uas)))
        );
        assert_eq!(
            answer("Supported: timer\nSession-Expires: 60\n"),
            Err(TooSmall { min_s: 90 })
        );
        assert_eq!(
            answer("Session-Expires: 60\n"),
            Ok(Some((90, Refresher::Uas)))
        );
    }

    #[test]
    fn the_refresher_refreshes_at_half_time_and_the_other_waits_for_the_end() {
        let start = origin();
        let agreed = Agreed {
            seconds: 1800,
            refresher: Refresher::Uac,
            is_known: true,
        };
        let mut ours = SessionTimer::new(start, agreed, true);
        assert_eq!(ours.poll_timeout() - start, Duration::from_secs(900));
        assert_eq!(ours.handle_timeout(start), Due::Nothing);
        assert_eq!(ours.handle_timeout(ours.poll_timeout()), Due::Refresh);
        assert_eq!(ours.poll_timeout() - start, Duration::from_secs(910));

        let mut theirs = SessionTimer::new(start, agreed, false);
        assert_eq!(
            theirs.poll_timeout() - start,
            Duration::from_secs(1800 - 32)
        );
        assert_eq!(theirs.handle_timeout(theirs.poll_timeout()), Due::Expired);

        let short = Agreed {
            seconds: 90,
            ..agreed
        };
        let theirs = SessionTimer::new(start, short, false);
        assert_eq!(theirs.poll_timeout() - start, Duration::from_secs(60));
    }
}
