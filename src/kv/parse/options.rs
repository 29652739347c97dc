//! The options that SET, GETEX and MSETEX share: under which condition, with which lifetime, and whether the
//! old value is wanted.
//!
//! They come in any order. One may be repeated, and then the last one counts; two that exclude each other
//! are a syntax error, which is found before any number is looked at. All as in Redis.

use super::arguments;
use crate::kv::command::WallClock;
use crate::kv::operation::{Comparison, Moment, NewLifetime, Presence, SetCondition};
use crate::kv::value::{Value, errors};

/// The longest span, in milliseconds. Redis refuses one whose end would overflow; what the time will be when
/// this one is resolved is not known here, only that it will be before the year 2248.
const SPAN_MAX: i64 = i64::MAX - (1 << 43);

/// Which options a command has.
#[derive(Clone, Copy)]
pub(super) struct Permitted {
    /// `NX` and `XX`.
    pub(super) presence: bool,
    /// `IFEQ` and its like.
    pub(super) comparison: bool,
    /// `GET`.
    pub(super) get: bool,
    /// `KEEPTTL`.
    pub(super) keep: bool,
    /// `PERSIST`.
    pub(super) persist: bool,
}

/// What was found.
#[derive(Default)]
pub(super) struct Options {
    pub(super) condition: SetCondition,
    /// Nothing, if nothing was said.
    pub(super) lifetime: Option<NewLifetime>,
    pub(super) get: bool,
}

/// How a moment is written: the unit, and from when it counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Notation {
    pub(super) in_seconds: bool,
    pub(super) since_1970: bool,
}

/// An option of one of the two groups whose members exclude each other, and its argument if it has one.
#[derive(Clone)]
struct Chosen<'a> {
    word: String,
    argument: &'a [u8],
}

/// Reads all `arguments` as options of the command `name`.
pub(super) fn parse(name: &str, arguments: &[&[u8]], permitted: Permitted) -> Result<Options, Value> {
    let (mut condition, mut lifetime, mut get) = (None, None, false);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let word = arguments::word(argument);
        match &*word {
            "nx" | "xx" if permitted.presence => choose(&mut condition, word, &[])?,
            "ifeq" | "ifne" | "ifdeq" | "ifdne" if permitted.comparison => {
                choose(&mut condition, word, rest.next().ok_or_else(errors::syntax)?)?;
            }
            "get" if permitted.get => get = true,
            "keepttl" if permitted.keep => choose(&mut lifetime, word, &[])?,
            "persist" if permitted.persist => choose(&mut lifetime, word, &[])?,
            "ex" | "px" | "exat" | "pxat" => {
                choose(&mut lifetime, word, rest.next().ok_or_else(errors::syntax)?)?;
            }
            _ => return Err(errors::syntax()),
        }
    }
    Ok(Options {
        condition: condition.map_or(Ok(SetCondition::default()), |chosen| chosen.condition())?,
        lifetime: lifetime.map(|chosen| chosen.lifetime(name)).transpose()?,
        get,
    })
}

/// Takes an option into its group, unless another one of the group is there.
fn choose<'a>(group: &mut Option<Chosen<'a>>, word: String, argument: &'a [u8]) -> Result<(), Value> {
    if group.as_ref().is_some_and(|chosen| chosen.word != word) {
        return Err(errors::syntax());
    }
    *group = Some(Chosen { word, argument });
    Ok(())
}

impl Chosen<'_> {
    fn condition(&self) -> Result<SetCondition, Value> {
        match &*self.word {
            "nx" => Ok(SetCondition::Key(Presence::Absent)),
            "xx" => Ok(SetCondition::Key(Presence::Present)),
            word => Ok(SetCondition::Value(Box::new(comparison(word, self.argument)?))),
        }
    }

    fn lifetime(&self, name: &str) -> Result<NewLifetime, Value> {
        match &*self.word {
            "keepttl" => Ok(NewLifetime::AsBefore),
            "persist" => Ok(NewLifetime::Endless),
            word => {
                let notation =
                    Notation { in_seconds: word.starts_with("ex"), since_1970: word.ends_with("at") };
                Ok(NewLifetime::Until(future(name, notation, self.argument)?))
            }
        }
    }
}

/// The comparison that one of the four words and its argument ask for.
pub(super) fn comparison(word: &str, argument: &[u8]) -> Result<Comparison, Value> {
    match word {
        "ifeq" => Ok(Comparison::Equal(arguments::value(argument)?)),
        "ifne" => Ok(Comparison::Different(arguments::value(argument)?)),
        "ifdeq" => Ok(Comparison::DigestEqual(digest(argument)?)),
        "ifdne" => Ok(Comparison::DigestDifferent(digest(argument)?)),
        _ => Err(Value::error("Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE")),
    }
}

fn digest(argument: &[u8]) -> Result<u64, Value> {
    let is_digest = argument.len() == 16 && argument.iter().all(u8::is_ascii_hexdigit);
    let text = std::str::from_utf8(argument).ok().filter(|_| is_digest);
    text.and_then(|text| u64::from_str_radix(text, 16).ok())
        .ok_or_else(|| Value::error("must be exactly 16 hexadecimal characters"))
}

/// A moment that has to lie ahead of zero: every option's, but not EXPIRE's.
pub(super) fn future(name: &str, notation: Notation, argument: &[u8]) -> Result<Moment, Value> {
    let number = arguments::integer(argument)?;
    if number <= 0 {
        return Err(invalid_time(name));
    }
    moment(name, notation, number)
}

/// The moment that a number stands for. What is before zero is past, whenever exactly.
pub(super) fn moment(name: &str, notation: Notation, number: i64) -> Result<Moment, Value> {
    let milliseconds = number.checked_mul(if notation.in_seconds { 1000 } else { 1 });
    let milliseconds = milliseconds.filter(|span| notation.since_1970 || *span <= SPAN_MAX);
    let milliseconds = milliseconds.ok_or_else(|| invalid_time(name))?;
    Ok(match u64::try_from(milliseconds) {
        Ok(milliseconds) if !notation.since_1970 => Moment::After(milliseconds),
        Ok(milliseconds) => Moment::At(WallClock(milliseconds)),
        Err(_) => Moment::At(WallClock(0)),
    })
}

fn invalid_time(name: &str) -> Value {
    Value::error(&format!("invalid expire time in '{name}' command"))
}
