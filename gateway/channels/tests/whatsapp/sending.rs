//! What is sent through each provider, to the letter.

use channels::connector::{Connector, Fetch, Refusal};
use channels::event::MediaSource;
use channels::send::{OutContent, Outgoing, Request, Signal};
use serde_json::{Value, json};

use crate::{PROVIDERS, connector};

fn outgoing(content: Value) -> Outgoing {
    serde_json::from_value(json!({
        "message": "msg_1", "to": {"kind": "wa_id", "value": "5511987654321"},
        "content": content, "reply_to": null,
    }))
    .expect("a message")
}

fn send(provider: &str, message: &Outgoing) -> Result<Request, Refusal> {
    connector(provider).send(message)
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).expect("JSON")
}

fn form(request: &Request) -> Vec<(String, String)> {
    form_urlencoded::parse(&request.body).into_owned().collect()
}

fn field(request: &Request, name: &str) -> Option<String> {
    let mut fields = form(request).into_iter();
    fields.find(|(key, _)| key == name).map(|(_, value)| value)
}

fn text() -> Value {
    json!({"kind": "text", "text": "Olá, Ana!"})
}

#[test]
fn each_provider_is_asked_at_its_address_with_its_key() {
    #[rustfmt::skip]
    let rows = [
        ("cloud", "https://graph.facebook.com/v25.0/106540352242922/messages", "authorization", "Bearer T0KEN"),
        ("dialog360", "https://waba-v2.360dialog.io/messages", "d360-api-key", "T0KEN"),
        ("gupshup", "https://api.gupshup.io/wa/api/v1/msg", "apikey", "T0KEN"),
        ("zenvia", "https://api.zenvia.com/v2/channels/whatsapp/messages", "x-api-token", "T0KEN"),
        ("twilio", "https://api.twilio.com/2010-04-01/Accounts/AC0123/Messages.json", "authorization", "Basic QUMwMTIzOnQwazNu"),
    ];
    for (provider, url, header, key) in rows {
        let request = send(provider, &outgoing(text())).expect("a request");
        assert_eq!(request.url, url);
        assert_eq!(request.header_value(header), Some(key), "{provider}");
        assert!(
            !format!("{request:?} {:?}", request.headers).contains(key),
            "{provider}"
        );
    }
}

#[test]
fn a_text_is_told_in_the_words_of_each() {
    let mut message = outgoing(text());
    message.reply_to = Some("wamid.A".to_owned());
    for provider in ["cloud", "dialog360"] {
        assert_eq!(
            body(&send(provider, &message).expect("a request")),
            json!({
                "messaging_product": "whatsapp", "recipient_type": "individual", "to": "5511987654321",
                "type": "text", "text": {"body": "Olá, Ana!", "preview_url": false},
                "context": {"message_id": "wamid.A"}, "biz_opaque_callback_data": "msg_1",
            })
        );
    }
    let request = send("gupshup", &message).expect("a request");
    let said = field(&request, "message").expect("a message");
    let said: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(
        said,
        json!({"type": "text", "text": "Olá, Ana!", "previewUrl": false, "context": {"msgId": "wamid.A"}})
    );
    let rest: Vec<_> = form(&request)
        .into_iter()
        .filter(|(name, _)| name != "message")
        .collect();
    let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    #[rustfmt::skip]
    let expected = [("channel", "whatsapp"), ("source", "551140028922"), ("destination", "5511987654321"), ("src.name", "MinhaApp")];
    assert_eq!(rest, expected.map(own));
    assert_eq!(
        body(&send("zenvia", &message).expect("a request")),
        json!({
            "from": "551140028922", "to": "5511987654321", "externalId": "msg_1",
            "contents": [{"type": "text", "text": "Olá, Ana!"}], "idRef": "wamid.A", "contentRef": 0,
        })
    );
    let request = send("twilio", &message).expect("a request");
    #[rustfmt::skip]
    let expected = [("From", "whatsapp:+551140028922"), ("To", "whatsapp:+5511987654321"), ("Body", "Olá, Ana!")];
    assert_eq!(form(&request), expected.map(own));
}

#[test]
fn every_content_has_its_shape_in_metas_words() {
    let media = |kind: &str, more: Value| {
        let mut media = json!({
            "kind": "media", "media": kind, "source": {"url": "https://ramal.exemplo/f/1"}, "bytes": 100,
            "mime": "application/pdf", "name": "boleto.pdf", "caption": "Boleto",
        });
        let fields = more.as_object().expect("fields").clone();
        media.as_object_mut().expect("fields").extend(fields);
        media
    };
    let two = json!([{"id": "sim", "title": "Sim"}, {"id": "nao", "title": "Não"}]);
    let link = "https://ramal.exemplo/f/1";
    #[rustfmt::skip]
    let rows = [
        (media("document", json!({})), "document", json!({"link": link, "caption": "Boleto", "filename": "boleto.pdf"})),
        (media("image", json!({"mime": "image/png", "source": {"id": "99"}})), "image", json!({"id": "99", "caption": "Boleto"})),
        (media("audio", json!({"mime": "audio/ogg", "voice": true, "caption": null})), "audio", json!({"link": link, "voice": true})),
        (media("sticker", json!({"mime": "image/webp", "caption": null})), "sticker", json!({"link": link})),
        (json!({"kind": "location", "latitude": -23.5, "longitude": -46.5, "name": "Loja"}), "location", json!({"latitude": -23.5, "longitude": -46.5, "name": "Loja"})),
        (json!({"kind": "reaction", "message": "wamid.A", "emoji": "👍"}), "reaction", json!({"message_id": "wamid.A", "emoji": "👍"})),
        (json!({"kind": "reaction", "message": "wamid.A"}), "reaction", json!({"message_id": "wamid.A", "emoji": ""})),
        (json!({"kind": "ask_location", "text": "Onde?"}), "interactive", json!({"type": "location_request_message", "body": {"text": "Onde?"}, "action": {"name": "send_location"}})),
        (json!({"kind": "ask_phone", "text": "Qual o seu número?"}), "interactive", json!({"type": "request_contact_info", "body": {"text": "Qual o seu número?"}, "action": {"name": "request_contact_info"}})),
        (json!({"kind": "choices", "body": "Resolvido?", "choices": two}), "interactive", json!({
            "type": "button", "body": {"text": "Resolvido?"},
            "action": {"buttons": [{"type": "reply", "reply": {"id": "sim", "title": "Sim"}}, {"type": "reply", "reply": {"id": "nao", "title": "Não"}}]},
        })),
        (json!({"kind": "choices", "body": "Qual?", "footer": "Loja", "open": "Escolher", "choices": two}), "interactive", json!({
            "type": "list", "body": {"text": "Qual?"}, "footer": {"text": "Loja"},
            "action": {"button": "Escolher", "sections": [{"rows": [{"id": "sim", "title": "Sim"}, {"id": "nao", "title": "Não"}]}]},
        })),
    ];
    for (content, kind, expected) in rows {
        let sent = body(&send("cloud", &outgoing(content)).expect("a request"));
        assert_eq!((&sent["type"], &sent[kind]), (&json!(kind), &expected));
    }
    // Words that nobody would see are not taken.
    let spoken = media("audio", json!({"mime": "audio/ogg"}));
    let refused = send("cloud", &outgoing(spoken));
    assert_eq!(refused, Err(Refusal::Unsupported { what: "caption" }));
}

#[test]
fn files_and_choices_have_their_shapes_elsewhere() {
    let file = outgoing(json!({
        "kind": "media", "media": "document", "source": {"url": "https://ramal.exemplo/f/1"}, "bytes": 100,
        "mime": "application/pdf", "name": "boleto.pdf", "caption": "Boleto",
    }));
    let said = |message: &Outgoing| -> Value {
        let request = send("gupshup", message).expect("a request");
        serde_json::from_str(&field(&request, "message").expect("a message")).expect("JSON")
    };
    assert_eq!(
        said(&file),
        json!({"type": "file", "url": "https://ramal.exemplo/f/1", "caption": "Boleto", "filename": "boleto.pdf"})
    );
    let sent = body(&send("zenvia", &file).expect("a request"));
    assert_eq!(
        sent["contents"],
        json!([{
            "type": "file", "fileUrl": "https://ramal.exemplo/f/1", "fileMimeType": "application/pdf",
            "fileCaption": "Boleto", "fileName": "boleto.pdf",
        }])
    );
    let request = send("twilio", &file).expect("a request");
    assert_eq!(
        field(&request, "MediaUrl").as_deref(),
        Some("https://ramal.exemplo/f/1")
    );
    assert_eq!(field(&request, "Body").as_deref(), Some("Boleto"));
    let choices = |open: Value| {
        outgoing(json!({
            "kind": "choices", "body": "Resolvido?", "open": open, "choices": [{"id": "sim", "title": "Sim"}],
        }))
    };
    assert_eq!(
        said(&choices(Value::Null)),
        json!({
            "type": "quick_reply", "content": {"type": "text", "text": "Resolvido?", "caption": ""},
            "options": [{"type": "text", "title": "Sim", "postbackText": "sim"}],
        })
    );
    assert_eq!(said(&choices(json!("Ver")))["type"], "list");
    let place = outgoing(
        json!({"kind": "location", "latitude": -23.5, "longitude": -46.5, "name": "Loja"}),
    );
    let request = send("twilio", &place).expect("a request");
    assert_eq!(
        field(&request, "PersistentAction").as_deref(),
        Some("geo:-23.5,-46.5|Loja")
    );
}

#[test]
fn somebody_without_a_telephone_is_written_to_by_their_id_where_that_is_possible() {
    let mut message = outgoing(text());
    message.to =
        serde_json::from_value(json!({"kind": "wa_bsuid", "scope": "2729", "value": "BR.777"}))
            .expect("an id");
    for provider in ["cloud", "dialog360"] {
        let sent = body(&send(provider, &message).expect("a request"));
        assert_eq!(
            (&sent["recipient"], sent.get("to")),
            (&json!("BR.777"), None)
        );
    }
    for provider in ["gupshup", "zenvia", "twilio"] {
        assert_eq!(
            send(provider, &message),
            Err(Refusal::Address),
            "{provider}"
        );
    }
    for (kind, value) in [
        ("phone", "+55 11"),
        ("wa_id", "ana"),
        ("email", "a@b.com"),
        ("wa_id", ""),
    ] {
        message.to = serde_json::from_value(json!({"kind": kind, "value": value})).expect("an id");
        for provider in PROVIDERS {
            assert_eq!(
                send(provider, &message),
                Err(Refusal::Address),
                "{provider} {value}"
            );
        }
    }
    message.to =
        serde_json::from_value(json!({"kind": "phone", "value": "+5511987654321"})).expect("an id");
    let sent = body(&send("cloud", &message).expect("a request"));
    assert_eq!(sent["to"], "5511987654321");
}

#[test]
fn what_a_provider_cannot_carry_is_refused_before_it_is_asked() {
    #[rustfmt::skip]
    let contents = [
        json!({"kind": "reaction", "message": "wamid.A", "emoji": "👍"}),
        json!({"kind": "choices", "body": "?", "choices": [{"id": "1", "title": "Sim"}]}),
        json!({"kind": "ask_phone", "text": "?"}),
        json!({"kind": "ask_location", "text": "?"}),
    ];
    for provider in PROVIDERS {
        let connector = connector(provider);
        let can = connector.capabilities();
        let can = [
            can.reactions,
            can.choices.is_some(),
            can.ask_phone,
            can.ask_location,
        ];
        for (content, can) in contents.iter().zip(can) {
            let message = outgoing(content.clone());
            let what = message.content.what();
            match connector.send(&message) {
                Ok(_) => assert!(can, "{provider} {what}"),
                Err(refusal) => {
                    assert_eq!(refusal, Refusal::Unsupported { what }, "{provider}");
                    assert!(!can, "{provider} {what}");
                }
            }
        }
    }
    let long = |length: usize| outgoing(json!({"kind": "text", "text": "a".repeat(length)}));
    for (provider, max) in [("cloud", 4_096), ("zenvia", 4_096), ("twilio", 1_600)] {
        assert!(send(provider, &long(max)).is_ok());
        let field = "text";
        assert_eq!(
            send(provider, &long(max + 1)),
            Err(Refusal::TooLong { field, max })
        );
    }
}

#[test]
fn advertising_goes_its_own_way_where_the_account_must() {
    let template = |category: &str| {
        outgoing(json!({
            "kind": "template", "id": "1", "name": "oferta", "category": category, "language": "pt_BR",
        }))
    };
    let mut config = crate::config("cloud");
    config["marketing_messages"] = true.into();
    let config = serde_json::from_value(config).expect("a configuration");
    let connector = channels::whatsapp::connector(config).expect("a connector");
    let path = |connector: &dyn Connector, message: &Outgoing| {
        let url = connector.send(message).expect("a request").url;
        url.rsplit('/').next().map(str::to_owned)
    };
    assert_eq!(
        path(&*connector, &template("MARKETING")).as_deref(),
        Some("marketing_messages")
    );
    assert_eq!(
        path(&*connector, &template("UTILITY")).as_deref(),
        Some("messages")
    );
    let usual = crate::connector("cloud");
    assert_eq!(
        path(&*usual, &template("MARKETING")).as_deref(),
        Some("messages")
    );
}

#[test]
fn the_customer_sees_that_a_person_read_and_types() {
    let to: channels::peer::PeerId =
        serde_json::from_value(json!({"kind": "wa_id", "value": "5511987654321"})).expect("an id");
    let message = "wamid.A".to_owned();
    let read = Signal::Read {
        to: to.clone(),
        message: message.clone(),
    };
    let typing = Signal::Typing { to, message };
    for provider in PROVIDERS {
        let connector = connector(provider);
        let can = connector.capabilities().clone();
        assert_eq!(
            connector.signal(&read).is_ok(),
            can.read_receipts,
            "{provider}"
        );
        assert_eq!(connector.signal(&typing).is_ok(), can.typing, "{provider}");
    }
    let cloud = connector("cloud");
    let read = body(&cloud.signal(&read).expect("a request"));
    assert_eq!(
        read,
        json!({"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.A"})
    );
    let typing = body(&cloud.signal(&typing).expect("a request"));
    assert_eq!(typing["typing_indicator"], json!({"type": "text"}));
}

#[test]
fn tokens_go_to_their_provider_and_to_nobody_else() {
    let url = |url: &str| MediaSource::Url(url.to_owned());
    let sent_to = |provider: &str, source: &MediaSource| match connector(provider)
        .media(source)
        .expect("a request")
    {
        Fetch::File(request) | Fetch::Locate(request) => {
            let keys = ["authorization", "d360-api-key", "apikey", "x-api-token"];
            let has_key = keys.iter().any(|key| request.header_value(key).is_some());
            (request.url, has_key)
        }
    };
    #[rustfmt::skip]
    let rows = [
        ("cloud", "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1", true),
        ("cloud", "https://graph.facebook.com/v25.0/1", true),
        ("cloud", "http://lookaside.fbsbx.com/a", false),
        ("cloud", "https://fbsbx.com.exemplo.com/a", false),
        ("cloud", "https://evilfbsbx.com/a", false),
        ("cloud", "https://lookaside.fbsbx.com@exemplo.com/a", false),
        ("cloud", "https://exemplo.com/?https://lookaside.fbsbx.com", false),
        ("dialog360", "https://exemplo.com/a", false),
        ("gupshup", "https://api.gupshup.io/a", false),
        ("zenvia", "https://arquivos.exemplo/a", false),
        ("twilio", "https://api.twilio.com/2010-04-01/Accounts/AC0123/Messages/MM/Media/ME", true),
        ("twilio", "https://api.twilio.com.exemplo.com/a", false),
    ];
    for (provider, link, has_key) in rows {
        assert_eq!(sent_to(provider, &url(link)), (link.to_owned(), has_key));
    }
    let through = sent_to(
        "dialog360",
        &url("https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1"),
    );
    let expected = "https://waba-v2.360dialog.io/whatsapp_business/attachments/?mid=1";
    assert_eq!(through, (expected.to_owned(), true));
    let by_id = sent_to("cloud", &MediaSource::Id("1003".to_owned()));
    let expected = "https://graph.facebook.com/v25.0/1003?phone_number_id=106540352242922";
    assert_eq!(by_id, (expected.to_owned(), true));
    for id in ["", "../1", "1?x", "1/2"] {
        let source = MediaSource::Id(id.to_owned());
        for provider in PROVIDERS {
            assert!(
                connector(provider).media(&source).is_err(),
                "{provider} {id}"
            );
        }
    }
}

#[test]
fn a_file_is_laid_down_as_a_form_that_nobody_can_break_out_of() {
    let cloud = connector("cloud");
    let name = "nota\"\r\nX-Evil: 1.pdf";
    let request = cloud
        .upload("application/pdf", name, b"%PDF-1.7\r\n--x")
        .expect("a request");
    assert_eq!(
        request.url,
        "https://graph.facebook.com/v25.0/106540352242922/media"
    );
    let kind = request.header_value("content-type").expect("a type");
    let boundary = kind
        .strip_prefix("multipart/form-data; boundary=")
        .expect("a boundary");
    let sent = String::from_utf8(request.body.clone()).expect("text");
    let parts: Vec<&str> = sent.split(&format!("--{boundary}")).collect();
    assert_eq!(parts.len(), 5);
    assert_eq!(
        parts[1],
        "\r\nContent-Disposition: form-data; name=\"messaging_product\"\r\n\r\nwhatsapp\r\n"
    );
    assert_eq!(
        parts[3],
        "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"notaX-Evil: 1.pdf\"\r\n\
         Content-Type: application/pdf\r\n\r\n%PDF-1.7\r\n--x\r\n"
    );
    assert_eq!(parts[4], "--\r\n");
    for provider in PROVIDERS {
        let connector = connector(provider);
        let can = connector.capabilities().upload;
        assert_eq!(
            connector.upload("image/png", "a.png", b"x").is_ok(),
            can,
            "{provider}"
        );
    }
}

#[test]
fn zenvia_is_told_to_call_us_with_our_secret() {
    let requests = connector("zenvia").set_up("https://ramal.exemplo/w");
    let [messages, statuses] = &requests[..] else {
        panic!("{requests:?}")
    };
    assert_eq!(messages.url, "https://api.zenvia.com/v2/subscriptions");
    assert_eq!(
        body(messages),
        json!({
            "eventType": "MESSAGE", "status": "ACTIVE",
            "webhook": {"url": "https://ramal.exemplo/w", "headers": {"x-ramal-secret": "s3gr3do"}},
            "criteria": {"channel": "whatsapp", "direction": "IN"},
        })
    );
    assert_eq!(body(statuses)["criteria"], json!({"channel": "whatsapp"}));
}

#[test]
fn every_content_that_can_be_stored_can_be_read_again() {
    let content: OutContent = serde_json::from_value(text()).expect("a content");
    let stored = serde_json::to_string(&content).expect("JSON");
    assert_eq!(
        serde_json::from_str::<OutContent>(&stored).expect("a content"),
        content
    );
}
