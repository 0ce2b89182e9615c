//! What happens in a company, for all who watch it.
//!
//! ```text
//!  telephony ─ try_send ─▶ task ─▶ ring of each company ─▶ a socket each reads at its own pace
//!               (full: a gap, and who meets it begins anew)
//! ```
//!
//! Telephony never waits: it drops into a channel, and what finds no room there is a gap in the
//! count, which every reader notices. A reader keeps no queue: it knows how far it has read, and
//! reads on in the ring. Who is slower than the ring is turned away and comes back for everything.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::ws::Utf8Bytes;
use desk::id::{CompanyId, InteractionId, ServiceId, UserId, WorkId};
use exchange::voice::LiveEvent;
use tokio::sync::{broadcast, mpsc, watch};

use crate::http::live_text;

/// What telephony tells, on its way to the rings.
#[derive(Clone, Debug)]
pub struct Teller {
    told: mpsc::Sender<Told>,
    shared: Arc<Shared>,
}

/// The rings of all companies; clones share them.
#[derive(Clone, Debug)]
pub struct Hub {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    feeds: Mutex<HashMap<CompanyId, Arc<Feed>>>,
    /// Who follows one interaction, or one work, by its id; and which of all that ever did they are.
    bells: Mutex<BTreeMap<String, (u64, watch::Sender<()>)>>,
    followers: AtomicU64,
    sockets: AtomicUsize,
    lost: AtomicU64,
}

#[derive(Debug)]
struct Told {
    company: CompanyId,
    seq: u64,
    event: Box<LiveEvent>,
}

/// What a company was told last, and a bell that rings when there is more.
#[derive(Debug)]
pub struct Feed {
    ring: Mutex<Ring>,
    news: watch::Sender<()>,
    /// How many sockets each agent has open.
    connected: Mutex<HashMap<UserId, usize>>,
}

/// The last things that were told, without a gap between them.
#[derive(Debug)]
struct Ring {
    told: VecDeque<Entry>,
    bytes: usize,
    limits: Limits,
}

/// How much a ring holds.
#[derive(Clone, Copy, Debug)]
struct Limits {
    count: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    seq: u64,
    text: Utf8Bytes,
    /// Whose own it is, beside those who may see everything.
    users: Vec<UserId>,
    /// About which services it is.
    services: Vec<ServiceId>,
}

/// What somebody reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Everything of the company.
    All,
    /// What is their own, and what is about some services.
    Some {
        /// Who.
        user: UserId,
        /// Which.
        services: Vec<ServiceId>,
    },
}

impl Reader {
    /// Whether something is for them that is these people's own and about these services.
    pub fn sees(&self, users: &[UserId], services: &[ServiceId]) -> bool {
        match self {
            Self::All => true,
            Self::Some {
                user,
                services: theirs,
            } => users.contains(user) || services.iter().any(|service| theirs.contains(service)),
        }
    }
}

/// What there is to read behind a count.
#[derive(Debug, PartialEq, Eq)]
pub enum Read {
    /// These, and how far they lead: further than the last of them where others are not for this
    /// reader.
    Events {
        /// What to send.
        texts: Vec<Utf8Bytes>,
        /// The count behind which to read on.
        seq: u64,
    },
    /// Nothing new.
    Nothing,
    /// What follows is not held any more, or never was.
    Gone,
}

/// A place among the sockets that may be open; given back when it is dropped.
#[derive(Debug)]
pub struct Place(Arc<Shared>);

/// Somebody follows one interaction or work for as long as they hold this.
#[derive(Debug)]
pub struct Follower {
    shared: Arc<Shared>,
    id: String,
    number: u64,
}

impl Drop for Follower {
    fn drop(&mut self) {
        let mut bells = lock(&self.shared.bells);
        if bells
            .get(&self.id)
            .is_some_and(|(number, _)| *number == self.number)
        {
            bells.remove(&self.id);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.sockets.fetch_sub(1, Relaxed);
    }
}

impl Teller {
    /// Tells those who watch, and never waits for them.
    pub fn tell(&self, company: CompanyId, seq: u64, event: Box<LiveEvent>) {
        let told = Told {
            company,
            seq,
            event,
        };
        if self.told.try_send(told).is_err() {
            self.shared.lost.fetch_add(1, Relaxed);
        }
    }
}

impl Hub {
    /// Starts the task that fills the rings. It ends when the last teller is gone; then all who watch
    /// are told so. Who follows an interaction is rung for what becomes `durable`, too.
    pub fn start(durable: broadcast::Receiver<InteractionId>) -> (Self, Teller) {
        let (told, telling) = mpsc::channel(TOLD_MAX);
        let shared = Arc::<Shared>::default();
        let hub = Self {
            shared: shared.clone(),
        };
        tokio::spawn(fill(hub.clone(), telling));
        tokio::spawn(ring(hub.clone(), durable));
        (hub, Teller { told, shared })
    }

    /// The ring of a company.
    pub fn feed(&self, company: &CompanyId) -> Arc<Feed> {
        let mut feeds = lock(&self.shared.feeds);
        let feed = feeds.entry(company.clone()).or_insert_with(|| {
            Arc::new(Feed {
                ring: Mutex::new(Ring::new(LIMITS)),
                news: watch::Sender::new(()),
                connected: Mutex::default(),
            })
        });
        feed.clone()
    }

    /// A place for one more socket; nothing when all are taken.
    pub fn place(&self) -> Option<Place> {
        let before = self.shared.sockets.fetch_add(1, Relaxed);
        let place = Place(self.shared.clone());
        (before < SOCKETS_MAX).then_some(place)
    }

    /// Rings `bell` whenever something is told of this interaction or work. Who follows the same takes
    /// the place of who did.
    pub fn follow(&self, id: &str, bell: watch::Sender<()>) -> Follower {
        let number = self.shared.followers.fetch_add(1, Relaxed);
        lock(&self.shared.bells).insert(id.to_owned(), (number, bell));
        Follower {
            shared: self.shared.clone(),
            id: id.to_owned(),
            number,
        }
    }

    fn bells_of(&self, event: &LiveEvent) -> Vec<watch::Sender<()>> {
        let bells = lock(&self.shared.bells);
        let (interaction, work) = event.about();
        let ids = [
            interaction.map(InteractionId::as_str),
            work.map(WorkId::as_str),
        ];
        let rung = ids.into_iter().flatten().filter_map(|id| bells.get(id));
        rung.map(|(_, bell)| bell.clone()).collect()
    }

    /// Sockets that are open.
    pub fn sockets(&self) -> usize {
        self.shared.sockets.load(Relaxed)
    }

    /// What was told and found no room on its way to the rings.
    pub fn lost(&self) -> u64 {
        self.shared.lost.load(Relaxed)
    }
}

async fn fill(hub: Hub, mut telling: mpsc::Receiver<Told>) {
    while let Some(Told {
        company,
        seq,
        event,
    }) = telling.recv().await
    {
        let (users, services) = (event.users(), event.services());
        let rung = hub.bells_of(&event);
        let text = live_text(seq, *event).into();
        let feed = hub.feed(&company);
        lock(&feed.ring).push(Entry {
            seq,
            text,
            users,
            services,
        });
        feed.news.send_replace(());
        for bell in rung {
            bell.send_replace(());
        }
    }
    lock(&hub.shared.feeds).clear();
}

/// Rings for what has become durable: who looks sees it now.
async fn ring(hub: Hub, mut durable: broadcast::Receiver<InteractionId>) {
    loop {
        match durable.recv().await {
            Ok(interaction) => {
                if let Some((_, bell)) = lock(&hub.shared.bells).get(interaction.as_str()) {
                    bell.send_replace(());
                }
            }
            Err(broadcast::error::RecvError::Lagged(_)) => {
                for (_, bell) in lock(&hub.shared.bells).values() {
                    bell.send_replace(());
                }
            }
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

impl Feed {
    /// Hears when there is more to read; and that there will be no more, when it is closed.
    pub fn listen(&self) -> watch::Receiver<()> {
        self.news.subscribe()
    }

    /// What there is to read behind `seq`, at most a batch.
    pub fn read(&self, seq: u64, reader: &Reader) -> Read {
        lock(&self.ring).read(seq, reader)
    }

    /// Whether one who has heard everything up to `seq` can read on.
    pub fn holds(&self, seq: u64) -> bool {
        lock(&self.ring).holds(seq)
    }

    /// An agent has opened one more socket. Returns whether it is the only one.
    pub fn connect(&self, user: &UserId) -> bool {
        let mut connected = lock(&self.connected);
        let sockets = connected.entry(user.clone()).or_default();
        *sockets += 1;
        *sockets == 1
    }

    /// A socket of an agent is gone. Returns whether it was the last.
    pub fn disconnect(&self, user: &UserId) -> bool {
        let mut connected = lock(&self.connected);
        let Some(sockets) = connected.get_mut(user) else {
            return false;
        };
        *sockets -= 1;
        let is_last = *sockets == 0;
        if is_last {
            connected.remove(user);
        }
        is_last
    }
}

impl Ring {
    fn new(limits: Limits) -> Self {
        Self {
            told: VecDeque::new(),
            bytes: 0,
            limits,
        }
    }

    fn push(&mut self, entry: Entry) {
        if self
            .told
            .back()
            .is_some_and(|last| last.seq + 1 != entry.seq)
        {
            // Something is missing between: nobody may read across.
            self.told.clear();
            self.bytes = 0;
        }
        self.bytes += weight(&entry);
        self.told.push_back(entry);
        while self.told.len() > self.limits.count || self.bytes > self.limits.bytes {
            let Some(oldest) = self.told.pop_front() else {
                break;
            };
            self.bytes -= weight(&oldest);
        }
    }

    fn holds(&self, seq: u64) -> bool {
        match (self.told.front(), self.told.back()) {
            (Some(first), Some(last)) => first.seq <= seq.saturating_add(1) && seq <= last.seq,
            _ => false,
        }
    }

    fn read(&self, seq: u64, reader: &Reader) -> Read {
        let Some(first) = self.told.front() else {
            return Read::Nothing;
        };
        let next = seq.saturating_add(1);
        if next < first.seq {
            return Read::Gone;
        }
        let skipped = usize::try_from(next - first.seq).unwrap_or(usize::MAX);
        let mut texts = Vec::new();
        let mut read = seq;
        for entry in self.told.iter().skip(skipped).take(BATCH) {
            read = entry.seq;
            if reader.sees(&entry.users, &entry.services) {
                texts.push(entry.text.clone());
            }
        }
        if read == seq {
            return Read::Nothing;
        }
        Read::Events { texts, seq: read }
    }
}

fn weight(entry: &Entry) -> usize {
    entry.text.len() + ENTRY_BYTES
}

/// What a mutex guards here is whole whatever happened to who held it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What telephony may be ahead of the rings: a burst of some seconds of a busy system.
const TOLD_MAX: usize = 16_384;

/// What a company's ring holds: minutes of a large one, so that a browser that is loaded again, or a
/// short loss of the network, costs no snapshot.
const LIMITS: Limits = Limits {
    count: 4_096,
    bytes: 2 * 1024 * 1024,
};

/// What an entry weighs beside its text.
const ENTRY_BYTES: usize = 128;

/// What is read at once: the lock is held for some microseconds.
const BATCH: usize = 64;

/// Sockets that may be open: twice the people of the largest installation. Each takes some 20 KB.
const SOCKETS_MAX: usize = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
        text.parse().expect("an id")
    }

    fn own(user: &UserId) -> Reader {
        Reader::Some {
            user: user.clone(),
            services: vec![],
        }
    }

    fn entry(seq: u64, user: Option<&str>) -> Entry {
        Entry {
            seq,
            text: seq.to_string().into(),
            users: user.map(id).into_iter().collect(),
            services: vec![],
        }
    }

    fn ring(count: usize, seqs: std::ops::RangeInclusive<u64>) -> Ring {
        let mut ring = Ring::new(Limits {
            count,
            bytes: 10_000,
        });
        for seq in seqs {
            ring.push(entry(seq, None));
        }
        ring
    }

    fn texts(read: &Read) -> Vec<&str> {
        match read {
            Read::Events { texts, .. } => texts.iter().map(Utf8Bytes::as_str).collect(),
            Read::Nothing | Read::Gone => vec![],
        }
    }

    #[test]
    fn who_was_away_reads_what_they_missed_and_nothing_twice() {
        let ring = ring(100, 11..=15);
        let read = ring.read(12, &Reader::All);
        assert_eq!(texts(&read), ["13", "14", "15"]);
        assert!(matches!(read, Read::Events { seq: 15, .. }));
        assert_eq!(ring.read(15, &Reader::All), Read::Nothing);
        assert_eq!(texts(&ring.read(10, &Reader::All)).len(), 5);
    }

    #[test]
    fn what_the_ring_does_not_hold_any_more_is_said_to_be_gone() {
        let ring = ring(3, 11..=15);
        assert_eq!(texts(&ring.read(12, &Reader::All)), ["13", "14", "15"]);
        assert_eq!(ring.read(11, &Reader::All), Read::Gone);
        assert!(!ring.holds(11) && ring.holds(12) && ring.holds(15) && !ring.holds(16));
        assert!(!Ring::new(LIMITS).holds(0));
    }

    #[test]
    fn a_ring_is_bounded_by_its_bytes() {
        let mut ring = Ring::new(Limits {
            count: 1_000,
            bytes: 3 * (ENTRY_BYTES + 2),
        });
        for seq in 11..=90 {
            ring.push(entry(seq, None));
            assert!(ring.bytes <= ring.limits.bytes);
        }
        assert_eq!(texts(&ring.read(87, &Reader::All)), ["88", "89", "90"]);
        assert_eq!(ring.read(86, &Reader::All), Read::Gone);
        let mut large = entry(91, None);
        large.text = "x".repeat(1_000).into();
        ring.push(large);
        assert_eq!(
            ring.told.len(),
            0,
            "what is larger than the ring is told to nobody"
        );
        assert_eq!(ring.bytes, 0);
    }

    #[test]
    fn who_watches_some_services_reads_of_those_and_what_is_their_own() {
        let about = |seq, user, service: &str| Entry {
            services: vec![id(service)],
            ..entry(seq, user)
        };
        let mut ring = ring(100, 11..=11);
        ring.push(about(12, None, "vendas"));
        ring.push(about(13, None, "suporte"));
        ring.push(about(14, Some("ana"), "suporte"));
        let ana = Reader::Some {
            user: id("ana"),
            services: vec![id("vendas")],
        };
        assert_eq!(texts(&ring.read(11, &ana)), ["12", "14"]);
    }

    #[test]
    fn nobody_reads_across_a_gap() {
        let mut ring = ring(100, 11..=15);
        ring.push(entry(17, None));
        assert_eq!(ring.read(15, &Reader::All), Read::Gone);
        assert!(!ring.holds(15));
        assert_eq!(texts(&ring.read(16, &Reader::All)), ["17"]);
    }

    #[test]
    fn who_sees_their_own_alone_gets_on_through_what_is_not_theirs() {
        let mut ring = Ring::new(Limits {
            count: 1_000,
            bytes: 1_000_000,
        });
        for seq in 1..=200 {
            ring.push(entry(seq, None));
        }
        ring.push(entry(201, Some("ana")));
        let ana = id("ana");
        let mut seq = 0;
        let mut seen = vec![];
        while let Read::Events { texts, seq: read } = ring.read(seq, &own(&ana)) {
            seq = read;
            seen.extend(texts);
        }
        assert_eq!(seq, 201);
        assert_eq!(seen, [Utf8Bytes::from("201")]);
        assert_eq!(texts(&ring.read(200, &own(&id("bruno")))).len(), 0);
    }

    #[test]
    fn who_is_ahead_of_the_ring_waits_until_it_has_come_so_far() {
        let mut ring = ring(100, 11..=12);
        assert_eq!(ring.read(14, &Reader::All), Read::Nothing);
        for seq in 13..=15 {
            ring.push(entry(seq, None));
        }
        assert_eq!(texts(&ring.read(14, &Reader::All)), ["15"]);
    }

    #[tokio::test]
    async fn a_teller_never_waits_and_what_it_loses_is_a_gap() {
        let (_durable, durable) = broadcast::channel(1);
        let (hub, teller) = Hub::start(durable);
        let company: CompanyId = id("demo");
        let ended = |seq| {
            let event = LiveEvent::CallEnded {
                interaction: id("i"),
                users: Default::default(),
            };
            teller.tell(id("demo"), seq, Box::new(event));
        };
        // Nobody takes anything from the channel before this test waits.
        let most = u64::try_from(TOLD_MAX).expect("a count");
        for seq in 1..=most + 10 {
            ended(seq);
        }
        assert_eq!(hub.lost(), 10);
        let mut news = hub.feed(&company).listen();
        while !hub.feed(&company).holds(most) {
            news.changed().await.expect("the hub lives");
        }
        ended(most + 11);
        while !hub.feed(&company).holds(most + 11) {
            news.changed().await.expect("the hub lives");
        }
        assert_eq!(hub.feed(&company).read(most, &Reader::All), Read::Gone);
        drop(teller);
        while news.changed().await.is_ok() {}
    }

    #[test]
    fn an_agent_is_gone_with_their_last_socket() {
        let feed = Feed {
            ring: Mutex::new(Ring::new(LIMITS)),
            news: watch::Sender::new(()),
            connected: Mutex::default(),
        };
        let ana = id("ana");
        assert!(feed.connect(&ana));
        assert!(!feed.connect(&ana));
        assert!(!feed.disconnect(&ana));
        assert!(feed.disconnect(&ana));
        assert!(!feed.disconnect(&ana), "nobody is gone twice");
    }
}
