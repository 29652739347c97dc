//! Conversations with a store, written as a Redis shell would show them.
//!
//! A script is a list of commands, each with the answer that is expected. `""` is an empty argument, and the
//! command `wait 10` lets ten milliseconds pass. Every command takes the way through parser and codec.

mod counters;
mod image;
mod keys;
mod lifetimes;
mod once;
mod replay;
mod strings;
mod transactions;

use super::*;

/// A store with somebody who types.
#[derive(Default)]
struct Shell {
    store: Store,
    clock: u64,
}

impl Shell {
    /// Begins at a time that is easy to count from.
    fn new() -> Shell {
        Shell { store: Store::default(), clock: 1_000_000 }
    }

    /// A conversation from the beginning.
    fn check(script: &[(&str, &str)]) {
        Shell::new().goes_on(script);
    }

    fn goes_on(&mut self, script: &[(&str, &str)]) {
        for (command, expected) in script {
            assert_eq!(shown(&self.ask(command)), *expected, "{command}");
        }
    }

    fn ask(&mut self, command: &str) -> Value {
        match read_command(command) {
            Ok(operation) => self.perform(operation),
            Err(error) => error,
        }
    }

    fn perform(&mut self, operation: Operation) -> Value {
        if operation.is_read() {
            self.apply(Operation::Expire);
            return self.store.read(&operation);
        }
        self.apply(operation)
    }

    fn apply(&mut self, operation: Operation) -> Value {
        let command = Command { stamp: WallClock(self.clock), once: None, operations: vec![operation] };
        let mut values = self.store.apply(Command::decode(&command.encode()));
        assert_eq!(values.len(), 1);
        values.remove(0)
    }

    fn wait(&mut self, milliseconds: u64) {
        self.clock += milliseconds;
    }
}

fn read_command(command: &str) -> Result<Operation, Value> {
    let words: Vec<&[u8]> = command.split(' ').map(unquoted).collect();
    parse(&String::from_utf8_lossy(words[0]).to_lowercase(), &words[1..])
}

fn unquoted(word: &str) -> &[u8] {
    if word == "\"\"" { b"" } else { word.as_bytes() }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Okay => "OK".into(),
        Value::Nil => "nil".into(),
        Value::Integer(number) => number.to_string(),
        Value::Bytes(bytes) => format!("{bytes:?}"),
        Value::Text(text) => text.to_string(),
        Value::Array(values) => format!("[{}]", values.iter().map(shown).collect::<Vec<_>>().join(" ")),
        Value::Error(text) => format!("-{text}"),
    }
}

#[test]
fn every_command_wants_its_number_of_arguments() {
    for form in COMMANDS {
        let error = format!("-ERR wrong number of arguments for '{}' command", form.name);
        let fewest = usize::try_from(form.arity.unsigned_abs()).expect("a few") - 1;
        let refused = |count: usize| {
            let arguments = vec![&b"1"[..]; count];
            parse(form.name, &arguments).is_err_and(|value| shown(&value) == error)
        };
        assert!(fewest == 0 || refused(fewest - 1), "{}", form.name);
        assert!(form.arity < 0 || refused(fewest + 1), "{}", form.name);
    }
}
