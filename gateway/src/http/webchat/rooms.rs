//! Who is there: a room for each visitor that has a page open, where their sockets meet what happens.
//!
//! ```text
//!  telephony ─ live::Hub ─ follow(interaction, work) ─┐
//!  another page of the visitor ───────────────────────┼─▶ the room's bell ─▶ every socket looks
//!  an agent types ────────────────────────────────────┘
//! ```
//!
//! A room holds no messages: a socket that is rung reads what there is behind its own cursor. It is
//! gone with its last socket.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use channels::webchat::server::{State, next_version};
use channels::webchat::token::VisitorId;
use channels::webchat::{
    ADDRESS_SOCKETS_MAX, ADDRESS_UPLOAD_RATE, HELLO_RATE, POLL_MS, SEND_RATE, TYPING_RATE,
    UPLOAD_RATE, VISITOR_SOCKETS_MAX,
};
use desk::id::{ChannelId, InteractionId};
use tokio::sync::{Notify, watch};

use super::bucket::Buckets;
use super::chat::Chat;
use crate::live::{Follower, Hub};

/// All rooms; clones share them.
#[derive(Clone, Debug)]
pub(in crate::http) struct Rooms {
    inside: Arc<Mutex<Inside>>,
}

#[derive(Debug)]
struct Inside {
    rooms: HashMap<Key, Weak<Room>>,
    /// The rooms of interactions that are open.
    talks: HashMap<InteractionId, Weak<Room>>,
    /// Rooms of visitors between two polls, and until when they are believed to come back.
    lingering: VecDeque<(Instant, Arc<Room>)>,
    /// Channels as they were last set.
    chats: HashMap<ChannelId, Arc<Chat>>,
    /// Sockets of each address.
    sockets: HashMap<String, usize>,
    hellos: Buckets<String>,
    address_uploads: Buckets<String>,
    sends: Buckets<Key>,
    typings: Buckets<Key>,
    uploads: Buckets<Key>,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Send,
    Typing,
    Upload,
}

type Key = (ChannelId, VisitorId);

/// Where one visitor is.
#[derive(Debug)]
pub(super) struct Room {
    key: Key,
    rooms: Rooms,
    bell: watch::Sender<()>,
    here: Mutex<Here>,
}

#[derive(Debug, Default)]
struct Here {
    /// How everything was told last.
    state: Option<State>,
    /// Until when the agent is believed to type.
    typing_until: Option<Instant>,
    /// Up to here an agent has read: they answered later.
    replied: u32,
    followed: Option<Followed>,
    sockets: VecDeque<Arc<Notify>>,
}

/// What rings the bell.
#[derive(Debug)]
struct Followed {
    interaction: InteractionId,
    work: Option<(String, Follower)>,
    _interaction: Follower,
}

/// A place for a socket; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    rooms: Rooms,
    address: String,
}

/// A socket among those of its visitor.
#[derive(Debug)]
pub(super) struct Seat {
    room: Arc<Room>,
    /// Rung when the visitor opened the chat in too many other places.
    pub(super) replaced: Arc<Notify>,
}

impl Default for Rooms {
    fn default() -> Self {
        let inside = Inside {
            rooms: HashMap::new(),
            talks: HashMap::new(),
            lingering: VecDeque::new(),
            chats: HashMap::new(),
            sockets: HashMap::new(),
            hellos: Buckets::new(HELLO_RATE),
            address_uploads: Buckets::new(ADDRESS_UPLOAD_RATE),
            sends: Buckets::new(SEND_RATE),
            typings: Buckets::new(TYPING_RATE),
            uploads: Buckets::new(UPLOAD_RATE),
        };
        Self {
            inside: Arc::new(Mutex::new(inside)),
        }
    }
}

impl Rooms {
    /// A place for one more socket of an address; nothing when it has as many as an office has.
    pub(super) fn place(&self, address: &str) -> Option<Place> {
        let mut inside = lock(&self.inside);
        let open = inside.sockets.entry(address.to_owned()).or_default();
        if *open >= ADDRESS_SOCKETS_MAX {
            return None;
        }
        *open += 1;
        Some(Place {
            rooms: self.clone(),
            address: address.to_owned(),
        })
    }

    /// Counts a `hello` of an address.
    ///
    /// # Errors
    ///
    /// How long to wait.
    pub(super) fn hello(&self, now: Instant, address: &str) -> Result<(), Duration> {
        lock(&self.inside).hellos.take(now, &address.to_owned())
    }

    /// Counts a file of an address: who changes visitors does not get more of them.
    ///
    /// # Errors
    ///
    /// How long to wait.
    pub(super) fn upload(&self, now: Instant, address: &str) -> Result<(), Duration> {
        let mut inside = lock(&self.inside);
        inside.address_uploads.take(now, &address.to_owned())
    }

    /// The room of a visitor.
    pub(super) fn room(&self, channel: &ChannelId, visitor: &VisitorId) -> Arc<Room> {
        let key = (channel.clone(), visitor.clone());
        let mut inside = lock(&self.inside);
        if let Some(room) = inside.rooms.get(&key).and_then(Weak::upgrade) {
            return room;
        }
        let room = Arc::new(Room {
            key: key.clone(),
            rooms: self.clone(),
            bell: watch::Sender::new(()),
            here: Mutex::default(),
        });
        inside.rooms.insert(key, Arc::downgrade(&room));
        room
    }

    /// Keeps a room for who polls and is gone in between: a new one would have news for them.
    pub(super) fn linger(&self, now: Instant, room: Arc<Room>) {
        let mut left = vec![];
        let mut inside = lock(&self.inside);
        inside.lingering.push_back((now + LINGERS, room));
        while inside
            .lingering
            .front()
            .is_some_and(|(until, _)| *until <= now)
        {
            left.extend(inside.lingering.pop_front());
        }
        // A room that goes wants the lock.
        drop(inside);
        drop(left);
    }

    /// A channel as this row has it; the same for all sockets until it is set anew.
    pub(super) fn chat(&self, chat: Chat) -> Arc<Chat> {
        let mut inside = lock(&self.inside);
        let known = inside.chats.get(&chat.row.id);
        if let Some(known) = known.filter(|known| known.row == chat.row) {
            return known.clone();
        }
        let chat = Arc::new(chat);
        inside.chats.insert(chat.row.id.clone(), chat.clone());
        chat
    }

    /// The room of the visitor of an interaction, if they are here.
    pub(super) fn of(&self, interaction: &InteractionId) -> Option<Arc<Room>> {
        lock(&self.inside).talks.get(interaction)?.upgrade()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inside = lock(&self.rooms.inside);
        if let Some(open) = inside.sockets.get_mut(&self.address) {
            *open -= 1;
            if *open == 0 {
                inside.sockets.remove(&self.address);
            }
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut inside = lock(&self.rooms.inside);
        // Another may have taken the place of this one already.
        let is_gone = |room: &Weak<Self>| room.strong_count() == 0;
        if inside.rooms.get(&self.key).is_some_and(is_gone) {
            inside.rooms.remove(&self.key);
        }
        let followed = &lock(&self.here).followed;
        if let Some(followed) = followed
            && inside.talks.get(&followed.interaction).is_some_and(is_gone)
        {
            inside.talks.remove(&followed.interaction);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let sockets = &mut lock(&self.room.here).sockets;
        sockets.retain(|one| !Arc::ptr_eq(one, &self.replaced));
    }
}

impl Room {
    /// Sits down; whoever sits longest leaves where there are too many.
    pub(super) fn sit(self: &Arc<Self>) -> Seat {
        let replaced = Arc::new(Notify::new());
        let mut here = lock(&self.here);
        here.sockets.push_back(replaced.clone());
        if here.sockets.len() > VISITOR_SOCKETS_MAX
            && let Some(oldest) = here.sockets.pop_front()
        {
            oldest.notify_one();
        }
        Seat {
            room: self.clone(),
            replaced,
        }
    }

    /// Hears the bell.
    pub(super) fn listen(&self) -> watch::Receiver<()> {
        self.bell.subscribe()
    }

    /// Everybody here is to look what there is.
    pub(super) fn ring(&self) {
        self.bell.send_replace(());
    }

    /// Counts something that the visitor does.
    ///
    /// # Errors
    ///
    /// How long to wait.
    pub(super) fn count(&self, now: Instant, deed: Deed) -> Result<(), Duration> {
        let mut inside = lock(&self.rooms.inside);
        let buckets = match deed {
            Deed::Send => &mut inside.sends,
            Deed::Typing => &mut inside.typings,
            Deed::Upload => &mut inside.uploads,
        };
        buckets.take(now, &self.key)
    }

    /// The bell is rung when something happens to this interaction, or to the work that stands for it.
    pub(super) fn follow(
        self: &Arc<Self>,
        hub: &Hub,
        interaction: &InteractionId,
        work: Option<&str>,
    ) {
        let mut here = lock(&self.here);
        if here
            .followed
            .as_ref()
            .is_none_or(|now| now.interaction != *interaction)
        {
            let before = here.followed.replace(Followed {
                interaction: interaction.clone(),
                work: None,
                _interaction: hub.follow(interaction.as_str(), self.bell.clone()),
            });
            let mut inside = lock(&self.rooms.inside);
            if let Some(before) = before {
                inside.talks.remove(&before.interaction);
            }
            let talk = Arc::downgrade(self);
            inside.talks.insert(interaction.clone(), talk);
        }
        let followed = here.followed.as_mut();
        if let Some((followed, work)) = followed.zip(work)
            && followed.work.as_ref().is_none_or(|(now, _)| now != work)
        {
            let follower = hub.follow(work, self.bell.clone());
            followed.work = Some((work.to_owned(), follower));
        }
    }

    /// The interaction that the visitor is in, or was last.
    pub(super) fn interaction(&self) -> Option<InteractionId> {
        let here = lock(&self.here);
        here.followed
            .as_ref()
            .map(|followed| followed.interaction.clone())
    }

    /// The agent types until then, or does not.
    pub(super) fn agent_types(&self, until: Option<Instant>) {
        lock(&self.here).typing_until = until;
        self.ring();
    }

    /// Until when the agent types, if they do.
    pub(super) fn typing_until(&self, now: Instant) -> Option<Instant> {
        lock(&self.here).typing_until.filter(|until| *until > now)
    }

    /// An agent answered after the message with this number, and so has read it. Returns up to where
    /// they have read.
    pub(super) fn replied(&self, seq: u32) -> u32 {
        let here = &mut lock(&self.here);
        here.replied = here.replied.max(seq);
        here.replied
    }

    /// How everything is now: under a new version, where it is otherwise than it was.
    pub(super) fn is_now(&self, mut state: State, now_ms: i64) -> State {
        let here = &mut lock(&self.here);
        let before = here.state.as_ref();
        state.version = before.map_or(now_ms, |before| before.version);
        if before != Some(&state) {
            state.version = match before {
                Some(before) => next_version(before.version, now_ms),
                None => now_ms,
            };
            here.state = Some(state.clone());
        }
        state
    }
}

/// Twice as long as a poll waits.
const LINGERS: Duration = Duration::from_millis(2 * POLL_MS);

/// What a mutex guards here is whole whatever happened to who held it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
