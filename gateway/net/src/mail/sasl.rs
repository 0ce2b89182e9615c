//! How logging in is said (SASL, RFC 4422): the same for IMAP, POP3 and SMTP.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::{Credential, Login};

/// A mechanism, by the name that servers offer it under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// User and password (RFC 4616).
    Plain,
    /// The same, asked for one after the other. Only where the first is not offered.
    Login,
    /// A token of OAuth2, as Google and Microsoft have it.
    XOauth2,
}

impl Mechanism {
    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::XOauth2 => "XOAUTH2",
        }
    }

    /// The best that a server offers for this log-in. Without any of them there is none.
    pub fn choose<'a>(login: &Login, offered: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut found = None;
        for offered in offered {
            let is = |mechanism: Self| offered.eq_ignore_ascii_case(mechanism.name());
            match login.credential {
                Credential::Token(_) if is(Self::XOauth2) => return Some(Self::XOauth2),
                Credential::Password(_) if is(Self::Plain) => return Some(Self::Plain),
                Credential::Password(_) if is(Self::Login) => found = Some(Self::Login),
                Credential::Token(_) | Credential::Password(_) => {}
            }
        }
        found
    }
}

/// What is said first by [`Mechanism::Plain`] and [`Mechanism::XOauth2`].
pub fn initial(login: &Login) -> String {
    let user = &login.user;
    STANDARD.encode(match &login.credential {
        Credential::Password(password) => format!("\0{user}\0{}", password.expose()),
        Credential::Token(token) => {
            format!("user={user}\u{1}auth=Bearer {}\u{1}\u{1}", token.expose())
        }
    })
}

/// What is said to each question of [`Mechanism::Login`].
pub fn answers(login: &Login) -> [String; 2] {
    let secret = match &login.credential {
        Credential::Password(secret) | Credential::Token(secret) => secret,
    };
    [
        STANDARD.encode(&login.user),
        STANDARD.encode(secret.expose()),
    ]
}

/// Whether the log-in can be said at all: nothing in it ends a line or a word of SASL.
pub fn is_sayable(login: &Login) -> bool {
    let [user, secret] = match &login.credential {
        Credential::Password(secret) | Credential::Token(secret) => [&login.user, secret.expose()],
    };
    let fits = |text: &str| {
        !text.is_empty()
            && text.len() <= LOGIN_BYTES_MAX
            && !text
                .bytes()
                .any(|byte| matches!(byte, 0 | 1 | b'\r' | b'\n'))
    };
    fits(user) && fits(secret)
}

/// Why a token was not taken: servers say it as JSON before they say no (RFC 7628 section 3.2.2).
pub fn refusal(challenge: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Refusal {
        status: String,
        #[serde(default)]
        scope: String,
    }
    let json = STANDARD.decode(challenge.trim()).ok()?;
    let refusal: Refusal = serde_json::from_slice(&json).ok()?;
    let text = format!("status {} scope {}", refusal.status, refusal.scope);
    let shown = text.chars().filter(|character| !character.is_control());
    Some(shown.take(REFUSAL_CHARS_MAX).collect())
}

/// Tokens of Microsoft have 3 kB.
const LOGIN_BYTES_MAX: usize = 16 * 1024;
/// What a line of the log holds.
const REFUSAL_CHARS_MAX: usize = 300;

#[cfg(test)]
mod tests {
    use channels::secret::Secret;

    use super::*;

    fn by_password(user: &str, password: &str) -> Login {
        Login {
            user: user.to_owned(),
            credential: Credential::Password(Secret::new(password)),
        }
    }

    fn by_token(user: &str, token: &str) -> Login {
        Login {
            user: user.to_owned(),
            credential: Credential::Token(Secret::new(token)),
        }
    }

    #[test]
    fn a_token_is_said_as_google_and_microsoft_read_it() {
        assert_eq!(
            initial(&by_token("a@b.c", "T")),
            "dXNlcj1hQGIuYwFhdXRoPUJlYXJlciBUAQE="
        );
    }

    #[test]
    fn a_password_is_said_as_the_standards_have_it() {
        let login = by_password("tim", "tanstaaftanstaaf"); // RFC 4616 section 4.
        assert_eq!(initial(&login), STANDARD.encode("\0tim\0tanstaaftanstaaf"));
        assert_eq!(
            answers(&by_password("ana", "segredo")),
            ["YW5h", "c2VncmVkbw=="]
        );
    }

    #[test]
    fn the_mechanism_is_the_best_of_those_offered() {
        let password = by_password("a", "b");
        let token = by_token("a", "b");
        let choose = |login, offered: &str| Mechanism::choose(login, offered.split(' '));
        assert_eq!(
            choose(&password, "LOGIN PLAIN XOAUTH2"),
            Some(Mechanism::Plain)
        );
        assert_eq!(choose(&password, "login cram-md5"), Some(Mechanism::Login));
        assert_eq!(choose(&password, "XOAUTH2"), None);
        assert_eq!(choose(&token, "PLAIN XOAUTH2"), Some(Mechanism::XOauth2));
        assert_eq!(choose(&token, "PLAIN LOGIN"), None);
    }

    #[test]
    fn what_would_end_a_line_is_never_said() {
        assert!(is_sayable(&by_password("ana@loja.example", "çã \"x\" {3}")));
        for (user, password) in [
            ("", "x"),
            ("a", ""),
            ("a\r\nNOOP", "x"),
            ("a", "x\nQUIT"),
            ("a\0b", "x"),
        ] {
            assert!(
                !is_sayable(&by_password(user, password)),
                "{user:?} {password:?}"
            );
        }
        assert!(!is_sayable(&by_token("a", "t\u{1}auth=")));
        assert!(!is_sayable(&by_token("a", &"t".repeat(20_000))));
    }

    #[test]
    fn why_a_token_was_refused_is_read_from_the_challenge() {
        let challenge = STANDARD
            .encode(r#"{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}"#);
        assert_eq!(
            refusal(&challenge).as_deref(),
            Some("status 400 scope https://mail.google.com/")
        );
        assert_eq!(refusal("!!"), None);
        assert_eq!(refusal(&STANDARD.encode("oi")), None);
    }
}
