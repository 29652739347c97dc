//! A disk in memory that fails and loses power on request.
//!
//! It keeps apart what readers see and what is durable, and in between, in the order in which it was asked
//! for, everything that is not durable yet. Three ends of a process can be played:
//!
//! * it is killed: [`SimDisk::restart`]. The next process sees everything, durable or not;
//! * power fails: [`SimDisk::cut_power`]. Of what was not durable some part survives ([`Survival`]): files
//!   lose and keep single sectors, sectors are torn, names appear, stay and vanish on their own;
//! * either of them in the middle of a chosen operation: [`SimDisk::stop_at`].
//!
//! An operation can be made to fail ([`SimDisk::fail_at`]), in the way kernels do it: a failed sync leaves
//! the bytes readable, takes them for written, and they will never be durable unless they are written again.
//!
//! Handles of one disk share it, so that a simulator can hold on to a disk whose owner is gone.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind, IoSlice};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard};

use super::Disk;
use crate::prng::Prng;

/// What survives of the changes that were not durable when power failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Survival {
    /// None of them.
    Nothing,
    /// The oldest of them, up to so many bytes; a change of a name counts as one byte.
    Prefix(u64),
    /// Any of them, sector by sector, some sectors torn. Equal seeds choose equally.
    Random(u64),
}

/// What a careless owner does not do. For tests of tests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Neglect {
    /// It never syncs a file.
    Syncs,
    /// It never syncs the directory.
    DirectorySyncs,
    /// It repeats a sync that has failed, and believes the second answer.
    FailedSyncs,
    /// It does not look whether a write has found space.
    FullDisk,
}

/// A simulated disk. Clones are handles of the same one.
#[derive(Clone, Debug, Default)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
}

/// An open file of a simulated disk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SimFile(usize);

#[derive(Clone, Debug, Default)]
struct State {
    files: BTreeMap<SimFile, Content>,
    /// The last handle given out.
    last_file: usize,
    /// Names as readers see them, and as they are after a power cut.
    names: Names,
    durable_names: Names,
    /// Not durable yet, oldest first.
    pending: Vec<Change>,
    /// Operations so far.
    operations: u64,
    stop_at: Option<u64>,
    fail_at: Option<(u64, ErrorKind)>,
    /// Nothing works any more until the next process.
    stopped: bool,
    /// An operation that others rest on has failed in the life of this process.
    failed: bool,
    neglect: Option<Neglect>,
    /// All files together may take so many bytes.
    capacity: Option<u64>,
}

type Names = BTreeMap<String, SimFile>;

/// Bytes are shared between forks, and between readers and the platter, until one of them is written to.
#[derive(Clone, Debug, Default)]
struct Content {
    seen: Arc<Vec<u8>>,
    durable: Arc<Vec<u8>>,
}

#[derive(Clone, Debug)]
enum Change {
    Bytes { file: SimFile, offset: usize, bytes: Vec<u8> },
    Name(Naming),
}

/// A change of names. Each is atomic.
#[derive(Clone, Debug)]
enum Naming {
    /// The name now means this file; whichever name it had before is gone.
    Is {
        name: String,
        file: SimFile,
    },
    Gone {
        name: String,
    },
}

const SECTOR_BYTES: usize = 512;

/// An append may take what is behind it with it, up to a multiple of so much: less than on a real disk, so
/// that something is left of what small files held before.
const APPEND_BYTES: usize = 64;

impl SimDisk {
    /// An empty disk.
    pub fn new() -> SimDisk {
        SimDisk::default()
    }

    /// Another disk with the same state.
    pub fn fork(&self) -> SimDisk {
        SimDisk { state: Arc::new(Mutex::new(self.state().clone())) }
    }

    /// How many operations there have been.
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Stops in the middle of the operation with that number, counted from 1: it is begun and not finished,
    /// and nothing works after it.
    pub fn stop_at(&self, operation: u64) {
        self.state().stop_at = Some(operation);
    }

    /// Makes the operation with that number, counted from 1, fail.
    pub fn fail_at(&self, operation: u64, kind: ErrorKind) {
        self.state().fail_at = Some((operation, kind));
    }

    /// Its owner neglects something from now on, or nothing any more.
    pub fn neglect(&self, neglect: Option<Neglect>) {
        self.state().neglect = neglect;
    }

    /// Whether something that others rest on has failed in the life of this process: a write, a sync, a new
    /// name. A file that could not be removed does no harm.
    pub fn has_failed(&self) -> bool {
        self.state().failed
    }

    /// How many bytes all files together may have from now on.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.state().capacity = bytes;
    }

    /// The process has ended and another begins; the machine went on.
    pub fn restart(&self) {
        let mut state = self.state();
        (state.stopped, state.failed) = (false, false);
        state.stop_at = None;
        state.fail_at = None;
    }

    /// Power has failed and is back, and a new process begins.
    pub fn cut_power(&self, survival: Survival) {
        self.restart();
        let mut state = self.state();
        let pending = mem::take(&mut state.pending);
        match survival {
            Survival::Nothing => {}
            Survival::Prefix(bytes) => state.keep_prefix(pending, bytes),
            Survival::Random(seed) => state.keep_some(pending, &mut Prng::new(seed)),
        }
        for content in state.files.values_mut() {
            content.seen.clone_from(&content.durable);
        }
        state.names = state.durable_names.clone();
        state.forget_nameless();
    }

    /// How many bytes were written and are not durable.
    pub fn pending_bytes(&self) -> u64 {
        self.state().pending.iter().map(Change::weight).sum()
    }

    /// The content of a file, as readers see it.
    pub fn content(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.state();
        state.names.get(name).map(|file| state.files[file].seen.to_vec())
    }

    /// The names of all files, without this being an operation.
    pub fn file_names(&self) -> Vec<String> {
        self.state().names.keys().cloned().collect()
    }

    /// Turns a bit of a file over, for readers and durably, whoever holds it open. Beyond its end nothing
    /// happens.
    pub fn flip(&self, name: &str, offset: usize, bit: u8) {
        let mut state = self.state();
        let Some(file) = state.names.get(name).copied() else { return };
        state.change(file, |content| {
            for bytes in [&mut content.seen, &mut content.durable] {
                if let Some(byte) = Arc::make_mut(bytes).get_mut(offset) {
                    *byte ^= 1 << bit;
                }
            }
        });
    }

    /// Replaces a file, or removes it, behind everybody's back, durably: rot, or an operator's hand.
    pub fn tamper(&self, name: &str, content: Option<Vec<u8>>) {
        let mut state = self.state();
        let Some(bytes) = content else {
            state.names.remove(name);
            state.durable_names.remove(name);
            return;
        };
        let file = state.new_file();
        let bytes = Arc::new(bytes);
        state.files.insert(file, Content { seen: Arc::clone(&bytes), durable: bytes });
        state.names.insert(name.to_owned(), file);
        state.durable_names.insert(name.to_owned(), file);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing in here panics")
    }
}

/// Whether an operation is carried out.
#[derive(PartialEq, Eq)]
enum Fate {
    Done,
    /// It is begun, and the process does not live to see its end.
    Interrupted,
    Failed(ErrorKind),
}

impl Fate {
    /// What the caller is told.
    fn result(&self) -> io::Result<()> {
        match self {
            Fate::Done => Ok(()),
            Fate::Interrupted => Err(stopped()),
            Fate::Failed(kind) => Err((*kind).into()),
        }
    }
}

fn stopped() -> io::Error {
    io::Error::other("this process has stopped")
}

impl State {
    fn begin(&mut self) -> io::Result<Fate> {
        if self.stopped {
            return Err(stopped());
        }
        self.operations += 1;
        if self.stop_at == Some(self.operations) {
            self.stopped = true;
            return Ok(Fate::Interrupted);
        }
        match self.fail_at {
            Some((operation, kind)) if operation == self.operations => Ok(Fate::Failed(kind)),
            _ => Ok(Fate::Done),
        }
    }

    /// Begins an operation that others rest on.
    fn begin_change(&mut self) -> io::Result<Fate> {
        let fate = self.begin()?;
        self.failed |= matches!(fate, Fate::Failed(_));
        Ok(fate)
    }

    fn new_file(&mut self) -> SimFile {
        self.last_file += 1;
        self.files.insert(SimFile(self.last_file), Content::default());
        SimFile(self.last_file)
    }

    /// What readers of a file see. A file that has lost its name is gone, even for those who hold it open.
    fn look_at(&self, file: SimFile) -> io::Result<&[u8]> {
        self.files.get(&file).map(|content| &content.seen[..]).ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn change(&mut self, file: SimFile, change: impl FnOnce(&mut Content)) {
        if let Some(content) = self.files.get_mut(&file) {
            change(content);
        }
    }

    fn find(&self, name: &str) -> io::Result<SimFile> {
        self.names.get(name).copied().ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn rename(&mut self, naming: Naming) {
        naming.apply(&mut self.names);
        self.pending.push(Change::Name(naming));
    }

    /// Writes what there is space for.
    fn write(&mut self, file: SimFile, offset: usize, mut bytes: Vec<u8>) -> io::Result<()> {
        let length = self.look_at(file)?.len();
        let growth = (offset + bytes.len()).saturating_sub(length) as u64;
        let used = || self.names.values().map(|file| self.files[file].seen.len() as u64).sum::<u64>();
        let lacking =
            self.capacity.map_or(0, |capacity| (used() + growth).saturating_sub(capacity).min(growth));
        bytes.truncate(bytes.len().saturating_sub(usize::try_from(lacking).unwrap_or(usize::MAX)));
        if !bytes.is_empty() {
            self.change(file, |content| put(&mut content.seen, offset, &bytes));
            self.pending.push(Change::Bytes { file, offset, bytes });
        }
        let is_noticed = self.neglect != Some(Neglect::FullDisk);
        if lacking > 0 && is_noticed { Err(ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    /// Takes what a sync covers out of what is pending; durable if it succeeds, forgotten if it fails.
    fn settle(&mut self, fate: &Fate, covers: impl Fn(&Change) -> bool) {
        if *fate == Fate::Interrupted {
            return;
        }
        let (settled, pending) = mem::take(&mut self.pending).into_iter().partition(|change| covers(change));
        self.pending = pending;
        if *fate == Fate::Done {
            let settled: Vec<Change> = settled;
            let are_names = settled.iter().any(|change| matches!(change, Change::Name(_)));
            settled.into_iter().for_each(|change| self.make_durable(change));
            if are_names {
                self.forget_nameless();
            }
        }
    }

    /// Frees what has no name any more, now or after a power cut.
    fn forget_nameless(&mut self) {
        let State { files, names, durable_names, .. } = self;
        let named: BTreeSet<SimFile> = names.values().chain(durable_names.values()).copied().collect();
        files.retain(|file, _| named.contains(file));
    }

    fn make_durable(&mut self, change: Change) {
        match change {
            Change::Bytes { file, offset, bytes } => {
                self.change(file, |content| put(&mut content.durable, offset, &bytes));
            }
            Change::Name(naming) => naming.apply(&mut self.durable_names),
        }
    }

    fn keep_prefix(&mut self, pending: Vec<Change>, mut bytes_left: u64) {
        for change in pending {
            let weight = change.weight();
            if let Some(kept) = change.shortened(bytes_left) {
                self.make_durable(kept);
            }
            bytes_left = bytes_left.saturating_sub(weight);
        }
    }

    /// Each seed has its own chance for a sector to survive: nearly all, about half, nearly none.
    fn keep_some(&mut self, pending: Vec<Change>, prng: &mut Prng) {
        let chance = [5, 50, 95][usize::try_from(prng.below(3)).expect("below three")];
        for change in pending {
            let Change::Bytes { file, offset, bytes } = change else {
                if prng.below(100) < chance {
                    self.make_durable(change);
                }
                continue;
            };
            let mut done = 0;
            while done < bytes.len() {
                let sector_end = (offset + done + 1).next_multiple_of(SECTOR_BYTES) - offset;
                let end = sector_end.min(bytes.len());
                let torn = prng.below(8) == 0;
                let cut = usize::try_from(prng.below((end - done) as u64)).expect("below a sector");
                let kept = if torn { done + cut } else { end };
                if prng.below(100) < chance {
                    self.change(file, |content| put(&mut content.durable, offset + done, &bytes[done..kept]));
                }
                done = end;
            }
        }
    }
}

/// Overwrites and extends; a hole reads as zeros.
fn put(content: &mut Arc<Vec<u8>>, offset: usize, bytes: &[u8]) {
    let content = Arc::make_mut(content);
    let end = offset + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[offset..end].copy_from_slice(bytes);
}

impl Change {
    fn weight(&self) -> u64 {
        match self {
            Change::Bytes { bytes, .. } => bytes.len() as u64,
            Change::Name(_) => 1,
        }
    }

    /// What is left of it when only so many bytes of it are kept.
    fn shortened(mut self, bytes_max: u64) -> Option<Change> {
        if let Change::Bytes { bytes, .. } = &mut self {
            bytes.truncate(usize::try_from(bytes_max).unwrap_or(usize::MAX));
        }
        (bytes_max > 0).then_some(self)
    }
}

impl Naming {
    fn apply(&self, names: &mut Names) {
        match self {
            Naming::Is { name, file } => {
                let before = names.iter().find(|(_, other)| *other == file).map(|(name, _)| name.clone());
                before.map(|before| names.remove(&before));
                names.insert(name.clone(), *file);
            }
            Naming::Gone { name } => {
                names.remove(name);
            }
        }
    }
}

impl Disk for SimDisk {
    type File = SimFile;

    fn names(&mut self) -> io::Result<Vec<String>> {
        let mut state = self.state();
        state.begin()?.result()?;
        Ok(state.names.keys().cloned().collect())
    }

    fn create(&mut self, name: &str) -> io::Result<SimFile> {
        let mut state = self.state();
        let fate = state.begin_change()?;
        let file = state.new_file();
        if !matches!(fate, Fate::Failed(_)) {
            state.rename(Naming::Is { name: name.to_owned(), file });
        }
        fate.result().map(|()| file)
    }

    fn open(&mut self, name: &str) -> io::Result<SimFile> {
        let mut state = self.state();
        state.begin()?.result()?;
        state.find(name)
    }

    fn length(&mut self, file: &SimFile) -> io::Result<u64> {
        let mut state = self.state();
        state.begin()?.result()?;
        Ok(state.look_at(*file)?.len() as u64)
    }

    fn read(&mut self, file: &SimFile, buffer: &mut Vec<u8>) -> io::Result<()> {
        let mut state = self.state();
        state.begin()?.result()?;
        buffer.clear();
        buffer.extend_from_slice(state.look_at(*file)?);
        Ok(())
    }

    fn read_at(&mut self, file: &SimFile, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let mut state = self.state();
        state.begin()?.result()?;
        let content = state.look_at(*file)?;
        let start = usize::try_from(offset).expect("a file in memory");
        let wanted = content.get(start..start + buffer.len()).ok_or(ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(wanted);
        Ok(())
    }

    fn write(&mut self, file: &SimFile, offset: u64, slices: &mut [IoSlice<'_>]) -> io::Result<()> {
        let mut state = self.state();
        let fate = state.begin_change()?;
        let mut bytes = Vec::with_capacity(slices.iter().map(|slice| slice.len()).sum());
        slices.iter().for_each(|slice| bytes.extend_from_slice(slice));
        if let Fate::Failed(_) = fate {
            bytes.truncate(bytes.len() / 2);
        }
        let offset = usize::try_from(offset).map_err(|_| ErrorKind::FileTooLarge)?;
        let written = state.write(*file, offset, bytes);
        fate.result().and(written)
    }

    fn append<'a>(
        &mut self,
        file: &mut SimFile,
        offset: u64,
        pieces: impl Iterator<Item = &'a [u8]> + Clone,
    ) -> io::Result<()> {
        let bytes: Vec<u8> = pieces.flatten().copied().collect();
        let end = usize::try_from(offset).map_err(|_| ErrorKind::FileTooLarge)? + bytes.len();
        let length = self.state().look_at(*file)?.len();
        let zeros = (end.next_multiple_of(APPEND_BYTES).min(length)).saturating_sub(end);
        self.write(file, offset, &mut [IoSlice::new(&bytes), IoSlice::new(&[0; APPEND_BYTES][..zeros])])
    }

    fn sync(&mut self, file: &SimFile) -> io::Result<()> {
        let mut state = self.state();
        let fate = state.begin_change()?;
        if state.neglect == Some(Neglect::Syncs) {
            return fate.result();
        }
        state.settle(&fate, |change| matches!(change, Change::Bytes { file: other, .. } if other == file));
        match fate {
            Fate::Failed(_) if state.neglect == Some(Neglect::FailedSyncs) => Ok(()),
            fate => fate.result(),
        }
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        let fate = state.begin_change()?;
        let file = state.find(from)?;
        if !matches!(fate, Fate::Failed(_)) {
            state.rename(Naming::Is { name: to.to_owned(), file });
        }
        fate.result()
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        let fate = state.begin()?;
        state.find(name)?;
        if !matches!(fate, Fate::Failed(_)) {
            state.rename(Naming::Gone { name: name.to_owned() });
        }
        fate.result()
    }

    fn sync_directory(&mut self) -> io::Result<()> {
        let mut state = self.state();
        let fate = state.begin_change()?;
        if state.neglect != Some(Neglect::DirectorySyncs) {
            state.settle(&fate, |change| matches!(change, Change::Name(_)));
        }
        fate.result()
    }
}
