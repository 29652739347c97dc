//! The naive model that the log is held against, and a driver that feeds both with the same steps.

use std::sync::Arc;

use quorate::disk::{Disk, SimDisk};
use quorate::identity::{ClusterId, Incarnation};
use quorate::raft::{
    Entry, Envelope, HardState, Index, LogAppend, LogWrite, Message, NodeId, Payload, Position, Receipt,
    Stretch, Term, WriteSequence,
};
use quorate::wal::{Identity, OpenError, Options, ReadError, Recovered, Spare, Tail, Writer, create, open};

pub(crate) const IDENTITY: Identity =
    Identity { cluster: ClusterId(0xc1), node: NodeId(2), incarnation: Incarnation(0x1_1fe) };

/// So small that a few entries fill a segment, and that each write is a batch of its own or nearly so.
pub(crate) const TINY: Options =
    Options { segment_bytes: 700, reserve_bytes: 100, batch_bytes: 150, landmark_bytes: 200 };

/// What a log amounts to: a vector of entries.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Model {
    pub(crate) hard_state: HardState,
    pub(crate) start: Position,
    pub(crate) entries: Vec<Entry>,
}

/// One write of the core.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wish {
    pub(crate) hard_state: Option<HardState>,
    pub(crate) entries: Option<(Index, Vec<Entry>)>,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// These arrive together.
    Batch(Vec<Wish>),
    Compact(Position, Tail),
    /// An idle moment.
    Prepare,
}

impl Model {
    pub(crate) fn next(&self) -> Index {
        Index(self.start.index.0 + self.entries.len() as u64 + 1)
    }

    pub(crate) fn position(&self, index: Index) -> Position {
        if index == self.start.index {
            return self.start;
        }
        Position { index, term: self.entries[self.slot(index)].term }
    }

    fn slot(&self, index: Index) -> usize {
        usize::try_from(index.0 - self.start.index.0 - 1).unwrap()
    }

    pub(crate) fn write(&mut self, wish: &Wish) {
        self.hard_state = wish.hard_state.unwrap_or(self.hard_state);
        if let Some((first, entries)) = &wish.entries {
            self.entries.truncate(self.slot(*first));
            self.entries.extend(entries.iter().cloned());
        }
    }

    pub(crate) fn compact(&mut self, after: Position, tail: Tail) {
        match tail {
            Tail::Kept => {
                self.entries.drain(..usize::try_from(after.index.0 - self.start.index.0).unwrap());
            }
            Tail::Dropped => self.entries.clear(),
        }
        self.start = after;
    }

    /// What is in the log from `first` on.
    pub(crate) fn read(&self, first: Index, bytes_max: usize) -> Stretch {
        let mut entries = Vec::new();
        let mut bytes = 0;
        for entry in &self.entries[self.slot(first)..] {
            bytes += entry.size();
            if bytes > bytes_max && !entries.is_empty() {
                break;
            }
            entries.push(entry.clone());
        }
        Stretch { previous: self.position(first.previous()), entries }
    }

    /// Everything that can be asked of a log, with these limits, is answered as the model would.
    pub(crate) fn check_reads<D: Disk>(&self, writer: &mut Writer<D>, limits: &[usize], context: &str) {
        for bytes_max in limits {
            for first in 0..self.next().0 + 2 {
                let asked = format!("{context}: {bytes_max} bytes from {first} on");
                match writer.read(Index(first), *bytes_max) {
                    Ok(stretch) => assert_eq!(stretch, self.read(Index(first), *bytes_max), "{asked}"),
                    Err(ReadError::Gone { start }) => {
                        assert!(start == self.start && first <= start.index.0, "{asked}: gone");
                    }
                    Err(ReadError::Ahead { next }) => {
                        assert!(next == self.next() && first >= next.0, "{asked}: ahead");
                    }
                    Err(error) => panic!("{asked}: {error}"),
                }
            }
        }
    }

    /// The wishes to write some entries of this term behind the first so many, sizes given.
    pub(crate) fn entries_at(&self, first: Index, term: u64, sizes: &[usize]) -> Wish {
        let entry = |(offset, size): (usize, &usize)| {
            let fill = (first.0 + offset as u64 + 16 * term).to_le_bytes()[0];
            let payload =
                if *size == 0 { Payload::Noop } else { Payload::Command(Arc::from(vec![fill; *size])) };
            Entry { term: Term(term), payload }
        };
        Wish { hard_state: None, entries: Some((first, sizes.iter().enumerate().map(entry).collect())) }
    }
}

impl From<Recovered> for Model {
    fn from(recovered: Recovered) -> Model {
        let Recovered { hard_state, start, entries, .. } = recovered;
        Model { hard_state, start, entries }
    }
}

/// How far a log got: what it has confirmed, and what it might hold beyond that.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    /// `None` before the log's creation has been confirmed.
    pub(crate) confirmed: Option<Model>,
    /// Everything a crash may leave, the confirmed state first.
    pub(crate) possible: Vec<Model>,
    pub(crate) sequence: u64,
}

impl Progress {
    pub(crate) fn new() -> Progress {
        Progress { confirmed: None, possible: vec![Model::default()], sequence: 0 }
    }

    pub(crate) fn at(model: Model) -> Progress {
        Progress { confirmed: Some(model.clone()), possible: vec![model], sequence: 0 }
    }

    pub(crate) fn confirm(&mut self, model: Model) {
        self.confirmed = Some(model.clone());
        self.possible = vec![model];
    }

    pub(crate) fn model(&self) -> Model {
        self.confirmed.clone().unwrap_or_default()
    }

    /// Does one step with the log. Answers whether it could be done.
    pub(crate) fn step<D: Disk>(&mut self, writer: &mut Writer<D>, step: &Step) -> bool {
        match step {
            Step::Batch(wishes) => self.batch(writer, wishes),
            Step::Compact(after, tail) => {
                let mut model = self.model();
                model.compact(*after, *tail);
                self.possible.push(model.clone());
                let done = writer.compact(*after, *tail).is_ok();
                if done {
                    self.confirm(model);
                }
                done
            }
            Step::Prepare => loop {
                match writer.prepare() {
                    Ok(Spare::Underway) => {}
                    Ok(Spare::Ready) => return true,
                    Err(_) => return false,
                }
            },
        }
    }

    fn batch<D: Disk>(&mut self, writer: &mut Writer<D>, wishes: &[Wish]) -> bool {
        let mut waiting: Vec<LogWrite> = wishes.iter().map(|wish| self.log_write(wish)).collect();
        let mut done = 0;
        while !waiting.is_empty() {
            let mut model = self.model();
            for wish in &wishes[done..] {
                model.write(wish);
                self.possible.push(model.clone());
            }
            let before = waiting.len();
            let first = waiting[0].sequence.0;
            let Ok(durable) = writer.write(&mut waiting) else {
                assert_eq!(waiting.len(), before, "what was not done still waits");
                return false;
            };
            let count = before - waiting.len();
            assert!(count > 0);
            assert_eq!(durable.receipt, Receipt(WriteSequence(first + count as u64 - 1)));
            let carried: Vec<u64> = durable.then_send.iter().map(campaign).collect();
            assert_eq!(carried, (first..first + count as u64).collect::<Vec<_>>());
            let model = self.possible[count].clone();
            self.confirm(model);
            done += count;
        }
        true
    }

    fn log_write(&mut self, wish: &Wish) -> LogWrite {
        self.sequence += 1;
        let message = Message::PreVote { last: Position::default(), campaign: self.sequence };
        let envelope = Envelope { from: NodeId(2), to: NodeId(1), term: Term(0), message };
        LogWrite {
            sequence: WriteSequence(self.sequence),
            hard_state: wish.hard_state,
            entries: wish.entries.clone().map(|(first, entries)| LogAppend { first, entries }),
            start: None,
            then_send: vec![envelope],
        }
    }
}

fn campaign(envelope: &Envelope) -> u64 {
    match envelope.message {
        Message::PreVote { campaign, .. } => campaign,
        _ => unreachable!("only these were handed in"),
    }
}

/// Creates a log and does the steps until one cannot be done.
pub(crate) fn run(disk: &SimDisk, options: Options, steps: &[Step]) -> Progress {
    let mut progress = Progress::new();
    let Ok(mut writer) = create(disk.clone(), IDENTITY, options) else { return progress };
    progress.confirm(Model::default());
    for step in steps {
        if !progress.step(&mut writer, step) {
            break;
        }
    }
    progress
}

pub(crate) fn reopen(disk: &SimDisk, options: Options) -> Result<(Model, Writer<SimDisk>), OpenError> {
    open(disk.clone(), IDENTITY, options).map(|(recovered, writer)| (recovered.into(), writer))
}

pub(crate) fn voted(term: u64, vote: u16) -> Wish {
    Wish { hard_state: Some(HardState { term: Term(term), vote: Some(NodeId(vote)) }), entries: None }
}

/// A workload in the making: the steps, and what they amount to.
#[derive(Default)]
struct Script {
    model: Model,
    steps: Vec<Step>,
}

impl Script {
    fn batch(&mut self, wishes: Vec<Wish>) {
        wishes.iter().for_each(|wish| self.model.write(wish));
        self.steps.push(Step::Batch(wishes));
    }

    fn append(&mut self, term: u64, sizes: &[usize]) {
        self.batch(vec![self.model.entries_at(self.model.next(), term, sizes)]);
    }

    fn compact(&mut self, after: Position, tail: Tail) {
        self.model.compact(after, tail);
        self.steps.extend([Step::Prepare, Step::Compact(after, tail)]);
    }
}

/// A workload in which everything happens: entries of all sizes, cuts, terms and votes, writes that only
/// carry messages, batches too large for one record, records too large for a segment, snapshots of its own
/// and from elsewhere, with and without a prepared spare.
pub(crate) fn script() -> Vec<Step> {
    let mut script = Script::default();
    script.batch(vec![voted(1, 2), script.model.entries_at(Index(1), 1, &[0])]);
    for size in [10, 40, 90, 20] {
        script.append(1, &[size, size / 2]);
    }
    let cut =
        Wish { hard_state: voted(3, 1).hard_state, ..script.model.entries_at(Index(5), 2, &[7, 0, 33]) };
    script.batch(vec![Wish::default(), cut, Wish::default()]);
    script.batch(vec![Wish::default()]);
    script.batch((0..8).map(|offset| script.model.entries_at(Index(8 + offset), 3, &[60])).collect());
    script.batch(vec![voted(4, 3), script.model.entries_at(Index(12), 4, &[600, 5, 1_500])]);
    script.compact(script.model.position(Index(9)), Tail::Kept);
    for term in 5..9 {
        let first = script.model.next().previous();
        let cut = script.model.entries_at(first, term, &[100, 50]);
        let more = script.model.entries_at(Index(first.0 + 2), term, &[80]);
        script.batch(vec![Wish { hard_state: voted(term, 1).hard_state, ..cut }, more]);
    }
    script.compact(Position { index: Index(30), term: Term(8) }, Tail::Dropped);
    for _ in 0..6 {
        script.append(8, &[120]);
    }
    script.compact(script.model.position(script.model.next().previous()), Tail::Kept);
    script.batch(vec![voted(9, 2)]);
    script.append(9, &[1, 2, 3]);
    script.steps
}

/// A workload of snapshots behind which a tail is kept, over several segments, which go one and more at a
/// time, or not yet.
pub(crate) fn retaining_script() -> Vec<Step> {
    let mut script = Script::default();
    script.batch(vec![voted(1, 2), script.model.entries_at(Index(1), 1, &[30])]);
    for (term, behind) in [(2, 7), (3, 7), (4, 5), (5, 8)] {
        for size in [150, 90, 0, 120] {
            script.append(term - 1, &[size, 40]);
        }
        let cut = script.model.entries_at(Index(script.model.next().0 - 3), term, &[20, 200]);
        script.batch(vec![Wish { hard_state: voted(term, 1).hard_state, ..cut }]);
        let kept_from = script.model.position(Index(script.model.next().0 - 1 - behind));
        script.compact(kept_from, Tail::Kept);
    }
    script.append(5, &[10, 10]);
    script.steps
}

/// A workload of records from one sector to a good part of a large segment, with snapshots in between.
pub(crate) fn large_script() -> Vec<Step> {
    let mut script = Script::default();
    script.batch(vec![voted(1, 2), script.model.entries_at(Index(1), 1, &[30])]);
    for (number, size) in [40, 5_000, 40, 100_000, 60, 20_000, 4_000].iter().cycle().take(60).enumerate() {
        script.append(1, &[*size]);
        if number % 15 == 14 {
            script.compact(script.model.position(Index(script.model.next().0 - 4)), Tail::Kept);
        }
    }
    script.steps
}

/// A workload of snapshots that let go more segments than are kept, so that the log goes on in used ones.
pub(crate) fn recycling_script() -> Vec<Step> {
    let mut script = Script::default();
    script.batch(vec![voted(1, 2), script.model.entries_at(Index(1), 1, &[30])]);
    for round in 0..3 {
        for size in [200, 140, 210, 90, 250, 60, 170, 230, 120, 190].iter().cycle().skip(round).take(10) {
            script.append(1, &[*size, 30]);
        }
        script.compact(script.model.position(script.model.next().previous()), Tail::Kept);
    }
    script.append(1, &[10, 10]);
    script.steps
}
