//! From one thread to another. For many messages the limit is a channel whose two ends are on one thread; for
//! one there and back it is a byte through a pair of raw sockets, waited for without an event loop.

use std::hint::black_box;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token, Waker};
use quorate::runtime::{Address, Mailbox, mailbox};

use crate::harness::{calls, compare, timed};

/// Messages of a stream.
const STREAM: usize = 10_000;

/// Messages there and back.
const ROUNDS: usize = 200;

/// Room in a mailbox.
const CAPACITY: usize = 64;

pub(crate) fn run() {
    let (sender, receiver) = crossbeam_channel::bounded(CAPACITY);
    let channel = move || {
        calls(STREAM, || {
            sender.send(black_box([0u64; 4])).expect("there is room");
            black_box(receiver.recv().expect("it is there"));
        })
    };
    compare(
        "mailbox: one of a stream, receiver in the channel",
        || stream(false),
        "a channel within one thread",
        &channel,
    );
    compare(
        "mailbox: one of a stream, receiver in an event loop",
        || stream(true),
        "a channel within one thread",
        &channel,
    );
    compare("mailbox: there and back, in the channel", || there_and_back(false), "a byte over sockets", echo);
    compare("mailbox: there and back, in event loops", || there_and_back(true), "a byte over sockets", echo);
}

/// A mailbox with its owner's event loop, if it has one.
struct Owner {
    poll: Option<(Poll, Events)>,
    mailbox: Mailbox<[u64; 4]>,
}

fn owner(has_loop: bool) -> (Address<[u64; 4]>, Owner) {
    let poll = has_loop.then(|| (Poll::new().expect("a poll"), Events::with_capacity(4)));
    let waker = poll.as_ref().map(|(poll, _)| Waker::new(poll.registry(), Token(0)).expect("a waker"));
    let (address, mailbox) = mailbox(CAPACITY, waker);
    (address, Owner { poll, mailbox })
}

impl Owner {
    /// Waits for messages; how many there were.
    fn wait(&mut self) -> usize {
        if let Some((poll, events)) = &mut self.poll {
            let timeout = if self.mailbox.may_sleep() { None } else { Some(Duration::ZERO) };
            poll.poll(events, timeout).expect("a poll");
        } else {
            let later = Instant::now() + Duration::from_secs(60);
            black_box(self.mailbox.receive(later).expect("there is a sender"));
            return 1 + self.mailbox.drain().count();
        }
        self.mailbox.drain().count()
    }
}

fn stream(has_loop: bool) -> f64 {
    let (address, mut owner) = owner(has_loop);
    let sender = thread::spawn(move || {
        for _ in 0..STREAM {
            address.send(black_box([0; 4])).expect("there is a receiver");
        }
        // With the last address its waker is closed, and a wake-up that has not been taken goes with it.
        address
    });
    let cost = timed(STREAM, || {
        let mut missing = STREAM;
        while missing > 0 {
            missing -= owner.wait();
        }
    });
    drop(sender.join().expect("it does not panic"));
    cost
}

fn there_and_back(has_loop: bool) -> f64 {
    let (there, mut their_owner) = owner(has_loop);
    let (back, mut our_owner) = owner(has_loop);
    let other = thread::spawn(move || {
        for _ in 0..ROUNDS {
            while their_owner.wait() == 0 {}
            back.send([0; 4]).expect("there is a receiver");
        }
        back
    });
    let cost = calls(ROUNDS, || {
        there.send([0; 4]).expect("there is a receiver");
        while our_owner.wait() == 0 {}
    });
    drop(other.join().expect("it does not panic"));
    cost
}

fn echo() -> f64 {
    let (mut ours, mut theirs) = UnixStream::pair().expect("a pair of sockets");
    let other = thread::spawn(move || {
        let mut byte = [0];
        for _ in 0..ROUNDS {
            theirs.read_exact(&mut byte).expect("a byte");
            theirs.write_all(&byte).expect("room for a byte");
        }
    });
    let mut byte = [0];
    let cost = calls(ROUNDS, || {
        ours.write_all(&byte).expect("room for a byte");
        ours.read_exact(&mut byte).expect("a byte");
    });
    other.join().expect("it does not panic");
    cost
}
