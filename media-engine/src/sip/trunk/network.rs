//! Ranges of IP addresses.

use std::fmt;
use std::net::IpAddr;

/// A range of addresses in CIDR notation, `192.0.2.0/24` or `2001:db8::/32`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    first: IpAddr,
    length: u8,
}

/// Why a text is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// The part before the slash is no IP address.
    #[error("not an IP address")]
    Address,
    /// The part behind the slash is no prefix length of that kind of address.
    #[error("not a prefix length for this address")]
    Length,
}

impl Network {
    /// The network of `length` leading bits around an address. An IPv4 address written as IPv6
    /// (`::ffff:192.0.2.1`) counts as the IPv4 address. `None` when `length` is too large.
    pub fn new(address: IpAddr, length: u8) -> Option<Self> {
        let address = address.to_canonical();
        let first = match address {
            IpAddr::V4(v4) if length <= 32 => {
                let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
                IpAddr::V4((u32::from(v4) & mask).into())
            }
            IpAddr::V6(v6) if length <= 128 => {
                let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
                IpAddr::V6((u128::from(v6) & mask).into())
            }
            IpAddr::V4(_) | IpAddr::V6(_) => return None,
        };
        Some(Self { first, length })
    }

    /// The network of one address.
    pub fn host(address: IpAddr) -> Self {
        let first = address.to_canonical();
        let length = match first {
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        };
        Self { first, length }
    }

    /// Whether it holds an address.
    pub fn contains(&self, address: IpAddr) -> bool {
        Self::new(address, self.length).is_some_and(|network| network == *self)
    }

    /// Whether the two have an address in common.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.contains(other.first) || other.contains(self.first)
    }

    /// How many leading bits its addresses have in common.
    pub fn length(&self) -> u8 {
        self.length
    }
}

impl std::str::FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().map_err(|_| NetworkError::Address)?;
        match length {
            None => Ok(Self::host(address)),
            Some(length) => {
                let length = length.trim().parse().map_err(|_| NetworkError::Length)?;
                Self::new(address, length).ok_or(NetworkError::Length)
            }
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_what_they_should() {
        for (network, address, holds) in [
            ("192.0.2.0/24", "192.0.2.255", true),
            ("192.0.2.77/24", "192.0.2.1", true),
            ("192.0.2.0/24", "192.0.3.0", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.8", false),
            ("192.0.2.0/24", "::ffff:192.0.2.9", true),
            ("::ffff:192.0.2.9", "192.0.2.9", true),
            ("0.0.0.0/0", "203.0.113.1", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "192.0.2.1", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("2001:db8::1/128", "2001:db8::1", true),
        ] {
            let network: Network = network.parse().expect("a network");
            let address = address.parse().expect("an address");
            assert_eq!(network.contains(address), holds, "{network} {address}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        assert_eq!("carrier".parse::<Network>(), Err(NetworkError::Address));
        assert_eq!("192.0.2.0/33".parse::<Network>(), Err(NetworkError::Length));
        assert_eq!(
            "2001:db8::/129".parse::<Network>(),
            Err(NetworkError::Length)
        );
        assert_eq!("192.0.2.0/".parse::<Network>(), Err(NetworkError::Length));
    }
}
