//! The blocks of an image, as bytes. The format is in the module's essay.

use crate::bounded;
use crate::codec::Garbage;
use crate::kv::command::{ClientId, Token, WallClock};
use crate::kv::entry::Entry;
use crate::kv::key::Key;
use crate::kv::operation::Revision;
use crate::kv::value::Value;
use crate::limits::REPLY_DEPTH_MAX;

const KIND_HEAD: u8 = 1;
const KIND_KEYS: u8 = 2;
const KIND_ANSWERS: u8 = 3;

const VALUE_OKAY: u8 = 0;
const VALUE_NIL: u8 = 1;
const VALUE_INTEGER: u8 = 2;
const VALUE_BYTES: u8 = 3;
const VALUE_TEXT: u8 = 4;
const VALUE_ERROR: u8 = 5;
const VALUE_ARRAY: u8 = 6;

/// What comes before the bytes of a key and its value: the lengths of both, the revision, the end.
const KEY_NUMBERS_BYTES: usize = 24;

/// Room that a block claims before it is known how long it gets.
const CLAIMED_BYTES_MAX: usize = 1 << 20;

/// What is written down at the moment that an image shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::kv) struct Head {
    pub(in crate::kv) keys: u64,
    pub(in crate::kv) answers: u64,
    pub(in crate::kv) clock: WallClock,
    pub(in crate::kv) revision: Revision,
    /// The store's.
    pub(in crate::kv) digest: u64,
}

impl Head {
    fn numbers(self) -> [u64; 5] {
        [self.keys, self.answers, self.clock.0, self.revision.0, self.digest]
    }

    /// The block that holds it.
    pub(in crate::kv) fn block(self) -> Vec<u8> {
        let mut block = vec![KIND_HEAD];
        block.extend(self.numbers().map(u64::to_le_bytes).as_flattened());
        block
    }
}

/// A block in the making.
#[derive(Clone, Debug)]
pub(in crate::kv) struct Block {
    bytes: Vec<u8>,
    bytes_wanted: usize,
}

impl Block {
    pub(in crate::kv) fn of_keys(bytes_wanted: usize) -> Block {
        Block::new(KIND_KEYS, bytes_wanted)
    }

    pub(in crate::kv) fn of_answers(bytes_wanted: usize) -> Block {
        Block::new(KIND_ANSWERS, bytes_wanted)
    }

    fn new(kind: u8, bytes_wanted: usize) -> Block {
        let mut bytes = Vec::with_capacity(bytes_wanted.min(CLAIMED_BYTES_MAX) + 256);
        bytes.push(kind);
        Block { bytes, bytes_wanted }
    }

    /// Adds a key. Answers whether there is room for more; so does the other.
    pub(in crate::kv) fn key(&mut self, key: &Key, entry: &Entry) -> bool {
        let (key, value) = (key.as_bytes(), entry.value());
        let mut numbers = [0; KEY_NUMBERS_BYTES];
        numbers[..4].copy_from_slice(&length(key.len()).to_le_bytes());
        numbers[4..8].copy_from_slice(&length(value.len()).to_le_bytes());
        numbers[8..16].copy_from_slice(&entry.revision().0.to_le_bytes());
        numbers[16..].copy_from_slice(&entry.end().map_or(0, |end| end.0).to_le_bytes());
        self.bytes.reserve(numbers.len() + key.len() + value.len());
        self.bytes.extend_from_slice(&numbers);
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
        self.has_room()
    }

    /// Adds an answer.
    pub(in crate::kv) fn answer(
        &mut self,
        place: u64,
        client: ClientId,
        token: &Token,
        values: &[Value],
    ) -> bool {
        self.number(place);
        self.number(client.0);
        self.length(token.0.len());
        self.length(values.len());
        self.bytes.extend(token.0.as_bytes());
        values.iter().for_each(|value| self.value(value));
        self.has_room()
    }

    fn has_room(&self) -> bool {
        self.bytes.len() < self.bytes_wanted
    }

    /// The bytes, if they say anything.
    pub(in crate::kv) fn finish(self) -> Option<Vec<u8>> {
        (self.bytes.len() > 1).then_some(self.bytes)
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Okay => self.bytes.push(VALUE_OKAY),
            Value::Nil => self.bytes.push(VALUE_NIL),
            Value::Integer(number) => {
                self.bytes.push(VALUE_INTEGER);
                self.bytes.extend(number.to_le_bytes());
            }
            Value::Bytes(bytes) => self.piece(VALUE_BYTES, bytes),
            Value::Text(text) => self.piece(VALUE_TEXT, text.as_bytes()),
            Value::Error(text) => self.piece(VALUE_ERROR, text.as_bytes()),
            Value::Array(values) => {
                self.bytes.push(VALUE_ARRAY);
                self.length(values.len());
                values.iter().for_each(|value| self.value(value));
            }
        }
    }

    fn piece(&mut self, kind: u8, bytes: &[u8]) {
        self.bytes.push(kind);
        self.length(bytes.len());
        self.bytes.extend(bytes);
    }

    fn length(&mut self, bytes: usize) {
        self.bytes.extend(length(bytes).to_le_bytes());
    }

    fn number(&mut self, number: u64) {
        self.bytes.extend(number.to_le_bytes());
    }
}

/// A length as it is written.
fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("nothing in the store is that long")
}

/// What a block turned out to be.
pub(super) enum Content<'a> {
    Head(Head),
    Keys(Reader<'a>),
    Answers(Reader<'a>),
}

impl<'a> Content<'a> {
    pub(super) fn of(block: &'a [u8]) -> Result<Content<'a>, Garbage> {
        let (kind, rest) = block.split_first().ok_or(Garbage)?;
        let mut reader = Reader(rest);
        match *kind {
            KIND_HEAD => {
                let head = reader.head()?;
                if reader.is_empty() { Ok(Content::Head(head)) } else { Err(Garbage) }
            }
            KIND_KEYS => Ok(Content::Keys(reader)),
            KIND_ANSWERS => Ok(Content::Answers(reader)),
            _ => Err(Garbage),
        }
    }
}

/// The rest of a block. Nothing is claimed for what a length says before the bytes are there.
pub(super) struct Reader<'a>(&'a [u8]);

/// An answer as an image has it.
pub(super) struct AnswerRead {
    pub(super) place: u64,
    pub(super) client: ClientId,
    pub(super) token: Token,
    pub(super) values: Vec<Value>,
}

impl Reader<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn head(&mut self) -> Result<Head, Garbage> {
        Ok(Head {
            keys: self.number()?,
            answers: self.number()?,
            clock: WallClock(self.number()?),
            revision: Revision(self.number()?),
            digest: self.number()?,
        })
    }

    pub(super) fn key(&mut self) -> Result<(Key, Entry), Garbage> {
        let (key_bytes, value_bytes) = (self.length()?, self.length()?);
        let revision = Revision(self.number()?);
        let end = Some(WallClock(self.number()?)).filter(|end| end.0 > 0);
        let key = Key::new(self.take(key_bytes)?);
        let value = self.take(value_bytes)?.into();
        let entry = Entry::new(&key, value, end, revision);
        Ok((key, entry))
    }

    pub(super) fn answer(&mut self) -> Result<AnswerRead, Garbage> {
        let (place, client) = (self.number()?, ClientId(self.number()?));
        let (token_bytes, values) = (self.length()?, self.length()?);
        let token = Token(self.text(token_bytes)?);
        bounded::begin_value();
        let values = self.values(values, REPLY_DEPTH_MAX)?;
        Ok(AnswerRead { place, client, token, values })
    }

    /// As many values as announced, if the bytes can hold them: each takes at least one.
    fn values(&mut self, count: usize, depth_max: usize) -> Result<Vec<Value>, Garbage> {
        if count > self.0.len() {
            return Err(Garbage);
        }
        (0..count).map(|_| self.value(depth_max)).collect()
    }

    fn value(&mut self, depth_max: usize) -> Result<Value, Garbage> {
        if !bounded::claim(size_of::<Value>()) {
            return Err(Garbage);
        }
        match self.array::<1>()? {
            [VALUE_OKAY] => Ok(Value::Okay),
            [VALUE_NIL] => Ok(Value::Nil),
            [VALUE_INTEGER] => Ok(Value::Integer(i64::from_le_bytes(self.array()?))),
            [VALUE_BYTES] => {
                let length = self.length()?;
                Ok(Value::Bytes(self.take(length)?.into()))
            }
            [VALUE_TEXT] => {
                let length = self.length()?;
                Ok(Value::Text(self.text(length)?))
            }
            [VALUE_ERROR] => {
                let length = self.length()?;
                Ok(Value::Error(self.text(length)?))
            }
            [VALUE_ARRAY] => {
                let count = self.length()?;
                let depth_max = depth_max.checked_sub(1).ok_or(Garbage)?;
                Ok(Value::Array(self.values(count, depth_max)?))
            }
            _ => Err(Garbage),
        }
    }

    fn text(&mut self, length: usize) -> Result<Box<str>, Garbage> {
        std::str::from_utf8(self.take(length)?).map(Box::from).map_err(|_| Garbage)
    }

    fn length(&mut self) -> Result<usize, Garbage> {
        usize::try_from(u32::from_le_bytes(self.array()?)).map_err(|_| Garbage)
    }

    fn number(&mut self) -> Result<u64, Garbage> {
        self.array().map(u64::from_le_bytes)
    }

    fn array<const COUNT: usize>(&mut self) -> Result<[u8; COUNT], Garbage> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Garbage)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn take(&mut self, count: usize) -> Result<&[u8], Garbage> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Garbage)?;
        self.0 = rest;
        Ok(taken)
    }
}
