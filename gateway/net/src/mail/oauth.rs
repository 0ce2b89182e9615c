//! Logging in without a password: a person allows it once at Google or Microsoft, and from then on
//! tokens are asked for (OAuth 2.0, RFC 6749, with PKCE, RFC 7636).
//!
//! ```text
//!  authorise_url ─▶ the browser ─▶ the provider ─▶ back to us with a code
//!  exchange(code) ─▶ Tokens { access: an hour, refresh: for long }
//!  refresh ─▶ Tokens …          Microsoft gives a new refresh token each time: the old one is void
//! ```
//!
//! Who keeps the state between the two halves, and the tokens, is the caller's affair.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use channels::secret::Secret;
use desk::words;
use ivr::machine::{FetchFailure, Request};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;
use url::form_urlencoded::Serializer;

use super::{Security, Server};
use crate::fetch::Fetcher;

words! {
    /// Whose mailboxes these are.
    Provider {
        /// Gmail and Google Workspace.
        Google = "google",
        /// Outlook.com and Microsoft 365.
        Microsoft = "microsoft",
    }
}

impl Provider {
    /// Where its people are asked and its tokens are given. `tenant` is the directory of a company at
    /// Microsoft; none is any.
    pub fn endpoints(self, tenant: Option<&str>) -> Endpoints {
        match self {
            Self::Google => Endpoints {
                authorise: "https://accounts.google.com/o/oauth2/v2/auth".to_owned(),
                token: "https://oauth2.googleapis.com/token".to_owned(),
            },
            Self::Microsoft => {
                let tenant = tenant
                    .filter(|tenant| is_tenant(tenant))
                    .unwrap_or("common");
                let base = format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0");
                Endpoints {
                    authorise: format!("{base}/authorize"),
                    token: format!("{base}/token"),
                }
            }
        }
    }

    /// What we ask to be allowed.
    pub fn scope(self) -> &'static str {
        match self {
            Self::Google => "https://mail.google.com/",
            Self::Microsoft => {
                "offline_access https://outlook.office.com/IMAP.AccessAsUser.All \
                 https://outlook.office.com/POP.AccessAsUser.All \
                 https://outlook.office.com/SMTP.Send"
            }
        }
    }

    /// Its servers: IMAP, POP3 and SMTP.
    pub fn servers(self) -> [Server; 3] {
        let server = |host: &str, port, security| Server {
            host: host.to_owned(),
            port,
            security,
        };
        match self {
            Self::Google => [
                server("imap.gmail.com", 993, Security::Tls),
                server("pop.gmail.com", 995, Security::Tls),
                server("smtp.gmail.com", 465, Security::Tls),
            ],
            Self::Microsoft => [
                server("outlook.office365.com", 993, Security::Tls),
                server("outlook.office365.com", 995, Security::Tls),
                server("smtp.office365.com", 587, Security::StartTls),
            ],
        }
    }

    /// Whether it still takes passwords from programs.
    pub fn takes_passwords(self) -> bool {
        match self {
            Self::Google => true, // App passwords.
            Self::Microsoft => false,
        }
    }
}

/// An id, or a domain.
fn is_tenant(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    !text.is_empty() && text.len() <= 253 && text.bytes().all(fits)
}

/// Where a provider is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoints {
    /// Where the browser goes.
    pub authorise: String,
    /// Where we ask for tokens.
    pub token: String,
}

/// Who we are to a provider: registered there once by the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// Whose.
    pub provider: Provider,
    /// Where it is asked.
    pub endpoints: Endpoints,
    /// Our id there.
    pub client_id: String,
    /// Our secret there.
    pub client_secret: Secret,
    /// Where the browser comes back to, as it is registered there.
    pub redirect: String,
}

/// What lets us in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// For the servers of mail.
    pub access: Secret,
    /// For the next tokens, where a new one came: then the old one is void.
    pub refresh: Option<Secret>,
    /// How long the first is good.
    pub lasts: Duration,
}

/// Why there are no tokens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OauthError {
    /// The provider could not be asked: later, perhaps.
    #[error("the provider was not reached: {0:?}")]
    Unreachable(FetchFailure),
    /// The provider's no (RFC 6749 section 5.2).
    #[error("{error}: {description}")]
    Refused {
        /// Its word: `invalid_grant`, `invalid_client` …
        error: String,
        /// Its sentence.
        description: String,
    },
    /// The answer is not one.
    #[error("the provider answered {status} with no token")]
    Unreadable {
        /// The status of HTTP.
        status: u16,
    },
}

impl OauthError {
    /// Whether nothing helps but a person who allows it again: it was taken back, or is too old.
    pub fn is_over(&self) -> bool {
        let Self::Refused { error, .. } = self else {
            return false;
        };
        matches!(
            error.as_str(),
            "invalid_grant" | "interaction_required" | "consent_required" | "login_required"
        )
    }
}

/// What proves at the second half that we are those of the first (RFC 7636 section 4.1). `chance` is
/// fresh for each, and kept until the second half.
pub fn verifier(chance: [u8; 32]) -> Secret {
    Secret::new(URL_SAFE_NO_PAD.encode(chance))
}

/// Where to send the browser of whoever owns the mailbox `address`. `state` comes back with it; by it
/// the answer is known to be to our question.
///
/// # Errors
///
/// [`url::ParseError`]: the provider's address is none.
pub fn authorise_url(
    app: &App,
    address: &str,
    state: &str,
    verifier: &Secret,
) -> Result<String, url::ParseError> {
    let mut url = Url::parse(&app.endpoints.authorise)?;
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose()));
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &app.client_id)
        .append_pair("redirect_uri", &app.redirect)
        .append_pair("scope", app.provider.scope())
        .append_pair("state", state)
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256")
        .append_pair("login_hint", address);
    match app.provider {
        // Without both, Google gives no refresh token the second time.
        Provider::Google => url
            .query_pairs_mut()
            .append_pair("access_type", "offline")
            .append_pair("prompt", "consent"),
        Provider::Microsoft => url
            .query_pairs_mut()
            .append_pair("response_mode", "query")
            .append_pair("prompt", "select_account"),
    };
    Ok(url.into())
}

/// Takes the first tokens for the code with which the browser came back.
///
/// # Errors
///
/// [`OauthError`].
pub async fn exchange(
    fetcher: &Fetcher,
    app: &App,
    code: &str,
    verifier: &Secret,
) -> Result<Tokens, OauthError> {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &app.redirect),
        ("code_verifier", verifier.expose()),
    ];
    ask(fetcher, app, &fields).await
}

/// Takes new tokens for a refresh token.
///
/// # Errors
///
/// [`OauthError`]; where [`OauthError::is_over`], somebody must connect the mailbox again.
pub async fn refresh(fetcher: &Fetcher, app: &App, token: &Secret) -> Result<Tokens, OauthError> {
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token.expose()),
        ("scope", app.provider.scope()),
    ];
    // Google takes no other scope than the one that was allowed, which is what it has already.
    let fields = match app.provider {
        Provider::Google => &fields[..2],
        Provider::Microsoft => &fields[..],
    };
    ask(fetcher, app, fields).await
}

#[derive(Deserialize)]
struct Granted {
    access_token: Secret,
    refresh_token: Option<Secret>,
    expires_in: Option<u64>,
}

#[derive(Deserialize)]
struct Denied {
    error: String,
    #[serde(default)]
    error_description: String,
}

async fn ask(fetcher: &Fetcher, app: &App, fields: &[(&str, &str)]) -> Result<Tokens, OauthError> {
    let body = Serializer::new(String::new())
        .extend_pairs(fields)
        .append_pair("client_id", &app.client_id)
        .append_pair("client_secret", app.client_secret.expose())
        .finish();
    let form = "application/x-www-form-urlencoded".to_owned();
    let request = Request {
        method: ivr::Method::Post,
        url: app.endpoints.token.clone(),
        headers: vec![
            ("Content-Type".to_owned(), form),
            ("Accept".to_owned(), "application/json".to_owned()),
        ],
        body: Some(body),
        timeout: TIMEOUT,
    };
    let answer = fetcher
        .fetch(&request)
        .await
        .map_err(OauthError::Unreachable)?;
    if let Ok(granted) = serde_json::from_slice::<Granted>(&answer.body)
        && answer.status == 200
        && !granted.access_token.is_empty()
    {
        return Ok(Tokens {
            access: granted.access_token,
            refresh: granted.refresh_token.filter(|token| !token.is_empty()),
            lasts: granted.expires_in.map_or(LASTS, Duration::from_secs),
        });
    }
    let status = answer.status;
    let denied: Denied =
        serde_json::from_slice(&answer.body).map_err(|_| OauthError::Unreadable { status })?;
    let shown = |text: String| -> String {
        let printable = text.chars().filter(|character| !character.is_control());
        printable.take(TEXT_CHARS_MAX).collect()
    };
    Err(OauthError::Refused {
        error: shown(denied.error),
        description: shown(denied.error_description),
    })
}

/// A person waits before the browser.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Where it is not said (RFC 6749 section 5.1): both providers give an hour, so this is within it.
const LASTS: Duration = Duration::from_secs(1_800);
/// Microsoft's sentences have several lines, with marks for its support.
const TEXT_CHARS_MAX: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    fn app(provider: Provider) -> App {
        App {
            provider,
            endpoints: provider.endpoints(None),
            client_id: "our id".to_owned(),
            client_secret: Secret::new("our secret"),
            redirect: "https://omni.loja.example/oauth/mail".to_owned(),
        }
    }

    #[test]
    fn the_proof_is_made_as_the_standard_shows() {
        // RFC 7636 appendix B.
        let octets = [
            116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212,
            37, 77, 105, 214, 191, 240, 91, 88, 5, 88, 83, 132, 141, 121,
        ];
        let verifier = verifier(octets);
        assert_eq!(
            verifier.expose(),
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        );
        let url = authorise_url(&app(Provider::Google), "a@b.c", "s", &verifier).expect("a URL");
        assert!(
            url.contains("code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            "{url}"
        );
    }

    #[test]
    fn the_browser_is_sent_with_all_that_each_provider_wants() {
        let verifier = verifier([0; 32]);
        let asked = |provider| {
            let url = authorise_url(&app(provider), "sac@loja.example", "state&x", &verifier);
            let url = Url::parse(&url.expect("a URL")).expect("a URL");
            let pairs = url.query_pairs();
            let mut pairs: Vec<String> = pairs
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            pairs.retain(|pair| !pair.starts_with("code_challenge="));
            pairs.sort();
            pairs.insert(
                0,
                format!("{}{}", url.host_str().unwrap_or_default(), url.path()),
            );
            pairs
        };
        assert_eq!(
            asked(Provider::Google),
            [
                "accounts.google.com/o/oauth2/v2/auth",
                "access_type=offline",
                "client_id=our id",
                "code_challenge_method=S256",
                "login_hint=sac@loja.example",
                "prompt=consent",
                "redirect_uri=https://omni.loja.example/oauth/mail",
                "response_type=code",
                "scope=https://mail.google.com/",
                "state=state&x",
            ]
        );
        let microsoft = asked(Provider::Microsoft);
        assert_eq!(
            microsoft.first().map(String::as_str),
            Some("login.microsoftonline.com/common/oauth2/v2.0/authorize")
        );
        let scope = "scope=offline_access https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/POP.AccessAsUser.All https://outlook.office.com/SMTP.Send";
        assert!(microsoft.iter().any(|pair| pair == scope), "{microsoft:?}");
    }

    #[test]
    fn a_tenant_cannot_lead_elsewhere() {
        let token = |tenant| Provider::Microsoft.endpoints(Some(tenant)).token;
        let of = |tenant| format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token");
        assert_eq!(token("loja.example"), of("loja.example"));
        for tenant in ["", "../x", "a/b", "a?b", "a#b", "a@b", "é"] {
            assert_eq!(token(tenant), of("common"), "{tenant}");
        }
    }
}
