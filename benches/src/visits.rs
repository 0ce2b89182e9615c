//! The visit loop with no engine around it: a thread, N sockets, a tick of 5 ms, a quarter of the
//! sockets each tick; a visit receives one packet and sends one of 172 bytes.
//!
//! This is the least that answering N callers can cost on plain sockets, and what the engine is
//! held against.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use media_engine_net::histogram::Histogram;
use nix::errno::Errno;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt,
};
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, ClockNanosleepFlags, clock_gettime, clock_nanosleep};
use nix::unistd::Pid;
use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadPriorityValue, ThreadSchedulePolicy,
};

/// 160 bytes of G.711 behind an RTP header.
pub const PACKET_BYTES: usize = 172;
/// The beat; four groups of sockets make 20 ms.
pub const TICK: Duration = Duration::from_millis(5);
const GROUPS: usize = 4;
/// Where a timed packet carries when it was sent, behind the RTP header.
const TIME: std::ops::Range<usize> = 12..20;
/// How much longer a timed beat is: it passes through every phase of another in a second.
const SLOW: Duration = Duration::from_micros(13);
/// Later than this, what is due is left out instead of sent in a burst.
const BEHIND_MAX: Duration = Duration::from_millis(100);

/// How a packet is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `recvfrom`: the least there is.
    Plain,
    /// `recvmsg` with the kernel's receive time stamp.
    Stamped,
    /// The same for a peer whose packets come back from another socket of its own: each carries when
    /// it was sent, so that the time stamp tells how long it was under way. The beat is a little slow,
    /// so that packets leave at every phase of the subject's.
    Timed,
}

/// What was done in a measured window.
#[derive(Debug, Default)]
pub struct Done {
    /// Packets that left.
    pub sent: u64,
    /// Packets that came.
    pub received: u64,
    /// How late each packet left, against the schedule of its group.
    pub lateness: Histogram,
    /// How long packets were under way ([`Method::Timed`]).
    pub delay: Histogram,
}

/// Sockets that are visited in turn, each with its peer.
pub struct Visits {
    legs: Vec<(UdpSocket, SocketAddr)>,
    method: Method,
    packet: [u8; PACKET_BYTES],
    sequence: u16,
    tick: u64,
    next: TimeSpec,
    stamp: Vec<u8>,
    buffer: Box<[u8; 2048]>,
}

impl Visits {
    /// Takes sockets and their peers.
    pub fn new(legs: Vec<(UdpSocket, SocketAddr)>, method: Method) -> io::Result<Self> {
        for (socket, _) in &legs {
            socket.set_nonblocking(true)?;
            setsockopt(
                socket,
                sockopt::ReceiveTimestampns,
                &(method != Method::Plain),
            )?;
        }
        let mut packet = [0xd5; PACKET_BYTES]; // A-law silence
        packet[..2].copy_from_slice(&[0x80, 8]);
        let next = clock_gettime(ClockId::CLOCK_MONOTONIC)?;
        let stamp = nix::cmsg_space!(TimeSpec);
        Ok(Self {
            legs,
            method,
            packet,
            sequence: 0,
            tick: 0,
            next,
            stamp,
            buffer: Box::new([0; 2048]),
        })
    }

    /// Visits for `window`.
    pub fn run(&mut self, window: Duration) -> io::Result<Done> {
        let mut done = Done::default();
        let end = Instant::now() + window;
        while Instant::now() < end {
            self.tick(&mut done)?;
        }
        Ok(done)
    }

    fn tick(&mut self, done: &mut Done) -> io::Result<()> {
        let absolute = ClockNanosleepFlags::TIMER_ABSTIME;
        while let Err(Errno::EINTR) =
            clock_nanosleep(ClockId::CLOCK_MONOTONIC, absolute, &self.next)
        {}
        let woken = Instant::now();
        let late =
            Duration::from(clock_gettime(ClockId::CLOCK_MONOTONIC)?) - Duration::from(self.next);
        let due = woken.checked_sub(late).unwrap_or(woken);
        let group = usize::try_from(self.tick % 4).unwrap_or(0);
        if group == 0 {
            self.sequence = self.sequence.wrapping_add(1);
            let timestamp = u32::from(self.sequence).wrapping_mul(160);
            self.packet[2..4].copy_from_slice(&self.sequence.to_be_bytes());
            self.packet[4..8].copy_from_slice(&timestamp.to_be_bytes());
        }
        for at in (group..self.legs.len()).step_by(GROUPS) {
            self.visit(at, due, done);
        }
        self.tick += 1;
        // A core that is full stays behind; beyond a tenth of a second ticks are left out.
        let slow = if self.method == Method::Timed {
            SLOW
        } else {
            Duration::ZERO
        };
        let next = Duration::from(self.next) + TICK + slow;
        self.next = TimeSpec::from_duration(if late > BEHIND_MAX { next + late } else { next });
        Ok(())
    }

    fn visit(&mut self, at: usize, due: Instant, done: &mut Done) {
        let (socket, peer) = &self.legs[at];
        let mut stamp = None;
        let received = match self.method {
            Method::Plain => socket.recv_from(&mut self.buffer[..]).is_ok(),
            Method::Stamped | Method::Timed => {
                let mut slices = [io::IoSliceMut::new(&mut self.buffer[..])];
                recvmsg::<SockaddrStorage>(
                    socket.as_raw_fd(),
                    &mut slices,
                    Some(&mut self.stamp),
                    MsgFlags::MSG_DONTWAIT,
                )
                .is_ok_and(|message| {
                    let mut stamps = message.cmsgs().into_iter().flatten();
                    stamp = stamps.find_map(stamp_of);
                    message.address.is_some() && stamp.is_some()
                })
            }
        };
        if let (Method::Timed, Some(stamp)) = (self.method, stamp) {
            let sent = self.buffer[TIME].try_into().map_or(0, u64::from_be_bytes);
            let delay = stamp.saturating_sub(Duration::from_nanos(sent));
            // What the engine says of its own carries no time.
            if delay < Duration::from_secs(1) {
                done.delay.record(delay);
            }
        }
        done.received += u64::from(received);
        done.lateness
            .record(Instant::now().saturating_duration_since(due));
        // The source of a leg is its own, as in the engine.
        let identity = u32::try_from(at).unwrap_or(0);
        self.packet[8..12].copy_from_slice(&identity.to_be_bytes());
        if self.method == Method::Timed {
            let now = clock_gettime(ClockId::CLOCK_REALTIME).map_or(Duration::ZERO, Duration::from);
            let now = u64::try_from(now.as_nanos()).unwrap_or(0);
            self.packet[TIME].copy_from_slice(&now.to_be_bytes());
        }
        done.sent += u64::from(socket.send_to(&self.packet, peer).is_ok());
    }
}

fn stamp_of(message: ControlMessageOwned) -> Option<Duration> {
    if let ControlMessageOwned::ScmTimestampns(stamp) = message {
        Some(stamp.into())
    } else {
        None
    }
}

/// Puts the calling thread on `core` and, where that is allowed, before ordinary ones; whether it
/// was.
pub fn run_in_real_time(core: usize) -> bool {
    let mut cores = CpuSet::new();
    let pinned = cores
        .set(core)
        .and_then(|()| sched_setaffinity(Pid::from_raw(0), &cores))
        .is_ok();
    let fifo = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    let granted = ThreadPriorityValue::try_from(10).is_ok_and(|priority| {
        let priority = ThreadPriority::Crossplatform(priority);
        let me = thread_priority::thread_native_id();
        thread_priority::set_thread_priority_and_policy(me, priority, fifo).is_ok()
    });
    pinned && granted
}
