//! Answers to the questions of [`media_engine::sip::resolve`], from the hosts file and the DNS.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RData, Record as DnsRecord, RecordType};
use hickory_resolver::{Hosts, TokioResolver};
use media_engine::sip::resolve::{Answer, Question, Record};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// How long one server may take, and how often it is asked: a lost datagram costs two seconds.
const SERVER_TIMEOUT: Duration = Duration::from_secs(2);
const ATTEMPTS: usize = 2;

/// How long a question may take in all, waiting for its turn included: the caller hears nothing
/// meanwhile, and the next server of a plan may be better.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(5);

/// Questions under way at one time. More wait: a dead DNS must not gather sockets.
const QUESTIONS_MAX: usize = 64;

/// Records taken from one answer; nobody has that many servers.
const RECORDS_MAX: usize = 32;

/// Answers kept until their time to live has passed.
const CACHE_ANSWERS: u64 = 1024;

/// Why names cannot be looked up at all: the system's configuration is at fault.
#[derive(Debug, thiserror::Error)]
#[error("the resolver cannot be set up: {0}")]
pub struct ResolverError(#[from] NetError);

/// Asks the DNS; shared by reference, never blocks the thread.
#[derive(Debug)]
pub struct Resolver {
    dns: TokioResolver,
    hosts: Hosts,
    turns: Semaphore,
    patience: Duration,
}

impl Resolver {
    /// A resolver that asks the servers the system is configured with.
    pub fn system() -> Result<Self, ResolverError> {
        let mut builder = TokioResolver::builder_tokio()?;
        limit(builder.options_mut());
        Ok(Self::new(builder.build()?))
    }

    /// A resolver that asks these servers and no others, over UDP and, for long answers, TCP.
    pub fn with_servers(servers: &[SocketAddr]) -> Result<Self, ResolverError> {
        let servers = servers.iter().map(|server| {
            let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut one| {
                one.port = server.port();
                one
            });
            NameServerConfig::new(server.ip(), true, connections.into())
        });
        let config = ResolverConfig::from_name_servers(servers.collect());
        let provider = TokioRuntimeProvider::default();
        let mut builder = TokioResolver::builder_with_config(config, provider);
        limit(builder.options_mut());
        Ok(Self::new(builder.build()?))
    }

    fn new(dns: TokioResolver) -> Self {
        let hosts = Hosts::from_system().unwrap_or_default();
        Self {
            dns,
            hosts,
            turns: Semaphore::new(QUESTIONS_MAX),
            patience: QUESTION_TIMEOUT,
        }
    }

    /// The answer to one question, within five seconds.
    pub async fn answer(&self, question: &Question) -> Answer {
        let (name, kind) = match question {
            Question::Naptr(name) => (name, RecordType::NAPTR),
            Question::Srv(name) => (name, RecordType::SRV),
            Question::A(name) => (name, RecordType::A),
            Question::Aaaa(name) => (name, RecordType::AAAA),
        };
        let Ok(mut name) = Name::from_utf8(name) else {
            return Answer::Failed;
        };
        name.set_fqdn(true); // as written: search domains are for people at a terminal
        if let Some(found) = self
            .hosts
            .lookup_static_host(&Query::query(name.clone(), kind))
        {
            return found_in(&found, kind);
        }
        let asked = async {
            let _turn = self.turns.acquire().await.ok()?;
            Some(self.dns.lookup(name, kind).await)
        };
        match timeout(self.patience, asked).await {
            Ok(Some(Ok(found))) => found_in(&found, kind),
            Ok(Some(Err(error))) if error.is_no_records_found() => Answer::Nothing,
            Ok(Some(Err(error))) => {
                tracing::debug!(?question, %error, "name not resolved");
                Answer::Failed
            }
            Ok(None) | Err(_) => Answer::Failed,
        }
    }
}

fn limit(options: &mut ResolverOpts) {
    options.timeout = SERVER_TIMEOUT;
    options.attempts = ATTEMPTS;
    options.cache_size = CACHE_ANSWERS;
}

fn found_in(found: &Lookup, kind: RecordType) -> Answer {
    let fitting = || {
        found
            .answers()
            .iter()
            .filter(|record| record.record_type() == kind)
    };
    let records: Vec<Record> = fitting().filter_map(record).take(RECORDS_MAX).collect();
    if records.is_empty() {
        return Answer::Nothing;
    }
    let ttl = fitting().map(|record| record.ttl).min().unwrap_or(0);
    Answer::Found {
        records,
        ttl: Duration::from_secs(ttl.into()),
    }
}

fn record(record: &DnsRecord) -> Option<Record> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the DNS has scores of records"
    )]
    match &record.data {
        RData::A(address) => Some(Record::Address(address.0.into())),
        RData::AAAA(address) => Some(Record::Address(address.0.into())),
        RData::SRV(srv) => Some(Record::Srv {
            priority: srv.priority,
            weight: srv.weight,
            port: srv.port,
            target: host(&srv.target),
        }),
        RData::NAPTR(naptr) => Some(Record::Naptr {
            order: naptr.order,
            preference: naptr.preference,
            flags: text(&naptr.flags),
            service: text(&naptr.services),
            replacement: host(&naptr.replacement),
        }),
        _ => None,
    }
}

/// A name as SIP writes it: without the last dot, except for the root itself.
fn host(name: &Name) -> String {
    if name.is_root() {
        return ".".to_owned();
    }
    let text = name.to_lowercase().to_utf8();
    text.strip_suffix('.').unwrap_or(&text).to_owned()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use hickory_resolver::proto::op::{Message, OpCode, ResponseCode};
    use hickory_resolver::proto::rr::rdata::{A, NAPTR, SRV};
    use tokio::net::UdpSocket;

    use super::*;

    fn name(text: &str) -> Name {
        Name::from_ascii(text).expect("a name")
    }

    /// What the DNS of the tests holds; `None` for a name that does not exist.
    fn zone(query: &Query) -> Option<Vec<RData>> {
        let about = query.name().to_ascii();
        match (about.as_str(), query.query_type()) {
            ("carrier.example.", RecordType::NAPTR) => Some(vec![RData::NAPTR(NAPTR::new(
                10,
                20,
                (*b"S").into(),
                (*b"SIP+D2U").into(),
                (*b"").into(),
                name("_sip._udp.carrier.example."),
            ))]),
            ("_sip._udp.carrier.example.", RecordType::SRV) => Some(vec![RData::SRV(SRV::new(
                1,
                5,
                5070,
                name("A.Carrier.example."),
            ))]),
            ("none.example.", RecordType::SRV) => {
                Some(vec![RData::SRV(SRV::new(0, 0, 0, Name::root()))])
            }
            ("a.carrier.example.", RecordType::A) => Some(
                (1..=40)
                    .map(|last| RData::A(A::new(192, 0, 2, last)))
                    .collect(),
            ),
            ("a.carrier.example.", _) => Some(Vec::new()),
            _ => None,
        }
    }

    /// A DNS server on the loopback, for as long as the test lasts.
    async fn server() -> SocketAddr {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("free");
        let address = socket.local_addr().expect("bound");
        tokio::spawn(async move {
            let mut buffer = [0; 1500];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let asked = Message::from_vec(&buffer[..length]).expect("a query");
                let query = asked.queries[0].clone();
                let mut answer = Message::response(asked.metadata.id, OpCode::Query);
                answer.add_query(query.clone());
                match zone(&query) {
                    None => answer.metadata.response_code = ResponseCode::NXDomain,
                    Some(records) => {
                        for data in records {
                            answer.add_answer(DnsRecord::from_rdata(
                                query.name().clone(),
                                300,
                                data,
                            ));
                        }
                    }
                }
                let bytes = answer.to_vec().expect("encodes");
                socket.send_to(&bytes, from).await.expect("sent");
            }
        });
        address
    }

    fn records(answer: Answer) -> Vec<Record> {
        match answer {
            Answer::Found { records, ttl } => {
                assert!(ttl <= Duration::from_secs(300) && !ttl.is_zero());
                records
            }
            other @ (Answer::Nothing | Answer::Failed) => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn each_kind_of_question_gets_its_records() {
        let resolver = Resolver::with_servers(&[server().await]).expect("set up");
        let naptr = resolver
            .answer(&Question::Naptr("carrier.example".into()))
            .await;
        assert_eq!(
            records(naptr),
            [Record::Naptr {
                order: 10,
                preference: 20,
                flags: "S".into(),
                service: "SIP+D2U".into(),
                replacement: "_sip._udp.carrier.example".into(),
            }]
        );
        let srv = resolver
            .answer(&Question::Srv("_sip._udp.carrier.example".into()))
            .await;
        let target = "a.carrier.example".to_owned();
        assert_eq!(
            records(srv),
            [Record::Srv {
                priority: 1,
                weight: 5,
                port: 5070,
                target
            }]
        );
        let none = records(resolver.answer(&Question::Srv("none.example".into())).await);
        assert!(matches!(&none[..], [Record::Srv { target, .. }] if target == "."));
    }

    #[tokio::test]
    async fn too_many_records_are_cut_and_missing_ones_are_nothing() {
        let resolver = Resolver::with_servers(&[server().await]).expect("set up");
        let a = records(
            resolver
                .answer(&Question::A("a.carrier.example".into()))
                .await,
        );
        assert_eq!(a.len(), RECORDS_MAX);
        assert!(a.contains(&Record::Address(IpAddr::from([192, 0, 2, 1]))));
        for question in [
            Question::Aaaa("a.carrier.example".into()),
            Question::A("gone.example".into()),
        ] {
            assert_eq!(
                resolver.answer(&question).await,
                Answer::Nothing,
                "{question:?}"
            );
        }
        let nonsense = Question::A("a..b".into());
        assert_eq!(resolver.answer(&nonsense).await, Answer::Failed);
    }

    #[tokio::test]
    async fn a_dead_dns_fails_within_the_time_of_a_question() {
        // Bound and never read: every query is lost.
        let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("free");
        let servers = [silent.local_addr().expect("bound")];
        let mut resolver = Resolver::with_servers(&servers).expect("set up");
        resolver.patience = Duration::from_millis(50);
        let answer = resolver
            .answer(&Question::A("carrier.example".into()))
            .await;
        assert_eq!(answer, Answer::Failed);
    }
}
