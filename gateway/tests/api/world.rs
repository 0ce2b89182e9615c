//! An installation with two companies, and people and keys of all kinds.

use std::collections::BTreeMap;
use std::f64::consts::TAU;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use desk::change::Snapshot;
use desk::id::{ApiKeyId, CompanyId, UserId};
use exchange::voice::VoiceConfig;
use gateway_net::fetch::{Fetcher, Inside};
use gateway_net::files::Files;
use gateway_net::files::thumbnail::Thumbnailer;
use gateway_net::mail::Dialer;
use http_body_util::BodyExt;
use media_engine::sip::endpoint::EndpointConfig;
use media_engine_net::clock;
use media_engine_net::media::{Media, MediaConfig};
use media_engine_net::resolver::Resolver;
use media_engine_net::sip::{Transports, TransportsConfig};
use ramal::channels::attachments::Attachments;
use ramal::channels::email::accounts::{Accounts, Registrations};
use ramal::channels::email::sending::Post;
use ramal::channels::email::{mailboxes, transcripts};
use ramal::channels::located::Providers;
use ramal::channels::{Channels, Needs};
use ramal::http::{App, Parts, router};
use ramal::playback::Sources;
use ramal::recordings::Archive;
use ramal::secrets::Secrets;
use ramal::sound_files::{Decoder, SoundFiles};
use ramal::speech::SpeechFiles;
use ramal::telephony::{Surroundings, Telephony};
use ramal::voices::Voices;
use ramal::{api_key, passwords};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use store::users::Role;
use store::{Store, Writer, sqlite_url};
use tower::ServiceExt;

pub(crate) const PASSWORD: &str = "correto cavalo bateria";

/// An installation. Its folder goes when it does.
pub(crate) struct World {
    pub(crate) router: Router,
    /// Where it is reached by who is served ([`crate::live::serve`]).
    pub(crate) listener: std::net::TcpListener,
    pub(crate) store: Store,
    /// Where calls are recorded, and what puts them away.
    pub(crate) calls: PathBuf,
    pub(crate) archive: Archive,
    random: StdRng,
    telling: tokio::task::JoinHandle<()>,
    having: tokio::task::JoinHandle<()>,
    reading: tokio::task::JoinHandle<()>,
    sending: tokio::task::JoinHandle<()>,
    mail: MailAround,
    folder: tempfile::TempDir,
}

/// How mail servers and the providers of mailboxes are reached.
#[derive(Clone)]
pub(crate) struct MailAround {
    pub(crate) dialer: Dialer,
    pub(crate) registrations: Registrations,
}

/// How a request shows who it is from.
#[derive(Clone, Debug)]
pub(crate) enum As {
    Nobody,
    Key(String),
    Cookie {
        cookie: String,
        csrf: Option<String>,
    },
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }

    /// The JSON of an answer that must have this status.
    pub(crate) fn expect(&self, status: u16) -> Value {
        let text = String::from_utf8_lossy(&self.bytes);
        assert_eq!(self.status.as_u16(), status, "{text}");
        self.json()
    }

    /// The word of a refusal that must have this status.
    pub(crate) fn code(&self, status: u16) -> String {
        self.expect(status)["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with_mail(MailAround {
            dialer: Dialer::new(Inside::Refused, vec![]),
            registrations: Registrations::default(),
        })
        .await
    }

    /// One that reaches mail servers in another way.
    pub(crate) async fn with_mail(mail: MailAround) -> Self {
        Self::over(tempfile::tempdir().expect("a folder"), mail).await
    }

    /// The same installation, after its process was killed.
    pub(crate) async fn killed(self) -> Self {
        self.telling.abort();
        self.having.abort();
        self.reading.abort();
        self.sending.abort();
        Self::over(self.folder, self.mail).await
    }

    /// What is in this folder, or something new.
    async fn over(folder: tempfile::TempDir, around: MailAround) -> Self {
        let store = Store::open(&sqlite_url(&folder.path().join("ramal.db")))
            .await
            .expect("a database");
        let secrets = Arc::new(Secrets::open(folder.path()).expect("a key"));
        let voices = Arc::new(Voices::discover(folder.path()).await);
        let prompts = SoundFiles::new(folder.path().join("prompts"), Decoder::default());
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let config = TransportsConfig {
            udp: vec![loopback],
            ..TransportsConfig::default()
        };
        let transports = Transports::bind(config).await.expect("a socket");
        let (counters, door) = (transports.counters(), transports.door());
        let mut media_config = MediaConfig::new(41_000..=41_099, [7; 32]);
        media_config.threads = Some(1);
        let (media, media_events) = Media::start(media_config).expect("a thread");
        let (writer, _) = Writer::start(store.clone());
        let sources = Sources {
            prompts: prompts.clone(),
            speech: SpeechFiles::new(
                folder.path().join("speech"),
                Decoder::default(),
                voices.clone(),
                store.clone(),
            ),
            sounds: None,
            decoder: Decoder::default(),
        };
        let calls = folder.path().join("calls");
        let archive = Archive::start(calls.clone(), store.clone(), [3; 32]).expect("a folder");
        let surroundings = Surroundings {
            transports,
            media: media.clone(),
            media_events,
            store: store.clone(),
            resolver: Arc::new(Resolver::with_servers(&[loopback]).expect("a resolver")),
            writer,
            kept: kept(&store).await,
            lives: lives(&store).await,
            sources: Arc::new(sources),
            fetcher: Fetcher::new(Inside::Allowed),
            messages: folder.path().join("messages"),
            calls: calls.clone(),
            archive: archive.clone(),
            public_address: None,
        };
        let (telephony, _) = Telephony::start(
            EndpointConfig::default(),
            VoiceConfig::default(),
            surroundings,
            [8; 32],
        );
        let files = Files::on_disk(&folder.path().join("files")).await;
        let files = files.expect("a folder");
        let registrations = around.registrations.clone();
        let accounts = Accounts::new(
            store.clone(),
            secrets.clone(),
            Fetcher::new(Inside::Allowed),
            registrations,
        );
        let mail = Post {
            store: store.clone(),
            accounts: accounts.clone(),
            dialer: around.dialer.clone(),
            files: files.clone(),
        };
        let listener = std::net::TcpListener::bind(loopback).expect("a port");
        let http = listener.local_addr().expect("an address");
        let (channels, telling) = Channels::start(Needs {
            store: store.clone(),
            telephony: telephony.clone(),
            secrets: secrets.clone(),
            // The webhooks of tests are on this machine.
            fetcher: Fetcher::new(Inside::Allowed),
            mail: mail.clone(),
            files: files.clone(),
            public_url: Some(format!("http://{http}")),
            instance: "here".parse().expect("an id"),
            seed: [4; 32],
        });
        let attachments = Attachments::new(
            store.clone(),
            files,
            Thumbnailer::new(env!("CARGO_BIN_EXE_ramal"), &["thumbnail"]),
            // So are the files of other systems.
            Fetcher::new(Inside::Allowed),
            Arc::new(Providers {
                store: store.clone(),
                secrets: secrets.clone(),
                fetcher: Fetcher::new(Inside::Allowed),
            }),
        );
        let having = tokio::spawn(attachments.clone().run(telephony.clone()));
        let reading = mailboxes::start(mailboxes::Needs {
            store: store.clone(),
            channels: channels.clone(),
            accounts,
            dialer: around.dialer.clone(),
            attachments: attachments.clone(),
            seed: [5; 32],
        });
        let sending = transcripts::start(mail.clone());
        let app = App::new(Parts {
            store: store.clone(),
            telephony,
            channels,
            mail,
            attachments,
            fetcher: Fetcher::new(Inside::Allowed),
            realm: "ramal".into(),
            secrets,
            voices,
            prompts,
            messages: folder.path().join("messages"),
            calls: calls.clone(),
            media,
            transports: counters,
            door,
            http,
            started: clock::now(),
            seed: [9; 32],
        });
        app.changed().await;
        // Each start draws other keys.
        let seed = u64::try_from(clock::wall().as_millisecond()).expect("after 1970");
        Self {
            router: router(app),
            listener,
            store,
            random: StdRng::seed_from_u64(seed),
            calls,
            archive,
            telling,
            having,
            reading,
            sending,
            mail: around,
            folder,
        }
    }

    /// A key with these scopes, of a company or of the installation.
    pub(crate) async fn key(&mut self, company: Option<&str>, scopes: &[&str]) -> As {
        let drawn = api_key::draw(&mut self.random);
        let row = store::api_keys::ApiKey {
            id: ApiKeyId::new(1, &mut self.random),
            company: company.map(|id| id.parse().expect("an id")),
            name: "test".into(),
            prefix: drawn.prefix,
            hash: drawn.hash,
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            created_by: None,
            created_ms: 1,
            expires_ms: None,
            channel: None,
            last_used_ms: None,
            revoked_ms: None,
        };
        store::api_keys::insert(self.store.pool(), &row)
            .await
            .expect("a key");
        As::Key(drawn.text)
    }

    pub(crate) async fn company(&self, id: &str) {
        let row = store::companies::Company {
            id: id.parse().expect("an id"),
            name: id.to_owned(),
            language: "pt-BR".into(),
            time_zone: "America/Sao_Paulo".into(),
            settings: json!({}),
            disabled: false,
            created_ms: 1,
        };
        store::companies::insert(self.store.pool(), &row)
            .await
            .expect("a company");
        for pause in ramal::usual::pauses(&row.id, "pt-BR", 1) {
            store::pauses::insert(self.store.pool(), &pause)
                .await
                .expect("a pause");
        }
    }

    pub(crate) async fn user(&mut self, email: &str, company: Option<&str>, role: Role) {
        let row = store::users::User {
            id: UserId::new(1, &mut self.random),
            company: company.map(|id| id.parse::<CompanyId>().expect("an id")),
            email: email.to_owned(),
            name: email.to_owned(),
            password: Some(passwords::hash(PASSWORD).expect("a hash")),
            role,
            profile: None,
            locale: "pt-BR".into(),
            disabled: false,
            created_ms: 1,
            last_login_ms: None,
        };
        store::users::insert(self.store.pool(), &row)
            .await
            .expect("a user");
    }

    /// Logs in; the cookie and the token against forged requests.
    pub(crate) async fn log_in(&self, email: &str) -> As {
        self.log_in_by(email, PASSWORD).await
    }

    pub(crate) async fn log_in_by(&self, email: &str, password: &str) -> As {
        let body = json!({ "email": email, "password": password });
        let answer = self
            .ask(&As::Nobody, Method::POST, "/api/v1/session", Some(body))
            .await;
        let csrf = answer.expect(201)["csrf"].as_str().map(str::to_owned);
        let cookie = answer.headers[header::SET_COOKIE].to_str().expect("text");
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        As::Cookie { cookie, csrf }
    }

    pub(crate) async fn get(&self, who: &As, path: &str) -> Answer {
        self.ask(who, Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, who: &As, path: &str, body: Value) -> Answer {
        self.ask(who, Method::POST, path, Some(body)).await
    }

    pub(crate) async fn put(&self, who: &As, path: &str, body: Value) -> Answer {
        self.ask(who, Method::PUT, path, Some(body)).await
    }

    pub(crate) async fn ask(
        &self,
        who: &As,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let request = Request::builder().method(method).uri(path);
        let request = match body {
            Some(body) => request
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        self.send(who, request.expect("a request")).await
    }

    pub(crate) async fn upload(&self, who: &As, name: &str, file: &[u8]) -> Answer {
        let mut body = format!(
            "--limit\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\n{name}\r\n\
             --limit\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(file);
        body.extend_from_slice(b"\r\n--limit--\r\n");
        let request = Request::post("/api/v1/prompts")
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=limit")
            .body(Body::from(body));
        self.send(who, request.expect("a request")).await
    }

    pub(crate) async fn send(&self, who: &As, mut request: Request<Body>) -> Answer {
        let headers = request.headers_mut();
        headers.insert(header::HOST, "127.0.0.1:8080".parse().expect("a host"));
        match who {
            As::Nobody => {}
            As::Key(key) => {
                headers.insert(
                    header::AUTHORIZATION,
                    format!("Bearer {key}").parse().expect("a key"),
                );
            }
            As::Cookie { cookie, csrf } => {
                headers.insert(header::COOKIE, cookie.parse().expect("a cookie"));
                if let Some(csrf) = csrf {
                    headers.insert("x-csrf-token", csrf.parse().expect("a token"));
                }
            }
        }
        let response = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("an answer");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes().to_vec();
        Answer {
            status: parts.status,
            headers: parts.headers,
            bytes,
        }
    }
}

/// What the desks go on from.
pub(crate) async fn kept(store: &Store) -> BTreeMap<CompanyId, Snapshot> {
    let mut db = store.begin().await.expect("a turn");
    let here = "here".parse().expect("an id");
    store::desks::snapshots(&mut db, &here)
        .await
        .expect("an answer")
}

/// What the automatic lives of written interactions go on from.
async fn lives(store: &Store) -> Vec<store::lives::Life> {
    let here = "here".parse().expect("an id");
    let lives = store::lives::of(store.pool(), &here).await;
    lives.expect("an answer")
}

/// One second of a tone as a WAV file: 16 kHz, 16 bits, mono.
pub(crate) fn tone() -> Vec<u8> {
    #[allow(clippy::cast_possible_truncation, reason = "8,000 fits")]
    let sample = |at: i32| ((f64::from(at) * 440.0 / 16_000.0 * TAU).sin() * 8_000.0) as i16;
    let samples: Vec<u8> = (0..16_000)
        .flat_map(|at| sample(at).to_le_bytes())
        .collect();
    let length = u32::try_from(samples.len()).expect("short");
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + length).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend(16_000_u32.to_le_bytes());
    wav.extend(32_000_u32.to_le_bytes());
    wav.extend(b"\x02\0\x10\0data");
    wav.extend(length.to_le_bytes());
    wav.extend(samples);
    wav
}
