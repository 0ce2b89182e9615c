//! Digest authentication, as server and as client (RFC 3261 section 22, RFC 7616, RFC 8760).
//!
//! [`server::Challenger`] asks the devices that call us, [`client::Answerer`] answers the carriers
//! that ask us. What both need stands here: the algorithms, the stored form of a password, the
//! `name=value` list of the headers, and the hash itself.
//!
//! Values are hashed as they stand between the quotes, without resolving `\` escapes: that is
//! what RFC 7616 calls unquoting, and what the peers of this trade do.

use std::fmt;

use bytes::Bytes;
use md5::{Digest, Md5};
use sha2::Sha256;

use super::headers::{Auth, Invalid};

pub mod client;
pub mod server;

pub use client::{Answerer, Attempt, Authorization, Credentials, Outgoing, Unanswerable};
pub use server::{Challenger, Refusal, Request, Verdict};

/// A hash function of digest authentication, the weaker one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashFunction {
    /// RFC 1321: broken for signatures, still what most phones and carriers speak.
    Md5,
    /// FIPS 180-4, for SIP by RFC 8760.
    Sha256,
}

/// The `algorithm` parameter: a hash, and whether the key is bound to one session (`-sess`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Algorithm {
    /// The hash function.
    pub hash: HashFunction,
    /// `-sess`: the nonce and the client's nonce are hashed into the key (RFC 7616 section 3.4.2).
    pub session: bool,
}

impl Algorithm {
    /// `MD5`, which is meant where no algorithm is written.
    pub const MD5: Self = Self {
        hash: HashFunction::Md5,
        session: false,
    };
    /// `SHA-256`.
    pub const SHA_256: Self = Self {
        hash: HashFunction::Sha256,
        session: false,
    };

    /// Reads the parameter; `None` for an algorithm we do not speak.
    pub fn read(value: &[u8]) -> Option<Self> {
        let known = [
            Self::MD5,
            Self::SHA_256,
            Self {
                session: true,
                ..Self::MD5
            },
            Self {
                session: true,
                ..Self::SHA_256
            },
        ];
        known
            .into_iter()
            .find(|algorithm| value.eq_ignore_ascii_case(algorithm.as_str().as_bytes()))
    }

    /// The parameter as it is written.
    pub fn as_str(self) -> &'static str {
        match (self.hash, self.session) {
            (HashFunction::Md5, false) => "MD5",
            (HashFunction::Md5, true) => "MD5-sess",
            (HashFunction::Sha256, false) => "SHA-256",
            (HashFunction::Sha256, true) => "SHA-256-sess",
        }
    }
}

/// What a server keeps of a password: the hashes of `user:realm:password`, never the password.
///
/// It is bound to the user name and the realm: when either changes, the password has to be asked
/// for again.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    md5: Option<String>,
    sha256: Option<String>,
}

impl Secret {
    /// Hashes a password for every algorithm.
    pub fn new(username: &str, realm: &str, password: &str) -> Self {
        let parts = [username.as_bytes(), realm.as_bytes(), password.as_bytes()];
        Self {
            md5: Some(hash(HashFunction::Md5, &parts)),
            sha256: Some(hash(HashFunction::Sha256, &parts)),
        }
    }

    /// Takes stored hashes; an algorithm without its hash cannot be used by this account.
    pub fn from_hashes(md5: Option<[u8; 16]>, sha256: Option<[u8; 32]>) -> Self {
        Self {
            md5: md5.map(|bytes| hex(&bytes)),
            sha256: sha256.map(|bytes| hex(&bytes)),
        }
    }

    /// The hash as lower-case hexadecimal digits, which is the form that is stored and hashed on.
    pub fn hash(&self, function: HashFunction) -> Option<&str> {
        match function {
            HashFunction::Md5 => self.md5.as_deref(),
            HashFunction::Sha256 => self.sha256.as_deref(),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)") // A log is no place for it.
    }
}

/// What is hashed into one `response` (RFC 7616 section 3.4.1). All of it is text as sent.
struct Hashed<'a> {
    algorithm: Algorithm,
    /// H(user:realm:password) in hexadecimal.
    secret: &'a str,
    method: &'a [u8],
    uri: &'a [u8],
    nonce: &'a [u8],
    client_nonce: &'a [u8],
    quality: Quality<'a>,
}

/// The `qop` in force.
#[derive(Clone, Copy)]
enum Quality<'a> {
    /// No `qop` at all: RFC 2069, which old carriers still send.
    None,
    /// `auth`, with the eight digits of the nonce count as sent.
    Auth { nonce_count: &'a [u8] },
    /// `auth-int`: the body is hashed as well.
    AuthInt {
        nonce_count: &'a [u8],
        body: &'a [u8],
    },
}

impl Hashed<'_> {
    fn response(&self) -> String {
        let function = self.algorithm.hash;
        let key = if self.algorithm.session {
            hash(
                function,
                &[self.secret.as_bytes(), self.nonce, self.client_nonce],
            )
        } else {
            self.secret.to_owned()
        };
        let key = key.as_bytes();
        match self.quality {
            Quality::None => {
                let what = hash(function, &[self.method, self.uri]);
                hash(function, &[key, self.nonce, what.as_bytes()])
            }
            Quality::Auth { nonce_count } => {
                let what = hash(function, &[self.method, self.uri]);
                self.counted(key, nonce_count, b"auth", &what)
            }
            Quality::AuthInt { nonce_count, body } => {
                let body = hash(function, &[body]);
                let what = hash(function, &[self.method, self.uri, body.as_bytes()]);
                self.counted(key, nonce_count, b"auth-int", &what)
            }
        }
    }

    fn counted(&self, key: &[u8], nonce_count: &[u8], quality: &[u8], what: &str) -> String {
        hash(
            self.algorithm.hash,
            &[
                key,
                self.nonce,
                nonce_count,
                self.client_nonce,
                quality,
                what.as_bytes(),
            ],
        )
    }
}

/// Hashes `parts` with a colon between them, as lower-case hexadecimal digits.
fn hash(function: HashFunction, parts: &[&[u8]]) -> String {
    fn joined<D: Digest>(parts: &[&[u8]]) -> String {
        let mut digest = D::new();
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                digest.update(b":");
            }
            digest.update(part);
        }
        hex(&digest.finalize())
    }
    match function {
        HashFunction::Md5 => joined::<Md5>(parts),
        HashFunction::Sha256 => joined::<Sha256>(parts),
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 15)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(*byte)])
        .collect()
}

/// Reads exactly `N` bytes of hexadecimal digits.
fn unhex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    if text.len() != N.checked_mul(2)? {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    Some(bytes)
}

/// The parameters of a challenge or of its answer.
struct Parameters(Auth);

impl Parameters {
    /// Reads a header value; the error says what is wrong with it.
    fn read(value: &[u8]) -> Result<Self, &'static str> {
        if value
            .iter()
            .any(|byte| byte.is_ascii_control() && *byte != b'\t')
        {
            // A folded line, or worse. What we read here goes into our own headers.
            return Err("a control character");
        }
        match Auth::parse(&Bytes::copy_from_slice(value)) {
            Ok(auth) if auth.is_digest() => Ok(Self(auth)),
            Ok(_) => Err("not the Digest scheme"),
            Err(Invalid(what)) => Err(what),
        }
    }

    /// The value as it stands between its quotes.
    fn find(&self, name: &str) -> Option<&[u8]> {
        let value = self.0.raw(name)?;
        let quoted = value.strip_prefix(b"\"");
        Some(
            quoted
                .and_then(|rest| rest.strip_suffix(b"\""))
                .unwrap_or(value),
        )
    }

    /// The value as text; `None` where it is missing or no UTF-8.
    fn text(&self, name: &str) -> Option<&str> {
        self.find(name)
            .and_then(|value| std::str::from_utf8(value).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of RFC 7616 section 3.9.1, for both algorithms.
    #[test]
    fn the_published_vectors_of_rfc_7616_come_out() {
        let secret = Secret::new("Mufasa", "http-auth@example.org", "Circle of Life");
        let respond = |algorithm: Algorithm| {
            Hashed {
                algorithm,
                secret: secret.hash(algorithm.hash).expect("both are made"),
                method: b"GET",
                uri: b"/dir/index.html",
                nonce: b"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
                client_nonce: b"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
                quality: Quality::Auth {
                    nonce_count: b"00000001",
                },
            }
            .response()
        };
        assert_eq!(respond(Algorithm::MD5), "8ca523f5e9506fed4657c9700eebdbec");
        assert_eq!(
            respond(Algorithm::SHA_256),
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
        );
    }

    /// The worked example of RFC 2617 section 3.5.
    #[test]
    fn the_published_vector_of_rfc_2617_comes_out() {
        let secret = Secret::new("Mufasa", "testrealm@host.com", "Circle Of Life");
        let response = Hashed {
            algorithm: Algorithm::MD5,
            secret: secret.hash(HashFunction::Md5).expect("made"),
            method: b"GET",
            uri: b"/dir/index.html",
            nonce: b"dcd98b7102dd2f0e8b11d0f600bfb0c093",
            client_nonce: b"0a4f113b",
            quality: Quality::Auth {
                nonce_count: b"00000001",
            },
        }
        .response();
        assert_eq!(response, "6629fae49393a05397450978507c4ef1");
    }

    #[test]
    fn parameters_are_read_whatever_the_spacing_and_quoting() {
        let list = Parameters::read(b"digest  realm=\"a, \\\"b\\\"\" ,nonce = abc\t,, Stale=TRUE")
            .expect("legal");
        assert_eq!(list.find("realm"), Some(&b"a, \\\"b\\\""[..]));
        assert_eq!(list.find("NONCE"), Some(&b"abc"[..]));
        assert_eq!(list.find("stale"), Some(&b"TRUE"[..]));
        assert_eq!(list.find("opaque"), None);
    }

    #[test]
    fn broken_parameters_are_refused() {
        for bad in [
            &b"Basic realm=\"x\""[..],
            b"Digestrealm=x",
            b"Digest realm=\"x",
            b"Digest realm=\"x\\\"",
            b"Digest =x",
            b"Digest realm=x, realm=y",
            b"Digest realm=\"a\x00b\"",
            b"Digest realm=\"a\r\n b\"",
            b"Digest \"=x",
        ] {
            assert!(Parameters::read(bad).is_err(), "{}", bad.escape_ascii());
        }
    }

    #[test]
    fn hexadecimal_goes_both_ways() {
        assert_eq!(hex(&[0x00, 0x9f, 0xff]), "009fff");
        assert_eq!(unhex::<3>(b"009fFF"), Some([0x00, 0x9f, 0xff]));
        assert_eq!(unhex::<3>(b"009ff"), None);
        assert_eq!(unhex::<3>(b"009f+f"), None);
    }

    #[test]
    fn a_secret_does_not_show_itself() {
        let secret = Secret::new("1001", "ramal", "swordfish");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }
}
