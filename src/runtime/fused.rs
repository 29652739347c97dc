//! One thread: wait for the socket, take everything, step through it, flush once.

use std::io;

use mio::{Events, Poll, Token};

use super::clock::Clock;
use super::events::await_events;
use super::memory::turn_in_memory;
use super::spawn;
use crate::course::{Desk, Link, Received};
use crate::replica::{Output, Replica};

/// Runs the replica on a thread of its own until the simulator is gone.
pub(super) fn run(replica: Replica, desk: Desk, link: Link, clock: Clock) -> io::Result<()> {
    let thread = spawn("replica", move || serve(replica, desk, link, clock))?;
    thread.join().map_err(|_| io::Error::other("the replica's thread panicked"))
}

fn serve(mut replica: Replica, mut desk: Desk, mut link: Link, clock: Clock) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(16);
    let mut output = Output::default();
    link.register(poll.registry(), Token(0))?;
    loop {
        let deadline = desk.deadline().map_or(replica.deadline(), |at| at.min(replica.deadline()));
        await_events(&mut poll, &mut events, clock.until(deadline))?;
        let now = clock.present();
        let received = link.receive(|bytes| {
            if let Some(event) = desk.read(bytes) {
                replica.on(now, event);
            }
        })?;
        if received == Received::Closed {
            return Ok(());
        }
        turn_in_memory(&mut replica, now, &mut output);
        super::transmit(&mut desk, &mut link, now.monotonic, &mut output)?;
    }
}
