use super::*;
use rand::{SeedableRng, rngs::SmallRng};

const MD5: &str = "Digest realm=\"carrier\", nonce=\"n1\", algorithm=MD5, qop=\"auth,auth-int\"";
const SHA: &str = "Digest realm=\"carrier\", nonce=\"n2\", algorithm=SHA-256, qop=\"auth\"";

fn carrier() -> IpAddr {
    IpAddr::from([192, 0, 2, 1])
}

fn answerer(realm: Option<&str>) -> Answerer {
    let credentials = Credentials {
        username: "ramal".to_owned(),
        password: "swordfish".to_owned(),
        realm: realm.map(str::to_owned),
    };
    Answerer::new(credentials, vec![Network::host(carrier())])
}

fn challenge(
    answerer: &mut Answerer,
    attempt: &mut Attempt,
    status: u16,
    challenges: &[&str],
) -> Result<(), Unanswerable> {
    answerer.handle_challenge(
        attempt,
        carrier(),
        status,
        challenges.iter().map(|value| value.as_bytes()),
        &mut SmallRng::seed_from_u64(1),
    )
}

fn authorize(answerer: &mut Answerer) -> Vec<Authorization> {
    answerer.authorize(&Outgoing {
        method: "INVITE",
        uri: "sip:100@carrier.example",
        body: b"v=0",
        to: carrier(),
    })
}

#[test]
fn the_strongest_challenge_is_answered_wherever_it_stands() {
    for order in [[MD5, SHA], [SHA, MD5]] {
        let mut ours = answerer(None);
        assert_eq!(
            challenge(&mut ours, &mut Attempt::default(), 401, &order),
            Ok(())
        );
        let headers = authorize(&mut ours);
        assert_eq!(headers.len(), 1);
        assert_eq!(headers[0].name, "Authorization");
        let value = &headers[0].value;
        assert!(
            value.contains("nonce=\"n2\"") && value.contains("algorithm=SHA-256"),
            "{value}"
        );
        assert!(
            value.contains("qop=auth, nc=00000001, cnonce=\""),
            "{value}"
        );
    }
}

#[test]
fn an_algorithm_we_do_not_speak_is_passed_over() {
    let newer = SHA.replace("SHA-256", "SHA-512-256");
    let mut ours = answerer(None);
    let mut attempt = Attempt::default();
    assert_eq!(
        challenge(&mut ours, &mut attempt, 401, &[&newer, MD5]),
        Ok(())
    );
    assert!(authorize(&mut ours)[0].value.contains("algorithm=MD5"));
    let unanswerable = challenge(
        &mut ours,
        &mut Attempt::default(),
        401,
        &[&newer, "Basic x"],
    );
    assert_eq!(unanswerable, Err(Unanswerable::Unsupported));
}

#[test]
fn requests_are_counted_until_the_next_nonce() {
    let mut ours = answerer(None);
    assert_eq!(
        challenge(&mut ours, &mut Attempt::default(), 407, &[SHA]),
        Ok(())
    );
    for count in ["00000001", "00000002", "00000003"] {
        let header = &authorize(&mut ours)[0];
        assert_eq!(header.name, "Proxy-Authorization");
        assert!(
            header.value.contains(&format!("nc={count}")),
            "{}",
            header.value
        );
    }
    let next = SHA.replace("n2", "n3");
    assert_eq!(
        challenge(&mut ours, &mut Attempt::default(), 407, &[&next]),
        Ok(())
    );
    assert!(authorize(&mut ours)[0].value.contains("nc=00000001"));
}

#[test]
fn nobody_but_the_peer_gets_an_answer() {
    let stranger = IpAddr::from([198, 51, 100, 66]);
    let mut ours = answerer(None);
    let asked = ours.handle_challenge(
        &mut Attempt::default(),
        stranger,
        407,
        [SHA.as_bytes()],
        &mut SmallRng::seed_from_u64(1),
    );
    assert_eq!(asked, Err(Unanswerable::Stranger));
    assert_eq!(
        challenge(&mut ours, &mut Attempt::default(), 401, &[SHA]),
        Ok(())
    );
    let to_stranger = Outgoing {
        method: "BYE",
        uri: "sip:evil@198.51.100.66",
        body: b"",
        to: stranger,
    };
    assert_eq!(ours.authorize(&to_stranger), []);
    ours.set_addresses([stranger]);
    assert!(
        ours.is_peer(stranger),
        "unless the carrier's name leads there"
    );
}

#[test]
fn credentials_stay_in_their_realm() {
    let other = SHA.replace("carrier", "elsewhere");
    let mut configured = answerer(Some("carrier"));
    let refused = challenge(&mut configured, &mut Attempt::default(), 401, &[&other]);
    assert_eq!(refused, Err(Unanswerable::OtherRealm));

    let mut first_seen = answerer(None);
    assert_eq!(
        challenge(&mut first_seen, &mut Attempt::default(), 401, &[SHA]),
        Ok(())
    );
    let refused = challenge(&mut first_seen, &mut Attempt::default(), 407, &[&other]);
    assert_eq!(refused, Err(Unanswerable::OtherRealm));
}

#[test]
fn a_second_refusal_of_one_request_ends_it_unless_the_nonce_was_stale_once() {
    let nonce = |n: u32, stale: bool| {
        let stale = if stale { ", stale=TRUE" } else { "" };
        format!("Digest realm=\"carrier\", nonce=\"x{n}\", qop=\"auth\"{stale}")
    };
    let mut ours = answerer(None);
    let mut attempt = Attempt::default();
    assert_eq!(
        challenge(&mut ours, &mut attempt, 401, &[&nonce(1, false)]),
        Ok(())
    );
    let again = challenge(&mut ours, &mut attempt, 401, &[&nonce(2, false)]);
    assert_eq!(again, Err(Unanswerable::Rejected));

    let mut attempt = Attempt::default();
    assert_eq!(
        challenge(&mut ours, &mut attempt, 401, &[&nonce(1, false)]),
        Ok(())
    );
    assert_eq!(
        challenge(&mut ours, &mut attempt, 401, &[&nonce(2, true)]),
        Ok(())
    );
    let third = challenge(&mut ours, &mut attempt, 401, &[&nonce(3, true)]);
    assert_eq!(third, Err(Unanswerable::Rejected));

    let mut attempt = Attempt::default();
    assert_eq!(
        challenge(&mut ours, &mut attempt, 401, &[&nonce(1, false)]),
        Ok(())
    );
    let same = challenge(&mut ours, &mut attempt, 401, &[&nonce(1, true)]);
    assert_eq!(
        same,
        Err(Unanswerable::Rejected),
        "stale, and the same nonce"
    );
}

#[test]
fn a_proxy_and_the_server_behind_it_may_both_ask() {
    let mut ours = answerer(None);
    let mut attempt = Attempt::default();
    assert_eq!(challenge(&mut ours, &mut attempt, 407, &[SHA]), Ok(()));
    assert_eq!(challenge(&mut ours, &mut attempt, 401, &[MD5]), Ok(()));
    let names: Vec<_> = authorize(&mut ours)
        .iter()
        .map(|header| header.name)
        .collect();
    assert_eq!(names, ["Authorization", "Proxy-Authorization"]);
}

/// RFC 2069 section 2.4: the nonce stands alone between the two hashes.
#[test]
fn a_carrier_without_qop_is_answered_the_old_way() {
    let mut ours = answerer(None);
    let old = "Digest realm=\"carrier\", nonce=\"n1\", opaque=\"o\"";
    assert_eq!(
        challenge(&mut ours, &mut Attempt::default(), 401, &[old]),
        Ok(())
    );
    let value = &authorize(&mut ours)[0].value;
    let function = super::super::HashFunction::Md5;
    let key = hash(function, &[b"ramal", b"carrier", b"swordfish"]);
    let what = hash(function, &[b"INVITE", b"sip:100@carrier.example"]);
    let response = hash(function, &[key.as_bytes(), b"n1", what.as_bytes()]);
    assert!(
        value.contains(&format!("response=\"{response}\"")),
        "{value}"
    );
    assert!(
        value.contains("opaque=\"o\"") && !value.contains("qop"),
        "{value}"
    );
}

#[test]
fn auth_int_hashes_the_body_where_nothing_else_is_offered() {
    let mut ours = answerer(None);
    let only = "Digest realm=\"carrier\", nonce=\"n1\", qop=\"auth-int\"";
    assert_eq!(
        challenge(&mut ours, &mut Attempt::default(), 401, &[only]),
        Ok(())
    );
    let with_body = authorize(&mut ours)[0].value.clone();
    assert!(with_body.contains("qop=auth-int"), "{with_body}");
    assert_eq!(
        challenge(&mut ours, &mut Attempt::default(), 401, &[only]),
        Ok(())
    );
    let other_body = ours.authorize(&Outgoing {
        method: "INVITE",
        uri: "sip:100@carrier.example",
        body: b"v=1",
        to: carrier(),
    });
    let response = |value: &str| {
        let list = Parameters::read(value.as_bytes()).expect("ours");
        list.text("response").expect("written").to_owned()
    };
    assert_ne!(response(&with_body), response(&other_body[0].value));
}

#[test]
fn oversized_and_hostile_challenges_are_not_sent_back() {
    let mut ours = answerer(None);
    let long = format!(
        "Digest realm=\"carrier\", nonce=\"{}\"",
        "n".repeat(VALUE_MAX + 1)
    );
    for hostile in [
        long.as_str(),
        "Digest realm=\"carrier\", nonce=\"a\r\nX-Evil: 1\"",
        "Digest realm=\"carrier\"",
        "Digest nonce=\"n1\"",
    ] {
        let refused = challenge(&mut ours, &mut Attempt::default(), 401, &[hostile]);
        assert_eq!(refused, Err(Unanswerable::Unsupported), "{hostile:?}");
    }
    let refused = challenge(&mut ours, &mut Attempt::default(), 403, &[SHA]);
    assert_eq!(refused, Err(Unanswerable::NoChallenge(403)));
}

#[test]
fn a_password_does_not_show_itself() {
    let ours = answerer(None);
    assert!(!format!("{ours:?}").contains("swordfish"));
}
