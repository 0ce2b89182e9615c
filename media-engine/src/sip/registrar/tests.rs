use super::*;
use crate::sip::Transport;
use crate::sip::parse::{Parsed, parse};

fn origin() -> Instant {
    #[allow(clippy::disallowed_methods)] // Only differences count.
    Instant::now()
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn account(user: &str) -> Account {
    Account {
        id: id(user),
        user: user.to_owned(),
        company: "acme".into(),
        secret: Secret::new(user, "ramal", "swordfish"),
    }
}

fn id(user: &str) -> AccountId {
    AccountId(format!("device-{user}").into())
}

fn registrar() -> Registrar {
    let mut registrar = Registrar::new(Limits::default());
    registrar.set_accounts(vec![account("1001"), account("1002")]);
    registrar
}

fn flow(port: u16) -> Flow {
    Flow {
        transport: Transport::Udp,
        local: "192.0.2.1:5060".parse().expect("an address"),
        remote: ([203, 0, 113, 7], port).into(),
        connection: None,
    }
}

fn connected(transport: Transport, connection: u64) -> Flow {
    Flow {
        transport,
        connection: Some(ConnectionId(connection)),
        ..flow(40_000)
    }
}

fn read(cseq: u32, flow: Flow, headers: &str) -> Result<Register, Unreadable> {
    let text = format!(
        "REGISTER sip:ramal.example SIP/2.0\r\n\
         Via: SIP/2.0/UDP 203.0.113.7;branch=z9hG4bK{cseq}\r\n\
         From: <sip:1001@ramal.example>;tag=a\r\n\
         To: <sip:1001@ramal.example>\r\n\
         Call-ID: one\r\n\
         CSeq: {cseq} REGISTER\r\n\
         User-Agent: phone/1\r\n\
         {headers}Content-Length: 0\r\n\r\n"
    );
    let Ok(Parsed::Message(message)) = parse(Bytes::from(text)) else {
        panic!("no message");
    };
    Register::read(&message, flow)
}

fn register(cseq: u32, headers: &str) -> Register {
    read(cseq, flow(5060), headers).expect("readable")
}

fn bind(
    registrar: &mut Registrar,
    now: Instant,
    register: Register,
) -> Result<Vec<String>, Refused> {
    let current = registrar.handle_register(now, &id("1001"), register)?;
    Ok(current.iter().map(ToString::to_string).collect())
}

fn events(registrar: &mut Registrar) -> Vec<String> {
    std::iter::from_fn(|| registrar.poll_output())
        .map(|event| match event {
            Event::Registered { contact, flow, .. } => format!("+{contact} {}", flow.remote.port()),
            Event::Unregistered {
                contact,
                why,
                reachable,
                ..
            } => format!("-{contact} {why:?} {reachable}"),
        })
        .collect()
}

#[test]
fn a_device_registers_refreshes_and_goes() {
    let start = origin();
    let mut registrar = registrar();
    let contact = "Contact: <sip:1001@10.0.0.5>\r\n";
    let granted = bind(
        &mut registrar,
        start,
        register(1, &format!("{contact}Expires: 60\r\n")),
    );
    assert_eq!(
        granted,
        Ok(vec!["<sip:1001@10.0.0.5>;expires=60".to_owned()])
    );
    assert_eq!(events(&mut registrar), ["+sip:1001@10.0.0.5 5060"]);
    assert_eq!(registrar.poll_timeout(), Some(start + seconds(60)));

    let half = start + seconds(30);
    let granted = bind(&mut registrar, half, register(2, contact));
    assert_eq!(
        granted,
        Ok(vec!["<sip:1001@10.0.0.5>;expires=300".to_owned()]),
        "the default"
    );
    assert_eq!(events(&mut registrar), [""; 0], "refreshing is no news");

    let target = &registrar.targets(half, &id("1001"))[0];
    assert_eq!(target.uri.to_string(), "sip:1001@10.0.0.5");
    assert_eq!(
        target.flow,
        flow(5060),
        "the way it came, whatever the contact says"
    );
    assert!(registrar.is_device_address("203.0.113.7".parse().expect("an address")));
    assert!(!registrar.is_device_address("10.0.0.5".parse().expect("an address")));
    assert_eq!(registrar.account_of_flow(&flow(5060)), Some(&id("1001")));
    assert_eq!(registrar.account_of_flow(&flow(5061)), None);

    let gone = bind(
        &mut registrar,
        half,
        register(3, &format!("{contact}Expires: 0\r\n")),
    );
    assert_eq!(gone, Ok(vec![]));
    assert_eq!(events(&mut registrar), ["-sip:1001@10.0.0.5 Removed false"]);
    assert_eq!((registrar.poll_timeout(), registrar.len()), (None, 0));
    assert!(!registrar.is_device_address("203.0.113.7".parse().expect("an address")));
}

#[test]
fn a_contact_expires_to_the_moment() {
    let start = origin();
    let mut registrar = registrar();
    bind(
        &mut registrar,
        start,
        register(1, "Contact: <sip:a@10.0.0.5>;expires=60\r\n"),
    )
    .expect("bound");
    bind(
        &mut registrar,
        start,
        register(2, "Contact: <sip:b@10.0.0.5>;expires=90\r\n"),
    )
    .expect("bound");
    events(&mut registrar);
    let due = registrar.poll_timeout().expect("two contacts");
    registrar.handle_timeout(due - Duration::from_millis(1));
    assert_eq!(events(&mut registrar), [""; 0], "early is harmless");
    registrar.handle_timeout(due);
    assert_eq!(events(&mut registrar), ["-sip:a@10.0.0.5 Expired true"]);
    registrar.handle_timeout(start + seconds(90));
    assert_eq!(events(&mut registrar), ["-sip:b@10.0.0.5 Expired false"]);
}

#[test]
fn times_are_kept_between_the_limits() {
    let start = origin();
    for (wanted, outcome) in [
        ("1", Err(Refused::IntervalTooBrief { min: seconds(30) })),
        ("29", Err(Refused::IntervalTooBrief { min: seconds(30) })),
        ("30", Ok(30)),
        ("3600", Ok(3600)),
        ("3601", Ok(3600)),
        ("4294967295", Ok(3600)),
        ("99999999999999999999", Ok(3600)),
    ] {
        let mut registrar = registrar();
        let request = register(
            1,
            &format!("Contact: <sip:a@10.0.0.5>;expires={wanted}\r\n"),
        );
        let granted = registrar
            .handle_register(start, &id("1001"), request)
            .map(|current| current[0].expires_s);
        assert_eq!(granted, outcome, "{wanted}");
        if let Err(refused) = granted {
            assert_eq!(refused.status(), 423);
        }
    }
}

#[test]
fn the_wildcard_removes_everything_and_only_with_expires_0() {
    let start = origin();
    let mut registrar = registrar();
    for (cseq, user) in [(1, "a"), (2, "b")] {
        bind(
            &mut registrar,
            start,
            register(cseq, &format!("Contact: <sip:{user}@10.0.0.5>\r\n")),
        )
        .expect("bound");
    }
    events(&mut registrar);
    for headers in ["Contact: *\r\n", "Contact: *\r\nExpires: 60\r\n"] {
        let refused = bind(&mut registrar, start, register(3, headers));
        assert_eq!(refused, Err(Refused::BadWildcard));
    }
    let mixed = read(
        3,
        flow(5060),
        "Contact: *\r\nContact: <sip:c@10.0.0.5>\r\nExpires: 0\r\n",
    );
    assert_eq!(mixed, Err(Unreadable::Refused(Refused::BadWildcard)));
    assert_eq!(registrar.len(), 2, "refused requests change nothing");
    let old = bind(
        &mut registrar,
        start,
        register(2, "Contact: *\r\nExpires: 0\r\n"),
    );
    assert_eq!(old, Err(Refused::OutOfOrder));
    assert_eq!(
        bind(
            &mut registrar,
            start,
            register(3, "Contact: *\r\nExpires: 0\r\n")
        ),
        Ok(vec![])
    );
    assert_eq!(
        events(&mut registrar),
        [
            "-sip:a@10.0.0.5 Removed true",
            "-sip:b@10.0.0.5 Removed false"
        ]
    );
}

#[test]
fn an_overtaken_request_changes_nothing() {
    let start = origin();
    let mut registrar = registrar();
    bind(
        &mut registrar,
        start,
        register(5, "Contact: <sip:a@10.0.0.5>;expires=60\r\n"),
    )
    .expect("bound");
    for cseq in [4, 5] {
        let headers = "Contact: <sip:new@10.0.0.5>, <sip:a@10.0.0.5>;expires=0\r\n";
        let late = bind(&mut registrar, start, register(cseq, headers));
        assert_eq!(late, Err(Refused::OutOfOrder));
    }
    assert_eq!(registrar.len(), 1, "all or nothing");
    let mut restarted = register(1, "Contact: <sip:a@10.0.0.5>;expires=90\r\n");
    restarted.call_id = Bytes::from_static(b"two");
    assert!(
        bind(&mut registrar, start, restarted).is_ok(),
        "another Call-ID starts over"
    );
}

#[test]
fn an_account_registers_for_itself_alone() {
    let start = origin();
    let mut registrar = registrar();
    let request = register(1, "Contact: <sip:a@10.0.0.5>\r\n");
    let refused = registrar.handle_register(start, &id("1002"), request.clone());
    assert_eq!(refused, Err(Refused::NotYours));
    assert_eq!(Refused::NotYours.status(), 403);
    let unknown = registrar.handle_register(start, &id("9999"), request);
    assert_eq!(unknown, Err(Refused::NotYours));
}

#[test]
fn contacts_are_limited_by_request_by_account_and_in_all() {
    let start = origin();
    let mut registrar = registrar();
    let many: Vec<String> = (0..9).map(|n| format!("<sip:{n}@10.0.0.5>")).collect();
    let refused = bind(
        &mut registrar,
        start,
        register(1, &format!("Contact: {}\r\n", many.join(", "))),
    );
    assert_eq!(refused, Err(Refused::TooManyContacts));
    let thousand = "Contact: <sip:x@10.0.0.5>\r\n".repeat(100);
    assert_eq!(
        read(1, flow(5060), &thousand),
        Err(Unreadable::Refused(Refused::TooManyContacts))
    );
    for n in 1..=9 {
        let granted = bind(
            &mut registrar,
            start,
            register(n, &format!("Contact: <sip:{n}@10.0.0.5>\r\n")),
        );
        assert_eq!(granted.expect("room is made").len(), (n as usize).min(8));
    }
    assert!(events(&mut registrar).contains(&"-sip:1@10.0.0.5 Replaced true".to_owned()));

    let mut small = Registrar::new(Limits {
        contacts: 1,
        ..Limits::default()
    });
    small.set_accounts(vec![account("1001")]);
    assert!(
        bind(
            &mut small,
            start,
            register(1, "Contact: <sip:a@10.0.0.5>\r\n")
        )
        .is_ok()
    );
    let full = bind(
        &mut small,
        start,
        register(2, "Contact: <sip:b@10.0.0.5>\r\n"),
    );
    assert_eq!(full, Err(Refused::Full));
    assert!(
        bind(
            &mut small,
            start,
            register(3, "Contact: <sip:a@10.0.0.5>\r\n")
        )
        .is_ok()
    );
}

#[test]
fn one_contact_written_twice_is_one() {
    let start = origin();
    let mut registrar = registrar();
    let headers =
        "Contact: <sip:a@10.0.0.5>;expires=60\r\nContact: <sip:a@10.0.0.5>;expires=90\r\n";
    let granted = bind(&mut registrar, start, register(1, headers));
    assert_eq!(granted, Ok(vec!["<sip:a@10.0.0.5>;expires=90".to_owned()]));
}

#[test]
fn contacts_that_no_call_can_reach_are_refused() {
    for contact in ["mailto:a@b.example", "tel:+551140028922"] {
        let refused = read(1, flow(5060), &format!("Contact: <{contact}>\r\n"));
        assert_eq!(
            refused,
            Err(Unreadable::Refused(Refused::BadContact)),
            "{contact}"
        );
    }
    let long = format!("Contact: <sip:{}@10.0.0.5>\r\n", "a".repeat(600));
    assert_eq!(
        read(1, flow(5060), &long),
        Err(Unreadable::Refused(Refused::BadContact))
    );
    let broken = read(1, flow(5060), "Contact: <sip:a@@b>\r\n").expect_err("malformed");
    assert_eq!(broken.status(), 400);
}

#[test]
fn an_instance_that_comes_back_from_elsewhere_takes_its_own_place() {
    let start = origin();
    let mut registrar = registrar();
    let contact = |host: &str, flow_id: &str| {
        format!("Contact: <sip:a@{host}>;+sip.instance=\"<urn:uuid:1>\"{flow_id}\r\n")
    };
    bind(&mut registrar, start, register(1, &contact("10.0.0.5", ""))).expect("bound");
    let moved = read(2, flow(6060), &contact("10.0.0.6", "")).expect("readable");
    let granted = bind(&mut registrar, start, moved).expect("bound");
    assert_eq!(granted, ["<sip:a@10.0.0.6>;expires=300"]);
    assert_eq!(
        events(&mut registrar),
        ["+sip:a@10.0.0.5 5060", "+sip:a@10.0.0.6 6060"]
    );
    let second_flow = register(3, &contact("10.0.0.7", ";reg-id=2"));
    assert_eq!(
        bind(&mut registrar, start, second_flow)
            .expect("bound")
            .len(),
        2
    );
}

#[test]
fn targets_stand_by_preference_then_by_freshness() {
    let start = origin();
    let mut registrar = registrar();
    for (cseq, contact) in [
        (1, "<sip:last@10.0.0.5>;q=0.2"),
        (2, "<sip:older@10.0.0.5>;q=0.7"),
        (3, "<sip:newer@10.0.0.5>;q=0.7"),
    ] {
        let path = "Path: <sip:edge.example;lr>\r\n";
        bind(
            &mut registrar,
            start,
            register(cseq, &format!("Contact: {contact}\r\n{path}")),
        )
        .expect("bound");
    }
    let targets = registrar.targets(start, &id("1001"));
    let uris: Vec<String> = targets
        .iter()
        .map(|target| target.uri.to_string())
        .collect();
    assert_eq!(
        uris,
        [
            "sip:newer@10.0.0.5",
            "sip:older@10.0.0.5",
            "sip:last@10.0.0.5"
        ]
    );
    assert_eq!(
        targets[0].path,
        [Bytes::from_static(b"<sip:edge.example;lr>")]
    );
    assert!(
        registrar
            .targets(start + seconds(300), &id("1001"))
            .is_empty()
    );
    let shown = bind(&mut registrar, start, register(4, "")).expect("a question");
    assert!(
        shown.contains(&"<sip:last@10.0.0.5>;expires=300;q=0.200".to_owned()),
        "{shown:?}"
    );
}

#[test]
fn a_closed_connection_ends_only_what_hangs_on_it() {
    let start = origin();
    for (transport, contact, remains) in [
        (Transport::Wss, "<sip:a@x.invalid>", false),
        (Transport::Tcp, "<sip:a@10.0.0.5>", true),
        (
            Transport::Tcp,
            "<sip:a@10.0.0.5>;reg-id=1;+sip.instance=\"<urn:uuid:1>\"",
            false,
        ),
    ] {
        let mut registrar = registrar();
        let request = read(
            1,
            connected(transport, 9),
            &format!("Contact: {contact}\r\n"),
        );
        bind(&mut registrar, start, request.expect("readable")).expect("bound");
        registrar.handle_connection_closed(ConnectionId(8));
        assert_eq!(registrar.len(), 1);
        registrar.handle_connection_closed(ConnectionId(9));
        let targets = registrar.targets(start, &id("1001"));
        assert_eq!(!targets.is_empty(), remains, "{transport} {contact}");
        if let Some(target) = targets.first() {
            assert_eq!(target.flow.connection, None);
        }
    }
}

#[test]
fn a_new_password_or_a_removed_account_ends_the_registration() {
    let start = origin();
    for change in 0..4 {
        let mut registrar = registrar();
        bind(
            &mut registrar,
            start,
            register(1, "Contact: <sip:a@10.0.0.5>\r\n"),
        )
        .expect("bound");
        events(&mut registrar);
        let mut same = account("1001");
        match change {
            0 => {}
            1 => same.secret = Secret::new("1001", "ramal", "other"),
            2 => same.user = "2001".to_owned(),
            _ => same.id = id("other"),
        }
        registrar.set_accounts(vec![same]);
        let expected: &[&str] = match change {
            0 => &[],
            _ => &["-sip:a@10.0.0.5 AccountChanged false"],
        };
        assert_eq!(events(&mut registrar), expected, "change {change}");
    }
}

/// Whatever is registered, removed, closed and expired: the indexes hold what the bindings say.
#[test]
fn the_indexes_agree_with_the_bindings_over_many_seeds() {
    use rand::{Rng, SeedableRng, rngs::SmallRng};
    for seed in 0..100 {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut registrar = registrar();
        let mut now = origin();
        for cseq in 1..200 {
            now += seconds(rng.random_range(0..40));
            match rng.random_range(0..10) {
                0 => registrar.handle_connection_closed(ConnectionId(rng.random_range(0..4))),
                1 => registrar.handle_timeout(now),
                2 => {
                    let _ = bind(
                        &mut registrar,
                        now,
                        register(cseq, "Contact: *\r\nExpires: 0\r\n"),
                    );
                }
                _ => {
                    let flow = match rng.random_range(0..3) {
                        0 => flow(rng.random_range(1..5)),
                        1 => connected(Transport::Tcp, rng.random_range(0..4)),
                        _ => connected(Transport::Ws, rng.random_range(0..4)),
                    };
                    let contact = rng.random_range(0..20);
                    let expires = [0, 30, 90][rng.random_range(0..3)];
                    let headers =
                        format!("Contact: <sip:{contact}@10.0.0.5>;expires={expires}\r\n");
                    let request = read(cseq, flow, &headers).expect("readable");
                    bind(&mut registrar, now, request).expect("in order");
                }
            }
            let count = registrar.len();
            assert_eq!(registrar.by_account.len(), count, "seed {seed}");
            assert_eq!(registrar.by_deadline.len(), count, "seed {seed}");
            assert_eq!(registrar.by_address.len(), count, "seed {seed}");
            let connected = registrar
                .bindings
                .values()
                .filter(|b| b.flow.connection.is_some());
            assert_eq!(
                registrar.by_connection.len(),
                connected.count(),
                "seed {seed}"
            );
        }
        registrar.handle_timeout(now + seconds(3600));
        assert!(registrar.is_empty());
        let news = events(&mut registrar);
        let gone = news.iter().filter(|event| event.starts_with('-')).count();
        assert!(gone > 0, "seed {seed}");
    }
}
