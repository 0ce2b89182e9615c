//! Challenges and credentials (RFC 3261 sections 20.7 and 20.44, RFC 7616 section 3).

use std::borrow::Cow;

use bytes::Bytes;

use super::params::unquote;
use super::{Invalid, scan};

/// More parameters than this in one value are an attack: Digest has fifteen.
const PARAMS_MAX: usize = 32;

/// A scheme and its comma-separated parameters: WWW-Authenticate, Authorization, and their proxy
/// forms. Authentication-Info has the parameters alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Auth {
    scheme: Bytes,
    params: Bytes,
}

impl Auth {
    /// Reads `Digest a="b", c=d`.
    ///
    /// # Errors
    ///
    /// Where the scheme or a parameter is malformed, a parameter stands twice, or there are more
    /// than 32.
    pub fn parse(value: &Bytes) -> Result<Self, Invalid> {
        let (scheme, params) = scan::word(value);
        if !scan::is_token(scheme) {
            return Err(Invalid("an authentication scheme is not a token"));
        }
        Self::checked(value.slice_ref(scheme), value.slice_ref(params))
    }

    /// Reads parameters without a scheme before them (Authentication-Info).
    ///
    /// # Errors
    ///
    /// As [`Auth::parse`].
    pub fn parse_params(value: &Bytes) -> Result<Self, Invalid> {
        Self::checked(Bytes::new(), value.clone())
    }

    fn checked(scheme: Bytes, params: Bytes) -> Result<Self, Invalid> {
        let auth = Self { scheme, params };
        if scan::elements(&auth.params).count() > PARAMS_MAX {
            return Err(Invalid("too many authentication parameters"));
        }
        for (at, (name, value)) in auth.iter().enumerate() {
            let closed =
                value.first() != Some(&b'"') || scan::closing_quote(value) == Some(value.len() - 1);
            if !scan::is_token(name) || !closed {
                return Err(Invalid("an authentication parameter is malformed"));
            }
            // Two values for one name would let two readers check different things.
            if auth
                .iter()
                .take(at)
                .any(|(earlier, _)| earlier.eq_ignore_ascii_case(name))
            {
                return Err(Invalid("an authentication parameter stands twice"));
            }
        }
        Ok(auth)
    }

    /// The scheme as written.
    pub fn scheme(&self) -> &[u8] {
        &self.scheme
    }

    /// Whether the scheme is Digest.
    pub fn is_digest(&self) -> bool {
        self.scheme.eq_ignore_ascii_case(b"Digest")
    }

    /// Each parameter with its value as written, quotes included.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        scan::elements(&self.params)
            .filter(|param| !param.is_empty())
            .map(|param| {
                let equals = param
                    .iter()
                    .position(|byte| *byte == b'=')
                    .unwrap_or(param.len());
                let value = param.get(equals + 1..).unwrap_or_default();
                (scan::trim(&param[..equals]), scan::trim(value))
            })
    }

    /// The value of `name` as written, quotes included.
    pub fn raw(&self, name: &str) -> Option<&[u8]> {
        self.iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value)
    }

    /// The value of `name` without quotes and backslashes.
    pub fn get(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        self.raw(name).map(unquote)
    }
}

/// Shows the scheme alone: credentials do not belong in a log.
impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Auth")
            .field("scheme", &self.scheme)
            .finish_non_exhaustive()
    }
}
