//! The event loop: all connections on one thread, one read and one write for each that has something.
//!
//! A connection of the closed loop is asked again as soon as it has all its answers; its next requests leave
//! before the next connection is looked at, so that the server has work while this goes on.
//!
//! In the open loop what is due leaves together, on as few connections as have room for it, as clients send
//! that pipeline: a request on each of fifty connections is fifty messages, and no pipeline at all.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mio::{Events, Poll, Token};

use super::alarm::Alarm;
use super::line::{Line, Lost, News};
use super::plan::Plan;
use super::work::{PATIENCE, Question, Stage, Work};
use super::{LoadError, Outcome, Progress, processor};
use crate::runtime::{Clock, await_events};

/// Time between two looks at what no event reports.
const TICK: u64 = 1_000_000_000;

/// Room to read into, in bytes.
const SCRATCH_BYTES: usize = 256 << 10;

/// Events that are taken at a time.
const EVENTS: usize = 1024;

/// Least time between two looks at what is due, in nanoseconds: beyond so many requests a second they leave
/// in groups.
const GRAIN: u64 = 50_000;

/// Connections are numbered from zero.
const ALARM: Token = Token(usize::MAX);

/// A load that runs.
struct Load<'p> {
    clock: Clock,
    poll: Poll,
    alarm: Alarm,
    lines: Vec<Line>,
    work: Work<'p>,
    scratch: Box<[u8]>,
    /// Connections that are not up.
    down: usize,
    /// Connections lost after they had been up, and why the first of them was.
    lost: u64,
    first_loss: Option<String>,
    /// Where the search for a connection with room begins.
    turn: usize,
    /// When it may be looked again for what is due.
    next_look: u64,
    /// Those that have been given requests in this turn; empty between turns.
    asked: Vec<usize>,
    next_tick: u64,
    /// The time on a processor when measuring began.
    processor_before: Option<Duration>,
}

/// Runs a load until it is over, or `stop` says so. `watch` is called once a second.
///
/// # Errors
///
/// [`LoadError`] if it cannot begin, or the event loop fails.
pub fn run(plan: &Plan, stop: &AtomicBool, watch: &mut dyn FnMut(&Progress)) -> Result<Outcome, LoadError> {
    let mut load = Load::new(plan)?;
    let mut events = Events::with_capacity(EVENTS);
    load.open_all(0)?;
    while load.work.stage != Stage::Over {
        let timeout = Duration::from_nanos(load.wake().saturating_sub(load.clock.nanoseconds()));
        await_events(&mut load.poll, &mut events, timeout).map_err(LoadError::Loop)?;
        for event in events.iter().filter(|event| event.token() != ALARM) {
            load.handle(event)?;
        }
        let now = load.clock.nanoseconds();
        load.open_all(now)?;
        load.advance(now, stop.load(Ordering::Relaxed))?;
        load.ask_due(now)?;
        if now >= load.next_tick {
            load.next_tick = now + TICK;
            load.lose_silent(now)?;
            watch(&load.progress(now));
        }
    }
    Ok(load.conclude())
}

impl<'p> Load<'p> {
    fn new(plan: &'p Plan) -> Result<Load<'p>, LoadError> {
        let address = |place: usize| plan.addresses[place % plan.addresses.len()].clone();
        let line = |place: usize| Line::new(address(place), Token(place), plan.pipeline);
        let poll = Poll::new().map_err(LoadError::Loop)?;
        Ok(Load {
            clock: Clock::start(),
            alarm: Alarm::new(poll.registry(), ALARM).map_err(LoadError::Loop)?,
            poll,
            lines: (0..plan.clients).map(line).collect(),
            work: Work::new(plan),
            scratch: vec![0; SCRATCH_BYTES].into_boxed_slice(),
            down: plan.clients,
            lost: 0,
            first_loss: None,
            turn: 0,
            next_look: 0,
            asked: Vec::new(),
            next_tick: TICK,
            processor_before: None,
        })
    }

    /// When to look again, should nothing happen.
    fn wake(&self) -> u64 {
        let again = if self.down == 0 { None } else { self.lines.iter().filter_map(Line::again).min() };
        self.work.deadline().min(self.next_tick).min(again.unwrap_or(u64::MAX))
    }

    /// Opens connections that are down and have waited long enough.
    fn open_all(&mut self, now: u64) -> Result<(), LoadError> {
        if self.down == 0 {
            return Ok(());
        }
        for place in 0..self.lines.len() {
            if self.lines[place].again().is_some_and(|again| again <= now)
                && let Err(lost) = self.lines[place].open(self.poll.registry())
            {
                self.lose(place, &lost, now)?;
            }
        }
        Ok(())
    }

    fn handle(&mut self, event: &mio::event::Event) -> Result<(), LoadError> {
        let place = event.token().0;
        let Load { lines, work, scratch, clock, .. } = self;
        let line = &mut lines[place];
        let news = line.ready(event, self.poll.registry());
        let result = news.and_then(|news| match news {
            News::Connected => {
                self.down -= 1;
                Ok(())
            }
            News::Readable => line.read(scratch, clock, |waiting, view, now| work.take(waiting, view, now)),
            News::Nothing => Ok(()),
        });
        let now = self.clock.nanoseconds();
        match result.and_then(|()| self.feed(place, now)) {
            Ok(()) => Ok(()),
            Err(lost) => self.lose(place, &lost, now),
        }
    }

    /// Asks as much on a connection of the closed loop as its pipeline takes, if it has all its answers.
    fn feed(&mut self, place: usize, now: u64) -> Result<(), Lost> {
        let Load { lines, work, .. } = self;
        let line = &mut lines[place];
        if line.in_flight() > 0 || !line.is_up() || work.is_open() {
            return Ok(());
        }
        for _ in 0..work.pipeline() {
            let Some(question) = work.next(place, now) else { break };
            put(line, work, &question, now);
        }
        line.write(self.poll.registry())
    }

    /// Asks what is due in the open loop, and sees to it that it is looked at again in time.
    fn ask_due(&mut self, now: u64) -> Result<(), LoadError> {
        if self.next_look <= now {
            self.ask_all_due(now)?;
        }
        match self.work.due() {
            Some(due) if due.max(self.next_look) > now => {
                self.alarm.set(due.max(self.next_look), now).map_err(LoadError::Loop)
            }
            _ => Ok(()),
        }
    }

    /// Asks all that is due, on one connection as long as it has room, then on the next. Where none has, an
    /// answer makes some, and what waits leaves at once.
    fn ask_all_due(&mut self, now: u64) -> Result<(), LoadError> {
        let mut asked = std::mem::take(&mut self.asked);
        while self.work.due().is_some_and(|due| due <= now) {
            let Some(place) = self.find_room() else { break };
            let Some(question) = self.work.next_due(place, now) else { break };
            put(&mut self.lines[place], &self.work, &question, now);
            if asked.last() != Some(&place) {
                asked.push(place);
            }
        }
        if !asked.is_empty() {
            self.turn += 1;
        }
        if self.work.due().is_some_and(|due| due > now) {
            self.next_look = now + GRAIN;
        }
        for place in asked.drain(..) {
            if let Err(lost) = self.lines[place].write(self.poll.registry()) {
                self.lose(place, &lost, now)?;
            }
        }
        self.asked = asked;
        Ok(())
    }

    /// A connection with room for another request: the last one that had, or the next that has.
    fn find_room(&mut self) -> Option<usize> {
        let (count, pipeline) = (self.lines.len(), self.work.pipeline());
        let found = (self.turn..self.turn + count).map(|place| place % count).find(|place| {
            let line = &self.lines[*place];
            line.is_up() && line.in_flight() < pipeline
        });
        self.turn = found.unwrap_or(self.turn);
        found
    }

    /// A connection is lost, with everything on it. Before all have been up that ends the load, and so does a
    /// first answer that is none.
    fn lose(&mut self, place: usize, lost: &Lost, now: u64) -> Result<(), LoadError> {
        let line = &mut self.lines[place];
        let is_crowd = matches!(lost, Lost::Failed(error) if error.kind() == io::ErrorKind::WouldBlock);
        let is_stranger = self.work.answers == 0 && matches!(lost, Lost::Nonsense(_) | Lost::Unasked(_));
        if is_stranger || (self.work.stage == Stage::Connecting && !is_crowd) {
            return Err(LoadError::Connect { address: line.address().clone(), why: lost.to_string() });
        }
        if line.is_up() {
            self.down += 1;
            self.lost += 1;
            if self.first_loss.is_none() {
                self.first_loss = Some(format!("{}: {lost}", line.address()));
            }
        }
        for waiting in line.lose(now, self.poll.registry()) {
            self.work.lose(waiting, now);
        }
        Ok(())
    }

    fn lose_silent(&mut self, now: u64) -> Result<(), LoadError> {
        for place in 0..self.lines.len() {
            if self.lines[place].silent_since().is_some_and(|since| now.saturating_sub(since) > PATIENCE) {
                self.lose(place, &Lost::Silent, now)?;
            }
        }
        if self.work.stage == Stage::Connecting && now > PATIENCE {
            return Err(LoadError::Patience { missing: self.down });
        }
        Ok(())
    }

    /// Goes on to the next stages. What no answer leads to, the loop itself has to ask.
    fn advance(&mut self, now: u64, is_stopped: bool) -> Result<(), LoadError> {
        if self.work.stage == Stage::Connecting && self.down == 0 {
            self.work.connected();
            self.feed_all(now)?;
        }
        while self.work.advance(now) {
            if self.work.stage == Stage::Measuring {
                self.processor_before = processor::time();
            }
            self.feed_all(now)?;
        }
        let is_abandoned = self.lines.iter().all(Line::is_given_up);
        if is_abandoned || (is_stopped && !matches!(self.work.stage, Stage::Draining { .. } | Stage::Over)) {
            self.work.cut_short(now);
        }
        Ok(())
    }

    fn feed_all(&mut self, now: u64) -> Result<(), LoadError> {
        for place in 0..self.lines.len() {
            if let Err(lost) = self.feed(place, now) {
                self.lose(place, &lost, now)?;
            }
        }
        Ok(())
    }

    fn progress(&self, now: u64) -> Progress {
        let Load { work, lines, down, .. } = self;
        Progress {
            at: Duration::from_nanos(now),
            stage: work.stage,
            answers: work.answers,
            errors: work.errors,
            in_flight: work.in_flight,
            connections: lines.len() - down,
        }
    }

    /// Counts what is still missing as unknown, and judges.
    fn conclude(mut self) -> Outcome {
        let processor = processor::time().zip(self.processor_before).map(|(after, before)| after - before);
        let now = self.clock.nanoseconds();
        for line in &mut self.lines {
            for waiting in line.lose(now, self.poll.registry()) {
                self.work.lose(waiting, now);
            }
        }
        let is_abandoned = self.down == self.lines.len();
        let Work { history, requests, figures, unfilled, unsent, is_cut_short, .. } = &self.work;
        assert_eq!(figures.sent_in_all(), figures.accounted_for(), "no request is lost from the books");
        Outcome {
            measured: Duration::from_nanos(self.work.measured()),
            figures: figures.clone(),
            unfilled: *unfilled,
            unsent: *unsent,
            lost_connections: self.lost,
            first_loss: self.first_loss,
            is_cut_short: *is_cut_short,
            is_abandoned,
            processor,
            checked: history.as_ref().map(|history| history.check(requests)),
        }
    }
}

/// Writes a question into a connection's buffer.
fn put(line: &mut Line, work: &Work<'_>, question: &Question, now: u64) {
    line.ask(question.waiting, now, |buffer| {
        work.requests.append(question.kind, question.key, question.number, buffer);
    });
}
