//! On which sites a widget may be: an allow-list of origins, exact ones.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::Url;

/// A site as browsers know it (RFC 6454): scheme, host and port, in its one spelling.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin(String);

/// Text that is no origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an origin is a scheme and a host, as in https://loja.exemplo.com.br")]
pub struct InvalidOrigin;

impl Origin {
    /// As text, as browsers send it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Origin {
    type Err = InvalidOrigin;

    /// Reads what an administrator wrote: capitals, letters outside ASCII, a port that goes without
    /// saying and a slash at the end are taken.
    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let has_space = text
            .chars()
            .any(|letter| letter.is_whitespace() || letter.is_control());
        if text.len() > ORIGIN_BYTES_MAX || has_space || text.contains(['*', '\\', ';', ',', '\''])
        {
            return Err(InvalidOrigin);
        }
        let url = Url::parse(text).map_err(|_| InvalidOrigin)?;
        let is_bare = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
            && !text.contains('@');
        let is_web = matches!(url.scheme(), "http" | "https");
        (is_bare && is_web && url.has_host())
            .then(|| Self(url.origin().ascii_serialization()))
            .ok_or(InvalidOrigin)
    }
}

impl TryFrom<String> for Origin {
    type Error = InvalidOrigin;

    fn try_from(text: String) -> Result<Self, InvalidOrigin> {
        text.parse()
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Whether a header `Origin`, byte by byte as a browser sent it, is one of those allowed. `null` (a file,
/// a sandbox) never is.
pub fn is_allowed(allowed: &[Origin], header: &str) -> bool {
    allowed.iter().any(|origin| origin.as_str() == header)
}

/// The directive of a Content-Security-Policy that lets the frame be on these sites and no others.
pub fn frame_ancestors(allowed: &[Origin]) -> String {
    if allowed.is_empty() {
        return "frame-ancestors 'none'".to_owned();
    }
    let sites: Vec<&str> = allowed.iter().map(Origin::as_str).collect();
    format!("frame-ancestors {}", sites.join(" "))
}

/// A name of the DNS has 253 characters at most.
const ORIGIN_BYTES_MAX: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_one_spelling() {
        #[rustfmt::skip]
        let rows = [
            ("https://loja.exemplo.com.br", Some("https://loja.exemplo.com.br")),
            ("HTTPS://Loja.Exemplo.com.br/", Some("https://loja.exemplo.com.br")),
            ("https://loja.exemplo.com.br:443", Some("https://loja.exemplo.com.br")),
            ("http://localhost:8080", Some("http://localhost:8080")),
            ("https://pão.exemplo", Some("https://xn--po-sia.exemplo")),
            ("http://[::1]:80", Some("http://[::1]")),
            ("https://loja.exemplo.com.br/carrinho", None),
            ("https://loja.exemplo.com.br?x", None),
            ("https://loja.exemplo.com.br#", None),
            ("https://ana@loja.exemplo.com.br", None),
            ("https://@loja.exemplo.com.br", None),
            ("https://*.exemplo.com.br", None),
            ("https://a.com https://b.com", None),
            ("https://a.com;script-src *", None),
            ("https://a.com\n", None),
            ("loja.exemplo.com.br", None),
            ("javascript:alert(1)", None),
            ("file:///etc/passwd", None),
            ("data:text/html,x", None),
            ("null", None),
            ("*", None),
            ("", None),
        ];
        for (text, expected) in rows {
            let origin: Option<Origin> = text.parse().ok();
            assert_eq!(origin.as_ref().map(Origin::as_str), expected, "{text}");
        }
        let long = format!("https://{}.com", "a".repeat(400));
        assert_eq!(long.parse::<Origin>(), Err(InvalidOrigin));
    }

    #[test]
    fn a_site_is_allowed_by_the_very_origin_that_browsers_send() {
        let origin = |text: &str| text.parse::<Origin>().expect("an origin");
        let allowed = [
            origin("https://loja.exemplo"),
            origin("http://localhost:8080"),
        ];
        for good in ["https://loja.exemplo", "http://localhost:8080"] {
            assert!(is_allowed(&allowed, good), "{good}");
        }
        #[rustfmt::skip]
        let bad = [
            "", "null", "https://loja.exemplo/", "http://loja.exemplo", "https://loja.exemplo:8443",
            "https://loja.exemplo.mal.example", "https://malloja.exemplo", "https://LOJA.exemplo",
            "https://loja.exemplo https://x", "http://localhost",
        ];
        for bad in bad {
            assert!(!is_allowed(&allowed, bad), "{bad}");
        }
        assert!(!is_allowed(&[], "https://loja.exemplo"));
        assert_eq!(
            frame_ancestors(&allowed),
            "frame-ancestors https://loja.exemplo http://localhost:8080"
        );
        assert_eq!(frame_ancestors(&[]), "frame-ancestors 'none'");
    }
}
