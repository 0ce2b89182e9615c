//! What RFC 3263 section 4 makes of a target and the answers so far.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use rand::Rng;

use super::{Answer, Families, Question, Record, Server, Target, TargetHost, domain};
use crate::sip::Transport;

/// One service of the target, with all addresses of its host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    rank: Rank,
    weight: u16,
    servers: Vec<Server>,
}

/// Where a place stands before chance and addresses come in: lower ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// The transport's turn: by NAPTR, else by our own preference.
    turn: usize,
    /// The SRV priority.
    priority: u16,
}

/// One service of the target, its host still a name.
struct Service {
    rank: Rank,
    weight: u16,
    transport: Transport,
    host: TargetHost,
    port: u16,
}

type Answers = BTreeMap<Question, Answer>;

/// All places of a target, or the questions that have to be answered first.
pub(super) fn plan(
    target: &Target,
    families: Families,
    answers: &Answers,
) -> Result<Vec<Place>, Vec<Question>> {
    let mut services = services(target, answers)?;
    services.sort_by_key(|service| service.rank);
    services.truncate(SERVICES_MAX);

    let mut places = Vec::with_capacity(services.len());
    let mut lacking = Vec::new();
    for service in services {
        match addresses(&service.host, families, answers) {
            Ok(addresses) => places.push(service.place(target, addresses)),
            Err(questions) => lacking.extend(questions),
        }
    }
    if lacking.is_empty() {
        Ok(places)
    } else {
        lacking.sort();
        lacking.dedup();
        Err(lacking)
    }
}

/// Puts the places in the order of trying. Among equals of priority, each comes first as often as
/// its weight is of all their weights (RFC 2782).
pub(super) fn order(mut places: Vec<Place>, rng: &mut impl Rng) -> Vec<Server> {
    let mut servers: Vec<Server> = Vec::new();
    while let Some(rank) = places.iter().map(|place| place.rank).min() {
        let equals: Vec<usize> = (0..places.len())
            .filter(|index| places[*index].rank == rank)
            .collect();
        let chosen = weighted(&equals, &places, rng);
        for server in places.remove(chosen).servers {
            if servers.len() < SERVERS_MAX && !servers.contains(&server) {
                servers.push(server);
            }
        }
    }
    servers
}

/// One of `equals`, by weight. A place of weight 0 is chosen only where all are, or by the one
/// chance in `total + 1` that RFC 2782 leaves it.
fn weighted(equals: &[usize], places: &[Place], rng: &mut impl Rng) -> usize {
    let weight = |index: usize| u64::from(places[index].weight);
    let mut by_weight = equals.to_vec();
    by_weight.sort_by_key(|index| weight(*index) > 0); // Those of weight 0 stand first.
    let total: u64 = by_weight.iter().map(|index| weight(*index)).sum();
    let chance = rng.random_range(0..=total);
    let mut sum = 0;
    for index in &by_weight {
        sum += weight(*index);
        if sum >= chance {
            return *index;
        }
    }
    equals.first().copied().unwrap_or(0)
}

/// RFC 3263 sections 4.1 and 4.2: which transports and hosts, by NAPTR and SRV.
fn services(target: &Target, answers: &Answers) -> Result<Vec<Service>, Vec<Question>> {
    let domain = match &target.host {
        TargetHost::Address(_) => return Ok(vec![direct(target)]),
        TargetHost::Domain(_) if target.port.is_some() => return Ok(vec![direct(target)]),
        TargetHost::Domain(domain) => domain,
    };
    let ways = match target.transport {
        Some(transport) => match service_name(transport, domain) {
            Some(name) => vec![(transport, name)],
            None => return Ok(vec![direct(target)]),
        },
        None => ways(target, domain, answers)?,
    };

    let mut services = Vec::new();
    let mut lacking = Vec::new();
    let mut any = false;
    for (turn, (transport, name)) in ways.into_iter().enumerate() {
        let question = Question::Srv(name);
        match answers.get(&question) {
            None => lacking.push(question),
            Some(answer) => {
                for record in records(answer) {
                    let Record::Srv {
                        priority,
                        weight,
                        port,
                        target,
                    } = record
                    else {
                        continue;
                    };
                    any = true;
                    // The target `.` says that there is no such service, and is no domain.
                    if let Some(host) = super::domain(target) {
                        services.push(Service {
                            rank: Rank {
                                turn,
                                priority: *priority,
                            },
                            weight: *weight,
                            transport,
                            host: TargetHost::Domain(host),
                            port: *port,
                        });
                    }
                }
            }
        }
    }
    if !lacking.is_empty() {
        return Err(lacking);
    }
    if !any {
        services.push(direct(target));
    }
    Ok(services)
}

/// The transports to ask for and the names to ask with: by NAPTR, else all that we have.
fn ways(
    target: &Target,
    domain: &str,
    answers: &Answers,
) -> Result<Vec<(Transport, String)>, Vec<Question>> {
    let question = Question::Naptr(domain.to_owned());
    let Some(answer) = answers.get(&question) else {
        return Err(vec![question]);
    };
    let mut found: Vec<_> = records(answer)
        .iter()
        .filter_map(|record| naptr(record, target.secure))
        .collect();
    found.sort();
    if !found.is_empty() {
        return Ok(found
            .into_iter()
            .map(|(_, _, transport, name)| (transport, name))
            .collect());
    }
    let ours: &[Transport] = match target.secure {
        true => &[Transport::Tls],
        false => &[Transport::Udp, Transport::Tcp, Transport::Tls],
    };
    let with_name = |transport: &Transport| Some((*transport, service_name(*transport, domain)?));
    Ok(ours.iter().filter_map(with_name).collect())
}

/// A NAPTR record that we can use: its order, preference, transport and name for SRV.
fn naptr(record: &Record, secure: bool) -> Option<(u16, u16, Transport, String)> {
    let Record::Naptr {
        order,
        preference,
        flags,
        service,
        replacement,
    } = record
    else {
        return None;
    };
    let known = [
        ("SIP+D2U", Transport::Udp),
        ("SIP+D2T", Transport::Tcp),
        ("SIPS+D2T", Transport::Tls),
    ];
    let (_, transport) = known
        .into_iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(service))?;
    if !flags.eq_ignore_ascii_case("s") || (secure && !transport.is_secure()) {
        return None;
    }
    Some((*order, *preference, transport, domain(replacement)?))
}

/// The host itself, without SRV: UDP where nothing else was written (RFC 3263 section 4.1).
fn direct(target: &Target) -> Service {
    let transport = target.transport.unwrap_or(match target.secure {
        true => Transport::Tls,
        false => Transport::Udp,
    });
    Service {
        rank: Rank {
            turn: 0,
            priority: 0,
        },
        weight: 0,
        transport,
        host: target.host.clone(),
        port: target.port.unwrap_or(default_port(transport)),
    }
}

/// The name that SRV records stand under. WebSockets have none (RFC 7118 section 6).
fn service_name(transport: Transport, domain: &str) -> Option<String> {
    match transport {
        Transport::Udp => Some(format!("_sip._udp.{domain}")),
        Transport::Tcp => Some(format!("_sip._tcp.{domain}")),
        Transport::Tls => Some(format!("_sips._tcp.{domain}")),
        Transport::Ws | Transport::Wss => None,
    }
}

/// RFC 3261 section 19.1.2, RFC 7118 section 5.
fn default_port(transport: Transport) -> u16 {
    match transport {
        Transport::Udp | Transport::Tcp => 5060,
        Transport::Tls => 5061,
        Transport::Ws => 80,
        Transport::Wss => 443,
    }
}

/// The addresses of a host that we can send to, the preferred kind first.
fn addresses(
    host: &TargetHost,
    families: Families,
    answers: &Answers,
) -> Result<Vec<IpAddr>, Vec<Question>> {
    let name = match host {
        TargetHost::Address(address) => {
            let usable = match (address, families) {
                (IpAddr::V4(_), Families::V6) | (IpAddr::V6(_), Families::V4) => false,
                (IpAddr::V4(_) | IpAddr::V6(_), _) => true,
            };
            return Ok(if usable { vec![*address] } else { vec![] });
        }
        TargetHost::Domain(name) => name,
    };
    let (v4, v6) = (Question::A(name.clone()), Question::Aaaa(name.clone()));
    let questions = match families {
        Families::V4 => vec![v4],
        Families::V6 => vec![v6],
        Families::V4First => vec![v4, v6],
        Families::V6First => vec![v6, v4],
    };
    let lacking: Vec<_> = questions
        .iter()
        .filter(|question| !answers.contains_key(question))
        .cloned()
        .collect();
    if !lacking.is_empty() {
        return Err(lacking);
    }
    let found = questions.iter().flat_map(|question| {
        let wants_v4 = matches!(question, Question::A(_));
        let records = answers.get(question).map(records).unwrap_or_default();
        records.iter().filter_map(move |record| match record {
            Record::Address(address) if address.is_ipv4() == wants_v4 => Some(*address),
            Record::Address(_) | Record::Naptr { .. } | Record::Srv { .. } => None,
        })
    });
    Ok(found.collect())
}

fn records(answer: &Answer) -> &[Record] {
    match answer {
        Answer::Found { records, .. } => records,
        Answer::Nothing | Answer::Failed => &[],
    }
}

impl Service {
    fn place(self, target: &Target, addresses: Vec<IpAddr>) -> Place {
        let name = match &target.host {
            TargetHost::Domain(name) => Some(name.clone()),
            TargetHost::Address(_) => None,
        };
        Place {
            rank: self.rank,
            weight: self.weight,
            servers: addresses
                .into_iter()
                .map(|address| Server {
                    transport: self.transport,
                    address: SocketAddr::new(address, self.port),
                    name: name.clone(),
                })
                .collect(),
        }
    }
}

/// Hosts of one target whose addresses are asked for. More would turn one call into a flood of
/// questions.
const SERVICES_MAX: usize = 16;

/// Places that one request may try.
const SERVERS_MAX: usize = 32;
