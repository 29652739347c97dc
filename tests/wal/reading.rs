//! Reading the log back while it is open: always what the naive model holds, however the log was cut,
//! compacted and reopened; never a rotten byte; and not much more of the files than was asked for.

use std::io::{self, ErrorKind, IoSlice};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
use quorate::disk::{Disk, SimDisk, Survival};
use quorate::raft::{Entry, Index, Position, Term};
use quorate::wal::{Options, ReadError, Tail, WriteError, Writer, create, open};

use super::model::{
    IDENTITY, Model, Progress, Step, TINY, Wish, reopen, retaining_script, run, script, voted,
};

const EVERY_LIMIT: [usize; 6] = [0, 24, 100, 250, 700, usize::MAX];

/// A log of its own and the model that goes with it.
struct Pair {
    disk: SimDisk,
    writer: Writer<SimDisk>,
    progress: Progress,
}

impl Pair {
    fn new(options: Options) -> Pair {
        let disk = SimDisk::new();
        let writer = create(disk.clone(), IDENTITY, options).unwrap();
        Pair { disk, writer, progress: Progress::at(Model::default()) }
    }

    fn batch(&mut self, wishes: Vec<Wish>) {
        assert!(self.progress.step(&mut self.writer, &Step::Batch(wishes)));
    }

    fn append(&mut self, term: u64, sizes: &[usize]) {
        let model = self.progress.model();
        self.cut(model.next(), term, sizes);
    }

    fn cut(&mut self, first: Index, term: u64, sizes: &[usize]) {
        let wish = self.progress.model().entries_at(first, term, sizes);
        self.batch(vec![Wish { hard_state: voted(term, 1).hard_state, ..wish }]);
    }

    fn reopen(&mut self, options: Options) {
        self.disk.cut_power(Survival::Nothing);
        let (found, writer) = reopen(&self.disk, options).unwrap();
        assert_eq!(found, self.progress.model());
        self.writer = writer;
    }

    fn check(&mut self, context: &str) {
        self.progress.model().check_reads(&mut self.writer, &EVERY_LIMIT, context);
    }

    fn segments(&self) -> Vec<String> {
        let names = self.disk.clone().names().unwrap();
        names.into_iter().filter(|name| name.ends_with(".wal")).collect()
    }
}

#[test]
fn every_state_of_a_script_is_read_back_before_and_after_a_restart() {
    for (name, steps) in [("script", script()), ("retaining", retaining_script())] {
        let mut pair = Pair::new(TINY);
        for (number, step) in steps.iter().enumerate() {
            assert!(pair.progress.step(&mut pair.writer, step));
            pair.check(&format!("{name}, step {number}"));
            let disk = pair.disk.fork();
            let (found, mut again) = reopen(&disk, TINY).unwrap();
            found.check_reads(&mut again, &EVERY_LIMIT, &format!("{name}, step {number}, reopened"));
        }
    }
}

#[test]
fn entries_that_were_replaced_are_never_read() {
    let mut pair = Pair::new(TINY);
    for _ in 0..12 {
        pair.append(1, &[90, 60]);
    }
    assert!(pair.segments().len() >= 4);
    // Back over several segments, forward, back again by less and by more, right behind a cut, and in the
    // middle of a record; each new leader in a new term.
    for (term, first, sizes) in [
        (2, 20, vec![50]),
        (3, 4, vec![40, 40]),
        (4, 6, vec![300, 20, 20]),
        (5, 7, vec![10; 9]),
        (6, 9, vec![80]),
        (7, 2, vec![33, 44]),
        (8, 4, vec![800]),
        (9, 3, vec![0, 1, 2]),
    ] {
        pair.cut(Index(first), term, &sizes);
        pair.check(&format!("term {term}"));
        pair.append(term, &[70, 70]);
        pair.check(&format!("term {term}, longer"));
        pair.reopen(TINY);
        pair.check(&format!("term {term}, reopened"));
    }
}

#[test]
fn writes_of_one_record_may_replace_each_other() {
    let mut pair = Pair::new(Options { batch_bytes: 10_000, landmark_bytes: 10_000, ..TINY });
    pair.append(1, &[10; 9]);
    let mut model = pair.progress.model();
    let mut wishes = vec![voted(9, 1)];
    for (first, sizes) in [
        (10, vec![1; 5]),
        (12, vec![2, 2]),
        (14, vec![3]),
        (8, vec![4; 9]),
        (8, vec![5]),
        (9, vec![6; 2]),
        (10, vec![700, 7]),
    ] {
        let wish = model.entries_at(Index(first), 2 + wishes.len() as u64, &sizes);
        model.write(&wish);
        wishes.push(wish);
    }
    let operations = pair.disk.operations();
    pair.batch(wishes);
    assert!(pair.disk.operations() < operations + 9, "one record");
    pair.check("one record");
    pair.append(9, &[20]);
    pair.check("and another");
    pair.reopen(TINY);
    pair.check("reopened");
}

#[test]
fn a_log_that_was_dropped_is_not_read_into() {
    let mut pair = Pair::new(Options { landmark_bytes: 10_000, segment_bytes: 4_000, ..TINY });
    pair.append(1, &[20; 9]);
    // The snapshot ends within the log, which had another history.
    let after = Position { index: Index(5), term: Term(1) };
    pair.append(2, &[5]);
    assert!(pair.progress.step(&mut pair.writer, &Step::Compact(after, Tail::Dropped)));
    pair.check("dropped");
    assert!(matches!(pair.writer.read(Index(6), 1), Err(ReadError::Ahead { next: Index(6) })));
    pair.append(3, &[7, 8]);
    pair.check("written anew");
    pair.reopen(TINY);
    pair.append(3, &[9]);
    pair.check("reopened");
}

#[test]
fn a_stretch_ends_where_the_next_entry_would_not_fit() {
    let mut pair = Pair::new(TINY);
    pair.append(1, &[76, 76, 26, 976, 0]);
    pair.append(1, &[76]);
    let sizes = |writer: &mut Writer<SimDisk>, first, bytes_max| {
        let stretch = writer.read(Index(first), bytes_max).unwrap();
        stretch.entries.iter().map(Entry::size).collect::<Vec<_>>()
    };
    for (first, bytes_max, expected) in [
        (1, 0, vec![100]),
        (1, 99, vec![100]),
        (1, 100, vec![100]),
        (1, 199, vec![100]),
        (1, 200, vec![100, 100]),
        (1, 249, vec![100, 100]),
        (1, 250, vec![100, 100, 50]),
        (1, 1_249, vec![100, 100, 50]),
        (1, 1_250, vec![100, 100, 50, 1_000]),
        (4, 10, vec![1_000]),
        (4, 1_024, vec![1_000, 24]),
        (5, 123, vec![24]),
        (5, 124, vec![24, 100]),
        (6, usize::MAX, vec![100]),
    ] {
        assert_eq!(sizes(&mut pair.writer, first, bytes_max), expected, "{bytes_max} from {first}");
    }
}

#[test]
fn the_term_before_the_first_entry_comes_from_the_start_or_from_the_log() {
    let mut pair = Pair::new(TINY);
    assert!(matches!(pair.writer.read(Index(1), 9), Err(ReadError::Ahead { next: Index(1) })));
    pair.append(1, &[50, 50]);
    pair.append(3, &[50]);
    pair.append(4, &[50, 50]);
    assert_eq!(pair.writer.read(Index(1), 9).unwrap().previous, Position::default());
    let third = Position { index: Index(3), term: Term(3) };
    assert_eq!(pair.writer.read(Index(4), 9).unwrap().previous, third);
    assert!(pair.progress.step(&mut pair.writer, &Step::Compact(third, Tail::Kept)));
    assert_eq!(pair.writer.read(Index(4), 9).unwrap().previous, third);
    let gone = pair.writer.read(Index(3), 9).unwrap_err();
    assert!(matches!(gone, ReadError::Gone { start } if start == third), "{gone}");
    assert_eq!(gone.to_string(), "the log begins after 3; a snapshot has what is before");
}

#[test]
fn segments_go_whole_and_oldest_first_and_the_tail_stays_readable() {
    let mut pair = Pair::new(TINY);
    for _ in 0..20 {
        pair.append(1, &[90, 60]);
    }
    let begun_at = |pair: &Pair, name: &String| {
        u64::from_le_bytes(pair.disk.content(name).unwrap()[40..48].try_into().unwrap())
    };
    for index in 1..=pair.progress.model().next().previous().0 {
        let before = pair.segments();
        // What was read last may be in the segment that goes.
        pair.writer.read(Index(index), 1).unwrap();
        let after = pair.progress.model().position(Index(index));
        assert!(pair.progress.step(&mut pair.writer, &Step::Compact(after, Tail::Kept)));
        let left = pair.segments();
        let gone = before.iter().take_while(|name| !left.contains(name)).count();
        assert!(left.starts_with(&before[gone..]), "oldest first: {before:?}, then {left:?}");
        assert!(begun_at(&pair, &left[0]) <= index + 1, "the first entry is there");
        assert!(left[1..].iter().all(|name| begun_at(&pair, name) > index + 1), "none is kept for nothing");
        pair.check(&format!("after {index}"));
    }
    assert!(pair.segments().len() <= 2);
    pair.reopen(TINY);
    pair.append(1, &[10]);
    pair.check("reopened");
}

#[test]
fn the_retaining_script_lets_none_one_and_several_segments_go() {
    let mut pair = Pair::new(TINY);
    let mut gone = Vec::new();
    for step in retaining_script() {
        let before = pair.segments();
        assert!(pair.progress.step(&mut pair.writer, &step));
        let after = pair.segments();
        if let Step::Compact(..) = step {
            gone.push(before.iter().filter(|name| !after.contains(name)).count());
            assert!(!pair.progress.model().entries.is_empty(), "a tail is kept");
        }
    }
    assert!([0, 1, 2].iter().all(|count| gone.contains(count)), "{gone:?}");
}

#[test]
fn the_count_of_written_bytes_is_that_of_the_files() {
    let mut pair = Pair::new(TINY);
    let in_files = |pair: &Pair| {
        let of = |name: &String| {
            let bytes = pair.disk.content(name).unwrap();
            super::last_record(&bytes).1 as u64 - 64
        };
        pair.segments().iter().map(of).sum::<u64>()
    };
    assert_eq!(pair.writer.written(), in_files(&pair));
    for step in script().iter().filter(|step| !matches!(step, Step::Compact(..))).take(4) {
        assert!(pair.progress.step(&mut pair.writer, step));
        assert_eq!(pair.writer.written(), in_files(&pair));
    }
    pair.append(3, &[400, 900]);
    assert_eq!(pair.writer.written(), in_files(&pair));
    let before = pair.writer.written();
    pair.reopen(TINY);
    assert_eq!(pair.writer.written(), before, "recovery counts what it finds");
    let after = pair.progress.model().position(pair.progress.model().next().previous());
    assert!(pair.progress.step(&mut pair.writer, &Step::Compact(after, Tail::Kept)));
    assert!(pair.writer.written() > before && in_files(&pair) < before, "it never falls");
}

/// Changes a file as rot does, so that those who have it open see it.
fn flip(disk: &SimDisk, name: &str, bit: usize) {
    let mut disk = disk.clone();
    let file = disk.open(name).unwrap();
    let mut byte = [0];
    disk.read_at(&file, bit as u64 / 8, &mut byte).unwrap();
    byte[0] ^= 1 << (bit % 8);
    disk.write(&file, bit as u64 / 8, &mut [IoSlice::new(&byte)]).unwrap();
}

#[test]
fn every_flipped_bit_is_noticed_or_was_not_needed() {
    let (disk, _, model) = super::three_segments();
    let (mut noticed, mut unused) = (0, 0);
    for name in [super::FIRST, super::SECOND, super::THIRD] {
        let content = disk.content(name).unwrap();
        let (_, end) = super::last_record(&content);
        // In the first segment the opening and a vote are in front of all entries.
        let (_, opening) = record_after(&content, 64);
        let begin = if name == super::FIRST { record_after(&content, opening).1 } else { 64 };
        for bit in 0..content.len() * 8 {
            let disk = disk.fork();
            let (_, mut writer) = reopen(&disk, TINY).unwrap();
            flip(&disk, name, bit);
            let needed = (begin..end).contains(&(bit / 8));
            let read = read_all(&mut writer, 150);
            match read {
                Ok(entries) => {
                    assert!(!needed, "{name}, bit {bit} was not noticed");
                    assert_eq!(entries, model.entries);
                    unused += 1;
                }
                Err(ReadError::Damaged { file, offset, .. }) => {
                    assert!(needed && file == name && offset <= bit as u64 / 8, "{name}, {bit}: {offset}");
                    check_dead(&disk, &mut writer);
                    noticed += 1;
                }
                Err(other) => panic!("{name}, bit {bit}: {other}"),
            }
        }
    }
    println!("{noticed} flips are noticed, {unused} are where no entry is");
    assert!(noticed > 8_000, "only {noticed}");
}

/// Where the record at `offset` begins and where it ends.
fn record_after(bytes: &[u8], offset: usize) -> (usize, usize) {
    (offset, (offset + 24 + super::u32_at(bytes, offset)).next_multiple_of(8))
}

/// The whole log, stretch by stretch; each must fit the one before.
fn read_all<D: Disk>(writer: &mut Writer<D>, bytes_max: usize) -> Result<Vec<Entry>, ReadError> {
    let mut entries: Vec<Entry> = Vec::new();
    loop {
        let first = Index(entries.len() as u64 + 1);
        match writer.read(first, bytes_max) {
            Ok(stretch) => {
                let term = entries.last().map_or(Term(0), |entry| entry.term);
                assert_eq!(stretch.previous, Position { index: first.previous(), term });
                entries.extend(stretch.entries);
            }
            Err(ReadError::Ahead { .. }) => return Ok(entries),
            Err(error) => return Err(error),
        }
    }
}

/// After an error that is final the writer touches nothing.
fn check_dead(disk: &SimDisk, writer: &mut Writer<SimDisk>) {
    let operations = disk.operations();
    assert!(matches!(writer.read(Index(1), 1), Err(ReadError::Failed(_))));
    assert!(matches!(writer.prepare(), Err(WriteError::Failed(_))));
    assert!(!Progress::at(Model::default()).step(writer, &Step::Batch(vec![voted(99, 1)])));
    assert_eq!(disk.operations(), operations);
}

#[test]
fn an_older_record_of_the_same_entries_is_not_read() {
    // The second leader's entries replace the first one's, and then a stray write puts those in their place:
    // a whole record of this segment, with the right indices, but for the chain.
    let mut pair = Pair::new(Options { segment_bytes: 2_000, ..TINY });
    pair.append(1, &[40]);
    pair.append(1, &[40, 50]);
    pair.cut(Index(2), 2, &[40, 50]);
    let content = pair.disk.content(super::FIRST).unwrap();
    let (start, stop) = super::last_record(&content);
    let older = start - (stop - start);
    assert_eq!(super::u32_at(&content, start), super::u32_at(&content, older), "of the same size");
    let mut disk = pair.disk.clone();
    let file = disk.open(super::FIRST).unwrap();
    disk.write(&file, start as u64, &mut [IoSlice::new(&content[older..start])]).unwrap();
    let error = read_all(&mut pair.writer, 1_000).unwrap_err();
    assert!(matches!(error, ReadError::Damaged { offset, .. } if offset == start as u64), "{error}");
}

#[test]
fn a_disk_that_fails_while_it_is_read_is_final() {
    let disk = SimDisk::new();
    let steps: Vec<Step> = script().into_iter().take_while(|step| matches!(step, Step::Batch(_))).collect();
    run(&disk, TINY, &steps);
    let (_, mut writer) = reopen(&disk, TINY).unwrap();
    let before = disk.operations();
    read_all(&mut writer, 150).unwrap();
    let operations = disk.operations() - before;
    assert!(operations > 10, "only {operations}");
    for operation in 1..=operations {
        let disk = disk.fork();
        let (_, mut writer) = reopen(&disk, TINY).unwrap();
        disk.fail_at(disk.operations() + operation, ErrorKind::Other);
        let error = read_all(&mut writer, 150).unwrap_err();
        assert!(matches!(error, ReadError::Failed(_)), "{operation}: {error}");
        check_dead(&disk, &mut writer);
    }
}

#[test]
fn what_was_not_written_is_not_read() {
    let mut pair = Pair::new(TINY);
    pair.append(1, &[50]);
    pair.disk.fail_at(pair.disk.operations() + 2, ErrorKind::Other);
    let wish = pair.progress.model().entries_at(Index(2), 1, &[50]);
    assert!(!pair.progress.step(&mut pair.writer, &Step::Batch(vec![wish])), "the sync fails");
    check_dead(&pair.disk, &mut pair.writer);
    // A full disk is no failure: what is there can still be read, and nothing of what was refused.
    let mut pair = Pair::new(TINY);
    pair.append(1, &[50, 400]);
    pair.disk.set_capacity(Some(800));
    let wish = pair.progress.model().entries_at(Index(2), 1, &[300]);
    assert!(!pair.progress.step(&mut pair.writer, &Step::Batch(vec![wish])), "no space");
    pair.check("full");
    assert_eq!(pair.writer.read(Index(2), 1).unwrap().entries[0].size(), 424);
}

type SimFile = <SimDisk as Disk>::File;

/// A disk that counts what is read.
#[derive(Clone, Debug, Default)]
struct Counting {
    disk: SimDisk,
    bytes: Arc<AtomicU64>,
}

impl Counting {
    fn take(&self) -> u64 {
        self.bytes.swap(0, Ordering::Relaxed)
    }
}

impl Disk for Counting {
    type File = SimFile;

    fn names(&mut self) -> io::Result<Vec<String>> {
        self.disk.names()
    }
    fn create(&mut self, name: &str) -> io::Result<SimFile> {
        self.disk.create(name)
    }
    fn open(&mut self, name: &str) -> io::Result<SimFile> {
        self.disk.open(name)
    }
    fn length(&mut self, file: &SimFile) -> io::Result<u64> {
        self.disk.length(file)
    }
    fn read(&mut self, file: &SimFile, buffer: &mut Vec<u8>) -> io::Result<()> {
        self.disk.read(file, buffer)
    }
    fn read_at(&mut self, file: &SimFile, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.bytes.fetch_add(buffer.len() as u64, Ordering::Relaxed);
        self.disk.read_at(file, offset, buffer)
    }
    fn write(&mut self, file: &SimFile, offset: u64, slices: &mut [IoSlice<'_>]) -> io::Result<()> {
        self.disk.write(file, offset, slices)
    }
    fn append<'a>(
        &mut self,
        file: &mut SimFile,
        offset: u64,
        pieces: impl Iterator<Item = &'a [u8]> + Clone,
    ) -> io::Result<()> {
        self.disk.append(file, offset, pieces)
    }
    fn sync(&mut self, file: &SimFile) -> io::Result<()> {
        self.disk.sync(file)
    }
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }
    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
    }
    fn sync_directory(&mut self) -> io::Result<()> {
        self.disk.sync_directory()
    }
}

/// Writes some two megabytes of entries of that size, so many to a record.
fn long_log(entry_bytes: usize, per_record: usize) -> (Counting, Writer<Counting>, u64) {
    let options = Options { segment_bytes: 700 << 10, ..Options::default() };
    let disk = Counting::default();
    let mut writer = create(disk.clone(), IDENTITY, options).unwrap();
    let mut progress = Progress::at(Model::default());
    assert!(progress.step(&mut writer, &Step::Batch(vec![voted(1, 1)])));
    let records = (2 << 20) / (entry_bytes * per_record);
    let mut next = Index(1);
    for _ in 0..records {
        // A model with nothing in it but the place, so that it need not grow.
        let at = Model { start: Position { index: next.previous(), term: Term(1) }, ..Model::default() };
        let wish = at.entries_at(next, 1, &vec![entry_bytes; per_record]);
        assert!(Progress::at(at).step(&mut writer, &Step::Batch(vec![wish])));
        next = Index(next.0 + per_record as u64);
    }
    (disk, writer, next.0)
}

#[test]
fn catching_up_reads_little_more_than_what_is_sent() {
    const STRETCH: usize = 256 << 10;
    const LANDMARK: u64 = 64 << 10;
    for (entry_bytes, per_record) in
        [(100, 1), (100, 50), (1_000, 10), (1_000, 40), (30_000, 1), (900, 400), (900, 1_150)]
    {
        let (disk, mut writer, next) = long_log(entry_bytes, per_record);
        for reopened in [false, true] {
            if reopened {
                let options = Options { segment_bytes: 700 << 10, ..Options::default() };
                writer = open(disk.clone(), IDENTITY, options).unwrap().1;
            }
            let record = ((entry_bytes + 16) * per_record + 40) as u64;
            // What an entry takes in a file beyond what it counts for.
            let most = (STRETCH * (entry_bytes + 56) / (entry_bytes + 24)) as u64 + 2 * LANDMARK + 2 * record;
            let (mut first, mut total) = (1, 0);
            while first < next {
                disk.take();
                let stretch = writer.read(Index(first), STRETCH).unwrap();
                let read = disk.take();
                assert!(read <= most, "{entry_bytes} x {per_record}: {read} bytes for one stretch");
                total += read;
                first += stretch.entries.len() as u64;
            }
            let factor = total as f64 / writer.written() as f64;
            println!("{entry_bytes} x {per_record}: {factor:.2} of the log was read");
            assert!(factor < 1.1, "{entry_bytes} x {per_record}: {factor} of the log was read");
        }
    }
}

#[test]
fn one_landmark_before_is_all_that_is_read_for_one_entry() {
    let (disk, mut writer, next) = long_log(1_000, 4);
    for first in (1..next).step_by(97) {
        disk.take();
        writer.read(Index(first), 1).unwrap();
        let read = disk.take();
        assert!(read <= 2 * (64 << 10) + 2 * 4_100, "{read} bytes for entry {first}");
    }
}

/// A step relative to whatever the log holds by then.
#[derive(Clone, Debug)]
enum Move {
    /// In one batch: each replaces so many of the last entries by entries of these sizes.
    Write(Vec<(u64, Vec<usize>)>),
    Vote,
    /// A tail of this share of the log is kept, in percent, or it is dropped.
    Compact {
        share: u64,
        drop_tail: bool,
    },
    Idle,
    Reopen,
}

fn moves() -> impl Strategy<Value = Move> {
    let size = prop_oneof![3 => Just(0usize), 10 => 1usize..100, 1 => 500usize..1_500];
    let back = prop_oneof![4 => Just(0u64), 2 => 1u64..5, 1 => 1u64..60];
    let write = proptest::collection::vec((back, proptest::collection::vec(size, 1..6)), 1..4);
    let compact = (0u64..=100, proptest::bool::weighted(0.2));
    prop_oneof![
        12 => write.prop_map(Move::Write),
        2 => Just(Move::Vote),
        2 => compact.prop_map(|(share, drop_tail)| Move::Compact { share, drop_tail }),
        1 => Just(Move::Idle),
        1 => Just(Move::Reopen),
    ]
}

fn tiny_options() -> impl Strategy<Value = Options> {
    (400u64..2_000, 0u64..150, 1usize..600, 1u64..900).prop_map(
        |(segment_bytes, reserve_bytes, batch_bytes, landmark_bytes)| Options {
            segment_bytes,
            reserve_bytes,
            batch_bytes,
            landmark_bytes,
        },
    )
}

fn step_for(model: &Model, wanted: &Move) -> Option<Step> {
    let term = model.hard_state.term.0;
    match wanted {
        Move::Write(pieces) => {
            let mut grown = model.clone();
            let mut wishes = Vec::new();
            for (back, sizes) in pieces {
                let back = (*back).min(grown.entries.len() as u64);
                let term = grown.hard_state.term.0;
                let term = if back > 0 || term == 0 { term + 1 } else { term };
                let wish = grown.entries_at(Index(grown.next().0 - back), term, sizes);
                wishes.push(Wish { hard_state: voted(term, 1).hard_state, ..wish });
                grown.write(wishes.last().expect("one has just been pushed"));
            }
            Some(Step::Batch(wishes))
        }
        Move::Vote => Some(Step::Batch(vec![voted(term + 1, 2)])),
        Move::Compact { share, drop_tail } => {
            let index = Index(model.start.index.0 + model.entries.len() as u64 * share / 100);
            Some(match drop_tail {
                true => {
                    Step::Compact(Position { index: Index(index.0 + 3), term: Term(term) }, Tail::Dropped)
                }
                false => Step::Compact(model.position(index), Tail::Kept),
            })
        }
        Move::Idle => Some(Step::Prepare),
        Move::Reopen => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(250) })]

    #[test]
    fn every_read_equals_the_model(
        options in tiny_options(),
        moves in proptest::collection::vec(moves(), 1..40),
        limit in 0usize..1_000,
    ) {
        let mut pair = Pair::new(options);
        for (number, wanted) in moves.iter().enumerate() {
            match step_for(&pair.progress.model(), wanted) {
                Some(step) => prop_assert!(pair.progress.step(&mut pair.writer, &step)),
                None => pair.reopen(options),
            }
            let context = format!("after move {number}");
            pair.progress.model().check_reads(&mut pair.writer, &[0, limit, usize::MAX], &context);
        }
    }
}
