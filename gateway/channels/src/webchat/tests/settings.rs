//! What an administrator sets, what the browser learns of it, and the form before a matter.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::service;
use crate::event::MediaKind;
use crate::webchat::config;
use crate::webchat::form::{Ask, Asked, Consent, Form, Known};
use crate::webchat::settings::{FileSettings, Settings};

#[test]
fn the_form_asks_for_what_is_missing_and_for_nothing_twice() {
    let services = [service("vendas"), service("suporte")];
    let asked = Asked {
        name: Ask::Must,
        email: Ask::Ask,
        phone: Ask::No,
        services: &services,
        consent: Some("2026-11"),
    };
    let empty = (Form::default(), Known::default());
    assert_eq!(
        asked.missing(&empty.0, &empty.1, false),
        ["name", "service", "consent"]
    );
    assert_eq!(
        asked.missing(&empty.0, &empty.1, true),
        ["name", "email", "service", "consent"]
    );
    let known = Known {
        name: Some("Ana".to_owned()),
        consent: Some("2026-10".to_owned()),
        ..Known::default()
    };
    let mut form = Form {
        service: Some(service("vendas")),
        ..Form::default()
    };
    assert_eq!(
        asked.missing(&form, &known, false),
        ["consent"],
        "another text"
    );
    form.consent = Some(Consent {
        version: "2026-11".to_owned(),
        at_ms: 1,
    });
    assert_eq!(asked.missing(&form, &known, false), [""; 0]);
    assert_eq!(asked.service(&form), Ok(Some(service("vendas"))));
    let known = known.with(&form);
    assert_eq!(known.consent.as_deref(), Some("2026-11"));
    assert_eq!(known.name.as_deref(), Some("Ana"));
    form.service = Some(service("cobranca"));
    assert_eq!(asked.service(&form), Err("service"));
    // Without a choice nobody is asked to choose.
    let only = Asked {
        services: &services[..1],
        consent: None,
        ..asked
    };
    assert_eq!(only.missing(&Form::default(), &known, false), [""; 0]);
    assert_eq!(only.service(&Form::default()), Ok(Some(service("vendas"))));
    let nothing = Settings {
        form: None,
        ..Settings::default()
    };
    assert_eq!(
        nothing.asked(&[]).missing(&empty.0, &empty.1, true),
        [""; 0]
    );
    assert_eq!(nothing.asked(&[]).service(&empty.0), Ok(None));
}

/// Settings with everything in them, as an administrator's form posts them.
fn settings() -> Value {
    json!({
        "title": "Loja Aurora", "logo": "01kb0009", "colour": "#176B5B", "position": "left", "theme": "dark", "language": "auto",
        "greeting": {"pt-BR": "Oi! Como podemos ajudar?", "en": "Hi </script><script>alert(1)</script>"},
        "form": {
            "name": "must", "email": "ask", "phone": "no", "services": ["vendas", "suporte"],
            "consent": {"version": "2026-11", "text": {"pt-BR": "Aceito"}, "url": "https://loja.exemplo/lgpd"},
        },
        "origins": ["https://Loja.exemplo/"],
        "files": {"bytes_max": 1_000_000, "kinds": ["image"]},
        "transcript": false,
    })
}

#[test]
fn settings_that_cannot_be_taken_are_named() {
    let with = |pointer: &str, value: Value| {
        let mut settings = settings();
        *settings.pointer_mut(pointer).expect("a field") = value;
        serde_json::from_value::<Settings>(settings)
    };
    let whole: Settings = serde_json::from_value(settings()).expect("settings");
    assert_eq!(whole.wrong(), None);
    assert_eq!(Settings::default().wrong(), None);
    let stored = serde_json::to_value(&whole).expect("JSON");
    assert_eq!(
        serde_json::from_value::<Settings>(stored).expect("settings"),
        whole
    );
    #[rustfmt::skip]
    let wrong = [
        ("/title", json!(" "), "title"), ("/title", json!("x".repeat(61)), "title"),
        ("/logo", json!("../x"), "logo"),
        ("/greeting/en", json!("x".repeat(501)), "greeting"),
        ("/origins", json!(vec!["https://a.com"; 51]), "origins"),
        ("/form/services", json!(vec!["vendas"; 31]), "form.services"),
        ("/form/consent/version", json!(""), "form.consent.version"),
        ("/form/consent/text", json!({}), "form.consent.text"),
        ("/form/consent/text", json!({"en": " "}), "form.consent.text"),
        ("/form/consent/url", json!("javascript:alert(1)"), "form.consent.url"),
        ("/files/bytes_max", json!(0), "files.bytes_max"), ("/files/bytes_max", json!(15_728_641), "files.bytes_max"),
        ("/files/kinds", json!([]), "files.kinds"), ("/files/kinds", json!(["sticker"]), "files.kinds"),
    ];
    for (pointer, value, field) in wrong {
        let settings = with(pointer, value).expect("settings");
        assert_eq!(settings.wrong(), Some(field), "{pointer}");
    }
    #[rustfmt::skip]
    let unreadable = [
        ("/colour", json!("red")), ("/colour", json!("#12345")), ("/colour", json!("#12345g")), ("/colour", json!("#fff;}")),
        ("/position", json!("top")), ("/theme", json!("")), ("/language", json!("fr")), ("/greeting", json!({"fr": "Salut"})),
        ("/origins", json!(["https://a.com/x"])), ("/origins", json!(["*"])), ("/form/name", json!("maybe")),
        ("/form/services", json!(["a b"])), ("/form", json!({"cpf": "must"})), ("/files/bytes_max", json!(-1)),
    ];
    for (pointer, value) in unreadable {
        assert!(with(pointer, value.clone()).is_err(), "{pointer} {value}");
    }
    assert!(serde_json::from_value::<Settings>(json!({"color": "#fff"})).is_err());
}

#[test]
fn a_page_cannot_be_broken_out_of_by_what_an_administrator_wrote() {
    let settings: Settings = serde_json::from_value(settings()).expect("settings");
    let services = BTreeMap::from([(service("vendas"), "Vendas & <Trocas>".to_owned())]);
    // Of two services one is gone: there is nothing to choose.
    let offered = settings.offered(&services);
    assert_eq!(offered, [service("vendas")]);
    let asked = settings.asked(&offered);
    assert_eq!(asked.service(&Form::default()), Ok(Some(service("vendas"))));
    let placed = config::Placed {
        channel: "c1",
        name: "Canal",
        frame: "https://chat.exemplo/webchat/c1/frame",
        logo: Some("/webchat/assets/logo"),
        services: &services,
    };
    let loader = serde_json::to_value(config::Loader::new(&settings, placed)).expect("JSON");
    assert_eq!(
        loader,
        json!({
            "v": 1, "channel": "c1", "name": "Loja Aurora", "colour": "#176b5b", "position": "left", "theme": "dark",
            "language": "auto", "frame": "https://chat.exemplo/webchat/c1/frame",
        })
    );
    let text = config::in_script(&config::Frame::new(&settings, placed)).expect("JSON");
    assert!(
        !text.contains(['<', '>', '&', '\u{2028}', '\u{2029}']),
        "{text}"
    );
    let mut expected = loader;
    let more = json!({
        "logo": "/webchat/assets/logo", "origins": ["https://loja.exemplo"],
        "greeting": {"pt-BR": "Oi! Como podemos ajudar?", "en": "Hi </script><script>alert(1)</script>"},
        "form": {
            // A service that is gone is not offered.
            "name": "must", "email": "ask", "phone": "no", "services": [{"id": "vendas", "name": "Vendas & <Trocas>"}],
            "consent": {"version": "2026-11", "text": {"pt-BR": "Aceito"}, "url": "https://loja.exemplo/lgpd"},
        },
        "files": {"bytes_max": 1_000_000, "accept": "image/jpeg,image/png,image/gif,image/webp"}, "transcript": false,
    });
    let fields = expected.as_object_mut().expect("an object");
    fields.extend(more.as_object().expect("an object").clone());
    assert_eq!(
        serde_json::from_str::<Value>(&text).expect("JSON"),
        expected
    );
    let lines = config::in_script(&"a\u{2028}b\u{2029}").expect("JSON");
    assert_eq!(lines, r#""a\u2028b\u2029""#);
}

#[test]
fn files_are_taken_by_their_type_and_nothing_that_runs_is() {
    let all = FileSettings::default();
    #[rustfmt::skip]
    let rows = [
        ("image/jpeg", Some(MediaKind::Image)), ("audio/webm; codecs=opus", Some(MediaKind::Audio)),
        ("video/mp4", Some(MediaKind::Video)), ("application/pdf", Some(MediaKind::Document)), ("text/csv", Some(MediaKind::Document)),
        ("image/svg+xml", None), ("text/html", None), ("application/xhtml+xml", None), ("application/x-msdownload", None),
        ("application/javascript", None), ("application/zip", None), ("application/octet-stream", None), ("", None),
    ];
    for (mime, kind) in rows {
        assert_eq!(all.kind_of(mime), kind, "{mime}");
    }
    let pictures = FileSettings {
        kinds: vec![MediaKind::Image],
        ..all
    };
    assert_eq!(pictures.kind_of("application/pdf"), None);
    assert_eq!(pictures.kind_of("image/png"), Some(MediaKind::Image));
}
