//! Who a webhook comes from: known answers, and every way in which somebody else may try.

use channels::connector::{Forged, Headers, Webhook};
use channels::whatsapp::{self, Config};
use serde_json::json;

use crate::{config, connector, fixtures};

fn verify(provider: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<(), Forged> {
    let headers: Headers = headers.iter().copied().collect();
    let headers = &headers;
    connector(provider).verify(&Webhook { url, headers, body })
}

/// Headers as somebody sent them.
type Sent<'a> = &'a [(&'a str, &'a str)];

const BODY: &[u8] = br#"{"object":"whatsapp_business_account","entry":[]}"#;
const MAC: &str = "1229b1aac1d1c32fcff73263d36f9530cdb7b9881662a975657c23d61ec07e45";

#[test]
fn meta_signs_the_bytes_as_they_are() {
    let name = "X-Hub-Signature-256";
    let cloud =
        |headers: &[(&str, &str)], body: &[u8]| verify("cloud", "https://r.com/w", headers, body);
    let (right, sha1) = (format!("sha256={MAC}"), format!("sha1={MAC}"));
    let (upper, short) = (
        format!("sha256={}", MAC.to_uppercase()),
        &right[..right.len() - 2],
    );
    let wrong = right.replace("1229", "1228");
    let (header, missing) = ("x-hub-signature-256", "x-hub-signature-256");
    assert_eq!(cloud(&[(name, &right)], BODY), Ok(()));
    let malformed = Err(Forged::Malformed(header));
    #[rustfmt::skip]
    let rows: [(Sent<'_>, Result<(), Forged>); 9] = [
        (&[], Err(Forged::Missing(missing))),
        (&[(name, &right), (name, &right)], Err(Forged::Missing(missing))),
        // The older header, signed with SHA-1, proves nothing.
        (&[("X-Hub-Signature", &sha1)], Err(Forged::Missing(missing))),
        (&[(name, &sha1)], malformed),
        (&[(name, &upper)], malformed),
        (&[(name, MAC)], malformed),
        (&[(name, "sha256=")], Err(Forged::Wrong)),
        (&[(name, short)], Err(Forged::Wrong)),
        (&[(name, &wrong)], Err(Forged::Wrong)),
    ];
    for (headers, expected) in rows {
        assert_eq!(cloud(headers, BODY), expected, "{headers:?}");
    }
    // The same JSON in other bytes, and one bit changed.
    let spaced = br#"{"object": "whatsapp_business_account", "entry": []}"#;
    assert_eq!(cloud(&[(name, &right)], spaced), Err(Forged::Wrong));
    for at in 0..BODY.len() {
        let mut changed = BODY.to_vec();
        changed[at] ^= 1;
        assert_eq!(cloud(&[(name, &right)], &changed), Err(Forged::Wrong));
    }
}

#[test]
fn twilio_signs_the_address_and_every_parameter() {
    // The example of Twilio's documentation.
    let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
    let body = "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212";
    let mut config = config("twilio");
    config["auth_token"] = json!("12345");
    let config: Config = serde_json::from_value(config).expect("a configuration");
    let connector = whatsapp::connector(config).expect("a connector");
    let verify = |url: &str, signature: &str, body: &str| {
        let headers: Headers = [("X-Twilio-Signature", signature)].into_iter().collect();
        let (headers, body) = (&headers, body.as_bytes());
        connector.verify(&Webhook { url, headers, body })
    };
    let right = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
    assert_eq!(verify(url, right, body), Ok(()));
    // In whatever order they come.
    let turned = "To=%2B18005551212&From=%2B14158675309&Digits=1234&Caller=%2B14158675309&CallSid=CA1234567890ABCDE";
    assert_eq!(verify(url, right, turned), Ok(()));
    let added = format!("{body}&New=1");
    let inside = url.replace("https", "http");
    #[rustfmt::skip]
    let rows = [
        (verify(url, right, &added), Forged::Wrong),
        (verify(url, right, &body.replace("1234&", "1235&")), Forged::Wrong),
        (verify(&inside, right, body), Forged::Wrong),
        (verify(url, "RSOYDt4T1cUTdK1PDd93/VVr8B9=", body), Forged::Malformed("x-twilio-signature")),
        (verify(url, "", body), Forged::Wrong),
    ];
    for (at, (verified, expected)) in rows.into_iter().enumerate() {
        assert_eq!(verified, Err(expected), "row {at}");
    }
}

#[test]
fn the_others_prove_themselves_by_the_secret_that_we_gave_them() {
    for provider in ["dialog360", "gupshup", "zenvia"] {
        let verify = |url: &str, headers: &[(&str, &str)]| verify(provider, url, headers, b"{}");
        assert_eq!(
            verify("https://r.com/w", &[("X-Ramal-Secret", "s3gr3do")]),
            Ok(())
        );
        assert_eq!(verify("https://r.com/w?secret=s3gr3do", &[]), Ok(()));
        let wrong = verify("https://r.com/w", &[("X-Ramal-Secret", "s3gr3d0")]);
        assert_eq!(wrong, Err(Forged::Wrong));
        let missing = verify("https://r.com/w", &[]);
        assert_eq!(missing, Err(Forged::Missing("x-ramal-secret")));
    }
}

#[test]
fn the_handshake_answers_whoever_knows_the_token_and_with_nothing_but_the_challenge() {
    let cloud = connector("cloud");
    let right = "hub.mode=subscribe&hub.verify_token=v3rify&hub.challenge=12345";
    assert_eq!(cloud.handshake(right).as_deref(), Some("12345"));
    for wrong in [
        "",
        "hub.mode=subscribe&hub.verify_token=v3rifi&hub.challenge=12345",
        "hub.mode=subscribe&hub.challenge=12345",
        "hub.mode=unsubscribe&hub.verify_token=v3rify&hub.challenge=12345",
        "hub.verify_token=v3rify&hub.challenge=12345",
        "hub.mode=subscribe&hub.verify_token=v3rify",
        "hub.mode=subscribe&hub.verify_token=v3rify&hub.challenge=%3Cscript%3E",
    ] {
        assert_eq!(cloud.handshake(wrong), None, "{wrong}");
    }
    assert_eq!(connector("twilio").handshake(right), None);
}

#[test]
fn there_is_no_connector_without_its_secrets_and_addresses() {
    #[rustfmt::skip]
    let rows = [
        ("cloud", "app_secret", "app_secret is empty"),
        ("cloud", "verify_token", "verify_token is empty"),
        ("cloud", "access_token", "access_token is empty"),
        ("cloud", "phone_number_id", "phone_number_id is empty"),
        ("cloud", "base_url", "base_url is not an address of HTTP"),
        ("dialog360", "webhook_secret", "webhook_secret is empty"),
        ("dialog360", "portfolio_id", "portfolio_id is empty"),
        ("gupshup", "webhook_secret", "webhook_secret is empty"),
        ("gupshup", "number", "number: digits only, with the country and the area"),
        ("zenvia", "webhook_secret", "webhook_secret is empty"),
        ("twilio", "auth_token", "auth_token is empty"),
        ("twilio", "content_url", "content_url is not an address of HTTP"),
    ];
    for (provider, field, expected) in rows {
        let mut config = config(provider);
        config[field] = json!("");
        let config: Config = serde_json::from_value(config).expect("a configuration");
        let error = whatsapp::connector(config).expect_err("no connector");
        assert_eq!(error.to_string(), expected);
    }
    let mut unknown = config("cloud");
    unknown["app_sceret"] = json!("x");
    assert!(serde_json::from_value::<Config>(unknown).is_err());
}

#[test]
fn nothing_secret_is_printed() {
    for provider in crate::PROVIDERS {
        let printed = format!("{:?}", connector(provider));
        for secret in ["T0KEN", "s3gr3do", "v3rify", "t0k3n"] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }
}

/// The header that proves a webhook; Gupshup's proof stands in the address.
fn proof(provider: &str) -> Option<&'static str> {
    match provider {
        "cloud" => Some("x-hub-signature-256"),
        "twilio" => Some("x-twilio-signature"),
        "dialog360" | "zenvia" => Some("x-ramal-secret"),
        _ => None,
    }
}

#[test]
fn every_webhook_is_refused_without_its_proof_with_another_and_with_two() {
    for fixture in fixtures::all() {
        let connector = connector(fixture.provider);
        let name = fixture.folder.display();
        let refused = |url: &str, headers: &[(&str, &str)], body: &[u8]| {
            let headers: Headers = headers.iter().copied().collect();
            let headers = &headers;
            let verified = connector.verify(&Webhook { url, headers, body });
            assert!(verified.is_err(), "{name}");
        };
        let (url, body) = (fixture.url.as_str(), fixture.body.as_slice());
        let Some(header) = proof(fixture.provider) else {
            let address = url.split('?').next().expect("an address");
            for query in [
                "",
                "?secret=",
                "?secret=s3gr3d0",
                "?secret=s3gr3do&secret=s3gr3do",
            ] {
                refused(&format!("{address}{query}"), &[], body);
            }
            continue;
        };
        let right = fixture.headers.one(header).expect("a proof");
        let end = right.len() - 4;
        let letter = if right[end..].starts_with('0') {
            "1"
        } else {
            "0"
        };
        let other = format!("{}{letter}{}", &right[..end], &right[end + 1..]);
        refused(url, &[], body);
        refused(url, &[(header, "")], body);
        refused(url, &[(header, &other)], body);
        refused(url, &[(header, right), (header, right)], body);
        refused(url, &[("x-other", right)], body);
    }
}

#[test]
fn a_proof_for_one_webhook_or_one_channel_is_none_for_another() {
    let all = fixtures::all();
    for provider in ["cloud", "twilio"] {
        let own: Vec<_> = all.iter().filter(|one| one.provider == provider).collect();
        let connector = connector(provider);
        for pair in own.windows(2).filter(|pair| pair[0].body != pair[1].body) {
            let swapped = Webhook {
                body: &pair[1].body,
                ..pair[0].webhook()
            };
            assert_eq!(connector.verify(&swapped), Err(Forged::Wrong));
        }
    }
    // Told again to another channel's address, or to a channel with another secret.
    let secrets = [
        ("cloud", "app_secret"),
        ("dialog360", "webhook_secret"),
        ("gupshup", "webhook_secret"),
        ("zenvia", "webhook_secret"),
        ("twilio", "auth_token"),
    ];
    for (provider, field) in secrets {
        let mut config = config(provider);
        config[field] = json!("0utr0");
        let config: Config = serde_json::from_value(config).expect("a configuration");
        let other = whatsapp::connector(config).expect("a connector");
        for fixture in all.iter().filter(|one| one.provider == provider) {
            assert_eq!(other.verify(&fixture.webhook()), Err(Forged::Wrong));
        }
    }
    let twilio = all.iter().find(|one| one.provider == "twilio");
    let twilio = twilio.expect("a webhook");
    let elsewhere = twilio.url.replace("c5", "c6");
    let moved = Webhook {
        url: &elsewhere,
        ..twilio.webhook()
    };
    assert_eq!(connector("twilio").verify(&moved), Err(Forged::Wrong));
}

#[test]
fn a_form_of_millions_of_parameters_is_refused_without_sorting_them() {
    let body = "b&a&".repeat(1 << 20);
    let sent = [("X-Twilio-Signature", "RSOYDt4T1cUTdK1PDd93/VVr8B8=")];
    let verified = verify("twilio", "https://r.com/w", &sent, body.as_bytes());
    assert_eq!(verified, Err(Forged::Wrong));
}
