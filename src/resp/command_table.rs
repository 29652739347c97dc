//! What there is to know of a command before it is carried out, and how to find it.
//!
//! The rows are in `commands`. A name is found by its hash in an index that is made when the crate is
//! compiled: no allocation, no copy, capitals and small letters alike. A command with subcommands (CONFIG,
//! CLIENT, ...) is a row of its own, and so is each of them, as `config|get`.
//!
//! The number of arguments is checked as in Redis: a positive arity is the number of words of the
//! request, a negative one the least number of them. What does not pass is a [`Refusal`], which writes the
//! text that Redis has for it, quoting no more than 128 bytes of names and of arguments, and those only up to
//! a NUL.

use super::commands::{COMMANDS, Verb};
use super::reply::ReplyWriter;
use super::request::Request;

/// Bytes of a name, and of all arguments together, that an error quotes.
const QUOTED_BYTES_MAX: usize = 128;

/// What kind of command it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flags(u32);

/// The flags in the order in which Redis tells them.
pub(super) const FLAG_NAMES: [(Flags, &str); 17] = [
    (Flags::WRITE, "write"),
    (Flags::READONLY, "readonly"),
    (Flags::DENYOOM, "denyoom"),
    (Flags::ADMIN, "admin"),
    (Flags::PUBSUB, "pubsub"),
    (Flags::NOSCRIPT, "noscript"),
    (Flags::BLOCKING, "blocking"),
    (Flags::LOADING, "loading"),
    (Flags::STALE, "stale"),
    (Flags::SKIP_MONITOR, "skip_monitor"),
    (Flags::SKIP_SLOWLOG, "skip_slowlog"),
    (Flags::ASKING, "asking"),
    (Flags::FAST, "fast"),
    (Flags::NO_AUTH, "no_auth"),
    (Flags::NO_MULTI, "no_multi"),
    (Flags::MOVABLEKEYS, "movablekeys"),
    (Flags::ALLOW_BUSY, "allow_busy"),
];

impl Flags {
    /// Nothing to say.
    pub const NONE: Flags = Flags(0);
    /// May change the store, so it goes through the log.
    pub const WRITE: Flags = Flags(1);
    /// Looks at keys and changes none.
    pub const READONLY: Flags = Flags(1 << 1);
    /// May need more memory; refused when there is none.
    pub const DENYOOM: Flags = Flags(1 << 2);
    /// For operators.
    pub const ADMIN: Flags = Flags(1 << 3);
    /// Of the publish and subscribe family.
    pub const PUBSUB: Flags = Flags(1 << 4);
    /// Not allowed in scripts.
    pub const NOSCRIPT: Flags = Flags(1 << 5);
    /// May wait.
    pub const BLOCKING: Flags = Flags(1 << 6);
    /// Allowed while the store is being loaded.
    pub const LOADING: Flags = Flags(1 << 7);
    /// Allowed when the store may be out of date.
    pub const STALE: Flags = Flags(1 << 8);
    /// Not shown to MONITOR.
    pub const SKIP_MONITOR: Flags = Flags(1 << 9);
    /// Never in the slow log.
    pub const SKIP_SLOWLOG: Flags = Flags(1 << 10);
    /// Takes a slot that is being imported.
    pub const ASKING: Flags = Flags(1 << 11);
    /// Constant or logarithmic time.
    pub const FAST: Flags = Flags(1 << 12);
    /// Allowed before the client has proved who it is.
    pub const NO_AUTH: Flags = Flags(1 << 13);
    /// Not allowed in a transaction.
    pub const NO_MULTI: Flags = Flags(1 << 14);
    /// First, last and step do not tell all keys.
    pub const MOVABLEKEYS: Flags = Flags(1 << 15);
    /// Allowed while a script runs too long.
    pub const ALLOW_BUSY: Flags = Flags(1 << 16);
    /// Has subcommands. Redis does not tell.
    pub const CONTAINER: Flags = Flags(1 << 17);

    /// Both together.
    pub const fn and(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    /// Whether all of `other` are among these.
    pub const fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }
}

/// What access rules call a command, as far as its flags do not say it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Categories(u32);

/// The categories in the order in which Redis tells them.
pub(super) const CATEGORY_NAMES: [(Categories, &str); 12] = [
    (Categories::KEYSPACE, "keyspace"),
    (Categories::READ, "read"),
    (Categories::WRITE, "write"),
    (Categories::STRING, "string"),
    (Categories::PUBSUB, "pubsub"),
    (Categories::ADMIN, "admin"),
    (Categories::FAST, "fast"),
    (Categories::SLOW, "slow"),
    (Categories::BLOCKING, "blocking"),
    (Categories::DANGEROUS, "dangerous"),
    (Categories::CONNECTION, "connection"),
    (Categories::TRANSACTION, "transaction"),
];

impl Categories {
    /// Nothing to say.
    pub const NONE: Categories = Categories(0);
    /// About keys of any type.
    pub const KEYSPACE: Categories = Categories(1);
    /// Follows from [`Flags::READONLY`].
    pub const READ: Categories = Categories(1 << 1);
    /// Follows from [`Flags::WRITE`].
    pub const WRITE: Categories = Categories(1 << 2);
    /// About strings.
    pub const STRING: Categories = Categories(1 << 3);
    /// Follows from [`Flags::PUBSUB`].
    pub const PUBSUB: Categories = Categories(1 << 4);
    /// Follows from [`Flags::ADMIN`].
    pub const ADMIN: Categories = Categories(1 << 5);
    /// Follows from [`Flags::FAST`].
    pub const FAST: Categories = Categories(1 << 6);
    /// Follows from the lack of [`Flags::FAST`].
    pub const SLOW: Categories = Categories(1 << 7);
    /// Follows from [`Flags::BLOCKING`].
    pub const BLOCKING: Categories = Categories(1 << 8);
    /// May do harm; follows from [`Flags::ADMIN`] too.
    pub const DANGEROUS: Categories = Categories(1 << 9);
    /// About the client's connection.
    pub const CONNECTION: Categories = Categories(1 << 10);
    /// About transactions.
    pub const TRANSACTION: Categories = Categories(1 << 11);

    /// Both together.
    pub const fn and(self, other: Categories) -> Categories {
        Categories(self.0 | other.0)
    }

    /// Whether all of `other` are among these.
    pub const fn has(self, other: Categories) -> bool {
        self.0 & other.0 == other.0
    }
}

/// What a command does with a key, in the words of Redis.
pub(super) type KeyUse = &'static [&'static str];

/// Which words of a request are keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keys {
    /// None.
    None,
    /// The first argument.
    One(&'static [&'static str]),
    /// The first two arguments, each for another use.
    Two(&'static [&'static str], &'static [&'static str]),
    /// Every argument.
    All(&'static [&'static str]),
    /// Every other argument, beginning with the first.
    Pairs(&'static [&'static str]),
    /// Every other argument, beginning with the second; the first tells how many.
    Counted(&'static [&'static str]),
}

impl Keys {
    /// First key, last key and step, as COMMAND has told them from the beginning: zeros for no keys and for
    /// keys that this cannot describe; a negative last one counts from the end.
    pub fn range(self) -> (i64, i64, i64) {
        match self {
            Keys::None | Keys::Counted(_) => (0, 0, 0),
            Keys::One(_) => (1, 1, 1),
            Keys::Two(..) => (1, 2, 1),
            Keys::All(_) => (1, -1, 1),
            Keys::Pairs(_) => (1, -1, 2),
        }
    }

    /// The keys of a request with their uses; `None` if the request does not hold what it claims to.
    pub fn of<'a>(
        self,
        request: Request<'a>,
    ) -> Option<impl Iterator<Item = (&'a [u8], &'static [&'static str])>> {
        let words = request.len();
        let (places, first_use, then) = match self {
            Keys::None => (0..0, &[][..], None),
            Keys::One(usage) => (1..2, usage, None),
            Keys::Two(first, second) => (1..3, first, Some(second)),
            Keys::All(usage) | Keys::Pairs(usage) => (1..words, usage, None),
            Keys::Counted(usage) => {
                let count = super::number::parse_i64(request.get(1)?)?;
                let count = usize::try_from(count).ok().filter(|count| (1..=words).contains(count))?;
                (2..2 + 2 * count - 1, usage, None)
            }
        };
        if places.end > words {
            return None;
        }
        let step = if matches!(self, Keys::Pairs(_) | Keys::Counted(_)) { 2 } else { 1 };
        let start = places.start;
        Some(places.step_by(step).filter_map(move |place| {
            let usage = then.filter(|_| place > start).unwrap_or(first_use);
            request.get(place).map(|key| (key, usage))
        }))
    }
}

/// A row of the table.
#[derive(Debug)]
pub struct CommandSpec {
    /// For `match`.
    pub verb: Verb,
    /// In small letters; that of a subcommand with its container, `config|get`.
    pub name: &'static str,
    /// Whether it stands by itself, and is no subcommand of another.
    pub(super) is_top_level: bool,
    /// How many words a request has, or, below zero, has at least.
    pub arity: i64,
    /// What kind of command it is.
    pub flags: Flags,
    /// What access rules call it, without what follows from the flags.
    pub(super) explicit_categories: Categories,
    /// Which words are keys.
    pub keys: Keys,
    /// The chapter of the manual.
    pub group: &'static str,
    /// The version of Redis that brought it.
    pub since: &'static str,
    /// What it costs.
    pub complexity: &'static str,
    /// What it does.
    pub summary: &'static str,
}

impl CommandSpec {
    /// What access rules call it.
    pub fn categories(&self) -> Categories {
        let implied = [
            (Flags::READONLY, Categories::READ),
            (Flags::WRITE, Categories::WRITE),
            (Flags::PUBSUB, Categories::PUBSUB),
            (Flags::ADMIN, Categories::ADMIN.and(Categories::DANGEROUS)),
            (Flags::FAST, Categories::FAST),
            (Flags::BLOCKING, Categories::BLOCKING),
        ];
        let speed = if self.flags.has(Flags::FAST) { Categories::NONE } else { Categories::SLOW };
        let start = self.explicit_categories.and(speed);
        implied.iter().filter(|(flag, _)| self.flags.has(*flag)).fold(start, |all, (_, more)| all.and(*more))
    }

    /// Whether a request of `words` words has the right number of them.
    pub fn takes(&self, words: usize) -> bool {
        let words = i64::try_from(words).unwrap_or(i64::MAX);
        if self.arity >= 0 { words == self.arity } else { words >= -self.arity }
    }

    /// The rows of its subcommands, which follow its own.
    pub(super) fn subcommands(&self) -> &'static [CommandSpec] {
        let after = &COMMANDS[self.verb as usize + 1..];
        let count = if self.flags.has(Flags::CONTAINER) {
            after.iter().take_while(|spec| !spec.is_top_level).count()
        } else {
            0
        };
        &after[..count]
    }
}

impl Verb {
    /// Its row.
    pub fn spec(self) -> &'static CommandSpec {
        &COMMANDS[self as usize]
    }
}

/// Why a request is not carried out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// There is no such command.
    UnknownCommand,
    /// The command has no such subcommand.
    UnknownSubcommand,
    /// Too few arguments, or too many, for this command.
    WrongArity(&'static str),
}

impl Refusal {
    /// Tells the client why `request` was refused.
    pub fn write(self, request: Request<'_>, writer: &mut ReplyWriter<'_>) {
        match self {
            Refusal::UnknownCommand => {
                let arguments = quote_arguments(request);
                let name = quoted(request.name(), QUOTED_BYTES_MAX);
                writer.error_of(&[
                    b"ERR unknown command '",
                    name,
                    b"', with args beginning with: ",
                    &arguments,
                ]);
            }
            Refusal::UnknownSubcommand => {
                let subcommand = quoted(request.get(1).unwrap_or_default(), QUOTED_BYTES_MAX);
                let container = request.name().to_ascii_uppercase();
                writer.error_of(&[
                    b"ERR unknown subcommand '",
                    subcommand,
                    b"'. Try ",
                    &container,
                    b" HELP.",
                ]);
            }
            Refusal::WrongArity(name) => {
                writer.error_of(&[b"ERR wrong number of arguments for '", name.as_bytes(), b"' command"]);
            }
        }
    }
}

/// The arguments, each in quotes and followed by a space, until they fill their room.
fn quote_arguments(request: Request<'_>) -> Vec<u8> {
    let mut text = Vec::new();
    for argument in request.iter().skip(1) {
        if text.len() >= QUOTED_BYTES_MAX {
            break;
        }
        let room = QUOTED_BYTES_MAX - text.len();
        text.push(b'\'');
        text.extend_from_slice(quoted(argument, room));
        text.extend_from_slice(b"' ");
    }
    text
}

fn quoted(text: &[u8], bytes_max: usize) -> &[u8] {
    let end = text.iter().take(bytes_max).take_while(|byte| **byte != 0).count();
    &text[..end]
}

/// The command of `request`.
///
/// # Errors
///
/// [`Refusal`] if there is none, or if it takes another number of arguments.
pub fn find(request: Request<'_>) -> Result<&'static CommandSpec, Refusal> {
    let spec = find_any_arity(request)?;
    if spec.takes(request.len()) { Ok(spec) } else { Err(Refusal::WrongArity(spec.name)) }
}

/// The command of `request`, whatever the number of arguments.
pub(super) fn find_any_arity(request: Request<'_>) -> Result<&'static CommandSpec, Refusal> {
    let spec = find_row(request.name(), None).filter(|spec| spec.is_top_level);
    let spec = spec.ok_or(Refusal::UnknownCommand)?;
    match request.get(1) {
        Some(name) if spec.flags.has(Flags::CONTAINER) => {
            find_row(request.name(), Some(name)).ok_or(Refusal::UnknownSubcommand)
        }
        _ => Ok(spec),
    }
}

/// The command of this name, which may be `container|subcommand`.
pub fn find_name(name: &[u8]) -> Option<&'static CommandSpec> {
    find_row(name, None)
}

/// Whether this is the first line of an HTTP request: some page makes a browser talk to us. Redis closes such
/// a connection without a word, and writes it to its log.
pub fn is_cross_protocol_attack(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"post") || name.eq_ignore_ascii_case(b"host:")
}

/// More than twice the number of rows, so that few of them share a place.
const INDEX_LENGTH: usize = 512;

const VACANT: u8 = u8::MAX;

static INDEX: [u8; INDEX_LENGTH] = index();

const _: () = assert!(COMMANDS.len() < VACANT as usize && COMMANDS.len() * 2 < INDEX_LENGTH);

/// The longest name in the table. Nothing longer needs to be hashed.
const NAME_BYTES_MAX: usize = name_bytes_max();

const HASH_START: u32 = 0x811C_9DC5;

/// FNV-1a of `name` as if in small letters. Other characters that fall together are told apart later.
const fn hash(start: u32, name: &[u8]) -> u32 {
    let mut hash = start;
    let mut at = 0;
    while at < name.len() {
        hash = (hash ^ (name[at] | 0x20) as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    hash
}

/// The low bits of a product depend on the low bits of the factors alone, so the high ones are mixed in.
const fn place(hash: u32) -> usize {
    (hash ^ (hash >> 15)) as usize % INDEX_LENGTH
}

const fn index() -> [u8; INDEX_LENGTH] {
    let mut index = [VACANT; INDEX_LENGTH];
    let mut row = 0u8;
    while (row as usize) < COMMANDS.len() {
        let mut at = place(hash(HASH_START, COMMANDS[row as usize].name.as_bytes()));
        while index[at] != VACANT {
            at = (at + 1) % INDEX_LENGTH;
        }
        index[at] = row;
        row += 1;
    }
    index
}

const fn name_bytes_max() -> usize {
    let mut longest = 0;
    let mut row = 0;
    while row < COMMANDS.len() {
        if COMMANDS[row].name.len() > longest {
            longest = COMMANDS[row].name.len();
        }
        row += 1;
    }
    longest
}

fn find_row(name: &[u8], subcommand: Option<&[u8]>) -> Option<&'static CommandSpec> {
    if name.len() + subcommand.map_or(0, <[u8]>::len) > NAME_BYTES_MAX {
        return None;
    }
    let hashed = match subcommand {
        None => hash(HASH_START, name),
        Some(subcommand) => hash(hash(hash(HASH_START, name), b"|"), subcommand),
    };
    let mut at = place(hashed);
    while INDEX[at] != VACANT {
        let spec = &COMMANDS[usize::from(INDEX[at])];
        if is_named(spec.name.as_bytes(), name, subcommand) {
            return Some(spec);
        }
        at = (at + 1) % INDEX_LENGTH;
    }
    None
}

fn is_named(full: &[u8], name: &[u8], subcommand: Option<&[u8]>) -> bool {
    let Some(subcommand) = subcommand else { return full.eq_ignore_ascii_case(name) };
    full.len() == name.len() + 1 + subcommand.len()
        && full[name.len()] == b'|'
        && full[..name.len()].eq_ignore_ascii_case(name)
        && full[name.len() + 1..].eq_ignore_ascii_case(subcommand)
}

#[cfg(test)]
mod tests {
    use super::super::reply::Protocol;
    use super::super::request::OwnedRequest;
    use super::*;

    fn found(words: &[&[u8]]) -> Result<&'static str, String> {
        let request = OwnedRequest::new(words).unwrap();
        find(request.view()).map(|spec| spec.name).map_err(|refusal| {
            let mut buffer = Vec::new();
            refusal.write(request.view(), &mut ReplyWriter::new(&mut buffer, Protocol::Resp2));
            String::from_utf8(buffer).unwrap()
        })
    }

    #[test]
    fn every_row_is_found_at_its_place() {
        for (row, spec) in COMMANDS.iter().enumerate() {
            assert_eq!(spec.verb as usize, row);
            assert_eq!(spec.verb.spec().name, spec.name);
            assert_eq!(spec.name, spec.name.to_ascii_lowercase());
            for name in [spec.name.to_string(), spec.name.to_ascii_uppercase()] {
                assert_eq!(find_name(name.as_bytes()).unwrap().verb, spec.verb);
                if let Some((container, subcommand)) = name.split_once('|') {
                    let found = find_row(container.as_bytes(), Some(subcommand.as_bytes())).unwrap();
                    assert_eq!(found.verb, spec.verb);
                    let container = find_name(container.as_bytes()).unwrap();
                    assert!(container.flags.has(Flags::CONTAINER));
                    assert!(container.subcommands().iter().any(|below| below.verb == spec.verb));
                }
            }
        }
    }

    #[test]
    fn rows_make_sense() {
        for spec in COMMANDS {
            assert!(!(spec.flags.has(Flags::WRITE) && spec.flags.has(Flags::READONLY)), "{}", spec.name);
            assert!(
                spec.arity != 0 && !spec.summary.is_empty() && !spec.complexity.is_empty(),
                "{}",
                spec.name
            );
            assert_eq!(spec.since.split('.').count(), 3, "{}", spec.name);
            assert!(spec.summary.ends_with('.') && spec.summary.is_ascii(), "{}", spec.name);
            let (first, _, _) = spec.keys.range();
            assert!(spec.arity.abs() > first, "{} has room for its keys", spec.name);
        }
    }

    #[test]
    fn letters_may_be_small_or_capital() {
        assert_eq!(found(&[b"GeT", b"k"]), Ok("get"));
        assert_eq!(found(&[b"CONFIG", b"geT", b"k"]), Ok("config|get"));
        assert_eq!(found(&[b"command"]), Ok("command"));
        assert!(find_name(b"g\x45\x54").is_some());
        assert!(find_name(b"ge\x14").is_none(), "differs in the bit that letters ignore");
    }

    #[test]
    fn what_is_unknown_is_quoted() {
        let refusal = |words: &[&[u8]]| found(words).unwrap_err();
        assert_eq!(
            refusal(&[b"foo", b"a", b"b"]),
            "-ERR unknown command 'foo', with args beginning with: 'a' 'b' \r\n"
        );
        assert_eq!(refusal(&[b""]), "-ERR unknown command '', with args beginning with: \r\n");
        assert_eq!(
            refusal(&[b"fo\r\no\n", b"a\0b"]),
            "-ERR unknown command 'fo  o ', with args beginning with: 'a' \r\n"
        );
        assert_eq!(
            refusal(&[b"config|get", b"x"]),
            "-ERR unknown command 'config|get', with args beginning with: 'x' \r\n"
        );
        assert_eq!(
            refusal(&[b"Client", b"foo", b"x"]),
            "-ERR unknown subcommand 'foo'. Try CLIENT HELP.\r\n"
        );
        let (f, a, b) = ("f".repeat(200), "a".repeat(120), "b".repeat(32));
        assert_eq!(
            refusal(&[f.as_bytes(), a.as_bytes(), b.as_bytes(), b"c"]),
            format!("-ERR unknown command '{}', with args beginning with: '{a}' 'bbbbb' \r\n", &f[..128])
        );
        assert_eq!(
            refusal(&[b"foo", f.as_bytes(), b"b"]),
            format!("-ERR unknown command 'foo', with args beginning with: '{}' \r\n", &f[..128])
        );
    }

    #[test]
    fn arguments_are_counted() {
        let wrong = |name| Err(format!("-ERR wrong number of arguments for '{name}' command\r\n"));
        assert_eq!(found(&[b"GET"]), wrong("get"));
        assert_eq!(found(&[b"get", b"a", b"b"]), wrong("get"));
        assert_eq!(found(&[b"set", b"a"]), wrong("set"));
        assert_eq!(found(&[b"set", b"a", b"b", b"NX"]), Ok("set"));
        assert_eq!(found(&[b"CONFIG"]), wrong("config"));
        assert_eq!(found(&[b"CONFIG", b"GET"]), wrong("config|get"));
    }

    #[test]
    fn keys_are_where_the_row_says() {
        let keys = |words: &[&[u8]]| {
            let request = OwnedRequest::new(words).unwrap();
            let spec = find(request.view()).unwrap();
            let keys = spec.keys.of(request.view())?;
            Some(keys.map(|(key, _)| String::from_utf8_lossy(key).into_owned()).collect::<Vec<_>>().join(","))
        };
        assert_eq!(keys(&[b"ping"]).unwrap(), "");
        assert_eq!(keys(&[b"set", b"a", b"b"]).unwrap(), "a");
        assert_eq!(keys(&[b"rename", b"a", b"b"]).unwrap(), "a,b");
        assert_eq!(keys(&[b"del", b"a", b"b", b"c"]).unwrap(), "a,b,c");
        assert_eq!(keys(&[b"mset", b"a", b"1", b"b"]).unwrap(), "a,b");
        assert_eq!(keys(&[b"msetex", b"2", b"a", b"1", b"b", b"2", b"EX", b"9"]).unwrap(), "a,b");
        for count in [&b"0"[..], b"-1", b"x", b"3", b"9223372036854775807"] {
            assert_eq!(keys(&[b"msetex", count, b"a", b"1", b"b"]), None);
        }
    }

    #[test]
    fn a_browser_is_known_by_its_first_words() {
        assert!(is_cross_protocol_attack(b"POST") && is_cross_protocol_attack(b"Host:"));
        assert!(!is_cross_protocol_attack(b"get") && !is_cross_protocol_attack(b"host"));
    }
}
