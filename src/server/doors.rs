//! Who is let in: new connections, and what happens when there is no room for them.
//!
//! A node needs descriptors for its files and for the other replicas more than for its clients: a log that
//! cannot open its next segment ends the process. So clients get what is left of the limit that the operating
//! system sets, and whoever is too many is told so at once. Should descriptors run out nevertheless, the
//! doors are tried again after a pause: an event loop reports a connection that waits only once.

use std::fs;
use std::io::{self, ErrorKind, Write};

use log::warn;
use mio::{Registry, Token};

use super::client::Client;
use super::node::Node;
use crate::limits::CLIENT_CONNECTIONS_MAX;
use crate::net::{Connection, Listener, Stream};
use crate::raft::{Instant, Span};

/// Descriptors that clients leave free for files, threads and whatever the libraries open.
const DESCRIPTORS_KEPT: usize = 48;

/// Descriptors that clients leave free for each replica of the cluster: one connection each way, as much
/// again while a broken one ends, and strangers.
const DESCRIPTORS_KEPT_FOR_EACH: usize = 6;

/// How long no door is tried after one could not be opened.
const PAUSE: Span = Span::milliseconds(100);

const TOO_MANY: &[u8] = b"-ERR max number of clients reached\r\n";

/// Where a node listens.
#[derive(Debug)]
pub struct Doors {
    /// For clients.
    pub clients: Vec<Listener>,
    /// For the other replicas.
    pub peers: Vec<Listener>,
}

impl Doors {
    /// Has `registry` report whoever comes, the doors numbered from `first` on.
    pub(super) fn register(&mut self, registry: &Registry, first: usize) -> io::Result<()> {
        let doors = self.clients.iter_mut().chain(&mut self.peers);
        doors.enumerate().try_for_each(|(place, door)| door.register(registry, Token(first + place)))
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.clients.len() + self.peers.len()
    }

    fn is_for_clients(&self, door: usize) -> bool {
        door < self.clients.len()
    }

    fn accept(&self, door: usize) -> io::Result<Stream> {
        match door.checked_sub(self.clients.len()) {
            None => self.clients[door].accept(),
            Some(place) => self.peers[place].accept(),
        }
    }
}

/// Most clients of a node in a cluster of so many: what the limits of this program and of the operating
/// system leave.
pub(super) fn clients_max(members: usize) -> usize {
    let Some(descriptors) = descriptors() else { return CLIENT_CONNECTIONS_MAX };
    let kept = DESCRIPTORS_KEPT + DESCRIPTORS_KEPT_FOR_EACH * members;
    descriptors.saturating_sub(kept).clamp(1, CLIENT_CONNECTIONS_MAX)
}

/// How many files this process may open, where that can be found out.
fn descriptors() -> Option<usize> {
    descriptors_of(&fs::read_to_string("/proc/self/limits").ok()?)
}

fn descriptors_of(limits: &str) -> Option<usize> {
    let numbers = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    numbers.split_whitespace().next()?.parse().ok()
}

impl Node {
    /// Takes the connections that wait at a door.
    pub(super) fn accept(&mut self, now: Instant, door: usize) {
        loop {
            let stream = match self.doors.accept(door) {
                Ok(stream) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                // It went while it waited; the next may be there still.
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
                Err(error) => {
                    if self.doors_pause.replace(now + PAUSE).is_none() {
                        warn!(
                            "cannot accept connections: {error}; close some or raise the limit (ulimit -n)"
                        );
                    }
                    return;
                }
            };
            self.next_token += 1;
            let token = Token(self.next_token);
            if !self.doors.is_for_clients(door) {
                self.links.accept(stream, self.poll.registry(), token);
            } else if self.clients.len() < self.clients_max {
                self.welcome(stream, token);
            } else {
                refuse(stream);
            }
        }
    }

    fn welcome(&mut self, stream: Stream, token: Token) {
        match Connection::new(stream, self.poll.registry(), token) {
            Ok(connection) => {
                self.clients.insert(token, Client::new(connection, token.0 as u64));
                self.busy.insert(token);
            }
            Err(error) => warn!("cannot take a client's connection: {error}"),
        }
    }

    /// Tries all doors again when the pause is over; those of the other replicas first.
    pub(super) fn accept_late(&mut self, now: Instant) {
        if self.doors_pause.is_some_and(|until| until <= now) {
            for door in (0..self.doors.count()).rev() {
                self.accept(now, door);
            }
            if self.doors_pause.is_some_and(|until| until <= now) {
                self.doors_pause = None;
            }
        }
    }
}

/// Tells a client that there is no room. What its socket does not take at once it will not hear.
fn refuse(mut stream: Stream) {
    let _ = stream.write(TOO_MANY);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_found_among_the_others() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max processes             100                  200                  processes \n\
                      Max open files            1024                 20000                files     \n";
        assert_eq!(descriptors_of(limits), Some(1024));
        assert_eq!(descriptors_of(&limits.replace("1024 ", "unlimited ")), None);
        assert_eq!(descriptors_of(""), None);
    }
}
