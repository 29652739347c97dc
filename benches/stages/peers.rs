//! Messages between two replicas over a pair of Unix sockets, through codec, frames, buffers and event loop
//! as they are. The limit is the same bytes through the same kind of sockets, with nothing done about them.

use std::hint::black_box;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;

use mio::{Events, Poll, Token};
use quorate::codec;
use quorate::identity::ClusterId;
use quorate::limits::FRAME_BYTES_MAX;
use quorate::net::{Connection, Flow, Frames, Scratch, Stream, append_frame};
use quorate::raft::Envelope;

use crate::harness::{calls, compare, timed};
use crate::samples;

const CLUSTER: ClusterId = ClusterId(7);

/// Messages that are written at once.
const TURN: usize = 16;

/// Turns in a round.
const TURNS: usize = 100;

/// Messages there and back.
const ROUNDS: usize = 200;

pub(crate) fn run() {
    for count in [1, 64] {
        let message = samples::append(count);
        let bytes = framed(&message).len();
        let what = format!("peers: an append of {count}, of a stream");
        compare(&what, || stream(&message), "as many bytes through sockets", || raw_stream(bytes));
        let what = format!("peers: an append of {count}, there and back");
        compare(&what, || there_and_back(&message), "as many bytes, there and back", || raw_echo(bytes));
    }
}

fn framed(message: &Envelope) -> Vec<u8> {
    let mut frame = Vec::new();
    append_frame(&mut frame, CLUSTER, |buffer| codec::encode_into(message, buffer));
    frame
}

/// One end of a line between replicas, with an event loop of its own.
struct End {
    poll: Poll,
    events: Events,
    connection: Connection,
    scratch: Scratch,
}

fn pair() -> (End, End) {
    let (one, other) = mio::net::UnixStream::pair().expect("a pair of sockets");
    (End::new(one), End::new(other))
}

impl End {
    fn new(stream: mio::net::UnixStream) -> End {
        let poll = Poll::new().expect("a poll");
        let connection = Connection::new(Stream::Unix(stream), poll.registry(), Token(0)).expect("a line");
        End { poll, events: Events::with_capacity(4), connection, scratch: Scratch::default() }
    }

    fn wait(&mut self) {
        self.poll.poll(&mut self.events, None).expect("a poll");
        for event in &self.events {
            self.connection.ready(event);
        }
    }

    /// Says something, and waits for room as often as there is none.
    fn send(&mut self, messages: usize, message: &Envelope) {
        for _ in 0..messages {
            append_frame(self.connection.output(), CLUSTER, |buffer| codec::encode_into(message, buffer));
        }
        assert_eq!(self.connection.write(), Flow::Open);
        while self.connection.unwritten() > 0 {
            self.wait();
            assert_eq!(self.connection.write(), Flow::Open);
        }
    }

    /// Waits for messages and decodes them; how many.
    fn receive(&mut self) -> usize {
        if !self.connection.is_readable() {
            self.wait();
        }
        assert_eq!(self.connection.read(&mut self.scratch), Flow::Open);
        let mut frames = Frames::new(self.connection.input(), CLUSTER, FRAME_BYTES_MAX);
        let mut count = 0;
        for body in frames.by_ref() {
            black_box(codec::decode::<Envelope>(body.expect("it is whole")).expect("it is a message"));
            count += 1;
        }
        let used = frames.used;
        self.connection.consume(used);
        count
    }
}

fn stream(message: &Envelope) -> f64 {
    let (mut ours, mut theirs) = pair();
    let message = message.clone();
    let sender = thread::spawn(move || {
        (0..TURNS).for_each(|_| theirs.send(TURN, &message));
        theirs
    });
    let cost = timed(TURNS * TURN, || {
        let mut missing = TURNS * TURN;
        while missing > 0 {
            missing -= ours.receive();
        }
    });
    // Its end is closed only now: closing is not what is measured.
    drop(sender.join().expect("it does not panic"));
    cost
}

fn there_and_back(message: &Envelope) -> f64 {
    let (mut ours, mut theirs) = pair();
    let echoed = message.clone();
    let other = thread::spawn(move || {
        for _ in 0..ROUNDS {
            while theirs.receive() == 0 {}
            theirs.send(1, &echoed);
        }
        theirs
    });
    let cost = calls(ROUNDS, || {
        ours.send(1, message);
        while ours.receive() == 0 {}
    });
    drop(other.join().expect("it does not panic"));
    cost
}

fn raw_stream(bytes: usize) -> f64 {
    let (mut ours, mut theirs) = UnixStream::pair().expect("a pair of sockets");
    let sender = thread::spawn(move || {
        let turn = vec![0; bytes * TURN];
        (0..TURNS).for_each(|_| theirs.write_all(&turn).expect("a reader"));
    });
    let mut scratch = vec![0; 64 << 10];
    let cost = timed(TURNS * TURN, || {
        let mut missing = bytes * TURN * TURNS;
        while missing > 0 {
            missing -= ours.read(&mut scratch).expect("a writer");
        }
    });
    sender.join().expect("it does not panic");
    cost
}

fn raw_echo(bytes: usize) -> f64 {
    let (mut ours, mut theirs) = UnixStream::pair().expect("a pair of sockets");
    let other = thread::spawn(move || {
        let mut buffer = vec![0; bytes];
        for _ in 0..ROUNDS {
            theirs.read_exact(&mut buffer).expect("a writer");
            theirs.write_all(&buffer).expect("a reader");
        }
    });
    let mut buffer = vec![0; bytes];
    let cost = calls(ROUNDS, || {
        ours.write_all(&buffer).expect("a reader");
        ours.read_exact(&mut buffer).expect("a writer");
    });
    other.join().expect("it does not panic");
    cost
}
