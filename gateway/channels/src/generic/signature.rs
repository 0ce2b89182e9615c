//! The signature of what goes out, as Standard Webhooks has it: whoever receives it can check that it is
//! ours, whole and new.

use crate::proof;
use crate::secret::Secret;

/// The headers that go with `body`: the id of the notice, the time of this very try (seconds since 1970)
/// and one signature for each secret. While a secret is changed there are two, and either will do.
///
/// Secrets are `whsec_` and base64, as [`secret`] makes them; any other is taken as it is.
pub fn headers(
    secrets: &[Secret],
    id: &str,
    at_s: i64,
    body: &[u8],
) -> [(&'static str, String); 3] {
    let time = at_s.to_string();
    let sign = |secret: &Secret| {
        let parts: [&[u8]; 5] = [id.as_bytes(), b".", time.as_bytes(), b".", body];
        let mac = proof::hmac_sha256(&key(secret), &parts);
        format!("v1,{}", proof::base64(&mac))
    };
    let signatures: Vec<String> = secrets.iter().map(sign).collect();
    [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", time.clone()),
        ("webhook-signature", signatures.join(" ")),
    ]
}

/// A secret of 24 bytes of chance, in the form that libraries of Standard Webhooks take.
pub fn secret(random: &mut impl rand::RngCore) -> Secret {
    let mut bytes = [0; 24];
    random.fill_bytes(&mut bytes);
    Secret::new(format!("{PREFIX}{}", proof::base64(&bytes)))
}

fn key(secret: &Secret) -> Vec<u8> {
    let text = secret.expose();
    let bytes = text.strip_prefix(PREFIX).and_then(proof::from_base64);
    bytes.unwrap_or_else(|| text.as_bytes().to_vec())
}

const PREFIX: &str = "whsec_";
