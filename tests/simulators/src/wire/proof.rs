//! How providers prove that a webhook is theirs, and how ours proves that it is ours. Written from the
//! providers' documents, not from the connectors.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::Sha256;

use crate::world::delivery::Webhook;

/// How a webhook is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Signing {
    /// Meta: `X-Hub-Signature-256`, with the secret of the app.
    Meta(&'static str),
    /// Twilio: `X-Twilio-Signature`, with the token of the account, over address and parameters.
    Twilio(&'static str),
    /// Not at all: the secret is in a header or in the address, as the company gave it.
    Shared,
}

impl Signing {
    /// The address and the headers of a webhook as it is sent; with another secret when `wrong`.
    pub(crate) fn seal(&self, webhook: &Webhook, wrong: bool) -> (String, Vec<(String, String)>) {
        let mut headers = webhook.headers.clone();
        let key = |right: &'static str| if wrong { WRONG } else { right };
        match self {
            Self::Meta(secret) => {
                let signature = meta(key(secret), &webhook.body);
                headers.push(("x-hub-signature-256".to_owned(), signature));
            }
            Self::Twilio(token) => {
                let parameters: Vec<(String, String)> =
                    form_urlencoded::parse(&webhook.body).into_owned().collect();
                let signature = twilio(key(token), &webhook.url, &parameters);
                headers.push(("x-twilio-signature".to_owned(), signature));
            }
            Self::Shared if wrong => {
                let secrets = headers
                    .iter_mut()
                    .filter(|(name, _)| name != "content-type");
                secrets.for_each(|(_, value)| WRONG.clone_into(value));
                let url = webhook.url.replace("secret=", &format!("secret={WRONG}"));
                return (url, headers);
            }
            Self::Shared => {}
        }
        (webhook.url.clone(), headers)
    }
}

/// Meta's signature: `sha256=` and the HMAC-SHA256 of the body, in lower-case hexadecimal.
pub fn meta(secret: &str, body: &[u8]) -> String {
    let mac = hmac_sha256(secret.as_bytes(), body);
    format!("sha256={}", hex::encode(mac))
}

/// Twilio's signature: the HMAC-SHA1, in base64, of the address and each parameter by name, its value
/// right behind it.
pub fn twilio(token: &str, url: &str, parameters: &[(String, String)]) -> String {
    let mut sorted = parameters.to_vec();
    sorted.sort();
    let mut text = url.to_owned();
    for (name, value) in &sorted {
        text.push_str(name);
        text.push_str(value);
    }
    let mut mac = new_hmac::<Hmac<Sha1>>(token.as_bytes());
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// The signature of Standard Webhooks: `v1,` and the HMAC-SHA256, in base64, of id, time and body with
/// dots between; the key is what stands in base64 behind `whsec_`.
pub fn standard(secret: &str, id: &str, timestamp: &str, body: &[u8]) -> String {
    let key = secret
        .strip_prefix("whsec_")
        .and_then(|text| STANDARD.decode(text).ok());
    let key = key.unwrap_or_else(|| secret.as_bytes().to_vec());
    let mut mac = new_hmac::<Hmac<Sha256>>(&key);
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

pub(crate) fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = new_hmac::<Hmac<Sha256>>(key);
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

fn new_hmac<M: Mac + hmac::digest::KeyInit>(key: &[u8]) -> M {
    <M as Mac>::new_from_slice(key)
        .unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"))
}

/// What a webhook with a wrong signature is signed with.
const WRONG: &str = "segredo-errado";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_the_known_answers() {
        // The reference's own.
        let body = br#"{"object":"whatsapp_business_account","entry":[]}"#;
        let expected = "sha256=1229b1aac1d1c32fcff73263d36f9530cdb7b9881662a975657c23d61ec07e45";
        assert_eq!(meta("s3gr3do", body), expected);
        // Twilio's documents, "Validating requests".
        let parameters = [
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+12349013030"),
            ("Digits", "1234"),
            ("From", "+12349013030"),
            ("To", "+18005551212"),
        ];
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
        assert_eq!(
            twilio("12345", url, &parameters),
            "0/KCTR6DLpKmkAf8muzZqo1nDgQ="
        );
        // The example of the specification of Standard Webhooks.
        let signature = standard(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_wrong_signature_differs_in_nothing_but_the_secret() {
        let webhook = Webhook {
            url: "http://r.example/w?secret=certo".to_owned(),
            headers: vec![
                ("content-type".to_owned(), "application/json".to_owned()),
                ("x-ramal-secret".to_owned(), "certo".to_owned()),
            ],
            body: b"{}".to_vec(),
            signing: Signing::Shared,
            label: String::new(),
        };
        assert_eq!(
            webhook.signing.seal(&webhook, false),
            (webhook.url.clone(), webhook.headers.clone())
        );
        let (url, headers) = webhook.signing.seal(&webhook, true);
        assert_eq!(url, "http://r.example/w?secret=segredo-erradocerto");
        assert_eq!(headers[0].1, "application/json");
        assert_eq!(headers[1].1, WRONG);
        let meta = Signing::Meta("certo");
        let (right, wrong) = (meta.seal(&webhook, false), meta.seal(&webhook, true));
        assert_ne!(right.1.last(), wrong.1.last());
    }
}
