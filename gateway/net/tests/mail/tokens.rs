//! OAuth2 with a provider of the test, whose tokens Dovecot asks it about.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use channels::secret::Secret;
use gateway_net::fetch::{Fetcher, Inside};
use gateway_net::mail::mailbox::{Account, Cursor, Mailbox, Protocol};
use gateway_net::mail::oauth::{App, Endpoints, OauthError, Provider, exchange, refresh, verifier};
use gateway_net::mail::{Cause, Credential, Login, Security, Step};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::cast::{account, hand_over, letters, made, send_to_ana};
use super::certificate::Time;
use super::house::{ANA, House, Plan, TOKEN};

/// A provider: it gives a token for a code, and a new one for each refresh token, which is good once.
struct TokenServer {
    url: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// The tokens that are good.
    good: Vec<String>,
    /// The forms that were posted.
    forms: Vec<String>,
}

impl TokenServer {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, shared.clone()));
            }
        });
        Self { url, state }
    }

    fn app(&self) -> App {
        App {
            provider: Provider::Microsoft,
            endpoints: Endpoints {
                authorise: format!("{}/authorize", self.url),
                token: format!("{}/token", self.url),
            },
            client_id: "id".to_owned(),
            client_secret: Secret::new("s&cret"),
            redirect: "https://omni.loja.example/oauth/mail".to_owned(),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("nobody panicked")
    }
}

async fn answer(stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut stream = BufReader::new(stream);
    let mut head = vec![];
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return;
        }
        if line == "\r\n" {
            break;
        }
        head.push(line.to_ascii_lowercase());
    }
    let length = head
        .iter()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length = length
        .and_then(|length| length.trim().parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.expect("a form");
    let form = String::from_utf8(body).expect("text");
    let (status, json) = {
        let mut state = state.lock().expect("nobody panicked");
        let asked = head.first().cloned().unwrap_or_default();
        if asked.starts_with("post /token ") {
            assert!(
                head.iter()
                    .any(|line| line.starts_with("content-type: application/x-www-form"))
            );
            grant(&mut state, form)
        } else {
            let good = state
                .good
                .iter()
                .any(|token| asked.contains(&format!("token={token}&")));
            ("200 OK", format!(r#"{{"active":{good},"email":"{ANA}"}}"#))
        }
    };
    let length = json.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{json}"
    );
    let _ = stream.write_all(answer.as_bytes()).await;
}

fn grant(state: &mut State, form: String) -> (&'static str, String) {
    let has = |pair: &str| form.split('&').any(|field| field == pair);
    let known = has("client_id=id") && has("client_secret=s%26cret");
    let token = if has("grant_type=authorization_code") && has("code=from+the+browser") {
        Some(("the-first-token", "refresh-1"))
    } else if has("grant_type=refresh_token") && has("refresh_token=refresh-1") {
        Some((TOKEN, "refresh-2"))
    } else {
        None
    };
    state.forms.push(form.clone());
    match token {
        Some((access, refresh)) if known => {
            state.good = vec![access.to_owned()]; // The one before is void.
            let json = format!(
                r#"{{"token_type":"Bearer","expires_in":3599,"access_token":"{access}","refresh_token":"{refresh}"}}"#
            );
            ("200 OK", json)
        }
        Some(_) | None => (
            "400 Bad Request",
            r#"{"error":"invalid_grant","error_description":"AADSTS70000: expired\r\nTrace ID: 1"}"#
                .to_owned(),
        ),
    }
}

#[tokio::test]
async fn a_mailbox_is_read_by_a_token_that_is_renewed_when_it_is_void() {
    let provider = TokenServer::start().await;
    let plan = Plan {
        certificate: Time::Good,
        introspection: Some(format!("{}/introspect?token=", provider.url)),
    };
    let Some(house) = House::start_as(&plan) else {
        return;
    };
    send_to_ana(&house, "um", "um").await;
    let fetcher = Fetcher::new(Inside::Allowed);
    let app = provider.app();
    let proof = verifier([7; 32]);
    let first = exchange(&fetcher, &app, "from the browser", &proof)
        .await
        .expect("tokens");
    assert_eq!(first.lasts.as_secs(), 3_599);
    let login = |token: &Secret| Login {
        user: ANA.to_owned(),
        credential: Credential::Token(token.clone()),
    };
    for protocol in [Protocol::Imap, Protocol::Pop3] {
        provider.state().good = vec!["the-first-token".to_owned()];
        let account = Account {
            login: login(&first.access),
            ..account(&house, protocol, Security::Tls)
        };
        let mut mailbox = Mailbox::new(house.dialer(), account, Cursor::since(0));
        letters(&house, &mut mailbox, &BTreeSet::new(), 1).await;
        let refresh_token = first.refresh.as_ref().expect("a refresh token");
        let second = refresh(&fetcher, &app, refresh_token)
            .await
            .expect("tokens");
        assert_eq!(second.refresh, Some(Secret::new("refresh-2")));
        mailbox.close().await;
        // The old one lets nobody in any more, and the server says so.
        let account = Account {
            login: login(&first.access),
            ..super::cast::account(&house, protocol, Security::Tls)
        };
        let mut mailbox = Mailbox::new(house.dialer(), account, Cursor::since(0));
        let error = mailbox.list(&BTreeSet::new()).await.expect_err("void");
        assert_eq!(error.step, Step::Login, "{error}");
        assert!(matches!(error.cause, Cause::No { .. }), "{error}");
        mailbox.renew(login(&second.access));
        letters(&house, &mut mailbox, &BTreeSet::new(), 1).await;
        mailbox.close().await;
        let answer = made(&super::cast::draft(ANA, "oi", "oi"), "dois", &[]);
        let by_token = login(&second.access);
        if protocol == Protocol::Pop3 {
            hand_over(
                &house,
                &house.smtp(Security::StartTls),
                Some(&by_token),
                &answer,
            )
            .await
            .expect("taken");
        }
    }
    let forms = provider.state().forms.clone();
    let expected = format!(
        "grant_type=authorization_code&code=from+the+browser&redirect_uri=https%3A%2F%2Fomni.loja.example%2Foauth%2Fmail&code_verifier={}&client_id=id&client_secret=s%26cret",
        proof.expose()
    );
    assert_eq!(forms.first(), Some(&expected));
}

#[tokio::test]
async fn a_permission_that_was_taken_back_must_be_given_again_by_a_person() {
    let provider = TokenServer::start().await;
    let fetcher = Fetcher::new(Inside::Allowed);
    let app = provider.app();
    let error = refresh(&fetcher, &app, &Secret::new("of last year"))
        .await
        .expect_err("no");
    assert!(error.is_over(), "{error}");
    assert_eq!(
        error.to_string(),
        "invalid_grant: AADSTS70000: expiredTrace ID: 1"
    );
    let away = App {
        endpoints: Endpoints {
            token: "http://127.0.0.1:1/token".to_owned(),
            ..app.endpoints.clone()
        },
        ..app.clone()
    };
    let error = refresh(&fetcher, &away, &Secret::new("x"))
        .await
        .expect_err("nobody is there");
    assert!(
        matches!(error, OauthError::Unreachable(_)) && !error.is_over(),
        "{error}"
    );
    let elsewhere = App {
        endpoints: Endpoints {
            token: format!("{}/other", provider.url),
            ..app.endpoints.clone()
        },
        ..app
    };
    let error = refresh(&fetcher, &elsewhere, &Secret::new("x"))
        .await
        .expect_err("no token");
    assert_eq!(error, OauthError::Unreadable { status: 200 });
}
