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

const fn form(name: &'static str, arity: i32, writes: bool, keys: (i32, i32, i32), parser: Parser) -> Form {
    Form { name, arity, writes, keys, parser }
}

/// All commands that the store understands, by name.
pub const COMMANDS: &[Form] = &[
    form("append", 3, WRITES, ONE_KEY, strings::append),
    form("copy", -3, WRITES, TWO_KEYS, keys::copy),
    form("dbsize", 1, READS, NO_KEYS, keys::count),
    form("decr", 2, WRITES, ONE_KEY, counters::decrement),
    form("decrby", 3, WRITES, ONE_KEY, counters::decrement_by),
    form("del", -2, WRITES, ALL_KEYS, keys::delete),
    form("delex", -2, WRITES, ONE_KEY, keys::delete_if),
    form("delifeq", 3, WRITES, ONE_KEY, keys::delete_if_equal),
    form("digest", 2, READS, ONE_KEY, strings::digest),
    form("exists", -2, READS, ALL_KEYS, keys::exists),
    form("expire", -3, WRITES, ONE_KEY, lifetimes::expire),
    form("expireat", -3, WRITES, ONE_KEY, lifetimes::expire),
    form("expiretime", 2, READS, ONE_KEY, lifetimes::ask),
    form("flushall", -1, WRITES, NO_KEYS, keys::clear),
    form("flushdb", -1, WRITES, NO_KEYS, keys::clear),
    form("get", 2, READS, ONE_KEY, strings::get),
    form("getdel", 2, WRITES, ONE_KEY, strings::get_and_delete),
    form("getex", -2, WRITES, ONE_KEY, strings::get_and_set_lifetime),
    form("getrange", 4, READS, ONE_KEY, strings::get_range),
    form("getset", 3, WRITES, ONE_KEY, strings::get_and_set),
    form("incr", 2, WRITES, ONE_KEY, counters::increment),
    form("incrby", 3, WRITES, ONE_KEY, counters::increment_by),
    form("incrbyfloat", 3, WRITES, ONE_KEY, counters::increment_by_decimal),
    form("keys", 2, READS, NO_KEYS, keys::list),
    form("mget", -2, READS, ALL_KEYS, strings::get_many),
    form("mset", -3, WRITES, PAIRS, strings::set_many),
    form("msetex", -4, WRITES, NO_KEYS, strings::set_many_with_lifetime),
    form("msetnx", -3, WRITES, PAIRS, strings::set_many),
    form("persist", 2, WRITES, ONE_KEY, lifetimes::persist),
    form("pexpire", -3, WRITES, ONE_KEY, lifetimes::expire),
    form("pexpireat", -3, WRITES, ONE_KEY, lifetimes::expire),
    form("pexpiretime", 2, READS, ONE_KEY, lifetimes::ask),
    form("psetex", 4, WRITES, ONE_KEY, strings::set_with_lifetime),
    form("pttl", 2, READS, ONE_KEY, lifetimes::ask),
    form("randomkey", 1, READS, NO_KEYS, keys::random),
    form("rename", 3, WRITES, TWO_KEYS, keys::rename),
    form("renamenx", 3, WRITES, TWO_KEYS, keys::rename),
    form("scan", -2, READS, NO_KEYS, keys::scan),
    form("set", -3, WRITES, ONE_KEY, strings::set),
    form("setex", 4, WRITES, ONE_KEY, strings::set_with_lifetime),
    form("setnx", 3, WRITES, ONE_KEY, strings::set_if_absent),
    form("setrange", 4, WRITES, ONE_KEY, strings::set_range),
    form("strlen", 2, READS, ONE_KEY, strings::length),
    form("substr", 4, READS, ONE_KEY, strings::get_range),
    form("touch", -2, READS, ALL_KEYS, keys::exists),
    form("ttl", 2, READS, ONE_KEY, lifetimes::ask),
    form("type", 2, READS, ONE_KEY, keys::kind),
    form("unlink", -2, WRITES, ALL_KEYS, keys::delete),
];

/// Whether a command is about the store. `name` is in lower case.
pub fn knows(name: &str) -> bool {
    COMMANDS.binary_search_by(|form| form.name.cmp(name)).is_ok()
}

/// What a command asks of the store. `name` is in lower case; `arguments` are what follows it.
///
/// # Errors
///
/// The error that Redis would answer, as a [`Value::Error`].
pub fn parse(name: &str, arguments: &[&[u8]]) -> Result<Operation, Value> {
    let Ok(row) = COMMANDS.binary_search_by(|form| form.name.cmp(name)) else {
        return Err(unknown(name, arguments));
    };
    let form = &COMMANDS[row];
    let words = i32::try_from(arguments.len()).unwrap_or(i32::MAX).saturating_add(1);
    if words < form.arity.abs() || (form.arity > 0 && words != form.arity) {
        return Err(wrong_number(name));
    }
    let operation = (form.parser)(name, arguments)?;
    if operation.bytes() > COMMAND_BYTES_MAX {
        return Err(Value::error("command exceeds maximum allowed size"));
    }
    Ok(operation)
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
