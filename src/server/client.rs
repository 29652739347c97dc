//! One client's connection: bytes to requests, answers to bytes, in order.
//!
//! All commands of one read that can share a request do: what is about the store becomes one [`Batch`], and
//! what this replica answers by itself keeps its place among the answers. One batch of a connection is under
//! way at a time. So answers come in order, a read behind a write sees it, and the longer one batch takes,
//! the more the next carries.

use super::picture::Picture;
use super::session::{Handled, Session};
use crate::kv::{Operation, RequestId, Value};
use crate::limits::{
    CLIENT_BATCH_BYTES, CLIENT_BATCH_OPERATIONS_MAX, CLIENT_UNWRITTEN_MAX, KEY_BYTES_MAX,
    RESP_REQUEST_BYTES_MAX,
};
use crate::net::{Connection, Flow};
use crate::replica::Ticket;
use crate::resp::{Bounds, OwnedRequest, RequestParser};

/// What a client may claim.
pub(super) fn bounds(value_bytes_max: usize) -> Bounds {
    // A key may be longer than any value that this node takes.
    let bulk_bytes_max = value_bytes_max.max(KEY_BYTES_MAX);
    Bounds { bulk_bytes_max, request_bytes_max: RESP_REQUEST_BYTES_MAX, authenticated: true }
}

/// A client's connection.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) connection: Connection,
    /// The batch that is under way, if one is.
    pub(super) waiting: Option<Ticket>,
    session: Session,
    parser: RequestParser,
    /// A request that could not join the batch before it.
    deferred: Option<OwnedRequest>,
    /// There may be whole commands that have been read and not been taken: the last batch had no room.
    has_rest: bool,
    /// What is still to be asked of a batch that was answered in part.
    unanswered: Option<Batch>,
}

/// What a client asks of the store in one breath.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) once: Option<RequestId>,
    pub(super) operations: Vec<Operation>,
    bytes: usize,
}

impl Batch {
    pub(super) fn new(once: Option<RequestId>, operations: Vec<Operation>) -> Batch {
        let bytes = operations.iter().map(Operation::bytes).sum();
        Batch { once, operations, bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    pub(super) fn push(&mut self, operation: Operation) {
        self.bytes += operation.bytes();
        self.operations.push(operation);
    }

    fn is_full(&self) -> bool {
        self.operations.len() >= CLIENT_BATCH_OPERATIONS_MAX || self.bytes >= CLIENT_BATCH_BYTES
    }
}

impl Client {
    pub(super) fn new(connection: Connection, number: u64) -> Client {
        let (session, parser) = (Session::new(number), RequestParser::new());
        Client {
            connection,
            waiting: None,
            session,
            parser,
            deferred: None,
            has_rest: false,
            unanswered: None,
        }
    }

    /// Whether the connection is to end as soon as everything is said.
    pub(super) fn is_closing(&self) -> bool {
        self.session.is_closing()
    }

    /// Whether to go on reading: a client that does not take its answers is not heard.
    pub(super) fn is_heard(&self) -> bool {
        self.waiting.is_none() && !self.is_closing() && self.connection.unwritten() < CLIENT_UNWRITTEN_MAX
    }

    /// Whether there is something to be taken from it now, without another word of the event loop.
    pub(super) fn has_more(&self) -> bool {
        let has_more = self.has_rest || self.unanswered.is_some() || self.connection.is_readable();
        self.is_heard() && has_more
    }

    /// Takes the commands that have arrived, answers those that need no store, and gives back the others.
    pub(super) fn collect(&mut self, picture: &Picture, bounds: &Bounds) -> Batch {
        if let Some(unanswered) = self.unanswered.take() {
            return unanswered;
        }
        let mut batch = Batch::default();
        self.has_rest = true;
        if let Some(request) = self.deferred.take() {
            let handled = self.session.handle(request.view(), picture, &mut batch, self.connection.output());
            assert!(handled != Handled::Deferred, "a request can be taken when nothing is before it");
        }
        while self.is_heard() && !batch.is_full() && self.deferred.is_none() {
            match self.take_one(picture, bounds, &mut batch) {
                Some(used) => self.connection.consume(used),
                None => {
                    self.has_rest = false;
                    break;
                }
            }
        }
        if batch.is_empty() {
            self.session.say_planned(self.connection.output());
        }
        batch
    }

    /// Takes one command; answers how many bytes it was, or that there is none.
    fn take_one(&mut self, picture: &Picture, bounds: &Bounds, batch: &mut Batch) -> Option<usize> {
        let (input, output) = self.connection.buffers();
        let step = match self.parser.parse(input, bounds) {
            Ok(step) => step,
            Err(error) => {
                self.session.refuse(&error, output);
                return None;
            }
        };
        let used = step.used;
        let Some(request) = step.request else {
            self.connection.consume(used);
            return None;
        };
        if self.session.handle(request, picture, batch, output) == Handled::Deferred {
            self.deferred = Some(request.to_owned());
        }
        Some(used)
    }

    /// The batch that was under way has been carried out.
    pub(super) fn answer(&mut self, values: Vec<Value>) {
        self.waiting = None;
        self.session.say(values, self.connection.output());
    }

    /// Part of it has; the rest is asked when the client has taken this.
    pub(super) fn answer_part(&mut self, values: Vec<Value>, rest: Batch) {
        self.waiting = None;
        self.session.say_part(values, self.connection.output());
        self.unanswered = Some(rest);
    }

    /// The batch that was under way has not, or nobody knows.
    pub(super) fn fail(&mut self, error: &str) {
        self.waiting = None;
        self.session.say_failed(error, self.connection.output());
    }

    pub(super) fn write(&mut self) -> Flow {
        self.connection.write()
    }
}
