//! Threads: the actors' placements, and what connects them.
//!
//! The actors are written so that they do not know on which thread they run; the files here are the only
//! ones that do. A hand-over between two threads costs some 3 us of processor time, and 25 to 50 us of
//! waiting when it crosses cores, so a thread must earn its keep:
//!
//! * *fused*: one thread owns the socket and the replica. The better choice wherever several replicas share
//!   a machine.
//! * *split*: an event loop for the socket, a worker for the replica, connected by channels. The better
//!   choice when every thread can have a core of its own.

mod clock;
mod events;
mod file;
mod fused;
mod mailbox;
mod memory;
mod parts;
mod split;

#[cfg(test)]
mod mailbox_tests;

use std::io;
use std::thread;

use log::error;

use crate::course::{Desk, Link};
use crate::raft::Instant;
use crate::replica::{Output, Replica};

pub use clock::{Clock, arbitrary_seed};
pub use events::await_events;
pub use file::write_file;
pub use mailbox::{Address, Gone, Mailbox, Undelivered, mailbox};
pub use memory::turn_in_memory;

/// Which actors share a thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Placement {
    /// Socket and replica on one thread.
    Fused,
    /// Socket and replica on a thread each.
    Split,
}

impl Placement {
    /// Split where each of `replicas` on this machine can have two cores, fused elsewhere.
    pub fn for_replicas(replicas: usize) -> Placement {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        if cores >= 2 * replicas { Placement::Split } else { Placement::Fused }
    }
}

/// Runs a course replica until its simulator is gone.
///
/// # Errors
///
/// Whatever the operating system says of the socket or of a new thread.
pub fn run_course(
    placement: Placement,
    replica: Replica,
    desk: Desk,
    link: Link,
    clock: Clock,
) -> io::Result<()> {
    match placement {
        Placement::Fused => fused::run(replica, desk, link, clock),
        Placement::Split => split::run(replica, desk, link, clock),
    }
}

/// Writes a turn's answers and messages to the simulator.
fn transmit(desk: &mut Desk, link: &mut Link, now: Instant, output: &mut Output) -> io::Result<()> {
    let mut result = Ok(());
    desk.write(now, output, |message, urgency| {
        if result.is_ok() {
            result = link.send(message, urgency);
        }
    });
    result.and_then(|()| link.flush())
}

/// Starts a thread under a name that tools show. Should it fail or panic, the process ends: half a replica
/// is worse than none, which the others are built to survive.
pub(crate) fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<thread::JoinHandle<T>> {
    let title = name.to_owned();
    thread::Builder::new().name(title.clone()).spawn(move || match work() {
        Ok(value) => value,
        Err(failure) => {
            error!("{title}: {failure}");
            std::process::exit(crate::cli::EXIT_IO)
        }
    })
}
