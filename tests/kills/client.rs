//! A client that moves on when its node is gone, and knows what an answer means.

use std::io::ErrorKind;
use std::thread;
use std::time::{Duration, Instant};

use crate::node::Cluster;
use crate::resp::{Connection, Reply};

/// How long a client waits for an answer. A node gives up earlier, and says so.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a client has learned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Told {
    /// The answer.
    Answer(Reply),
    /// Nothing was done.
    Nothing,
    /// It may have been done.
    Unknown,
    /// Something that it should never be told.
    Nonsense(String),
}

/// A client.
pub(crate) struct Client<'a> {
    cluster: &'a Cluster,
    node: u64,
    nodes: u64,
    connection: Option<Connection>,
    /// Answers that did not come in time.
    pub(crate) late: u64,
}

impl<'a> Client<'a> {
    pub(crate) fn new(cluster: &'a Cluster, node: u64) -> Client<'a> {
        let nodes = cluster.ids().count() as u64;
        Client { cluster, node, nodes, connection: None, late: 0 }
    }

    /// Goes to the next node.
    pub(crate) fn move_on(&mut self) {
        self.connection = None;
        self.node = self.node % self.nodes + 1;
    }

    /// Connects to this node or the next one that lives; whether there is one.
    pub(crate) fn connect(&mut self) -> bool {
        for _ in 0..self.nodes {
            if self.connection.is_none() {
                self.connection = Connection::open(&self.cluster.door(self.node)).ok();
            }
            if self.connection.is_some() {
                return true;
            }
            self.move_on();
        }
        thread::sleep(Duration::from_millis(20));
        false
    }

    /// Asks the node that it is connected to.
    pub(crate) fn ask(&mut self, words: &[&[u8]]) -> Told {
        let Some(connection) = &mut self.connection else { return Told::Nothing };
        match connection.ask(words, Instant::now() + PATIENCE) {
            Ok(Reply::Error(text)) => meaning(text),
            Ok(reply) => Told::Answer(reply),
            Err(error) => {
                self.late += u64::from(matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock));
                self.move_on();
                match error.kind() {
                    ErrorKind::InvalidData => Told::Nonsense(error.to_string()),
                    _ => Told::Unknown,
                }
            }
        }
    }

    /// Asks something that does no harm when it is asked twice, until there is an answer.
    pub(crate) fn ask_until(&mut self, words: &[&[u8]], give_up: Instant) -> Told {
        let mut told = Told::Nothing;
        while Instant::now() < give_up {
            if self.connect() {
                told = self.ask(words);
                if matches!(told, Told::Answer(_) | Told::Nonsense(_)) {
                    return told;
                }
                thread::sleep(Duration::from_millis(20));
            }
        }
        told
    }
}

/// The contract of errors: what each says of whether something was done.
fn meaning(text: String) -> Told {
    match text.split(' ').next().unwrap_or_default() {
        "TRYAGAIN" | "CLUSTERDOWN" | "MISCONF" => Told::Nothing,
        "UNCERTAIN" => Told::Unknown,
        "ERR" if text.contains("not an integer") => Told::Answer(Reply::Error(text)),
        _ => Told::Nonsense(text),
    }
}
