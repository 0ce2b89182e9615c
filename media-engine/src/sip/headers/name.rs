//! Header names: those we know by a number, in their long and compact forms.

use std::fmt;

macro_rules! names {
    ($($(#[$doc:meta])* $variant:ident = $long:literal $(/ $compact:literal)?,)*) => {
        /// A header name. Names compare without case (RFC 3261 section 7.3.1), and a compact form is
        /// the same name as its long form (section 7.3.3).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Name {
            $($(#[$doc])* $variant,)*
            /// A name that is not in this list. Its spelling stands in the message.
            Other,
        }

        /// All names but [`Name::Other`], in the order of their numbers.
        const ALL: &[(Name, &str)] = &[$((Name::$variant, $long),)*];

        /// The name that is spelled with this one letter, in lower case.
        fn from_compact(letter: u8) -> Name {
            $($(if letter == $compact { return Name::$variant; })?)*
            Name::Other
        }
    };
}

names! {
    /// RFC 3261 section 20.1.
    Accept = "Accept",
    /// RFC 3261 section 20.2.
    AcceptEncoding = "Accept-Encoding",
    /// RFC 3261 section 20.3.
    AcceptLanguage = "Accept-Language",
    /// RFC 3261 section 20.4.
    AlertInfo = "Alert-Info",
    /// RFC 3261 section 20.5.
    Allow = "Allow",
    /// RFC 6665 section 8.2.2.
    AllowEvents = "Allow-Events" / b'u',
    /// RFC 3261 section 20.6.
    AuthenticationInfo = "Authentication-Info",
    /// RFC 3261 section 20.7.
    Authorization = "Authorization",
    /// RFC 3261 section 20.8.
    CallId = "Call-ID" / b'i',
    /// RFC 3261 section 20.9.
    CallInfo = "Call-Info",
    /// RFC 3261 section 20.10.
    Contact = "Contact" / b'm',
    /// RFC 3261 section 20.11.
    ContentDisposition = "Content-Disposition",
    /// RFC 3261 section 20.12.
    ContentEncoding = "Content-Encoding" / b'e',
    /// RFC 3261 section 20.13.
    ContentLanguage = "Content-Language",
    /// RFC 3261 section 20.14.
    ContentLength = "Content-Length" / b'l',
    /// RFC 3261 section 20.15.
    ContentType = "Content-Type" / b'c',
    /// RFC 3261 section 20.16.
    CSeq = "CSeq",
    /// RFC 3261 section 20.17.
    Date = "Date",
    /// RFC 5806.
    Diversion = "Diversion",
    /// RFC 3261 section 20.18.
    ErrorInfo = "Error-Info",
    /// RFC 6665 section 8.2.1.
    Event = "Event" / b'o',
    /// RFC 3261 section 20.19.
    Expires = "Expires",
    /// RFC 5626 section 5.4.
    FlowTimer = "Flow-Timer",
    /// RFC 3261 section 20.20.
    From = "From" / b'f',
    /// RFC 7044.
    HistoryInfo = "History-Info",
    /// RFC 8224.
    Identity = "Identity" / b'y',
    /// RFC 6086 section 4.2.
    InfoPackage = "Info-Package",
    /// RFC 3261 section 20.21.
    InReplyTo = "In-Reply-To",
    /// RFC 3911.
    Join = "Join",
    /// RFC 3261 section 20.22.
    MaxForwards = "Max-Forwards",
    /// RFC 3261 section 20.23.
    MinExpires = "Min-Expires",
    /// RFC 4028 section 5.
    MinSe = "Min-SE",
    /// RFC 3261 section 20.24.
    MimeVersion = "MIME-Version",
    /// RFC 3261 section 20.25.
    Organization = "Organization",
    /// RFC 3325 section 9.1.
    PAssertedIdentity = "P-Asserted-Identity",
    /// RFC 3327.
    Path = "Path",
    /// RFC 3325 section 9.2.
    PPreferredIdentity = "P-Preferred-Identity",
    /// RFC 3261 section 20.26.
    Priority = "Priority",
    /// RFC 3323 section 4.2.
    Privacy = "Privacy",
    /// RFC 3261 section 20.27.
    ProxyAuthenticate = "Proxy-Authenticate",
    /// RFC 3261 section 20.28.
    ProxyAuthorization = "Proxy-Authorization",
    /// RFC 3261 section 20.29.
    ProxyRequire = "Proxy-Require",
    /// RFC 3262 section 7.2.
    RAck = "RAck",
    /// RFC 3326.
    Reason = "Reason",
    /// RFC 3261 section 20.30.
    RecordRoute = "Record-Route",
    /// RFC 6086 section 4.1.
    RecvInfo = "Recv-Info",
    /// RFC 4488 section 4.
    ReferSub = "Refer-Sub",
    /// RFC 3515 section 2.1.
    ReferTo = "Refer-To" / b'r',
    /// RFC 3892.
    ReferredBy = "Referred-By" / b'b',
    /// An older word for the caller's identity; some gateways still send only this one.
    RemotePartyId = "Remote-Party-ID",
    /// RFC 3891.
    Replaces = "Replaces",
    /// RFC 3261 section 20.31.
    ReplyTo = "Reply-To",
    /// RFC 3261 section 20.32.
    Require = "Require",
    /// RFC 3261 section 20.33.
    RetryAfter = "Retry-After",
    /// RFC 3261 section 20.34.
    Route = "Route",
    /// RFC 3262 section 7.1.
    RSeq = "RSeq",
    /// RFC 3261 section 20.35.
    Server = "Server",
    /// RFC 3608.
    ServiceRoute = "Service-Route",
    /// RFC 4028 section 4.
    SessionExpires = "Session-Expires" / b'x',
    /// RFC 3903 section 11.3.1.
    SipETag = "SIP-ETag",
    /// RFC 3903 section 11.3.2.
    SipIfMatch = "SIP-If-Match",
    /// RFC 3261 section 20.36.
    Subject = "Subject" / b's',
    /// RFC 6665 section 8.2.3.
    SubscriptionState = "Subscription-State",
    /// RFC 3261 section 20.37.
    Supported = "Supported" / b'k',
    /// RFC 3261 section 20.38.
    Timestamp = "Timestamp",
    /// RFC 3261 section 20.39.
    To = "To" / b't',
    /// RFC 3261 section 20.40.
    Unsupported = "Unsupported",
    /// RFC 3261 section 20.41.
    UserAgent = "User-Agent",
    /// RFC 7433.
    UserToUser = "User-to-User",
    /// RFC 3261 section 20.42.
    Via = "Via" / b'v',
    /// RFC 3261 section 20.43.
    Warning = "Warning",
    /// RFC 3261 section 20.44.
    WwwAuthenticate = "WWW-Authenticate",
}

impl Name {
    /// The name that is spelled like this, in any case, long or compact.
    pub fn from_bytes(name: &[u8]) -> Self {
        let first = match name {
            [] => return Self::Other,
            [letter] => return from_compact(letter.to_ascii_lowercase()),
            [first, ..] => first.to_ascii_lowercase(),
        };
        let Some(candidates) = BY_LENGTH.get(name.len()) else {
            return Self::Other;
        };
        for number in candidates {
            let Some((known, long)) = ALL.get(usize::from(*number)) else {
                break; // the end of a shorter list
            };
            let long = long.as_bytes();
            // Most candidates differ in their first letter already.
            if long[0].to_ascii_lowercase() == first && long.eq_ignore_ascii_case(name) {
                return *known;
            }
        }
        Self::Other
    }

    /// The long form; empty for [`Name::Other`].
    pub fn as_str(self) -> &'static str {
        ALL.get(self as usize).map_or("", |(_, long)| long)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The longest known name is shorter than this.
const LENGTHS: usize = 24;
/// No length is shared by more known names than this.
const SAME_LENGTH_MAX: usize = 12;
/// Marks a place in the table that holds no name.
const NONE: u8 = u8::MAX;

/// The numbers of the names of each length, so that a look-up compares a few names, not all.
const BY_LENGTH: [[u8; SAME_LENGTH_MAX]; LENGTHS] = {
    let mut table = [[NONE; SAME_LENGTH_MAX]; LENGTHS];
    let mut used = [0; LENGTHS];
    let mut number = 0;
    while number < ALL.len() {
        let length = ALL[number].1.len();
        #[allow(clippy::cast_possible_truncation)] // there are fewer than 255 names
        let small = number as u8;
        table[length][used[length]] = small;
        used[length] += 1;
        number += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_found_by_its_own_spelling_in_any_case() {
        for (name, long) in ALL {
            assert_eq!(Name::from_bytes(long.as_bytes()), *name);
            assert_eq!(Name::from_bytes(long.to_uppercase().as_bytes()), *name);
            assert_eq!(name.as_str(), *long);
        }
        assert_eq!(Name::from_bytes(b"X-Ramal"), Name::Other);
        assert_eq!(Name::from_bytes(b""), Name::Other);
        assert_eq!(Name::from_bytes(&[b'a'; 300]), Name::Other);
    }

    #[test]
    fn each_compact_form_is_its_long_form() {
        let compact = "v f t i m l c e s k r b o u x y";
        let long = "Via From To Call-ID Contact Content-Length Content-Type Content-Encoding Subject \
                    Supported Refer-To Referred-By Event Allow-Events Session-Expires Identity";
        for (letter, long) in compact.split(' ').zip(long.split_whitespace()) {
            assert_eq!(Name::from_bytes(letter.as_bytes()).as_str(), long);
            assert_eq!(
                Name::from_bytes(letter.to_uppercase().as_bytes()).as_str(),
                long
            );
        }
    }
}
