//! A batch made durable in a real log on a real disk. The limit is to write as many bytes to a file that has
//! its space already, and fdatasync it.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use quorate::disk::Directory;
use quorate::identity::{ClusterId, Incarnation};
use quorate::raft::{Entry, HardState, Index, LogAppend, LogWrite, NodeId, Term, WriteSequence};
use quorate::wal::{Identity, Options, Spare, Writer, create};

use crate::harness::{calls, compare};
use crate::samples;

/// Batches in a round; a disk takes its time.
const BATCHES: usize = 10;

/// Room of the file that is written to directly.
const FILE_BYTES: usize = 16 << 20;

pub(crate) fn run() {
    let folder = Folder::new();
    let mut log = Log::new(&folder.0);
    for (writes, entries) in [(1, 1), (1, 64), (64, 1), (1, 1_000)] {
        let bytes = log.bytes_of_a_batch(writes, entries);
        let mut raw = Raw::new(&folder.0, bytes);
        let what = format!("wal: a batch of {writes} x {entries} entries durable, {bytes} bytes");
        let ours = || {
            log.make_ready();
            calls(BATCHES, || log.write(writes, entries))
        };
        compare(&what, ours, "write and fdatasync as many bytes", || calls(BATCHES, || raw.write()));
    }
}

/// A folder on the disk that the build is on, removed at the end: memory would be no measure.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("bench-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder below target");
        Folder(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Log {
    writer: Writer<Directory>,
    waiting: Vec<LogWrite>,
    /// What is written, over and over; their bytes are shared.
    entries: Vec<Entry>,
    sequence: u64,
    next: u64,
}

impl Log {
    fn new(folder: &Path) -> Log {
        let disk = Directory::open(folder).expect("the folder is ours");
        let identity = Identity { cluster: ClusterId(1), node: NodeId(1), incarnation: Incarnation(1) };
        let writer = create(disk, identity, Options::default()).expect("a new log");
        Log { writer, waiting: Vec::new(), entries: samples::entries(1_000), sequence: 0, next: 1 }
    }

    /// Prepares the next segment, as a log does when it has nothing else to do.
    fn make_ready(&mut self) {
        while self.writer.prepare().expect("a disk with room") == Spare::Underway {}
    }

    fn write(&mut self, writes: u64, entries: usize) {
        for _ in 0..writes {
            self.sequence += 1;
            let append = LogAppend { first: Index(self.next), entries: self.entries[..entries].to_vec() };
            self.next += entries as u64;
            self.waiting.push(LogWrite {
                sequence: WriteSequence(self.sequence),
                hard_state: (self.sequence == 1).then_some(HardState { term: Term(3), vote: None }),
                start: None,
                entries: Some(append),
                then_send: Vec::new(),
            });
        }
        while !self.waiting.is_empty() {
            self.writer.write(&mut self.waiting).expect("a disk that works");
        }
    }

    fn bytes_of_a_batch(&mut self, writes: u64, entries: usize) -> usize {
        let before = self.writer.written();
        self.write(writes, entries);
        usize::try_from(self.writer.written() - before).expect("a batch is small")
    }
}

/// A file of zeros that is overwritten from its beginning to its end, again and again.
struct Raw {
    file: File,
    bytes: Vec<u8>,
    offset: usize,
}

impl Raw {
    fn new(folder: &Path, bytes: usize) -> Raw {
        let mut file = File::create(folder.join("raw")).expect("the folder is ours");
        file.write_all(&vec![0; FILE_BYTES]).expect("a disk with room");
        file.sync_all().expect("a disk that works");
        Raw { file, bytes: vec![b'x'; bytes], offset: 0 }
    }

    fn write(&mut self) {
        if self.offset + self.bytes.len() > FILE_BYTES {
            self.offset = 0;
        }
        self.file.write_all_at(&self.bytes, self.offset as u64).expect("a disk with room");
        self.file.sync_data().expect("a disk that works");
        self.offset += self.bytes.len();
    }
}
