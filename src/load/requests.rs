//! Requests as bytes, and the values in them.
//!
//! Everything about a request that does not change is put together once; what is left is a key's digits and
//! a value's bytes. Values are cut from one long text at a place that the value's number decides. In a
//! load that is checked a value begins with its number, so no two are equal, and what a server gives back can
//! be held against what was written, byte by byte.

use super::plan::{Kind, Plan, ValueSize};
use crate::prng::Prng;
use crate::resp::number::format_u64;

/// Digits of a key.
const DIGITS: usize = 12;

/// Digits that a value begins with when it is to be told from all others.
pub(crate) const STAMP_BYTES: usize = 16;

/// Values begin at so many places of the text.
const PLACES: usize = 4096;

/// What values are made of; no byte needs an escape wherever it is shown.
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.";

/// Writes requests.
#[derive(Debug)]
pub(super) struct Requests {
    /// Of each kind, everything before the digits of its key.
    heads: [Vec<u8>; Kind::ALL.len()],
    prefixes: [String; Kind::ALL.len()],
    values: Values,
    /// What comes between key and value if all values have one length.
    middle: Vec<u8>,
}

impl Requests {
    pub(super) fn new(plan: &Plan) -> Requests {
        let prefixes = Kind::ALL.map(|kind| prefix(kind, &plan.prefix));
        let heads = Kind::ALL.map(|kind| head(kind, prefixes[kind.place()].len() + DIGITS, &prefixes));
        let mut middle = Vec::new();
        append_middle(plan.value.high, &mut middle);
        Requests { heads, prefixes, values: Values::new(plan.value, plan.is_checked, plan.seed), middle }
    }

    /// Appends a request. `number` names the value that a write writes.
    pub(super) fn append(&self, kind: Kind, key: u32, number: u64, buffer: &mut Vec<u8>) {
        buffer.extend_from_slice(&self.heads[kind.place()]);
        match kind {
            Kind::Ping => {}
            Kind::Get | Kind::Incr => {
                buffer.extend_from_slice(&digits(key));
                buffer.extend_from_slice(b"\r\n");
            }
            Kind::Set => {
                buffer.extend_from_slice(&digits(key));
                if self.values.size.low == self.values.size.high {
                    buffer.extend_from_slice(&self.middle);
                } else {
                    append_middle(self.values.length(number), buffer);
                }
                self.values.append(number, buffer);
                buffer.extend_from_slice(b"\r\n");
            }
        }
    }

    /// A key as the server knows it.
    pub(super) fn key(&self, kind: Kind, key: u32) -> Vec<u8> {
        [self.prefixes[kind.place()].as_bytes(), &digits(key)].concat()
    }

    /// The number of a value that a server has given back, if it is one of ours, whole and unchanged.
    pub(super) fn number_of(&self, value: &[u8]) -> Option<u64> {
        self.values.number_of(value)
    }
}

/// What keys begin with. Values and counters must not get in each other's way.
fn prefix(kind: Kind, plans: &str) -> String {
    match kind {
        Kind::Set | Kind::Get => format!("{plans}key:"),
        Kind::Incr => format!("{plans}counter:"),
        Kind::Ping => String::new(),
    }
}

fn head(kind: Kind, key_bytes: usize, prefixes: &[String]) -> Vec<u8> {
    let words = match kind {
        Kind::Set => 3,
        Kind::Get | Kind::Incr => 2,
        Kind::Ping => return b"*1\r\n$4\r\nPING\r\n".to_vec(),
    };
    let name = kind.name().to_uppercase();
    let prefix = &prefixes[kind.place()];
    format!("*{words}\r\n${}\r\n{name}\r\n${key_bytes}\r\n{prefix}", name.len()).into_bytes()
}

/// The end of a key and the beginning of a value.
fn append_middle(length: usize, buffer: &mut Vec<u8>) {
    buffer.extend_from_slice(b"\r\n$");
    format_u64(length as u64, buffer);
    buffer.extend_from_slice(b"\r\n");
}

/// A key's number, always as long.
fn digits(key: u32) -> [u8; DIGITS] {
    let mut digits = [b'0'; DIGITS];
    let mut rest = key;
    for digit in digits.iter_mut().rev() {
        if rest == 0 {
            break;
        }
        *digit += u8::try_from(rest % 10).expect("a digit is small");
        rest /= 10;
    }
    digits
}

#[derive(Debug)]
struct Values {
    size: ValueSize,
    is_stamped: bool,
    text: Vec<u8>,
}

impl Values {
    fn new(size: ValueSize, is_stamped: bool, seed: u64) -> Values {
        let mut prng = Prng::new(seed);
        let letter = |_| LETTERS[usize::try_from(prng.below(64)).expect("it is below 64")];
        Values { size, is_stamped, text: (0..size.high + PLACES).map(letter).collect() }
    }

    fn length(&self, number: u64) -> usize {
        let span = (self.size.high - self.size.low) as u64;
        if span == 0 {
            return self.size.low;
        }
        self.size.low + usize::try_from(Prng::new(number).below(span + 1)).expect("a length is small")
    }

    fn append(&self, number: u64, buffer: &mut Vec<u8>) {
        let mut length = self.length(number);
        if self.is_stamped {
            buffer.extend_from_slice(&stamp(number));
            length -= STAMP_BYTES;
        }
        buffer.extend_from_slice(self.filling(number, length));
    }

    fn filling(&self, number: u64, length: usize) -> &[u8] {
        let place = usize::try_from(number % PLACES as u64).expect("it is below the number of places");
        &self.text[place..place + length]
    }

    fn number_of(&self, value: &[u8]) -> Option<u64> {
        let (head, filling) = value.split_first_chunk::<STAMP_BYTES>()?;
        let number = u64::from_str_radix(str::from_utf8(head).ok()?, 16).ok()?;
        let is_whole = *head == stamp(number) && value.len() == self.length(number);
        (is_whole && filling == self.filling(number, filling.len())).then_some(number)
    }
}

/// A value's number in the form that values begin with.
pub(super) fn stamp(number: u64) -> [u8; STAMP_BYTES] {
    let mut stamp = [0; STAMP_BYTES];
    let mut rest = number;
    for digit in stamp.iter_mut().rev() {
        *digit = b"0123456789abcdef"[usize::try_from(rest % 16).expect("a digit is small")];
        rest /= 16;
    }
    stamp
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::tests::plan;
    use crate::resp::{Bounds, RequestParser};

    fn words(bytes: &[u8]) -> Vec<String> {
        let mut parser = RequestParser::new();
        let step = parser.parse(bytes, &Bounds::default()).unwrap();
        let request = step.request.expect("it is whole");
        request.iter().map(|word| String::from_utf8(word.to_vec()).unwrap()).collect()
    }

    #[test]
    fn requests_are_what_a_server_understands() {
        let requests = Requests::new(&plan(&[]));
        let written = |kind, key, number| {
            let mut bytes = Vec::new();
            requests.append(kind, key, number, &mut bytes);
            words(&bytes)
        };
        assert_eq!(written(Kind::Ping, 1, 1), ["PING"]);
        assert_eq!(written(Kind::Get, 42, 1), ["GET", "key:000000000042"]);
        assert_eq!(written(Kind::Incr, u32::MAX, 1), ["INCR", "counter:004294967295"]);
        let set = written(Kind::Set, 7, 5);
        assert_eq!((set[0].as_str(), set[1].as_str(), set[2].len()), ("SET", "key:000000000007", 32));
        assert_eq!(requests.key(Kind::Set, 7), b"key:000000000007");
    }

    #[test]
    fn a_stamped_value_is_known_again_and_a_changed_one_is_not() {
        let size = ValueSize { low: STAMP_BYTES, high: 100 };
        let values = Values::new(size, true, 1);
        let mut lengths = std::collections::BTreeSet::new();
        for number in 0..1_000 {
            let mut value = Vec::new();
            values.append(number, &mut value);
            lengths.insert(value.len());
            assert_eq!(values.number_of(&value), Some(number));
            value.push(b'x');
            assert_eq!(values.number_of(&value), None, "longer");
            value.pop();
            let last = value.len() - 1;
            value[last] ^= 1;
            assert_ne!(values.number_of(&value), Some(number), "changed");
        }
        assert_eq!((lengths.first(), lengths.last()), (Some(&STAMP_BYTES), Some(&100)));
        assert_eq!(values.number_of(b"short"), None);
    }
}
