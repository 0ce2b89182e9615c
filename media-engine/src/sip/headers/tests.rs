//! Exact readings of single header values.

use super::*;

fn bytes(text: &str) -> bytes::Bytes {
    bytes::Bytes::copy_from_slice(text.as_bytes())
}

#[test]
fn a_via_with_white_space_everywhere_is_read() {
    let line = bytes(
        "SIP  / 2.0  / TCP   host.example.com : 5070 ;\r\n  branch  =   z9hG4bK9 ,\r\n SIP/2.0/UDP [2001:db8::1];rport;received=192.0.2.7",
    );
    let vias: Vec<Via> = Via::parse_list(&line)
        .collect::<Result<_, _>>()
        .expect("both are valid");
    assert_eq!(vias[0].transport(), Some(crate::sip::Transport::Tcp));
    assert_eq!(vias[0].port(), Some(5070));
    assert_eq!(vias[0].branch(), Some(&b"z9hG4bK9"[..]));
    assert!(vias[0].has_magic_cookie());
    assert_eq!(vias[1].sent_by(), b"[2001:db8::1]");
    assert!(vias[1].wants_rport());
    assert_eq!(vias[1].rport(), None);
    assert_eq!(vias[1].received(), Some([192, 0, 2, 7].into()));
}

#[test]
fn a_quoted_display_name_keeps_what_looks_like_structure() {
    let value = bytes(
        r#""Silva, \"Zé\" <x>;tag=no" <sip:ze@example.com;lr>;tag=yes;q=0.25;expires=99999999999"#,
    );
    let address = NameAddr::parse(&value).expect("a valid address");
    assert_eq!(address.display_name(), r#"Silva, "Zé" <x>;tag=no"#);
    assert_eq!(address.tag().as_deref(), Some(&b"yes"[..]));
    assert!(address.uri().is_loose_router());
    assert_eq!(address.q_permille(), Some(250));
    assert_eq!(address.expires(), Some(u32::MAX));
}

#[test]
fn without_brackets_parameters_are_the_headers_own() {
    let address = NameAddr::parse(&bytes("sip:ana@example.com;tag=7")).expect("a valid address");
    assert_eq!(address.tag().as_deref(), Some(&b"7"[..]));
    assert!(!address.uri().params().has("tag"));
    assert!(NameAddr::parse(&bytes("sip:ana@example.com?a=b")).is_err());
    assert!(NameAddr::parse(&bytes("\"Ana <sip:ana@example.com>")).is_err());
    assert!(NameAddr::parse(&bytes("Ana, B <sip:ana@example.com>")).is_err());
}

#[test]
fn a_contact_star_is_all_bindings() {
    let line = bytes("*");
    assert_eq!(Contact::parse_list(&line).next(), Some(Ok(Contact::All)));
}

#[test]
fn an_authentication_parameter_may_not_stand_twice() {
    let auth = Auth::parse(&bytes(
        r#"Digest realm="a, b", nonce="x\"y", qop="auth,auth-int", stale=TRUE"#,
    ))
    .expect("valid");
    assert!(auth.is_digest());
    assert_eq!(auth.get("realm").as_deref(), Some(&b"a, b"[..]));
    assert_eq!(auth.get("NONCE").as_deref(), Some(&b"x\"y"[..]));
    assert_eq!(auth.raw("stale"), Some(&b"TRUE"[..]));
    assert!(Auth::parse(&bytes(r#"Digest username="a", Username="b""#)).is_err());
    assert!(!format!("{auth:?}").contains("realm"));
}

#[test]
fn the_small_values_are_read() {
    let cseq = CSeq::parse(&bytes("  4711 \r\n INVITE")).expect("valid");
    assert_eq!(
        (cseq.number, cseq.method),
        (4711, crate::sip::Method::Invite)
    );
    assert!(CSeq::parse(&bytes("2147483648 INVITE")).is_err());
    assert!(CSeq::parse(&bytes("+1 INVITE")).is_err());
    let rack = RAck::parse(&bytes("1 2 INVITE")).expect("valid");
    assert_eq!((rack.rseq, rack.cseq.number), (1, 2));
    let session = SessionExpires::parse(&bytes("1800 ; Refresher=UAS")).expect("valid");
    assert_eq!(
        (session.seconds, session.refresher),
        (1800, Some(Refresher::Uas))
    );
    let word = Word::parse(&bytes("Application / SDP;charset=x")).expect("valid");
    assert!(word.is("application/sdp"));
    let reason = Reason::parse_list(&bytes("Q.850;cause=16;text=\"Normal, clearing\""))
        .next()
        .expect("one")
        .expect("valid");
    assert_eq!(
        (reason.cause, reason.text.as_deref()),
        (Some(16), Some("Normal, clearing"))
    );
    let replaces = Replaces::parse(&bytes("a@b;to-tag=1;from-tag=2;early-only")).expect("valid");
    assert_eq!(
        (&replaces.call_id[..], replaces.early_only),
        (&b"a@b"[..], true)
    );
    assert_eq!(retry_after(b"18000;duration=3600"), Some(18000));
    assert_eq!(retry_after(b"120 (in a meeting)"), Some(120));
    assert_eq!(tokens(b"100rel, timer,,replaces ").count(), 3);
    assert_eq!(text(b"one\r\n  two"), "one two");
}
