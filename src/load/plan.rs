//! What a load consists of, and how it reads on a command line.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::keys::Distribution;
use crate::limits::VALUE_BYTES_MAX;
use crate::net::Address;

/// A load from beginning to end.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The servers; connections are spread over them.
    pub addresses: Vec<Address>,
    /// How many connections.
    pub clients: usize,
    /// Requests that a connection has on their way at most.
    pub pipeline: usize,
    /// What is asked for.
    pub mix: Mix,
    /// How many keys of each sort.
    pub keys: u32,
    /// What each key begins with.
    pub prefix: String,
    /// Which keys.
    pub distribution: Distribution,
    /// How long values are.
    pub value: ValueSize,
    /// When a request is sent.
    pub pace: Pace,
    /// When it is over.
    pub end: End,
    /// How long it goes on before anything counts.
    pub warmup: Duration,
    /// Equal seeds draw equal requests.
    pub seed: u64,
    /// Whether every key is written once before.
    pub is_filled: bool,
    /// Whether the answers are checked for linearizability.
    pub is_checked: bool,
}

/// When a request is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pace {
    /// When its connection has all its answers. A slow server is asked less.
    Closed,
    /// At its time, so many a second over all connections. Latency counts from that time, however long the
    /// request had to wait for its turn.
    Open {
        /// Requests a second.
        rate: u64,
    },
}

/// When a load is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// After so much time.
    After(Duration),
    /// After so many requests.
    Requests(u64),
}

/// What can be asked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// Writes a value.
    Set,
    /// Reads one.
    Get,
    /// Adds one to a counter.
    Incr,
    /// Asks for nothing.
    Ping,
}

impl Kind {
    /// All of them, in the order of their numbers.
    pub const ALL: [Kind; 4] = [Kind::Set, Kind::Get, Kind::Incr, Kind::Ping];

    /// As on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Set => "set",
            Kind::Get => "get",
            Kind::Incr => "incr",
            Kind::Ping => "ping",
        }
    }

    /// Its place in [`Kind::ALL`].
    pub(super) fn place(self) -> usize {
        self as usize
    }
}

/// How often each kind is asked, in relation to the others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mix {
    weights: [u32; Kind::ALL.len()],
}

/// Largest weight of a mix.
const WEIGHT_MAX: u32 = 1_000_000;

impl Mix {
    /// The sum of all weights, never zero.
    pub(super) fn total(&self) -> u64 {
        self.weights.iter().copied().map(u64::from).sum()
    }

    /// The kind that a number below the total stands for.
    pub(super) fn kind(&self, mut number: u64) -> Kind {
        for kind in Kind::ALL {
            match number.checked_sub(u64::from(self.weights[kind.place()])) {
                Some(rest) => number = rest,
                None => return kind,
            }
        }
        unreachable!("the number is below the total");
    }

    /// Whether a kind is in it.
    pub fn has(&self, kind: Kind) -> bool {
        self.weights[kind.place()] > 0
    }
}

impl FromStr for Mix {
    type Err = String;

    fn from_str(text: &str) -> Result<Mix, String> {
        let wrong = || {
            format!(
                "{text:?} is no mix; write it like set=1,get=9, with whole numbers up to {WEIGHT_MAX}, of \
                 set, get, incr and ping"
            )
        };
        let mut weights = [0; Kind::ALL.len()];
        for part in text.split(',') {
            let (name, weight) = part.split_once('=').unwrap_or((part, "1"));
            let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name.trim()).ok_or_else(wrong)?;
            let weight = weight.trim().parse().ok().filter(|weight| *weight <= WEIGHT_MAX);
            weights[kind.place()] = weight.ok_or_else(wrong)?;
        }
        let mix = Mix { weights };
        if mix.total() == 0 { Err(wrong()) } else { Ok(mix) }
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut gap = "";
        for kind in Kind::ALL.into_iter().filter(|kind| self.has(*kind)) {
            write!(formatter, "{gap}{}={}", kind.name(), self.weights[kind.place()])?;
            gap = ",";
        }
        Ok(())
    }
}

/// How long values are, in bytes: from one length to another, each as often.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ValueSize {
    /// The shortest.
    pub low: usize,
    /// The longest.
    pub high: usize,
}

impl FromStr for ValueSize {
    type Err = String;

    fn from_str(text: &str) -> Result<ValueSize, String> {
        let (low, high) = text.split_once('-').unwrap_or((text, text));
        match (low.parse(), high.parse()) {
            (Ok(low), Ok(high)) if low <= high && high <= VALUE_BYTES_MAX => Ok(ValueSize { low, high }),
            _ => Err(format!(
                "{text:?} is no size of values; write BYTES or LOW-HIGH, up to {VALUE_BYTES_MAX} bytes"
            )),
        }
    }
}

impl fmt::Display for ValueSize {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.low)?;
        if self.low == self.high { Ok(()) } else { write!(formatter, "-{}", self.high) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mix_is_read_shown_and_drawn_from() {
        let mix: Mix = "set=1, get=9".parse().unwrap();
        assert_eq!((mix.to_string().as_str(), mix.total()), ("set=1,get=9", 10));
        assert_eq!(mix.kind(0), Kind::Set);
        assert!((1..10).all(|number| mix.kind(number) == Kind::Get));
        assert_eq!("ping".parse::<Mix>().unwrap().kind(0), Kind::Ping);
        for text in ["", "put=1", "set=0", "set=-1", "set=x", "set=1,", "set=1000001"] {
            assert!(text.parse::<Mix>().unwrap_err().contains("write it like"), "{text:?}");
        }
    }

    #[test]
    fn a_size_is_one_or_a_range() {
        let size = |text: &str| text.parse::<ValueSize>().map(|size| (size.low, size.high));
        assert_eq!(size("32"), Ok((32, 32)));
        assert_eq!(size("16-4096"), Ok((16, 4096)));
        assert_eq!("16-4096".parse::<ValueSize>().unwrap().to_string(), "16-4096");
        for text in ["", "-", "9-8", "1-", "-5", "x", "99999999"] {
            assert!(size(text).is_err(), "{text:?}");
        }
    }
}
