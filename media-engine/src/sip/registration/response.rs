//! What a registrar answered, read from the message once.

use std::net::IpAddr;

use bytes::Bytes;

use crate::sip::headers::{Contact, Name, NameAddr};
use crate::sip::message::Message;

/// A response to a REGISTER of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Who answered.
    pub from: IpAddr,
    /// The WWW-Authenticate headers of a 401, the Proxy-Authenticate headers of a 407.
    pub challenges: Vec<Bytes>,
    /// For how long our contact stands, in seconds.
    pub expires_s: Option<u32>,
    /// Min-Expires, in seconds.
    pub min_expires_s: Option<u32>,
    /// Retry-After, in seconds.
    pub retry_after_s: Option<u32>,
    /// The Service-Route headers, in order (RFC 3608).
    pub service_route: Vec<Bytes>,
}

impl Response {
    /// Reads a response. `contact_user` tells our contact from others of the same address of
    /// record. What is malformed counts as missing: the status decides.
    pub fn read(message: &Message, from: IpAddr, contact_user: &str) -> Self {
        let status = message.status().unwrap_or_default();
        let lines = |name| -> Vec<Bytes> {
            let lines = message.header_lines(name).take(LINES_MAX);
            lines.filter(|line| line.len() <= LINE_MAX).collect()
        };
        Self {
            status,
            from,
            challenges: match status {
                401 => lines(Name::WwwAuthenticate),
                407 => lines(Name::ProxyAuthenticate),
                _ => Vec::new(),
            },
            expires_s: own_expires(message, contact_user).or(message.seconds(Name::Expires)),
            min_expires_s: message.seconds(Name::MinExpires),
            retry_after_s: message.seconds(Name::RetryAfter),
            service_route: lines(Name::ServiceRoute)
                .into_iter()
                .filter(|line| NameAddr::parse_list(line).all(|address| address.is_ok()))
                // A copy: it is kept for an hour and must not hold the datagram.
                .map(|line| Bytes::copy_from_slice(&line))
                .collect(),
        }
    }
}

fn own_expires(message: &Message, contact_user: &str) -> Option<u32> {
    message
        .contacts()
        .filter_map(Result::ok)
        .find_map(|contact| match contact {
            Contact::Address(address) => {
                let ours = address.uri().user() == Some(contact_user.as_bytes());
                address.expires().filter(|_| ours)
            }
            Contact::All => None,
        })
}

/// How many lines of one header are kept.
const LINES_MAX: usize = 8;

/// The longest line that is kept, in bytes.
const LINE_MAX: usize = 2048;
