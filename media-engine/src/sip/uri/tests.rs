//! URIs: what is read, what is refused, and what is the same.

use super::*;

fn uri(text: &str) -> Uri {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn a_sip_uri_is_cut_into_its_parts() {
    let uri = uri("sips:ana%20b;x=y:pw@[2001:db8::10]:5071;transport=TCP;lr?Subject=a&b=c");
    assert_eq!(uri.scheme(), Scheme::Sips);
    assert_eq!(uri.user_text().as_deref(), Some("ana b;x=y"));
    assert_eq!(uri.password(), Some(&b"pw"[..]));
    assert_eq!(
        uri.host().and_then(Host::ip),
        Some("2001:db8::10".parse().expect("an address"))
    );
    assert_eq!(uri.port(), Some(5071));
    assert_eq!(uri.transport(), Some(crate::sip::Transport::Tcp));
    assert!(uri.is_loose_router());
    assert_eq!(uri.headers(), b"Subject=a&b=c");
}

#[test]
fn a_tel_uri_holds_a_number() {
    let uri = uri("tel:+55-11-5550-0100;phone-context=example.com");
    assert_eq!(uri.user(), Some(&b"+55-11-5550-0100"[..]));
    assert_eq!(uri.host(), None);
    assert!("tel:".parse::<Uri>().is_err());
    assert!("tel:ana".parse::<Uri>().is_err());
}

#[test]
fn what_breaks_the_grammar_is_refused() {
    for text in [
        "",
        "sip",
        "sip:",
        "sip:@example.com",
        "sip:a@",
        "sip:a@b@c",
        "sip:a@b:0",
        "sip:a@b:65536",
        "sip:a@b:x",
        "sip:a@[::1",
        "sip:a@::1",
        "sip:a@2001:db8::1",
        "sip:a b@c",
        "sip:a%2@c",
        "sip:a%zz@c",
        "sip:a@b;;lr",
        "sip:a@b;=x",
        "<sip:a@b>",
        "1ab:x",
        "sip:a@b\r\nX: y",
        "sip:a@[2001:db8::1%eth0]",
        "sip:a@b/c",
    ] {
        assert!(text.parse::<Uri>().is_err(), "{text}");
    }
    assert_eq!(uri("urn:service:sos").scheme(), Scheme::Other);
}

#[test]
fn the_same_resource_is_recognised_by_the_rules_of_the_standard() {
    for (one, two) in [
        (
            "sip:%61lice@example.com;transport=TCP",
            "sip:alice@EXAMPLE.com;Transport=tcp",
        ),
        ("sip:carol@example.net", "sip:carol@example.net;newparam=5"),
        (
            "sip:carol@example.net;security=on",
            "sip:carol@example.net;newparam=5",
        ),
        (
            "sip:b@example.net;transport=tcp?to=x&a=b",
            "sip:b@example.net;transport=tcp?A=b&to=x",
        ),
        ("tel:+55(11)5550-0100", "tel:+551155500100"),
    ] {
        assert!(
            uri(one).matches(&uri(two)) && uri(two).matches(&uri(one)),
            "{one} {two}"
        );
    }
    for (one, two) in [
        ("SIP:ALICE@example.com", "sip:alice@example.com"),
        ("sip:bob@example.net", "sip:bob@example.net:5060"),
        ("sip:bob@example.net", "sip:bob@example.net;transport=udp"),
        ("sip:bob@example.net:6000", "sip:bob@example.net:5060"),
        (
            "sip:carol@example.net",
            "sip:carol@example.net?Subject=next",
        ),
        (
            "sip:carol@example.net;security=on",
            "sip:carol@example.net;security=off",
        ),
        ("sip:carol@example.net", "sips:carol@example.net"),
        ("sip:carol@example.net", "sip:carol:pw@example.net"),
        ("tel:100;phone-context=a.example", "tel:100"),
    ] {
        assert!(
            !uri(one).matches(&uri(two)) && !uri(two).matches(&uri(one)),
            "{one} {two}"
        );
    }
}

#[test]
fn our_own_uris_escape_the_user_part() {
    let uri = Uri::sip(Some("a b@c#é"), "example.com", Some(5070)).expect("valid");
    assert_eq!(uri.as_bytes(), b"sip:a%20b%40c%23%C3%A9@example.com:5070");
    assert_eq!(uri.user_text().as_deref(), Some("a b@c#é"));
    assert!(Uri::sip(None, "example.com\r\nX: y", None).is_err());
}
