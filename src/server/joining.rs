//! A new node waits to be taken in. It does not know its cluster yet: whoever is the first to connect to it
//! as to this node, in good form, tells it by the cluster that its hello bears. From then on it listens to
//! nobody else.

use std::io;
use std::time::Duration;

use mio::{Events, Poll, Token};
use signal_hook::iterator::Signals;

use super::doors::Doors;
use super::peer::PeerMessage;
use crate::codec;
use crate::identity::ClusterId;
use crate::net::{Connection, Flow, Frames, Listener, Scratch, cluster_of};
use crate::raft::NodeId;
use crate::runtime::await_events;

/// How often it is looked whether the process is to end.
const PAUSE: Duration = Duration::from_millis(100);

/// Connections that are heard at a time; the oldest goes when another comes.
const CALLERS_MAX: usize = 16;

/// Longest hello, in bytes.
const HELLO_BYTES_MAX: usize = 1 << 10;

/// Waits for a hello to `id` at the doors for peers. `None`: the process was told to end.
///
/// # Errors
///
/// Whatever the operating system says of the listeners.
pub fn wait_to_be_taken_in(
    doors: &mut Doors,
    id: NodeId,
    signals: &mut Signals,
) -> io::Result<Option<ClusterId>> {
    let mut poll = Poll::new()?;
    for (place, door) in doors.peers.iter_mut().enumerate() {
        door.register(poll.registry(), Token(place))?;
    }
    let found = wait(&mut poll, &doors.peers, id, signals)?;
    doors.peers.iter_mut().try_for_each(|door| door.deregister(poll.registry()))?;
    Ok(found)
}

fn wait(
    poll: &mut Poll,
    doors: &[Listener],
    id: NodeId,
    signals: &mut Signals,
) -> io::Result<Option<ClusterId>> {
    let mut events = Events::with_capacity(CALLERS_MAX);
    let (mut scratch, mut callers, mut last) = (Scratch::default(), Vec::new(), doors.len());
    loop {
        if signals.pending().next().is_some() {
            return Ok(None);
        }
        await_events(poll, &mut events, PAUSE)?;
        for event in &events {
            if let Some(door) = doors.get(event.token().0) {
                while let Ok(stream) = door.accept() {
                    last += 1;
                    callers.push((Token(last), Connection::new(stream, poll.registry(), Token(last))?));
                    if callers.len() > CALLERS_MAX {
                        callers.remove(0);
                    }
                }
            } else if let Some((_, caller)) = callers.iter_mut().find(|(token, _)| *token == event.token()) {
                caller.ready(event);
            }
        }
        let mut found = None;
        callers.retain_mut(|(_, caller)| {
            let flow = if caller.is_readable() { caller.read(&mut scratch) } else { Flow::Open };
            let heard = greeting(caller.input(), id);
            found = found.or(heard.ok().flatten());
            heard.is_ok() && flow == Flow::Open
        });
        if found.is_some() {
            return Ok(found);
        }
    }
}

/// Garbage, or what somebody says who means another node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotForUs;

/// The cluster of whoever greets this node, if the greeting is complete.
///
/// # Errors
///
/// When whoever speaks does not mean this node, or makes no sense.
pub fn greeting(input: &[u8], id: NodeId) -> Result<Option<ClusterId>, NotForUs> {
    let Some(cluster) = cluster_of(input) else { return Ok(None) };
    match Frames::new(input, cluster, HELLO_BYTES_MAX).next() {
        None => Ok(None),
        Some(Err(_)) => Err(NotForUs),
        Some(Ok(body)) => match codec::decode(body) {
            Ok(PeerMessage::Hello(hello)) if hello.to == id && hello.from != id => Ok(Some(cluster)),
            _ => Err(NotForUs),
        },
    }
}
