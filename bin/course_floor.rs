//! The floor under course latencies: a stand-in that agrees on nothing, never to be graded.
//!
//! Same socket code, same envelope and same event loop as the real replica, so that what is left when its
//! medians are taken from the real ones is the price of agreement. It has two levels:
//!
//! * by itself, it answers every request at once, alone: nothing can be faster;
//! * with `COURSE_FLOOR=majority` in the environment the replica with the lowest id answers a put when as
//!   many others as make a majority have echoed it. No log, no terms, no losses mended: the least that any
//!   replica pays for asking a majority through this simulator.

use std::collections::BTreeMap;
use std::env;
use std::io::{self, ErrorKind};
use std::process::ExitCode;

use mio::{Events, Poll, Token};
use quorate::course::{Arguments, Desk, Link, Received, Urgency};
use quorate::kv::{Bytes, Key, Operation, Value};
use quorate::raft::{
    AppendOutcome, Beat, Entry, Envelope, Index, Instant, Message, NodeId, Payload, Position, Reign, Term,
};
use quorate::replica::{Answer, Asker, Event, Output, Reply, Request};

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let served = env::current_dir()
        .map_err(|error| error.to_string())
        .and_then(|directory| Arguments::parse(&words, &directory))
        .and_then(|arguments| serve(&arguments).map_err(|error| error.to_string()));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("course-floor: {message}");
            ExitCode::from(quorate::cli::EXIT_USAGE)
        }
    }
}

fn serve(arguments: &Arguments) -> io::Result<()> {
    let mut link = Link::open(&arguments.dialect)?;
    let mut desk = Desk::new(arguments.id);
    if link.needs_hello() {
        link.send(desk.hello(), Urgency::Answer)?;
    }
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(16);
    link.register(poll.registry(), Token(0))?;
    let mut stand_in = StandIn::new(arguments);
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        let received = link.receive(|bytes| match desk.read(bytes) {
            Some(Event::Request(request)) => stand_in.request(request),
            Some(Event::Peer(envelope)) => stand_in.peer(&envelope),
            Some(Event::Interrupted(_) | Event::Order(..)) | None => {}
        })?;
        if received == Received::Closed {
            return Ok(());
        }
        transmit(&mut desk, &mut link, &mut stand_in.output)?;
    }
}

fn transmit(desk: &mut Desk, link: &mut Link, output: &mut Output) -> io::Result<()> {
    let mut result = Ok(());
    desk.write(Instant(0), output, |message, urgency| {
        if result.is_ok() {
            result = link.send(message, urgency);
        }
    });
    result
}

struct StandIn {
    me: NodeId,
    /// Who is to echo a put before it is answered; nobody at the lower level.
    echoes: Vec<NodeId>,
    values: BTreeMap<Key, Bytes>,
    /// Puts on their way, by the number they were sent under, with the echoes that are still to come.
    waiting: BTreeMap<Index, (Asker, usize)>,
    last: Index,
    output: Output,
}

impl StandIn {
    fn new(arguments: &Arguments) -> StandIn {
        let majority = env::var_os("COURSE_FLOOR").is_some_and(|level| level == "majority");
        let (leader, others) = arguments.voters.split_first().expect("a replica is one of its voters");
        let needed = if majority { arguments.voters.len() / 2 } else { 0 };
        StandIn {
            me: arguments.id,
            echoes: others[..needed].to_vec(),
            values: BTreeMap::new(),
            waiting: BTreeMap::new(),
            last: Index(0),
            output: Output {
                leader: Some(if majority { *leader } else { arguments.id }),
                ..Output::default()
            },
        }
    }

    fn request(&mut self, request: Request) {
        let Request { asker, operations, .. } = request;
        let answer = match operations.into_iter().next().expect("a course client asks for one thing") {
            _ if self.output.leader != Some(self.me) => Answer::Replaced,
            Operation::Get { key } => {
                Answer::Done(vec![self.values.get(&key).cloned().map_or(Value::Nil, Value::Bytes)])
            }
            Operation::Set { key, value, .. } => {
                self.values.insert(key, value.clone());
                if !self.echoes.is_empty() {
                    return self.send_round(asker, &value);
                }
                Answer::Done(vec![Value::Okay])
            }
            other => unreachable!("no course client asks for {other:?}"),
        };
        self.output.replies.push(Reply { asker, answer });
    }

    fn send_round(&mut self, asker: Asker, value: &[u8]) {
        self.last = self.last.next();
        self.waiting.insert(self.last, (asker, self.echoes.len()));
        for to in self.echoes.clone() {
            let reign = Reign { beat: Beat::default(), rank: 0 };
            let previous = Position { term: Term(1), index: self.last };
            let entries = vec![Entry { term: Term(1), payload: Payload::Command(value.into()) }];
            self.send(to, Message::Append { reign, previous, entries, commit: self.last });
        }
    }

    fn peer(&mut self, envelope: &Envelope) {
        match &envelope.message {
            Message::Append { reign, previous, .. } => {
                let outcome = AppendOutcome::Matched(previous.index);
                self.send(envelope.from, Message::AppendReply { beat: reign.beat, outcome });
            }
            Message::AppendReply { outcome: AppendOutcome::Matched(index), .. } => self.echoed(*index),
            _ => {}
        }
    }

    fn echoed(&mut self, index: Index) {
        let Some((_, missing)) = self.waiting.get_mut(&index) else { return };
        *missing -= 1;
        if *missing == 0 {
            let (asker, _) = self.waiting.remove(&index).expect("it was there a moment ago");
            self.output.replies.push(Reply { asker, answer: Answer::Done(vec![Value::Okay]) });
        }
    }

    fn send(&mut self, to: NodeId, message: Message) {
        self.output.peers.push(Envelope { from: self.me, to, term: Term(1), message });
    }
}
