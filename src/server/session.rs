//! What a connection remembers between commands, and what each command does with it.
//!
//! Answers keep the order of commands: as long as a value of the store is still to come, whatever is said
//! after it waits in the plan.

use super::client::Batch;
use super::local;
use super::picture::Picture;
use crate::kv::{self, ClientId, Key, Operation, RequestId, Revision, Token, Value};
use crate::limits::TOKEN_BYTES_MAX;
use crate::resp::{self, Protocol, ProtocolError, ReplyWriter, Request, Verb};

/// A connection's memory.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) number: u64,
    pub(super) protocol: Protocol,
    pub(super) name: Vec<u8>,
    closing: bool,
    /// The answers to come, in order.
    plan: Vec<Slot>,
    transaction: Option<Transaction>,
    watched: Vec<(Key, Revision)>,
}

/// A place in the order of answers.
#[derive(Debug)]
enum Slot {
    /// Already in the protocol's words.
    Said(Vec<u8>),
    /// The next value of the batch.
    Value,
    /// The next values are revisions of these keys, to be remembered; the answer is OK.
    Watch(Vec<Key>),
}

/// Between MULTI and EXEC.
#[derive(Debug, Default)]
struct Transaction {
    operations: Vec<Operation>,
    /// Something in it was refused, so all of it will be.
    is_spoilt: bool,
}

/// What became of a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Handled {
    /// It is answered, or in the batch.
    Done,
    /// It has to wait until the batch before it is answered.
    Deferred,
}

impl Session {
    pub(super) fn new(number: u64) -> Session {
        Session {
            number,
            protocol: Protocol::default(),
            name: Vec::new(),
            closing: false,
            plan: Vec::new(),
            transaction: None,
            watched: Vec::new(),
        }
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing
    }

    /// Hangs up when everything is said.
    pub(super) fn close(&mut self) {
        self.closing = true;
    }

    /// Back to what it was when the connection was made.
    pub(super) fn reset(&mut self) {
        self.protocol = Protocol::default();
        self.name.clear();
        self.transaction = None;
        self.watched.clear();
    }

    /// Deals with one command.
    pub(super) fn handle(
        &mut self,
        request: Request<'_>,
        picture: &Picture,
        batch: &mut Batch,
        output: &mut Vec<u8>,
    ) -> Handled {
        if request.name().eq_ignore_ascii_case(b"once") {
            return self.once(request, batch, output);
        }
        let spec = match resp::find(request) {
            Ok(spec) => spec,
            Err(refusal) => {
                self.spoil();
                self.tell(output, |writer| refusal.write(request, writer));
                return Handled::Done;
            }
        };
        match spec.verb {
            Verb::Exec if !batch.is_empty() && self.has_open_watch() => return Handled::Deferred,
            Verb::Multi => self.multi(output),
            Verb::Exec => self.exec(batch, output),
            Verb::Discard => self.discard(output),
            Verb::Watch => self.watch(request, batch, output),
            Verb::Unwatch if self.transaction.is_none() => {
                self.watched.clear();
                self.tell(output, |writer: &mut ReplyWriter<'_>| ReplyWriter::ok(writer));
            }
            _ => match parse(request, spec.name) {
                Some(Ok(operation)) => self.take(operation, batch, output),
                Some(Err(error)) => {
                    self.spoil();
                    self.tell_value(output, &error);
                }
                None => {
                    let mut said = Vec::new();
                    local::answer(self, spec, request, picture, &mut said);
                    self.append(said, output);
                }
            },
        }
        Handled::Done
    }

    fn take(&mut self, operation: Operation, batch: &mut Batch, output: &mut Vec<u8>) {
        match &mut self.transaction {
            Some(transaction) => {
                transaction.operations.push(operation);
                self.tell(output, |writer| writer.simple("QUEUED"));
            }
            None => {
                batch.push(operation);
                self.plan.push(Slot::Value);
            }
        }
    }

    fn multi(&mut self, output: &mut Vec<u8>) {
        if self.transaction.is_some() {
            return self.tell(output, |writer| writer.error("ERR MULTI calls can not be nested"));
        }
        self.transaction = Some(Transaction::default());
        self.tell(output, |writer: &mut ReplyWriter<'_>| ReplyWriter::ok(writer));
    }

    fn exec(&mut self, batch: &mut Batch, output: &mut Vec<u8>) {
        let Some(transaction) = self.transaction.take() else {
            return self.tell(output, |writer| writer.error("ERR EXEC without MULTI"));
        };
        let watched = std::mem::take(&mut self.watched);
        if transaction.is_spoilt {
            let error = "EXECABORT Transaction discarded because of previous errors.";
            return self.tell(output, |writer| writer.error(error));
        }
        batch.push(Operation::Transaction { watched, operations: transaction.operations });
        self.plan.push(Slot::Value);
    }

    fn discard(&mut self, output: &mut Vec<u8>) {
        if self.transaction.take().is_none() {
            return self.tell(output, |writer| writer.error("ERR DISCARD without MULTI"));
        }
        self.watched.clear();
        self.tell(output, |writer: &mut ReplyWriter<'_>| ReplyWriter::ok(writer));
    }

    fn watch(&mut self, request: Request<'_>, batch: &mut Batch, output: &mut Vec<u8>) {
        if self.transaction.is_some() {
            return self.tell(output, |writer| writer.error("ERR WATCH inside MULTI is not allowed"));
        }
        let keys: Vec<Key> = request.iter().skip(1).map(Key::from).collect();
        for key in &keys {
            batch.push(Operation::Revision { key: key.clone() });
        }
        self.plan.push(Slot::Watch(keys));
    }

    /// `ONCE token command ...`: takes effect once, however often and wherever it is repeated.
    fn once(&mut self, request: Request<'_>, batch: &mut Batch, output: &mut Vec<u8>) -> Handled {
        if !batch.is_empty() {
            return Handled::Deferred;
        }
        let token = request.get(1).and_then(|token| std::str::from_utf8(token).ok());
        let token = token.filter(|token| !token.is_empty() && token.len() <= TOKEN_BYTES_MAX);
        let (Some(token), Some(inner), None) = (token, request.nested(2), &self.transaction) else {
            let error = "ERR ONCE needs a token of at most 64 bytes and a command, outside of MULTI";
            self.tell(output, |writer| writer.error(error));
            return Handled::Done;
        };
        let parsed = resp::find(inner).ok().and_then(|spec| parse(inner, spec.name));
        match parsed {
            Some(Ok(operation)) => {
                batch.once = Some(RequestId { client: ClientId(0), token: Token(token.into()) });
                self.take(operation, batch, output);
            }
            Some(Err(error)) => self.tell_value(output, &error),
            None => self.tell(output, |writer| writer.error("ERR ONCE takes a command about keys")),
        }
        Handled::Done
    }

    fn has_open_watch(&self) -> bool {
        self.plan.iter().any(|slot| matches!(slot, Slot::Watch(_)))
    }

    fn spoil(&mut self) {
        if let Some(transaction) = &mut self.transaction {
            transaction.is_spoilt = true;
        }
    }

    /// Bytes that are no command: says so, and hangs up.
    pub(super) fn refuse(&mut self, error: &ProtocolError, output: &mut Vec<u8>) {
        self.tell(output, |writer| error.write(writer));
        self.close();
    }

    /// Says something in its place among the answers.
    pub(super) fn tell(&mut self, output: &mut Vec<u8>, write: impl FnOnce(&mut ReplyWriter<'_>)) {
        let mut said = Vec::new();
        write(&mut ReplyWriter::new(&mut said, self.protocol));
        self.append(said, output);
    }

    fn tell_value(&mut self, output: &mut Vec<u8>, value: &Value) {
        self.tell(output, |writer| write_value(writer, value));
    }

    fn append(&mut self, said: Vec<u8>, output: &mut Vec<u8>) {
        if self.plan.is_empty() {
            output.extend_from_slice(&said);
        } else {
            self.plan.push(Slot::Said(said));
        }
    }

    /// Nothing of the plan waits for the store: says it.
    pub(super) fn say_planned(&mut self, output: &mut Vec<u8>) {
        self.say(Vec::new(), output);
    }

    /// The store has answered: says everything that was planned.
    pub(super) fn say(&mut self, values: Vec<Value>, output: &mut Vec<u8>) {
        let mut values = values.into_iter();
        for slot in std::mem::take(&mut self.plan) {
            match slot {
                Slot::Said(said) => output.extend_from_slice(&said),
                Slot::Value => {
                    let value = values.next().expect("the store answers every operation");
                    write_value(&mut ReplyWriter::new(output, self.protocol), &value);
                }
                Slot::Watch(keys) => {
                    for key in keys {
                        let Some(Value::Integer(revision)) = values.next() else {
                            unreachable!("a revision is a number");
                        };
                        self.watched.push((key, Revision(revision.unsigned_abs())));
                    }
                    ReplyWriter::new(output, self.protocol).ok();
                }
            }
        }
    }

    /// The store will not answer: an error for everything that waits for it.
    pub(super) fn say_failed(&mut self, error: &str, output: &mut Vec<u8>) {
        for slot in std::mem::take(&mut self.plan) {
            match slot {
                Slot::Said(said) => output.extend_from_slice(&said),
                Slot::Value | Slot::Watch(_) => ReplyWriter::new(output, self.protocol).error(error),
            }
        }
    }
}

/// The operation that a command is; `None` if it is not about the store.
fn parse(request: Request<'_>, name: &str) -> Option<Result<Operation, Value>> {
    let arguments: Vec<&[u8]> = request.iter().skip(1).collect();
    kv::knows(name).then(|| kv::parse(name, &arguments))
}

fn write_value(writer: &mut ReplyWriter<'_>, value: &Value) {
    match value {
        Value::Okay => writer.ok(),
        Value::Nil => writer.null(),
        Value::Integer(number) => writer.integer(*number),
        Value::Bytes(bytes) => writer.bulk(bytes.as_ref()),
        Value::Text(text) => writer.simple(text),
        Value::Error(text) => writer.error(text),
        Value::Array(values) => {
            writer.array(values.len());
            values.iter().for_each(|value| write_value(writer, value));
        }
    }
}
