//! A load generator for any server of the Redis protocol: ours, Redis, or another.
//!
//! It shares the machine with the servers that it measures, so it has to be cheap: one thread, one event
//! loop, one read and one write for all the requests that a connection has at a time, requests put together
//! in advance as far as they can be, answers looked at where they lie, and no allocation in between.
//!
//! Two ways to ask, and they measure different things. In a *closed loop* a connection asks again when it
//! has its answers. That shows what a server can do at most, but a server that stands still for a second is
//! asked nothing in that second, and the histogram shows one long latency where a thousand users would
//! have had one (*coordinated omission*). In an *open loop* every request has its time, and its latency
//! counts from then, whether a connection had room for it or not.
//!
//! Nothing is asked twice. Whatever was sent is counted in exactly one place ([`Figures`]), so "no request
//! was lost" can be read from the sum. A lost connection is opened anew; what was on it is unknown.
//!
//! With a check, everything that was asked about keys is remembered and judged by [`crate::check`] at the
//! end, filling and warming up included. Its keys are its own, with a prefix that nobody has used before,
//! and no value is written twice.
//!
//! 1. `plan.rs`: what a load consists of. `keys.rs`: which keys. `requests.rs`: its bytes.
//! 2. `line.rs`: a connection.
//! 3. `work.rs`: what is asked next, and what became of it; `figures.rs` counts, `history.rs` remembers.
//! 4. `driver.rs`: the event loop; `alarm.rs`: an exact timer for it.
//!
//! Missing: more than one thread (a server on two cores cannot keep one of these busy), TLS, passwords,
//! commands with several keys, redirections of a Redis Cluster.

mod alarm;
mod driver;
mod figures;
mod history;
mod keys;
mod line;
mod plan;
mod processor;
mod requests;
mod work;

use std::fmt;
use std::io;
use std::time::Duration;

use crate::net::Address;

pub use driver::run;
pub use figures::{Figures, KindFigures, Refusal};
pub use history::{Checked, Judgement};
pub use keys::Distribution;
pub use plan::{End, Kind, Mix, Pace, Plan, ValueSize};
pub(crate) use requests::STAMP_BYTES;
pub use work::Stage;

/// What a load has shown.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Everything that counts.
    pub figures: Figures,
    /// From the beginning of the measurement to the last answer.
    pub measured: Duration,
    /// Keys that were to be filled and perhaps were not.
    pub unfilled: u64,
    /// Requests of an open loop whose time passed without any connection having room for them.
    pub unsent: u64,
    /// Connections that were lost, each time counted.
    pub lost_connections: u64,
    /// Why the first of them was.
    pub first_loss: Option<String>,
    /// Whether it ended before its time: somebody stopped it, or a check could remember no more.
    pub is_cut_short: bool,
    /// Whether no connection was left.
    pub is_abandoned: bool,
    /// The time that this thread ran on a processor while it measured.
    pub processor: Option<Duration>,
    /// What a check has found.
    pub checked: Option<Checked>,
}

/// How it is going.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Since the start.
    pub at: Duration,
    /// Where it is.
    pub stage: Stage,
    /// Answers so far, of every stage and kind.
    pub answers: u64,
    /// Of these, errors.
    pub errors: u64,
    /// Requests without an answer.
    pub in_flight: usize,
    /// Connections that are up.
    pub connections: usize,
}

/// Why a load could not be carried out.
#[derive(Debug)]
pub enum LoadError {
    /// A connection did not come up in the beginning, or not to a server of the Redis protocol.
    Connect {
        /// Where to.
        address: Address,
        /// Why.
        why: String,
    },
    /// Some connections were not up in time.
    Patience {
        /// How many.
        missing: usize,
    },
    /// The event loop has failed.
    Loop(io::Error),
}

impl fmt::Display for LoadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::Connect { address, why } => write!(formatter, "cannot work with {address}: {why}"),
            LoadError::Patience { missing } => {
                write!(formatter, "{missing} connections did not come up; does the server take so many?")
            }
            LoadError::Loop(error) => write!(formatter, "cannot wait for sockets: {error}"),
        }
    }
}

impl std::error::Error for LoadError {}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small plan for tests; each word changes something.
    pub(super) fn plan(words: &[&str]) -> Plan {
        Plan {
            addresses: Vec::new(),
            clients: 1,
            pipeline: 1,
            mix: "set".parse().unwrap(),
            keys: 10,
            prefix: String::new(),
            distribution: Distribution::Uniform,
            value: "32".parse().unwrap(),
            pace: Pace::Closed,
            end: End::Requests(10),
            warmup: Duration::ZERO,
            seed: 1,
            is_filled: words.contains(&"fill"),
            is_checked: words.contains(&"check"),
        }
    }
}
