//! Which of our addresses a peer is reached from.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// The local address that packets to `peer` leave from, by the system's routes. Nothing is sent.
///
/// # Errors
///
/// When there is no route to `peer`.
pub fn local_address(peer: IpAddr) -> io::Result<IpAddr> {
    let any: IpAddr = match peer {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0))?;
    // The port does not matter: connecting a datagram socket only asks for the route.
    socket.connect(SocketAddr::new(peer, 9))?;
    Ok(socket.local_addr()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_reached_from_itself() {
        let address = local_address(Ipv4Addr::LOCALHOST.into()).expect("a route");
        assert!(address.is_loopback());
    }
}
