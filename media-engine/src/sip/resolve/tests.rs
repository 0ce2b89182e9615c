use super::*;

fn origin() -> Instant {
    #[allow(clippy::disallowed_methods)] // Only differences count.
    Instant::now()
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn target(uri: &str) -> Result<Target, Unresolvable> {
    Target::of_uri(&uri.parse().expect("a URI"))
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// A name service with a fixed zone, which counts what it is asked.
struct Dns {
    zone: Vec<(&'static str, Answer)>,
    asked: Vec<String>,
}

fn found(records: Vec<Record>) -> Answer {
    Answer::Found {
        records,
        ttl: seconds(60),
    }
}

fn host(addresses: &[&str]) -> Answer {
    let record = |text: &&str| Record::Address(text.parse().expect("an address"));
    found(addresses.iter().map(record).collect())
}

fn srv(records: &[(u16, u16, u16, &str)]) -> Answer {
    let record = |(priority, weight, port, target): &(u16, u16, u16, &str)| Record::Srv {
        priority: *priority,
        weight: *weight,
        port: *port,
        target: (*target).to_owned(),
    };
    found(records.iter().map(record).collect())
}

fn naptr(records: &[(u16, u16, &str, &str)]) -> Answer {
    let record =
        |(order, preference, service, replacement): &(u16, u16, &str, &str)| Record::Naptr {
            order: *order,
            preference: *preference,
            flags: "S".to_owned(),
            service: (*service).to_owned(),
            replacement: (*replacement).to_owned(),
        };
    found(records.iter().map(record).collect())
}

fn spelled(question: &Question) -> String {
    match question {
        Question::Naptr(name) => format!("NAPTR {name}"),
        Question::Srv(name) => format!("SRV {name}"),
        Question::A(name) => format!("A {name}"),
        Question::Aaaa(name) => format!("AAAA {name}"),
    }
}

impl Dns {
    fn new(zone: Vec<(&'static str, Answer)>) -> Self {
        Self {
            zone,
            asked: vec![],
        }
    }

    fn answer(&mut self, question: &Question) -> Answer {
        let question = spelled(question);
        let answer = self.zone.iter().find(|(name, _)| *name == question);
        self.asked.push(question);
        answer.map_or(Answer::Nothing, |(_, answer)| answer.clone())
    }

    /// Answers whatever is asked until the look-up ends.
    fn serve(
        &mut self,
        resolver: &mut Resolver,
        now: Instant,
        id: ResolutionId,
    ) -> Result<Vec<Server>, Unresolvable> {
        for _ in 0..100 {
            match resolver.poll_output().expect("a look-up asks or ends") {
                Output::Ask { query, question } => {
                    let answer = self.answer(&question);
                    resolver.handle_answer(now, query, answer);
                }
                Output::Resolved {
                    resolution,
                    servers,
                } => {
                    assert_eq!(resolution, id);
                    assert_eq!(resolver.poll_output(), None, "its end is its last output");
                    return servers;
                }
            }
        }
        panic!("a look-up without end");
    }

    fn resolve(
        &mut self,
        resolver: &mut Resolver,
        now: Instant,
        uri: &str,
    ) -> Result<Vec<Server>, Unresolvable> {
        let id = resolver.resolve(now, target(uri)?);
        self.serve(resolver, now, id)
    }
}

fn resolve(
    zone: Vec<(&'static str, Answer)>,
    uri: &str,
) -> (Result<Vec<String>, Unresolvable>, Vec<String>) {
    let mut dns = Dns::new(zone);
    let mut resolver = Resolver::new(Families::V4First, 1);
    let servers = dns.resolve(&mut resolver, origin(), uri);
    let shown = servers.map(|servers| {
        let show = |server: &Server| format!("{} {}", server.transport, server.address);
        servers.iter().map(show).collect()
    });
    (shown, dns.asked)
}

#[test]
fn addresses_need_no_question() {
    for (uri, place) in [
        ("sip:1@192.0.2.1", "UDP 192.0.2.1:5060"),
        ("sip:1@192.0.2.1:5070", "UDP 192.0.2.1:5070"),
        ("sip:1@192.0.2.1;transport=tcp", "TCP 192.0.2.1:5060"),
        ("sip:1@192.0.2.1;transport=TLS", "TLS 192.0.2.1:5061"),
        ("sip:1@192.0.2.1;transport=ws", "WS 192.0.2.1:80"),
        ("sips:1@192.0.2.1", "TLS 192.0.2.1:5061"),
        ("sips:1@192.0.2.1;transport=tcp", "TLS 192.0.2.1:5061"),
        ("sips:1@192.0.2.1;transport=ws", "WSS 192.0.2.1:443"),
        ("sip:1@[2001:db8::1]:5070", "UDP [2001:db8::1]:5070"),
        (
            "sip:1@carrier.example;maddr=192.0.2.9",
            "UDP 192.0.2.9:5060",
        ),
        (
            "sip:1@carrier.example;maddr=[2001:db8::9]",
            "UDP [2001:db8::9]:5060",
        ),
    ] {
        let (servers, asked) = resolve(vec![], uri);
        assert_eq!(servers, Ok(vec![place.to_owned()]), "{uri}");
        assert_eq!(asked, [""; 0], "{uri}");
    }
}

#[test]
fn what_cannot_be_looked_for_is_refused_at_once() {
    for uri in [
        "tel:+551140028922",
        "mailto:a@b.example",
        "sips:1@carrier.example;transport=udp",
        "sip:1@carrier.example;transport=sctp",
    ] {
        assert_eq!(target(uri), Err(Unresolvable::Unsupported), "{uri}");
    }
    assert_eq!(domain("a..b"), None);
    assert_eq!(domain(&"a.".repeat(200)), None);
    assert_eq!(domain(&"a".repeat(64)), None);
    assert_eq!(domain("a b"), None);
    assert_eq!(domain("."), None);
    assert_eq!(
        domain("Carrier.Example.").as_deref(),
        Some("carrier.example")
    );
}

/// The worked example of RFC 3263 section 4.1, with names of our own.
#[test]
fn naptr_names_the_transports_and_srv_the_hosts() {
    let zone = vec![
        (
            "NAPTR carrier.example",
            naptr(&[
                (50, 50, "SIPS+D2T", "_sips._tcp.carrier.example."),
                (90, 50, "SIP+D2T", "_sip._tcp.carrier.example"),
                (100, 50, "SIP+D2U", "_sip._udp.carrier.example"),
                (1, 1, "E2U+sip", "elsewhere.example"),
            ]),
        ),
        (
            "SRV _sips._tcp.carrier.example",
            srv(&[(0, 1, 5061, "s1.carrier.example")]),
        ),
        (
            "SRV _sip._tcp.carrier.example",
            srv(&[(0, 1, 5060, "s1.carrier.example")]),
        ),
        (
            "SRV _sip._udp.carrier.example",
            srv(&[
                (1, 1, 5060, "s2.carrier.example"),
                (0, 1, 5080, "s1.carrier.example"),
            ]),
        ),
        ("A s1.carrier.example", host(&["192.0.2.1"])),
        ("AAAA s1.carrier.example", host(&["2001:db8::1"])),
        ("A s2.carrier.example", host(&["192.0.2.2"])),
    ];
    let (servers, asked) = resolve(zone.clone(), "sip:1@Carrier.example");
    assert_eq!(
        servers.expect("found"),
        [
            "TLS 192.0.2.1:5061",
            "TLS [2001:db8::1]:5061",
            "TCP 192.0.2.1:5060",
            "TCP [2001:db8::1]:5060",
            "UDP 192.0.2.1:5080",
            "UDP [2001:db8::1]:5080",
            "UDP 192.0.2.2:5060",
        ]
    );
    assert_eq!(asked.len(), 1 + 3 + 4, "{asked:?}");
    let (secure, _) = resolve(zone, "sips:1@carrier.example");
    assert_eq!(
        secure.expect("found"),
        ["TLS 192.0.2.1:5061", "TLS [2001:db8::1]:5061"]
    );
}

#[test]
fn without_naptr_every_transport_is_asked_for_and_without_srv_the_host() {
    let srv_only = vec![
        (
            "SRV _sip._tcp.carrier.example",
            srv(&[(0, 0, 5068, "s1.carrier.example")]),
        ),
        ("A s1.carrier.example", host(&["192.0.2.1"])),
    ];
    let (servers, asked) = resolve(srv_only, "sip:carrier.example");
    assert_eq!(servers.expect("found"), ["TCP 192.0.2.1:5068"]);
    assert_eq!(
        asked[..4],
        [
            "NAPTR carrier.example",
            "SRV _sip._udp.carrier.example",
            "SRV _sip._tcp.carrier.example",
            "SRV _sips._tcp.carrier.example",
        ]
    );
    let host_only = vec![("A carrier.example", host(&["192.0.2.1", "192.0.2.2"]))];
    let (servers, _) = resolve(host_only.clone(), "sip:carrier.example");
    assert_eq!(
        servers.expect("found"),
        ["UDP 192.0.2.1:5060", "UDP 192.0.2.2:5060"]
    );
    let (servers, asked) = resolve(host_only.clone(), "sip:carrier.example;transport=tcp");
    assert_eq!(
        servers.expect("found"),
        ["TCP 192.0.2.1:5060", "TCP 192.0.2.2:5060"]
    );
    assert_eq!(asked[0], "SRV _sip._tcp.carrier.example");
    let (servers, asked) = resolve(host_only, "sip:carrier.example:5070");
    assert_eq!(
        servers.expect("found"),
        ["UDP 192.0.2.1:5070", "UDP 192.0.2.2:5070"]
    );
    assert_eq!(
        asked,
        ["A carrier.example", "AAAA carrier.example"],
        "a port rules out SRV"
    );
}

#[test]
fn a_service_that_says_it_is_not_there_is_not_looked_for_elsewhere() {
    let zone = vec![
        ("SRV _sip._udp.carrier.example", srv(&[(0, 0, 0, ".")])),
        ("A carrier.example", host(&["192.0.2.1"])),
    ];
    let (servers, _) = resolve(zone, "sip:carrier.example;transport=udp");
    assert_eq!(servers, Err(Unresolvable::NoSuchHost));
}

#[test]
fn nothing_and_failure_are_told_apart() {
    assert_eq!(
        resolve(vec![], "sip:carrier.example").0,
        Err(Unresolvable::NoSuchHost)
    );
    let zone = vec![("A carrier.example", Answer::Failed)];
    assert_eq!(
        resolve(zone, "sip:carrier.example").0,
        Err(Unresolvable::Failed)
    );
    let zone = vec![
        ("NAPTR carrier.example", Answer::Failed),
        ("A carrier.example", host(&["192.0.2.1"])),
    ];
    assert!(
        resolve(zone, "sip:carrier.example").0.is_ok(),
        "a broken NAPTR is as none"
    );
}

#[test]
fn families_are_asked_for_and_ordered_as_we_can_send() {
    let zone = || {
        vec![
            ("A carrier.example", host(&["192.0.2.1"])),
            ("AAAA carrier.example", host(&["2001:db8::1"])),
        ]
    };
    for (families, asked, first) in [
        (Families::V4, 1, "192.0.2.1:5070"),
        (Families::V6, 1, "[2001:db8::1]:5070"),
        (Families::V4First, 2, "192.0.2.1:5070"),
        (Families::V6First, 2, "[2001:db8::1]:5070"),
    ] {
        let mut dns = Dns::new(zone());
        let mut resolver = Resolver::new(families, 1);
        let servers = dns
            .resolve(&mut resolver, origin(), "sip:carrier.example:5070")
            .expect("found");
        assert_eq!(servers[0].address, address(first));
        assert_eq!((servers.len(), dns.asked.len()), (asked, asked));
        assert_eq!(servers[0].name.as_deref(), Some("carrier.example"));
    }
    let mut resolver = Resolver::new(Families::V4, 1);
    let wrong = Dns::new(vec![]).resolve(&mut resolver, origin(), "sip:[2001:db8::1]");
    assert_eq!(wrong, Err(Unresolvable::NoSuchHost));
}

#[test]
fn equals_of_priority_share_the_calls_by_weight() {
    let zone = vec![
        (
            "SRV _sip._udp.carrier.example",
            srv(&[
                (0, 60, 5060, "a.example"),
                (0, 30, 5060, "b.example"),
                (0, 10, 5060, "c.example"),
                (0, 0, 5060, "d.example"),
                (1, 99, 5060, "z.example"),
            ]),
        ),
        ("A a.example", host(&["192.0.2.1"])),
        ("A b.example", host(&["192.0.2.2"])),
        ("A c.example", host(&["192.0.2.3"])),
        ("A d.example", host(&["192.0.2.4"])),
        ("A z.example", host(&["192.0.2.9"])),
    ];
    let mut dns = Dns::new(zone);
    let mut resolver = Resolver::new(Families::V4, 7);
    let start = origin();
    let mut first = [0_u32; 10];
    for _ in 0..10_000 {
        let servers = dns
            .resolve(&mut resolver, start, "sip:carrier.example;transport=udp")
            .expect("found");
        let last = |server: &Server| match server.address.ip() {
            IpAddr::V4(v4) => usize::from(v4.octets()[3]),
            IpAddr::V6(_) => panic!("IPv4 only"),
        };
        first[last(&servers[0])] += 1;
        assert_eq!(
            last(&servers[4]),
            9,
            "the lower priority is the last resort"
        );
    }
    assert_eq!(
        dns.asked.len(),
        6,
        "one question each, the rest is remembered"
    );
    let near = |count: u32, share: u32| count.abs_diff(share * 100) < 200;
    assert!(
        near(first[1], 60) && near(first[2], 30) && near(first[3], 10),
        "{first:?}"
    );
    assert!(first[4] < 200 && first[9] == 0, "{first:?}");
}

#[test]
fn answers_are_used_again_until_their_time_to_live_is_over() {
    let start = origin();
    let uri = "sip:carrier.example:5060";
    let mut dns = Dns::new(vec![("A carrier.example", host(&["192.0.2.1"]))]);
    let mut resolver = Resolver::new(Families::V4, 1);
    for (at, asked) in [(0, 1), (59, 1), (60, 2), (119, 2), (120, 3)] {
        dns.resolve(&mut resolver, start + seconds(at), uri)
            .expect("found");
        assert_eq!(dns.asked.len(), asked, "at {at} s");
    }
    dns.zone[0].1 = Answer::Found {
        records: vec![],
        ttl: seconds(u64::MAX / 4),
    };
    let later = start + seconds(200);
    assert!(dns.resolve(&mut resolver, later, uri).is_err());
    assert!(
        dns.resolve(&mut resolver, later + TTL_MAX - seconds(1), uri)
            .is_err()
    );
    assert_eq!(dns.asked.len(), 4);
    dns.zone[0].1 = Answer::Found {
        records: vec![Record::Address("192.0.2.1".parse().expect("an address"))],
        ttl: Duration::ZERO,
    };
    for asked in [5, 6] {
        dns.resolve(&mut resolver, later + TTL_MAX, uri)
            .expect("found");
        assert_eq!(
            dns.asked.len(),
            asked,
            "a time to live of 0 is good for one look-up"
        );
    }
}

#[test]
fn one_question_serves_all_who_wait_for_it() {
    let start = origin();
    let mut resolver = Resolver::new(Families::V4, 1);
    let wanted = target("sip:carrier.example:5060").expect("a target");
    let ids: Vec<_> = (0..3)
        .map(|_| resolver.resolve(start, wanted.clone()))
        .collect();
    let Some(Output::Ask { query, .. }) = resolver.poll_output() else {
        panic!("nothing asked");
    };
    assert_eq!(resolver.poll_output(), None, "asked once");
    resolver.handle_answer(start, query, host(&["192.0.2.1"]));
    for id in ids {
        let Some(Output::Resolved {
            resolution,
            servers,
        }) = resolver.poll_output()
        else {
            panic!("no end");
        };
        assert_eq!((resolution, servers.map(|list| list.len())), (id, Ok(1)));
    }
    resolver.handle_answer(start, query, host(&["192.0.2.66"]));
    assert_eq!(resolver.poll_output(), None, "a second answer is nobody's");
}

#[test]
fn a_silent_name_service_fails_the_look_up_in_time() {
    let start = origin();
    let mut resolver = Resolver::new(Families::V4First, 1);
    let id = resolver.resolve(start, target("sip:carrier.example").expect("a target"));
    let mut now = start;
    let mut ended_at = None;
    for _ in 0..20 {
        while let Some(output) = resolver.poll_output() {
            if let Output::Resolved {
                resolution,
                servers,
            } = output
            {
                assert_eq!((resolution, servers), (id, Err(Unresolvable::Failed)));
                ended_at = Some(now);
            }
        }
        let Some(due) = resolver.poll_timeout() else {
            break;
        };
        resolver.handle_timeout(due - Duration::from_millis(1));
        now = due;
        resolver.handle_timeout(now);
    }
    // NAPTR, then SRV, then addresses.
    assert_eq!(ended_at, Some(start + 3 * ANSWER_WAIT));
    assert!(resolver.resolutions.is_empty() && resolver.by_question.is_empty());
}

#[test]
fn the_dead_are_tried_last_until_their_time_is_over() {
    let start = origin();
    let uri = "sip:carrier.example:5060";
    let mut dns = Dns::new(vec![(
        "A carrier.example",
        host(&["192.0.2.1", "192.0.2.2"]),
    )]);
    let mut resolver = Resolver::new(Families::V4, 1);
    let (one, two) = (address("192.0.2.1:5060"), address("192.0.2.2:5060"));
    let mut first =
        |resolver: &mut Resolver, now| dns.resolve(resolver, now, uri).expect("found")[0].address;
    assert_eq!(first(&mut resolver, start), one);
    let mut now = start;
    for wait in [30, 60, 120, 240, 300, 300] {
        resolver.mark_dead(now, Transport::Udp, one, None);
        resolver.mark_dead(now + seconds(1), Transport::Udp, one, None);
        assert_eq!(
            first(
                &mut resolver,
                now + seconds(wait) - Duration::from_millis(1)
            ),
            two
        );
        now += seconds(wait);
        assert_eq!(first(&mut resolver, now), one, "after {wait} s");
    }
    assert!(
        !resolver.is_dead(now, Transport::Tcp, one),
        "only that transport"
    );
    resolver.mark_dead(now, Transport::Udp, one, Some(seconds(45)));
    assert_eq!(first(&mut resolver, now + seconds(44)), two);
    resolver.mark_dead(now, Transport::Udp, two, None);
    assert_eq!(
        first(&mut resolver, now),
        one,
        "all dead: they are tried all the same"
    );
    resolver.mark_alive(now, Transport::Udp, two);
    assert_eq!(first(&mut resolver, now), two);
}

#[test]
fn hostile_answers_are_bounded() {
    let start = origin();
    let many: Vec<_> = (0..5000).map(|_| (0, 0, 5060, "x.example")).collect();
    let mut zone = vec![("SRV _sip._udp.carrier.example", srv(&many))];
    zone.push((
        "A x.example",
        found(vec![Record::Address(IpAddr::from([192, 0, 2, 1])); 5000]),
    ));
    let (servers, asked) = resolve(zone, "sip:carrier.example;transport=udp");
    assert_eq!(
        (servers.expect("found").len(), asked.len()),
        (1, 3),
        "each place once"
    );

    let looping = vec![(
        "SRV _sip._udp.carrier.example",
        srv(&[(0, 0, 5060, "_sip._udp.carrier.example")]),
    )];
    let (servers, asked) = resolve(looping, "sip:carrier.example;transport=udp");
    assert_eq!((servers, asked.len()), (Err(Unresolvable::NoSuchHost), 3));

    let mut resolver = Resolver::new(Families::V4, 1);
    let wanted = |n: usize| target(&format!("sip:n{n}.example:5060")).expect("a target");
    for n in 0..RESOLUTIONS_MAX + 1 {
        resolver.resolve(start, wanted(n));
    }
    let outputs: Vec<_> = std::iter::from_fn(|| resolver.poll_output()).collect();
    assert!(matches!(
        outputs.last(),
        Some(Output::Resolved {
            servers: Err(Unresolvable::Overloaded),
            ..
        })
    ));
    resolver.handle_timeout(start + ANSWER_WAIT);
    assert!(resolver.resolutions.is_empty() && resolver.queries.is_empty());
    assert!(resolver.known.len() <= KNOWN_MAX);
}
