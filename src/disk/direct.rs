//! Appending past the page cache.
//!
//! What a log writes is synced at once, and read again hardly ever. Through the page cache it is copied
//! there, looked for again by the sync, and then kept in memory of which a small machine has little. Written
//! directly (`O_DIRECT`), it goes from here to the disk: a write of 2.5 KB and its sync took 37 instead of 50
//! microseconds of processor time, and 83 instead of 125 from beginning to end with nobody else at the disk.
//!
//! The price is that such a write begins and ends at a multiple of a block. So the block in which the last
//! one ended is written once more, from the copy that is kept here, as the page cache would have done; and
//! what follows an append, up to the end of its last block, becomes zeros.
//!
//! Where the system does not take such writes, because the file system cannot or the file ends within a
//! block, the same bytes take the usual way.

use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;

use rustix::fs::{OFlags, fcntl_setfl};

/// What direct writes begin and end at: no less than any common disk asks for, and what the page cache has.
const BLOCK_BYTES: usize = 4096;

/// The longest direct write. Longer ones are better left to the page cache, which lets the disk work on
/// several pieces at a time.
const STAGE_BYTES: usize = 64 << 10;

/// The end of a file that is appended to.
pub(super) struct Stage {
    /// Room for a stage that begins at a multiple of a block, wherever the allocator puts it.
    memory: Box<[u8]>,
    /// Where in it the stage begins.
    aligned: usize,
    /// The place in the file of the bytes on the stage, a multiple of a block.
    begin: u64,
    /// How many of them are known to be what the file holds, or is to hold.
    held: usize,
    /// How long the file is: nothing is appended behind that directly, for it would grow.
    length: u64,
    is_direct: bool,
}

impl Stage {
    /// For a file of which nothing is known yet.
    pub(super) fn new(file: &File) -> io::Result<Stage> {
        let memory = vec![0; STAGE_BYTES + BLOCK_BYTES].into_boxed_slice();
        let aligned = memory.as_ptr().align_offset(BLOCK_BYTES);
        assert!(aligned <= BLOCK_BYTES, "there is a multiple of a block in every block");
        Ok(Stage { memory, aligned, begin: 0, held: 0, length: file.metadata()?.len(), is_direct: true })
    }

    fn bytes(&mut self) -> &mut [u8] {
        &mut self.memory[self.aligned..self.aligned + STAGE_BYTES]
    }

    /// Whether so many bytes from `offset` on can be appended here.
    pub(super) fn has_room(&self, offset: u64, bytes: usize) -> bool {
        let end = (offset + bytes as u64).next_multiple_of(BLOCK_BYTES as u64);
        self.is_direct && bytes <= STAGE_BYTES - BLOCK_BYTES && end <= self.length
    }

    /// Somebody else writes to the file.
    pub(super) fn forget(&mut self) {
        self.held = 0;
    }

    /// Writes the pieces one behind the other, from `offset` on; there must be room for them.
    pub(super) fn append<'a>(
        &mut self,
        file: &File,
        offset: u64,
        pieces: impl Iterator<Item = &'a [u8]>,
    ) -> io::Result<()> {
        self.go_to(file, offset)?;
        for piece in pieces {
            let held = self.held;
            self.held += piece.len();
            let end = self.held;
            self.bytes()[held..end].copy_from_slice(piece);
        }
        self.write(file)
    }

    /// Makes the stage end at a place in the file, and begin with the block that this is in.
    fn go_to(&mut self, file: &File, offset: u64) -> io::Result<()> {
        let before = usize::try_from(offset % BLOCK_BYTES as u64).expect("less than a block");
        let begin = offset - before as u64;
        let is_held = self.begin <= begin && offset <= self.begin + self.held as u64;
        if is_held && before > 0 {
            let place = usize::try_from(begin - self.begin).expect("it is on the stage");
            self.bytes().copy_within(place..place + before, 0);
        } else {
            file.read_exact_at(&mut self.bytes()[..before], begin)?;
        }
        (self.begin, self.held) = (begin, before);
        Ok(())
    }

    /// Writes what is on the stage.
    fn write(&mut self, file: &File) -> io::Result<()> {
        let (begin, held) = (self.begin, self.held);
        let blocks = held.next_multiple_of(BLOCK_BYTES);
        self.bytes()[held..blocks].fill(0);
        match write_directly(file, &self.bytes()[..blocks], begin) {
            // It cannot be done here; whatever of it has been is done once more.
            Err(error) if error.kind() == ErrorKind::InvalidInput => {
                self.is_direct = false;
                file.write_all_at(&self.bytes()[..held], begin)
            }
            done => done,
        }
    }
}

/// The file is open for others as well, who read it as it comes: only this write goes past the cache.
fn write_directly(file: &File, blocks: &[u8], offset: u64) -> io::Result<()> {
    fcntl_setfl(file, OFlags::DIRECT)?;
    let written = file.write_all_at(blocks, offset);
    fcntl_setfl(file, OFlags::empty())?;
    written
}

impl fmt::Debug for Stage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stage { begin, held, is_direct, .. } = self;
        write!(formatter, "Stage {{ begin: {begin}, held: {held}, is_direct: {is_direct} }}")
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{OpenOptions, remove_file};

    use super::*;
    use crate::prng::Prng;

    /// Appends of many lengths, each where the bytes of the one before end, and so over its zeros. Answers
    /// how many of them were direct, and how many should have been: all, unless the temporary files are on a
    /// file system that refuses even a whole block.
    fn appends(length: usize, shift: usize) -> (usize, usize) {
        let name = format!("quorate-direct-{}-{length}-{shift}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let options = OpenOptions::new().create(true).truncate(true).read(true).write(true).open(&path);
        let file = options.unwrap();
        file.write_all_at(&vec![0x55; length], 0).unwrap();
        let (mut stage, mut prng) = (Stage::new(&file).unwrap(), Prng::new(7));
        let is_taken = write_directly(&file, &stage.bytes()[..BLOCK_BYTES], 0).is_ok();
        stage.aligned += shift;
        let (mut expected, mut direct, mut count) = (Vec::new(), 0, 0);
        loop {
            let size = prng.pick(&[1, 100, 4000, 4072, 4096, 9000, STAGE_BYTES - BLOCK_BYTES - 24]);
            let bytes: Vec<u8> = (0..size).map(|_| u8::try_from(prng.below(256)).unwrap()).collect();
            let (offset, pieces) = (expected.len(), [&bytes[..size / 3], &bytes[size / 3..], &[0; 24]]);
            // Where it is refused it is tried again each time.
            stage.is_direct = true;
            if !stage.has_room(offset as u64, size + 24) {
                break;
            }
            assert!(offset + size + 24 <= length, "there is no room behind the end");
            if prng.chance(100) {
                stage.forget();
            }
            stage.append(&file, offset as u64, pieces.into_iter()).unwrap();
            expected.extend(bytes);
            count += 1;
            direct += usize::from(stage.is_direct);
            let mut found = vec![0; expected.len() + 24];
            file.read_exact_at(&mut found, 0).unwrap();
            assert!(found.starts_with(&expected), "append {count} of {size} at {offset}");
            assert_eq!(found[expected.len()..], [0; 24], "append {count} of {size} at {offset}");
        }
        assert!(count > 5, "only {count} appends");
        assert_eq!(file.metadata().unwrap().len(), length as u64, "it has not grown");
        remove_file(&path).unwrap();
        (direct, if is_taken { count } else { 0 })
    }

    #[test]
    fn what_is_appended_is_what_is_read() {
        for length in [2 << 20, (2 << 20) + 777] {
            let (direct, expected) = appends(length, 0);
            assert_eq!(direct, expected, "direct appends");
        }
    }

    #[test]
    fn what_others_write_in_between_is_not_overwritten() {
        let path = std::env::temp_dir().join(format!("quorate-direct-between-{}", std::process::id()));
        let options = OpenOptions::new().create(true).truncate(true).read(true).write(true).open(&path);
        let file = options.unwrap();
        file.write_all_at(&[0x55; 100_000], 0).unwrap();
        let mut stage = Stage::new(&file).unwrap();
        stage.append(&file, 0, [&[1; 5_000][..]].into_iter()).unwrap();
        file.write_all_at(&[2; 70_000], 100).unwrap();
        stage.forget();
        stage.append(&file, 4_200, [&[3; 50][..]].into_iter()).unwrap();
        let mut found = [0; 4_250];
        file.read_exact_at(&mut found, 0).unwrap();
        assert_eq!((&found[..100], &found[4_200..]), (&[1; 100][..], &[3; 50][..]));
        assert!(found[100..4_200].iter().all(|byte| *byte == 2));
        remove_file(&path).unwrap();
    }

    #[test]
    fn what_cannot_be_written_directly_is_written_all_the_same() {
        // Most file systems refuse a direct write of what begins at an odd place in memory.
        appends(2 << 20, 1);
    }
}
