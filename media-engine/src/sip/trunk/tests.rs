use super::*;

fn origin() -> Instant {
    #[allow(clippy::disallowed_methods)] // Only differences count.
    Instant::now()
}

fn trunk(id: &str, addresses: &[&str]) -> Trunk {
    Trunk {
        id: TrunkId(id.into()),
        company: "acme".into(),
        name: id.to_owned(),
        addresses: addresses
            .iter()
            .map(|text| Address {
                network: text.parse().expect("a network"),
                transport: None,
            })
            .collect(),
        host: None,
        transport: None,
        outbound_proxy: None,
        credentials: None,
        line: None,
        numbers: Numbers::default(),
        codecs: vec![],
        calls_max: 2,
        calls_per_second_max: 2,
        trusted: true,
        ping: None,
    }
}

fn trunks(list: Vec<Trunk>) -> Trunks {
    let mut trunks = Trunks::default();
    trunks.set(origin(), list);
    trunks
}

fn identified(trunks: &Trunks, source: &str, user: &str) -> Option<String> {
    let source = SocketAddr::new(source.parse().expect("an address"), 5060);
    trunks
        .identify(Transport::Udp, source, user)
        .map(|trunk| trunk.name.clone())
}

#[test]
fn the_longest_network_with_the_source_in_it_is_the_trunk() {
    let trunks = trunks(vec![
        trunk("a-wide", &["192.0.2.0/24", "2001:db8::/32"]),
        trunk("b-narrow", &["192.0.2.128/25"]),
    ]);
    assert_eq!(
        identified(&trunks, "192.0.2.1", "100").as_deref(),
        Some("a-wide")
    );
    assert_eq!(
        identified(&trunks, "192.0.2.200", "100").as_deref(),
        Some("b-narrow")
    );
    assert_eq!(
        identified(&trunks, "2001:db8::9", "100").as_deref(),
        Some("a-wide")
    );
    assert_eq!(identified(&trunks, "198.51.100.1", "100"), None);
}

#[test]
fn an_address_bound_to_a_transport_is_good_for_it_alone() {
    let mut secure = trunk("secure", &["192.0.2.1"]);
    secure.addresses[0].transport = Some(Transport::Tls);
    let trunks = trunks(vec![secure]);
    let source = "192.0.2.1:5061".parse().expect("an address");
    assert!(trunks.identify(Transport::Tls, source, "100").is_some());
    assert!(trunks.identify(Transport::Udp, source, "100").is_none());
}

#[test]
fn a_number_that_the_longest_network_does_not_know_is_found_on_a_wider_one() {
    let owning = |name, networks: &[&str], numbers: &[&str]| {
        let mut trunk = trunk(name, networks);
        trunk.numbers.owned = numbers.iter().map(|text| (*text).to_owned()).collect();
        trunk
    };
    let trunks = trunks(vec![
        owning("a-narrow", &["192.0.2.1"], &["4000", "4001"]),
        owning("b-wide", &["192.0.2.0/24"], &["4000", "5000"]),
        owning("c-elsewhere", &["198.51.100.0/24"], &["6000"]),
    ]);
    for (user, expected) in [
        ("4001", "a-narrow"),
        ("5000", "b-wide"),
        // Whoever says to have a number of somebody else's on a wider network does not get it.
        ("4000", "a-narrow"),
        // A number of a trunk that the source is none of, and one of nobody's.
        ("6000", "a-narrow"),
        ("7000", "a-narrow"),
    ] {
        let found = identified(&trunks, "192.0.2.1", user);
        assert_eq!(found.as_deref(), Some(expected), "{user}");
    }
    assert_eq!(identified(&trunks, "203.0.113.1", "5000"), None);
}

#[test]
fn trunks_that_share_an_address_are_told_apart_by_the_number() {
    let mut first = trunk("a", &["192.0.2.1"]);
    first.numbers.inbound = vec![Rewrite {
        prefix: "0".to_owned(),
        replacement: "+55".to_owned(),
    }];
    first.numbers.owned = BTreeSet::from(["+551140028922".to_owned()]);
    let second = trunk("b", &["192.0.2.1"]);
    let mut third = trunk("c", &["192.0.2.1"]);
    third.numbers.owned = BTreeSet::from(["4000".to_owned()]);
    let trunks = trunks(vec![first, second, third]);
    assert_eq!(
        identified(&trunks, "192.0.2.1", "01140028922").as_deref(),
        Some("a")
    );
    assert_eq!(
        identified(&trunks, "192.0.2.1", "4000").as_deref(),
        Some("c")
    );
    assert_eq!(
        identified(&trunks, "192.0.2.1", "5000").as_deref(),
        Some("b")
    );
}

#[test]
fn a_request_to_our_line_is_the_line_s_wherever_it_comes_from() {
    let mut registered = trunk("registered", &[]);
    registered.line = Some(Line {
        token: "q7w3".to_owned(),
        address_of_record: "sip:ramal@carrier.example".to_owned(),
        registrar: "sip:carrier.example".to_owned(),
        expires: Duration::from_secs(600),
    });
    let mut empty = registered.clone();
    empty.id = TrunkId("a-empty".into());
    empty.line.as_mut().expect("set above").token.clear();
    let trunks = trunks(vec![registered, empty, trunk("other", &["192.0.2.1"])]);
    assert_eq!(
        identified(&trunks, "198.51.100.7", "q7w3").as_deref(),
        Some("registered")
    );
    assert_eq!(
        identified(&trunks, "192.0.2.1", "q7w3").as_deref(),
        Some("registered")
    );
    assert_eq!(identified(&trunks, "198.51.100.7", ""), None);
}

#[test]
fn the_server_we_are_registered_at_is_the_trunk_s_while_we_are() {
    let mut trunks = trunks(vec![trunk("registered", &[])]);
    let id = TrunkId("registered".into());
    let registrar: IpAddr = "192.0.2.1".parse().expect("an address");
    assert_eq!(identified(&trunks, "192.0.2.1", "4000"), None);
    trunks.set_servers(&id, [registrar]);
    assert_eq!(
        identified(&trunks, "::ffff:192.0.2.1", "4000").as_deref(),
        Some("registered")
    );
    assert!(trunks.is_trunk_address(registrar));
    let kept = trunks.iter().cloned().collect();
    trunks.set(origin(), kept);
    assert!(
        trunks.is_trunk_address(registrar),
        "a new configuration keeps it"
    );
    trunks.set_servers(&id, []);
    assert_eq!(identified(&trunks, "192.0.2.1", "4000"), None);
}

#[test]
fn calls_beyond_the_limit_get_503_until_one_ends() {
    let start = origin();
    let mut trunks = Trunks::default();
    let mut wide = trunk("t", &[]);
    wide.calls_per_second_max = 100;
    trunks.set(start, vec![wide.clone()]);
    let id = TrunkId("t".into());
    assert_eq!(trunks.begin_call(start, &id), Ok(()));
    assert_eq!(trunks.begin_call(start, &id), Ok(()));
    let refused = trunks.begin_call(start, &id).expect_err("two are up");
    assert_eq!(refused, CallRefused::TooMany { calls: 2 });
    assert_eq!(
        (refused.status(), refused.retry_after()),
        (503, Some(Duration::from_secs(10)))
    );
    trunks.set(start, vec![wide]);
    assert_eq!(trunks.calls(&id), 2, "a new configuration forgets no call");
    trunks.end_call(&id);
    assert_eq!(trunks.begin_call(start, &id), Ok(()));
    trunks.set(start, vec![]);
    assert_eq!(trunks.begin_call(start, &id), Err(CallRefused::Unknown));
}

#[test]
fn calls_begin_no_faster_than_the_trunk_allows() {
    let start = origin();
    let mut trunks = Trunks::default();
    let mut limited = trunk("t", &[]);
    limited.calls_max = 1000;
    trunks.set(start, vec![limited]);
    let id = TrunkId("t".into());
    let begun_at_ms: Vec<u64> = (0..2000)
        .step_by(50)
        .filter(|ms| {
            trunks
                .begin_call(start + Duration::from_millis(*ms), &id)
                .is_ok()
        })
        .collect();
    assert_eq!(begun_at_ms, [0, 50, 500, 1000, 1500]);
}

#[test]
fn numbers_are_rewritten_by_the_first_rule_that_fits() {
    let rule = |prefix: &str, replacement: &str| Rewrite {
        prefix: prefix.to_owned(),
        replacement: replacement.to_owned(),
    };
    let numbers = Numbers {
        owned: BTreeSet::new(),
        inbound: vec![rule("+", "+"), rule("00", "+"), rule("0", "+55")],
        outbound: vec![rule("+55", "0"), rule("+", "00")],
    };
    assert_eq!(numbers.read("+4930"), "+4930");
    assert_eq!(numbers.read("004930"), "+4930");
    assert_eq!(numbers.read("011"), "+5511");
    assert_eq!(numbers.read("4000"), "4000");
    assert_eq!(numbers.write("+5511"), "011");
    assert_eq!(numbers.write("+4930"), "004930");
}
