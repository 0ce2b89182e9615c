//! `ramal serve`: everything is started in the order in which it depends on each other, and ended
//! in the opposite one.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use desk::change::Snapshot;
use desk::id::{CompanyId, InstanceId};
use exchange::voice::VoiceConfig;
use media_engine::sip::Transport;
use media_engine::sip::endpoint::{EndpointConfig, Listener};
use media_engine_net::media::{Media, MediaConfig};
use media_engine_net::resolver::Resolver;
use media_engine_net::sip::{TlsFiles, Transports, TransportsConfig};
use media_engine_net::{chance, clock, limits, route};
use rand::SeedableRng;
use rand::rngs::StdRng;
use store::{Store, Writer};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::channels::attachments::Attachments;
use crate::channels::email::accounts::Accounts;
use crate::channels::email::sending::Post;
use crate::channels::email::{mailboxes, transcripts};
use crate::channels::located::Providers;
use crate::channels::{self, Channels};
use crate::config::Config;
use crate::demo::{Logins, Maker};
use crate::http::{self, App, Parts};
use crate::instance;
use crate::playback::Sources;
use crate::recordings::{self, Archive};
use crate::secrets::Secrets;
use crate::setup;
use crate::sound_files::{Decoder, SoundFiles};
use crate::speech::SpeechFiles;
use crate::telephony::{Surroundings, Telephony};
use crate::voices::Voices;
use gateway_net::fetch::{Fetcher, Inside};
use gateway_net::files::Files;
use gateway_net::files::thumbnail::Thumbnailer;
use gateway_net::mail::Dialer;

/// The realm of the devices' passwords. It never changes: a password is hashed with it.
pub const REALM: &str = "ramal";

/// Why the program does not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The data folder cannot be used.
    #[error("the data folder {0}: {1}")]
    Data(String, std::io::Error),
    /// The key file cannot be used.
    #[error(transparent)]
    Secrets(#[from] crate::secrets::SecretError),
    /// The database cannot be used.
    #[error("the database: {0}")]
    Store(#[from] store::Error),
    /// SIP cannot listen.
    #[error(transparent)]
    Sip(#[from] media_engine_net::sip::BindError),
    /// Media cannot start.
    #[error(transparent)]
    Media(#[from] media_engine_net::media::StartError),
    /// The resolver cannot start.
    #[error("the resolver: {0}")]
    Resolver(#[from] media_engine_net::resolver::ResolverError),
    /// The system has no random numbers.
    #[error("the system has no random numbers: {0}")]
    Chance(std::io::Error),
    /// The demo company cannot be made.
    #[error("the demo company: {0}")]
    Demo(#[from] crate::demo::DemoError),
    /// What calls may lead to cannot be read.
    #[error(transparent)]
    Setup(#[from] crate::setup::SetupError),
    /// The bucket for the files of messages cannot be used.
    #[error(transparent)]
    Bucket(#[from] gateway_net::files::BucketError),
    /// HTTP cannot listen.
    #[error("cannot listen for HTTP on {0}: {1}")]
    Http(SocketAddr, std::io::Error),
    /// Telephony stopped by itself: a bug.
    #[error(transparent)]
    Stopped(#[from] crate::telephony::Stopped),
}

/// What a person at the terminal wants to know.
#[derive(Debug)]
pub struct Started {
    /// Where SIP listens.
    pub sip: Vec<(Transport, SocketAddr)>,
    /// Where HTTP listens.
    pub http: SocketAddr,
    /// The demo's logins, where there is a demo.
    pub demo: Option<Logins>,
}

/// Runs until `stop` is ready; `started` is told when everything is up.
///
/// # Errors
///
/// [`ServeError`].
pub async fn serve(
    config: Config,
    demo: bool,
    started: impl FnOnce(&Started),
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    if let Err(error) = limits::raise_open_files() {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
    for folder in ["prompts", "speech", "messages", "calls"] {
        let path = config.data.join(folder);
        std::fs::create_dir_all(&path)
            .map_err(|error| ServeError::Data(path.display().to_string(), error))?;
    }
    keep_private(&config.data)?;
    let secrets = Arc::new(Secrets::open(&config.data)?);
    let store = Store::open(&config.database_url()).await?;
    let now_ms = clock::wall().as_millisecond();
    let instance = instance::of(&config.data, now_ms, &mut StdRng::from_seed(seed()?))
        .map_err(|error| ServeError::Data(config.data.display().to_string(), error))?;
    let kept = begin_again(&store, &instance).await?;
    let lives = store::lives::of(store.pool(), &instance).await?;
    let (writer, writing) = Writer::start(store.clone());
    let voices = Arc::new(Voices::discover(&config.data).await);
    let folder = |name| config.data.join(name);
    let prompts = SoundFiles::new(folder("prompts"), Decoder::default());
    let logins = if demo {
        let maker = Maker {
            store: &store,
            secrets: &secrets,
            voices: &voices,
            sounds: &prompts,
            data: &config.data,
        };
        maker.make(clock::wall().as_millisecond(), seed()?).await?
    } else {
        None
    };
    let decoder = Decoder::default();
    let sources = Arc::new(Sources {
        prompts: SoundFiles::new(folder("prompts"), decoder.clone()),
        speech: SpeechFiles::new(
            folder("speech"),
            decoder.clone(),
            voices.clone(),
            store.clone(),
        ),
        sounds: config.sounds.clone(),
        decoder,
    });
    let listener = TcpListener::bind(config.http).await;
    let listener = listener.map_err(|error| ServeError::Http(config.http, error))?;
    let http = listener
        .local_addr()
        .map_err(|error| ServeError::Http(config.http, error))?;
    let transports = Transports::bind(transports_config(&config)).await?;
    let (counters, door) = (transports.counters(), transports.door());
    let sip = transports.addresses().to_vec();
    let (media, media_events) = Media::start(media_config(&config)?)?;
    let inside = inside(&config);
    let fetcher = Fetcher::new(inside);
    let surroundings = Surroundings {
        transports,
        media: media.clone(),
        media_events,
        resolver: Arc::new(Resolver::system()?),
        store: store.clone(),
        writer,
        kept,
        lives,
        sources,
        fetcher: fetcher.clone(),
        messages: config.data.join("messages"),
        calls: folder("calls"),
        archive: Archive::start(folder("calls"), store.clone(), seed()?)
            .map_err(|error| ServeError::Data(folder("calls").display().to_string(), error))?,
        public_address: config.public_address,
    };
    // Pages that came from here speak SIP where they came from.
    let pages = [(Transport::Ws, http)];
    let endpoint = endpoint_config(&config, &[&sip[..], &pages].concat());
    let voice = VoiceConfig {
        calls_max: config.calls_max,
        instance: Some(instance.clone()),
        ..VoiceConfig::default()
    };
    let (telephony, owner) = Telephony::start(endpoint, voice, surroundings, seed()?);
    telephony
        .set_up(setup::load(&store, &secrets, REALM).await?)
        .await?;
    let since_ms = now_ms - DAY_MS_MAX;
    let calls = store::outbound::calls_since(store.pool(), since_ms).await?;
    telephony
        .look(move |voice, now| voice.restore_outbound(now, &calls))
        .await?;

    let files = files(&config).await?;
    let mail = Post {
        store: store.clone(),
        accounts: Accounts::new(
            store.clone(),
            secrets.clone(),
            fetcher.clone(),
            config.registrations(http),
        ),
        dialer: dialer(&config, inside)?,
        files: files.clone(),
    };
    let (channels, telling) = Channels::start(channels::Needs {
        store: store.clone(),
        telephony: telephony.clone(),
        secrets: secrets.clone(),
        fetcher: fetcher.clone(),
        mail: mail.clone(),
        files: files.clone(),
        public_url: config.public_url(),
        instance,
        seed: seed()?,
    });
    let attachments = Attachments::new(
        store.clone(),
        files,
        Thumbnailer::new(OURSELVES, &["thumbnail"]),
        Fetcher::new(inside),
        Arc::new(Providers {
            store: store.clone(),
            secrets: secrets.clone(),
            fetcher: Fetcher::new(inside),
        }),
    );
    let having = tokio::spawn(attachments.clone().run(telephony.clone()));
    let reader = channels.instance().clone();
    let reading = mailboxes::start(mailboxes::Needs {
        store: store.clone(),
        channels: channels.clone(),
        accounts: mail.accounts.clone(),
        dialer: mail.dialer.clone(),
        attachments: attachments.clone(),
        seed: seed()?,
    });
    let transcripts = transcripts::start(mail.clone());
    let app = App::new(Parts {
        store: store.clone(),
        telephony: telephony.clone(),
        channels,
        mail,
        attachments,
        fetcher,
        realm: REALM.into(),
        secrets,
        voices,
        prompts,
        messages: config.data.join("messages"),
        calls: folder("calls"),
        media,
        transports: counters,
        door,
        http,
        started: clock::now(),
        seed: seed()?,
    });
    let retaining = recordings::retain(folder("calls"), store.clone(), seed()?);
    let retaining = tokio::spawn(retaining);
    let ladders = tokio::spawn(crate::telephony::retain_ladders(
        store.clone(),
        config.sip_ladder_days,
    ));
    let (close, closed) = watch::channel(());
    let serving = tokio::spawn(serve_http(listener, http::router(app), closed));

    started(&Started {
        sip,
        http,
        demo: logins,
    });
    stop.await;
    drop(close);
    tracing::info!("no new calls; the program ends when those that run are over");
    telephony.close(CLOSE_PATIENCE).await?;
    wait_for_requests(serving, REQUESTS_PATIENCE).await;
    ladders.abort();
    telling.abort(); // what was under way is told again, under the same id
    reading.abort(); // what was not taken yet is read again
    transcripts.abort(); // what was not sent yet is tried again
    store::mailboxes::let_go(store.pool(), &reader).await?;
    having.abort(); // what was under way is tried again
    retaining.abort(); // between two statements: what it was at is found again
    // The owner holds the writer: when it has ended, everything is handed over; then written.
    let _ = owner.await;
    let _ = writing.await;
    // A request that was cut off may still hold a connection; what is committed is on disk.
    let _ = tokio::time::timeout(REQUESTS_PATIENCE, store.close()).await;
    Ok(())
}

/// The store of the files of messages.
async fn files(config: &Config) -> Result<Files, ServeError> {
    let folder = config.data.join("files");
    match config.bucket() {
        Some(bucket) => Ok(Files::in_bucket(&bucket, &folder).await?),
        None => {
            let opened = Files::on_disk(&folder).await;
            opened.map_err(|error| ServeError::Data(folder.display().to_string(), error))
        }
    }
}

/// What reaches mail servers.
fn dialer(config: &Config, inside: Inside) -> Result<Dialer, ServeError> {
    let mut more = vec![];
    if let Some(path) = &config.mail_authorities {
        more = gateway_net::mail::authorities(path)
            .map_err(|error| ServeError::Data(path.display().to_string(), error))?;
    }
    Ok(Dialer::new(inside, more))
}

/// The file of this very process, whatever an update has put in its place since.
const OURSELVES: &str = "/proc/self/exe";

/// Lets the requests that are under way end, and cuts off those that take longer.
async fn wait_for_requests(mut serving: JoinHandle<()>, patience: Duration) {
    if tokio::time::timeout(patience, &mut serving).await.is_err() {
        tracing::warn!("requests were cut off");
        serving.abort();
    }
}

/// The longest day, when the clocks are set back: what was called before is not of today.
const DAY_MS_MAX: i64 = 25 * 3_600_000;

/// Nobody but us reads the data folder: callers, recordings and password hashes are in it.
fn keep_private(folder: &Path) -> Result<(), ServeError> {
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(folder, mode)
        .map_err(|error| ServeError::Data(folder.display().to_string(), error))
}

/// Serves the API until the other end of `closed` is dropped, and what is under way then.
async fn serve_http(listener: TcpListener, pages: Router, mut closed: watch::Receiver<()>) {
    let service = pages.into_make_service_with_connect_info::<SocketAddr>();
    let told = async move { while closed.changed().await.is_ok() {} };
    let served = axum::serve(listener, service)
        .with_graceful_shutdown(told)
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "the API has ended");
    }
}

/// Interactions that a crash of this process left open are closed as such; what the desks go on
/// from.
async fn begin_again(
    store: &Store,
    instance: &InstanceId,
) -> Result<BTreeMap<CompanyId, Snapshot>, ServeError> {
    let mut db = store.begin().await?;
    let now_ms = clock::wall().as_millisecond();
    let kept = store::desks::snapshots(&mut db, instance).await?;
    let closed = store::changes::close_left_open(&mut db, instance, now_ms).await?;
    db.commit().await?;
    if closed > 0 {
        tracing::warn!(
            closed,
            "calls died with the process before; their records say so"
        );
    }
    Ok(kept)
}

fn transports_config(config: &Config) -> TransportsConfig {
    let files = config.tls_certificate.clone().zip(config.tls_key.clone());
    let tls_files = files.map(|(certificate, key)| TlsFiles { certificate, key });
    let web: Vec<SocketAddr> = config.sip_ws.into_iter().collect();
    let (ws, wss) = if tls_files.is_some() {
        (vec![], web)
    } else {
        (web, vec![])
    };
    TransportsConfig {
        udp: config.sip.0.clone(),
        tcp: config.sip.0.clone(),
        tls: config.sip_tls.into_iter().collect(),
        ws,
        wss,
        tls_files,
        ..TransportsConfig::default()
    }
}

fn media_config(config: &Config) -> Result<MediaConfig, ServeError> {
    let mut media = MediaConfig::new(config.rtp_ports.from..=config.rtp_ports.to, seed()?);
    media.threads = config.media_threads;
    media.browsers = Some(config.browser_media);
    Ok(media)
}

/// Whom inside strangers may have us ask: nobody, but for what the operator wrote down.
fn inside(config: &Config) -> Inside {
    match &config.inside {
        // Read once, and needed until the program ends.
        Some(known) => Inside::Only(Box::leak(known.0.clone().into_boxed_slice())),
        None => Inside::Refused,
    }
}

fn endpoint_config(config: &Config, listening: &[(Transport, SocketAddr)]) -> EndpointConfig {
    let listeners = listening
        .iter()
        .map(|(transport, local)| {
            let address = config
                .public_address
                .unwrap_or_else(|| reachable(local.ip()));
            let public_host = match address {
                IpAddr::V4(address) => address.to_string(),
                IpAddr::V6(address) => format!("[{address}]"),
            };
            Listener {
                transport: *transport,
                local: *local,
                public_host,
                public_port: local.port(),
            }
        })
        .collect();
    EndpointConfig {
        listeners,
        domain: REALM.to_owned(),
        product: concat!("Ramal/", env!("CARGO_PKG_VERSION")).to_owned(),
        trace: true,
        ..EndpointConfig::default()
    }
}

/// The address under which a socket that listens everywhere is reached.
fn reachable(local: IpAddr) -> IpAddr {
    if !local.is_unspecified() {
        return local;
    }
    // A documentation address (RFC 5737): the route to it is the route to anybody.
    route::local_address(Ipv4Addr::new(192, 0, 2, 1).into()).unwrap_or(Ipv4Addr::LOCALHOST.into())
}

fn seed() -> Result<[u8; 32], ServeError> {
    chance::seed().map_err(ServeError::Chance)
}

/// How long calls that run may go on when the program is told to end.
const CLOSE_PATIENCE: Duration = Duration::from_secs(30);

/// How long requests may take to end when the last call is over: an answer on its way arrives, and
/// nobody keeps the program from ending.
const REQUESTS_PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpStream;
    use tokio::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_request_that_never_ends_does_not_keep_the_program_from_ending() {
        let (arrived, mut arrivals) = mpsc::channel(1);
        let hang = move || async move {
            let _ = arrived.send(()).await;
            std::future::pending::<()>().await;
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (close, closed) = watch::channel(());
        let pages = Router::new().route("/", get(hang));
        let serving = tokio::spawn(serve_http(listener, pages, closed));
        let mut asker = TcpStream::connect(address).await.expect("a connection");
        let request = b"GET / HTTP/1.1\r\nHost: ramal\r\n\r\n";
        asker.write_all(request).await.expect("sent");
        arrivals.recv().await.expect("the request arrives");

        drop(close);
        let patience = Duration::from_millis(50);
        let (least, most) = (clock::now() + patience, clock::now() + 100 * patience);
        wait_for_requests(serving, patience).await;
        assert!((least..most).contains(&clock::now()));
    }
}
