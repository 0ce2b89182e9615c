//! Keys in SIP INFO bodies: `application/dtmf-relay` (lines `Signal=` and `Duration=`) and
//! `application/dtmf` (the key alone). Neither has an RFC; both are what telephones send.

use std::time::Duration;

use super::Key;

/// A key from an INFO request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pressed {
    /// Which.
    pub key: Key,
    /// For how long, if the body says so.
    pub lasted: Option<Duration>,
}

/// Reads the body of an INFO request; `None` if it is of another type or names no key. Parameters of
/// the content type are ignored.
#[must_use]
pub fn read(content_type: &str, body: &[u8]) -> Option<Pressed> {
    let body = std::str::from_utf8(body.get(..BODY_MAX.min(body.len()))?).ok()?;
    let media_type = content_type.split(';').next()?.trim();
    if media_type.eq_ignore_ascii_case(RELAY) {
        read_relay(body)
    } else if media_type.eq_ignore_ascii_case(PLAIN) {
        Some(Pressed {
            key: read_key(body)?,
            lasted: None,
        })
    } else {
        None
    }
}

/// Writes the body of an `application/dtmf-relay` INFO.
#[must_use]
pub fn write(key: Key, lasted: Duration) -> String {
    format!("Signal={key}\r\nDuration={}\r\n", lasted.as_millis())
}

/// The content type of [`write()`].
pub const RELAY: &str = "application/dtmf-relay";

const PLAIN: &str = "application/dtmf";

fn read_relay(body: &str) -> Option<Pressed> {
    let mut key = None;
    let mut lasted = None;
    for line in body.lines() {
        let Some((name, value)) = line.split_once('=') else {
            continue;
        };
        if name.trim().eq_ignore_ascii_case("Signal") {
            key = read_key(value);
        } else if name.trim().eq_ignore_ascii_case("Duration") {
            lasted = value.trim().parse().ok().map(Duration::from_millis);
        }
    }
    Some(Pressed { key: key?, lasted })
}

/// A key as its character, or as its event code where that has two digits (10 is the star).
fn read_key(text: &str) -> Option<Key> {
    let text = text.trim();
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(only), None) => Key::from_char(only),
        (Some(_), Some(_)) => Key::from_code(text.parse().ok()?),
        (None, _) => None,
    }
}

/// Bytes of a body that are looked at: real ones have 25.
const BODY_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn key(content_type: &str, body: &str) -> Option<char> {
        read(content_type, body.as_bytes()).map(|pressed| pressed.key.as_char())
    }

    #[test]
    fn both_kinds_of_body_name_the_key() {
        for (content_type, body, expected) in [
            (
                "application/dtmf-relay",
                "Signal=5\r\nDuration=160\r\n",
                Some('5'),
            ),
            (
                "Application/DTMF-Relay; charset=utf-8",
                "signal = *\nduration = 90",
                Some('*'),
            ),
            (
                "application/dtmf-relay",
                "Duration=250\r\nSignal=#",
                Some('#'),
            ),
            (
                "application/dtmf-relay",
                "Signal=11\r\nDuration=160\r\n",
                Some('#'),
            ),
            ("application/dtmf-relay", "Signal=d", Some('D')),
            ("application/dtmf-relay", "Signal=\r\n", None),
            ("application/dtmf-relay", "Signal=16", None),
            ("application/dtmf-relay", "", None),
            ("application/dtmf", "7", Some('7')),
            ("application/dtmf", " 0\r\n", Some('0')),
            ("application/dtmf", "10", Some('*')),
            ("application/dtmf", "x", None),
            ("application/dtmf", "", None),
            ("text/plain", "7", None),
        ] {
            assert_eq!(key(content_type, body), expected, "{content_type} {body:?}");
        }
    }

    #[test]
    fn the_duration_is_read_and_what_is_written_is_read_back() {
        let lasted = Duration::from_millis(160);
        for key in Key::ALL {
            let body = write(key, lasted);
            assert_eq!(
                read(RELAY, body.as_bytes()),
                Some(Pressed {
                    key,
                    lasted: Some(lasted)
                })
            );
        }
        let odd = read(RELAY, b"Signal=1\r\nDuration=99999999999999999999999");
        assert_eq!(
            odd,
            Some(Pressed {
                key: Key::One,
                lasted: None
            })
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_no_key() {
        assert_eq!(read(RELAY, b"Signal=\xff\xfe"), None);
    }
}
