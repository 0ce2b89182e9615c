//! Tokens, keys and passwords, which nothing prints.

use std::fmt;

use serde::Deserialize;

/// Text that must not be seen in a log, an error or an answer.
///
/// It can be read from a configuration and is never written into one.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for a header or a key. Whoever calls this keeps it from being printed.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is no secret, so that everybody would know it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_and_never_printed() {
        let secret: Secret = serde_json::from_str(r#""s3gr3do""#).expect("text");
        assert_eq!(secret.expose(), "s3gr3do");
        assert_eq!(
            format!("{secret:?} {:?}", Some(&secret)),
            "Secret Some(Secret)"
        );
        assert!(Secret::default().is_empty());
    }
}
