//! The only module that reads a clock.

use std::time;

use crate::kv::WallClock;
use crate::raft::{Instant, Span};
use crate::replica::Now;

/// Moments since this replica's start, from the monotonic clock, so that they never go back.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: time::Instant,
}

impl Clock {
    /// Starts now.
    pub fn start() -> Clock {
        Clock { origin: time::Instant::now() }
    }

    /// The present moment.
    pub fn now(&self) -> Instant {
        let micros = self.origin.elapsed().as_micros();
        Instant(u64::try_from(micros).expect("nothing runs for half a million years"))
    }

    /// The present moment as a load generator needs it: in nanoseconds.
    pub fn nanoseconds(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_nanos()).expect("nothing runs for half a thousand years")
    }

    /// The present on both clocks.
    pub fn present(&self) -> Now {
        Now { monotonic: self.now(), wall: WallClock(milliseconds_since_1970()) }
    }

    /// How long from now until `deadline`; zero when it has passed.
    pub fn until(&self, deadline: Instant) -> time::Duration {
        let Span(micros) = deadline - self.now();
        time::Duration::from_micros(micros)
    }

    /// `deadline` in terms of the standard library.
    pub fn real(&self, deadline: Instant) -> time::Instant {
        self.origin + time::Duration::from_micros(deadline.0)
    }
}

fn milliseconds_since_1970() -> u64 {
    let since = time::SystemTime::now().duration_since(time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).expect("nothing runs for half a million years")
}

/// A number that is different at every start; a seed where none is asked for.
pub fn arbitrary_seed() -> u64 {
    let since_epoch = time::SystemTime::now().duration_since(time::UNIX_EPOCH).unwrap_or_default();
    let nanos = u64::try_from(since_epoch.as_nanos() & u128::from(u64::MAX)).expect("masked to 64 bits");
    nanos ^ (u64::from(std::process::id()) << 40)
}
