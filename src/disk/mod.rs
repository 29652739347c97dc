//! The few file operations that the log and the snapshots need.
//!
//! What they rely on, and no more: bytes and length of a file survive a power cut once `sync` has
//! returned, names once `sync_directory` has. Before that anything may survive, in any order (ALICE).
//!
//! There are two disks: [`Directory`], a folder of the file system, and [`SimDisk`], which loses power on
//! request.

mod direct;
mod directory;
mod failure;
mod sim_disk;

use std::io::{self, IoSlice};

pub use directory::{Directory, LockError};
pub use failure::DiskFailure;
pub(crate) use failure::During;
pub use sim_disk::{Neglect, SimDisk, Survival};

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

    /// Fills `buffer` with what the file holds from `offset` on; fails if it ends before.
    fn read_at(&mut self, file: &Self::File, offset: u64, buffer: &mut [u8]) -> io::Result<()>;

    /// Writes all of the slices, one behind the other, from `offset` on.
    fn write(&mut self, file: &Self::File, offset: u64, slices: &mut [IoSlice<'_>]) -> io::Result<()>;

    /// Writes all of the pieces, one behind the other, from `offset` on, as what is to be synced next; what
    /// the file held behind them may be lost. After its first append a file is only appended to.
    fn append<'a>(
        &mut self,
        file: &mut Self::File,
        offset: u64,
        pieces: impl Iterator<Item = &'a [u8]> + Clone,
    ) -> io::Result<()>;

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
pub(crate) fn write_pieces<'a, D: Disk>(
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
pub(crate) const ZEROS_PER_CALL: u64 = (ZEROS.len() * SLICES_PER_CALL) as u64;

/// Writes up to `count` zeros and answers how many.
pub(crate) fn write_zeros<D: Disk>(disk: &mut D, file: &D::File, offset: u64, count: u64) -> io::Result<u64> {
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
