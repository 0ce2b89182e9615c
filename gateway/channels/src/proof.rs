//! Proofs that a webhook comes from whom it says. All comparisons take the same time whatever differs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::connector::{Forged, Webhook};
use crate::secret::Secret;

/// The header in which a provider sends the secret that we gave it, where it signs nothing.
pub const SECRET_HEADER: &str = "x-ramal-secret";

/// HMAC-SHA256.
pub(crate) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

/// HMAC-SHA1, which Twilio signs with.
pub(crate) fn hmac_sha1(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// Whether both are the same.
pub(crate) fn same(given: &[u8], expected: &[u8]) -> Result<(), Forged> {
    let same: bool = given.ct_eq(expected).into();
    same.then_some(()).ok_or(Forged::Wrong)
}

/// Base64 with padding.
pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Bytes of base64 with padding.
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Checks the secret that we gave to a provider that signs nothing: in [`SECRET_HEADER`], or, where the
/// provider sends no headers of ours, as `secret` in the query of the address.
pub(crate) fn shared_secret(webhook: &Webhook<'_>, secret: &Secret) -> Result<(), Forged> {
    if secret.is_empty() {
        return Err(Forged::NoSecret);
    }
    let expected = secret.expose().as_bytes();
    if let Some(given) = webhook.headers.one(SECRET_HEADER) {
        return same(given.as_bytes(), expected);
    }
    let query = webhook.url.split_once('?').map_or("", |(_, query)| query);
    let mut given = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "secret");
    match (given.next(), given.next()) {
        (Some((_, given)), None) => same(given.as_bytes(), expected),
        _ => Err(Forged::Missing(SECRET_HEADER)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::Headers;

    #[test]
    fn hmacs_are_those_of_the_standards() {
        // RFC 4231 section 4.3 and RFC 2202 section 3, test case 2.
        let (key, what) = (b"Jefe", b"what do ya want ");
        let mac = hmac_sha256(key, &[what, b"for nothing?"]);
        assert_eq!(
            hex::encode(mac),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        let mac = hmac_sha1(key, b"what do ya want for nothing?");
        assert_eq!(hex::encode(mac), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    }

    #[test]
    fn a_shared_secret_is_taken_once_from_the_header_or_the_address() {
        let check = |url: &str, headers: &[(&str, &str)], secret: &str| {
            let headers: Headers = headers.iter().copied().collect();
            let body = b"{}";
            let webhook = Webhook {
                url,
                headers: &headers,
                body,
            };
            shared_secret(&webhook, &Secret::new(secret))
        };
        let (missing, h) = (Err(Forged::Missing(SECRET_HEADER)), "X-Ramal-Secret");
        #[rustfmt::skip]
        let rows = [
            (check("https://r.com/w", &[(h, "s3gr3do")], "s3gr3do"), Ok(())),
            (check("https://r.com/w?secret=s3gr3do", &[], "s3gr3do"), Ok(())),
            (check("https://r.com/w?a=b&secret=s%33gr3do", &[], "s3gr3do"), Ok(())),
            (check("https://r.com/w", &[(h, "s3gr3dO")], "s3gr3do"), Err(Forged::Wrong)),
            (check("https://r.com/w", &[(h, "s3gr3do2")], "s3gr3do"), Err(Forged::Wrong)),
            (check("https://r.com/w?secret=s3gr3do", &[(h, "")], "s3gr3do"), Err(Forged::Wrong)),
            (check("https://r.com/w?secret=s3gr3do&secret=x", &[], "s3gr3do"), missing),
            (check("https://r.com/w", &[(h, "s3gr3do"), (h, "x")], "s3gr3do"), missing),
            (check("https://r.com/w", &[], "s3gr3do"), missing),
            (check("https://r.com/w?secret=", &[(h, "")], ""), Err(Forged::NoSecret)),
        ];
        for (at, (outcome, expected)) in rows.into_iter().enumerate() {
            assert_eq!(outcome, expected, "row {at}");
        }
    }
}
