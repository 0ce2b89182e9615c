//! Which web pages may open a WebSocket to us (RFC 6455 section 10.2).

/// The pages whose scripts may connect. Programs that are no browser send no `Origin` and are held
/// to digest authentication alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origins {
    /// Any page: SIP's own authentication stands behind it, no cookie is looked at.
    #[default]
    Any,
    /// Only these, written as browsers do: `https://console.example`, port only when it is not
    /// the scheme's own.
    Only(Vec<String>),
}

impl Origins {
    /// Whether a handshake with this `Origin` header may go on.
    pub fn allow(&self, origin: Option<&[u8]>) -> bool {
        match (self, origin) {
            (Self::Any, _) | (Self::Only(_), None) => true,
            (Self::Only(allowed), Some(origin)) => allowed
                .iter()
                .any(|one| one.as_bytes().eq_ignore_ascii_case(origin)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_pages_connect_and_programs_without_origin_do() {
        let origins = Origins::Only(vec!["https://console.example".into()]);
        assert!(origins.allow(Some(b"https://Console.example")));
        assert!(!origins.allow(Some(b"https://console.example.evil.example")));
        assert!(!origins.allow(Some(b"null")));
        assert!(origins.allow(None));
        assert!(Origins::Any.allow(Some(b"https://anywhere.example")));
    }
}
