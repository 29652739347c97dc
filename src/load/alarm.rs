//! Wakes the event loop on time.
//!
//! An event loop waits in whole milliseconds, rounded up. An open loop of 20,000 requests a second would send
//! twenty at once, half a millisecond late on average, and all that would count as latency. A timer of the
//! kernel is exact, and one more thing to wait for.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};

/// An alarm.
#[derive(Debug)]
pub(super) struct Alarm {
    timer: OwnedFd,
    /// When it goes off, or has.
    at: Option<u64>,
}

impl Alarm {
    /// The event loop will report it under `token`.
    pub(super) fn new(registry: &Registry, token: Token) -> io::Result<Alarm> {
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK)?;
        registry.register(&mut SourceFd(&timer.as_raw_fd()), token, Interest::READABLE)?;
        Ok(Alarm { timer, at: None })
    }

    /// Sets it to a time; both are in nanoseconds, on the same clock. Nobody has to take notice when it goes
    /// off: each setting is reported anew.
    pub(super) fn set(&mut self, at: u64, now: u64) -> io::Result<()> {
        if self.at == Some(at) {
            return Ok(());
        }
        self.at = Some(at);
        // Nothing at all would switch it off.
        let wait = at.saturating_sub(now).max(1);
        let part = |number: u64| i64::try_from(number).expect("it is far below 2^63");
        let wait = Timespec { tv_sec: part(wait / 1_000_000_000), tv_nsec: part(wait % 1_000_000_000) };
        let never = Timespec { tv_sec: 0, tv_nsec: 0 };
        let once = Itimerspec { it_interval: never, it_value: wait };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
        Ok(())
    }
}
