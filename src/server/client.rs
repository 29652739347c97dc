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
use crate::net::{Connection, Flow, Scratch};
use crate::replica::{Order, Ticket};
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
    /// Whether all that was read has been taken: only then more is read.
    is_starved: bool,
    /// Whether the other side will send nothing more.
    has_ended: bool,
    /// A request that could not join the batch before it.
    deferred: Option<OwnedRequest>,
    /// What is still to be asked of a batch that was answered in part.
    unanswered: Option<Batch>,
}

/// What a client asks of the store in one breath.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) once: Option<RequestId>,
    pub(super) operations: Vec<Operation>,
    /// What an administrator wants instead.
    pub(super) order: Option<Order>,
    bytes: usize,
}

impl Batch {
    pub(super) fn new(once: Option<RequestId>, operations: Vec<Operation>) -> Batch {
        let bytes = operations.iter().map(Operation::bytes).sum();
        Batch { once, operations, order: None, bytes }
    }

    /// Whether it may change anything.
    pub(super) fn changes(&self) -> bool {
        self.order.is_some() || !self.operations.iter().all(Operation::is_read)
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.operations.is_empty() && self.order.is_none()
    }

    pub(super) fn push(&mut self, operation: Operation) {
        self.bytes += operation.bytes();
        self.operations.push(operation);
    }

    /// Whether it takes nothing more. A request with a name is a batch of its own: when it comes again, its
    /// answer of the first time must not have to do for what is behind it. So is an order.
    fn is_full(&self) -> bool {
        self.once.is_some()
            || self.order.is_some()
            || self.operations.len() >= CLIENT_BATCH_OPERATIONS_MAX
            || self.bytes >= CLIENT_BATCH_BYTES
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
            is_starved: true,
            has_ended: false,
            deferred: None,
            unanswered: None,
        }
    }

    /// Whether everything has been said on a connection that is to end. What is still under way will be said
    /// first: a hang-up instead of an answer makes clients send their writes again.
    pub(super) fn is_over(&self) -> bool {
        self.session.is_closing()
            && self.waiting.is_none()
            && self.unanswered.is_none()
            && self.connection.unwritten() == 0
    }

    /// Whether to go on reading: a client that does not take its answers is not heard.
    pub(super) fn is_heard(&self) -> bool {
        self.waiting.is_none()
            && (self.unanswered.is_some() || !self.session.is_closing())
            && self.connection.unwritten() < CLIENT_UNWRITTEN_MAX
    }

    /// Whether something can be done for it though nothing is reported.
    pub(super) fn has_more(&self) -> bool {
        let has_input = !self.is_starved || (self.connection.is_readable() && !self.has_ended);
        self.is_heard() && (self.unanswered.is_some() || has_input)
    }

    /// Reads more, if there is nothing left to take: so what is kept of a client's pipeline is what one read
    /// brings, or one command, however much it sends.
    pub(super) fn read(&mut self, scratch: &mut Scratch) {
        let is_due = self.is_starved && !self.has_ended && self.connection.is_readable();
        if is_due {
            self.has_ended = self.connection.read(scratch) == Flow::Closed;
            self.is_starved = false;
        }
    }

    /// Takes the commands that have arrived, answers those that need no store, and gives back the others.
    pub(super) fn collect(&mut self, picture: &Picture, bounds: &Bounds) -> Batch {
        if let Some(unanswered) = self.unanswered.take() {
            return unanswered;
        }
        let (mut batch, mut is_starved) = (Batch::default(), false);
        if let Some(request) = self.deferred.take() {
            let handled = self.session.handle(request.view(), picture, &mut batch, self.connection.output());
            assert!(handled != Handled::Deferred, "a request can be taken when nothing is before it");
        }
        while self.is_heard() && !self.is_full(&batch) {
            match self.take_one(picture, bounds, &mut batch) {
                Some(used) => self.connection.consume(used),
                None => {
                    is_starved = true;
                    break;
                }
            }
        }
        self.is_starved = is_starved;
        if batch.is_empty() {
            self.session.say_planned(self.connection.output());
            // Whoever closes its side behind a command still gets the answer.
            if self.has_ended && is_starved {
                self.session.close();
            }
        }
        batch
    }

    /// Whether enough has been taken for now.
    fn is_full(&self, batch: &Batch) -> bool {
        batch.is_full() || self.deferred.is_some() || self.session.planned_bytes() >= CLIENT_UNWRITTEN_MAX
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
