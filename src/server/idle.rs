//! How the node waits for its sockets and its reports.
//!
//! Where a client waits for its answer before it asks again, the next thing to do comes some microseconds
//! after the last: the log's report, a follower's answer. To sleep and to be woken costs more than that. So
//! an actor looks a few times before it sleeps, and offers its processor to whoever can use it in between.
//! One client's GET took 0.049 ms with this and 0.098 without, its SET 0.205 and 0.257.

use std::io;
use std::thread;
use std::time::Duration;

use mio::Events;

use super::node::Node;
use crate::runtime::await_events;

/// How often an actor looks for something to do before it sleeps. More is not better: in the same turns, 60
/// and 120 looks cost more of the processor than they gained.
pub(super) const LOOKS: usize = 30;

impl Node {
    /// Waits until there is something to do.
    ///
    /// # Errors
    ///
    /// Whatever the operating system says of the event loop.
    pub(super) fn wait(&mut self, events: &mut Events) -> io::Result<()> {
        let deadline = self.deadline();
        for _ in 0..LOOKS {
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
