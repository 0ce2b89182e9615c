//! The shell: sockets, the clock, and what drives the world.

mod api;
mod clock;
mod connect;
mod control;
mod courier;
mod hand;
mod page;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use rand::Rng;
use tokio::net::TcpListener;
use tokio::sync::{Notify, broadcast, watch};
use tokio::task::{JoinHandle, JoinSet};

use crate::provider::Provider;
use crate::world::{Fault, FaultKind, Outcome, Output, Pace, Target, World};
use clock::Clock;
pub use connect::NotConnected;
pub use hand::{Hand, TimedOut};

/// How a simulator is started.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it listens. Port 0: on any that is free.
    pub listen: SocketAddr,
    /// Under which address others reach it, where that is another one.
    pub public_url: Option<String>,
    /// The address of the company's program, before which webhooks that begin with a slash are put.
    pub target: String,
    /// How long things take.
    pub pace: Pace,
    /// What chance is made with; none: anew with each start, so that ids do not come twice.
    pub seed: Option<[u8; 32]>,
    /// What the simulated clock shows at first, in milliseconds since 1970; none: what the real one shows.
    pub start_ms: Option<i64>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            public_url: None,
            target: String::new(),
            pace: Pace::AT_ONCE,
            seed: None,
            start_ms: None,
        }
    }
}

/// Why there is no simulator.
#[derive(Debug, thiserror::Error)]
pub enum NotStarted {
    /// The address is taken, or not ours.
    #[error("cannot listen at {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
}

/// A simulator that runs until it is dropped.
#[derive(Debug)]
pub struct Simulator {
    shared: Arc<Shared>,
    address: SocketAddr,
    driver: JoinHandle<()>,
    server: JoinHandle<()>,
}

/// What all tasks share.
#[derive(Debug)]
struct Shared {
    world: Mutex<World>,
    clock: Clock,
    target: Mutex<String>,
    /// The driver is to look again.
    wake: Notify,
    /// Counts changes, for those who wait for one.
    version: watch::Sender<u64>,
    /// What changed, as JSON, for pages.
    changes: broadcast::Sender<String>,
}

impl Simulator {
    /// Starts a simulator.
    ///
    /// # Errors
    ///
    /// [`NotStarted`].
    pub async fn start(config: Config) -> Result<Self, NotStarted> {
        let listener = TcpListener::bind(config.listen).await;
        let listener = listener.map_err(|error| NotStarted::Listen(config.listen, error))?;
        let address = listener.local_addr();
        let address = address.map_err(|error| NotStarted::Listen(config.listen, error))?;
        let base = config
            .public_url
            .unwrap_or_else(|| format!("http://{address}"));
        let seed = config.seed.unwrap_or_else(|| rand::rng().random());
        let shared = Arc::new(Shared {
            world: Mutex::new(World::new(config.pace, &base, seed)),
            clock: Clock::new(config.start_ms.unwrap_or_else(wall_ms)),
            target: Mutex::new(config.target),
            wake: Notify::new(),
            version: watch::Sender::new(0),
            changes: broadcast::Sender::new(CHANGES_MAX),
        });
        let driver = tokio::spawn(drive(shared.clone()));
        let router = Router::new()
            .merge(control::routes())
            .merge(page::routes())
            .fallback(api::handle)
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .with_state(shared.clone());
        let server = tokio::spawn(async move {
            // It ends when it is aborted.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            shared,
            address,
            driver,
            server,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its page.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where the API of a provider is: the base address that a connector is given.
    pub fn api(&self, provider: Provider) -> String {
        format!("{}/{}", self.url(), provider.prefix())
    }

    /// Says where a provider tells the company what happens, with which headers.
    pub fn tells(&self, provider: Provider, url: &str, headers: &[(&str, &str)]) {
        let headers = headers.iter();
        let target = Target {
            url: self.shared.absolute(url),
            headers: headers
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        };
        self.with(|world, _| world.set_webhook(provider, Some(target)));
    }

    /// Says where the company's program is, if it was started later.
    pub fn set_target(&self, url: &str) {
        let target = self.shared.target.lock();
        url.clone_into(&mut target.unwrap_or_else(PoisonError::into_inner));
    }

    /// Looks at the world, or changes it. The time is the simulated clock's, in milliseconds since 1970.
    pub fn with<T>(&self, change: impl FnOnce(&mut World, i64) -> T) -> T {
        self.shared.with(change)
    }

    /// Moves the simulated clock on.
    pub fn advance(&self, by: Duration) {
        self.shared.advance(by);
    }

    /// Switches a fault on, for so many times.
    pub fn fault(&self, provider: Provider, kind: FaultKind, times: u32) {
        let fault = Fault {
            provider: Some(provider),
            kind,
            times: Some(times),
            permille: 1_000,
        };
        self.with(|world, _| world.add_fault(fault));
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.driver.abort();
        self.server.abort();
    }
}

impl Shared {
    fn world(&self) -> MutexGuard<'_, World> {
        // A panic in another task leaves a world that is still worth looking at.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, change: impl FnOnce(&mut World, i64) -> T) -> T {
        let mut world = self.world();
        let done = change(&mut world, self.clock.now_ms());
        self.publish(&mut world);
        drop(world);
        self.wake.notify_one();
        done
    }

    /// Tells those who watch what changed.
    fn publish(&self, world: &mut World) {
        let changes = world.poll_changes();
        if changes.is_empty() {
            return;
        }
        self.version.send_modify(|version| *version += 1);
        if let Ok(text) = serde_json::to_string(&changes) {
            // Nobody may be watching.
            let _ = self.changes.send(text);
        }
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.with(|world, _| world.clock_moved());
    }

    fn target(&self) -> String {
        self.target
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// An address of the company's program, which may be written without it.
    fn absolute(&self, url: &str) -> String {
        if url.starts_with('/') {
            format!("{}{url}", self.target().trim_end_matches('/'))
        } else {
            url.to_owned()
        }
    }

    /// Lets the world do what is due, and returns what it asks for.
    fn turn(&self) -> (Vec<Output>, Duration) {
        let mut world = self.world();
        world.handle_timeout(self.clock.now_ms());
        let outputs = std::iter::from_fn(|| world.poll_output()).collect();
        self.publish(&mut world);
        let next = world.poll_timeout();
        let wait = next.map_or(LOOK_EVERY, |at_ms| self.clock.until(at_ms));
        (outputs, wait.min(LOOK_EVERY))
    }
}

async fn drive(shared: Arc<Shared>) {
    let mut tasks = JoinSet::new();
    loop {
        let (outputs, wait) = shared.turn();
        for output in outputs {
            tasks.spawn(perform(shared.clone(), output));
        }
        tokio::select! {
            () = shared.wake.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
        while tasks.try_join_next().is_some() {}
    }
}

async fn perform(shared: Arc<Shared>, output: Output) {
    match output {
        Output::Post(attempt) => {
            let within = Duration::from_millis(attempt.timeout_ms);
            let body = attempt.body.clone();
            let answer = courier::post(&attempt.url, &attempt.headers, body, within).await;
            let outcome = match answer {
                Ok(answer) => Outcome::Answered {
                    status: answer.status,
                    body: answer.body,
                },
                Err(why) => Outcome::Silent(why),
            };
            shared.with(|world, now_ms| world.answered(now_ms, &attempt, outcome));
        }
        Output::Fetch { message, url } => {
            let answer = courier::get(&url, FETCH_WITHIN).await;
            let file = match answer {
                Ok(answer) if answer.status == 200 => Ok((answer.mime, answer.body)),
                Ok(answer) => Err(format!("{url} answered {}", answer.status)),
                Err(why) => Err(why),
            };
            shared.with(|world, now_ms| world.fetched(now_ms, message, file));
        }
    }
}

fn wall_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.unwrap_or_default().as_millis();
    i64::try_from(since).unwrap_or(0)
}

/// How often the driver looks where nothing wakes it; it is always woken, so this is a belt to braces.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long a file that the company sends by its link may take.
const FETCH_WITHIN: Duration = Duration::from_secs(30);

/// The largest file that WhatsApp carries, and something.
const BODY_BYTES_MAX: usize = 110 << 20;

/// Changes that a page may be behind before it must load all of it again.
const CHANGES_MAX: usize = 256;
