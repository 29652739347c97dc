//! What a connection remembers between commands, and what each command does with it.
//!
//! Answers keep the order of commands: as long as a value of the store is still to come, whatever is said
//! after it waits in the plan.

use std::sync::LazyLock;

use super::client::Batch;
use super::local;
use super::orders;
use super::picture::Picture;
use crate::kv::{self, ClientId, Form, Key, Operation, RequestId, Revision, Token, Value};
use crate::limits::{COMMAND_BYTES_MAX, KEYS_PER_COMMAND_MAX, TOKEN_BYTES_MAX};
use crate::replica::Order;
use crate::resp::{
    self, CommandSpec, Flags, OwnedRequest, Protocol, ProtocolError, ReplyWriter, Request, Verb, hash_slot,
    number,
};

/// A connection's memory.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) number: u64,
    pub(super) protocol: Protocol,
    pub(super) name: Vec<u8>,
    closing: bool,
    /// The answers to come, in order.
    plan: Vec<Slot>,
    /// What of them is already in words, in bytes.
    planned_bytes: usize,
    transaction: Option<Transaction>,
    watched: Vec<(Key, Revision)>,
    /// What they count, and those of which the revision is still to come.
    watched_bytes: usize,
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
    /// The next value is that of a transaction; these are its steps.
    Exec(Vec<Step>),
    /// The next value is all keys, of which those of this hash slot count.
    Keys(u16, Wanted),
}

/// What is to be told of the keys of a hash slot.
#[derive(Clone, Copy, Debug)]
enum Wanted {
    Count,
    /// Their names, but no more than so many.
    Names(usize),
}

/// A command between MULTI and EXEC.
#[derive(Debug)]
enum Step {
    /// The next of the store's values.
    Value,
    /// What this node has answered by itself.
    Said(Vec<u8>),
}

/// Between MULTI and EXEC.
#[derive(Debug, Default)]
struct Transaction {
    operations: Vec<Operation>,
    /// A command for each place in the answer: one that this node answers by itself, or the next operation.
    steps: Vec<Option<OwnedRequest>>,
    /// What it takes, in bytes.
    bytes: usize,
    /// Something in it was refused, so all of it will be.
    is_spoilt: bool,
}

/// What a command in a transaction that this node answers by itself counts for its answer, in bytes.
const OWN_ANSWER_BYTES: usize = 16 << 10;

/// What a step of a transaction takes beyond its words, in bytes.
const STEP_BYTES: usize = 64;

const TRANSACTION_TOO_LARGE: &str = "ERR the transaction is too large; nothing of it will be done";

/// What a connection may watch at a time, in bytes, and what each key counts beyond its own length.
const WATCHED_BYTES_MAX: usize = 1 << 20;
const WATCH_BYTES: usize = 32;

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
            planned_bytes: 0,
            transaction: None,
            watched: Vec::new(),
            watched_bytes: 0,
        }
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing
    }

    /// What waits in its place among the answers, in bytes.
    pub(super) fn planned_bytes(&self) -> usize {
        self.planned_bytes
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
        self.unwatch();
    }

    fn unwatch(&mut self) {
        self.watched.clear();
        self.watched_bytes = 0;
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
            // What changes the connection waits until everything before it is answered.
            Verb::Hello | Verb::Reset if !self.plan.is_empty() => return Handled::Deferred,
            Verb::Unwatch | Verb::Discard if self.has_open_watch() => return Handled::Deferred,
            Verb::Multi => self.multi(output),
            Verb::Exec => self.exec(picture, batch, output),
            Verb::Discard => self.discard(output),
            Verb::Watch => self.watch(request, batch, output),
            Verb::Unwatch if self.transaction.is_none() => {
                self.unwatch();
                self.tell(output, |writer: &mut ReplyWriter<'_>| ReplyWriter::ok(writer));
            }
            _ => match parse(request, spec.verb) {
                Some(Ok(operation)) => self.take(operation, batch, output),
                Some(Err(error)) => {
                    self.spoil();
                    self.tell_value(output, &error);
                }
                None if self.transaction.is_some() && !matches!(spec.verb, Verb::Quit | Verb::Reset) => {
                    self.queue_local(spec, request, output);
                }
                None if is_about_a_slot(spec.verb) => self.look_at_slot(spec.verb, request, batch, output),
                None => match orders::parse(spec.verb, request) {
                    Some(order) => return self.order(order, batch, output),
                    None => {
                        let said = self.answer_local(spec, request, picture);
                        self.append(said, output);
                    }
                },
            },
        }
        Handled::Done
    }

    /// An order is a batch of its own.
    fn order(&mut self, order: Result<Order, String>, batch: &mut Batch, output: &mut Vec<u8>) -> Handled {
        if !batch.is_empty() {
            return Handled::Deferred;
        }
        match order {
            Ok(order) => {
                batch.order = Some(order);
                self.plan.push(Slot::Value);
            }
            Err(error) => self.tell(output, |writer| writer.error(&error)),
        }
        Handled::Done
    }

    fn answer_local(&mut self, spec: &CommandSpec, request: Request<'_>, picture: &Picture) -> Vec<u8> {
        let mut said = Vec::new();
        local::answer(self, spec, request, picture, &mut said);
        said
    }

    /// A command that this node answers by itself, in a transaction: its turn comes with EXEC.
    fn queue_local(&mut self, spec: &CommandSpec, request: Request<'_>, output: &mut Vec<u8>) {
        // In the midst of an answer the version of the protocol cannot change; nor can all keys be asked for.
        let is_out_of_place = spec.verb == Verb::Hello || is_about_a_slot(spec.verb);
        if is_out_of_place || spec.flags.has(Flags::NO_MULTI) {
            self.spoil();
            return self.tell(output, |writer| writer.error("ERR Command not allowed inside a transaction"));
        }
        let bytes = request.iter().map(<[u8]>::len).sum();
        if let Some(transaction) = &mut self.transaction {
            transaction.steps.push(Some(request.to_owned()));
            // Its answer is made when all of it is carried out, and may be long.
            transaction.bytes += OWN_ANSWER_BYTES;
        }
        self.say_queued(bytes, output);
    }

    /// Answers to a command that was queued; it spoils the transaction if it makes it too large.
    fn say_queued(&mut self, bytes: usize, output: &mut Vec<u8>) {
        let Some(transaction) = &mut self.transaction else { return };
        transaction.bytes += bytes + STEP_BYTES;
        // All of it travels in one entry of the log, and is carried out while everybody else waits.
        if transaction.bytes <= COMMAND_BYTES_MAX && transaction.steps.len() <= KEYS_PER_COMMAND_MAX {
            return self.tell(output, |writer| writer.simple("QUEUED"));
        }
        // What has been queued will not be done: nothing has to be kept of it.
        *transaction = Transaction { bytes: transaction.bytes, is_spoilt: true, ..Transaction::default() };
        self.tell(output, |writer| writer.error(TRANSACTION_TOO_LARGE));
    }

    /// CLUSTER COUNTKEYSINSLOT and GETKEYSINSLOT: the store does not know slots, so it is asked for all keys.
    fn look_at_slot(&mut self, verb: Verb, request: Request<'_>, batch: &mut Batch, output: &mut Vec<u8>) {
        let wanted = match verb {
            Verb::ClusterGetkeysinslot => {
                let count = request.get(3).and_then(number::parse_i64);
                count.and_then(|count| usize::try_from(count).ok()).map(Wanted::Names)
            }
            _ => Some(Wanted::Count),
        };
        let all = kv::parse("keys", &[b"*"]);
        match (local::slot_of(request), wanted, all) {
            (Ok(slot), Some(wanted), Ok(all)) => {
                batch.push(all);
                self.plan.push(Slot::Keys(slot, wanted));
            }
            (Err(error), ..) => self.tell(output, |writer| writer.error(error)),
            _ => self.tell(output, |writer| writer.error("ERR Invalid slot or number of keys")),
        }
    }

    fn take(&mut self, operation: Operation, batch: &mut Batch, output: &mut Vec<u8>) {
        match &mut self.transaction {
            Some(transaction) => {
                let bytes = operation.bytes();
                transaction.operations.push(operation);
                transaction.steps.push(None);
                self.say_queued(bytes, output);
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

    fn exec(&mut self, picture: &Picture, batch: &mut Batch, output: &mut Vec<u8>) {
        let Some(transaction) = self.transaction.take() else {
            return self.tell(output, |writer| writer.error("ERR EXEC without MULTI"));
        };
        let watched = std::mem::take(&mut self.watched);
        self.watched_bytes = 0;
        if transaction.is_spoilt {
            let error = "EXECABORT Transaction discarded because of previous errors.";
            return self.tell(output, |writer| writer.error(error));
        }
        let operation = Operation::Transaction { watched, operations: transaction.operations };
        if operation.bytes() > COMMAND_BYTES_MAX {
            return self.tell(output, |writer| writer.error(TRANSACTION_TOO_LARGE));
        }
        batch.push(operation);
        let steps = transaction.steps.into_iter().map(|step| match step {
            None => Step::Value,
            Some(request) => Step::Said(match resp::find(request.view()) {
                Ok(spec) => self.answer_local(spec, request.view(), picture),
                Err(_) => unreachable!("what was queued has been found"),
            }),
        });
        let steps = steps.collect();
        self.plan.push(Slot::Exec(steps));
    }

    fn discard(&mut self, output: &mut Vec<u8>) {
        if self.transaction.take().is_none() {
            return self.tell(output, |writer| writer.error("ERR DISCARD without MULTI"));
        }
        self.unwatch();
        self.tell(output, |writer: &mut ReplyWriter<'_>| ReplyWriter::ok(writer));
    }

    fn watch(&mut self, request: Request<'_>, batch: &mut Batch, output: &mut Vec<u8>) {
        if self.transaction.is_some() {
            return self.tell(output, |writer| writer.error("ERR WATCH inside MULTI is not allowed"));
        }
        // Keys have the same limits, in length and number, as where the store looks at them.
        if let Some(Err(error)) = parse(request, Verb::Exists) {
            return self.tell_value(output, &error);
        }
        let keys: Vec<Key> = request.iter().skip(1).map(Key::from).collect();
        let bytes: usize = keys.iter().map(|key| WATCH_BYTES + key.as_bytes().len()).sum();
        // They travel together, and again with the transaction that rests on them.
        if self.watched_bytes + bytes > WATCHED_BYTES_MAX {
            return self.tell(output, |writer| writer.error("ERR too many keys are watched: at most 1 MiB"));
        }
        self.watched_bytes += bytes;
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
            self.spoil();
            let error = "ERR ONCE needs a token of at most 64 bytes and a command, outside of MULTI";
            self.tell(output, |writer| writer.error(error));
            return Handled::Done;
        };
        let parsed = resp::find(inner).ok().and_then(|spec| parse(inner, spec.verb));
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
            self.planned_bytes += said.len();
            self.plan.push(Slot::Said(said));
        }
    }

    /// Nothing of the plan waits for the store: says it.
    pub(super) fn say_planned(&mut self, output: &mut Vec<u8>) {
        self.say(Vec::new(), output);
    }

    /// The store has answered: says everything that was planned.
    pub(super) fn say(&mut self, values: Vec<Value>, output: &mut Vec<u8>) {
        self.say_part(values, output);
        assert!(self.plan.is_empty(), "the store answers every operation");
    }

    /// The store has answered some of it: says that, and keeps the rest of the plan.
    pub(super) fn say_part(&mut self, values: Vec<Value>, output: &mut Vec<u8>) {
        let mut values = values.into_iter();
        let mut plan = std::mem::take(&mut self.plan).into_iter();
        while let Some(slot) = plan.next() {
            if let Some(unsaid) = self.say_slot(slot, &mut values, output) {
                self.plan = std::iter::once(unsaid).chain(plan).collect();
                return;
            }
        }
    }

    /// Says what belongs in one place. Gives it back if values for it are still to come.
    fn say_slot(
        &mut self,
        slot: Slot,
        values: &mut impl Iterator<Item = Value>,
        output: &mut Vec<u8>,
    ) -> Option<Slot> {
        if let Slot::Said(said) = &slot {
            self.planned_bytes -= said.len();
            output.extend_from_slice(said);
            return None;
        }
        let Some(value) = values.next() else { return Some(slot) };
        match slot {
            Slot::Said(_) => unreachable!("said above"),
            Slot::Value => write_value(&mut ReplyWriter::new(output, self.protocol), &value),
            Slot::Exec(steps) => write_transaction(self.protocol, value, steps, output),
            Slot::Keys(slot, wanted) => {
                write_slot(&mut ReplyWriter::new(output, self.protocol), &value, slot, wanted);
            }
            Slot::Watch(mut keys) => {
                let Value::Integer(revision) = value else {
                    // No room for it among the answers of its batch: nothing is watched.
                    values.take(keys.len() - 1).for_each(drop);
                    write_value(&mut ReplyWriter::new(output, self.protocol), &value);
                    return None;
                };
                self.watched.push((keys.remove(0), Revision(revision.unsigned_abs())));
                if !keys.is_empty() {
                    return self.say_slot(Slot::Watch(keys), values, output);
                }
                ReplyWriter::new(output, self.protocol).ok();
            }
        }
        None
    }

    /// The store will not answer: an error for everything that waits for it.
    pub(super) fn say_failed(&mut self, error: &str, output: &mut Vec<u8>) {
        for slot in std::mem::take(&mut self.plan) {
            match slot {
                Slot::Said(said) => {
                    self.planned_bytes -= said.len();
                    output.extend_from_slice(&said);
                }
                Slot::Value | Slot::Watch(_) | Slot::Exec(_) | Slot::Keys(..) => {
                    ReplyWriter::new(output, self.protocol).error(error);
                }
            }
        }
    }
}

/// For each verb how the store parses it, if it is about the store: every command asks for that.
static FORMS: LazyLock<Vec<Option<&Form>>> =
    LazyLock::new(|| resp::COMMANDS.iter().map(|spec| kv::form(spec.name)).collect());

/// Commands of up to so many words are parsed without a list of them on the heap.
const FEW_WORDS: usize = 4;

/// The operation that a command is; `None` if it is not about the store.
fn parse(request: Request<'_>, verb: Verb) -> Option<Result<Operation, Value>> {
    let form = FORMS[verb as usize]?;
    let words = request.iter().skip(1);
    if request.len() > FEW_WORDS {
        return Some(form.parse(&words.collect::<Vec<_>>()));
    }
    let mut few = [&[][..]; FEW_WORDS];
    few.iter_mut().zip(words).for_each(|(place, word)| *place = word);
    Some(form.parse(&few[..request.len() - 1]))
}

fn is_about_a_slot(verb: Verb) -> bool {
    matches!(verb, Verb::ClusterCountkeysinslot | Verb::ClusterGetkeysinslot)
}

/// The answer to EXEC: the store's values, and between them what this node has answered by itself.
fn write_transaction(protocol: Protocol, value: Value, steps: Vec<Step>, output: &mut Vec<u8>) {
    let Value::Array(values) = value else {
        let mut writer = ReplyWriter::new(output, protocol);
        return if value == Value::Nil { writer.null_array() } else { write_value(&mut writer, &value) };
    };
    let mut values = values.into_iter();
    ReplyWriter::new(output, protocol).array(steps.len());
    for step in steps {
        match step {
            Step::Said(said) => output.extend_from_slice(&said),
            Step::Value => {
                let value = values.next().expect("the store answers every operation of a transaction");
                write_value(&mut ReplyWriter::new(output, protocol), &value);
            }
        }
    }
}

/// Of all keys, those of a hash slot.
fn write_slot(writer: &mut ReplyWriter<'_>, value: &Value, slot: u16, wanted: Wanted) {
    let Value::Array(keys) = value else { return write_value(writer, value) };
    let is_in_slot =
        |key: &&Value| matches!(key, Value::Bytes(bytes) if hash_slot::hash_slot(bytes.as_ref()) == slot);
    let keys = keys.iter().filter(is_in_slot);
    match wanted {
        Wanted::Count => writer.integer(i64::try_from(keys.count()).unwrap_or(i64::MAX)),
        Wanted::Names(most) => {
            let keys: Vec<&Value> = keys.take(most).collect();
            writer.array(keys.len());
            keys.into_iter().for_each(|key| write_value(writer, key));
        }
    }
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
