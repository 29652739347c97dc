//! Two threads: an event loop that owns the socket, and a worker that owns the replica.
//!
//! What crosses is batches, never single messages: all events of one poll, all the work of one turn.
//! The way in is bounded: when the worker is behind, the loop keeps one batch and stops reading, and the
//! kernel pushes back. The way out may wait for the loop, which never waits for the worker, so the two
//! cannot lock each other up.

use std::io;
use std::mem;
use std::time::Duration;

use mio::{Events, Poll, Token, Waker};

use super::clock::Clock;
use super::events::await_events;
use super::mailbox::{Address, Gone, Mailbox, Undelivered, mailbox};
use super::memory::turn_in_memory;
use super::spawn;
use crate::course::{Desk, Link, Received};
use crate::limits::MAILBOX_BATCHES_MAX;
use crate::raft::{Instant, Span};
use crate::replica::{Event, Output, Replica};

const LINK: Token = Token(0);
const MAIL: Token = Token(1);

/// How long the loop sleeps at most when nothing is due.
const IDLE: Span = Span::milliseconds(3_600_000);

/// How soon the loop tries again when the worker had no room.
const AGAIN: Span = Span::milliseconds(1);

/// Runs the replica on two threads until the simulator is gone.
pub(super) fn run(replica: Replica, desk: Desk, link: Link, clock: Clock) -> io::Result<()> {
    let poll = Poll::new()?;
    let waker = Waker::new(poll.registry(), MAIL)?;
    let (to_replica, for_replica) = mailbox(MAILBOX_BATCHES_MAX, None);
    let (to_net, for_net) = mailbox(MAILBOX_BATCHES_MAX, Some(waker));
    spawn("replica", move || {
        work(replica, &for_replica, &to_net, clock);
        Ok(())
    })?;
    let net = Net { poll, desk, link, inbox: for_net, replica: to_replica, batch: Vec::new() };
    let thread = spawn("net", move || net.serve(clock))?;
    thread.join().map_err(|_| io::Error::other("the network thread panicked"))
}

/// The worker: take everything that waits, step through it, flush once, wait.
fn work(mut replica: Replica, inbox: &Mailbox<Vec<Event>>, net: &Address<Output>, clock: Clock) {
    loop {
        let first = match inbox.receive(clock.real(replica.deadline())) {
            Ok(first) => first,
            Err(Gone) => return,
        };
        let now = clock.present();
        for event in first.into_iter().chain(inbox.drain()).flatten() {
            replica.on(now, event);
        }
        let mut output = Output::default();
        turn_in_memory(&mut replica, now, &mut output);
        if net.send(output).is_err() {
            return;
        }
    }
}

struct Net {
    poll: Poll,
    desk: Desk,
    link: Link,
    inbox: Mailbox<Output>,
    replica: Address<Vec<Event>>,
    /// Events that the replica's thread has not taken yet.
    batch: Vec<Event>,
}

impl Net {
    fn serve(mut self, clock: Clock) -> io::Result<()> {
        let mut events = Events::with_capacity(16);
        self.link.register(self.poll.registry(), LINK)?;
        loop {
            let deadline = self.deadline(clock.now());
            let timeout = if self.inbox.may_sleep() { clock.until(deadline) } else { Duration::ZERO };
            await_events(&mut self.poll, &mut events, timeout)?;
            let now = clock.now();
            if self.batch.is_empty() && self.read()? == Received::Closed {
                return Ok(());
            }
            if !self.hand_over() {
                return Ok(());
            }
            // Without any work as well: held clients may be due, and the socket may take more.
            let mut output = self.inbox.drain().reduce(merged).unwrap_or_else(|| self.nothing_new());
            super::transmit(&mut self.desk, &mut self.link, now, &mut output)?;
        }
    }

    fn nothing_new(&self) -> Output {
        Output { leader: self.desk.leader(), ..Output::default() }
    }

    fn deadline(&self, now: Instant) -> Instant {
        let idle = if self.batch.is_empty() { now + IDLE } else { now + AGAIN };
        self.desk.deadline().map_or(idle, |at| at.min(idle))
    }

    fn read(&mut self) -> io::Result<Received> {
        let (desk, batch) = (&mut self.desk, &mut self.batch);
        self.link.receive(|bytes| batch.extend(desk.read(bytes)))
    }

    /// Gives the batch to the worker, as far as it has room. Answers whether there is one.
    fn hand_over(&mut self) -> bool {
        if self.batch.is_empty() {
            return true;
        }
        match self.replica.try_send(mem::take(&mut self.batch)) {
            Ok(()) => true,
            Err(Undelivered::Full(batch)) => {
                self.batch = batch;
                true
            }
            Err(Undelivered::Gone(_)) => false,
        }
    }
}

fn merged(mut all: Output, mut next: Output) -> Output {
    all.replies.append(&mut next.replies);
    all.peers.append(&mut next.peers);
    all.leader = next.leader;
    all
}
