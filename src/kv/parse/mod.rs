//! From a Redis command to an [`Operation`], or to the error that Redis would answer, word for word.
//!
//! What can be refused by looking at the command alone is refused here, before it costs a log entry:
//! wrong numbers of arguments, numbers that are none, options that exclude each other, whatever is too long.
//!
//! The table has what clients ask for with COMMAND as well: arity and places of keys, counted as Redis does,
//! with the command's name as place 0.

mod arguments;
mod counters;
mod keys;
mod lifetimes;
mod options;
mod strings;

use super::operation::Operation;
use super::value::Value;
use crate::limits::COMMAND_BYTES_MAX;

/// A command's parser: its name, for error texts, and its arguments, of which there are as many as its arity
/// asks for.
type Parser = fn(&str, &[&[u8]]) -> Result<Operation, Value>;

/// One row of the table of commands.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// In lower case.
    pub name: &'static str,
    /// How many words it has, with its name; at least so many, when negative.
    pub arity: i32,
    /// Whether it may change something.
    pub writes: bool,
    /// Places of the first key and the last, and the steps between keys; negative places count from the
    /// end. All zero when it has none, or none that can be told by place.
    pub keys: (i32, i32, i32),
    parser: Parser,
}

const READS: bool = false;
const WRITES: bool = true;
const NO_KEYS: (i32, i32, i32) = (0, 0, 0);
const ONE_KEY: (i32, i32, i32) = (1, 1, 1);
const TWO_KEYS: (i32, i32, i32) = (1, 2, 1);
const ALL_KEYS: (i32, i32, i32) = (1, -1, 1);
const PAIRS: (i32, i32, i32) = (1, -1, 2);

const fn row(name: &'static str, arity: i32, writes: bool, keys: (i32, i32, i32), parser: Parser) -> Form {
    Form { name, arity, writes, keys, parser }
}

/// All commands that the store understands, by name.
pub const COMMANDS: &[Form] = &[
    row("append", 3, WRITES, ONE_KEY, strings::append),
    row("copy", -3, WRITES, TWO_KEYS, keys::copy),
    row("dbsize", 1, READS, NO_KEYS, keys::count),
    row("decr", 2, WRITES, ONE_KEY, counters::decrement),
    row("decrby", 3, WRITES, ONE_KEY, counters::decrement_by),
    row("del", -2, WRITES, ALL_KEYS, keys::delete),
    row("delex", -2, WRITES, ONE_KEY, keys::delete_if),
    row("delifeq", 3, WRITES, ONE_KEY, keys::delete_if_equal),
    row("digest", 2, READS, ONE_KEY, strings::digest),
    row("exists", -2, READS, ALL_KEYS, keys::exists),
    row("expire", -3, WRITES, ONE_KEY, lifetimes::expire),
    row("expireat", -3, WRITES, ONE_KEY, lifetimes::expire),
    row("expiretime", 2, READS, ONE_KEY, lifetimes::ask),
    row("flushall", -1, WRITES, NO_KEYS, keys::clear),
    row("flushdb", -1, WRITES, NO_KEYS, keys::clear),
    row("get", 2, READS, ONE_KEY, strings::get),
    row("getdel", 2, WRITES, ONE_KEY, strings::get_and_delete),
    row("getex", -2, WRITES, ONE_KEY, strings::get_and_set_lifetime),
    row("getrange", 4, READS, ONE_KEY, strings::get_range),
    row("getset", 3, WRITES, ONE_KEY, strings::get_and_set),
    row("incr", 2, WRITES, ONE_KEY, counters::increment),
    row("incrby", 3, WRITES, ONE_KEY, counters::increment_by),
    row("incrbyfloat", 3, WRITES, ONE_KEY, counters::increment_by_decimal),
    row("keys", 2, READS, NO_KEYS, keys::list),
    row("mget", -2, READS, ALL_KEYS, strings::get_many),
    row("mset", -3, WRITES, PAIRS, strings::set_many),
    row("msetex", -4, WRITES, NO_KEYS, strings::set_many_with_lifetime),
    row("msetnx", -3, WRITES, PAIRS, strings::set_many),
    row("persist", 2, WRITES, ONE_KEY, lifetimes::persist),
    row("pexpire", -3, WRITES, ONE_KEY, lifetimes::expire),
    row("pexpireat", -3, WRITES, ONE_KEY, lifetimes::expire),
    row("pexpiretime", 2, READS, ONE_KEY, lifetimes::ask),
    row("psetex", 4, WRITES, ONE_KEY, strings::set_with_lifetime),
    row("pttl", 2, READS, ONE_KEY, lifetimes::ask),
    row("randomkey", 1, READS, NO_KEYS, keys::random),
    row("rename", 3, WRITES, TWO_KEYS, keys::rename),
    row("renamenx", 3, WRITES, TWO_KEYS, keys::rename),
    row("scan", -2, READS, NO_KEYS, keys::scan),
    row("set", -3, WRITES, ONE_KEY, strings::set),
    row("setex", 4, WRITES, ONE_KEY, strings::set_with_lifetime),
    row("setnx", 3, WRITES, ONE_KEY, strings::set_if_absent),
    row("setrange", 4, WRITES, ONE_KEY, strings::set_range),
    row("strlen", 2, READS, ONE_KEY, strings::length),
    row("substr", 4, READS, ONE_KEY, strings::get_range),
    row("touch", -2, READS, ALL_KEYS, keys::exists),
    row("ttl", 2, READS, ONE_KEY, lifetimes::ask),
    row("type", 2, READS, ONE_KEY, keys::kind),
    row("unlink", -2, WRITES, ALL_KEYS, keys::delete),
];

/// The row of a command, if it is about the store. `name` is in lower case.
pub fn form(name: &str) -> Option<&'static Form> {
    COMMANDS.binary_search_by(|form| form.name.cmp(name)).ok().map(|row| &COMMANDS[row])
}

/// What a command asks of the store. `name` is in lower case; `arguments` are what follows it.
///
/// # Errors
///
/// The error that Redis would answer, as a [`Value::Error`].
pub fn parse(name: &str, arguments: &[&[u8]]) -> Result<Operation, Value> {
    form(name).map_or_else(|| Err(unknown(name, arguments)), |form| form.parse(arguments))
}

impl Form {
    /// What this command asks of the store with these arguments.
    ///
    /// # Errors
    ///
    /// As of [`parse`].
    pub fn parse(&self, arguments: &[&[u8]]) -> Result<Operation, Value> {
        let words = i32::try_from(arguments.len()).unwrap_or(i32::MAX).saturating_add(1);
        if words < self.arity.abs() || (self.arity > 0 && words != self.arity) {
            return Err(wrong_number(self.name));
        }
        let operation = (self.parser)(self.name, arguments)?;
        if operation.bytes() > COMMAND_BYTES_MAX {
            return Err(Value::error("command exceeds maximum allowed size"));
        }
        Ok(operation)
    }
}

/// The error for too few or too many arguments.
fn wrong_number(name: &str) -> Value {
    Value::error(&format!("wrong number of arguments for '{name}' command"))
}

/// Redis names the command and as many of its arguments as fit some 128 bytes.
fn unknown(name: &str, arguments: &[&[u8]]) -> Value {
    const SHOWN_BYTES_MAX: usize = 128;
    let shorten = |text: &[u8], bytes_max: usize| {
        String::from_utf8_lossy(&text[..text.len().min(bytes_max)]).replace(['\r', '\n'], " ")
    };
    let mut shown = String::new();
    for argument in arguments {
        if shown.len() >= SHOWN_BYTES_MAX {
            break;
        }
        shown += &format!("'{}' ", shorten(argument, SHOWN_BYTES_MAX - shown.len()));
    }
    let name = shorten(name.as_bytes(), SHOWN_BYTES_MAX);
    Value::error(&format!("unknown command '{name}', with args beginning with: {shown}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_tells_reads_from_writes() {
        assert!(COMMANDS.is_sorted_by(|one, other| one.name < other.name));
        for form in COMMANDS {
            let count = usize::try_from(form.arity.unsigned_abs()).unwrap() - 1;
            // Numbers are good keys and values too, and 1 is a good count of keys.
            let arguments = vec![&b"1"[..]; count];
            let parsed = match form.name {
                "copy" => parse(form.name, &[b"1", b"2"]),
                _ => parse(form.name, &arguments),
            };
            let operation = parsed.unwrap_or_else(|error| panic!("{}: {error:?}", form.name));
            // GETEX without options is a plain GET.
            assert_eq!(operation.is_read(), !form.writes || form.name == "getex", "{}", form.name);
        }
    }

    #[test]
    fn an_unknown_command_is_named_with_some_of_its_arguments() {
        let error = |text: &str| Err(Value::Error(text.into()));
        assert_eq!(
            parse("foo", &[b"bar", b"b\nz"]),
            error("ERR unknown command 'foo', with args beginning with: 'bar' 'b z' ")
        );
        assert_eq!(parse("foo", &[]), error("ERR unknown command 'foo', with args beginning with: "));
        let many = vec![&[b'x'; 100][..]; 9];
        let Err(Value::Error(text)) = parse("foo", &many) else { panic!("unknown") };
        assert!(text.len() < 250, "{text}");
    }
}
