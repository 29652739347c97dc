//! How an actor waits.
//!
//! Where one client waits for its answer before it asks again, the next thing to do comes some microseconds
//! after the last: the log's report, a follower's answer. To sleep and to be woken costs more than that. So
//! an actor looks a few times before it sleeps, and offers its processor to whoever can use it in between.
//! docs/benchmarks.md has what that gains.
//!
//! Where many clients are served it is waste: others need the processor, what is looked for comes with the
//! rest of a large batch, and whoever offers the processor may wait milliseconds to have it back, while
//! whoever sleeps is woken at once. So an actor looks only while it has to do with few things at a time.

use std::io;
use std::mem;
use std::thread;
use std::time::Duration;

use mio::Events;

use super::node::Node;
use crate::runtime::await_events;

/// How often an actor looks for something to do before it sleeps: for about as long as the disk needs for a
/// sync. More is not better.
const LOOKS: usize = 120;

/// So many things at a time are few: those of two clients.
const FEW: usize = 4;

/// So many rests begin with looks after something has been met, since what belongs to it comes bit by bit.
/// A leader with one client has that client's next request and the answer of the slower follower to wait for.
const LINGER: u32 = 3;

/// So many rests a crowd is remembered: between two of its batches things are few, too.
const MEMORY: u32 = 16;

/// Decides whether an actor looks before it sleeps.
#[derive(Default)]
pub(super) struct Vigil {
    /// Things met since the last rest.
    met: usize,
    /// Rests that something which has been met is remembered.
    lively: u32,
    /// Rests that a crowd is.
    crowded: u32,
}

impl Vigil {
    /// The actor has to do with so many things that somebody waits for: requests, answers, entries.
    pub(super) fn meet(&mut self, things: usize) {
        self.met += things;
    }

    /// How often to look before the rest that begins now.
    pub(super) fn looks(&mut self) -> usize {
        let met = mem::take(&mut self.met);
        self.lively = if met > 0 { LINGER } else { self.lively.saturating_sub(1) };
        self.crowded = if met > FEW { MEMORY } else { self.crowded.saturating_sub(1) };
        if self.lively > 0 && self.crowded == 0 { LOOKS } else { 0 }
    }
}

impl Node {
    /// Waits until there is something to do.
    ///
    /// # Errors
    ///
    /// Whatever the operating system says of the event loop.
    pub(super) fn wait(&mut self, events: &mut Events) -> io::Result<()> {
        let deadline = self.deadline();
        self.vigil.meet(self.tickets.len());
        for _ in 0..self.vigil.looks() {
            await_events(&mut self.poll, events, Duration::ZERO)?;
            if !events.is_empty() || !self.reports.is_empty() || self.clock.now() >= deadline {
                return Ok(());
            }
            thread::yield_now();
        }
        let rest = if self.reports.may_sleep() { self.clock.until(deadline) } else { Duration::ZERO };
        await_events(&mut self.poll, events, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rests_with_looks(vigil: &mut Vigil) -> usize {
        (0..100).take_while(|_| vigil.looks() > 0).count()
    }

    #[test]
    fn whoever_has_to_do_with_few_things_looks_for_some_rests() {
        let mut vigil = Vigil::default();
        assert_eq!(rests_with_looks(&mut vigil), 0, "nothing has been met");
        vigil.meet(1);
        vigil.meet(FEW - 1);
        assert_eq!(rests_with_looks(&mut vigil), 3);
        assert_eq!(rests_with_looks(&mut vigil), 0);
    }

    #[test]
    fn a_crowd_ends_it_until_it_is_forgotten() {
        let mut vigil = Vigil::default();
        vigil.meet(1);
        assert_eq!(vigil.looks(), LOOKS);
        vigil.meet(FEW);
        vigil.meet(1);
        for _ in 0..16 {
            assert_eq!(vigil.looks(), 0);
            vigil.meet(1);
        }
        assert_eq!(vigil.looks(), LOOKS, "whoever asks now is alone");
    }
}
