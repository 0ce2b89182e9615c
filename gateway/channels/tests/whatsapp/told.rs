//! What happened in a conversation, in the words of each provider.

use serde_json::{Value, json};

use crate::conversation::{SINCE_S, Step, id, set, who};

/// The same in a provider's words; none where it has none.
pub(super) fn tell(provider: &str, step: &Step, at: usize) -> Option<String> {
    match provider {
        "cloud" | "dialog360" => Some(meta(step, at).to_string()),
        "gupshup" => Some(gupshup(step, at).to_string()),
        "zenvia" => zenvia(step, at).map(|body| body.to_string()),
        "twilio" => twilio(step, at),
        other => panic!("no provider {other}"),
    }
}

fn meta(step: &Step, at: usize) -> Value {
    let change = json!({"field": "messages", "value": meta_value(step, at)});
    json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]})
}

pub(super) fn meta_value(step: &Step, at: usize) -> Value {
    let (number, name) = who(at);
    let time = (SINCE_S + at as i64).to_string();
    if let Step::Status { of, word } = step {
        let mut status =
            json!({"id": of, "status": word, "timestamp": time, "recipient_id": number});
        if *word == "failed" {
            status["errors"] = json!([{"code": 131_047, "title": "Re-engagement message"}]);
        }
        return json!({"metadata": {"phone_number_id": "106540352242922"}, "statuses": [status]});
    }
    let (kind, body) = meta_content(step);
    let mut message =
        json!({"from": number, "id": id(at), "timestamp": time, "type": kind, kind: body});
    told_beside(&mut message, step, "id");
    json!({
        "metadata": {"phone_number_id": "106540352242922"},
        "contacts": [{"profile": {"name": name}, "wa_id": number}], "messages": [message],
    })
}

/// What stands beside the content of a message in the words of Meta and of Gupshup.
fn told_beside(message: &mut Value, step: &Step, quoted: &str) {
    let Step::Text {
        reply_to,
        forwarded,
        by_ad,
        ..
    } = step
    else {
        return;
    };
    if reply_to.is_some() || *forwarded {
        message["context"] = json!({});
        set(&mut message["context"], quoted, reply_to);
    }
    if *forwarded {
        message["context"]["forwarded"] = true.into();
    }
    if *by_ad {
        message["referral"] =
            json!({"source_type": "ad", "source_id": "120210", "headline": "Oferta"});
    }
}

fn meta_content(step: &Step) -> (&'static str, Value) {
    match step {
        Step::Text { text, .. } => ("text", json!({"body": text})),
        Step::File {
            media,
            mime,
            name,
            caption,
            voice,
        } => {
            let mut body = json!({"id": "10033", "mime_type": mime, "voice": voice});
            set(&mut body, "filename", name);
            set(&mut body, "caption", caption);
            (media, body)
        }
        Step::Place { name } => {
            let mut body = json!({"latitude": -23.5505, "longitude": -46.6333});
            set(&mut body, "name", name);
            ("location", body)
        }
        Step::Card => (
            "contacts",
            json!([{"name": {"formatted_name": "Bruno"}, "phones": [{"phone": "+55 11 91234-5678"}]}]),
        ),
        Step::Choice { among, id, title } => match *among {
            "template" => ("button", json!({"payload": id, "text": title})),
            "list" => (
                "interactive",
                json!({"type": "list_reply", "list_reply": {"id": id, "title": title}}),
            ),
            _ => (
                "interactive",
                json!({"type": "button_reply", "button_reply": {"id": id, "title": title}}),
            ),
        },
        Step::Reaction { emoji, of } => {
            // One that is taken away comes without an emoji or with an empty one.
            let emoji = emoji.map_or_else(|| json!({}), |emoji| json!({"emoji": emoji}));
            let mut body = json!({"message_id": of});
            let fields = emoji.as_object().expect("fields").clone();
            body.as_object_mut().expect("fields").extend(fields);
            ("reaction", body)
        }
        Step::Status { .. } => panic!("a status is no message"),
    }
}

fn gupshup(step: &Step, at: usize) -> Value {
    let (number, name) = who(at);
    let time_ms = (SINCE_S + at as i64) * 1_000;
    let (kind, payload) = if let Step::Status { of, word } = step {
        let mut details = json!({"ts": SINCE_S + at as i64});
        if *word == "failed" {
            details["code"] = 1_004.into();
        }
        let status = json!({
            "id": "wamid.X", "gsId": of, "type": word, "destination": number, "payload": details,
        });
        ("message-event", status)
    } else {
        let (kind, body) = gupshup_content(step);
        let mut payload = json!({
            "id": id(at), "source": number, "type": kind, "payload": body,
            "sender": {"phone": number, "name": name},
        });
        told_beside(&mut payload, step, "gsId");
        ("message", payload)
    };
    // What has a time of its own is told later.
    let told_ms = if kind == "message" {
        time_ms
    } else {
        time_ms + 5_000
    };
    json!({"app": "MinhaApp", "timestamp": told_ms, "version": 2, "type": kind, "payload": payload})
}

fn gupshup_content(step: &Step) -> (&'static str, Value) {
    match step {
        Step::Text { text, .. } => ("text", json!({"text": text})),
        Step::File {
            media,
            mime,
            name,
            caption,
            ..
        } => {
            let mut body = json!({"url": "https://arquivos.exemplo/1", "contentType": mime});
            set(&mut body, "name", name);
            set(&mut body, "caption", caption);
            (if *media == "document" { "file" } else { media }, body)
        }
        Step::Place { name } => {
            let mut body = json!({"latitude": "-23.5505", "longitude": "-46.6333"});
            set(&mut body, "name", name);
            ("location", body)
        }
        Step::Card => (
            "contact",
            json!({"contacts": [{"name": {"formatted_name": "Bruno"}, "phones": [{"phone": "+55 11 91234-5678"}]}]}),
        ),
        Step::Choice { among, id, title } => match *among {
            "template" => ("quick_reply", json!({"text": title, "postbackText": id})),
            "list" => (
                "list_reply",
                json!({"id": "q1", "title": title, "postbackText": id}),
            ),
            _ => (
                "button_reply",
                json!({"id": "q1", "title": title, "postbackText": id}),
            ),
        },
        Step::Reaction { emoji, of } => (
            "reaction",
            json!({"emoji": emoji.unwrap_or_default(), "gsId": of}),
        ),
        Step::Status { .. } => panic!("a status is no message"),
    }
}

fn zenvia(step: &Step, at: usize) -> Option<Value> {
    let (number, name) = who(at);
    let time = jiff::Timestamp::from_second(SINCE_S + at as i64).expect("a time");
    let content = match step {
        Step::Text { text, .. } => json!({"type": "text", "text": text}),
        Step::File {
            mime,
            name,
            caption,
            ..
        } => {
            let mut body = json!({"type": "file", "fileUrl": "https://arquivos.exemplo/1", "fileMimeType": mime});
            set(&mut body, "fileName", name);
            set(&mut body, "fileCaption", caption);
            body
        }
        Step::Place { name } => {
            let mut body = json!({"type": "location", "latitude": -23.5505, "longitude": -46.6333});
            set(&mut body, "name", name);
            body
        }
        Step::Card => json!({"type": "contacts", "contacts": [
            {"name": {"formattedName": "Bruno"}, "phones": [{"phone": "+55 11 91234-5678"}]},
        ]}),
        Step::Choice { id, title, .. } => json!({"type": "text", "text": title, "payload": id}),
        Step::Reaction { .. } => return None,
        Step::Status { of, word } => {
            let code = match *word {
                "failed" => "REJECTED",
                "sent" => "SENT",
                "delivered" => "DELIVERED",
                _ => "READ",
            };
            let status =
                json!({"timestamp": time.to_string(), "code": code, "cause": "(131047) too late"});
            return Some(json!({
                "id": "e", "timestamp": "2026-11-24T00:00:00Z", "type": "MESSAGE_STATUS", "messageId": of,
                "contentIndex": 0, "messageStatus": status,
            }));
        }
    };
    let mut message = json!({
        "id": id(at), "from": number, "to": "551140028922", "direction": "IN",
        "visitor": {"name": name}, "contents": [content],
    });
    if let Step::Text {
        reply_to, by_ad, ..
    } = step
    {
        set(&mut message, "idRef", reply_to);
        if *by_ad {
            let source = json!({"type": "ad", "id": "120210"});
            message["referral"] = json!({"headline": "Oferta", "source": source});
        }
    }
    Some(json!({
        "id": "e", "timestamp": time.to_string(), "type": "MESSAGE", "direction": "IN",
        "message": message,
    }))
}

fn twilio(step: &Step, at: usize) -> Option<String> {
    let mut form: Vec<(&str, String)> = vec![];
    let own = |text: &str| text.to_owned();
    match step {
        Step::Status { of, word } => {
            let word = if *word == "failed" {
                "undelivered"
            } else {
                word
            };
            form.extend([
                ("MessageSid", of.clone()),
                ("MessageStatus", own(word)),
                ("To", own("whatsapp:+55")),
            ]);
            if word == "undelivered" {
                form.push(("ErrorCode", own("63016")));
            }
        }
        Step::Reaction { .. } | Step::Card => return None,
        Step::Text {
            text,
            reply_to,
            forwarded,
            by_ad,
        } => {
            form.push(("Body", text.clone()));
            let reply_to = reply_to.clone();
            form.extend(reply_to.map(|reply_to| ("OriginalRepliedMessageSid", reply_to)));
            form.extend(forwarded.then(|| ("Forwarded", own("true"))));
            if *by_ad {
                form.extend([
                    ("ReferralSourceType", own("ad")),
                    ("ReferralSourceId", own("120210")),
                    ("ReferralHeadline", own("Oferta")),
                ]);
            }
        }
        Step::File { mime, caption, .. } => {
            form.extend([("NumMedia", own("1")), ("MediaContentType0", own(mime))]);
            form.push(("MediaUrl0", own("https://api.twilio.com/1")));
            form.extend(caption.clone().map(|caption| ("Body", caption)));
        }
        Step::Place { name } => {
            form.extend([
                ("Latitude", own("-23.5505")),
                ("Longitude", own("-46.6333")),
            ]);
            form.extend(name.clone().map(|name| ("Label", name)));
        }
        Step::Choice { among, id, title } => {
            form.push(("Body", title.clone()));
            let (kind, fields) = match *among {
                "template" => ("button", ["ButtonPayload", "ButtonText"]),
                "list" => ("interactive", ["ListId", "ListTitle"]),
                _ => ("interactive", ["ButtonPayload", "ButtonText"]),
            };
            form.extend([
                ("MessageType", own(kind)),
                (fields[0], id.clone()),
                (fields[1], title.clone()),
            ]);
        }
    }
    if !matches!(step, Step::Status { .. }) {
        form.extend([
            ("MessageSid", id(at)),
            ("SmsStatus", own("received")),
            ("WaId", own(who(at).0)),
        ]);
        form.extend([
            ("ProfileName", own(who(at).1)),
            ("To", own("whatsapp:+551140028922")),
        ]);
    }
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(form);
    Some(body.finish())
}
