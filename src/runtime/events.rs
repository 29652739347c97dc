//! Waiting in an event loop.

use std::io::{self, ErrorKind};
use std::time::Duration;

use mio::{Events, Poll};

/// Waits for events, for so long at most. A signal may end the wait earlier; that is no failure, and whoever
/// waits looks at what is due in any case.
///
/// # Errors
///
/// Whatever else the operating system says.
pub fn await_events(poll: &mut Poll, events: &mut Events, timeout: Duration) -> io::Result<()> {
    match poll.poll(events, Some(timeout)) {
        Err(error) if error.kind() != ErrorKind::Interrupted => Err(error),
        _ => Ok(()),
    }
}
