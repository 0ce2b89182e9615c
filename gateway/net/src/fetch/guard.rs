//! Whom strangers may have us ask: nobody inside, and nobody who does not speak HTTP.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Who says which addresses a name has.
#[derive(Clone)]
pub(super) enum Names {
    /// This machine.
    System,
    /// A test, one answer after the other.
    #[cfg(test)]
    Told(std::sync::Arc<std::sync::Mutex<std::collections::VecDeque<Vec<SocketAddr>>>>),
}

impl Names {
    pub(super) async fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        match self {
            Self::System => Ok(tokio::net::lookup_host((host, port)).await?.collect()),
            #[cfg(test)]
            Self::Told(answers) => {
                let answer = answers.lock().expect("no panic").pop_front();
                answer.ok_or_else(|| io::Error::other("asked too often"))
            }
        }
    }
}

/// Whether an address is one that strangers must not reach through us: this machine, its networks,
/// the cloud provider's own services, groups, and what is nobody's.
pub fn is_inside(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_inside_v4(address),
        IpAddr::V6(address) => is_inside_v6(address),
    }
}

fn is_inside_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b)) // Shared by providers, RFC 6598.
        || (a == 192 && b == 0 && c == 0) // Protocol assignments, RFC 6890.
        || (a == 192 && b == 88 && c == 99) // Relays of 6to4, RFC 7526.
        || (a == 198 && (b == 18 || b == 19)) // Benchmarks, RFC 2544.
        || address == AZURE
}

/// Only what is given out to be reached by everybody (RFC 4291 section 2.4) is outside; the rest holds
/// IPv4 in many spellings, some of which lead inside.
fn is_inside_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    (first & 0xe000) != 0x2000
        || (first == 0x2001 && second < 0x0200) // Protocol assignments, Teredo among them: RFC 2928.
        || (first == 0x2001 && second == 0x0db8) // Documentation, RFC 3849.
        || first == 0x2002 // 6to4 holds IPv4, RFC 3056.
        || (first == 0x3fff && second < 0x1000) // Documentation, RFC 9637.
}

/// Whether HTTP is spoken at a port. Servers of mail, shells and databases read what is sent to them as
/// HTTP as commands, and some obey.
pub(super) fn is_port_for_http(port: u16) -> bool {
    matches!(port, 80 | 443) || (port >= 1024 && !OTHERS.contains(&port))
}

/// What virtual machines at Azure ask about themselves: an address outside by its number.
const AZURE: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);

/// Above 1023, what other protocols are at: proxies, SQL, SIP, X11, Redis, Kafka, etcd, Elasticsearch,
/// memcached, MongoDB, Docker and the ports that browsers do not ask either (Fetch, "bad port").
const OTHERS: &[u16] = &[
    1080, 1433, 1434, 1521, 1719, 1720, 1723, 2049, 2181, 2375, 2376, 2379, 2380, 3128, 3306, 3389,
    3659, 4045, 4190, 5060, 5061, 5432, 5433, 5672, 5900, 6000, 6379, 6380, 6566, 6665, 6666, 6667,
    6668, 6669, 6679, 6697, 9042, 9092, 9200, 9300, 10080, 11211, 26379, 27017, 27018,
];

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use ivr::machine::{FetchFailure, Request};

    use super::super::{Fetcher, Inside};
    use super::*;

    fn request(url: &str) -> Request {
        Request {
            method: ivr::Method::Get,
            url: url.to_owned(),
            headers: vec![],
            body: None,
            timeout: Duration::from_secs(2),
        }
    }

    #[test]
    fn addresses_are_inside_in_every_form() {
        let inside = [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:0:127.0.0.1",
            "64:ff9b::127.0.0.1",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:0:7f00:1::",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fdff::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
        ];
        for address in inside {
            assert!(is_inside(address.parse().expect(address)), "{address}");
        }
        let outside = [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "126.255.255.255",
            "128.0.0.1",
            "168.63.129.17",
            "172.15.255.255",
            "172.32.0.1",
            "192.0.1.1",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.1",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2606:4700:4700::1111",
            "2800:3f0:4001::1",
        ];
        for address in outside {
            assert!(!is_inside(address.parse().expect(address)), "{address}");
        }
    }

    #[tokio::test]
    async fn no_spelling_of_this_machine_gets_a_connection() {
        let listener = tokio::net::TcpListener::bind("0.0.0.0:0")
            .await
            .expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let hosts = [
            "127.0.0.1",
            "127.0.0.1.",
            "127.1",
            "127.0.1",
            "0x7f.1",
            "0x7f.0.0.1",
            "0x7f000001",
            "0X7F000001",
            "2130706433",
            "017700000001",
            "0177.0.0.1",
            "0177.0.0.01",
            "127.000.000.001",
            "0",
            "0.0.0.0",
            "0.0.0.0.",
            "127.127.127.127",
            "localhost",
            "LOCALHOST",
            "localhost.",
            "ip6-localhost",
            "localhost.localdomain",
            "[::1]",
            "[::]",
            "[0:0:0:0:0:0:0:1]",
            "[0000:0000:0000:0000:0000:0000:0000:0001]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[::1%25lo]",
            "user@127.0.0.1",
            "user:pass@127.0.0.1",
            "example.com@127.0.0.1",
            "127.0.0.1%2f",
            "%31%32%37.0.0.1",
            "①②⑦.⓪.⓪.①",
            "127。0。0。1",
            "127.0.0.1\\.example.com",
            "127.0.0.1#",
            "127.0.0.1?",
        ];
        let fetcher = Fetcher::new(Inside::Refused);
        for host in hosts {
            for scheme in ["http", "https"] {
                let url = format!("{scheme}://{host}:{port}/");
                let answer = fetcher.fetch(&request(&url)).await;
                let failed = matches!(
                    answer,
                    Err(FetchFailure::Refused | FetchFailure::Unreachable | FetchFailure::TimedOut)
                );
                assert!(failed, "{url}: {answer:?}");
            }
        }
        let came = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
        assert!(came.is_err(), "somebody came: {came:?}");
    }

    #[tokio::test]
    async fn nothing_but_http_is_asked() {
        let fetcher = Fetcher::new(Inside::Allowed);
        for url in [
            "file:///etc/passwd",
            "gopher://127.0.0.1:25/_HELO",
            "ftp://127.0.0.1/",
            "dict://127.0.0.1:11211/",
            "data:text/plain,oi",
            "jar:http://127.0.0.1!/",
            "ldap://127.0.0.1/",
            "unix:/run/docker.sock",
            "//127.0.0.1/",
            "/etc/passwd",
            "http:",
            "http://",
            "http:///x",
            "HTTP:127.0.0.1",
            "",
        ] {
            let answer = fetcher.fetch(&request(url)).await;
            assert!(
                matches!(answer, Err(FetchFailure::Refused)),
                "{url}: {answer:?}"
            );
        }
    }

    #[tokio::test]
    async fn ports_of_mail_shells_and_databases_are_not_asked() {
        let fetcher = Fetcher::new(Inside::Refused);
        for port in [
            21, 22, 23, 25, 110, 143, 465, 587, 3306, 5432, 6379, 9200, 11211, 27017,
        ] {
            // Refused by its port: the address itself is outside.
            let answer = fetcher
                .fetch(&request(&format!("http://1.1.1.1:{port}/")))
                .await;
            assert!(
                matches!(answer, Err(FetchFailure::Refused)),
                "{port}: {answer:?}"
            );
        }
        for port in [80, 443, 1024, 3000, 8080, 8443, 9000, 65_535] {
            assert!(is_port_for_http(port), "{port}");
        }
    }

    fn told(answers: Vec<Vec<SocketAddr>>) -> Fetcher {
        let names = Names::Told(Arc::new(Mutex::new(answers.into())));
        Fetcher {
            names,
            ..Fetcher::new(Inside::Refused)
        }
    }

    #[tokio::test]
    async fn a_name_with_one_address_inside_is_refused() {
        let outside: SocketAddr = "1.1.1.1:80".parse().expect("an address");
        for inside in [
            "127.0.0.1:80",
            "[::1]:80",
            "169.254.169.254:80",
            "[::ffff:10.0.0.1]:80",
        ] {
            let inside: SocketAddr = inside.parse().expect("an address");
            for answer in [vec![inside], vec![outside, inside], vec![inside, outside]] {
                let asked = told(vec![answer])
                    .fetch(&request("http://a.example/"))
                    .await;
                assert!(
                    matches!(asked, Err(FetchFailure::Refused)),
                    "{inside}: {asked:?}"
                );
            }
        }
    }

    #[tokio::test]
    async fn a_name_is_looked_up_once_and_its_second_answer_gains_nothing() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let here = listener.local_addr().expect("an address");
        // It passes the judgement, and nobody is there, whatever this machine is connected to.
        let nobody: SocketAddr = "[2606:4700:ffff::1]:1".parse().expect("an address");
        let fetcher = told(vec![vec![nobody], vec![here]]);
        let mut asked = request(&format!("http://a.example:{}/", here.port()));
        asked.timeout = Duration::from_millis(300);
        let answer = fetcher.fetch(&asked).await;
        let failed = matches!(
            answer,
            Err(FetchFailure::Unreachable | FetchFailure::TimedOut)
        );
        assert!(failed, "{answer:?}");
        let Names::Told(left) = &fetcher.names else {
            unreachable!("told");
        };
        assert_eq!(left.lock().expect("no panic").len(), 1, "asked once");
        let came = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
        assert!(came.is_err(), "somebody came: {came:?}");
    }
}
