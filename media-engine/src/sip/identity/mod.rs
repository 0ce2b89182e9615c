//! Who calls, as far as the origin of a call may be believed (RFC 3325, RFC 3323, RFC 5806,
//! RFC 7044).
//!
//! Of a trunk that is not trusted, nothing is read but From. Of a device, the number is that of
//! the account that authenticated, whatever the message says. Every text is made inert here: no
//! control characters, nothing that turns the direction of writing, no great length.

use super::call::Caller;
use super::headers::{Name, NameAddr};
use super::message::Message;
use super::registrar::Account;
use super::trunk::Trunk;
use super::uri::{Scheme, Uri};

/// The caller of a request that came by a trunk.
pub fn caller_of_trunk(message: &Message, trunk: &Trunk) -> Caller {
    let read = |number: Option<String>| {
        number.map_or_else(String::new, |number| trunk.numbers.read(&number))
    };
    let from = message.from().ok();
    let from = from.as_ref().map(Shown::read).unwrap_or_default();
    if !trunk.trusted {
        return Caller {
            number: read(from.number),
            display_name: from.name,
            private: from.anonymous,
            diverted_from: None,
        };
    }
    let asserted = asserted(message);
    let (number, name, hidden) = match asserted {
        // The asserted number with the name of From: carriers assert numbers, callers have names.
        Some(known) => (known.number, known.name.or(from.name), known.anonymous),
        None => (from.number, from.name, false),
    };
    Caller {
        number: read(number),
        display_name: name,
        private: hidden || from.anonymous || wants_privacy(message),
        diverted_from: diverted_from(message).map(|number| trunk.numbers.read(&number)),
    }
}

/// The caller of a request that came from an authenticated device.
pub fn caller_of_device(message: &Message, account: &Account) -> Caller {
    let from = message.from().ok();
    let from = from.as_ref().map(Shown::read).unwrap_or_default();
    Caller {
        number: account.user.clone(),
        display_name: from.name,
        private: from.anonymous || wants_privacy(message),
        diverted_from: None,
    }
}

/// A telephone number as digits, with a `+` before it where one is written: without the marks
/// that people put between digits (RFC 3966 section 5.1.1). `None` for what is no number.
pub fn number(text: &str) -> Option<String> {
    let text = text.trim();
    let digits: String = text
        .chars()
        .filter(|c| !matches!(c, '-' | '.' | '(' | ')' | ' '))
        .collect();
    let bare = digits.strip_prefix('+').unwrap_or(&digits);
    let legal = !bare.is_empty()
        && bare.len() <= NUMBER_MAX
        && bare.chars().all(|c| c.is_ascii_digit() || "*#".contains(c));
    legal.then_some(digits)
}

/// Text of a peer as it may be shown and stored anywhere: one line, no control characters,
/// nothing invisible, nothing that changes the direction of what stands around it.
pub fn inert(text: &str) -> Option<String> {
    let kept: String = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !c.is_control() && !is_invisible(*c))
        .take(TEXT_MAX)
        .collect();
    let kept = kept.trim();
    (!kept.is_empty()).then(|| kept.to_owned())
}

/// One identity header.
#[derive(Default)]
struct Shown {
    /// The number, or the user part where it is no number.
    number: Option<String>,
    name: Option<String>,
    /// Whether it says that the caller does not want to be known.
    anonymous: bool,
}

impl Shown {
    fn read(address: &NameAddr) -> Self {
        let uri = address.uri();
        let anonymous = is_anonymous(uri);
        let name = inert(&address.display_name());
        Self {
            number: if anonymous { None } else { user_of(uri) },
            name: name.filter(|name| !(anonymous && is_anonymous_word(name))),
            anonymous,
        }
    }
}

/// What the carrier vouches for: P-Asserted-Identity, else what older equipment sends.
fn asserted(message: &Message) -> Option<Shown> {
    let first = |name: Name| -> Option<Shown> {
        let mut list = message
            .addresses(name)
            .filter_map(Result::ok)
            .take(IDENTITIES_MAX)
            .map(|address| Shown::read(&address))
            .collect::<Vec<_>>();
        // RFC 3325 section 9.1 allows a SIP and a tel one: the one that is a number is better,
        // and the name may stand on the other.
        let name = list.iter_mut().find_map(|shown| shown.name.take());
        let best = list
            .iter()
            .position(|shown| {
                shown
                    .number
                    .as_deref()
                    .is_some_and(|text| number(text).is_some())
            })
            .unwrap_or(0);
        let mut chosen = list.into_iter().nth(best)?;
        chosen.name = name;
        Some(chosen)
    };
    first(Name::PAssertedIdentity)
        .or_else(|| remote_party(message))
        .or_else(|| first(Name::PPreferredIdentity))
}

/// Remote-Party-ID, which was never standardised: `party=calling` is the caller, and `privacy`
/// other than `off` hides them.
fn remote_party(message: &Message) -> Option<Shown> {
    let calling = message
        .addresses(Name::RemotePartyId)
        .filter_map(Result::ok)
        .take(IDENTITIES_MAX)
        .find(|address| {
            let party = address.params().get("party");
            party.is_none_or(|party| party.eq_ignore_ascii_case(b"calling"))
        })?;
    let mut shown = Shown::read(&calling);
    let privacy = calling.params().unquoted("privacy");
    shown.anonymous |= privacy.is_some_and(|privacy| !privacy.eq_ignore_ascii_case(b"off"));
    Some(shown)
}

/// Privacy (RFC 3323 section 4.2, RFC 3325 section 9.3): whether the caller's identity is to be
/// kept back. `session` and `critical` alone say nothing about it.
fn wants_privacy(message: &Message) -> bool {
    let mut wanted = false;
    for line in message.header_lines(Name::Privacy) {
        for word in line.split(|byte| b";,".contains(byte)) {
            let word = word.trim_ascii();
            let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
            if is("none") {
                return false;
            }
            wanted |= is("id") || is("user") || is("header");
        }
    }
    wanted
}

/// The number that the call was first meant for: the last Diversion (each diverter writes its own
/// before those that are there, RFC 5806 section 4), else the first History-Info.
fn diverted_from(message: &Message) -> Option<String> {
    let diversions = message
        .addresses(Name::Diversion)
        .filter_map(Result::ok)
        .take(DIVERSIONS_MAX);
    if let Some(first) = diversions.last() {
        return user_of(first.uri());
    }
    let history: Vec<NameAddr> = message
        .addresses(Name::HistoryInfo)
        .filter_map(Result::ok)
        .take(DIVERSIONS_MAX)
        .collect();
    // Every proxy writes where it sent a call. Only a `cause` says that somebody diverted it
    // (RFC 4458 section 2, RFC 7044 section 10.2).
    let diverted = history
        .iter()
        .skip(1)
        .any(|entry| entry.uri().params().has("cause"));
    history
        .first()
        .filter(|_| diverted)
        .and_then(|first| user_of(first.uri()))
}

/// The user of a URI: as a number where it is one, else as inert text.
fn user_of(uri: &Uri) -> Option<String> {
    let user = uri.user_text()?;
    // Parameters of the number stand inside the user part of a SIP URI (RFC 3261 section 19.1.6).
    let (user, inner) = user.split_once(';').unwrap_or((&user, ""));
    match number(user) {
        Some(local) if !local.starts_with('+') => {
            let context = context_of(uri, inner);
            Some(context.unwrap_or_default() + &local)
        }
        Some(global) => Some(global),
        None => inert(user),
    }
}

/// The `phone-context` of a local number, where it is a prefix such as `+55` (RFC 3966
/// section 5.1.5). A domain says nothing that could be dialled.
fn context_of(uri: &Uri, inner: &str) -> Option<String> {
    let outer = match uri.scheme() {
        Scheme::Tel => uri.params().unquoted("phone-context"),
        Scheme::Sip | Scheme::Sips | Scheme::Other => None,
    };
    let outer = outer.map(|value| String::from_utf8_lossy(&value).into_owned());
    let inner = || {
        inner.split(';').find_map(|param| {
            let (name, value) = param.split_once('=')?;
            name.eq_ignore_ascii_case("phone-context")
                .then(|| value.to_owned())
        })
    };
    let context = outer.or_else(inner)?;
    number(&context).filter(|prefix| prefix.starts_with('+'))
}

/// RFC 3323 section 4.1.1.3: `sip:anonymous@anonymous.invalid`, and what is sent in its place.
fn is_anonymous(uri: &Uri) -> bool {
    let host = uri.host().map(ToString::to_string).unwrap_or_default();
    host.eq_ignore_ascii_case("anonymous.invalid")
        || uri.user_text().is_some_and(|user| is_anonymous_word(&user))
}

fn is_anonymous_word(text: &str) -> bool {
    ["anonymous", "restricted", "private", "withheld"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word))
}

/// Zero-width characters, direction marks and tags: they make two texts look alike, or one text
/// look like another.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

/// The longest number in digits: E.164 has 15, prefixes and internal codes a few more.
const NUMBER_MAX: usize = 32;

/// The longest name or text, in characters: more than any display shows.
const TEXT_MAX: usize = 80;

/// Identity headers of one kind that are looked at; RFC 3325 section 9.1 allows two.
const IDENTITIES_MAX: usize = 4;

/// Diversions that are looked at; a call that was diverted more often is a loop.
const DIVERSIONS_MAX: usize = 16;

#[cfg(test)]
mod tests;
