//! Who is who in the world: one company, a carrier, a telephone.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use exchange::directory::{Announcement, Company, Directory, Number, Outbound, Service};
use media_engine::sip::digest::{Credentials, Secret};
use media_engine::sip::endpoint::{EndpointConfig, Listener};
use media_engine::sip::registrar::Account;
use media_engine::sip::trunk::{Address, Line, Numbers, Trunk};
use media_engine::sip::{AccountId, Transport, TrunkId};

/// The carrier among the peers.
pub const CARRIER: usize = 0;

/// The telephone among the peers.
pub const PHONE: usize = 1;

/// Where Ramal is.
pub(super) const NODE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// The names of carrier and telephone, as Ramal knows them.
pub(super) const NAMES: [&str; 2] = ["carrier", "phone"];

/// What the telephone's registration is good for: long enough for every call of a world.
const REGISTERED: Duration = Duration::from_secs(120);

/// What can be dialled, and leads somewhere: the last two are refused.
pub(super) const NUMBERS: [&str; 8] = [
    "4000", "4000", "4000", "4000", "4001", "4002", "4009", "4999",
];

/// Where a peer is.
pub(super) fn host(peer: usize) -> IpAddr {
    let last = 2 + u8::try_from(peer).expect("two peers");
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))
}

/// An endpoint that listens at `host`.
pub(super) fn endpoint(host: IpAddr) -> EndpointConfig {
    EndpointConfig {
        listeners: vec![Listener {
            transport: Transport::Udp,
            local: SocketAddr::new(host, 5060),
            public_host: host.to_string(),
            public_port: 5060,
        }],
        domain: NODE.to_string(),
        ..EndpointConfig::default()
    }
}

fn trunk(name: &str, host: IpAddr) -> Trunk {
    let network = host.to_string().parse().expect("a network");
    Trunk {
        id: TrunkId(name.into()),
        company: "demo".into(),
        name: name.into(),
        addresses: vec![Address {
            network,
            transport: None,
        }],
        host: Some(host.to_string()),
        transport: Some(Transport::Udp),
        outbound_proxy: None,
        credentials: None,
        line: None,
        numbers: Numbers::default(),
        codecs: Vec::new(),
        calls_max: 1_000,
        calls_per_second_max: 1_000,
        trusted: true,
        ping: None,
    }
}

/// The carrier, as Ramal knows it.
pub(super) fn carrier() -> Trunk {
    trunk(NAMES[CARRIER], host(CARRIER))
}

/// The account of the telephone, as Ramal knows it.
pub(super) fn account() -> Account {
    let name = NAMES[PHONE];
    Account {
        id: AccountId(name.into()),
        user: name.into(),
        company: "demo".into(),
        secret: Secret::new(name, &NODE.to_string(), "a password"),
    }
}

/// Ramal, as a peer knows it: the telephone registers there, the carrier is known by its address.
pub(super) fn ramal(peer: usize) -> Trunk {
    let mut ramal = trunk("ramal", NODE);
    if peer == PHONE {
        let name = NAMES[PHONE];
        ramal.credentials = Some(Credentials {
            username: name.into(),
            password: "a password".into(),
            realm: None,
        });
        ramal.line = Some(Line {
            token: "line-of-the-telephone".into(),
            address_of_record: format!("sip:{name}@{NODE}"),
            registrar: format!("sip:{NODE}"),
            expires: REGISTERED,
        });
    }
    ramal
}

/// The company: a menu with hours, prompts, digits, a queue, an extension, a number outside, a
/// look-up and a message.
pub(super) fn directory() -> Directory {
    let mut library = ivr::Library::default();
    for (name, entry) in [("menu", "hours"), ("line", "sales"), ("desk", "phone")] {
        let flow = MENU.replace("ENTRY", entry);
        let flow: ivr::Flow = serde_json::from_str(&flow).expect("a flow");
        library.flows.insert(name.into(), Arc::new(flow));
    }
    let number = |name: &str, flow: Option<&str>| {
        let number = Number {
            id: name.parse().expect("an id"),
            trunk: None,
            flow: flow.map(|flow| (flow.parse().expect("an id"), 1)),
            priority: 0,
        };
        (name.to_owned(), number)
    };
    let company = Company {
        id: "demo".parse().expect("an id"),
        name: "Demo".into(),
        language: ivr::Language::PtBr,
        zone: jiff::tz::TimeZone::UTC,
        country_code: "55".into(),
        numbers: BTreeMap::from([
            number("4000", Some("menu")),
            number("4001", Some("line")),
            number("4002", Some("desk")),
            number("4009", None),
        ]),
        owners: BTreeMap::new(),
        outside_phones: BTreeMap::new(),
        extensions: BTreeMap::from([("200".to_owned(), NAMES[PHONE].parse().expect("an id"))]),
        outbound: Some(Outbound {
            trunk: NAMES[CARRIER].parse().expect("an id"),
            number: "4000".into(),
        }),
        outbound_rules: Arc::default(),
        channels: BTreeMap::new(),
        services: BTreeMap::from([("sales".parse().expect("an id"), service())]),
        agents: BTreeMap::new(),
        pauses: BTreeMap::new(),
        skills: BTreeMap::new(),
        desk: Arc::default(),
        prompts: BTreeMap::new(),
        library: Arc::new(library),
    };
    let id = company.id.clone();
    Directory {
        trunks: BTreeMap::from([(NAMES[CARRIER].parse().expect("an id"), id.clone())]),
        devices: BTreeMap::from([(NAMES[PHONE].parse().expect("an id"), id.clone())]),
        companies: BTreeMap::from([(id, Arc::new(company))]),
    }
}

fn service() -> Service {
    Service {
        name: "Vendas".into(),
        wait_limit: Duration::from_secs(12),
        line_max: 2,
        ring: Duration::from_secs(15),
        wrap_up: Duration::ZERO,
        music: None,
        announcements: vec![Announcement {
            prompt: "hold-on".parse().expect("an id"),
            after: Duration::from_secs(1),
            every: Some(Duration::from_secs(10)),
        }],
        say_position: true,
        unanswered: Some("nobody".parse().expect("an id")),
        calendar: None,
        rules: desk::rules::ServiceRules::default(),
        calls: exchange::directory::CallRules::default(),
    }
}

/// Shorter waits than people get: a world has many calls to see.
const MENU: &str = r#"{ "format": 1, "language": "pt-BR", "entry": "ENTRY", "nodes": {
    "hours": { "kind": "hours", "open": "welcome", "closed": "sorry", "calendar": { "inline": {
        "time_zone": "America/Sao_Paulo",
        "schedule": { "weekly": { "monday": [{ "from": "08:00", "to": "18:00" }] } } } } },
    "welcome": { "kind": "prompt", "say": [{ "kind": "prompt", "prompt": "hello" }], "next": "menu" },
    "menu": { "kind": "menu", "say": [{ "kind": "text", "text": "Digite" }], "first_digit_ms": 2500,
              "choices": [{ "key": "1", "to": "sales" }, { "key": "2", "to": "phone" },
                          { "key": "3", "to": "message" }, { "key": "4", "to": "digits" },
                          { "key": "5", "to": "outside" }, { "key": "6", "to": "look" }],
              "repeat_key": "9", "otherwise": "sorry" },
    "sales": { "kind": "queue", "service": "sales", "unanswered": "message", "closed": "sorry",
               "leave": [{ "key": "*", "to": "menu" }] },
    "phone": { "kind": "dial", "to": { "extension": "200" }, "ring_ms": 8000,
               "busy": "menu", "no_answer": "message", "failed": "sorry", "ended": "sorry" },
    "outside": { "kind": "dial", "to": { "number": "+551140000001" }, "ring_ms": 8000,
                 "busy": "menu", "failed": "sorry" },
    "digits": { "kind": "collect", "say": [{ "kind": "text", "text": "CPF" }], "variable": "cpf",
                "min": 2, "max": 3, "first_digit_ms": 2500, "inter_digit_ms": 1500,
                "next": "look", "otherwise": "sorry" },
    "look": { "kind": "lookup", "url": "http://192.0.2.9/", "timeout_ms": 1000,
              "success": "sales", "failure": "menu" },
    "message": { "kind": "record", "say": [{ "kind": "prompt", "prompt": "speak" }], "beep": true,
                 "max_seconds": 5, "service": "sales", "next": "sorry" },
    "sorry": { "kind": "hang-up", "say": [{ "kind": "prompt", "prompt": "sorry" }] } } }"#;
