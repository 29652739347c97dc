//! A folder of the file system.

use std::error::Error;
use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, IoSlice, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::direct::Stage;
use super::{Disk, DiskFailure, During, write_pieces};

/// A directory of the file system, locked for as long as this value lives.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    handle: File,
    /// Released by the operating system when the process ends, however it ends.
    _lock: File,
}

/// Why a directory was not opened.
#[derive(Debug)]
pub enum LockError {
    /// Another process uses it.
    Busy {
        /// The directory.
        directory: String,
    },
    /// It cannot be opened or locked.
    Failed(DiskFailure),
}

/// The file that is locked. It is never removed: a lock on a removed file would keep nobody out.
const LOCK_NAME: &str = "lock";

impl Directory {
    /// Takes possession of a directory, which must exist.
    ///
    /// # Errors
    ///
    /// [`LockError::Busy`] when another process has it, [`LockError::Failed`] when it cannot be opened.
    pub fn open(path: &Path) -> Result<Directory, LockError> {
        let shown = path.display().to_string();
        let handle = File::open(path).during("open", &shown)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path.join(LOCK_NAME));
        let lock = lock.during("open the lock in", &shown)?;
        match lock.try_lock() {
            Ok(()) => Ok(Directory { path: path.to_owned(), handle, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(LockError::Busy { directory: shown }),
            Err(TryLockError::Error(error)) => Err(error).during("lock", &shown).map_err(LockError::from),
        }
    }
}

/// A file of a directory.
#[derive(Debug)]
pub struct OpenFile {
    file: File,
    /// Where it is appended to, once it is.
    stage: Option<Stage>,
}

impl From<File> for OpenFile {
    fn from(file: File) -> OpenFile {
        OpenFile { file, stage: None }
    }
}

impl Disk for Directory {
    type File = OpenFile;

    fn names(&mut self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for file in self.path.read_dir()? {
            // A name that is not text is none of ours.
            names.extend(file?.file_name().into_string().ok().filter(|name| name != LOCK_NAME));
        }
        Ok(names)
    }

    fn create(&mut self, name: &str) -> io::Result<OpenFile> {
        let path = self.path.join(name);
        OpenOptions::new().create(true).truncate(true).read(true).write(true).open(path).map(OpenFile::from)
    }

    fn open(&mut self, name: &str) -> io::Result<OpenFile> {
        OpenOptions::new().read(true).write(true).open(self.path.join(name)).map(OpenFile::from)
    }

    fn length(&mut self, file: &OpenFile) -> io::Result<u64> {
        file.file.metadata().map(|metadata| metadata.len())
    }

    fn read(&mut self, file: &OpenFile, buffer: &mut Vec<u8>) -> io::Result<()> {
        buffer.clear();
        let mut file = &file.file;
        file.seek(SeekFrom::Start(0))?;
        file.read_to_end(buffer).map(|_| ())
    }

    fn read_at(&mut self, file: &OpenFile, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        file.file.read_exact_at(buffer, offset)
    }

    fn write(&mut self, file: &OpenFile, offset: u64, mut slices: &mut [IoSlice<'_>]) -> io::Result<()> {
        let mut file = &file.file;
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

    fn append<'a>(
        &mut self,
        file: &mut OpenFile,
        offset: u64,
        pieces: impl Iterator<Item = &'a [u8]> + Clone,
    ) -> io::Result<()> {
        let bytes = pieces.clone().map(<[u8]>::len).sum();
        let stage = match &mut file.stage {
            Some(stage) => stage,
            none => none.insert(Stage::new(&file.file)?),
        };
        if stage.has_room(offset, bytes) {
            return stage.append(&file.file, offset, pieces);
        }
        stage.forget();
        write_pieces(self, file, offset, pieces)
    }

    fn sync(&mut self, file: &OpenFile) -> io::Result<()> {
        file.file.sync_data()
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

impl fmt::Display for LockError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LockError::Busy { directory } => write!(
                formatter,
                "{directory} is in use by another process; stop that, or use another directory"
            ),
            LockError::Failed(failure) => write!(formatter, "{failure}; check the path and its permissions"),
        }
    }
}

impl Error for LockError {}

impl From<DiskFailure> for LockError {
    fn from(failure: DiskFailure) -> LockError {
        LockError::Failed(failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_append_past_the_stage_is_not_undone_by_the_next_one() {
        let path = std::env::temp_dir().join(format!("quorate-directory-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        let mut disk = Directory::open(&path).unwrap();
        let mut file = disk.create("file").unwrap();
        write_pieces(&mut disk, &file, 0, [&[9; 200_000][..]].into_iter()).unwrap();
        for (offset, piece) in [(0, &[1; 5_000][..]), (100, &[2; 100_000]), (4_200, &[3; 50])] {
            disk.append(&mut file, offset, [piece].into_iter()).unwrap();
        }
        let mut found = [0; 4_250];
        disk.read_at(&file, 0, &mut found).unwrap();
        assert!(found[..100].iter().all(|byte| *byte == 1));
        assert!(found[100..4_200].iter().all(|byte| *byte == 2));
        assert!(found[4_200..].iter().all(|byte| *byte == 3));
        std::fs::remove_dir_all(&path).unwrap();
    }
}
