//! What is counted.
//!
//! Every request that was sent is in the end in exactly one place: answered, refused, uncertain, failed or
//! unknown. Latencies are those of answers only: a refusal is quick, and would flatter.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use super::plan::Kind;

/// Different codes of errors that are told apart; further ones share a name.
const CODES_MAX: usize = 32;

/// Their name.
const OTHERS: &str = "(others)";

/// The longest latency that is told apart from longer ones, in nanoseconds: ten minutes.
const LATENCY_MAX: u64 = 600_000_000_000;

/// Digits of a latency that are kept.
const LATENCY_DIGITS: u8 = 3;

/// What an error says about its request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Nothing was done, and it may well be asked again.
    Retryable,
    /// It may have been done.
    Uncertain,
    /// Anything else.
    Failed,
}

impl Refusal {
    /// Goes by the code that an error begins with: ours, and those of Redis and its kin.
    pub(super) fn of(code: &[u8]) -> Refusal {
        match code {
            b"TRYAGAIN" | b"CLUSTERDOWN" | b"MISCONF" | b"BUSY" | b"LOADING" | b"MASTERDOWN"
            | b"NOREPLICAS" | b"NOLEADER" | b"NOCLUSTER" => Refusal::Retryable,
            b"UNCERTAIN" | b"TIMEOUT" => Refusal::Uncertain,
            _ => Refusal::Failed,
        }
    }
}

/// Of one kind of request.
#[derive(Clone, Debug)]
pub struct KindFigures {
    /// Were sent.
    pub sent: u64,
    /// Of these, were answered as such a request should be.
    pub answered: u64,
    /// Of these, were answered with no value.
    pub missed: u64,
    /// From the sending, or from the time when it should have been sent, to the answer, in nanoseconds.
    pub latency: Histogram<u64>,
}

/// Of everything that counts.
#[derive(Clone, Debug)]
pub struct Figures {
    /// Of each kind, in the order of [`Kind::ALL`].
    pub kinds: [KindFigures; Kind::ALL.len()],
    /// Answered with an error: nothing was done.
    pub refused: u64,
    /// Answered with an error: it may have been done.
    pub uncertain: u64,
    /// Answered with any other error, or with what is no answer to such a request.
    pub failed: u64,
    /// Not answered: the connection was lost first.
    pub unknown: u64,
    /// How often each code of an error came.
    pub codes: BTreeMap<String, u64>,
    /// From the time when a request should have been sent to its sending, in nanoseconds.
    pub lateness: Histogram<u64>,
}

impl Default for Figures {
    fn default() -> Figures {
        let kind = KindFigures { sent: 0, answered: 0, missed: 0, latency: histogram() };
        Figures {
            kinds: [kind.clone(), kind.clone(), kind.clone(), kind],
            refused: 0,
            uncertain: 0,
            failed: 0,
            unknown: 0,
            codes: BTreeMap::new(),
            lateness: histogram(),
        }
    }
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_max(LATENCY_MAX, LATENCY_DIGITS).expect("the bounds make sense")
}

impl Figures {
    pub(super) fn sent(&mut self, kind: Kind) {
        self.kinds[kind.place()].sent += 1;
    }

    pub(super) fn answered(&mut self, kind: Kind, nanoseconds: u64, is_missing: bool) {
        let figures = &mut self.kinds[kind.place()];
        figures.answered += 1;
        figures.missed += u64::from(is_missing);
        figures.latency.saturating_record(nanoseconds);
    }

    pub(super) fn refused(&mut self, code: &[u8]) {
        match Refusal::of(code) {
            Refusal::Retryable => self.refused += 1,
            Refusal::Uncertain => self.uncertain += 1,
            Refusal::Failed => self.failed += 1,
        }
        let name = String::from_utf8_lossy(code);
        let is_known = self.codes.len() < CODES_MAX || self.codes.contains_key(name.as_ref());
        *self.codes.entry(if is_known { name.into_owned() } else { OTHERS.to_owned() }).or_default() += 1;
    }

    /// Requests of all kinds that were sent.
    pub fn sent_in_all(&self) -> u64 {
        self.kinds.iter().map(|kind| kind.sent).sum()
    }

    /// Requests of all kinds that were answered as they should be.
    pub fn answered_in_all(&self) -> u64 {
        self.kinds.iter().map(|kind| kind.answered).sum()
    }

    /// Requests of which it is known what became of them, or that it is not.
    pub fn accounted_for(&self) -> u64 {
        self.answered_in_all() + self.refused + self.uncertain + self.failed + self.unknown
    }

    /// The latencies of all kinds together.
    pub fn latency(&self) -> Histogram<u64> {
        let mut all = histogram();
        for kind in &self.kinds {
            all += &kind.latency;
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_is_counted_in_one_place() {
        let mut figures = Figures::default();
        (0..5).for_each(|_| figures.sent(Kind::Get));
        figures.answered(Kind::Get, 1_000, true);
        for code in [&b"TRYAGAIN"[..], b"UNCERTAIN", b"ERR"] {
            figures.refused(code);
        }
        figures.unknown += 1;
        assert_eq!((figures.refused, figures.uncertain, figures.failed), (1, 1, 1));
        assert_eq!((figures.sent_in_all(), figures.accounted_for()), (5, 5));
        assert_eq!(figures.latency().len(), 1, "an error has no latency");
        assert_eq!(figures.kinds[Kind::Get.place()].missed, 1);
    }

    #[test]
    fn a_server_that_invents_codes_fills_no_memory() {
        let mut figures = Figures::default();
        (0..1_000).for_each(|number| figures.refused(format!("E{number}").as_bytes()));
        assert_eq!(figures.codes.len(), CODES_MAX + 1);
        assert_eq!(figures.codes[OTHERS], 1_000 - CODES_MAX as u64);
    }
}
