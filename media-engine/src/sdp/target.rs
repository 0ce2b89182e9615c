//! Where media may be sent.
//!
//! A description names an address, and whoever writes it can name that of a third party: then our
//! audio would be the attack. A caller who may call at all may direct media to a public address
//! (carriers have media gateways elsewhere), but never to our own inside, to groups, or to ports of
//! well-known services.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Ports below this belong to services, and no media endpoint uses them.
const PORT_MIN: u16 = 1_024;

/// SIP itself: media there would be requests to a parser.
const SIP_PORTS: [u16; 2] = [5_060, 5_061];

/// What to do with a media address from a description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Send there from the start.
    Send(SocketAddr),
    /// The address is of a private network that is not ours: the peer sits behind address
    /// translation. Send nothing until a packet shows where it is.
    Learn,
}

/// Nothing is sent to such an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A group or everybody.
    #[error("a multicast or broadcast address")]
    Group,
    /// Our own machine, named by somebody who is not on it.
    #[error("a loopback address, from a peer that is elsewhere")]
    Loopback,
    /// An address of the link, where cloud providers keep their metadata services.
    #[error("a link-local address, from a peer that is elsewhere")]
    LinkLocal,
    /// An address that cannot be one: 0.0.0.0 other than for hold, or a name.
    #[error("not an address to send to")]
    Unusable,
    /// A port of a service.
    #[error("port {0} is not for media")]
    Port(u16),
}

/// Judges the media address `target` that a peer at `signalling` has named.
///
/// # Errors
///
/// [`Refused`] when nothing may be sent there.
pub fn judge(target: SocketAddr, signalling: IpAddr) -> Result<Target, Refused> {
    let (address, signalling) = (target.ip().to_canonical(), signalling.to_canonical());
    if target.port() < PORT_MIN || SIP_PORTS.contains(&target.port()) {
        return Err(Refused::Port(target.port()));
    }
    if address.is_multicast() || address == IpAddr::V4(Ipv4Addr::BROADCAST) {
        return Err(Refused::Group);
    }
    if address.is_unspecified() || in_zero_network(address) {
        return Err(Refused::Unusable);
    }
    if address.is_loopback() && !signalling.is_loopback() {
        return Err(Refused::Loopback);
    }
    if is_link_local(address) && !is_link_local(signalling) && !signalling.is_loopback() {
        return Err(Refused::LinkLocal);
    }
    if is_private(address) && !(is_private(signalling) || signalling.is_loopback()) {
        return Ok(Target::Learn);
    }
    Ok(Target::Send(SocketAddr::new(address, target.port())))
}

/// 0.0.0.0/8 means "this network": some systems take it as themselves.
fn in_zero_network(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(address) if address.octets()[0] == 0)
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

/// RFC 1918, RFC 6598 (carriers' own translation) and RFC 4193.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            address.is_private() || (first == 100 && (64..128).contains(&second))
        }
        IpAddr::V6(address) => address.is_unique_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(target: &str, signalling: &str) -> Result<Target, Refused> {
        judge(
            target.parse().expect("a target"),
            signalling.parse().expect("an address"),
        )
    }

    #[test]
    fn each_kind_of_address_has_its_verdict() {
        let public = "198.51.100.7";
        let send = |target: &str| Ok(Target::Send(target.parse().expect("a target")));
        for (target, signalling, verdict) in [
            ("203.0.113.9:40000", public, send("203.0.113.9:40000")),
            (
                "[2001:db8::9]:40000",
                "2001:db8::7",
                send("[2001:db8::9]:40000"),
            ),
            ("10.0.0.9:40000", "10.0.0.1", send("10.0.0.9:40000")),
            ("10.0.0.9:40000", public, Ok(Target::Learn)),
            ("100.64.3.2:40000", public, Ok(Target::Learn)),
            ("[fd00::1]:40000", "2001:db8::7", Ok(Target::Learn)),
            ("127.0.0.1:40000", "127.0.0.1", send("127.0.0.1:40000")),
            ("[::1]:40000", "::1", send("[::1]:40000")),
            (
                "[::ffff:203.0.113.9]:40000",
                public,
                send("203.0.113.9:40000"),
            ),
            ("127.0.0.1:40000", public, Err(Refused::Loopback)),
            ("127.8.9.1:40000", "10.0.0.1", Err(Refused::Loopback)),
            ("[::ffff:127.0.0.1]:40000", public, Err(Refused::Loopback)),
            ("169.254.169.254:40000", "10.0.0.1", Err(Refused::LinkLocal)),
            ("[fe80::1]:40000", public, Err(Refused::LinkLocal)),
            ("224.0.0.1:40000", public, Err(Refused::Group)),
            ("[ff02::1]:40000", public, Err(Refused::Group)),
            ("255.255.255.255:40000", public, Err(Refused::Group)),
            ("0.0.0.0:40000", public, Err(Refused::Unusable)),
            ("0.1.2.3:40000", "127.0.0.1", Err(Refused::Unusable)),
            ("203.0.113.9:0", public, Err(Refused::Port(0))),
            ("203.0.113.9:1", public, Err(Refused::Port(1))),
            ("203.0.113.9:53", public, Err(Refused::Port(53))),
            ("203.0.113.9:5060", public, Err(Refused::Port(5_060))),
            ("127.0.0.1:5061", "127.0.0.1", Err(Refused::Port(5_061))),
        ] {
            assert_eq!(
                judged(target, signalling),
                verdict,
                "{target} from {signalling}"
            );
        }
    }
}
