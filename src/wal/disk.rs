//! The few file operations that the log needs, and the real ones.
//!
//! What the log relies on, and no more: bytes and length of a file survive a power cut once `sync` has
//! returned, names once `sync_directory` has. Before that anything may survive, in any order (ALICE).

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, IoSlice, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::error::{During, OpenError};

/// One directory of files.
pub trait Disk {
    /// An open file. It stays the same file when it is renamed.
    type File;

    /// The names of all files.
    ///
    /// # Errors
    ///
    /// What the operating system says; so for all of these.
    fn names(&mut self) -> io::Result<Vec<String>>;

    /// Makes an empty file of that name, in place of any other.
    fn create(&mut self, name: &str) -> io::Result<Self::File>;

    /// Opens a file to read and write.
    fn open(&mut self, name: &str) -> io::Result<Self::File>;

    /// How many bytes a file has.
    fn length(&mut self, file: &Self::File) -> io::Result<u64>;

    /// Reads a whole file in place of what `buffer` held.
    fn read(&mut self, file: &Self::File, buffer: &mut Vec<u8>) -> io::Result<()>;

    /// Writes all of the slices, one behind the other, from `offset` on.
    fn write(&mut self, file: &Self::File, offset: u64, slices: &mut [IoSlice<'_>]) -> io::Result<()>;

    /// Makes a file's bytes and length durable.
    fn sync(&mut self, file: &Self::File) -> io::Result<()>;

    /// Gives a file another name, in place of any other of that name. At once, even if power fails.
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    fn remove(&mut self, name: &str) -> io::Result<()>;

    /// Makes creations, renamings and removals durable.
    fn sync_directory(&mut self) -> io::Result<()>;
}

/// Slices that go to the operating system in one call; it takes no more than 1024.
const SLICES_PER_CALL: usize = 64;

/// Zeros come from here, again and again.
static ZEROS: [u8; 4096] = [0; 4096];

/// Writes pieces that lie scattered in memory one behind the other.
pub(super) fn write_pieces<'a, D: Disk>(
    disk: &mut D,
    file: &D::File,
    mut offset: u64,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> io::Result<()> {
    let mut pieces = pieces.peekable();
    while pieces.peek().is_some() {
        let mut slices = [IoSlice::new(&[]); SLICES_PER_CALL];
        let mut count = 0;
        let mut bytes = 0;
        for (slot, piece) in slices.iter_mut().zip(pieces.by_ref().take(SLICES_PER_CALL)) {
            *slot = IoSlice::new(piece);
            count += 1;
            bytes += piece.len() as u64;
        }
        disk.write(file, offset, &mut slices[..count])?;
        offset += bytes;
    }
    Ok(())
}

/// How many zeros one call of [`write_zeros`] writes at most.
pub(super) const ZEROS_PER_CALL: u64 = (ZEROS.len() * SLICES_PER_CALL) as u64;

/// Writes up to `count` zeros and answers how many.
pub(super) fn write_zeros<D: Disk>(disk: &mut D, file: &D::File, offset: u64, count: u64) -> io::Result<u64> {
    let bytes = count.min(ZEROS_PER_CALL);
    let mut slices = [IoSlice::new(&[]); SLICES_PER_CALL];
    let mut left = usize::try_from(bytes).expect("bounded by a small constant");
    let mut used = 0;
    while left > 0 {
        let piece = left.min(ZEROS.len());
        slices[used] = IoSlice::new(&ZEROS[..piece]);
        used += 1;
        left -= piece;
    }
    disk.write(file, offset, &mut slices[..used])?;
    Ok(bytes)
}

/// A directory of the file system, locked for as long as this value lives.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    handle: File,
    /// Released by the operating system when the process ends, however it ends.
    _lock: File,
}

/// The file that is locked. It is never removed: a lock on a removed file would keep nobody out.
const LOCK_NAME: &str = "lock";

impl Directory {
    /// Takes possession of a directory, which must exist.
    ///
    /// # Errors
    ///
    /// [`OpenError::Busy`] when another process has it, [`OpenError::Failed`] when it cannot be opened.
    pub fn open(path: &Path) -> Result<Directory, OpenError> {
        let shown = path.display().to_string();
        let handle = File::open(path).during("open", &shown)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path.join(LOCK_NAME));
        let lock = lock.during("open the lock in", &shown)?;
        match lock.try_lock() {
            Ok(()) => Ok(Directory { path: path.to_owned(), handle, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(OpenError::Busy { directory: shown }),
            Err(TryLockError::Error(error)) => Err(error).during("lock", &shown).map_err(OpenError::from),
        }
    }
}

impl Disk for Directory {
    type File = File;

    fn names(&mut self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for file in self.path.read_dir()? {
            // A name that is not text is none of ours.
            names.extend(file?.file_name().into_string().ok().filter(|name| name != LOCK_NAME));
        }
        Ok(names)
    }

    fn create(&mut self, name: &str) -> io::Result<File> {
        let path = self.path.join(name);
        OpenOptions::new().create(true).truncate(true).read(true).write(true).open(path)
    }

    fn open(&mut self, name: &str) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).open(self.path.join(name))
    }

    fn length(&mut self, file: &File) -> io::Result<u64> {
        file.metadata().map(|metadata| metadata.len())
    }

    fn read(&mut self, mut file: &File, buffer: &mut Vec<u8>) -> io::Result<()> {
        buffer.clear();
        file.seek(SeekFrom::Start(0))?;
        file.read_to_end(buffer).map(|_| ())
    }

    fn write(&mut self, mut file: &File, offset: u64, mut slices: &mut [IoSlice<'_>]) -> io::Result<()> {
        file.seek(SeekFrom::Start(offset))?;
        // A short count is what comes before an error; the next call says which one.
        while !slices.is_empty() {
            match file.write_vectored(slices)? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                written => IoSlice::advance_slices(&mut slices, written),
            }
        }
        Ok(())
    }

    fn sync(&mut self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.path.join(name))
    }

    fn sync_directory(&mut self) -> io::Result<()> {
        self.handle.sync_all()
    }
}
