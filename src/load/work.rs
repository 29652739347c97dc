//! What is asked next, and what became of it.
//!
//! A load has stages: connecting, filling, warming up, measuring, draining. Only what is asked while
//! measuring counts; it is then waited for, and what has no answer even so is unknown. In an open loop every
//! request has its time, and one belongs to the stage that its time belongs to, however late it leaves.

use std::time::Duration;

use super::figures::Figures;
use super::history::{History, Told};
use super::keys::Keys;
use super::line::Waiting;
use super::plan::{End, Kind, Pace, Plan};
use super::requests::Requests;
use crate::limits::LOAD_IN_FLIGHT_BYTES_MAX;
use crate::prng::Prng;
use crate::resp::ReplyView;

/// How long answers are waited for that are all that is missing, and how far behind its times an open loop
/// may be at the end, in nanoseconds.
pub(super) const PATIENCE: u64 = 10_000_000_000;

/// Requests on their way on each connection while keys are filled.
const FILL_PIPELINE: usize = 64;

/// What a request takes beside its value, in bytes.
const HEAD_BYTES: usize = 128;

/// How an answer that is none to such a request is counted.
const NONSENSE: &[u8] = b"(another type)";

/// Where a load is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Some connections have never been up.
    Connecting,
    /// Keys are written; the next is this.
    Filling {
        /// The next key.
        next: u32,
    },
    /// Nothing counts yet.
    Warming,
    /// Everything counts.
    Measuring,
    /// Nothing is asked any more.
    Draining {
        /// When what is missing is given up, in nanoseconds.
        until: u64,
    },
    /// Nothing is missing, or it has been given up.
    Over,
}

/// A request that is about to leave.
pub(super) struct Question {
    pub(super) kind: Kind,
    pub(super) key: u32,
    /// The name of the value that it writes.
    pub(super) number: u64,
    pub(super) waiting: Waiting,
}

/// The part of a load that knows no sockets.
#[derive(Debug)]
pub(super) struct Work<'p> {
    plan: &'p Plan,
    pub(super) requests: Requests,
    keys: Keys,
    prng: Prng,
    pub(super) stage: Stage,
    pub(super) figures: Figures,
    pub(super) history: Option<History>,
    /// Writes so far.
    written: u64,
    /// Requests without an answer.
    pub(super) in_flight: usize,
    /// Answers of any kind in any stage, and how many of them were errors.
    pub(super) answers: u64,
    pub(super) errors: u64,
    /// Keys that filling did not fill.
    pub(super) unfilled: u64,
    /// The time of the first request of the open loop, and how many have been sent.
    origin: u64,
    scheduled: u64,
    /// When measuring begins and ends, as far as that is known.
    began: u64,
    until: u64,
    /// Requests that may still be measured.
    left: u64,
    /// When the last measured answer came.
    pub(super) finished: u64,
    /// Requests of the open loop that never left.
    pub(super) unsent: u64,
    /// Whether it was ended before its time: by a person, or because no more can be remembered.
    pub(super) is_cut_short: bool,
}

impl<'p> Work<'p> {
    pub(super) fn new(plan: &'p Plan) -> Work<'p> {
        Work {
            plan,
            requests: Requests::new(plan),
            keys: Keys::new(plan.distribution, plan.keys),
            prng: Prng::new(plan.seed),
            stage: Stage::Connecting,
            figures: Figures::default(),
            history: plan.is_checked.then(History::new),
            written: 0,
            in_flight: 0,
            answers: 0,
            errors: 0,
            unfilled: 0,
            origin: 0,
            scheduled: 0,
            began: u64::MAX,
            until: u64::MAX,
            left: u64::MAX,
            finished: 0,
            unsent: 0,
            is_cut_short: false,
        }
    }

    /// How long it has been measured, until the last answer, in nanoseconds.
    pub(super) fn measured(&self) -> u64 {
        self.finished.saturating_sub(self.began)
    }

    /// Requests that a connection may have on its way now.
    pub(super) fn pipeline(&self) -> usize {
        if !matches!(self.stage, Stage::Filling { .. }) {
            return self.plan.pipeline;
        }
        let each = self.plan.clients * (self.plan.value.high + HEAD_BYTES);
        (LOAD_IN_FLIGHT_BYTES_MAX / each).clamp(1, FILL_PIPELINE)
    }

    /// Whether requests go by their times now.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.plan.pace, Pace::Open { .. }) && matches!(self.stage, Stage::Warming | Stage::Measuring)
    }

    /// When the next request of the open loop should leave, if there is one.
    pub(super) fn due(&self) -> Option<u64> {
        match self.plan.pace {
            Pace::Open { rate } if self.is_open() => {
                let after = u128::from(self.scheduled) * 1_000_000_000 / u128::from(rate);
                Some(self.origin + u64::try_from(after).expect("nothing runs for 500 years"))
                    .filter(|due| *due < self.until && self.left > 0)
            }
            _ => None,
        }
    }

    /// The next request of the open loop, if its time has come.
    pub(super) fn next_due(&mut self, client: usize, now: u64) -> Option<Question> {
        let due = self.due().filter(|due| *due <= now)?;
        self.scheduled += 1;
        let question = self.ask(client, due, now)?;
        if question.waiting.is_counted {
            self.figures.lateness.saturating_record(now - due);
        }
        Some(question)
    }

    /// The next request of the closed loop.
    pub(super) fn next(&mut self, client: usize, now: u64) -> Option<Question> {
        self.ask(client, now, now)
    }

    fn ask(&mut self, client: usize, since: u64, now: u64) -> Option<Question> {
        let is_counted = since >= self.began;
        let (kind, key) = match &mut self.stage {
            Stage::Filling { next } if *next < self.plan.keys => {
                *next += 1;
                (Kind::Set, *next - 1)
            }
            Stage::Warming | Stage::Measuring if self.left > 0 => {
                let kind = self.plan.mix.kind(self.prng.below(self.plan.mix.total()));
                (kind, if kind == Kind::Ping { 0 } else { self.keys.draw(&mut self.prng) })
            }
            _ => return None,
        };
        if self.history.as_ref().is_some_and(History::is_full) {
            self.cut_short(now);
            return None;
        }
        self.in_flight += 1;
        if is_counted {
            self.figures.sent(kind);
            self.left -= 1;
        }
        let mut place = self.written;
        self.written += u64::from(kind == Kind::Set);
        if let Some(history) = &mut self.history
            && kind != Kind::Ping
        {
            let client = u32::try_from(client).expect("the limit on clients is below that");
            place = history.ask(client, kind, key, now);
        }
        Some(Question { kind, key, number: place, waiting: Waiting { kind, is_counted, since, place } })
    }

    /// An answer has come.
    pub(super) fn take(&mut self, waiting: Waiting, view: ReplyView<'_>, now: u64) {
        self.in_flight -= 1;
        self.answers += 1;
        if waiting.is_counted {
            self.finished = now;
        }
        let told = match self.told(waiting.kind, view) {
            Ok(told) => {
                if waiting.is_counted {
                    self.figures.answered(waiting.kind, now - waiting.since, told == Told::Nil);
                }
                told
            }
            Err(code) => {
                self.errors += 1;
                self.unfilled += u64::from(matches!(self.stage, Stage::Filling { .. }));
                if waiting.is_counted {
                    self.figures.refused(code);
                }
                if is_promise_of_nothing(code) { Told::Nothing } else { Told::Unknown }
            }
        };
        if let Some(history) = &mut self.history
            && waiting.kind != Kind::Ping
        {
            history.tell(waiting.place, now, told);
        }
    }

    /// What an answer says, or the code of the error that it is.
    fn told<'a>(&mut self, kind: Kind, view: ReplyView<'a>) -> Result<Told, &'a [u8]> {
        match (kind, view) {
            (Kind::Set, ReplyView::Simple(b"OK")) | (Kind::Ping, ReplyView::Simple(b"PONG")) => {
                Ok(Told::Okay)
            }
            (Kind::Get, ReplyView::Null) => Ok(Told::Nil),
            (Kind::Get, ReplyView::Bulk(value)) => Ok(match &mut self.history {
                None => Told::Okay,
                Some(history) => match self.requests.number_of(value) {
                    Some(number) => Told::Value(number),
                    None => history.strange(value),
                },
            }),
            (Kind::Incr, ReplyView::Integer(number)) => Ok(Told::Number(number)),
            (_, ReplyView::Error(text)) => Err(text.split(|byte| *byte == b' ').next().unwrap_or_default()),
            _ => Err(NONSENSE),
        }
    }

    /// The answer will never come.
    pub(super) fn lose(&mut self, waiting: Waiting, now: u64) {
        self.in_flight -= 1;
        if waiting.is_counted {
            self.figures.unknown += 1;
            self.finished = now;
        }
        self.unfilled += u64::from(matches!(self.stage, Stage::Filling { .. }));
    }

    /// All connections are up.
    pub(super) fn connected(&mut self) {
        self.stage = Stage::Filling { next: if self.plan.is_filled { 0 } else { self.plan.keys } };
    }

    /// Goes on to the next stage, if its time has come; whether it has.
    pub(super) fn advance(&mut self, now: u64) -> bool {
        let next = match self.stage {
            Stage::Filling { next } if next == self.plan.keys && self.in_flight == 0 => {
                self.begin(now);
                Stage::Warming
            }
            Stage::Warming if now >= self.began => Stage::Measuring,
            Stage::Measuring if self.is_asked_out(now) => {
                self.unsent = self.count_unsent();
                Stage::Draining { until: now + PATIENCE }
            }
            Stage::Draining { until } if self.in_flight == 0 || now >= until => Stage::Over,
            _ => return false,
        };
        self.stage = next;
        true
    }

    /// Warming up begins, and with it the times of the open loop.
    fn begin(&mut self, now: u64) {
        self.origin = now;
        self.began = now + nanoseconds(self.plan.warmup);
        self.finished = self.began;
        match self.plan.end {
            End::After(time) => self.until = self.began + nanoseconds(time),
            End::Requests(count) => self.left = count,
        }
    }

    /// Whether there is nothing more to be asked.
    fn is_asked_out(&self, now: u64) -> bool {
        let is_asked_out = match self.plan.pace {
            Pace::Closed => self.left == 0,
            Pace::Open { .. } => self.due().is_none(),
        };
        is_asked_out || now >= self.give_up()
    }

    /// When nothing more is asked in any case. An open loop may be behind its times for a while.
    fn give_up(&self) -> u64 {
        match self.plan.pace {
            Pace::Closed => self.until,
            Pace::Open { .. } => self.until.saturating_add(PATIENCE),
        }
    }

    /// Requests whose time has passed and that no connection had room for.
    fn count_unsent(&self) -> u64 {
        let Pace::Open { rate } = self.plan.pace else { return 0 };
        if self.due().is_none() {
            return 0;
        }
        let whole = u128::from(self.until - self.origin) * u128::from(rate);
        u64::try_from(whole.div_ceil(1_000_000_000)).map_or(0, |whole| whole.saturating_sub(self.scheduled))
    }

    /// Ends it now; what is on its way is waited for.
    pub(super) fn cut_short(&mut self, now: u64) {
        self.is_cut_short = true;
        self.stage = Stage::Draining { until: now + PATIENCE };
    }

    /// When its stage may end, should nothing happen.
    pub(super) fn deadline(&self) -> u64 {
        match self.stage {
            Stage::Warming => self.began,
            Stage::Measuring => self.give_up(),
            Stage::Draining { until } => until,
            Stage::Connecting | Stage::Filling { .. } | Stage::Over => u64::MAX,
        }
    }
}

/// Whether an error promises that nothing was done, now or later. Of other servers' errors that look alike
/// nobody can be sure.
fn is_promise_of_nothing(code: &[u8]) -> bool {
    matches!(code, b"TRYAGAIN" | b"CLUSTERDOWN" | b"MISCONF")
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX / 4)
}
