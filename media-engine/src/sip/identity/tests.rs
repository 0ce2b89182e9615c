use super::*;
use crate::sip::digest::Secret;
use crate::sip::parse::{Parsed, parse};
use crate::sip::trunk::{Numbers, Rewrite};
use crate::sip::{AccountId, TrunkId};

fn message(from: &str, headers: &str) -> Message {
    let text = format!(
        "INVITE sip:4000@ramal.example SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n\
         From: {from};tag=a\r\n\
         To: <sip:4000@ramal.example>\r\n\
         Call-ID: one\r\n\
         CSeq: 1 INVITE\r\n\
         {headers}Content-Length: 0\r\n\r\n"
    );
    match parse(text.into()) {
        Ok(Parsed::Message(message)) => message,
        other => panic!("no message: {other:?}"),
    }
}

fn trunk(trusted: bool) -> Trunk {
    Trunk {
        id: TrunkId("carrier".into()),
        company: "acme".into(),
        name: "Carrier".to_owned(),
        addresses: vec![],
        host: None,
        transport: None,
        outbound_proxy: None,
        credentials: None,
        line: None,
        numbers: Numbers::default(),
        codecs: vec![],
        calls_max: 1,
        calls_per_second_max: 1,
        trusted,
        ping: None,
    }
}

/// The caller, spelled `number|name|private|diverted`.
fn caller(from: &str, headers: &str, trusted: bool) -> String {
    let caller = caller_of_trunk(&message(from, headers), &trunk(trusted));
    format!(
        "{}|{}|{}|{}",
        caller.number,
        caller.display_name.unwrap_or_default(),
        if caller.private { "private" } else { "" },
        caller.diverted_from.unwrap_or_default()
    )
}

#[test]
fn a_trusted_trunk_is_believed_about_everything() {
    let ana = "\"Ana\" <sip:+5511999990000@a.example>";
    for (from, headers, expected) in [
        (ana, "", "+5511999990000|Ana||"),
        (
            ana,
            "P-Asserted-Identity: <sip:+551140028922@c.example>\r\n",
            "+551140028922|Ana||",
        ),
        (
            ana,
            "P-Asserted-Identity: \"Front Desk\" <sip:desk@c.example>, <tel:+55-11-4002-8922>\r\n",
            "+551140028922|Front Desk||",
        ),
        (
            ana,
            "P-Preferred-Identity: <tel:+551100000000>\r\n",
            "+551100000000|Ana||",
        ),
        (
            ana,
            "P-Preferred-Identity: <tel:+1>\r\nP-Asserted-Identity: <tel:+2>\r\n",
            "+2|Ana||",
        ),
        (
            ana,
            "Remote-Party-ID: <sip:9@c.example>;party=called, \"B\" <sip:7@c.example>;party=calling;privacy=off\r\n",
            "7|B||",
        ),
        (
            ana,
            "Remote-Party-ID: <sip:7@c.example>;privacy=full\r\n",
            "7|Ana|private|",
        ),
        (ana, "Privacy: id\r\n", "+5511999990000|Ana|private|"),
        (
            ana,
            "Privacy: header;user\r\n",
            "+5511999990000|Ana|private|",
        ),
        (
            ana,
            "Privacy: session; critical\r\n",
            "+5511999990000|Ana||",
        ),
        (ana, "Privacy: none\r\n", "+5511999990000|Ana||"),
        (ana, "Privacy: id; none\r\n", "+5511999990000|Ana||"),
        (
            "\"Anonymous\" <sip:anonymous@anonymous.invalid>",
            "P-Asserted-Identity: <tel:+5511999990000>\r\nPrivacy: id\r\n",
            "+5511999990000||private|",
        ),
        (
            ana,
            "P-Asserted-Identity: garbage garbage\r\n",
            "+5511999990000|Ana||",
        ),
    ] {
        assert_eq!(caller(from, headers, true), expected, "{from} {headers}");
    }
}

#[test]
fn an_untrusted_trunk_is_believed_about_nothing_but_from() {
    let headers = "P-Asserted-Identity: <tel:+551140028922>\r\n\
                   Remote-Party-ID: <sip:7@c.example>\r\n\
                   Privacy: id\r\n\
                   Diversion: <sip:300@c.example>\r\n";
    let from = "\"Ana\" <sip:+5511999990000@a.example>";
    assert_eq!(caller(from, headers, false), "+5511999990000|Ana||");
    let anonymous = "<sip:anonymous@anonymous.invalid>";
    assert_eq!(caller(anonymous, headers, false), "||private|");
}

#[test]
fn a_device_calls_as_its_own_account() {
    let account = Account {
        id: AccountId("device".into()),
        user: "1001".to_owned(),
        company: "acme".into(),
        secret: Secret::new("1001", "ramal", "swordfish"),
    };
    let spoofed = message(
        "\"Boss\" <sip:1000@ramal.example>",
        "P-Asserted-Identity: <tel:+551140028922>\r\nPrivacy: id\r\n",
    );
    let caller = caller_of_device(&spoofed, &account);
    assert_eq!((caller.number.as_str(), caller.private), ("1001", true));
    assert_eq!(caller.display_name.as_deref(), Some("Boss"));
}

#[test]
fn the_first_diverted_number_is_found() {
    for (headers, expected) in [
        (
            "Diversion: <sip:300@c.example>;reason=unconditional\r\n",
            "300",
        ),
        (
            "Diversion: <sip:302@c.example>;reason=no-answer, <tel:+55-11-300>;reason=busy\r\n",
            "+5511300",
        ),
        (
            "Diversion: <sip:302@c.example>\r\nDiversion: <sip:301@c.example>\r\n",
            "301",
        ),
        (
            "History-Info: <sip:300@c.example>;index=1, <sip:4000@c.example;cause=302>;index=1.1\r\n",
            "300",
        ),
        (
            "History-Info: <sip:300@c.example>;index=1, <sip:4000@10.0.0.1>;index=1.1;rc=1\r\n",
            "",
        ),
        (
            "History-Info: <sip:300@c.example;cause=302>;index=1\r\n",
            "",
        ),
    ] {
        let shown = caller("<sip:1@a.example>", headers, true);
        assert_eq!(shown, format!("1|||{expected}"), "{headers}");
    }
}

#[test]
fn numbers_are_read_from_every_kind_of_uri() {
    for (uri, expected) in [
        (
            "sip:+55-11-99999.0000@a.example;user=phone",
            "+5511999990000",
        ),
        ("sip:(011)4002-8922@a.example", "01140028922"),
        ("sip:+5511;npdi@a.example", "+5511"),
        (
            "sip:4002;phone-context=+5511@a.example;user=phone",
            "+55114002",
        ),
        ("tel:4002-8922;phone-context=+5511", "+551140028922"),
        ("tel:4002;phone-context=carrier.example", "4002"),
        ("sip:%2B5511@a.example", "+5511"),
        ("sip:*72#@a.example", "*72#"),
        ("sip:maria.silva@a.example", "maria.silva"),
        ("sip:a.example", ""),
    ] {
        let from = format!("<{uri}>");
        assert_eq!(caller(&from, "", true), format!("{expected}|||"), "{uri}");
    }
    assert_eq!(number(""), None);
    assert_eq!(number("+"), None);
    assert_eq!(number("12a"), None);
    assert_eq!(number("1+2"), None);
    assert_eq!(number(&"1".repeat(33)), None);
}

#[test]
fn the_trunk_s_rules_are_applied_to_every_number() {
    let mut local = trunk(true);
    local.numbers.inbound = vec![Rewrite {
        prefix: "0".to_owned(),
        replacement: "+55".to_owned(),
    }];
    let invite = message(
        "<sip:01199@a.example>",
        "Diversion: <sip:01140@c.example>\r\n",
    );
    let caller = caller_of_trunk(&invite, &local);
    assert_eq!(caller.number, "+551199");
    assert_eq!(caller.diverted_from.as_deref(), Some("+551140"));
}

#[test]
fn names_are_inert_whatever_they_hold() {
    for (text, expected) in [
        ("  Ana  Maria ", Some("Ana  Maria")),
        ("a\tb\u{0}c\u{7f}", Some("a bc")),
        ("\u{202e}gnp.exe", Some("gnp.exe")),
        ("a\u{200b}b\u{2066}c\u{feff}", Some("abc")),
        ("<script>'--${x}", Some("<script>'--${x}")),
        ("João Ação 株式会社", Some("João Ação 株式会社")),
        ("\u{200b} \u{202e}", None),
        ("", None),
    ] {
        assert_eq!(inert(text).as_deref(), expected, "{text:?}");
    }
    assert_eq!(
        inert(&"x".repeat(5000)).map(|text| text.len()),
        Some(TEXT_MAX)
    );
    let folded = caller("\"A\\\"; DROP\" <sip:1@a.example>", "", true);
    assert_eq!(folded, "1|A\"; DROP||");
}
