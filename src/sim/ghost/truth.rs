//! What the committed log means: a store that sees every entry once and in order, a naive model of the keys
//! that are checked, and every request that was ever made.

use std::collections::BTreeMap;

use super::violation::{Checked, fail};
use crate::kv::{Bytes, Command, Key, Operation, Store, Value};
use crate::raft::{Entry, Payload};

/// A request of a client.
#[derive(Clone, Debug)]
pub(in crate::sim) struct Request {
    pub(in crate::sim) operations: Vec<Operation>,
    /// Whether it has a name under which it takes effect once.
    pub(in crate::sim) is_named: bool,
    /// What had been acknowledged to anybody when it was made.
    floor: u64,
    /// Where it took effect, and what that answered, as far as the model can tell.
    index: Option<u64>,
    expected: Vec<Option<Value>>,
    /// What left nodes as answers to it, each with the state that it shows. A write has one answer; a read
    /// that is repeated may have several.
    answered: Vec<(Vec<Value>, u64)>,
    /// Its client was told that it never took effect.
    is_nothing: bool,
}

#[derive(Default)]
pub(super) struct Truth {
    store: Store,
    /// The digest after each entry; the first is that of the empty store.
    digests: Vec<u64>,
    /// Of every key that is checked the values it has had, each with the entry that set it.
    keys: BTreeMap<Vec<u8>, Vec<(u64, Vec<u8>)>>,
    requests: BTreeMap<u64, Request>,
}

impl Truth {
    pub(super) fn new() -> Truth {
        Truth { digests: vec![Store::default().digest()], ..Truth::default() }
    }

    pub(super) fn digest(&self, index: u64) -> Option<u64> {
        self.digests.get(usize::try_from(index).ok()?).copied()
    }

    pub(super) fn asked(&mut self, number: u64, operations: Vec<Operation>, is_named: bool, floor: u64) {
        let (index, expected, answered, is_nothing) = (None, Vec::new(), Vec::new(), false);
        let request = Request { operations, is_named, floor, index, expected, answered, is_nothing };
        self.requests.insert(number, request);
    }

    /// An entry has been committed.
    pub(super) fn commits(&mut self, index: u64, entry: &Entry) -> Checked {
        if let Payload::Command(bytes) = &entry.payload {
            let command = Command::decode(bytes);
            let number = number_of(&command);
            let values = self.store.apply(command);
            if let Some(number) = number {
                self.takes_effect(index, number, &values)?;
            }
        }
        self.digests.push(self.store.digest());
        Ok(())
    }

    fn takes_effect(&mut self, index: u64, number: u64, values: &[Value]) -> Checked {
        let Some(request) = self.requests.get(&number) else {
            return fail("C2", format!("entry {index} is of request {number}, which nobody made"));
        };
        if request.is_nothing {
            return fail("C3", format!("request {number} takes effect at {index} after it was denied"));
        }
        if request.index.is_some() {
            if !request.is_named {
                return fail("C2", format!("request {number} takes effect again at {index}"));
            }
            return fits(&request.expected, values, || format!("request {number} repeated at {index}"), "C2");
        }
        if index <= request.floor {
            let floor = request.floor;
            return fail("C1", format!("request {number} at {index} lies before {floor}, known earlier"));
        }
        let operations = request.operations.clone();
        let expected: Vec<Option<Value>> =
            operations.iter().map(|operation| self.carry_out(index, operation)).collect();
        fits(&expected, values, || format!("request {number} at {index}"), "C2")?;
        let request = self.requests.get_mut(&number).expect("it was there just now");
        (request.index, request.expected) = (Some(index), expected);
        Ok(())
    }

    /// Values of a request leave a node that has applied everything up to `applied`.
    pub(super) fn answers(&mut self, number: u64, applied: u64, values: &[Value]) -> Checked {
        let Some(request) = self.requests.get(&number) else {
            return fail("C8", format!("an answer to request {number}, which nobody made"));
        };
        let is_read = request.operations.iter().all(Operation::is_read);
        let expected = if is_read {
            if applied < request.floor {
                let floor = request.floor;
                return fail(
                    "C4",
                    format!("read {number} is answered at {applied}, {floor} was known before"),
                );
            }
            request.operations.iter().map(|operation| self.read(applied, operation)).collect()
        } else {
            match request.index {
                Some(index) if index <= applied => request.expected.clone(),
                _ => return fail("D2", format!("request {number} is answered at {applied}, uncommitted")),
            }
        };
        fits(&expected, values, || format!("the answer to request {number} at {applied}"), "C1")?;
        let request = self.requests.get_mut(&number).expect("it was there just now");
        if !is_read && request.answered.first().is_some_and(|(first, _)| first != values) {
            return fail("C2", format!("request {number} gets another answer than the first time"));
        }
        let shows = if is_read { applied } else { request.index.unwrap_or(applied) };
        if !request.answered.iter().any(|(known, at)| known == values && *at >= shows) {
            request.answered.push((values.to_vec(), shows));
        }
        Ok(())
    }

    /// The newest state that an answer to this request shows, if anybody gave it.
    pub(super) fn shows(&self, number: u64, values: &[Value]) -> Option<u64> {
        let answered = &self.requests.get(&number)?.answered;
        answered.iter().filter(|(known, _)| known == values).map(|(_, shows)| *shows).max()
    }

    /// A client is told that nothing has happened and nothing will.
    pub(super) fn denies(&mut self, number: u64) -> Checked {
        let request = self.requests.get_mut(&number).expect("clients make requests before they end");
        request.is_nothing = true;
        match request.index {
            Some(index) => fail("C3", format!("request {number} is denied and took effect at {index}")),
            None => Ok(()),
        }
    }

    fn value(&self, key: &Key, index: u64) -> Option<&Vec<u8>> {
        let values = self.keys.get(key.as_bytes())?;
        let count = values.partition_point(|(set_at, _)| *set_at <= index);
        values.get(count.checked_sub(1)?).map(|(_, value)| value)
    }

    fn set(&mut self, key: &Key, index: u64, value: Vec<u8>) {
        self.keys.entry(key.as_bytes().to_vec()).or_default().push((index, value));
    }

    /// What a write answers; `None` where the model does not know.
    fn carry_out(&mut self, index: u64, operation: &Operation) -> Option<Value> {
        match operation {
            Operation::Set { key, value, .. } if is_checked(key) => {
                self.set(key, index, value.to_vec());
                Some(Value::Okay)
            }
            Operation::Append { key, value } => {
                let mut whole = self.value(key, index).cloned().unwrap_or_default();
                whole.extend_from_slice(value);
                let length = i64::try_from(whole.len()).expect("short");
                self.set(key, index, whole);
                Some(Value::Integer(length))
            }
            Operation::Add { key, delta } => {
                let text = self.value(key, index).map_or(&b"0"[..], |value| value);
                let number: i64 = std::str::from_utf8(text).ok()?.parse().ok()?;
                self.set(key, index, (number + delta).to_string().into_bytes());
                Some(Value::Integer(number + delta))
            }
            Operation::Transaction { operations, .. } => {
                let values: Option<Vec<Value>> =
                    operations.iter().map(|operation| self.carry_out(index, operation)).collect();
                values.map(Value::Array)
            }
            read => self.read(index, read),
        }
    }

    fn read(&self, index: u64, operation: &Operation) -> Option<Value> {
        let get =
            |key| self.value(key, index).map_or(Value::Nil, |value| Value::Bytes(Bytes::from(&value[..])));
        match operation {
            Operation::Get { key } if is_checked(key) => Some(get(key)),
            Operation::GetMany { keys } => Some(Value::Array(keys.iter().map(get).collect())),
            _ => None,
        }
    }
}

/// Keys with a lifetime begin with this letter; what they hold is checked by digests alone.
pub(in crate::sim) const FLEETING: u8 = b'f';

fn is_checked(key: &Key) -> bool {
    key.as_bytes().first() != Some(&FLEETING)
}

/// The request that a command is about: by its name, or by the value that it writes.
fn number_of(command: &Command) -> Option<u64> {
    if let Some(once) = &command.once {
        return once.token.0.parse().ok();
    }
    match command.operations.first()? {
        Operation::Set { value, .. } | Operation::Append { value, .. } => {
            std::str::from_utf8(value).ok()?.split(';').next()?.parse().ok()
        }
        _ => None,
    }
}

fn fits(
    expected: &[Option<Value>],
    values: &[Value],
    what: impl FnOnce() -> String,
    id: &'static str,
) -> Checked {
    let is_right = expected.len() == values.len()
        && expected
            .iter()
            .zip(values)
            .all(|(right, value)| right.as_ref().is_none_or(|right| right == value));
    if is_right { Ok(()) } else { fail(id, format!("{}: {values:?} instead of {expected:?}", what())) }
}
