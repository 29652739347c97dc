//! Spoils bytes, in the ways in which bytes go bad and in those that people think of who mean harm.

use quorate::limits::{
    FRAME_BYTES_MAX, RESP_ARGUMENTS_MAX, RESP_LINE_BYTES_MAX, RESP_REQUEST_BYTES_MAX, VALUE_BYTES_MAX,
};
use quorate::prng::Prng;

/// What is spoiled does not grow beyond this, or twice what it was.
const SPOILED_BYTES_MAX: usize = 4 << 10;

/// Bytes that mean something to one of the parsers.
const TELLING: &[u8] = b"\r\n \t\0\x01\x7f\x80\xff*$+-:_,#!=(%~>|{}[]\"'\\,.0123456789eEuxnX";

/// Where programs count wrong: at zero, at the widths of integers, at our own limits.
const NUMBERS: [u64; 24] = [
    0,
    1,
    2,
    7,
    8,
    0x7f,
    0xff,
    0x100,
    STRANGER_BYTES,
    STRANGER_BYTES + 1,
    0xffff,
    RESP_LINE_BYTES_MAX as u64,
    RESP_LINE_BYTES_MAX as u64 + 1,
    RESP_ARGUMENTS_MAX as u64,
    VALUE_BYTES_MAX as u64 + 1,
    RESP_REQUEST_BYTES_MAX as u64,
    FRAME_BYTES_MAX as u64,
    FRAME_BYTES_MAX as u64 + 1,
    1 << 31,
    u32::MAX as u64,
    1 << 32,
    1 << 63,
    (1 << 63) - 1,
    u64::MAX,
];

/// What a node believes of somebody who has not said hello.
const STRANGER_BYTES: u64 = 1 << 10;

/// A source of bad luck. Equal seeds have equal luck.
pub(crate) struct Mutator {
    pub(crate) prng: Prng,
}

impl Mutator {
    pub(crate) fn new(seed: u64) -> Mutator {
        Mutator { prng: Prng::new(seed) }
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.prng.place(bound)
    }

    /// One of these.
    pub(crate) fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    /// True once in so many times.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// Spoils bytes in one way, often, or in several; `other` is what may get mixed in.
    pub(crate) fn spoil(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        let bytes_max = SPOILED_BYTES_MAX.max(2 * bytes.len());
        for _ in 0..=self.below(6).saturating_sub(2) {
            self.spoil_once(bytes, other);
            bytes.truncate(bytes_max);
        }
    }

    fn spoil_once(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        match self.below(16) {
            0..=2 => self.flip(bytes),
            3 => self.set(bytes),
            4 | 5 => self.put_number(bytes),
            6 | 7 => self.write_number(bytes),
            8 => self.cut_short(bytes),
            9 => self.repeat(bytes),
            10 => self.leave_out(bytes),
            11 => self.splice(bytes, other),
            12 => self.graft(bytes, other),
            13 => self.insert(bytes),
            14 => self.overwrite(bytes),
            _ => self.swap(bytes),
        }
    }

    /// A random part of so many bytes, mostly a short one.
    fn part(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        let most = (length - start).min(*self.pick(&[4, 16, 64, usize::MAX]));
        start..start + self.below(most + 1)
    }

    fn flip(&mut self, bytes: &mut [u8]) {
        if !bytes.is_empty() {
            let bit = self.below(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }

    fn set(&mut self, bytes: &mut [u8]) {
        if !bytes.is_empty() {
            let place = self.below(bytes.len());
            bytes[place] = *self.pick(TELLING);
        }
    }

    /// Puts an integer in the place of two, four or eight bytes.
    fn put_number(&mut self, bytes: &mut [u8]) {
        let width = *self.pick(&[2, 4, 4, 8, 8]);
        if bytes.len() >= width {
            let number = self.number();
            // Fields tend to be aligned.
            let step = *self.pick(&[1, 4]);
            let place = self.below((bytes.len() - width) / step + 1) * step;
            bytes[place..place + width].copy_from_slice(&number.to_le_bytes()[..width]);
        }
    }

    fn number(&mut self) -> u64 {
        let number = *self.pick(&NUMBERS);
        match self.below(8) {
            0 => self.prng.next_u64(),
            1 => number.wrapping_sub(1),
            2 => number.wrapping_add(1),
            _ => number,
        }
    }

    /// Writes an integer in the place of some digits.
    fn write_number(&mut self, bytes: &mut Vec<u8>) {
        let from = self.below(bytes.len() + 1);
        let Some(start) = bytes[from..].iter().position(u8::is_ascii_digit) else { return };
        let start = from + start;
        let length = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = self.number();
        let text = match self.below(10) {
            0 => format!("-{number}"),
            1 => format!("+{number}"),
            2 => format!("0{number}"),
            3 => String::new(),
            4 => "-1".to_owned(),
            _ => number.to_string(),
        };
        bytes.splice(start..start + length, text.bytes());
    }

    fn cut_short(&mut self, bytes: &mut Vec<u8>) {
        let length = self.below(bytes.len() + 1);
        bytes.truncate(length);
    }

    fn repeat(&mut self, bytes: &mut Vec<u8>) {
        let part = self.part(bytes.len());
        let times = *self.pick(&[1, 1, 1, 2, 12]);
        let repeated = bytes[part.clone()].repeat(times);
        bytes.splice(part.end..part.end, repeated);
    }

    fn leave_out(&mut self, bytes: &mut Vec<u8>) {
        let part = self.part(bytes.len());
        bytes.drain(part);
    }

    /// The beginning of one, the end of the other.
    fn splice(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        self.cut_short(bytes);
        let from = self.below(other.len() + 1);
        bytes.extend_from_slice(&other[from..]);
    }

    /// A piece of the other somewhere in the middle.
    fn graft(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        let piece = self.part(other.len());
        let place = self.below(bytes.len() + 1);
        let end = if self.once_in(2) { place } else { (place + piece.len()).min(bytes.len()) };
        bytes.splice(place..end, other[piece].iter().copied());
    }

    fn insert(&mut self, bytes: &mut Vec<u8>) {
        let place = self.below(bytes.len() + 1);
        let fresh = self.some_bytes(16);
        bytes.splice(place..place, fresh);
    }

    fn overwrite(&mut self, bytes: &mut [u8]) {
        let part = self.part(bytes.len());
        let zeros = self.once_in(3);
        for byte in &mut bytes[part] {
            *byte = if zeros { 0 } else { self.byte() };
        }
    }

    fn swap(&mut self, bytes: &mut [u8]) {
        let (one, two) = (self.part(bytes.len()), self.part(bytes.len()));
        for (one, two) in one.zip(two) {
            bytes.swap(one, two);
        }
    }

    /// Up to so many bytes out of nowhere.
    pub(crate) fn some_bytes(&mut self, count_max: usize) -> Vec<u8> {
        (0..=self.below(count_max)).map(|_| self.byte()).collect()
    }

    fn byte(&mut self) -> u8 {
        if self.once_in(2) { *self.pick(TELLING) } else { self.prng.next_u64().to_le_bytes()[0] }
    }
}
