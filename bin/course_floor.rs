//! The floor under course latencies: a stand-in that answers every request at once, alone, with no Raft.
//!
//! Same socket code, same envelope, same event loop as the real replica, so that what is left when its
//! medians are taken from the real ones is the price of agreement. It agrees with nobody and is wrong as
//! soon as a client changes replicas: never grade it.

use std::collections::BTreeMap;
use std::env;
use std::io::{self, ErrorKind};
use std::process::ExitCode;

use mio::{Events, Poll, Token};
use quorate::course::{Arguments, Desk, Link, Received, Urgency};
use quorate::kv::Write;
use quorate::raft::{Instant, NodeId};
use quorate::replica::{Answer, Event, Operation, Output, Reply, Request};

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
    let mut values = BTreeMap::new();
    let mut output = Output::default();
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        let received = link.receive(|bytes| {
            if let Some(Event::Request(request)) = desk.read(bytes) {
                output.replies.push(answer(&mut values, request));
            }
        })?;
        if received == Received::Closed {
            return Ok(());
        }
        reply(&mut desk, &mut link, arguments.id, &mut output)?;
    }
}

fn answer(values: &mut BTreeMap<Box<str>, Box<str>>, request: Request) -> Reply {
    let answer = match request.operation {
        Operation::Get(key) => Answer::Value(values.get(&key).cloned()),
        Operation::Write(Write::Put { key, value }) => {
            values.insert(key, value);
            Answer::Done
        }
    };
    Reply { id: request.id, answer }
}

fn reply(desk: &mut Desk, link: &mut Link, me: NodeId, output: &mut Output) -> io::Result<()> {
    output.leader = Some(me);
    let mut result = Ok(());
    desk.write(Instant(0), output, |message, urgency| {
        if result.is_ok() {
            result = link.send(message, urgency);
        }
    });
    result
}
